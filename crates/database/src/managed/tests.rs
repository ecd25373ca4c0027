//! Against the machine's own PostgreSQL, as whoever runs the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::account::is_root;
use super::cluster::Cluster;
use super::process::Lifetime;
use super::server::{self, Server};
use super::{Managed, ManagedError, Options, SUPERUSER};

/// A directory that is gone after the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ace-managed-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn options(&self) -> Options {
        Options { max_connections: 20, ..Options::throw_away(&self.0) }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn ask(url: &str, sql: &str) -> Result<String, String> {
    answer(Command::new("psql").args([url, "-XAtqc", sql]))
}

fn answer(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn postmaster(directory: &Directory) -> Pid {
    let text = fs::read_to_string(directory.0.join("data/postmaster.pid")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap())
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(20), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn data_survive_a_stop_and_nothing_is_left_running() {
    let directory = Directory::new("stop");
    let managed = Managed::start(&directory.options()).unwrap();
    assert!(managed.is_owner());
    let url = managed.url(SUPERUSER, "postgres");
    ask(&url, "create table kept (id int); insert into kept values (7); create role ace_app login").unwrap();
    assert_eq!(ask(&url, "show data_checksums").unwrap(), "on");
    assert_eq!(ask(&url, "show listen_addresses").unwrap(), "");
    assert_eq!(ask(&managed.url("ace_app", "postgres"), "select current_user").unwrap(), "ace_app");
    let pid = postmaster(&directory);
    managed.stop();
    assert!(kill(pid, None).is_err(), "the server is still there");
    assert!(ask(&url, "select 1").is_err());

    let managed = Managed::start(&directory.options()).unwrap();
    assert_eq!(ask(&managed.url(SUPERUSER, "postgres"), "select id from kept").unwrap(), "7");
}

#[test]
fn real_data_are_written_with_fsync() {
    let directory = Directory::new("fsync");
    let managed = Managed::start(&Options::new(&directory.0)).unwrap();
    let url = managed.url(SUPERUSER, "postgres");
    for setting in ["fsync", "synchronous_commit", "full_page_writes", "autovacuum"] {
        assert_eq!(ask(&url, &format!("show {setting}")).unwrap(), "on", "{setting}");
    }
}

#[test]
fn a_role_we_did_not_name_and_a_stranger_of_the_system_are_refused() {
    let directory = Directory::new("peer");
    let managed = Managed::start(&directory.options()).unwrap();
    ask(&managed.url(SUPERUSER, "postgres"), "create role somebody login superuser").unwrap();
    let error = ask(&managed.url("somebody", "postgres"), "select 1").unwrap_err();
    assert!(error.contains("authentication failed"), "{error}");
    if is_root() {
        let url = managed.url(SUPERUSER, "postgres");
        let error = answer(Command::new("setpriv").args([
            "--reuid=daemon",
            "--regid=daemon",
            "--clear-groups",
            "psql",
            &url,
            "-XAtqc",
            "select 1",
        ]));
        assert!(error.clone().is_err_and(|text| text.contains("authentication failed")), "{error:?}");
    }
}

#[test]
fn a_killed_server_comes_back_by_itself() {
    let directory = Directory::new("killed");
    let managed = Managed::start(&directory.options()).unwrap();
    let url = managed.url(SUPERUSER, "postgres");
    let pid = postmaster(&directory);
    kill(pid, Signal::SIGKILL).unwrap();
    eventually("another server", || ask(&url, "select 1").is_ok() && postmaster(&directory) != pid);
}

#[test]
fn a_server_bound_to_a_thread_ends_with_it_cleanly() {
    let directory = Directory::new("bound");
    let cluster = Cluster::prepare(&directory.options()).unwrap();
    let theirs = cluster.clone();
    let started = std::thread::spawn(move || Server::start(&theirs, Lifetime::BoundToThread).map(drop)).join().unwrap();
    started.unwrap();
    if cfg!(target_os = "linux") {
        eventually("a clean end", || !directory.0.join("data/postmaster.pid").exists());
        assert!(!server::is_ready(&cluster));
    }
}

#[test]
fn a_server_left_behind_is_replaced() {
    let directory = Directory::new("left");
    let cluster = Cluster::prepare(&directory.options()).unwrap();
    Server::start(&cluster, Lifetime::Detached).unwrap();
    let left = postmaster(&directory);
    let managed = Managed::start(&directory.options()).unwrap();
    assert_ne!(postmaster(&directory), left);
    assert_eq!(ask(&managed.url(SUPERUSER, "postgres"), "select 1").unwrap(), "1");
}

#[test]
fn a_dead_servers_number_that_now_is_somebody_elses_does_no_harm() {
    let directory = Directory::new("number");
    Managed::start(&directory.options()).unwrap().stop();
    // of the server's own user: PostgreSQL takes no notice of processes that it may not signal
    let mut sleep = Command::new("sleep");
    sleep.arg("60");
    Cluster::prepare(&directory.options()).unwrap().account.run(&mut sleep);
    let mut innocent = sleep.spawn().unwrap();
    let path = directory.0.join("data/postmaster.pid");
    fs::write(&path, format!("{}\n{}\n1\n5432\n/tmp\n\n  1 1\nready   \n", innocent.id(), path.display())).unwrap();
    let managed = Managed::start(&directory.options()).unwrap();
    assert_eq!(ask(&managed.url(SUPERUSER, "postgres"), "select 1").unwrap(), "1");
    assert_eq!(innocent.try_wait().unwrap(), None, "the innocent process was killed");
    innocent.kill().unwrap();
    innocent.wait().unwrap();
}

#[test]
fn a_second_ace_is_a_guest_and_takes_over_when_the_first_leaves() {
    let directory = Directory::new("guest");
    let first = Managed::start(&directory.options()).unwrap();
    let second = Managed::start(&directory.options()).unwrap();
    assert!(first.is_owner() && !second.is_owner());
    let url = second.url(SUPERUSER, "postgres");
    assert_eq!(ask(&url, "select 1").unwrap(), "1");
    Managed::start(&directory.options()).unwrap().stop();
    assert_eq!(ask(&url, "select 1").unwrap(), "1", "a guest that leaves must not stop the server");
    first.stop();
    eventually("the second to own the server", || second.is_owner() && ask(&url, "select 1").is_ok());
}

#[test]
fn another_major_versions_data_are_refused_with_the_way_to_upgrade() {
    let directory = Directory::new("major");
    Managed::start(&directory.options()).unwrap().stop();
    fs::write(directory.0.join("data/PG_VERSION"), "12\n").unwrap();
    let error = Managed::start(&directory.options()).unwrap_err();
    assert!(matches!(error, ManagedError::OtherMajor { data: 12, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("pg_upgrade") && text.contains("postgresql-12"), "{text}");
    assert!(!directory.0.join("data/postmaster.pid").exists());
}

#[test]
fn an_interrupted_first_start_does_not_pass_for_data() {
    let directory = Directory::new("partial");
    let partial = directory.0.join("data.partial");
    fs::create_dir_all(&partial).unwrap();
    fs::write(partial.join("PG_VERSION"), "15\n").unwrap();
    let managed = Managed::start(&directory.options()).unwrap();
    assert_eq!(ask(&managed.url(SUPERUSER, "postgres"), "select 1").unwrap(), "1");
    assert!(!partial.exists());
}

#[test]
fn a_path_too_long_for_a_socket_works_all_the_same() {
    let directory = Directory::new("long");
    let long = directory.0.join("d".repeat(100));
    let managed = Managed::start(&Options { max_connections: 20, ..Options::throw_away(&long) }).unwrap();
    assert!(managed.socket_directory().starts_with("/tmp"));
    assert_eq!(ask(&managed.url(SUPERUSER, "postgres"), "select 1").unwrap(), "1");
    let socket = managed.socket_directory().to_owned();
    managed.stop();
    fs::remove_dir(socket).unwrap();
}

#[test]
fn a_socket_directory_made_by_a_stranger_is_refused() {
    if !is_root() {
        return; // only root can make a stranger's directory
    }
    let directory = Directory::new("stranger");
    let socket = directory.0.join("run");
    fs::create_dir(&socket).unwrap();
    std::os::unix::fs::chown(&socket, Some(12_345), Some(12_345)).unwrap();
    let error = Managed::start(&directory.options()).unwrap_err();
    assert!(matches!(error, ManagedError::NotOurs { owner: 12_345, .. }), "{error}");
}

#[test]
fn a_directory_the_servers_user_cannot_enter_is_named() {
    if !is_root() {
        return; // only root starts the server as somebody else
    }
    let directory = Directory::new("closed");
    let closed = directory.0.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let error = Managed::start(&Options::throw_away(closed.join("postgres"))).unwrap_err();
    assert!(matches!(&error, ManagedError::NotTraversable { directory, .. } if *directory == closed), "{error}");
    assert!(!Path::new(&closed.join("postgres/data")).exists());
}
