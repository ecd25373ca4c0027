//! What needs somebody, each line with the place where it is dealt with, for those who may go there.

use chrono::{DateTime, Utc};
use web::Caller;

use crate::store::needs as store;

/// A line of the list.
pub struct Need {
    /// `problem` or `warning`.
    pub state: &'static str,
    /// What it says.
    pub text: String,
    /// Where it is dealt with.
    pub href: Option<String>,
    /// Since when, where that is known.
    pub since: Option<DateTime<Utc>>,
    /// What it takes to acknowledge it, where it can be.
    pub alert: Option<AlertKey>,
}

/// What the form of an alert sends.
pub struct AlertKey {
    pub kind: String,
    pub subject: String,
    pub until: String,
}

/// The lines of the client with this slug, as people read them.
pub fn list(caller: &Caller, slug: &str, needs: Vec<store::Need>) -> Vec<Need> {
    needs.into_iter().map(|need| line(caller, slug, need)).collect()
}

/// One line.
pub fn line(caller: &Caller, slug: &str, need: store::Need) -> Need {
    let (permission, path) = place(&need.kind, need.subject_id.map(|id| id.to_string()).as_deref());
    Need {
        state: if matches!(need.kind.as_str(), "failed_imports" | "delivery_failed" | "pool_empty" | "no_credits") {
            "problem"
        } else {
            "warning"
        },
        href: caller.may(permission).then(|| format!("/{slug}/{path}")),
        since: need.since,
        alert: need.is_alert.then(|| AlertKey {
            kind: need.kind.clone(),
            subject: need.subject_id.map(|id| id.to_string()).unwrap_or_default(),
            until: need.latest.map(|at| at.to_rfc3339()).unwrap_or_default(),
        }),
        text: text(&need),
    }
}

/// The sentence of a line: what an alert says and about whom, or how many things there are of a kind.
fn text(need: &store::Need) -> String {
    let [one, many] = match need.kind.as_str() {
        "failed_imports" => ["import broke off", "imports broke off"],
        "to_approve" => ["campaign waits for approval", "campaigns wait for approval"],
        "delivery_failed" => [
            "gift card could not be delivered. Send it again to another number or address.",
            "gift cards could not be delivered. Send them again to other numbers or addresses.",
        ],
        "perhaps_sent" => [
            "gift card may not have been sent. Ask the person, and send it again if it is missing.",
            "gift cards may not have been sent. Ask the people, and send again what is missing.",
        ],
        "reward_held" => ["person's rewards wait for a look", "people's rewards wait for a look"],
        "no_credits" => ["pool has rewards due that no credits cover", "pools have rewards due that no credits cover"],
        _ => ["alert", "alerts"],
    };
    // the stock's own sentences name their pool
    let says_whom = matches!(need.kind.as_str(), "pool_low" | "cards_expiring" | "promise_cut");
    match (&need.message, &need.subject) {
        (Some(message), Some(subject)) if need.things == 1 && !says_whom => format!("{subject}: {message}"),
        (Some(message), _) if need.things == 1 => message.clone(),
        _ => format!("{} {}", web::view::number(need.things), if need.things == 1 { one } else { many }),
    }
}

/// The permission and the path of where a line leads: to the thing itself where it is one, else to the list.
pub fn place(kind: &str, subject: Option<&str>) -> (&'static str, String) {
    let at = |list: &str, page: &str| subject.map_or_else(|| list.to_owned(), |id| format!("{page}/{id}"));
    match kind {
        "failed_imports" => ("contacts.import", "imports".into()),
        "to_approve" => ("campaigns.view", "campaigns?status=ready".into()),
        "delivery_failed" => ("messages.view", "deliveries?status=failed".into()),
        "perhaps_sent" => ("messages.view", at("deliveries?status=sent", "cards")),
        "reward_held" => ("messages.view", "deliveries?status=held".into()),
        "no_credits" => ("credits.view", "credits".into()),
        "address_missing" | "consent_needed" => ("campaigns.view", at("campaigns", "recipients")),
        _ => ("gift_cards.view", at("pools", "pools")),
    }
}
