//! Running one job, and what is noted of it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use crate::job::{Job, JobError};
use crate::queue::Outcome;
use crate::registry::{Policy, Registry};

/// The most characters of an error that are kept.
const ERROR_LENGTH: usize = 2_000;

/// Runs a job to its end. A panic is a failed try, not a dead worker.
pub(crate) async fn run(registry: &Registry, job: Job) -> Result<(), JobError> {
    let Some(entry) = registry.entries.get(job.kind.as_str()) else {
        return Err(JobError::retry("nobody here does this kind of work"));
    };
    let handler = entry.handler.clone();
    let caught = AssertUnwindSafe(async move { handler(job).await }).catch_unwind().await;
    caught.unwrap_or_else(|panic| {
        let text =
            panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
        Err(JobError::retry(format!("the handler panicked: {}", text.unwrap_or_default())))
    })
}

/// What is noted of a try.
pub(crate) fn outcome(registry: &Registry, job: &Job, result: Result<(), JobError>) -> Outcome {
    let entry = registry.entries.get(job.kind.as_str());
    let recurring = registry.is_recurring(&job.kind);
    let base = Outcome { id: job.id, attempts: job.attempts, recurring, state: "done", delay: None, error: None };
    let Err(error) = result else { return base };
    tracing::warn!(job = %job.id, kind = job.kind, attempt = job.attempts, why = error.why(), "a job failed");
    let text = Some(clean(error.why()));
    match (error, entry) {
        (JobError::Retry(_, after), Some(entry)) if !job.is_last_try() => {
            let delay = after.unwrap_or_else(|| with_jitter(entry.policy, job.attempts));
            Outcome { state: "ready", delay: Some(delay), error: text, ..base }
        }
        _ => Outcome { state: "dead", error: text, ..base },
    }
}

/// The policy's delay, up to a tenth longer, so that what failed together does not come back together.
fn with_jitter(policy: Policy, attempt: i32) -> Duration {
    let delay = policy.delay(attempt);
    let share = f64::from(kernel::random::bytes::<1>()[0]) / 2_550.0;
    delay + delay.mul_f64(share)
}

/// PostgreSQL keeps no NUL in a text.
fn clean(why: &str) -> String {
    why.chars().filter(|c| *c != '\0').take(ERROR_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(attempts: i32) -> Job {
        let (id, kind) = (kernel::new_id(), "test.x".to_owned());
        Job { id, kind, payload: serde_json::Value::Null, client_id: None, attempts, max_attempts: 7 }
    }

    fn registry() -> Registry {
        Registry::new().on("test.x", |_| async { Ok(()) })
    }

    #[test]
    fn a_try_is_followed_by_the_policys_delay_and_the_last_one_by_none() {
        let after = |attempts| outcome(&registry(), &job(attempts), Err(JobError::retry("no")));
        let wait = after(2).delay.unwrap();
        assert!(wait >= Duration::from_secs(30) && wait <= Duration::from_secs(33), "{wait:?}");
        assert_eq!((after(7).state, after(7).delay), ("dead", None));
    }

    #[test]
    fn a_delay_that_was_asked_for_is_kept_and_hopeless_work_has_none() {
        let asked = JobError::retry("busy").after(Duration::from_secs(90));
        assert_eq!(outcome(&registry(), &job(1), Err(asked)).delay, Some(Duration::from_secs(90)));
        let hopeless = outcome(&registry(), &job(1), Err(JobError::fail("no\0such row")));
        assert_eq!((hopeless.state, hopeless.error.as_deref()), ("dead", Some("nosuch row")));
    }

    #[tokio::test]
    async fn a_panic_is_a_failed_try() {
        let registry = Registry::new().on("test.x", |_| async { panic!("on purpose") });
        assert_eq!(run(&registry, job(1)).await, Err(JobError::retry("the handler panicked: on purpose")));
    }
}
