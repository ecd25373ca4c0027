//! What a person does with one card: reveal, mark as used, retire, issue another one.

use chrono::NaiveDate;
use database::{Audited, Transaction};
use events::{EventType, NewEvent};
use kernel::money::Money;
use kernel::version::Expected;
use kernel::{Actor, Error, Problems, Result};
use messaging::Channel;
use messaging::card_code::{CardRef, Case, Part, fingerprint};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use super::{some, stock};
use crate::claim::{Claimed, Outcome};
use crate::codes;
use crate::elsewhere::{self, Wanted, allow};
use crate::store::cards::{self as store, Held, Sealed};
use crate::store::{deliveries, pools};

/// An opened card: for the one answer that asked for it, never for a log.
#[derive(Clone, Serialize, ToSchema)]
pub struct OpenCard {
    /// Its brand.
    pub brand: String,
    /// Where the brand's logo is.
    pub logo_url: Option<String>,
    /// What it is worth.
    #[schema(value_type = String)]
    pub value_amount: Money,
    /// Its code.
    pub code: String,
    /// Its PIN.
    pub pin: Option<String>,
    /// The last day it can be used.
    pub expires_at: Option<NaiveDate>,
    /// Where people redeem.
    pub redemption_url: Option<String>,
}

impl std::fmt::Debug for OpenCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenCard").field("brand", &self.brand).finish_non_exhaustive()
    }
}

/// Why a card is retired, and what happens next.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RevokeInput {
    /// Why.
    #[serde(alias = "why")]
    pub reason: String,
}

/// What somebody noted when a card was used.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RedeemInput {
    /// What is left on it, or anything else worth knowing.
    pub balance_note: String,
}

/// Another card instead of this one.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReplaceInput {
    /// Why.
    pub reason: String,
    /// Where the new one goes; empty: where the old one went. One that only a form showed needs it. An address that is not
    /// on record takes `gift_cards.reveal`.
    pub to: String,
}

/// A code somebody asks about.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FindInput {
    /// The code as it stands on the card.
    pub code: String,
}

impl std::fmt::Debug for FindInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FindInput").finish_non_exhaustive()
    }
}

/// Finds the card with a code by its keyed hash: no card is opened, and the code is in no address.
///
/// # Errors
/// `GC-012` without a code, `GC-011` when no card of the client has it.
pub async fn find_by_code(app: &App, actor: &Actor, client_id: Uuid, input: &FindInput) -> Result<Uuid> {
    if input.code.trim().is_empty() {
        return Err(Error::conflict(codes::MISSING_FIELD, "give the code of the card"));
    }
    let prints = [Case::Matters, Case::Ignored].map(|case| fingerprint(&app.keyring, &input.code, case));
    let found = store::by_fingerprint(&app.scope(actor), client_id, &prints).await?;
    found.ok_or_else(|| Error::conflict(codes::CODE_UNKNOWN, "no card has this code"))
}

