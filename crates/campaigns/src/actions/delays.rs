//! The clock of a `time_delay` condition in the first place: there is none before it, so it starts when the campaign is
//! mailed, for everybody at once.

use chrono::Duration;
use database::Transaction;
use jobs::NewJob;
use kernel::{Actor, Result};
use serde_json::json;
use uuid::Uuid;
use web::App;

use crate::meet::TIME_DELAY_JOB;
use crate::store::{conditions, life, recipients};

/// The job that, when the hours have passed, leaves a job for each recipient.
pub const JOB: &str = "campaigns.first_delay";

/// Recipients served by one transaction.
const CHUNK: i64 = 2_000;

/// Starts the clock of a campaign that was mailed just now, if its first condition waits for one.
///
/// # Errors
/// What the database answered.
pub async fn start(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<()> {
    let all = conditions::list_in(tx, client_id, id).await?;
    let Some(first) = all.first().filter(|first| first.is_active && first.trigger_type == "time_delay") else {
        return Ok(());
    };
    let hours = i64::from(first.time_delay_hours.unwrap_or(0));
    let job = NewJob::new(JOB, json!({ "campaign_id": id }))
        .client(client_id)
        .unique(format!("{JOB}:{id}"))
        .run_at(tx.now() + Duration::hours(hours));
    jobs::enqueue(tx, &job).await.map(|_| ())
}

/// Does the work of [`JOB`], a transaction for each chunk; doing it twice changes nothing.
///
/// # Errors
/// What the database answered; who had their job by then keeps it.
pub async fn run(app: &App, client_id: Uuid, id: Uuid) -> Result<()> {
    let actor = Actor::client(client_id);
    let mut after = Uuid::nil();
    loop {
        let tx = app.scope(&actor).transaction().await?;
        if !["mailed", "active"].contains(&life::lock(&tx, client_id, id).await?.as_str()) {
            return Ok(());
        }
        let Some(last) = recipients::wake(&tx, (client_id, id), (TIME_DELAY_JOB, 1), (after, CHUNK)).await? else {
            return Ok(());
        };
        after = last;
        tx.commit().await?;
    }
}
