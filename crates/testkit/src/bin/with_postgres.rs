//! Runs a command beside a PostgreSQL of its own: `with-postgres cargo nextest run`.
//!
//! The command finds a superuser's URL in `ACE_TEST_DATABASE_URL`. The server and its data are gone afterwards.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context, Result};
use database::managed::{Managed, Options, SUPERUSER};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// The same name that `testkit` reads.
const URL_VARIABLE: &str = testkit::URL_VARIABLE;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!(
            "usage: with-postgres COMMAND [ARGUMENT]…\n\nRuns COMMAND with {URL_VARIABLE} naming a PostgreSQL that ends with it."
        );
        return ExitCode::from(2);
    };
    match serve(program, arguments.collect()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("with-postgres: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A directory that is gone afterwards.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("with-postgres: cannot remove {}: {error}", self.0.display());
        }
    }
}

fn serve(program: OsString, arguments: Vec<OsString>) -> Result<u8> {
    // dropped in reverse: the server stops before its directory goes
    let directory = Directory(std::env::temp_dir().join(format!("ace-with-postgres-{}", std::process::id())));
    let managed = Managed::start(&Options::throw_away(&directory.0))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let status = runtime.block_on(run(program, arguments, &managed.url(SUPERUSER, "postgres")))?;
    managed.stop();
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(u8::try_from(code).unwrap_or(1))
}

async fn run(program: OsString, arguments: Vec<OsString>, url: &str) -> Result<ExitStatus> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut child = Command::new(&program)
        .args(arguments)
        .env(URL_VARIABLE, url)
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status?),
            // in a terminal the command got it too
            _ = interrupt.recv() => if !std::io::stdin().is_terminal() { pass_on(&child, Signal::SIGINT) },
            _ = terminate.recv() => pass_on(&child, Signal::SIGTERM),
        }
    }
}

fn pass_on(child: &Child, signal: Signal) {
    if let Some(pid) = child.id()
        && let Err(error) = kill(Pid::from_raw(pid.cast_signed()), signal)
    {
        eprintln!("with-postgres: the command did not take {signal}: {error}");
    }
}
