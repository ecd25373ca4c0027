//! The queue as people see it: lists, counts, and another round for dead letters.

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope, Transaction};
use kernel::page::{Page, PageParams};
use kernel::{Error, Result};
use uuid::Uuid;

/// A job as the queue's page shows it.
#[derive(Debug, Clone, FromRow, serde::Serialize)]
pub struct JobRow {
    /// Its id.
    pub id: Uuid,
    /// What kind of work.
    pub kind: String,
    /// Whose work it is.
    pub client_id: Option<Uuid>,
    /// `ready`, `running`, `done` or `dead`.
    pub state: String,
    /// Lower runs first.
    pub priority: i32,
    /// Tries so far.
    pub attempts: i32,
    /// Tries in all.
    pub max_attempts: i32,
    /// Not before then.
    pub run_at: DateTime<Utc>,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// How many jobs are in which state.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct Counts {
    /// Waiting, also for their time.
    pub ready: i64,
    /// Under way.
    pub running: i64,
    /// Given up.
    pub dead: i64,
    /// When the oldest work that waits became due; by it one sees how far behind the workers are.
    pub oldest_ready: Option<DateTime<Utc>>,
}

database::statement! {
    /// How many are in which state.
    COUNTS, app, "
        select
            count(*) filter (where state = 'ready') as ready,
            count(*) filter (where state = 'running') as running,
            count(*) filter (where state = 'dead') as dead,
            min(run_at) filter (where state = 'ready') as oldest_ready
        from jobs
        where state in ('ready', 'running', 'dead')";
    /// Gives a dead letter another round of tries.
    RETRY, app, "
        update jobs
        set state = 'ready',
            attempts = 0,
            run_at = coalesce($2::timestamptz, now()),
            finished_at = null
        where id = $1
          and state = 'dead'"
}

/// A page of the queue, newest first; of one state when `state` says so.
///
/// # Errors
/// Names a wrong page parameter, or what the database answered.
pub async fn list(scope: &Scope<'_>, state: Option<&str>, page: &PageParams) -> Result<Page<JobRow>> {
    let limit = page.limit()?;
    let (state, more) = (state.map(ToOwned::to_owned), limit + 1);
    let (at, id) = page.after::<(DateTime<Utc>, Uuid)>()?.unzip();
    let mut filter = Filter::new(
        "jobs list",
        "select id, kind, client_id, state, priority, attempts, max_attempts, run_at, last_error, created_at, finished_at
         from jobs
         where true",
    )
    .bind_some("and state =", state.as_ref());
    if let (Some(at), Some(id)) = (&at, &id) {
        filter = filter.bind("and (created_at, id) < (", at).bind(",", id).push(")");
    }
    let rows = scope.query_filter(&filter.bind("order by created_at desc, id desc limit", &more)).await?;
    Ok(Page::from_rows(rows, limit, |row: &JobRow| (row.created_at, row.id)))
}

/// How many jobs are in which state.
///
/// # Errors
/// What the database answered.
pub async fn counts(scope: &Scope<'_>) -> Result<Counts> {
    scope.query_one(&COUNTS, &[]).await
}

/// Gives a dead letter another round of tries.
///
/// # Errors
/// `NotFound` when it is none, `Conflict` when the same work waits already.
pub async fn retry_dead(tx: &Transaction, id: Uuid) -> Result<()> {
    let retried = tx.execute(&RETRY, &[&id, &tx.told()]).await.map_err(|error| match error {
        Error::Constraint(name) if name == "jobs_unique_key" => {
            Error::conflict("already_waiting", "the same work is waiting already")
        }
        other => other,
    })?;
    if retried == 0 {
        return Err(Error::NotFound);
    }
    tx.hint(crate::enqueue::CHANNEL);
    Ok(())
}
