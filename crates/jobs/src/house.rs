//! What a worker does beside the work: keeping its leases, taking over from lost workers, sweeping, ticking, listening.

use std::sync::Arc;
use std::time::Duration as Pause;

use kernel::Result;
use kernel::error::{CanFail, Outage};
use uuid::Uuid;

use crate::enqueue::CHANNEL;
use crate::ticks::Ticks;
use crate::worker::{LEASE, OUT_OF_REACH, Shared};

/// How often leases are renewed and lost workers looked for.
const HEARTBEAT: Pause = Pause::from_secs(15);
/// How often a look is taken at which ticks have begun.
const TICK: Pause = Pause::from_millis(500);
/// Beats between two sweeps: an hour.
const SWEEP_BEATS: u64 = 240;
/// How long done jobs are kept, and dead letters.
const KEEP_DONE: Pause = Pause::from_hours(7 * 24);
const KEEP_DEAD: Pause = Pause::from_hours(90 * 24);

static RENEWALS: Outage = Outage::of("renewing the leases of jobs");
static RECOVERIES: Outage = Outage::of("taking over from lost workers");
static TICKS: Outage = Outage::of("enqueueing recurring work");

/// Renews leases, takes over from lost workers, sweeps.
pub(crate) async fn keep(shared: Arc<Shared>) {
    let mut beat: u64 = 0;
    loop {
        RENEWALS.note(renew(&shared).await);
        let told = shared.clock.told();
        if RECOVERIES.note(shared.queue.recover(told).await).is_some_and(|recovered| recovered > 0) {
            shared.hint.notify_one();
        }
        if beat.is_multiple_of(SWEEP_BEATS) {
            shared.queue.sweep(told, [KEEP_DONE, KEEP_DEAD]).await.can_fail("the next hour sweeps");
        }
        beat += 1;
        tokio::time::sleep(HEARTBEAT).await;
    }
}

/// What is no longer ours, because the database was gone for longer than the lease, is left to whoever took it over.
async fn renew(shared: &Shared) -> Result<()> {
    let ids: Vec<Uuid> = shared.running().keys().copied().collect();
    if ids.is_empty() {
        return Ok(());
    }
    let ours = shared.queue.renew(&ids, shared.clock.told(), LEASE).await?;
    let mut running = shared.running();
    for id in ids.iter().filter(|id| !ours.contains(id)) {
        // Absent when it ended while we asked.
        if let Some(job) = running.remove(id).filter(|job| !job.task.is_finished()) {
            tracing::warn!(job = %id, "the lease was lost; the job is left to another worker");
            job.task.abort();
        }
    }
    Ok(())
}

/// Enqueues recurring work whose tick has begun.
pub(crate) async fn tick(shared: Arc<Shared>) {
    let mut ticks = Ticks::of(&shared.registry);
    loop {
        if TICKS.note(ticks.enqueue(&shared.queue, &shared.clock).await).is_some_and(|enqueued| enqueued > 0) {
            shared.hint.notify_one();
        }
        tokio::time::sleep(TICK).await;
    }
}

/// Hears that work has come. Only a hint: the worker also looks by itself.
pub(crate) async fn listen(shared: Arc<Shared>) {
    loop {
        if let Ok(mut listener) = shared.queue.db.listen(CHANNEL).await {
            while listener.heard().await.is_ok() {
                shared.hint.notify_one();
            }
        }
        tokio::time::sleep(OUT_OF_REACH).await;
    }
}
