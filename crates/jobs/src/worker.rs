//! The worker: claims what is due, runs it, and notes what came of it.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};
use database::Database;
use futures_util::FutureExt;
use kernel::error::CanFail;
use kernel::{Clock, Result};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::job::{Job, JobError};
use crate::registry::{Handler, Policy, Registry};
use crate::store::Queue;

/// How long a claim holds without being renewed.
const LEASE: Duration = Duration::seconds(60);
/// How often leases are renewed and lost workers looked for.
const HEARTBEAT: std::time::Duration = std::time::Duration::from_secs(15);
/// How long an idle worker waits before it looks again.
const IDLE: std::time::Duration = std::time::Duration::from_millis(250);
/// How long the database may be gone before the next look.
const OUT_OF_REACH: std::time::Duration = std::time::Duration::from_secs(1);
/// The most jobs claimed at once.
const BATCH: usize = 100;
/// How long done jobs are kept.
const KEEP_DONE: Duration = Duration::days(7);

/// A running worker.
pub struct Worker {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    queue: Queue,
    clock: Clock,
    registry: Registry,
    running: Mutex<HashSet<Uuid>>,
}

impl Worker {
    /// Starts a worker that runs up to `concurrency` jobs at once.
    pub fn start(db: Database, clock: Clock, registry: Registry, concurrency: u32) -> Self {
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared::new(&db, &clock, registry));
        let slots = usize::try_from(concurrency.max(1)).unwrap_or(1);
        let tasks = vec![
            tokio::spawn(work(shared.clone(), stopped.clone(), slots)),
            tokio::spawn(keep_house(shared.clone(), stopped.clone())),
            tokio::spawn(tick(shared, stopped)),
        ];
        Self { stop, tasks }
    }

    /// Stops claiming, and waits until what is under way has ended.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            task.await.can_fail("a task of the worker that died has nothing left to wait for");
        }
    }
}

