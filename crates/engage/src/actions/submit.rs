//! A form is submitted: stored once, the contact found or made, the conditions met, and what that earned shown.
//!
//! The form names the client; from there on everything runs as work for exactly that client, so that row-level
//! security holds a stranger's submission to it.

use campaigns::meet::{Met, Trigger, meet};
use chrono::{DateTime, Utc};
use content::forms::FormConfig;
use database::Transaction;
use events::{EventType, NewEvent};
use jobs::NewJob;
use kernel::{Actor, Error, Origin, Result, new_id};
use messaging::Channel;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use web::App;

use super::answers::Who;
use super::reveal::{self, Shown};
use crate::masked;
use crate::person::Person;
use crate::store::contacts::Matched;
use crate::store::submissions::{self, NewSubmission};
use crate::store::{contacts, forms, rewards as earned};

/// A submission, checked.
#[derive(Debug)]
pub struct Input<'a> {
    /// The form's client.
    pub client_id: Uuid,
    /// The form.
    pub form_id: Uuid,
    /// What it is made of.
    pub config: &'a FormConfig,
    /// The answers as they are stored.
    pub answers: Map<String, Value>,
    /// The recipient, when it is one.
    pub person: Option<&'a Person>,
    /// Made with the page: the same page is one submission.
    pub token: Uuid,
    /// The way a reward should go, when the person chose.
    pub channel: Option<Channel>,
    /// The page that led to the form.
    pub referrer: Option<String>,
}

/// What the answer says.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Stored; nothing was to be earned.
    Thanks,
    /// Stored; this was earned.
    Rewards(Vec<Shown>),
    /// Stored; what forms can earn was earned before, and sent to this address (masked).
    SentBefore(Option<String>),
    /// Not stored: the redemption code was used before.
    SpentCode,
}

/// Stores a submission and hands out what it earns, once however often the same page is sent: which is why what
/// failed in passing (a deadlock, a lost connection) is tried once more before the person is told.
///
/// # Errors
/// What the database answered; nothing was stored then.
pub async fn submit(app: &App, origin: &Origin, input: &Input<'_>) -> Result<Outcome> {
    match submit_once(app, origin, input).await {
        Err(Error::Unavailable(_)) => submit_once(app, origin, input).await,
        other => other,
    }
}

async fn submit_once(app: &App, origin: &Origin, input: &Input<'_>) -> Result<Outcome> {
    let actor = Actor::client(input.client_id).from(origin.clone());
    // who may earn something waits for the turn before taking a connection
    let turn = match input.person {
        Some(_) => Some(rewards::line::turn(app, input.client_id).await?),
        None => None,
    };
    let tx = app.scope(&actor).transaction().await?;
    let who = Who::read(input.config, &input.answers);
    let id = new_id();
    if !store(&tx, input, id, &who).await? {
        return repeat(app, tx, input).await;
    }
    let matched = contact(&tx, input, &who).await?;
    submissions::complete(&tx, (input.client_id, id), matched.contact_id, matched.unconfirmed.as_ref()).await?;
    record(&tx, input, id).await?;
    forms::add_submission(&tx, input.client_id, input.form_id).await?;
    let Some(person) = input.person else {
        tx.commit().await?;
        return Ok(Outcome::Thanks);
    };
    // The claim comes last: others wait for the pool until this transaction ends.
    let outcome = earn(app, &tx, input, (person, &who)).await?;
    if outcome == Some(Outcome::SpentCode) {
        return Ok(Outcome::SpentCode);
    }
    contacts::confirm(&tx, input.client_id, &matched).await?;
    wake(&tx, input, person).await?;
    let at = tx.now();
    tx.commit().await?;
    drop(turn);
    match outcome {
        Some(outcome) => Ok(outcome),
        None => reveal(app, &actor, input, (id, person.recipient_id, at)).await,
    }
}

/// Opens what was earned, when nobody waits for it any more. Should this fail, the same page sent again shows it.
async fn reveal(
    app: &App,
    actor: &Actor,
    input: &Input<'_>,
    (id, recipient_id, at): (Uuid, Uuid, DateTime<Utc>),
) -> Result<Outcome> {
    let tx = app.scope(actor).transaction().await?;
    let (_, shown, card_id) = reveal::shown(&tx, &app.keyring, (input.client_id, recipient_id), at).await?;
    submissions::name_card(&tx, input.client_id, id, card_id).await?;
    tx.commit().await?;
    Ok(if shown.is_empty() { Outcome::Thanks } else { Outcome::Rewards(shown) })
}

async fn store(tx: &Transaction, input: &Input<'_>, id: Uuid, who: &Who) -> Result<bool> {
    let data = Value::Object(input.answers.clone());
    let new = NewSubmission {
        id,
        client_id: input.client_id,
        form_id: input.form_id,
        person: input.person.map(|person| (person.campaign_id, person.recipient_id)),
        data: &data,
        token: input.token,
        code: who.code.as_deref(),
    };
    submissions::insert(tx, &new).await
}