/// Opens a card for a person of the console, and leaves an audit row. Not one that is still to be handed out: whoever
/// gets it must be the first to see its code.
///
/// # Errors
/// `NotFound`, a conflict for a card in stock or another version than the expected one, `GC-006` when its credits came
/// back and the free ones do not cover it any more, or `Internal` when a key is missing.
pub async fn reveal(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<OpenCard> {
    let tx = app.scope(actor).transaction().await?;
    if !expected.is_any() {
        store::hold(&tx, (client_id, id), expected).await?;
    }
    let card = open(app, &tx, client_id, id).await?;
    if !deliveries::charge_again(&tx, client_id, id).await? {
        return Err(codes::no_credits());
    }
    store::revealed(&tx, client_id, id).await?;
    tx.audit("gift_card.revealed", "gift_cards", Some(id), about(client_id)).await?;
    tx.commit().await?;
    Ok(card)
}

async fn open(app: &App, tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<OpenCard> {
    let Sealed {
        client_id: owner,
        status,
        card_code,
        pin_code,
        value_amount,
        expires_at,
        brand_name,
        brand_logo_url,
        redemption_url,
    } = store::sealed(tx, client_id, id).await?;
    if status == "available" {
        let text = "this card is still to be handed out, so nobody may see its code: revoke it first";
        return Err(Error::conflict("still_in_stock", text));
    }
    let card = CardRef { client_id: owner, card_id: id };
    let pin = pin_code.map(|sealed| card.open(&app.keyring, Part::Pin, &sealed)).transpose()?;
    Ok(OpenCard {
        brand: brand_name,
        logo_url: brand_logo_url,
        value_amount,
        code: card.open(&app.keyring, Part::Code, &card_code)?,
        pin,
        expires_at,
        redemption_url,
    })
}

/// Marks a card as used.
///
/// # Errors
/// `NotFound`, or a conflict when nobody has it, it was used, it was retired, or it is not the expected version any more.
pub async fn redeem(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    input: &RedeemInput,
    expected: &Expected,
) -> Result<()> {
    let tx = app.scope(actor).transaction().await?;
    let card = store::hold(&tx, (client_id, id), expected).await?;
    if card.revoked || !matches!(card.status.as_str(), "claimed" | "delivered") {
        return Err(Error::conflict(
            "not_redeemable",
            "only a card that somebody has, unused, can be marked as redeemed",
        ));
    }
    store::redeem(&tx, client_id, id, some(&input.balance_note).as_deref()).await?;
    if card.status == "claimed" {
        pools::add_delivered(&tx, card.pool_id).await?;
    }
    // it was had after all; that it was used is noted also where nothing is left to pay for it
    deliveries::charge_again(&tx, client_id, id).await?;
    record(&tx, client_id, id, &card).await?;
    let what = Audited {
        before: Some(json!({ "status": card.status })),
        after: Some(json!({ "status": "redeemed" })),
        ..about(client_id)
    };
    tx.audit("gift_card.redeemed", "gift_cards", Some(id), what).await?;
    tx.commit().await
}

async fn record(tx: &Transaction, client_id: Uuid, id: Uuid, card: &Held) -> Result<()> {
    let event = NewEvent {
        client_id,
        campaign_id: card.campaign_id,
        recipient_id: card.recipient_id,
        event_type: EventType::GiftCardRedeem,
        event_data: json!({ "gift_card_id": id }),
        ip: None,
        user_agent: None,
        referrer: None,
        at: None,
    };
    events::record(tx, &event).await
}

/// Retires a card: its code may have been seen, so it never becomes available again. One in stock goes even when every
/// card of its pool is promised: the newest promise is cut then, which an alert tells, and is made good first when cards
/// come.
///
/// # Errors
/// `NotFound`, `reason`, or a conflict when it was retired already or is not the expected version any more.
pub async fn revoke(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    input: &RevokeInput,
    expected: &Expected,
) -> Result<()> {
    let reason = reason(&input.reason)?;
    let tx = app.scope(actor).transaction().await?;
    let card = store::hold(&tx, (client_id, id), expected).await?;
    if card.revoked || card.status == "expired" {
        return Err(Error::conflict("already_revoked", "this card is retired already"));
    }
    store::revoke(&tx, client_id, id, &reason).await?;
    let broken = card.status == "available" && pools::take_off(&tx, card.pool_id).await?;
    if broken {
        stock::tell_of_short(&tx, (client_id, card.pool_id), &card.pool_name, 1).await?;
    }
    let what = Audited {
        before: Some(json!({ "status": card.status })),
        after: Some(json!({ "reason": reason, "promise_cut": broken })),
        ..about(client_id)
    };
    tx.audit("gift_card.revoked", "gift_cards", Some(id), what).await?;
    tx.commit().await
}

/// Retires a card that somebody has, unless it is retired already, and issues another one of the same pool, free of
/// credits.
///
/// # Errors
/// `NotFound`, `reason`, `to`, `Forbidden` for an address that is not on record without the right to reveal
/// (`may_reveal`), a conflict when that address got too many rewards, `GC-001` when no condition earned it, `GC-003`
/// when the pool has no card left, `GC-006` when credits that came back do not cover it any more, `GC-009` when nobody may
/// write there, or a conflict when the pool is archived or it is not the expected version any more.
pub async fn replace(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    (may_reveal, expected): (bool, &Expected),
    input: &ReplaceInput,
) -> Result<Claimed> {
    let reason = reason(&input.reason)?;
    let to = way(&input.to)?;
    let tx = app.scope(actor).transaction().await?;
    let turn = match &to {
        Some((_, to)) => Some(elsewhere::turn(&tx, client_id, to).await?),
        None => None,
    };
    let card = store::hold(&tx, (client_id, id), expected).await?;
    if card.status == "redeemed" {
        return Err(Error::conflict("already_redeemed", "this card was used"));
    }
    if store::is_under_way(&tx, client_id, id).await? {
        let text = "this card is being sent at this moment: try again in a minute";
        return Err(Error::conflict("still_sending", text));
    }
    let elsewhere = match (&to, &turn, card.recipient_id) {
        (Some((_, to)), Some(turn), Some(recipient_id)) => {
            let most = app.settings.limits.rewards_per_address_per_day;
            let before = card.sent_to.as_deref();
            allow(&tx, turn, &Wanted { client_id, recipient_id, before, to, may_reveal, most }).await?
        }
        _ => false,
    };
    let way = (to.as_ref().map(|(channel, _)| channel.as_str()), to.as_ref().map(|(_, address)| address.as_str()));
    let row = store::replace(&tx, (client_id, id), &reason, way).await?;
    match row.outcome.as_str() {
        "no_card" => {
            return Err(Error::conflict(codes::NOT_CONFIGURED, "no condition earned this card: revoke it instead"));
        }
        "pool_archived" => {
            return Err(Error::conflict("archived", "the pool of this card is archived: bring it back first"));
        }
        _ => {}
    }
    let claimed = Claimed::try_from(row)?;
    match claimed.outcome {
        Outcome::Claimed => {}
        Outcome::AddressMissing => return Err(Error::required("to")),
        Outcome::NoCredits => return Err(codes::no_credits()),
        Outcome::ConsentNeeded => {
            return Err(Error::conflict(codes::CONSENT_NEEDED, "nobody may write there: the person said no"));
        }
        _ => return Err(codes::pool_empty()),
    }
    if let Some(card_id) = claimed.gift_card_id.filter(|_| elsewhere) {
        elsewhere::mark(&tx, client_id, card_id).await?;
    }
    let address = to.as_ref().map(|(_, address)| address).or(card.sent_to.as_ref());
    let what = Audited {
        before: Some(json!({ "to": card.sent_to })),
        after: Some(json!({
            "reason": reason, "replaced_by_id": claimed.gift_card_id, "to": address, "given_address": elsewhere
        })),
        ..about(client_id)
    };
    tx.audit("gift_card.replaced", "gift_cards", Some(id), what).await?;
    tx.commit().await?;
    Ok(claimed)
}

fn reason(text: &str) -> Result<String> {
    let mut problems = Problems::new();
    let reason = problems.require("reason", text).chars().take(500).collect();
    problems.finish()?;
    Ok(reason)
}

/// A phone number or an e-mail address in the field `to`; nothing when it is empty.
///
/// # Errors
/// `to` when it is neither.
pub fn way(text: &str) -> Result<Option<(Channel, String)>> {
    let Some(text) = some(text) else { return Ok(None) };
    let known = [Channel::Email, Channel::Sms].into_iter().find_map(|way| way.normalise(&text).map(|to| (way, to)));
    known
        .map(Some)
        .ok_or_else(|| Error::invalid("to", "enter a phone number of 10 digits or an address such as ada@example.com"))
}

fn about(client_id: Uuid) -> Audited {
    Audited { client_id: Some(client_id), ..Audited::default() }
}
