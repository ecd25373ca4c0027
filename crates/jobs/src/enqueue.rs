//! Putting work into the queue, in the transaction of what made it necessary.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use database::Transaction;
use kernel::{Result, new_id};
use serde_json::Value;
use uuid::Uuid;

/// Workers listen here; a hint that work has come.
pub(crate) const CHANNEL: &str = "ace_jobs";

/// Work to be done later.
#[derive(Debug, Clone)]
pub struct NewJob {
    kind: Cow<'static, str>,
    payload: Value,
    client_id: Option<Uuid>,
    unique_key: Option<String>,
    priority: i32,
    run_at: Option<DateTime<Utc>>,
}

impl NewJob {
    /// Work of a kind, `noun.verb`; the payload holds ids, never secrets.
    pub fn new(kind: impl Into<Cow<'static, str>>, payload: Value) -> Self {
        Self { kind: kind.into(), payload, client_id: None, unique_key: None, priority: 0, run_at: None }
    }

    /// Whose work it is.
    #[must_use]
    pub fn client(mut self, client_id: Uuid) -> Self {
        self.client_id = Some(client_id);
        self
    }

    /// At most one waiting job has this key: a second one is silently not enqueued. One that is asked for while the same
    /// work is under way waits until that is over.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }

    /// Not before then.
    #[must_use]
    pub fn run_at(mut self, at: DateTime<Utc>) -> Self {
        self.run_at = Some(at);
        self
    }

    /// Lower runs first; 0 unless said.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }
}

database::statement! {
    /// Enqueues jobs; those whose key a waiting one has are left out.
    ENQUEUE, app | signin | worker, "
        insert into jobs (id, kind, payload, client_id, unique_key, priority, run_at, created_at)
        select id, kind, payload, client_id, unique_key, priority, coalesce(run_at, $8::timestamptz, now()),
            coalesce($8, now())
        from unnest($1::uuid[], $2::text[], $3::jsonb[], $4::uuid[], $5::text[], $6::int4[], $7::timestamptz[])
            as new (id, kind, payload, client_id, unique_key, priority, run_at)
        on conflict do nothing"
}

/// Enqueues in the caller's transaction: the work exists just when what made it necessary does. False when
/// the same work waits already.
///
/// # Errors
/// What the database answered.
pub async fn enqueue(tx: &Transaction, job: &NewJob) -> Result<bool> {
    Ok(enqueue_many(tx, std::slice::from_ref(job)).await? == 1)
}

/// Enqueues many by one statement; answers how many were new.
///
/// # Errors
/// What the database answered.
pub async fn enqueue_many(tx: &Transaction, jobs: &[NewJob]) -> Result<u64> {
    let ids: Vec<Uuid> = jobs.iter().map(|_| new_id()).collect();
    let kinds: Vec<&str> = jobs.iter().map(|job| job.kind.as_ref()).collect();
    let payloads: Vec<&Value> = jobs.iter().map(|job| &job.payload).collect();
    let clients: Vec<Option<Uuid>> = jobs.iter().map(|job| job.client_id).collect();
    let keys: Vec<Option<&str>> = jobs.iter().map(|job| job.unique_key.as_deref()).collect();
    let priorities: Vec<i32> = jobs.iter().map(|job| job.priority).collect();
    let times: Vec<Option<DateTime<Utc>>> = jobs.iter().map(|job| job.run_at).collect();
    let params: database::Params<'_> = &[&ids, &kinds, &payloads, &clients, &keys, &priorities, &times, &tx.told()];
    let enqueued = tx.execute(&ENQUEUE, params).await?;
    tx.hint(CHANNEL);
    Ok(enqueued)
}
