//! Which handler does which kind of work, and what runs by the clock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::job::{Job, JobError};

/// What does the work.
pub type Handler = Arc<dyn Fn(Job) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync>;

/// How often and after which delays a kind of work is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Tries in all.
    pub max_attempts: i32,
    /// The delay after each failed try; the last one repeats.
    pub delays: &'static [Duration],
}

impl Policy {
    /// 5 s, 30 s, 2 min, 10 min, 1 h, 4 h (behaviour.md, section 4), seven tries in all.
    pub const GROWING: Self = Self {
        max_attempts: 7,
        delays: &[
            Duration::from_secs(5),
            Duration::from_secs(30),
            Duration::from_secs(120),
            Duration::from_secs(600),
            Duration::from_secs(3_600),
            Duration::from_secs(14_400),
        ],
    };

    /// The delay after the try with this number, from 1.
    pub(crate) fn delay(&self, attempt: i32) -> Duration {
        let index = usize::try_from(attempt - 1).unwrap_or(0);
        self.delays.get(index).or(self.delays.last()).copied().unwrap_or(Duration::from_secs(5))
    }
}

pub(crate) struct Cron {
    pub name: &'static str,
    pub every: Duration,
    pub handler: Arc<dyn Fn() -> BoxFuture<'static, Result<(), JobError>> + Send + Sync>,
}

/// Every handler of a process.
#[derive(Default)]
pub struct Registry {
    pub(crate) handlers: HashMap<&'static str, (Policy, Handler)>,
    pub(crate) crons: Vec<Cron>,
}

impl Registry {
    /// No handler yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Work of this kind is done by `handler`, with growing delays between tries.
    #[must_use]
    pub fn on<F, Fut>(self, kind: &'static str, handler: F) -> Self
    where
        F: Fn(Job) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), JobError>> + Send + 'static,
    {
        self.on_with(kind, Policy::GROWING, handler)
    }

    /// The same with other delays.
    #[must_use]
    pub fn on_with<F, Fut>(mut self, kind: &'static str, policy: Policy, handler: F) -> Self
    where
        F: Fn(Job) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), JobError>> + Send + 'static,
    {
        self.handlers.insert(kind, (policy, Arc::new(move |job| Box::pin(handler(job)))));
        self
    }

    /// Runs once every so often, over all workers together.
    #[must_use]
    pub fn every<F, Fut>(mut self, name: &'static str, every: Duration, handler: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), JobError>> + Send + 'static,
    {
        self.crons.push(Cron { name, every, handler: Arc::new(move || Box::pin(handler())) });
        self
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.handlers.keys().map(|kind| (*kind).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_the_last_one_repeats() {
        let seconds: Vec<u64> = (1..=7).map(|n| Policy::GROWING.delay(n).as_secs()).collect();
        assert_eq!(seconds, [5, 30, 120, 600, 3_600, 14_400, 14_400]);
    }
}
