//! What must not get stuck: messages without a job, and the sandbox's callbacks.

use jobs::NewJob;
use kernel::{Actor, Result, System};
use providers::sandbox::Callback;
use providers::{Drivers, StatusUpdate};
use uuid::Uuid;
use web::App;

use super::send::job;
use super::status::take_callback;
use crate::store::messages;

/// Gives every waiting message without a job a job again: after its job died, or its row came by other means.
///
/// # Errors
/// What the database answered.
pub async fn requeue_stranded(app: &App) -> Result<usize> {
    let actor = Actor::system(System::Worker);
    let stranded = messages::stranded(&app.scope(&actor)).await?;
    let due: Vec<NewJob> = stranded.iter().map(|message| job(message.client_id, message.id)).collect();
    let tx = app.scope(&actor).transaction().await?;
    jobs::enqueue_many(&tx, &due).await?;
    tx.commit().await?;
    Ok(stranded.len())
}

/// Takes in the sandbox's due callbacks. They are signed and checked as those that come over HTTP, but need no server
/// that can reach itself: the demo has none, and a worker of its own may not know where the web half listens.
///
/// # Errors
/// What the database answered.
pub async fn settle_sandbox(app: &App, drivers: &Drivers) -> Result<usize> {
    let now = app.clock.now();
    let callbacks = drivers.sandbox.due(now).await?;
    for callback in &callbacks {
        let acknowledged = acknowledge(app, drivers, callback).await.is_ok();
        drivers.sandbox.settle(callback, acknowledged, now).await?;
    }
    Ok(callbacks.len())
}

async fn acknowledge(app: &App, drivers: &Drivers, callback: &Callback) -> Result<()> {
    let signer = drivers.webhooks.signer_of_form(&callback.url, &callback.form, &callback.signature);
    let signer = signer.ok_or_else(|| kernel::Error::forbidden("a valid signature"))?;
    let id = callback.url.rsplit('/').next().and_then(|text| Uuid::parse_str(text).ok());
    let id = id.ok_or(kernel::Error::NotFound)?;
    match StatusUpdate::from_form(&callback.form)? {
        Some(update) => take_callback(app, signer, id, &update).await.map(|_| ()),
        None => Ok(()),
    }
}
