//! Keeping the shelves: those who wait get their cards, low pools are told of, old cards go.

use chrono::Duration;
use jobs::NewJob;
use kernel::{Actor, Result, System};
use serde_json::json;
use uuid::Uuid;
use web::App;

use crate::store::{alerts, deliveries, pools};

/// The job that gives cards to those who wait at a pool.
pub const FULFIL_JOB: &str = "rewards.fulfil";

/// Cards handed out in one transaction.
const MOST: usize = 200;

/// How long before their last day people are told of cards.
const SOON: Duration = Duration::days(30);

/// Enqueues [`FULFIL_JOB`], once however often it is asked for.
pub(crate) fn fulfil_job(client_id: Uuid, pool_id: Uuid) -> NewJob {
    NewJob::new(FULFIL_JOB, json!({ "pool_id": pool_id })).client(client_id).unique(format!("{FULFIL_JOB}:{pool_id}"))
}

/// Gives the pool's cards to those who wait, first met first; answers how many got one.
///
/// # Errors
/// What the database answered.
pub async fn fulfil(app: &App, client_id: Uuid, pool_id: Uuid) -> Result<usize> {
    let actor = Actor::client(client_id);
    let mut total = 0;
    loop {
        let tx = app.scope(&actor).transaction().await?;
        let done = deliveries::fulfil(&tx, client_id, pool_id, MOST).await?;
        tx.commit().await?;
        total += done;
        if done < MOST {
            return Ok(total);
        }
    }
}

/// Looks at every pool where somebody waits: credits may have come, or a job may have been lost.
///
/// # Errors
/// What the database answered.
pub async fn fulfil_everywhere(app: &App) -> Result<()> {
    let actor = Actor::system(System::Worker);
    let waiting = deliveries::waiting(&app.scope(&actor)).await?;
    let tx = app.scope(&actor).transaction().await?;
    for pool in waiting {
        jobs::enqueue(&tx, &fulfil_job(pool.client_id, pool.pool_id)).await?;
    }
    tx.commit().await
}

/// Raises an alert for every pool with at most a fifth, and anew at a tenth, and for every pool that is short of what
/// campaigns were promised; settles those of pools that recovered.
///
/// # Errors
/// What the database answered.
pub async fn watch(app: &App) -> Result<()> {
    let actor = Actor::system(System::Worker);
    let tx = app.scope(&actor).transaction().await?;
    for pool in alerts::watch_stock(&tx).await? {
        let left = match pool.available_cards {
            0 => "no card left".to_owned(),
            1 => "one card left".to_owned(),
            cards => format!("{cards} cards left"),
        };
        let text = format!("{} has {left}, {} % or less.", pool.pool_name, pool.percent);
        let data = json!({ "percent": pool.percent, "available_cards": pool.available_cards });
        alerts::raise(&tx, pool.client_id, ("pool_low", pool.id), &text, &data).await?;
    }
    for pool in alerts::watch_promises(&tx).await? {
        let text = format!(
            "Cards of {} expired that campaigns were promised, and {} are missing now: upload as many, or people will wait.",
            pool.pool_name, pool.cards
        );
        let about = ("promise_cut", pool.id);
        alerts::raise(&tx, pool.client_id, about, &text, &json!({ "cards": pool.cards })).await?;
    }
    tx.commit().await
}

/// Raises an alert for every pool with cards that expire within thirty days, and anew when the next ones come close.
///
/// # Errors
/// What the database answered.
pub async fn watch_expiring(app: &App) -> Result<()> {
    let actor = Actor::system(System::Worker);
    let tx = app.scope(&actor).transaction().await?;
    let today = tx.now().date_naive();
    for pool in alerts::watch_expiring(&tx, today, today + SOON).await? {
        let (day, cards) = (pool.first_day.format("%b %-d, %Y"), pool.cards);
        let text = format!(
            "{}: cards in stock expire within 30 days ({cards} at present), the first on {day}.",
            pool.pool_name
        );
        let about = ("cards_expiring", pool.id);
        let data = json!({ "first_day": pool.first_day, "cards": cards });
        alerts::raise(&tx, pool.client_id, about, &text, &data).await?;
    }
    tx.commit().await
}

/// Takes cards off the shelf whose last day is over everywhere on earth.
///
/// # Errors
/// What the database answered.
pub async fn expire(app: &App) -> Result<()> {
    let actor = Actor::system(System::Worker);
    let today = app.clock.now().date_naive();
    for pool in pools::overdue(&app.scope(&actor), today).await? {
        let tx = app.scope(&actor).transaction().await?;
        pools::lock(&tx, pool.id).await?;
        pools::expire(&tx, pool.id, today).await?;
        tx.commit().await?;
    }
    Ok(())
}
