//! Mail of ACE to its own people: invitations, resets. It belongs to no client, and nobody can opt out of it.

use accounts::mail::SystemMail;
use kernel::{Actor, Result, System};
use providers::{Accepted, Drivers, OutgoingEmail, SendError};
use serde_json::Value;
use uuid::Uuid;
use web::App;

use super::deliver::{End, Tried, again, end};
use crate::compose;
use crate::message::{PERHAPS_SENT, Status};
use crate::store::system_messages::{self as store, NewSystemMessage, Try};

/// Tries to send the mail of a job. The job's id is the row's: a second run is the same mail.
///
/// # Errors
/// When the database fails, or the payload is none of ours.
pub async fn deliver(app: &App, drivers: &Drivers, job_id: Uuid, payload: &Value) -> Result<Tried> {
    let mail = SystemMail::from_payload(&app.keyring, payload)?;
    let Some(tried) = take(app, job_id, &mail).await? else { return Ok(Tried::Done) };
    let outgoing = OutgoingEmail {
        message_id: job_id,
        client_id: None,
        to: mail.to.clone(),
        from: app.settings.email.from.clone(),
        reply_to: None,
        subject: mail.subject.clone(),
        html: Some(compose::html(&mail.text)),
        text: mail.text.clone(),
        unsubscribe_url: None,
        status_callback_url: None,
    };
    match drivers.email.send(&outgoing).await {
        Ok(accepted) => sent(app, job_id, &accepted).await,
        Err(error) => failed(app, job_id, (drivers.email.name(), &tried), &error).await,
    }
}

/// Writes the row the first time and counts the try; `None` when it was sent or given up before.
async fn take(app: &App, id: Uuid, mail: &SystemMail) -> Result<Option<Try>> {
    let body_sealed = app.keyring.seal(&context(id), mail.text.as_bytes())?;
    let new = NewSystemMessage { id, to: &mail.to, subject: &mail.subject, body_sealed };
    let actor = Actor::system(System::Worker);
    let tx = app.scope(&actor).transaction().await?;
    store::insert(&tx, &new).await?;
    let tried = store::count_try(&tx, id).await?;
    tx.commit().await?;
    Ok(tried)
}

async fn sent(app: &App, id: Uuid, accepted: &Accepted) -> Result<Tried> {
    let actor = Actor::system(System::Worker);
    let tx = app.scope(&actor).transaction().await?;
    store::sent(&tx, id, accepted.provider, &accepted.provider_message_id).await?;
    tx.commit().await?;
    Ok(Tried::Done)
}

async fn failed(app: &App, id: Uuid, (provider, tried): (&str, &Try), error: &SendError) -> Result<Tried> {
    let (attempts, end) = (tried.attempts, end(tried.attempts, tried.doubtful, error));
    let (status, code) = match end {
        End::No => (Status::Pending, error.code()),
        End::PerhapsSent => (Status::Sent, PERHAPS_SENT),
        End::Failed => (Status::Failed, error.code()),
    };
    let actor = Actor::system(System::Worker);
    let tx = app.scope(&actor).transaction().await?;
    store::not_taken(&tx, id, (provider, status), (code, error.message())).await?;
    tracing::warn!(mail = %id, code = error.code(), attempts, ?end, "a mail to one of our own people was not taken");
    tx.commit().await?;
    if end == End::No { Ok(again(attempts, error)) } else { Ok(Tried::Done) }
}

fn context(id: Uuid) -> Vec<u8> {
    format!("system_messages/{id}").into_bytes()
}
