//! A piece of work: to be enqueued, and as its handler gets it.

use chrono::{DateTime, Utc};
use database::{FromRow, Transaction};
use kernel::{Error, Result, new_id};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

/// Work to be done later.
#[derive(Debug, Clone)]
pub struct NewJob {
    kind: &'static str,
    payload: Value,
    client_id: Option<Uuid>,
    unique_key: Option<String>,
    priority: i32,
    run_at: Option<DateTime<Utc>>,
}

impl NewJob {
    /// Work of a kind, `noun.verb`; the payload holds ids, never secrets.
    pub fn new(kind: &'static str, payload: Value) -> Self {
        Self { kind, payload, client_id: None, unique_key: None, priority: 0, run_at: None }
    }

    /// Whose work it is.
    #[must_use]
    pub fn client(mut self, client_id: Uuid) -> Self {
        self.client_id = Some(client_id);
        self
    }

    /// At most one unfinished job has this key; a second one is silently not enqueued.
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
    /// Enqueues one job; nothing happens when an unfinished one has its key.
    ENQUEUE, both, "
        insert into jobs (id, kind, payload, client_id, unique_key, priority, run_at, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict do nothing";
    /// Wakes the workers when the transaction commits.
    WAKE, both, "
        select pg_notify('ace_jobs', '')"
}

/// Enqueues in the caller's transaction: the work exists just when what made it necessary does.
///
/// # Errors
/// What the database answered.
pub async fn enqueue(tx: &Transaction, job: &NewJob) -> Result<()> {
    let run_at = job.run_at.unwrap_or_else(|| tx.now());
    let params: database::Params<'_> =
        &[&new_id(), &job.kind, &job.payload, &job.client_id, &job.unique_key, &job.priority, &run_at, &tx.now()];
    tx.execute(&ENQUEUE, params).await?;
    tx.execute(&WAKE, &[]).await.map(|_| ())
}

/// A claimed job, as its handler gets it.
#[derive(Debug, Clone, FromRow)]
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// What kind of work.
    pub kind: String,
    payload: Value,
    client_id: Option<Uuid>,
    /// Which try this is, from 1.
    pub attempts: i32,
}

impl Job {
    /// The payload.
    ///
    /// # Errors
    /// `Fail` when it has another shape: no further try can mend that.
    pub fn payload<T: DeserializeOwned>(&self) -> std::result::Result<T, JobError> {
        serde_json::from_value(self.payload.clone()).map_err(|e| JobError::fail(format!("payload: {e}")))
    }

    /// The client whose work it is.
    ///
    /// # Errors
    /// `Fail` when it is nobody's.
    pub fn client_id(&self) -> std::result::Result<Uuid, JobError> {
        self.client_id.ok_or_else(|| JobError::fail("the job has no client"))
    }
}

/// Why a job was not done, and whether trying again can help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobError {
    /// Something that passes.
    Retry(String),
    /// Nothing will help: it becomes a dead letter at once.
    Fail(String),
}

impl JobError {
    /// Try again later.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry(why.into())
    }

    /// Give up.
    pub fn fail(why: impl Into<String>) -> Self {
        Self::Fail(why.into())
    }

    pub(crate) fn why(&self) -> &str {
        match self {
            Self::Retry(why) | Self::Fail(why) => why,
        }
    }
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        Self::Retry(error.to_string())
    }
}
