//! Recurring work: which ticks have begun.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::{Clock, Result};

use crate::queue::Queue;
use crate::registry::Registry;

/// The ticks this process has seen to, by its own clock; the table `cron_ticks` and the database's clock decide between
/// processes.
pub(crate) struct Ticks {
    periods: Vec<(&'static str, i64)>,
    seen: HashMap<&'static str, DateTime<Utc>>,
}

impl Ticks {
    pub fn of(registry: &Registry) -> Self {
        let period = |every: std::time::Duration| i64::try_from(every.as_micros()).unwrap_or(i64::MAX).max(1);
        let recurring = registry.entries.iter().filter_map(|(name, entry)| Some((*name, period(entry.every?))));
        Self { periods: recurring.collect(), seen: HashMap::new() }
    }

    /// Enqueues the work of the ticks that began since the last look; answers how many pieces.
    pub async fn enqueue(&mut self, queue: &Queue, clock: &Clock) -> Result<u64> {
        let now = clock.now();
        let begun = |(name, period): &(&'static str, i64)| self.seen.get(name) != Some(&began(now, *period));
        let due: Vec<_> = self.periods.iter().filter(|recurring| begun(recurring)).copied().collect();
        if due.is_empty() {
            return Ok(0);
        }
        let enqueued = queue.tick(&due, clock.told()).await?;
        self.seen.extend(due.into_iter().map(|(name, period)| (name, began(now, period))));
        Ok(enqueued)
    }
}

/// The beginning of the tick that `now` is in: a whole multiple of the period.
fn began(now: DateTime<Utc>, period: i64) -> DateTime<Utc> {
    let micros = now.timestamp_micros();
    DateTime::from_timestamp_micros(micros - micros.rem_euclid(period)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_begins_at_a_multiple_of_its_period_and_not_before() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let hour = 3_600_000_000;
        assert_eq!(began(at("2026-03-02T15:59:59.999Z"), hour), at("2026-03-02T15:00:00Z"));
        assert_eq!(began(at("2026-03-02T16:00:00Z"), hour), at("2026-03-02T16:00:00Z"));
    }
}
