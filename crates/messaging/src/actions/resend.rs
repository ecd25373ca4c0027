//! Sending a message once more: the same card, to the same person, perhaps at another address.

use chrono::Duration;
use database::{Audited, FromRow, Transaction};
use kernel::version::Expected;
use kernel::{Actor, Error, Problems, Result, new_id};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use super::send::{Queued, beginning, enqueue};
use super::status::enqueue_moved;
use crate::consent::{Addressee, refusal};
use crate::message::{Channel, Purpose, Status};
use crate::store::messages as store;

/// The time in which rewards to one address are counted.
pub const REWARDS_WITHIN: Duration = Duration::hours(24);
/// What somebody is told who sends one more to an address that got as many as it may.
pub const MANY_REWARDS: &str =
    "this address got as many rewards within a day as one address may: give another one, or wait a day";

database::statement! {
    /// The card of a message, as it stands now.
    CARD, app, "
        select g.status, g.revoked_at is not null as revoked, g.delivery_address,
          coalesce(g.expires_at < app.client_day(g.client_id, $3), false) as expired
        from gift_cards g
        where g.client_id = $1
          and g.id = $2
        for no key update";
    /// Whether a message still brings the card: it is not the time for another one.
    ON_ITS_WAY, app, "
        select exists (
          select
          from messages
          where client_id = $1
            and gift_card_id = $2
            and (status in ('pending', 'held') or (status = 'sent' and to_address <> $3)))";
    /// Charges a card again whose credits came back; false when the free ones do not cover it.
    CHARGE_AGAIN, app, "
        select app.charge_again($1, $2, $3, $4)";
    /// Has an address to itself until the transaction ends, and counts the rewards that it got since then.
    REWARDS_TO, app, "
        select app.rewards_to($1, $2, $3, true)"
}

/// A card that is to be sent once more.
#[derive(Debug, FromRow)]
struct Card {
    status: String,
    revoked: bool,
    delivery_address: Option<String>,
    expired: bool,
}

/// Where it goes this time.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResendInput {
    /// Another number or address, for those who may reveal cards; empty: the same one.
    pub to: String,
    /// Why it goes elsewhere; needed with `to`.
    pub reason: String,
}

/// Writes the message once more and enqueues it; returns the new message. Whoever may not reveal cards
/// (`may_reveal`) sends it only to where it went before: a card in another's phone is a card revealed.
///
/// # Errors
/// `to` when it is no number or address, `reason` without one, `Forbidden` for another address without the right to
/// reveal, `GC-006` when its credits came back and the free ones do not cover it, `GC-009` when the person must not be
/// written to, a conflict when the card was revoked, used, is past its last day, arrived or is on its way somewhere else,
/// another address got as many rewards within a day as one may, or the message is still on its way or not the expected
/// version any more.
pub async fn resend(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    (may_reveal, expected): (bool, &Expected),
    input: &ResendInput,
) -> Result<Uuid> {
    let message = store::find(&app.scope(actor), client_id, id).await?;
    expected.check(&message.etag()?)?;
    let channel = Channel::parse(&message.channel).ok_or_else(|| Error::internal("unknown channel"))?;
    let address = address(channel, input, &message)?;
    let elsewhere = address != message.to_address;
    let reason = reason(input, may_reveal, elsewhere)?;
    if matches!(message.status.as_str(), "pending" | "held") {
        return Err(Error::conflict("still_sending", "this message has not left yet"));
    }
    if message.gift_card_id.is_none() && message.purpose == Purpose::Reward.as_str() {
        let text = "its card went back to stock unseen; the reward is sent when the person may be written to";
        return Err(Error::conflict("card_taken_back", text));
    }
    let tx = app.scope(actor).transaction().await?;
    if elsewhere && message.gift_card_id.is_some() {
        refuse_many(&tx, client_id, &address, app.settings.limits.rewards_per_address_per_day).await?;
    }
    let to = Addressee { client_id, contact_id: message.contact_id, channel, address: &address };
    if let Some(refusal) = refusal(&tx, &to).await? {
        return Err(Error::conflict("GC-009", format!("Not sent: {}.", refusal.sentence())));
    }
    if let Some(card) = message.gift_card_id {
        hold_card(&tx, client_id, card, &address).await?;
    }
    store::expect(&tx, client_id, id, expected).await?;
    let queued = Queued { message_id: new_id(), refused: None };
    store::copy(&tx, &message, queued.message_id, &address, &beginning(None)).await?;
    enqueue(&tx, client_id, queued.message_id, None).await?;
    if message.gift_card_id.is_some() {
        enqueue_moved(&tx, client_id, queued.message_id, Status::Pending).await?;
    }
    let what = Audited {
        client_id: Some(client_id),
        before: Some(json!({ "to": message.to_address })),
        after: Some(json!({ "to": address, "reason": reason, "message_id": queued.message_id })),
    };
    tx.audit("message.resent", "messages", Some(id), what).await?;
    tx.commit().await?;
    Ok(queued.message_id)
}

