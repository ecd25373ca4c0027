//! How a message moves on: by a try to send it, or by its provider's callback. Forward only, in any order.

use database::Transaction;
use events::{EventType, NewEvent};
use jobs::NewJob;
use kernel::{Actor, Error, Result, System};
use providers::{DeliveryStatus, StatusUpdate};
use serde_json::json;
use uuid::Uuid;
use web::App;

use crate::consent;
use crate::message::{Channel, PERHAPS_SENT, Status};
use crate::store::messages::{self as store, Happened, Tracked};
use crate::store::tries;

/// The job by which this room tells `rewards` that a message that brings a card has moved.
pub const MOVED_JOB: &str = "rewards.message_moved";

/// What has become of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) status: Status,
    /// The provider's own word, or ours.
    pub(crate) word: &'a str,
    /// Code and sentence.
    pub(crate) error: Option<(&'a str, &'a str)>,
    /// The provider and how it calls the message, as far as it said.
    pub(crate) name: Option<(&'a str, Option<&'a str>)>,
}

impl<'a> Change<'a> {
    /// Counts as sent, though nobody said that it was: a code that may be out is not taken back, paid back, or sent
    /// elsewhere.
    pub(crate) fn perhaps_sent(provider: &'a str, why: &'a str) -> Self {
        let error = Some((PERHAPS_SENT, why));
        Self { status: Status::Sent, word: PERHAPS_SENT, error, name: Some((provider, None)) }
    }
}

/// The path of a message's status callback. The id in it is ours: a callback may come before we know the provider's.
pub fn callback_path(message_id: Uuid) -> String {
    format!("/hooks/twilio/sms-status/{message_id}")
}

/// Takes in a provider's callback whose signature was found good; answers how far the message is now.
///
/// # Errors
/// `NotFound` when there is no such message.
pub async fn take_callback(app: &App, provider: &str, message_id: Uuid, update: &StatusUpdate) -> Result<Status> {
    // Whose message it is, ACE has to look up; what happened to it is that client's affair.
    let client_id = store::client_of(&app.scope(&Actor::system(System::Worker)), message_id).await?;
    let actor = Actor::client(client_id);
    let tx = app.scope(&actor).transaction().await?;
    let name = Some((provider, Some(update.provider_message_id.as_str())));
    let (status, error) = match &update.status {
        DeliveryStatus::Sent => (Status::Sent, None),
        DeliveryStatus::Delivered => (Status::Delivered, None),
        DeliveryStatus::Failed { code, message } => (Status::Failed, Some((code.as_str(), message.as_str()))),
    };
    let now = change(&tx, message_id, &Change { status, word: &update.word, error, name }).await?;
    tx.commit().await?;
    now.ok_or(Error::NotFound)
}

/// Moves a message on if that is forward, and keeps what happened either way; answers how far it is now.
pub(crate) async fn change(tx: &Transaction, message_id: Uuid, change: &Change<'_>) -> Result<Option<Status>> {
    let Some(message) = store::lock(tx, message_id).await? else { return Ok(None) };
    let current = Status::parse(&message.status).ok_or_else(|| Error::internal("a message with an unknown status"))?;
    let sid = change.name.and_then(|(_, sid)| sid);
    let error_code = change.error.map(|(code, _)| code);
    let what = Happened { status: change.word, error_code, payload: json!({ "id": sid }) };
    store::note_event(tx, message.client_id, message_id, &what).await?;
    if let (Status::Failed, Some(error)) = (change.status, change.error) {
        suppress(tx, &message, error).await?;
    }
    // A failure of an earlier try says nothing of the one that is under way.
    let outdated = change.status == Status::Failed
        && sid.is_some_and(|sid| message.provider_message_id.as_deref().is_some_and(|known| known != sid));
    if let (Some(name), None) = (change.name, &message.provider_message_id) {
        store::name(tx, message.client_id, message_id, name).await?;
    }
    if outdated || !current.may_become(change.status) {
        return Ok(Some(current));
    }
    store::advance(tx, message.client_id, message_id, change.status, change.error).await?;
    tell(tx, message_id, &message, change).await?;
    Ok(Some(change.status))
}

/// Whoever said stop, and whoever is not there, is not written to again.
async fn suppress(tx: &Transaction, message: &Tracked, (code, text): (&str, &str)) -> Result<()> {
    let Some(channel) = Channel::parse(&message.channel) else { return Ok(()) };
    match consent::signal(channel, code, text) {
        Some(reason) => consent::suppress(tx, message.client_id, (channel, &message.to_address), reason).await,
        None => Ok(()),
    }
}

/// The event for everybody, and the job for the room that owns the card.
async fn tell(tx: &Transaction, message_id: Uuid, message: &Tracked, change: &Change<'_>) -> Result<()> {
    if let (Some(event_type), Some(campaign_id)) = (event_type(&message.channel, change.status), message.campaign_id) {
        let event = NewEvent {
            client_id: message.client_id,
            campaign_id: Some(campaign_id),
            recipient_id: message.recipient_id,
            event_type,
            event_data: json!({ "message_id": message_id }),
            ip: None,
            user_agent: None,
            referrer: None,
            at: None,
        };
        events::record(tx, &event).await?;
    }
    if let Some(card_id) = message.gift_card_id {
        match change.status {
            Status::Sent if change.word == PERHAPS_SENT => tries::doubt(tx, message.client_id, card_id).await?,
            Status::Sent | Status::Delivered => tries::no_doubt(tx, message.client_id, card_id).await?,
            Status::Held | Status::Pending | Status::Failed => {}
        }
        enqueue_moved(tx, message.client_id, message_id, change.status).await?;
    }
    Ok(())
}

/// Tells `rewards` how far a message is. The status is part of the key: no news is lost while older news is being taken in.
pub(crate) async fn enqueue_moved(tx: &Transaction, client_id: Uuid, message_id: Uuid, status: Status) -> Result<()> {
    let unique = format!("{MOVED_JOB}:{message_id}:{}", status.as_str());
    let job = NewJob::new(MOVED_JOB, json!({ "message_id": message_id })).client(client_id).unique(unique);
    jobs::enqueue(tx, &job).await.map(|_| ())
}

fn event_type(channel: &str, status: Status) -> Option<EventType> {
    match (Channel::parse(channel)?, status) {
        (Channel::Sms, Status::Sent) => Some(EventType::SmsSent),
        (Channel::Sms, Status::Delivered) => Some(EventType::SmsDelivered),
        (Channel::Email, Status::Sent) => Some(EventType::EmailSent),
        _ => None,
    }
}
