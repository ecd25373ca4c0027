//! What the same machine does at most: pgbench, COPY and bare statements on the same server.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// Connections of pgbench, and of what is held against it.
pub const CLIENTS: usize = 16;

/// What pgbench found.
#[derive(Debug, Clone, Copy)]
pub struct Pgbench {
    /// Transactions a second.
    pub per_second: f64,
}

/// Runs a script with prepared statements, `transactions` times for each client or for `seconds`.
///
/// # Errors
/// When pgbench is missing or a transaction failed.
pub async fn pgbench(url: &str, directory: &Path, script: &str, how_long: HowLong) -> Result<Pgbench> {
    let file = directory.join("script.sql");
    std::fs::write(&file, script)?;
    let (option, value) = match how_long {
        HowLong::Seconds(seconds) => ("-T", seconds),
        HowLong::Each(transactions) => ("-t", transactions),
    };
    let output = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-c", &CLIENTS.to_string(), "-j", "2", option, &value.to_string(), "-f"])
        .arg(&file)
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .await
        .context("pgbench is not on the PATH; scripts/bench puts it there")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench: {said}{}", String::from_utf8_lossy(&output.stderr));
    let line = said.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench says no tps")?;
    let per_second = line.split(' ').next().unwrap_or_default().parse()?;
    Ok(Pgbench { per_second })
}

/// How long pgbench runs.
#[derive(Debug, Clone, Copy)]
pub enum HowLong {
    /// So many seconds.
    Seconds(usize),
    /// So many transactions for each client.
    Each(usize),
}
