//! Starting PostgreSQL's programs as the right user.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use super::ManagedError;
use super::account::Account;

/// Runs a program that ends by itself, as `account`.
pub(super) fn run(account: &Account, mut command: Command) -> Result<(), ManagedError> {
    account.run(&mut command);
    // its programs look at the working directory, which may be closed to that user
    command.current_dir("/").stdin(Stdio::null()).env("LC_MESSAGES", "C");
    let output = command.output().map_err(|source| ManagedError::Io { what: "run initdb".into(), source })?;
    if output.status.success() {
        return Ok(());
    }
    let output = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Err(ManagedError::Failed { program: "initdb", output })
}

/// Whether the server ends with the thread that started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// It is sent SIGINT, a fast and clean stop, when that thread is gone, however that came about.
    BoundToThread,
    /// It stays.
    Detached,
}

/// Starts the server as `account`, writing to `log`.
pub(super) fn spawn(
    account: &Account,
    mut command: Command,
    log: File,
    lifetime: Lifetime,
) -> Result<Child, ManagedError> {
    let failed = |source| ManagedError::Io { what: "start postgres".into(), source };
    account.run(&mut command);
    let errors = log.try_clone().map_err(failed)?;
    command.current_dir("/").stdin(Stdio::null()).stdout(log).stderr(errors).env("LC_MESSAGES", "C");
    // Ctrl-C in a terminal reaches a whole process group: ACE must end its own work before its server goes
    command.process_group(0);
    if lifetime == Lifetime::BoundToThread {
        bind_to_thread(&mut command);
    }
    command.spawn().map_err(failed)
}

/// Linux only; elsewhere the next start stops the server that was left behind.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "pre_exec is unsafe because it runs between fork and exec; both calls are bare syscalls"
)]
fn bind_to_thread(command: &mut Command) {
    use nix::sys::{prctl, signal::Signal};
    use nix::unistd::getppid;
    let parent = nix::unistd::getpid();
    unsafe {
        command.pre_exec(move || {
            prctl::set_pdeathsig(Signal::SIGINT)?;
            // the parent may have died before that took hold
            if getppid() == parent { Ok(()) } else { Err(std::io::ErrorKind::NotFound.into()) }
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn bind_to_thread(_: &mut Command) {}
