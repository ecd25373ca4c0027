//! The clock. Rules never ask the machine what time it is; they ask the clock they were given,
//! so that tests can freeze it and the demo can live through weeks in seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, Utc};

/// A source of the present time. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until it is set or advanced.
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self(Some(Arc::new(AtomicI64::new(start.timestamp_micros()))))
    }

    /// The present time, to the microsecond: what PostgreSQL can keep.
    pub fn now(&self) -> DateTime<Utc> {
        let micros = match &self.0 {
            Some(manual) => manual.load(Ordering::SeqCst),
            #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
            None => Utc::now().timestamp_micros(),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Sets a manual clock; the machine's clock ignores it.
    pub fn set(&self, to: DateTime<Utc>) {
        if let Some(manual) = &self.0 {
            manual.store(to.timestamp_micros(), Ordering::SeqCst);
        }
    }

    /// Moves a manual clock forward; the machine's clock ignores it.
    pub fn advance(&self, by: Duration) {
        if let (Some(manual), Some(micros)) = (&self.0, by.num_microseconds()) {
            manual.fetch_add(micros, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told_and_is_shared_by_its_clones() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let other = clock.clone();
        clock.advance(Duration::hours(2));
        assert_eq!(other.now(), DateTime::UNIX_EPOCH + Duration::hours(2));
        assert_eq!(other.now(), clock.now());
    }
}
