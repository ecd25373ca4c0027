//! Running what is due here and now: for tests and the demo.

use std::time::Duration;

use database::Database;
use futures_util::{StreamExt, stream};
use kernel::{Clock, Result};

use crate::queue::Queue;
use crate::registry::Registry;
use crate::run::{outcome, run};
use crate::ticks::Ticks;

/// Jobs claimed at once, and run at once.
const BATCH: usize = 100;
const AT_ONCE: usize = 4;
/// Long, by a clock that may leap: nobody else works here.
const LEASE: Duration = Duration::from_hours(1);

/// Runs everything that is due by `clock`, recurring work included, and what that enqueues, until nothing is left.
/// Answers how many jobs ran.
///
/// # Errors
/// What the database answered.
pub async fn drain(db: &Database, clock: &Clock, registry: &Registry) -> Result<usize> {
    let queue = Queue::new(db);
    let mut ticks = Ticks::of(registry);
    let mut ran = 0;
    loop {
        ticks.enqueue(&queue, clock).await?;
        let jobs = queue.claim(registry, BATCH, clock.told(), LEASE).await?;
        if jobs.is_empty() {
            return Ok(ran);
        }
        ran += jobs.len();
        let outcomes: Vec<_> = stream::iter(jobs)
            .map(|job| async move {
                let result = run(registry, job.clone()).await;
                outcome(registry, &job, result)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        queue.settle(&outcomes, clock.told()).await?;
    }
}
