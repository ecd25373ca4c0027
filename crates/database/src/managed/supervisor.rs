//! The thread that owns the server, or waits to inherit it.
//!
//! It is a thread of its own because the server is bound to the life of the thread that started it.

use std::fs::{File, TryLockError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::ManagedError;
use super::cluster::Cluster;
use super::process::Lifetime;
use super::server::{self, Server, TICK};

/// How often the thread looks whether the server, or the server's owner, is still there.
const WATCH: Duration = Duration::from_millis(100);

/// The pause after a start that failed, doubled up to the limit.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// How long a guest waits for the owner's server.
const GUEST_LIMIT: Duration = Duration::from_secs(310);

/// The handle of the thread. Dropping it stops the server and waits for that.
#[derive(Debug)]
pub(super) struct Supervisor {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    owner: Arc<AtomicBool>,
}

impl Supervisor {
    /// Returns when the server takes connections.
    pub(super) fn start(cluster: Cluster) -> Result<Self, ManagedError> {
        let (stop, stopped) = mpsc::channel();
        let (report, started) = mpsc::channel();
        let owner = Arc::new(AtomicBool::new(false));
        let watch = Watch { cluster, stopped, owner: Arc::clone(&owner) };
        let thread = Builder::new()
            .name("postgres".into())
            .spawn(move || watch.run(&report))
            .map_err(|source| ManagedError::Io { what: "start a thread".into(), source })?;
        let supervisor = Self { stop: Some(stop), thread: Some(thread), owner };
        started.recv().unwrap_or_else(|_| Err(gone()))?;
        Ok(supervisor)
    }

    pub(super) fn is_owner(&self) -> bool {
        self.owner.load(Ordering::Relaxed)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // hanging up is the signal to stop
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that watches PostgreSQL panicked");
        }
    }
}

/// What the thread works with.
struct Watch {
    cluster: Cluster,
    stopped: Receiver<()>,
    owner: Arc<AtomicBool>,
}

impl Watch {
    fn run(&self, report: &Sender<Result<(), ManagedError>>) {
        let lock = match open_lock(&self.cluster) {
            Ok(lock) => lock,
            Err(error) => return tell(report, Err(error)),
        };
        match self.begin(&lock) {
            Ok(server) => {
                tell(report, Ok(()));
                self.watch(&lock, server);
            }
            Err(error) => tell(report, Err(error)),
        }
    }

    /// The first start: an error here is the caller's to tell, not to be tried again.
    fn begin(&self, lock: &File) -> Result<Option<Server>, ManagedError> {
        let begun = Instant::now();
        loop {
            if self.acquire(lock)? {
                return self.start_own().map(Some);
            }
            if server::is_ready(&self.cluster) {
                self.cluster.check_socket_directory()?;
                return Ok(None);
            }
            if begun.elapsed() > GUEST_LIMIT {
                return Err(gone());
            }
            std::thread::sleep(TICK);
        }
    }

    fn watch(&self, lock: &File, mut server: Option<Server>) {
        let mut pause = RETRY.0;
        while self.wait(WATCH) {
            let (died, inherited) = match &mut server {
                Some(own) => (own.has_ended(), false),
                None => (false, self.acquire(lock).unwrap_or(false)),
            };
            if !died && !inherited {
                continue;
            }
            tracing::warn!(died, "PostgreSQL is not there; starting it");
            server = None;
            match self.start_own() {
                Ok(own) => {
                    tracing::info!("PostgreSQL runs");
                    (server, pause) = (Some(own), RETRY.0);
                }
                // for a moment after a crash its last sessions still hold the shared memory
                Err(error) => {
                    tracing::error!(%error, "PostgreSQL does not start; trying again");
                    if !self.wait(pause) {
                        return;
                    }
                    pause = RETRY.1.min(pause * 2);
                }
            }
        }
        if let Some(mut own) = server {
            own.stop();
        }
    }

    fn start_own(&self) -> Result<Server, ManagedError> {
        Server::start(&self.cluster, Lifetime::BoundToThread)
    }

    fn acquire(&self, lock: &File) -> Result<bool, ManagedError> {
        match lock.try_lock() {
            Ok(()) => {
                self.owner.store(true, Ordering::Relaxed);
                Ok(true)
            }
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(ManagedError::io("lock", &self.cluster.options.directory)(error)),
        }
    }

    /// Waits unless told to stop; false when told.
    fn wait(&self, time: Duration) -> bool {
        matches!(self.stopped.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }
}

/// Opens the file whose lock says who runs the server; the system lets go of it when its holder dies.
pub(super) fn open_lock(cluster: &Cluster) -> Result<File, ManagedError> {
    let path = cluster.options.directory.join("owner.lock");
    File::options().create(true).truncate(false).write(true).open(&path).map_err(ManagedError::io("open", &path))
}

fn tell(report: &Sender<Result<(), ManagedError>>, result: Result<(), ManagedError>) {
    if report.send(result).is_err() {
        tracing::debug!("nobody waits for PostgreSQL any more");
    }
}

fn gone() -> ManagedError {
    ManagedError::Failed {
        program: "postgres",
        output: "another ACE holds the directory, but its server is not there".into(),
    }
}
