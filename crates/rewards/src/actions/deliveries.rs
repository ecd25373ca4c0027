//! A message that brings a card has moved: so do the card, the condition that earned it, and the pool's counters.
//! When it failed for good, the card goes the other way, once.

use database::{Audited, Transaction};
use events::{EventType, NewEvent};
use jobs::NewJob;
use kernel::{Actor, Result, System};
use messaging::actions::status::MOVED_JOB;
use messaging::{Channel, NewMessage, Purpose};
use serde_json::json;
use uuid::Uuid;
use web::App;

use super::stock;
use crate::address::REFUSED_ALERT;
use crate::codes::NOT_DELIVERED;
use crate::store::deliveries::{self as store, Moved};
use crate::store::{alerts, cards, pools};

/// Providers that report what became of a message. For the others the last news is that they took it.
const REPORTING: &[&str] = &["twilio", "sandbox"];

/// Takes in where a message is now. Repeating it changes nothing.
///
/// # Errors
/// What the database answered.
pub async fn message_moved(app: &App, client_id: Uuid, message_id: Uuid) -> Result<()> {
    let actor = Actor::client(client_id);
    let tx = app.scope(&actor).transaction().await?;
    let Some(message) = store::moved(&tx, client_id, message_id).await? else { return Ok(()) };
    if has_arrived(&message) {
        card_arrived(&tx, client_id, &message).await?;
    }
    let refused = message.refusal.as_deref().filter(|_| message.status == "failed" && message.recipient_id.is_some());
    if refused.is_some() {
        // as every claim: the pool before the condition
        pools::lock(&tx, message.pool_id).await?;
    }
    let condition = store::condition(&tx, client_id, message.gift_card_id).await?;
    if message.status == "failed" {
        fall_back(&tx, client_id, message_id, &message).await?;
    }
    if let (Some(refusal), Some(condition)) = (refused, &condition)
        && store::furthest(&tx, client_id, message.gift_card_id).await? == "failed"
        && store::take_back(&tx, client_id, message.gift_card_id, refusal).await?
    {
        taken_back(&tx, client_id, condition.id, &message).await?;
        return tx.commit().await;
    }
    if let Some(condition) = condition {
        let furthest = store::furthest(&tx, client_id, message.gift_card_id).await?;
        if condition.delivery_status.as_deref() != Some(&furthest) {
            store::set_delivery(&tx, client_id, condition.id, &furthest).await?;
        }
        tell(&tx, client_id, condition.id, &furthest).await?;
        settle(&tx, client_id, (condition.id, message.gift_card_id), &furthest).await?;
    }
    tx.commit().await
}

/// Tells that a card went back: the reward waits for the person's consent as if it had been asked for only now.
async fn taken_back(tx: &Transaction, client_id: Uuid, condition_id: Uuid, message: &Moved) -> Result<()> {
    let after = json!({ "recipient_id": message.recipient_id, "refusal": message.refusal, "status": "available" });
    let what = Audited { client_id: Some(client_id), after: Some(after), ..Audited::default() };
    tx.audit("gift_card.taken_back", "gift_cards", Some(message.gift_card_id), what).await?;
    alerts::resolve(tx, client_id, "delivery_failed", condition_id).await?;
    if let Some(recipient_id) = message.recipient_id {
        let text = "A reward is due, and the person may not be written to: the card is back in stock.";
        let data = json!({
            "campaign_id": message.campaign_id, "recipient_id": recipient_id, "code": crate::codes::CONSENT_NEEDED,
        });
        alerts::raise(tx, client_id, (REFUSED_ALERT, recipient_id), text, &data).await?;
    }
    stock::fulfil_soon(tx, client_id).await
}

/// What could not be delivered at all comes back as money; what is under way all the same is paid for again, as far as
/// there are free credits. Whoever sends a card once more has been asked before.
async fn settle(
    tx: &Transaction,
    client_id: Uuid,
    (condition_id, card_id): (Uuid, Uuid),
    furthest: &str,
) -> Result<()> {
    if furthest != "failed" {
        return store::charge_again(tx, client_id, card_id).await.map(|_| ());
    }
    if store::refund(tx, client_id, condition_id).await? {
        stock::fulfil_soon(tx, client_id).await?;
    }
    Ok(())
}

