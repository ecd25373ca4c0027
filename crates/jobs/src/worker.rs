//! The worker: claims what is due, runs it, and notes what came of it.
//!
//! It outlives its database: whatever is out of reach is asked again. A worker that dies leaves leases behind, which
//! end by themselves; one that is stopped gives back what it could not finish.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration as Pause, Instant};

use database::Database;
use kernel::error::{CanFail, Outage};
use kernel::{Clock, Error};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use uuid::Uuid;

use crate::house;
use crate::job::Job;
use crate::queue::{Outcome, Queue};
use crate::registry::Registry;
use crate::run::{outcome, run};

/// How long a claim holds without being renewed.
pub(crate) const LEASE: Pause = Pause::from_secs(60);
/// How long an idle worker waits for a hint before it looks again.
const IDLE: Pause = Pause::from_millis(500);
/// How long the database may be gone before the next look.
pub(crate) const OUT_OF_REACH: Pause = Pause::from_secs(1);
/// The most jobs claimed at once, and noted at once.
const BATCH: usize = 200;
/// A full worker waits this long for more slots to become free: claims of one job each are dear.
const GATHER: Pause = Pause::from_millis(4);
/// The most slots that jobs lend, whatever the concurrency is: each may hold a connection to a mail server.
const MOST_LENT: usize = 100;
/// How long a stopping worker waits for what is under way.
const GRACE: Pause = Pause::from_secs(10);
/// Tries at noting outcomes once stopping was asked for; the leases end without us.
const LAST_TRIES: usize = 5;

static CLAIMS: Outage = Outage::of("claiming jobs");
static NOTES: Outage = Outage::of("noting what came of jobs");

/// A running worker. Dropped without [`Worker::stop`], it dies at once, like its process would.
#[derive(Debug)]
pub struct Worker {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

pub(crate) struct Shared {
    pub queue: Queue,
    pub clock: Clock,
    pub registry: Registry,
    /// What is claimed and not yet noted as ended.
    running: Mutex<HashMap<Uuid, Running>>,
    /// Work may have come.
    pub hint: Notify,
}

/// A claimed job.
pub(crate) struct Running {
    pub task: AbortHandle,
    /// From when on it counts no more against the concurrency.
    lends: Option<Instant>,
}

impl Worker {
    /// Starts a worker that runs up to `concurrency` jobs at once.
    pub fn start(db: Database, clock: Clock, registry: Registry, concurrency: u32) -> Self {
        let (stop, stopped) = watch::channel(false);
        let slots = usize::try_from(concurrency.max(1)).unwrap_or(1);
        let queue = Queue::new(&db);
        let shared = Arc::new(Shared { queue, clock, registry, running: Mutex::default(), hint: Notify::new() });
        Self { stop, task: tokio::spawn(live(shared, stopped, slots)) }
    }

    /// Stops claiming, waits for what is under way, and gives back what does not end in time.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        (&mut self.task).await.can_fail("a worker that died has nothing left to wait for");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    pub fn running(&self) -> MutexGuard<'_, HashMap<Uuid, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Slots that jobs lend to others, because they only wait.
    fn lent(&self) -> usize {
        let now = Instant::now();
        let lends = |job: &&Running| job.lends.is_some_and(|from| from <= now) && !job.task.is_finished();
        self.running().values().filter(lends).count().min(MOST_LENT)
    }
}

/// The whole life of a worker. All its tasks hang on this one: aborting it ends them.
async fn live(shared: Arc<Shared>, stopped: watch::Receiver<bool>, slots: usize) {
    let (outcomes, ended) = mpsc::channel(1_024);
    let mut house = JoinSet::new();
    house.spawn(house::keep(shared.clone()));
    house.spawn(house::tick(shared.clone()));
    house.spawn(house::listen(shared.clone()));
    let mut notes = JoinSet::new();
    notes.spawn(note(shared.clone(), ended, stopped.clone()));
    let mut jobs = JoinSet::new();
    work(&shared, &mut jobs, &outcomes, stopped, slots).await;
    let finished = tokio::time::timeout(GRACE, async { while jobs.join_next().await.is_some() {} }).await;
    if finished.is_err() {
        jobs.shutdown().await;
    }
    drop(outcomes);
    notes.join_next().await;
    if !shared.running().is_empty() {
        shared.queue.hand_back(shared.clock.told()).await.can_fail("their leases end by themselves");
    }
}

async fn work(
    shared: &Arc<Shared>,
    jobs: &mut JoinSet<()>,
    outcomes: &mpsc::Sender<Outcome>,
    mut stopped: watch::Receiver<bool>,
    slots: usize,
) {
    while !*stopped.borrow() {
        while jobs.try_join_next().is_some() {}
        let busy = jobs.len().saturating_sub(shared.lent());
        if busy >= slots {
            tokio::select! {
                _ = jobs.join_next() => {}
                _ = stopped.changed() => continue,
                // perhaps one lends its slot by now
                () = tokio::time::sleep(IDLE) => continue,
            }
            let more = async {
                for _ in 0..slots / 4 {
                    jobs.join_next().await;
                }
            };
            let _ = tokio::time::timeout(GATHER, more).await;
            continue;
        }
        let room = (slots - busy).min(BATCH);
        let claimed = shared.queue.claim(&shared.registry, room, shared.clock.told(), LEASE).await;
        let pause = match CLAIMS.note(claimed) {
            Some(claimed) if claimed.is_empty() => IDLE,
            Some(claimed) => {
                claimed.into_iter().for_each(|job| start(shared, jobs, outcomes.clone(), job));
                continue;
            }
            None => OUT_OF_REACH,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shared.hint.notified() => {}
            _ = stopped.changed() => {}
        }
    }
}

fn start(shared: &Arc<Shared>, jobs: &mut JoinSet<()>, outcomes: mpsc::Sender<Outcome>, job: Job) {
    let id = job.id;
    let task = shared.clone();
    let lends = shared.registry.entries.get(job.kind.as_str()).and_then(|entry| entry.policy.lends_slot_after);
    let lends = lends.map(|after| Instant::now() + after);
    let mut running = shared.running();
    let handle = jobs.spawn(async move {
        let result = run(&task.registry, job.clone()).await;
        let outcome = outcome(&task.registry, &job, result);
        let _ = outcomes.send(outcome).await;
    });
    running.insert(id, Running { task: handle, lends });
}

/// Notes what came of jobs, many by one statement. The note is what keeps work from being done again: it outlasts a
/// database that is gone for a while.
async fn note(shared: Arc<Shared>, mut ended: mpsc::Receiver<Outcome>, stopped: watch::Receiver<bool>) {
    let mut outcomes = Vec::with_capacity(BATCH);
    while ended.recv_many(&mut outcomes, BATCH).await > 0 {
        let mut last_tries = 0;
        loop {
            match shared.queue.settle(&outcomes, shared.clock.told()).await {
                Ok(()) => {
                    NOTES.note(Ok::<_, Error>(()));
                    break;
                }
                Err(error @ Error::Unavailable(_)) if last_tries < LAST_TRIES => {
                    NOTES.note(Err::<(), _>(error));
                    last_tries += usize::from(*stopped.borrow());
                    tokio::time::sleep(OUT_OF_REACH).await;
                }
                Err(error) => {
                    tracing::error!(%error, jobs = outcomes.len(), "what came of jobs is not noted; they run again");
                    break;
                }
            }
        }
        let mut running = shared.running();
        outcomes.drain(..).for_each(|outcome| drop(running.remove(&outcome.id)));
    }
}
