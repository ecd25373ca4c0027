//! The group-commit writer: visits that arrive together are recorded by one statement, and each visitor is answered
//! after its commit. Nothing is answered as recorded that is not durable.

mod statement;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use database::Database;
use kernel::{Actor, Error, Result, System};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::EventType;
pub use statement::{Visited, seen};

/// Visits one statement records at most: beyond this the statement grows slower than the waiting.
const BATCH: usize = 256;
/// Visits that may wait in one lane; more are told to come back.
const WAITING: usize = 4_096;
/// One lane records while the other's commit is flushed: on two cores 17,000 visits a second against 10,600. Each
/// recipient keeps to a lane, so that the two never wait for each other's rows.
const LANES: usize = 2;
/// A statement that takes longer is not waited for by the next of its lane, as long as no more than this many are under
/// way in it.
const PATIENCE: Duration = Duration::from_millis(250);
const UNDER_WAY: usize = 4;
/// Tries of a batch that met a deadlock with another transaction.
const TRIES: usize = 3;

/// How somebody came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisitKind {
    /// By the link.
    Purl,
    /// By the QR.
    Qr,
}

impl VisitKind {
    fn event_type(self) -> EventType {
        match self {
            Self::Purl => EventType::PurlVisit,
            Self::Qr => EventType::QrScan,
        }
    }
}

/// Somebody who came.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The end of the link, as `kernel::codes::PurlToken` normalises it.
    pub token: String,
    /// By link or QR.
    pub kind: VisitKind,
    /// A machine: recorded, not counted.
    pub bot: bool,
    /// From where.
    pub ip: Option<IpAddr>,
    /// With which browser.
    pub user_agent: Option<String>,
    /// From which page.
    pub referrer: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

struct Waiting {
    visit: Visit,
    answer: oneshot::Sender<Result<Option<Visited>>>,
}

/// The writer; cloning shares it.
#[derive(Clone)]
pub struct VisitWriter {
    lanes: Arc<[mpsc::Sender<Waiting>]>,
    stop: watch::Sender<bool>,
}

impl VisitWriter {
    /// Starts the lanes; they end with [`VisitWriter::stop`], or when every clone is dropped.
    pub fn start(db: &Database) -> Self {
        let (stop, stopped) = watch::channel(false);
        let lanes = (0..LANES).map(|_| {
            let (lane, waiting) = mpsc::channel(WAITING);
            tokio::spawn(run(db.clone(), waiting, stopped.clone()));
            lane
        });
        Self { lanes: lanes.collect(), stop }
    }

    /// Records a visit; answers after its commit whom it was, `None` when nobody has that token.
    ///
    /// # Errors
    /// `Unavailable` when too many wait, or the database is out of reach: nothing was recorded then, unless the
    /// connection was lost in the very act of committing.
    pub async fn visit(&self, visit: Visit) -> Result<Option<Visited>> {
        let (answer, answered) = oneshot::channel();
        self.lane(&visit.token).try_send(Waiting { visit, answer }).map_err(|error| match error {
            TrySendError::Full(_) => Error::Unavailable("too many visits at once".into()),
            TrySendError::Closed(_) => stopping(),
        })?;
        answered.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Takes no more visits, from no clone, and waits until what was taken is recorded and answered.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // Each lane holds the other end until its last visit is answered.
        self.stop.closed().await;
    }

    fn lane(&self, token: &str) -> &mpsc::Sender<Waiting> {
        let mut hasher = DefaultHasher::new();
        token.hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % LANES as u64).unwrap_or(0);
        &self.lanes[lane]
    }
}

impl std::fmt::Debug for VisitWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let room: Vec<usize> = self.lanes.iter().map(mpsc::Sender::capacity).collect();
        f.debug_struct("VisitWriter").field("room", &room).finish()
    }
}

fn stopping() -> Error {
    Error::Unavailable("the server is stopping".into())
}

async fn run(db: Database, mut receiver: mpsc::Receiver<Waiting>, mut stopped: watch::Receiver<bool>) {
    let mut waiting = Vec::with_capacity(BATCH);
    let mut under_way = JoinSet::new();
    loop {
        let taken = tokio::select! {
            taken = receiver.recv_many(&mut waiting, BATCH) => taken,
            Ok(()) = stopped.changed() => {
                // What was taken before is still handed out; then `recv_many` answers 0.
                receiver.close();
                continue;
            }
        };
        if taken == 0 {
            break;
        }
        under_way.spawn(record_and_answer(db.clone(), std::mem::take(&mut waiting)));
        // What waits for somebody else's lock does not keep all others waiting.
        let _ = timeout(PATIENCE, under_way.join_next()).await;
        while under_way.len() >= UNDER_WAY {
            under_way.join_next().await;
        }
    }
    while under_way.join_next().await.is_some() {}
}

async fn record_and_answer(db: Database, waiting: Vec<Waiting>) {
    let (visits, answers): (Vec<Visit>, Vec<_>) = waiting.into_iter().map(|w| (w.visit, w.answer)).unzip();
    for (answer, visited) in answers.into_iter().zip(record(&db, &visits).await) {
        // A visitor who left meanwhile is recorded all the same.
        let _ = answer.send(visited);
    }
}

/// One answer for each visit, in their order.
async fn record(db: &Database, visits: &[Visit]) -> Vec<Result<Option<Visited>>> {
    match record_together(db, visits).await {
        Ok(visited) => visited.into_iter().map(Ok).collect(),
        Err(error @ Error::Unavailable(_)) => visits.iter().map(|_| Err(error.clone())).collect(),
        // One of them is what PostgreSQL refuses, or its recipient was deleted under our hands: the others are not to
        // suffer for it.
        Err(_) => {
            let mut answers = Vec::with_capacity(visits.len());
            for visit in visits {
                let alone = record_together(db, std::slice::from_ref(visit)).await;
                answers.push(alone.map(|visited| visited.into_iter().next().flatten()));
            }
            answers
        }
    }
}

async fn record_together(db: &Database, visits: &[Visit]) -> Result<Vec<Option<Visited>>> {
    let actor = Actor::system(System::PublicLink);
    let scope = db.scope(&actor);
    let mut tries = 1;
    loop {
        match statement::record(&scope, visits).await {
            Err(Error::Unavailable(why)) if why.contains("deadlock") && tries < TRIES => tries += 1,
            other => return other,
        }
    }
}
