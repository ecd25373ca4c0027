//! The group-commit writer: visits that arrive together are recorded by one statement, and each visitor is answered
//! after its commit. Nothing is answered as recorded that is not durable.

mod statement;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use database::Database;
use kernel::{Actor, Error, Result, System};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::EventType;
pub use statement::Visited;

/// Visits one statement records at most: beyond this the statement grows slower than the waiting.
const BATCH: usize = 256;
/// Visits that may wait in one lane; more are told to come back.
const WAITING: usize = 4_096;
/// Statements under way at once. Each recipient always takes the same lane, so that two statements of this process
/// never wait for each other's rows.
const LANES: usize = 2;
/// Tries of a batch that met a deadlock with another process.
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
#[derive(Debug, Clone)]
pub struct VisitWriter {
    lanes: Vec<mpsc::Sender<Waiting>>,
    tasks: std::sync::Arc<tokio::sync::Mutex<Vec<JoinHandle<()>>>>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").field("visit", &self.visit.kind).finish_non_exhaustive()
    }
}

impl VisitWriter {
    /// Starts the lanes; they end when every clone is dropped, after recording what waits.
    pub fn start(db: &Database) -> Self {
        let (lanes, tasks) = (0..LANES)
            .map(|_| {
                let (sender, receiver) = mpsc::channel(WAITING);
                (sender, tokio::spawn(run(db.clone(), receiver)))
            })
            .unzip();
        Self { lanes, tasks: std::sync::Arc::new(tokio::sync::Mutex::new(tasks)) }
    }

    /// Records a visit; answers after its commit whom it was, `None` when nobody has that token.
    ///
    /// # Errors
    /// `Unavailable` when too many wait, or the database is out of reach: nothing was recorded then, unless the
    /// connection was lost in the very act of committing.
    pub async fn visit(&self, visit: Visit) -> Result<Option<Visited>> {
        let mut hasher = DefaultHasher::new();
        visit.token.hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % LANES as u64).unwrap_or(0);
        let (answer, answered) = oneshot::channel();
        let full = |_| Error::Unavailable("too many visits at once".into());
        self.lanes[lane].try_send(Waiting { visit, answer }).map_err(full)?;
        answered.await.unwrap_or_else(|_| Err(Error::Unavailable("the server is stopping".into())))
    }

    /// Waits until what was accepted is recorded. Only the last clone's lanes end.
    pub async fn stop(self) {
        drop(self.lanes);
        for task in self.tasks.lock().await.drain(..) {
            // Another clone may keep the lane open; stopping does not wait for its sake for ever.
            let _ = tokio::time::timeout(std::time::Duration::from_secs(5), task).await;
        }
    }
}

async fn run(db: Database, mut receiver: mpsc::Receiver<Waiting>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut waiting, BATCH).await > 0 {
        let (visits, answers): (Vec<Visit>, Vec<_>) = waiting.drain(..).map(|w| (w.visit, w.answer)).unzip();
        match record(&db, &visits).await {
            Ok(visited) => {
                for (answer, visited) in answers.into_iter().zip(visited) {
                    // A visitor who left meanwhile is recorded all the same.
                    let _ = answer.send(Ok(visited));
                }
            }
            Err(error) => {
                for answer in answers {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }
}

async fn record(db: &Database, visits: &[Visit]) -> Result<Vec<Option<Visited>>> {
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
