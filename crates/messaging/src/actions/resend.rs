//! Sending a message once more: the same card, to the same person, perhaps at another address.

use database::{Audited, FromRow};
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

database::statement! {
    /// The card of a message, as it stands now.
    CARD, app, "
        select g.status, g.revoked_at is not null as revoked, g.delivery_address,
          coalesce(g.expires_at < app.client_day(g.client_id, $3), false) as expired
        from gift_cards g
        where g.client_id = $1
          and g.id = $2
        for no key update"
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
/// reveal, `GC-009` when the person must not be written to, a conflict when the card was revoked, used, is past its last
/// day, arrived somewhere else, or the message is still on its way or not the expected version any more.
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
    let reason = reason(input, may_reveal, address != message.to_address)?;
    if matches!(message.status.as_str(), "pending" | "held") {
        return Err(Error::conflict("still_sending", "this message has not left yet"));
    }
    if message.gift_card_id.is_none() && message.purpose == Purpose::Reward.as_str() {
        let text = "its card went back to stock unseen; the reward is sent when the person may be written to";
        return Err(Error::conflict("card_taken_back", text));
    }
    let tx = app.scope(actor).transaction().await?;
    if let Some(card) = message.gift_card_id {
        let card: Card = tx.query_one(&CARD, &[&client_id, &card, &tx.now()]).await?;
        refuse_spent(&card, &address)?;
    }
    store::expect(&tx, client_id, id, expected).await?;
    let to = Addressee { client_id, contact_id: message.contact_id, channel, address: &address };
    if let Some(refusal) = refusal(&tx, &to).await? {
        return Err(Error::conflict("GC-009", format!("Not sent: {}.", refusal.sentence())));
    }
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
