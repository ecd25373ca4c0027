//! A piece of work as its handler gets it, and what the handler says about it.

use std::time::Duration;

use database::FromRow;
use kernel::Error;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

/// A claimed job, as its handler gets it.
#[derive(Debug, Clone, FromRow)]
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// What kind of work.
    pub kind: String,
    /// Ids, never secrets.
    pub payload: Value,
    /// Whose work it is; nobody's in particular when absent.
    pub client_id: Option<Uuid>,
    /// Which try this is, from 1.
    pub attempts: i32,
    /// Tries in all.
    pub max_attempts: i32,
}

impl Job {
    /// The payload.
    ///
    /// # Errors
    /// `Fail` when it has another shape: no further try can mend that.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, JobError> {
        T::deserialize(&self.payload).map_err(|e| JobError::fail(format!("payload: {e}")))
    }

    /// The client whose work it is.
    ///
    /// # Errors
    /// `Fail` when it is nobody's.
    pub fn client_id(&self) -> Result<Uuid, JobError> {
        self.client_id.ok_or_else(|| JobError::fail("the job has no client"))
    }

    /// Whether no further try follows when this one fails.
    pub fn is_last_try(&self) -> bool {
        self.attempts >= self.max_attempts
    }
}

/// Why a job was not done, and whether trying again can help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobError {
    /// Something that passes: tried again after the policy's delay, or after the one given.
    Retry(String, Option<Duration>),
    /// Nothing will help: it becomes a dead letter at once.
    Fail(String),
}

impl JobError {
    /// Try again later.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry(why.into(), None)
    }

    /// Give up.
    pub fn fail(why: impl Into<String>) -> Self {
        Self::Fail(why.into())
    }

    /// The next try comes after just this delay, as a provider asked; without meaning when nothing will help.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        match self {
            Self::Retry(why, _) => Self::Retry(why, Some(delay)),
            Self::Fail(why) => Self::Fail(why),
        }
    }

    /// The reason.
    pub fn why(&self) -> &str {
        match self {
            Self::Retry(why, _) | Self::Fail(why) => why,
        }
    }
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        Self::retry(error.to_string())
    }
}
