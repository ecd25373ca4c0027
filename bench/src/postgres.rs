//! The PostgreSQL that is measured: ACE's own, in a directory of its own, and past every policy a look at what is
//! really there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use database::managed::{Managed, Options, SUPERUSER};
use database::{ActorKey, ConnectOptions, Database, migrate};
use kernel::Clock;
use kernel::keyring::Keyring;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_postgres::{Client, NoTls};

/// The database's name.
const DATABASE: &str = "ace";

/// A server that is killed and comes back while this value lives.
#[derive(Debug, Clone)]
pub struct Postgres {
    managed: Arc<Managed>,
    directory: PathBuf,
}

impl Postgres {
    /// Starts a server in `directory`, with the settings of real data, and makes the database. Those of tests answer
    /// before the log is written: a crash may take back what was answered.
    ///
    /// # Errors
    /// Says what is missing.
    pub async fn start(directory: &Path) -> Result<Self> {
        let directory = directory.join("postgres");
        let options = Options::new(&directory);
        let managed = tokio::task::spawn_blocking(move || Managed::start(&options)).await??;
        let postgres = Self { managed: Arc::new(managed), directory };
        migrate::create_database(&postgres.managed.url(SUPERUSER, "postgres").parse()?, DATABASE).await?;
        Ok(postgres)
    }

    /// How a superuser finds the database; ACE takes its three roles from there.
    pub fn url(&self) -> String {
        self.managed.url(SUPERUSER, DATABASE)
    }

    /// The door to the data, as a process of ACE has it.
    ///
    /// # Errors
    /// When the pools cannot be built.
    pub fn database(&self, pool_size: usize) -> Result<Database> {
        let keys = Keyring::load_or_create(&self.directory.with_file_name("keys"))?;
        let options = ConnectOptions::one_url(&self.url(), pool_size, ActorKey::of(&keys))?;
        Ok(Database::new(&options, Clock::system())?)
    }

    /// A superuser's connection, past every policy.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn admin(&self) -> Result<Client> {
        let config: tokio_postgres::Config = self.url().parse()?;
        #[expect(clippy::disallowed_methods, reason = "looks at what is really there, which no scope may")]
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Ends the server like a crash: no shutdown, no checkpoint. Whoever owns it brings it back.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill(&self) -> Result<()> {
        let file = self.directory.join("data/postmaster.pid");
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let pid = text.lines().next().context("the pid file is empty")?.parse()?;
        Ok(kill(Pid::from_raw(pid), Signal::SIGKILL)?)
    }

    /// Stops the server when this is its last owner.
    pub async fn stop(self) {
        let stopped = tokio::task::spawn_blocking(move || drop(self)).await;
        if let Err(error) = stopped {
            eprintln!("PostgreSQL may still be running: {error}");
        }
    }
}