/// The contact, and what was said of them that nobody has confirmed.
async fn contact(tx: &Transaction, input: &Input<'_>, who: &Who) -> Result<Matched> {
    let own = input.person.and_then(|person| person.contact_id);
    let matched = contacts::match_or_create(tx, input.client_id, own, who).await?;
    // Nobody agrees in the name of somebody else who is known.
    if let Some(contact_id) = matched.contact_id.filter(|_| matched.speaks_for_itself) {
        contacts::record_consents(tx, input.client_id, contact_id, who).await?;
    }
    Ok(matched)
}

/// The event of it.
async fn record(tx: &Transaction, input: &Input<'_>, id: Uuid) -> Result<()> {
    let origin = &tx.actor().origin;
    let event = NewEvent {
        client_id: input.client_id,
        campaign_id: input.person.map(|person| person.campaign_id),
        recipient_id: input.person.map(|person| person.recipient_id),
        event_type: EventType::FormSubmit,
        event_data: json!({ "form_id": input.form_id, "submission_id": id }),
        ip: origin.ip,
        user_agent: origin.user_agent.clone(),
        referrer: input.referrer.clone(),
        at: None,
    };
    events::record(tx, &event).await
}

/// A campaign that was only mailed so far is woken by it. The key of the job comes behind every other lock.
async fn wake(tx: &Transaction, input: &Input<'_>, person: &Person) -> Result<()> {
    if person.status != "mailed" {
        return Ok(());
    }
    let word = EventType::FormSubmit.word();
    let payload = json!({ "campaign_id": person.campaign_id, "recipient_id": person.recipient_id, "event_type": word });
    let key = format!("{}:{}:{word}", campaigns::ENGAGED_JOB, person.campaign_id);
    jobs::enqueue(tx, &NewJob::new(campaigns::ENGAGED_JOB, payload).client(input.client_id).unique(key)).await?;
    Ok(())
}

/// Meets the form's conditions; the outcome when nothing new was earned.
async fn earn(
    app: &App,
    tx: &Transaction,
    input: &Input<'_>,
    (person, who): (&Person, &Who),
) -> Result<Option<Outcome>> {
    let met = Met {
        client_id: input.client_id,
        campaign_id: person.campaign_id,
        recipient_id: person.recipient_id,
        trigger: Trigger::FormSubmit { form_id: input.form_id },
        channel: input.channel,
        phone: who.phone.clone(),
        email: who.email.clone(),
        notes: None,
        most_per_address: app.settings.limits.rewards_per_address_per_day,
    };
    let conditions = meet(tx, &met).await?;
    let earlier = |outcome| matches!(outcome, rewards::Outcome::AlreadyMet | rewards::Outcome::NoCondition);
    if conditions.is_empty() {
        return Ok(Some(Outcome::Thanks));
    }
    if conditions.iter().all(|condition| earlier(condition.claimed.outcome)) {
        return before(app, tx, (input.client_id, person.recipient_id), who).await.map(Some);
    }
    Ok(None)
}

/// Everything this form can earn was earned before. Who gives the address of the first time sees the card again; who
/// shows a code with another one is told no more than for a wrong code.
async fn before(app: &App, tx: &Transaction, ids: (Uuid, Uuid), who: &Who) -> Result<Outcome> {
    let given: Vec<&str> = who.email.iter().chain(&who.phone).map(String::as_str).collect();
    if let Some(shown) = reveal::proven_in(tx, &app.keyring, ids, &given).await? {
        return Ok(Outcome::Rewards(shown));
    }
    if who.code.is_some() {
        return Ok(Outcome::SpentCode);
    }
    Ok(match earned::sent_to(tx, ids.0, ids.1).await? {
        Some(address) => Outcome::SentBefore(address.as_deref().map(masked::address)),
        None => Outcome::Thanks,
    })
}

/// The same page again: the same answer again, from what the first time earned. A card that was retired since is not
/// spoken of, and of one that was issued instead no more than that it was sent.
async fn repeat(app: &App, tx: Transaction, input: &Input<'_>) -> Result<Outcome> {
    let row = match submissions::by_token(&tx, input.client_id, input.form_id, input.token).await {
        // A page of another client with our token: nobody's business.
        Err(Error::NotFound) => return Ok(Outcome::Thanks),
        other => other?,
    };
    let person = input.person.filter(|person| row.recipient_id == Some(person.recipient_id));
    let Some(person) = person else { return Ok(Outcome::Thanks) };
    let ids = (input.client_id, person.recipient_id);
    let (_, shown, _) = reveal::shown(&tx, &app.keyring, ids, row.submitted_at).await?;
    let replaced = earned::replaced(&tx, ids.0, ids.1, row.submitted_at).await?;
    tx.commit().await?;
    Ok(match replaced {
        _ if !shown.is_empty() => Outcome::Rewards(shown),
        Some(address) => Outcome::SentBefore(address.as_deref().map(masked::address)),
        None => Outcome::Thanks,
    })
}
