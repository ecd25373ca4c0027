//! ACE's own PostgreSQL: found on this machine, set up, started, watched and stopped by ACE.
//!
//! One directory holds everything: `data`, the socket, the log and `owner.lock`. Whoever holds the lock runs the
//! server; every other ACE on the same directory is a guest of that server and takes over when its owner dies.
//! The server listens on a unix socket only, knows people by their operating-system user (peer), and is brought back
//! when it dies while ACE runs.
//!
//! Refuses: downloading PostgreSQL, upgrading another major version's data, listening on the network.

mod account;
mod cluster;
mod discovery;
mod error;
mod process;
mod server;
mod supervisor;

use std::path::{Path, PathBuf};

pub use error::ManagedError;

use cluster::Cluster;
use supervisor::Supervisor;

/// The superuser of a managed server: makes the database and the roles, nothing else.
pub const SUPERUSER: &str = "postgres";

/// What a managed server is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Holds the data, the socket and the log; made when missing.
    pub directory: PathBuf,
    /// Where `initdb` and `postgres` are; looked for when absent.
    pub bin_directory: Option<PathBuf>,
    /// Off only for tests: a power cut then loses the data.
    pub fsync: bool,
    /// How many connections the server accepts.
    pub max_connections: u16,
}

impl Options {
    /// The settings for real data in `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), bin_directory: None, fsync: true, max_connections: 100 }
    }

    /// The settings for tests: fast, and worthless after a power cut.
    pub fn throw_away(directory: impl Into<PathBuf>) -> Self {
        Self { fsync: false, max_connections: 300, ..Self::new(directory) }
    }
}

/// A running server; stopped by [`Managed::stop`] or when dropped, unless another ACE owns it.
#[derive(Debug)]
pub struct Managed {
    cluster: Cluster,
    supervisor: Supervisor,
}

impl Managed {
    /// Starts the server, or joins the one another ACE runs on the same directory. Blocks until it accepts
    /// connections.
    ///
    /// # Errors
    /// Says what is missing and the line to type.
    pub fn start(options: &Options) -> Result<Self, ManagedError> {
        let cluster = Cluster::prepare(options)?;
        let supervisor = Supervisor::start(cluster.clone())?;
        Ok(Self { cluster, supervisor })
    }

    /// Makes sure a server runs that outlives this process, and returns the superuser's URL. For the tests' shared
    /// server only.
    ///
    /// # Errors
    /// As [`Managed::start`].
    pub fn ensure_detached(options: &Options) -> Result<String, ManagedError> {
        let cluster = Cluster::prepare(options)?;
        server::ensure_detached(&cluster)?;
        Ok(cluster.url(SUPERUSER, "postgres"))
    }

    /// Where `role` finds `database`: a URL that libpq and tokio-postgres both read.
    pub fn url(&self, role: &str, database: &str) -> String {
        self.cluster.url(role, database)
    }

    /// The directory of the socket, for `psql -h`.
    pub fn socket_directory(&self) -> &Path {
        &self.cluster.socket
    }

    /// Whether this process runs the server; false for a guest of another ACE's.
    pub fn is_owner(&self) -> bool {
        self.supervisor.is_owner()
    }

    /// Stops the server and waits for it; a guest just leaves.
    pub fn stop(self) {
        drop(self);
    }
}

#[cfg(test)]
mod tests;