impl Shared {
    fn new(db: &Database, clock: &Clock, registry: Registry) -> Self {
        let queue = Queue { db: db.clone(), worker: kernel::new_id().to_string() };
        Self { queue, clock: clock.clone(), registry, running: Mutex::default() }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashSet<Uuid>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn work(shared: Arc<Shared>, mut stopped: watch::Receiver<bool>, slots: usize) {
    let kinds = shared.registry.kinds();
    let free = Arc::new(Semaphore::new(slots));
    while !*stopped.borrow() {
        let room = free.available_permits().min(BATCH);
        let claimed = if room == 0 { Ok(Vec::new()) } else { claim(&shared, &kinds, room).await };
        let pause = match claimed {
            Ok(jobs) if jobs.is_empty() => IDLE,
            Ok(jobs) => {
                for job in jobs {
                    start(&shared, &free, job).await;
                }
                continue;
            }
            Err(error) => {
                tracing::warn!(%error, "the queue is out of reach");
                OUT_OF_REACH
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopped.changed() => {}
        }
    }
    // What is under way may end; nothing new was claimed.
    let all = u32::try_from(slots).unwrap_or(u32::MAX);
    free.acquire_many(all).await.can_fail("the semaphore is never closed");
}

async fn claim(shared: &Shared, kinds: &[String], room: usize) -> Result<Vec<Job>> {
    let limit = i64::try_from(room).unwrap_or(1);
    shared.queue.claim(kinds, limit, shared.clock.now(), LEASE).await
}

async fn start(shared: &Arc<Shared>, free: &Arc<Semaphore>, job: Job) {
    let Ok(permit) = free.clone().acquire_owned().await else { return };
    let shared = shared.clone();
    shared.running().insert(job.id);
    tokio::spawn(async move {
        run(&shared, job).await;
        drop(permit);
    });
}

/// Runs one job and notes what came of it.
async fn run(shared: &Shared, job: Job) {
    let id = job.id;
    let Some((policy, handler)) = shared.registry.handlers.get(job.kind.as_str()).cloned() else { return };
    let (kind, attempt) = (job.kind.clone(), job.attempts);
    let outcome = call(&handler, job).await;
    if let Err(error) = &outcome {
        tracing::warn!(job = %id, kind, attempt, why = error.why(), "a job failed");
    }
    // The note is what keeps the work from being done again: it outlasts a database that is gone for a moment.
    for _ in 0..20 {
        match note(shared, id, attempt, policy, &outcome).await {
            Ok(()) => break,
            Err(error) => {
                tracing::warn!(job = %id, %error, "what came of a job could not be noted yet");
                tokio::time::sleep(OUT_OF_REACH).await;
            }
        }
    }
    shared.running().remove(&id);
}

async fn call(handler: &Handler, job: Job) -> std::result::Result<(), JobError> {
    let caught = AssertUnwindSafe(handler(job)).catch_unwind().await;
    caught.unwrap_or_else(|_| Err(JobError::retry("the handler panicked")))
}

async fn note(
    shared: &Shared,
    id: Uuid,
    attempt: i32,
    policy: Policy,
    outcome: &std::result::Result<(), JobError>,
) -> Result<()> {
    let now = shared.clock.now();
    match outcome {
        Ok(()) => shared.queue.finish(id, now).await,
        Err(JobError::Retry(why)) if attempt < policy.max_attempts => {
            shared.queue.again(id, later(now, policy, attempt), why).await
        }
        Err(error) => shared.queue.bury(id, now, error.why()).await,
    }
}

/// The policy's delay, up to a tenth longer, so that what failed together does not come back together.
fn later(now: DateTime<Utc>, policy: Policy, attempt: i32) -> DateTime<Utc> {
    let delay = policy.delay(attempt);
    let jitter = delay.mul_f64(f64::from(kernel::random::bytes::<1>()[0]) / 2_550.0);
    now + Duration::from_std(delay + jitter).unwrap_or(Duration::seconds(5))
}

/// Renews leases, takes over from lost workers, sweeps.
async fn keep_house(shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let mut beat: u64 = 0;
    while !*stopped.borrow() {
        let now = shared.clock.now();
        let ids: Vec<Uuid> = shared.running().iter().copied().collect();
        if !ids.is_empty() {
            shared.queue.renew(&ids, now + LEASE).await.can_fail("the next beat renews");
        }
        shared.queue.recover(now).await.can_fail("the next beat recovers");
        if beat.is_multiple_of(240) {
            shared.queue.sweep(now - KEEP_DONE).await.can_fail("the next hour sweeps");
        }
        beat += 1;
        tokio::select! {
            () = tokio::time::sleep(HEARTBEAT) => {}
            _ = stopped.changed() => {}
        }
    }
}

/// Runs what is due by the clock.
async fn tick(shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        run_crons(&shared).await;
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
            _ = stopped.changed() => {}
        }
    }
}

async fn run_crons(shared: &Shared) {
    for cron in &shared.registry.crons {
        let now = shared.clock.now();
        let every = Duration::from_std(cron.every).unwrap_or(Duration::minutes(1));
        match shared.queue.tick(cron.name, now, now - every).await {
            Ok(true) => {
                let caught = AssertUnwindSafe((cron.handler)()).catch_unwind().await;
                if let Err(error) = caught.unwrap_or_else(|_| Err(JobError::retry("the handler panicked"))) {
                    tracing::warn!(cron = cron.name, why = error.why(), "recurring work failed");
                }
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(cron = cron.name, %error, "the queue is out of reach"),
        }
    }
}

/// Runs everything that is due by `clock`, recurring work included, until nothing is left; for tests and the demo.
/// Answers how many jobs ran.
///
/// # Errors
/// What the database answered.
pub async fn drain(db: &Database, clock: &Clock, registry: Registry) -> Result<(usize, Registry)> {
    let shared = Shared::new(db, clock, registry);
    let kinds = shared.registry.kinds();
    let mut ran = 0;
    loop {
        run_crons(&shared).await;
        let jobs = claim(&shared, &kinds, BATCH).await?;
        if jobs.is_empty() {
            return Ok((ran, shared.registry));
        }
        ran += jobs.len();
        futures_util::future::join_all(jobs.into_iter().map(|job| run(&shared, job))).await;
    }
}
