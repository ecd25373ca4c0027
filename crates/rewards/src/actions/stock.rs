//! Keeping the shelves: those who wait get their cards, low pools are told of, old cards go.

use database::Transaction;
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

/// How many days before their last one people are told of cards.
const SOON: i32 = 30;

/// The [`FULFIL_JOB`] of a pool, once however often it is asked for. Whoever adds cards, credits or room for more
/// claims enqueues it.
pub fn fulfil_job(client_id: Uuid, pool_id: Uuid) -> NewJob {
    NewJob::new(FULFIL_JOB, json!({ "pool_id": pool_id })).client(client_id).unique(format!("{FULFIL_JOB}:{pool_id}"))
}

/// Enqueues [`FULFIL_JOB`] for these pools, in one order everywhere. The keys of jobs are the last thing a transaction
/// takes: who waits for one holds nothing that its owner still wants.
///
/// # Errors
/// What the database answered.
pub async fn fulfil_soon_at(tx: &Transaction, client_id: Uuid, pools: impl IntoIterator<Item = Uuid>) -> Result<()> {
    let mut pools: Vec<Uuid> = pools.into_iter().collect();
    pools.sort_unstable();
    pools.dedup();
    if pools.is_empty() {
        return Ok(());
    }
    let due: Vec<_> = pools.into_iter().map(|pool| fulfil_job(client_id, pool)).collect();
    jobs::enqueue_many(tx, &due).await.map(|_| ())
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
    let mut after = Uuid::nil();
    loop {
        let tx = app.scope(&actor).transaction().await?;
        let waiting = deliveries::waiting(&tx, after).await?;
        let Some(last) = waiting.last() else { return Ok(()) };
        after = last.pool_id;
        let due: Vec<_> = waiting.iter().map(|pool| fulfil_job(pool.client_id, pool.pool_id)).collect();
        jobs::enqueue_many(&tx, &due).await?;
        tx.commit().await?;
    }
}

/// Enqueues [`FULFIL_JOB`] for every pool of a client where somebody waits: credits have come.
pub(crate) async fn fulfil_soon(tx: &Transaction, client_id: Uuid) -> Result<()> {
    let waiting = deliveries::waiting_of(tx, client_id).await?;
    fulfil_soon_at(tx, client_id, waiting.iter().map(|pool| pool.pool_id)).await
}

/// Raises an alert for every pool with at most a fifth, and anew at a tenth and at none, and for every pool that is short of
/// what campaigns were promised; settles those of pools that recovered. An alert names no number that goes on moving: it
/// would stand beside the present one.
///
/// # Errors
/// What the database answered.
pub async fn watch(app: &App) -> Result<()> {
    let actor = Actor::system(System::Worker);
    let tx = app.scope(&actor).transaction().await?;
    for pool in alerts::watch_stock(&tx).await? {
        let text = match pool.percent {
            0 => format!("{} has no card left.", pool.pool_name),
            percent => format!("{} is running low: {percent} % of its cards are left, or less.", pool.pool_name),
        };
        let data = json!({ "percent": pool.percent, "available_cards": pool.available_cards });
        alerts::raise(&tx, pool.client_id, ("pool_low", pool.id), &text, &data).await?;
    }
    for pool in alerts::watch_promises(&tx).await? {
        tell_of_short(&tx, (pool.client_id, pool.id), &pool.pool_name, pool.cards).await?;
    }
    tx.commit().await
}

/// Tells that campaigns were promised cards which expired or were retired.
pub(crate) async fn tell_of_short(
    tx: &Transaction,
    (client_id, pool_id): (Uuid, Uuid),
    pool_name: &str,
    cards: i64,
) -> Result<()> {
    let text = format!(
        "{pool_name}: cards that campaigns were promised expired or were revoked. {} missing when this was told: upload \
         as many, or people will wait.",
        if cards == 1 { "1 card was".to_owned() } else { format!("{} were", web::view::count(cards, "card")) }
    );
    alerts::raise(tx, client_id, ("promise_cut", pool_id), &text, &json!({ "cards": cards })).await
}

/// Raises an alert for every pool with cards that expire within thirty days of the client's, and anew when the next ones come close.
///
/// # Errors
/// What the database answered.
pub async fn watch_expiring(app: &App) -> Result<()> {
    let actor = Actor::system(System::Worker);
    let tx = app.scope(&actor).transaction().await?;
    for pool in alerts::watch_expiring(&tx, SOON).await? {
        let day = pool.first_day.format("%b %-d, %Y");
        let text = format!("{}: cards in stock expire within {SOON} days, the first on {day}.", pool.pool_name);
        let about = ("cards_expiring", pool.id);
        let data = json!({ "first_day": pool.first_day, "cards": pool.cards });
        alerts::raise(&tx, pool.client_id, about, &text, &data).await?;
    }
    tx.commit().await
}

/// Takes cards off the shelf whose last day is over, of every pool: one that fails does not keep the others.
///
/// # Errors
/// What the database answered for the last pool that failed.
pub async fn expire(app: &App) -> Result<()> {
    let actor = Actor::system(System::Worker);
    let now = app.clock.now();
    let (mut after, mut outcome) = (Uuid::nil(), Ok(()));
    loop {
        let overdue = pools::overdue(&app.scope(&actor), now, after).await?;
        let Some(last) = overdue.last() else { return outcome };
        after = last.id;
        for pool in overdue {
            // cards that no client has yet are the operator's
            let owner = Actor::system(pool.client_id.map_or(System::Operator, System::Client));
            if let Err(error) = expire_pool(app, &owner, pool.id).await {
                tracing::warn!(pool = %pool.id, %error, "cards whose last day is over stay on the shelf");
                outcome = Err(error);
            }
        }
    }
}

async fn expire_pool(app: &App, actor: &Actor, pool_id: Uuid) -> Result<()> {
    let tx = app.scope(actor).transaction().await?;
    pools::lock(&tx, pool_id).await?;
    pools::sweep(&tx, pool_id).await?;
    tx.commit().await
}