/// Why it goes elsewhere, where it does.
fn reason(input: &ResendInput, may_reveal: bool, elsewhere: bool) -> Result<Option<String>> {
    if !elsewhere {
        return Ok(None);
    }
    if !may_reveal {
        return Err(Error::forbidden("gift_cards.reveal"));
    }
    let mut problems = Problems::new();
    let reason = problems.require("reason", &input.reason).chars().take(500).collect();
    problems.finish()?;
    Ok(Some(reason))
}

/// Has the card to itself, and pays for it again where its credits came back.
async fn hold_card(tx: &Transaction, client_id: Uuid, card_id: Uuid, address: &str) -> Result<()> {
    let card: Card = tx.query_one(&CARD, &[&client_id, &card_id, &tx.now()]).await?;
    refuse_spent(&card, address)?;
    // whoever sent it a moment ago had the card locked until now
    if tx.query_scalar(&ON_ITS_WAY, &[&client_id, &card_id, &address]).await? {
        return Err(Error::conflict(
            "still_sending",
            "the card is on its way already: wait until that message arrives or fails",
        ));
    }
    if tx.query_scalar(&CHARGE_AGAIN, &[&client_id, &card_id, &new_id(), &tx.now()]).await? {
        return Ok(());
    }
    let text = "the credits of this card came back when it failed, and the free credits do not cover it any more";
    Err(Error::conflict("GC-006", text))
}

/// Refuses an address that got `most` rewards within a day; 0 for any number.
async fn refuse_many(tx: &Transaction, client_id: Uuid, address: &str, most: u32) -> Result<()> {
    let since = tx.now() - REWARDS_WITHIN;
    if most == 0 || tx.query_scalar::<i64>(&REWARDS_TO, &[&client_id, &address, &since]).await? < i64::from(most) {
        return Ok(());
    }
    Err(Error::conflict("many_rewards_to_one_address", MANY_REWARDS))
}

fn refuse_spent(card: &Card, address: &str) -> Result<()> {
    let (code, text) = match card {
        Card { revoked: true, .. } => ("card_revoked", "the card was revoked: issue another one instead"),
        Card { status, .. } if status == "redeemed" => ("card_redeemed", "the card was used"),
        Card { expired: true, .. } => ("card_expired", "the card's last day is over"),
        Card { status, delivery_address, .. }
            if status == "delivered" && delivery_address.as_deref() != Some(address) =>
        {
            ("card_delivered", "the card arrived, and goes nowhere else: replace it if it is in the wrong hands")
        }
        _ => return Ok(()),
    };
    Err(Error::conflict(code, text))
}

fn address(channel: Channel, input: &ResendInput, message: &store::Message) -> Result<String> {
    let given = input.to.trim();
    if given.is_empty() {
        return Ok(message.to_address.clone());
    }
    let wrong = match channel {
        Channel::Sms => kernel::phone::WANTED,
        Channel::Email => kernel::email::WANTED,
    };
    channel.normalise(given).ok_or_else(|| Error::invalid("to", wrong))
}
