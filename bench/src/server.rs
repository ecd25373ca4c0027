//! `ace serve` in a process of its own, and `ace` commands beside it.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::http::{Connection, Request};

/// How long a start may take: PostgreSQL may be recovering meanwhile.
const START: Duration = Duration::from_secs(60);

/// Where ACE is, and with what it runs.
#[derive(Debug, Clone)]
pub struct Ace {
    /// The binary.
    pub binary: PathBuf,
    /// Its data directory: the keys.
    pub directory: PathBuf,
    /// Its database.
    pub database_url: String,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Ace {
    /// A binary on a free port.
    ///
    /// # Errors
    /// When there is no port to be had.
    pub fn new(binary: &Path, directory: &Path, database_url: String) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        Ok(Self { binary: binary.to_owned(), directory: directory.to_owned(), database_url, address })
    }

    /// A command with the settings of this installation and no others. No rate limits: one machine plays everybody.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env_clear().envs(std::env::vars().filter(|(name, _)| !name.starts_with("ACE_")));
        command
            .env("ACE_DATA_DIR", &self.directory)
            .env("DATABASE_URL", &self.database_url)
            .env("ACE_LISTEN", self.address.to_string())
            .env("ACE_PUBLIC_URL", format!("http://{}", self.address))
            .env("ACE_LOG", "warn")
            .env("ACE_SERVER__STOP_DELAY_SECONDS", "0")
            .env("ACE_LIMITS__API_PER_MINUTE", "1000000000")
            .env("ACE_LIMITS__PUBLIC_PER_MINUTE", "1000000000")
            .env("ACE_LIMITS__REDEMPTION_PER_MINUTE", "1000000000")
            .env("ACE_LIMITS__RECEIVERS_PER_MINUTE", "1000000000")
            .env("ACE_LIMITS__FORMS_PER_HOUR", "0")
            .env("ACE_LIMITS__REWARDS_PER_ADDRESS_PER_DAY", "0")
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end; its JSON and whether its exit status was 0.
    ///
    /// # Errors
    /// When it printed no JSON.
    pub async fn run(&self, arguments: &[&str]) -> Result<(Value, bool)> {
        let output = self.command(arguments).arg("--json").output().await?;
        let value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("ace {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)))?;
        Ok((value, output.status.success()))
    }

    /// Runs a command that must succeed.
    ///
    /// # Errors
    /// When it did not.
    pub async fn must(&self, arguments: &[&str]) -> Result<Value> {
        let (value, done) = self.run(arguments).await?;
        ensure!(done, "ace {}: {value}", arguments.join(" "));
        Ok(value)
    }

    /// Starts serving and waits until it is ready.
    ///
    /// # Errors
    /// When it does not get ready; what it said is in the log in its directory.
    pub async fn serve(&self) -> Result<Serving> {
        let log = std::fs::File::options().create(true).append(true).open(self.directory.join("serve.log"))?;
        let child = self.command(&["serve"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        let mut serving = Serving { child };
        let begun = Instant::now();
        while !self.is_ready().await {
            if let Some(status) = serving.child.try_wait()? {
                bail!("ace serve ended with {status}; see {}", self.directory.join("serve.log").display());
            }
            ensure!(begun.elapsed() < START, "ace serve is not ready after {START:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(serving)
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut connection) = Connection::open(self.address).await else { return false };
        connection.send(&Request::get("/readyz")).await.is_ok_and(|reply| reply.status == 200)
    }
}

/// A running `ace serve`; killed when dropped.
#[derive(Debug)]
pub struct Serving {
    child: Child,
}

impl Serving {
    /// Ends it like a crash.
    ///
    /// # Errors
    /// When it is gone already.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// When it ends with an error, or not at all.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(pid) = self.child.id() {
            kill(Pid::from_raw(pid.cast_signed()), Signal::SIGTERM)?;
        }
        let status = tokio::time::timeout(Duration::from_secs(40), self.child.wait()).await??;
        ensure!(status.success(), "ace serve ended with {status}");
        Ok(())
    }

    /// The most memory it ever had, in megabytes; unknown where the system does not say.
    pub fn peak_memory(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kilobytes / 1024.0)
    }
}
