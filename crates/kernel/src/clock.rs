//! The clock. Rules never ask the machine what time it is; they ask the clock they were given,
//! so that tests can freeze it and the demo can live through weeks in seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, Utc};

/// A source of the present time. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    /// The machine's clock, and by how many microseconds the database's is ahead of it.
    Machine(Arc<AtomicI64>),
    /// A time in microseconds.
    Manual(Arc<AtomicI64>),
}

/// What two clocks may differ by before the other one counts: less is the way there and back.
const TOLERATED: i64 = 1_000_000;

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::Machine(Arc::default()))
    }

    /// A clock that stands still until it is set or advanced.
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.timestamp_micros()))))
    }

    /// The present time, to the microsecond: what PostgreSQL can keep.
    pub fn now(&self) -> DateTime<Utc> {
        let micros = match &self.0 {
            Source::Manual(manual) => manual.load(Ordering::SeqCst),
            Source::Machine(ahead) => machine().saturating_add(ahead.load(Ordering::SeqCst)),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// The time of a manual clock; `None` for the machine's. What several processes compare, such as leases, is held
    /// against the database's clock where nobody told another: `coalesce($1, now())`.
    pub fn told(&self) -> Option<DateTime<Utc>> {
        matches!(self.0, Source::Manual(_)).then(|| self.now())
    }

    /// The machine's own time, whatever it follows.
    pub fn machine() -> DateTime<Utc> {
        DateTime::from_timestamp_micros(machine()).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Follows the database's clock, the only one that all machines have in common: `theirs` is the time it had between
    /// `asked` by [`Clock::machine`] and now. By how many seconds it is ahead; a manual clock follows nobody.
    pub fn follow(&self, asked: DateTime<Utc>, theirs: DateTime<Utc>) -> i64 {
        let Source::Machine(ahead) = &self.0 else { return 0 };
        let difference = theirs.timestamp_micros() - i64::midpoint(asked.timestamp_micros(), machine());
        let difference = if difference.abs() < TOLERATED { 0 } else { difference };
        ahead.store(difference, Ordering::SeqCst);
        difference / 1_000_000
    }

    /// Sets a manual clock; the machine's clock ignores it.
    pub fn set(&self, to: DateTime<Utc>) {
        if let Source::Manual(manual) = &self.0 {
            manual.store(to.timestamp_micros(), Ordering::SeqCst);
        }
    }

    /// Moves a manual clock forward; the machine's clock ignores it.
    pub fn advance(&self, by: Duration) {
        if let (Source::Manual(manual), Some(micros)) = (&self.0, by.num_microseconds()) {
            manual.fetch_add(micros, Ordering::SeqCst);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
fn machine() -> i64 {
    Utc::now().timestamp_micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_clock_follows_the_databases_and_a_manual_one_nobodys() {
        let (clock, manual) = (Clock::system(), Clock::manual(DateTime::UNIX_EPOCH));
        let theirs = clock.now() - Duration::minutes(10);
        let behind = clock.follow(Clock::machine(), theirs);
        assert!((-601..=-599).contains(&behind), "{behind}");
        let apart = clock.clone().now() - theirs;
        assert!(apart >= Duration::seconds(-1) && apart < Duration::minutes(5), "every copy follows: {apart}");
        assert_eq!(clock.follow(Clock::machine(), Clock::machine()), 0);
        assert_eq!((manual.follow(Clock::machine(), theirs), manual.now()), (0, DateTime::UNIX_EPOCH));
    }

    #[test]
    fn a_manual_clock_moves_only_when_told_and_is_shared_by_its_clones() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let other = clock.clone();
        clock.advance(Duration::hours(2));
        assert_eq!(other.now(), DateTime::UNIX_EPOCH + Duration::hours(2));
        assert_eq!((other.now(), other.told()), (clock.now(), Some(clock.now())));
        assert_eq!(Clock::system().told(), None);
    }
}
