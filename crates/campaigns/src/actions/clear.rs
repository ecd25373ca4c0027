//! Deleting the recipients of a campaign that went back to draft, in chunks: each one looks through everything that may
//! refer to a recipient, every month of events among it, so that a large campaign takes minutes.
//!
//! A campaign half cleared is safe: as a draft it serves no link and meets no condition, nothing is promised to it, and a
//! launch deletes what is left before it makes the new recipients.

use database::Transaction;
use jobs::NewJob;
use kernel::{Actor, Result, System};
use serde_json::json;
use uuid::Uuid;
use web::App;

use crate::store::{launches, life, recipients};

/// The job that deletes what a draft has left of its recipients.
pub const JOB: &str = "campaigns.clear";

/// Recipients deleted by one statement: about half a second.
const CHUNK: i64 = 2_000;

/// Enqueues [`JOB`], once however often it is asked for.
///
/// # Errors
/// What the database answered.
pub async fn enqueue(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<()> {
    jobs::enqueue(tx, &job(client_id, id)).await.map(|_| ())
}

fn job(client_id: Uuid, id: Uuid) -> NewJob {
    NewJob::new(JOB, json!({ "campaign_id": id })).client(client_id).unique(format!("{JOB}:{id}"))
}

/// Does the work of [`JOB`], a transaction for each chunk; stops when the campaign is no draft any more.
///
/// # Errors
/// What the database answered; what was deleted by then stays deleted.
pub async fn run(app: &App, client_id: Uuid, id: Uuid) -> Result<()> {
    let actor = Actor::client(client_id);
    loop {
        let tx = app.scope(&actor).transaction().await?;
        if life::lock_any(&tx, client_id, id).await? != "draft" {
            return Ok(());
        }
        let more = chunk(&tx, client_id, id).await?;
        tx.commit().await?;
        if !more {
            return Ok(());
        }
    }
}

/// Deletes everything that is left, inside the transaction of a launch.
///
/// # Errors
/// What the database answered.
pub async fn rest(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<()> {
    while chunk(tx, client_id, id).await? {}
    Ok(())
}

async fn chunk(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<bool> {
    let skips = recipients::delete_skips(tx, client_id, id, CHUNK).await?;
    let deleted = recipients::delete(tx, client_id, id, CHUNK).await?;
    Ok(skips + deleted > 0)
}

/// Finds what died on the way: a launch without a job is over and says so, a draft with recipients is cleared.
///
/// # Errors
/// What the database answered.
pub async fn sweep(app: &App) -> Result<()> {
    let actor = Actor::system(System::Worker);
    let tx = app.scope(&actor).transaction().await?;
    launches::fail_abandoned(&tx).await?;
    let left = recipients::left_in_drafts(&tx).await?;
    let due: Vec<NewJob> = left.iter().map(|left| job(left.client_id, left.campaign_id)).collect();
    jobs::enqueue_many(&tx, &due).await?;
    tx.commit().await
}
