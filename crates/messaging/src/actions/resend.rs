//! Sending a message once more: the same card, to the same person, perhaps at another address.

use database::Audited;
use kernel::{Actor, Error, Result, new_id};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use super::send::{Queued, beginning, enqueue};
use super::status::enqueue_moved;
use crate::consent::{Addressee, refusal};
use crate::message::{Channel, Status};
use crate::store::messages as store;

database::statement! {
    /// Whether the card of a message was revoked.
    CARD_REVOKED, app, "
        select revoked_at is not null
        from gift_cards
        where client_id = $1
          and id = $2"
}

/// Where it goes this time.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResendInput {
    /// Another number or address; empty: the same one.
    pub to: String,
}

/// Writes the message once more and enqueues it; returns the new message.
///
/// # Errors
/// `to` when it is no number or address, `GC-009` when the person must not be written to, a conflict when the card
/// was revoked or the message is still on its way.
pub async fn resend(app: &App, actor: &Actor, client_id: Uuid, id: Uuid, input: &ResendInput) -> Result<Uuid> {
    let message = store::find(&app.scope(actor), client_id, id).await?;
    let channel = Channel::parse(&message.channel).ok_or_else(|| Error::internal("unknown channel"))?;
    let address = address(channel, input, &message)?;
    if matches!(message.status.as_str(), "pending" | "held") {
        return Err(Error::conflict("still_sending", "this message has not left yet"));
    }
    let tx = app.scope(actor).transaction().await?;
    if let Some(card) = message.gift_card_id {
        let revoked: bool = tx.query_scalar(&CARD_REVOKED, &[&client_id, &card]).await?;
        if revoked {
            return Err(Error::conflict("card_revoked", "the card was revoked: issue another one instead"));
        }
    }
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
        after: Some(json!({ "to": address, "message_id": queued.message_id })),
    };
    tx.audit("message.resent", "messages", Some(id), what).await?;
    tx.commit().await?;
    Ok(queued.message_id)
}

fn address(channel: Channel, input: &ResendInput, message: &store::Message) -> Result<String> {
    let given = input.to.trim();
    if given.is_empty() {
        return Ok(message.to_address.clone());
    }
    let wrong = match channel {
        Channel::Sms => "not a phone number",
        Channel::Email => "not an e-mail address",
    };
    channel.normalise(given).ok_or_else(|| Error::invalid("to", wrong))
}
