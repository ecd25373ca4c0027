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
    /// When work that mostly waits for somebody else's server, with no connection of ours in its hands, stops counting
    /// against the worker's concurrency; never without it.
    pub lends_slot_after: Option<Duration>,
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
        lends_slot_after: None,
    };

    /// The delay after the try with this number, from 1.
    pub(crate) fn delay(&self, attempt: i32) -> Duration {
        let index = usize::try_from(attempt - 1).unwrap_or(0);
        self.delays.get(index).or(self.delays.last()).copied().unwrap_or(Duration::from_secs(5))
    }
}

#[derive(Clone)]
pub(crate) struct Entry {
    pub policy: Policy,
    pub handler: Handler,
    /// Between ticks, for recurring work.
    pub every: Option<Duration>,
}

/// Every handler of a process. Cloning shares the handlers.
#[derive(Clone, Default)]
pub struct Registry {
    pub(crate) entries: HashMap<&'static str, Entry>,
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
        let handler: Handler = Arc::new(move |job| Box::pin(handler(job)));
        self.entries.insert(kind, Entry { policy, handler, every: None });
        self
    }

    /// Runs once every so often, over all workers together. Each tick enqueues a job of this name, unless the last one
    /// is still unfinished: recurring work is leased, retried and seen like any other.
    #[must_use]
    pub fn every<F, Fut>(mut self, name: &'static str, every: Duration, handler: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), JobError>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |_| Box::pin(handler()));
        self.entries.insert(name, Entry { policy: Policy::GROWING, handler, every: Some(every) });
        self
    }

    /// The kinds and the tries each of them has.
    pub(crate) fn kinds(&self) -> (Vec<&'static str>, Vec<i32>) {
        self.entries.iter().map(|(kind, entry)| (*kind, entry.policy.max_attempts)).unzip()
    }

    pub(crate) fn is_recurring(&self, kind: &str) -> bool {
        self.entries.get(kind).is_some_and(|entry| entry.every.is_some())
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
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
