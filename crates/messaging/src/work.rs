//! Background work of this room. Every handler may run twice.

use std::time::Duration;

use accounts::mail::SYSTEM_MAIL;
use jobs::{Job, JobError, Policy, Registry};
use providers::Drivers;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;
use web::App;

use crate::actions::deliver::{Tried, deliver};
use crate::actions::send::SEND_JOB;
use crate::actions::{sweep, system_mail};
use crate::message::MOST_ATTEMPTS;

/// The delays of behaviour.md, section 4, but more tries than a message has: a job may also fail because the database
/// was away. A mail server may take ten minutes to say whether it took a mail; other work does not wait for that.
const POLICY: Policy =
    Policy { max_attempts: 5 * MOST_ATTEMPTS, lends_slot_after: Some(Duration::from_secs(5)), ..Policy::GROWING };

#[derive(Deserialize)]
struct MessagePayload {
    message_id: Uuid,
}

/// Registers the handlers.
pub fn jobs(registry: Registry, app: &App, drivers: &Drivers) -> Registry {
    let registry = sending(registry, app, drivers);
    recurring(registry, app, drivers)
}

fn sending(registry: Registry, app: &App, drivers: &Drivers) -> Registry {
    let (send_app, send_drivers) = (app.clone(), drivers.clone());
    let (mail_app, mail_drivers) = (app.clone(), drivers.clone());
    registry
        .on_with(SEND_JOB, POLICY, move |job: Job| {
            let (app, drivers) = (send_app.clone(), send_drivers.clone());
            async move {
                let payload: MessagePayload = job.payload()?;
                settle(deliver(&app, &drivers, job.client_id()?, payload.message_id).await?)
            }
        })
        .on_with(SYSTEM_MAIL, POLICY, move |job: Job| {
            let (app, drivers) = (mail_app.clone(), mail_drivers.clone());
            async move {
                let payload: Value = job.payload()?;
                settle(system_mail::deliver(&app, &drivers, job.id, &payload).await?)
            }
        })
}

fn settle(tried: Tried) -> Result<(), JobError> {
    match tried {
        Tried::Done => Ok(()),
        Tried::Again { why, after: None } => Err(JobError::retry(why)),
        Tried::Again { why, after: Some(delay) } => Err(JobError::retry(why).after(delay)),
    }
}

fn recurring(registry: Registry, app: &App, drivers: &Drivers) -> Registry {
    let (sweep_app, sandbox_app, drivers) = (app.clone(), app.clone(), drivers.clone());
    registry
        .every("messages.sweep", Duration::from_secs(300), move || {
            let app = sweep_app.clone();
            async move { Ok(sweep::requeue_stranded(&app).await.map(|_| ())?) }
        })
        .every("messages.sandbox", Duration::from_secs(1), move || {
            let (app, drivers) = (sandbox_app.clone(), drivers.clone());
            async move { Ok(sweep::settle_sandbox(&app, &drivers).await.map(|_| ())?) }
        })
}
