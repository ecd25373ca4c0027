//! SQL of the queue.

use chrono::{DateTime, Duration, Utc};
use database::{Database, Filter, FromRow, Scope};
use kernel::{Actor, Result, System};
use uuid::Uuid;

use crate::job::Job;

/// A job as the queue's page shows it.
#[derive(Debug, Clone, FromRow)]
pub struct JobRow {
    /// Its id.
    pub id: Uuid,
    /// What kind of work.
    pub kind: String,
    /// `ready`, `running`, `done` or `dead`.
    pub state: String,
    /// Tries so far.
    pub attempts: i32,
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
#[derive(Debug, Clone, FromRow)]
pub struct Counts {
    /// Waiting, also for their time.
    pub ready: i64,
    /// Under way.
    pub running: i64,
    /// Given up.
    pub dead: i64,
}

database::statement! {
    /// Claims what is due, lower priority numbers and earlier ones first, no more than $6 of one client at a time so
    /// that a large campaign does not hold up the others.
    CLAIM, system, "
        with due as (
            select id, client_id, priority, run_at
            from jobs
            where state = 'ready'
              and run_at <= $1
              and kind = any ($2::text[])
            order by priority, run_at, id
            limit $3
            for update skip locked),
        fair as (
            select id
            from (
                select id, row_number() over (partition by client_id order by priority, run_at, id) as n
                from due) as ranked
            where n <= $6 or (select count(distinct client_id) from due) <= 1)
        update jobs j
        set state = 'running', attempts = j.attempts + 1, leased_until = $4, leased_by = $5
        from fair
        where j.id = fair.id
        returning j.id, j.kind, j.payload, j.client_id, j.attempts";
    /// Keeps the leases of what is under way.
    RENEW, system, "
        update jobs
        set leased_until = $2
        where id = any ($1::uuid[])
          and state = 'running'
          and leased_by = $3";
    /// Done.
    FINISH, system, "
        update jobs
        set state = 'done', leased_until = null, leased_by = null, last_error = null, finished_at = $2
        where id = $1
          and state = 'running'
          and leased_by = $3";
    /// Failed: to be tried again at $3.
    AGAIN, system, "
        update jobs
        set state = 'ready', leased_until = null, leased_by = null, last_error = $4, run_at = $3
        where id = $1
          and state = 'running'
          and leased_by = $2";
    /// Failed for good.
    BURY, system, "
        update jobs
        set state = 'dead', leased_until = null, leased_by = null, last_error = $4, finished_at = $3
        where id = $1
          and state = 'running'
          and leased_by = $2";
    /// Takes work back from workers that are lost.
    RECOVER, system, "
        update jobs
        set state = 'ready', leased_until = null, leased_by = null, last_error = 'the worker was lost'
        where state = 'running'
          and leased_until < $1";
    /// Sweeps what was done long ago.
    SWEEP, system, "
        delete from jobs
        where state = 'done'
          and finished_at < $1";
    /// Moves a tick forward; no row when it is not due yet, or another worker was faster.
    TICK, system, "
        insert into cron_ticks as t (name, last_run_at)
        values ($1, $2)
        on conflict (name) do update
        set last_run_at = excluded.last_run_at
        where t.last_run_at <= $3";
    /// Gives a dead letter another round of tries.
    RETRY, app, "
        update jobs
        set state = 'ready', attempts = 0, run_at = $2, finished_at = null
        where id = $1
          and state = 'dead'";
    /// How many are in which state.
    COUNTS, app, "
        select
            count(*) filter (where state = 'ready') as ready,
            count(*) filter (where state = 'running') as running,
            count(*) filter (where state = 'dead') as dead
        from jobs
        where state <> 'done'"
}

/// Jobs of one client under way at once in one batch, while others wait.
const SHARE: i64 = 20;

/// What one worker asks the queue with.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub db: Database,
    pub worker: String,
}

impl Queue {
    fn actor() -> Actor {
        Actor::system(System::Worker)
    }

    pub async fn claim(&self, kinds: &[String], limit: i64, now: DateTime<Utc>, lease: Duration) -> Result<Vec<Job>> {
        let params: database::Params<'_> = &[&now, &kinds, &limit, &(now + lease), &self.worker, &SHARE];
        self.db.scope(&Self::actor()).query(&CLAIM, params).await
    }

    pub async fn renew(&self, ids: &[Uuid], until: DateTime<Utc>) -> Result<()> {
        self.db.scope(&Self::actor()).execute(&RENEW, &[&ids, &until, &self.worker]).await.map(|_| ())
    }

    pub async fn finish(&self, id: Uuid, now: DateTime<Utc>) -> Result<()> {
        self.db.scope(&Self::actor()).execute(&FINISH, &[&id, &now, &self.worker]).await.map(|_| ())
    }

    pub async fn again(&self, id: Uuid, at: DateTime<Utc>, why: &str) -> Result<()> {
        self.db.scope(&Self::actor()).execute(&AGAIN, &[&id, &self.worker, &at, &why]).await.map(|_| ())
    }

    pub async fn bury(&self, id: Uuid, now: DateTime<Utc>, why: &str) -> Result<()> {
        self.db.scope(&Self::actor()).execute(&BURY, &[&id, &self.worker, &now, &why]).await.map(|_| ())
    }

    pub async fn recover(&self, now: DateTime<Utc>) -> Result<u64> {
        self.db.scope(&Self::actor()).execute(&RECOVER, &[&now]).await
    }

    pub async fn sweep(&self, before: DateTime<Utc>) -> Result<u64> {
        self.db.scope(&Self::actor()).execute(&SWEEP, &[&before]).await
    }

    pub async fn tick(&self, name: &str, now: DateTime<Utc>, due_before: DateTime<Utc>) -> Result<bool> {
        Ok(self.db.scope(&Self::actor()).execute(&TICK, &[&name, &now, &due_before]).await? == 1)
    }
}

/// A page of the queue, newest first.
///
/// # Errors
/// What the database answered.
pub async fn list(
    scope: &Scope<'_>,
    state: Option<&String>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<JobRow>> {
    let (after_at, after_id) = after.unzip();
    let more = limit + 1;
    let mut filter = Filter::new(
        "jobs list",
        "select id, kind, state, attempts, run_at, last_error, created_at, finished_at from jobs where true",
    )
    .bind_some("and state =", state);
    if let (Some(at), Some(id)) = (&after_at, &after_id) {
        filter = filter.bind("and (created_at, id) < (", at).bind(",", id).push(")");
    }
    scope.query_filter(&filter.bind("order by created_at desc, id desc limit", &more)).await
}

/// How many jobs are in which state.
///
/// # Errors
/// What the database answered.
pub async fn counts(scope: &Scope<'_>) -> Result<Counts> {
    scope.query_one(&COUNTS, &[]).await
}

/// Gives a dead letter another round of tries; false when it is none.
///
/// # Errors
/// What the database answered.
pub async fn retry(scope: &Scope<'_>, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    scope.execute(&RETRY, &[&id, &now]).await.map(|rows| rows == 1)
}
