//! Recipients looked for: by part of a name, a phone or a code, and by what they did.

use database::{Filter, Scope};
use kernel::Result;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::recipients::Recipient;

/// What a recipient did: the steps of a campaign's funnel, counted the same way as there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// Opened the link or scanned the QR.
    Visited,
    /// Sent a form.
    Submitted,
    /// Called, and an agent confirmed it.
    Called,
    /// Was given a card.
    Rewarded,
}

impl Did {
    /// Each with its word and what people read.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Visited, "visited", "Visited"),
        (Self::Submitted, "submitted", "Submitted"),
        (Self::Called, "called", "Called"),
        (Self::Rewarded, "rewarded", "Rewarded"),
    ];

    /// The one of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(did, ..)| *did)
    }

    const fn condition(self) -> &'static str {
        match self {
            Self::Visited => "and total_visits > 0",
            Self::Submitted => {
                "and exists (select from events e where e.client_id = recipients.client_id
                    and e.campaign_id = recipients.campaign_id and e.recipient_id = recipients.id
                    and e.event_type = 'form_submit')"
            }
            Self::Called => {
                "and exists (select from call_conditions_met m where m.client_id = recipients.client_id
                    and m.recipient_id = recipients.id and m.trigger_type = 'call')"
            }
            Self::Rewarded => {
                "and exists (select from call_conditions_met m where m.client_id = recipients.client_id
                    and m.recipient_id = recipients.id and m.gift_card_id is not null)"
            }
        }
    }
}

/// Which recipients are looked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Search<'a> {
    /// Only of this campaign.
    pub campaign_id: Option<Uuid>,
    /// Part of a name or an e-mail address, a phone, or a code.
    pub text: Option<&'a str>,
    /// Only those who did this.
    pub did: Option<Did>,
    /// The last row of the page before.
    pub after: Option<Uuid>,
    /// Those of campaigns in the mail first, and the newest of them; there are no further pages then.
    pub live_first: bool,
}

/// Recipients of a campaign, or of all the client's campaigns; one more than `limit` says that there are more.
///
/// # Errors
/// What the database answered.
pub async fn search(scope: &Scope<'_>, client_id: Uuid, of: Search<'_>, limit: i64) -> Result<Vec<Recipient>> {
    let text = of.text.map(str::trim).filter(|text| !text.is_empty());
    let pattern = text.map(database::containing);
    let phone = text.and_then(|text| kernel::phone::normalise(text, kernel::phone::DEFAULT_REGION));
    let code =
        text.and_then(|text| kernel::codes::RedemptionCode::parse(text).ok()).map(|code| code.as_str().to_owned());
    let more = limit + 1;
    let mut filter = Filter::new(
        "recipients search",
        "select id, client_id, campaign_id, contact_id, redemption_code, purl_token, first_name, last_name, email,
            phone, address, address2, city, state, zip, custom_fields, imb_serial, status, total_visits,
            last_visited_at, created_at from recipients",
    )
    .bind("where client_id =", &client_id)
    .bind_some("and campaign_id =", of.campaign_id.as_ref())
    .bind_some("and id >", of.after.as_ref());
    if let Some(did) = of.did {
        filter = filter.push(did.condition());
    }
    if let Some(code) = &code {
        filter = filter.bind("and redemption_code =", code);
    } else if let Some(phone) = &phone {
        // an index holds the phones of each campaign
        filter = filter
            .bind("and phone =", phone)
            .bind("and campaign_id = any (array(select k.id from campaigns k where k.client_id =", &client_id)
            .push("))");
    } else if let Some(pattern) = &pattern {
        filter =
            filter.bind("and app.fold(concat_ws(' ', first_name, last_name, email)) like app.fold(", pattern).push(")");
    }
    filter = if of.live_first {
        filter
            .bind("order by campaign_id = any (array(select k.id from campaigns k where k.client_id =", &client_id)
            .push("and k.status in ('mailed', 'active'))) desc, id desc")
    } else {
        filter.push("order by id")
    };
    scope.query_filter(&filter.bind("limit", &more)).await
}