/// Asks for another look at the messages of every card that is not as far as they are: the job that told of them died.
///
/// # Errors
/// What the database answered.
pub async fn catch_up(app: &App) -> Result<()> {
    let actor = Actor::system(System::Worker);
    let behind = store::behind(&app.scope(&actor)).await?;
    let due: Vec<NewJob> = behind
        .iter()
        .map(|message| {
            // the key by which `messaging` tells of it
            let unique = format!("{MOVED_JOB}:{}:{}", message.id, message.status);
            let job = NewJob::new(MOVED_JOB, json!({ "message_id": message.id }));
            job.client(message.client_id).unique(unique)
        })
        .collect();
    let tx = app.scope(&actor).transaction().await?;
    jobs::enqueue_many(&tx, &due).await?;
    tx.commit().await
}

fn has_arrived(message: &Moved) -> bool {
    let reports = message.provider.as_deref().is_some_and(|provider| REPORTING.contains(&provider));
    message.status == "delivered" || (message.status == "sent" && !reports)
}

/// Pool first, as every claim: then the card, its counter and its event.
async fn card_arrived(tx: &Transaction, client_id: Uuid, message: &Moved) -> Result<()> {
    pools::lock(tx, message.pool_id).await?;
    let at = message.delivered_at.or(message.sent_at).unwrap_or_else(|| tx.now());
    let way = (at, message.channel.as_str(), message.to_address.as_str());
    if !cards::delivered(tx, client_id, message.gift_card_id, way).await? {
        return Ok(());
    }
    pools::add_delivered(tx, message.pool_id).await?;
    let event = NewEvent {
        client_id,
        campaign_id: message.campaign_id,
        recipient_id: message.recipient_id,
        event_type: EventType::GiftCardDelivered,
        event_data: json!({ "gift_card_id": message.gift_card_id, "channel": message.channel }),
        ip: None,
        user_agent: None,
        referrer: None,
        at: Some(at),
    };
    events::record(tx, &event).await
}

/// The same card by the other channel: once for each message, never for a fallback, and not while another message
/// that brings it is alive.
async fn fall_back(tx: &Transaction, client_id: Uuid, message_id: Uuid, failed: &Moved) -> Result<()> {
    if failed.is_fallback || failed.revoked || failed.purpose != Purpose::Reward.as_str() {
        return Ok(());
    }
    let (Some(recipient_id), Some(channel)) = (failed.recipient_id, Channel::parse(&failed.channel)) else {
        return Ok(());
    };
    if store::furthest(tx, client_id, failed.gift_card_id).await? != "failed" {
        return Ok(());
    }
    let Some(way) = store::other_way(tx, client_id, recipient_id, failed.gift_card_id).await? else { return Ok(()) };
    let other = channel.other();
    let (address, body) = match other {
        Channel::Sms => (way.phone, way.sms_template),
        Channel::Email => (way.email, way.email_template),
    };
    // what was given with the form or the call is newer than what is on file
    let given = failed.other_way.as_ref().and_then(|given| other.normalise(given));
    let Some(to) = given.or_else(|| address.and_then(|address| other.normalise(&address))) else { return Ok(()) };
    let subject =
        way.email_subject.or_else(|| failed.subject.clone()).unwrap_or_else(|| "Your {{brand}} gift card".into());
    let new = NewMessage {
        client_id,
        campaign_id: failed.campaign_id,
        recipient_id: failed.recipient_id,
        contact_id: failed.contact_id,
        gift_card_id: Some(failed.gift_card_id),
        fallback_of_id: Some(message_id),
        channel: other,
        purpose: Purpose::Reward,
        to,
        subject: (other == Channel::Email).then_some(subject),
        body_template: body.unwrap_or_else(|| failed.body_template.clone()),
        merge: json!({}),
    };
    match messaging::send(tx, &new).await {
        Ok(_) => Ok(()),
        // an earlier run of this job was faster
        Err(kernel::Error::Conflict { .. }) => Ok(()),
        Err(other) => Err(other),
    }
}

async fn tell(tx: &Transaction, client_id: Uuid, condition_id: Uuid, furthest: &str) -> Result<()> {
    let about = ("delivery_failed", condition_id);
    if furthest == "failed" {
        let text = "A gift card could not be delivered. Send it again to another number or address.";
        alerts::raise(tx, client_id, about, text, &json!({ "code": NOT_DELIVERED })).await
    } else {
        alerts::resolve(tx, client_id, about.0, about.1).await
    }
}
