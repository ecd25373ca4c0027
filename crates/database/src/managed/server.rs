//! One run of the server: start, wait until it is ready, stop; and what a former run left behind.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::ManagedError;
use super::cluster::Cluster;
use super::process::{self, Lifetime};

/// How often a state is looked at again.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// How long a start may take; recovery after a crash replays at most `max_wal_size` of log.
const START_LIMIT: Duration = Duration::from_secs(300);

/// How long a fast stop may take before it is cut short; the next start then recovers.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// Sized for a machine that runs ACE beside it. Given on the command line, so that `data/postgresql.conf` stays as
/// PostgreSQL made it; a larger installation brings its own server by DATABASE_URL.
const SETTINGS: [(&str, &str); 13] = [
    ("listen_addresses", ""),
    ("port", "5432"),
    ("unix_socket_permissions", "0777"),
    ("shared_buffers", "128MB"),
    ("effective_cache_size", "512MB"),
    ("work_mem", "8MB"),
    ("maintenance_work_mem", "64MB"),
    ("max_wal_size", "2GB"),
    ("random_page_cost", "1.1"),
    ("max_locks_per_transaction", "128"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("log_line_prefix", "%m [%p] %q%u@%d "),
];

/// What a server that may be lost does without.
const THROW_AWAY: [(&str, &str); 6] = [
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("autovacuum", "off"),
];

/// A server started by this process.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
}

impl Server {
    /// Starts the server on `cluster` and waits until it takes connections. Only for the holder of the lock.
    pub(super) fn start(cluster: &Cluster, lifetime: Lifetime) -> Result<Self, ManagedError> {
        clear_leftover(cluster)?;
        cluster.initialise()?;
        let log = cluster.open_log()?;
        let log_start = log.metadata().map_or(0, |metadata| metadata.len());
        let child = process::spawn(&cluster.account, postgres(cluster), log, lifetime)?;
        let mut server = Self { child };
        server.wait_until_ready(cluster, log_start)?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, cluster: &Cluster, log_start: u64) -> Result<(), ManagedError> {
        let begun = Instant::now();
        loop {
            if ready_pid(&cluster.data) == i32::try_from(self.child.id()).ok() {
                return Ok(());
            }
            if self.has_ended() || begun.elapsed() > START_LIMIT {
                self.stop();
                return Err(ManagedError::Failed { program: "postgres", output: log_since(cluster, log_start) });
            }
            sleep(TICK);
        }
    }

    /// Whether the server is gone; collects it if so.
    pub(super) fn has_ended(&mut self) -> bool {
        // an error means that there is nothing to wait for any more
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends sessions and stops cleanly; harder when that takes too long.
    pub(super) fn stop(&mut self) {
        for (signal, limit) in [(Signal::SIGINT, STOP_LIMIT), (Signal::SIGQUIT, Duration::from_secs(5))] {
            if self.has_ended() {
                return;
            }
            send(self.child.id().cast_signed(), signal);
            wait_while(limit, || !self.has_ended());
        }
    }
}

fn postgres(cluster: &Cluster) -> std::process::Command {
    let mut command = cluster.program("postgres");
    command.arg("-D").arg(&cluster.data).arg("-k").arg(&cluster.socket);
    let more: &[(&str, &str)] = if cluster.options.fsync { &[("fsync", "on")] } else { &THROW_AWAY };
    for (name, value) in SETTINGS.iter().chain(more) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    command.arg("-c").arg(format!("max_connections={}", cluster.options.max_connections));
    command
}

/// Makes sure a server runs that stays when this process ends. The lock is held only while starting it.
pub(super) fn ensure_detached(cluster: &Cluster) -> Result<(), ManagedError> {
    let lock = super::supervisor::open_lock(cluster)?;
    lock.lock().map_err(ManagedError::io("lock", &cluster.options.directory))?;
    if is_ready(cluster) {
        return Ok(());
    }
    Server::start(cluster, Lifetime::Detached).map(drop)
}

/// Whether a server on this directory takes connections, whoever started it.
pub(super) fn is_ready(cluster: &Cluster) -> bool {
    ready_pid(&cluster.data).is_some_and(|pid| is_ours(cluster, pid))
}

/// Stops a server whose ACE died, and clears the way when the number of a dead one now names another process.
fn clear_leftover(cluster: &Cluster) -> Result<(), ManagedError> {
    let Some(pid) = recorded_pid(&cluster.data) else { return Ok(()) };
    if is_ours(cluster, pid) {
        tracing::warn!(pid, "stopping the PostgreSQL that a former ACE left behind");
        send(pid, Signal::SIGINT);
        wait_while(STOP_LIMIT, || is_ours(cluster, pid));
        if is_ours(cluster, pid) {
            send(pid, Signal::SIGQUIT);
            wait_while(Duration::from_secs(5), || is_ours(cluster, pid));
        }
        return Ok(());
    }
    if is_alive(pid) {
        // PostgreSQL would take the stranger for itself and refuse to start; common in containers, where numbers are low
        let path = cluster.data.join("postmaster.pid");
        fs::remove_file(&path).map_err(ManagedError::io("remove", &path))?;
    }
    Ok(())
}

/// Whether `pid` is a server on this very directory: a postmaster works inside its data.
fn is_ours(cluster: &Cluster, pid: i32) -> bool {
    if cfg!(target_os = "linux") {
        return fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|directory| directory == cluster.data);
    }
    let output = std::process::Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
    let data = cluster.data.to_string_lossy().into_owned();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(&data))
}

fn is_alive(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH)
}

fn send(pid: i32, signal: Signal) {
    if let Err(error) = kill(Pid::from_raw(pid), signal) {
        tracing::debug!(pid, %signal, %error, "the server did not take a signal");
    }
}

/// `postmaster.pid`: the first line is the process, the eighth its state.
fn recorded_pid(data: &Path) -> Option<i32> {
    fs::read_to_string(data.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

fn ready_pid(data: &Path) -> Option<i32> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let state = text.lines().nth(7)?.trim();
    (state == "ready").then(|| text.lines().next()?.trim().parse().ok()).flatten()
}

fn wait_while(limit: Duration, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while condition() && begun.elapsed() < limit {
        sleep(TICK);
    }
}

/// What the server wrote in its last moments.
fn log_since(cluster: &Cluster, start: u64) -> String {
    let bytes = fs::read(cluster.log_path()).unwrap_or_default();
    let start = usize::try_from(start).unwrap_or(0).min(bytes.len());
    let text = String::from_utf8_lossy(&bytes[start..]).into_owned();
    let skip = text.lines().count().saturating_sub(10);
    text.lines().skip(skip).collect::<Vec<_>>().join("\n")
}
