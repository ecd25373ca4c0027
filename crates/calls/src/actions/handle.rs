//! Handling a call: notes, the identity check, confirming a condition, and how it ended.

use campaigns::meet::{Met, MetCondition, Trigger, meet};
use campaigns::store::conditions;
use campaigns::store::recipients::{self, Recipient};
use chrono::{DateTime, Duration, Utc};
use database::{Audited, Transaction};
use events::{EventType, NewEvent, record};
use jobs::{NewJob, enqueue};
use kernel::version::Expected;
use kernel::{Actor, Error, Result};
use messaging::Channel;
use rewards::Outcome;
use serde_json::json;
use uuid::Uuid;
use web::App;

use super::lookup::is_live;
use crate::call::{SUPPRESSES, check, expect_identified, identity};
use crate::store::calls::{self as store, Begun, Said};

/// The longest a call can have been open at the desk before its first word was saved.
const LONGEST_CALL: i64 = 4;

/// What an agent says about a call.
#[derive(Debug, Clone, Default)]
pub struct CallInput {
    /// The call; the same id again is the same call, so that sending twice is no harm.
    pub id: Uuid,
    /// Who called.
    pub recipient_id: Uuid,
    /// From which number, if it is not the recipient's own.
    pub caller_phone: String,
    /// When the agent opened the recipient; now when absent.
    pub opened_at: Option<DateTime<Utc>>,
    /// What was written.
    pub notes: String,
    /// Which of `name`, `address` and `phone` the caller knew.
    pub identity_checked: Vec<String>,
    /// How it ended; empty while it goes on.
    pub disposition: String,
}

/// Where the card should go.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// `sms` or `email`; what the reward says when empty.
    pub channel: String,
    /// A phone the caller gave just now; the recipient's own when empty.
    pub phone: String,
    /// An e-mail address the caller gave just now; the recipient's own when empty.
    pub email: String,
}

/// What a confirmation came to.
#[derive(Debug, Clone)]
pub struct Confirmed {
    /// The condition.
    pub condition_number: i32,
    /// What people call it.
    pub condition_name: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// Writes a call down, or what is known of it by now. `do_not_call` also takes the contact off every list.
///
/// # Errors
/// `NotFound`, `Conflict` when it is not the expected version any more, or the wrong fields.
pub async fn save(app: &App, actor: &Actor, client_id: Uuid, input: &CallInput, expected: &Expected) -> Result<()> {
    let said = said(input)?;
    let scope = app.scope(actor);
    let recipient = recipients::find(&scope, client_id, input.recipient_id).await?;
    if said.disposition.as_deref() == Some(SUPPRESSES)
        && let Some(contact_id) = recipient.contact_id
    {
        // First, and on its own: should the rest fail, the person is left alone all the same.
        audience::actions::contacts::suppress(app, actor, (client_id, contact_id), true).await?;
    }
    let tx = scope.transaction().await?;
    if !expected.is_any() {
        let before = store::expect(&tx, client_id, input.id, expected).await?;
        let same = (&before.notes, &before.disposition) == (&said.notes, &said.disposition);
        if same && before.answered() == said.identity && before.recipient_id == Some(input.recipient_id) {
            return Ok(());
        }
    }
    write(&tx, &recipient, input, &said).await?;
    tx.commit().await
}

/// Confirms a `call` condition in the caller's name; the card goes out while they talk.
///
/// # Errors
/// `NotFound` when there is no such `call` condition, `Conflict` when the campaign is not running, or the wrong fields.
pub async fn confirm(
    app: &App,
    actor: &Actor,
    input: (Uuid, &CallInput),
    condition_number: i32,
    delivery: &Delivery,
) -> Result<Confirmed> {
    let (client_id, input) = input;
    let said = said(input)?;
    expect_identified(&said.identity)?;
    let scope = app.scope(actor);
    let recipient = recipients::find(&scope, client_id, input.recipient_id).await?;
    let campaign = campaigns::store::campaigns::find(&scope, client_id, recipient.campaign_id).await?;
    if !is_live(&campaign) {
        return Err(Error::conflict(
            "campaign_not_running",
            "conditions count only while the campaign is mailed or active",
        ));
    }
    let _turn = rewards::line::turn(app, client_id).await?;
    let tx = scope.transaction().await?;
    write(&tx, &recipient, input, &said).await?;
    let trigger = Trigger::Call {
        agent_id: actor.user_id(),
        session_id: Some(input.id),
        condition_number: Some(condition_number),
    };
    let most_per_address = app.settings.limits.rewards_per_address_per_day;
    let met = Met { most_per_address, ..met(&tx, &recipient, trigger, (&said, delivery)).await? };
    let done = meet(&tx, &met).await?.into_iter().next().ok_or(Error::NotFound)?;
    audit(&tx, &recipient, &done).await?;
    tx.commit().await?;
    Ok(Confirmed {
        condition_number: done.condition_number,
        condition_name: done.condition_name,
        outcome: done.claimed.outcome,
    })
}

fn said(input: &CallInput) -> Result<Said> {
    let (notes, disposition) = check(&input.notes, &input.disposition)?;
    Ok(Said { notes, identity: identity(&input.identity_checked)?, disposition })
}

/// The call's row, and with a new one the event that tells everybody else.
async fn write(tx: &Transaction, recipient: &Recipient, input: &CallInput, said: &Said) -> Result<()> {
    let earliest = tx.now() - Duration::hours(LONGEST_CALL);
    let begun = Begun {
        id: input.id,
        campaign_id: recipient.campaign_id,
        recipient_id: recipient.id,
        caller_phone: phone("caller_phone", &input.caller_phone)?.or_else(|| recipient.phone.clone()),
        started_at: input.opened_at.map_or(tx.now(), |at| at.clamp(earliest, tx.now())),
    };
    if store::insert(tx, recipient.client_id, &begun).await? {
        tell(tx, recipient, input.id).await?;
    }
    store::update(tx, recipient.client_id, input.id, recipient.id, said).await
}

async fn tell(tx: &Transaction, recipient: &Recipient, call_id: Uuid) -> Result<()> {
    let event = NewEvent {
        client_id: recipient.client_id,
        campaign_id: Some(recipient.campaign_id),
        recipient_id: Some(recipient.id),
        event_type: EventType::Call,
        event_data: json!({ "call_session_id": call_id }),
        ip: None,
        user_agent: None,
        referrer: None,
        at: None,
    };
    record(tx, &event).await?;
    let payload = json!({ "campaign_id": recipient.campaign_id, "recipient_id": recipient.id, "event_type": EventType::Call.word() });
    let job = NewJob::new(campaigns::ENGAGED_JOB, payload).client(recipient.client_id).unique(format!(
        "{}:{}:call",
        campaigns::ENGAGED_JOB,
        recipient.id
    ));
    enqueue(tx, &job).await.map(drop)
}

/// What the caller did, with the way their card should go; a reward needs an address.
async fn met(tx: &Transaction, recipient: &Recipient, trigger: Trigger, how: (&Said, &Delivery)) -> Result<Met> {
    let (said, delivery) = how;
    let channel = match delivery.channel.as_str() {
        "" => None,
        word => Some(Channel::parse(word).ok_or_else(|| Error::invalid("channel", "sms or email"))?),
    };
    let met = Met {
        client_id: recipient.client_id,
        campaign_id: recipient.campaign_id,
        recipient_id: recipient.id,
        trigger,
        phone: phone("phone", &delivery.phone)?,
        email: email(&delivery.email)?,
        channel,
        notes: said.notes.clone(),
        most_per_address: 0,
    };
    reachable(tx, recipient, &met).await?;
    Ok(met)
}

/// The agent is on the phone with the one person who knows the address: now is the time to ask for it.
async fn reachable(tx: &Transaction, recipient: &Recipient, met: &Met) -> Result<()> {
    let phone = met.phone.is_some() || recipient.phone.is_some();
    let email = met.email.is_some() || recipient.email.is_some();
    let wanted = match met.channel {
        Some(Channel::Sms) => phone,
        Some(Channel::Email) => email,
        None => phone || email,
    };
    let Trigger::Call { condition_number, .. } = met.trigger else { return Ok(()) };
    let all = conditions::list_in(tx, recipient.client_id, recipient.campaign_id).await?;
    let earns = all.iter().any(|c| Some(c.condition_number) == condition_number && c.gift_card_pool_id.is_some());
    if wanted || !earns {
        return Ok(());
    }
    let field = if met.channel == Some(Channel::Email) { "email" } else { "phone" };
    Err(Error::invalid(field, "ask the caller where the card should go"))
}

fn phone(field: &str, given: &str) -> Result<Option<String>> {
    if given.trim().is_empty() {
        return Ok(None);
    }
    let number = kernel::phone::normalise(given, kernel::phone::DEFAULT_REGION);
    number.map(Some).ok_or_else(|| Error::invalid(field, kernel::phone::WANTED))
}

fn email(given: &str) -> Result<Option<String>> {
    if given.trim().is_empty() {
        return Ok(None);
    }
    kernel::email::normalise(given).map(Some).ok_or_else(|| Error::invalid("email", kernel::email::WANTED))
}

async fn audit(tx: &Transaction, recipient: &Recipient, done: &MetCondition) -> Result<()> {
    let after = json!({ "recipient_id": recipient.id, "condition_number": done.condition_number });
    let what = Audited { client_id: Some(recipient.client_id), after: Some(after), ..Audited::default() };
    tx.audit("condition.confirmed", "call_conditions_met", done.claimed.condition_id, what).await
}
