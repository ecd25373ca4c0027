//! The databases and servers that tests stand on.

#![cfg(test)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::TestDatabase;

async fn count(database: &TestDatabase, sql: &str) -> i64 {
    database.admin().await.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn each_test_has_a_migrated_database_of_its_own_that_ends_with_it() {
    let (one, other) = (TestDatabase::new().await, TestDatabase::new().await);
    assert_ne!(one.name(), other.name());
    one.database().ping().await.unwrap();
    assert_eq!(count(&one, "select count(*) from refinery_schema_history where version = 1").await, 1);
    one.admin().await.batch_execute("create table mine (id int)").await.unwrap();
    assert_eq!(count(&one, "select count(*) from pg_class where relname = 'mine'").await, 1);
    assert_eq!(count(&other, "select count(*) from pg_class where relname = 'mine'").await, 0);
    let gone = format!("select count(*) from pg_database where datname = '{}'", one.name());
    drop(one);
    assert_eq!(count(&other, &gone).await, 0);
}

#[tokio::test]
async fn the_clock_stands_still_until_it_is_moved() {
    let database = TestDatabase::new().await;
    let before = database.database().clock().now();
    assert_eq!(before, database.clock().now());
    database.clock().advance(chrono::Duration::hours(3));
    assert_eq!(database.database().clock().now() - before, chrono::Duration::hours(3));
}

fn with_postgres(script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-postgres"));
    command.args(["sh", "-c", script]).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

#[test]
fn a_command_runs_beside_a_server_and_its_status_is_ours() {
    let output = with_postgres("psql \"$ACE_TEST_DATABASE_URL\" -XAtqc 'show fsync'; exit 7").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "off");
    assert_eq!(output.status.code(), Some(7));
    let missing = Command::new(env!("CARGO_BIN_EXE_with-postgres")).arg("/nonexistent").output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
}

/// Starts a long command and waits for its server.
fn started() -> (Child, std::path::PathBuf) {
    let mut child = with_postgres("echo begun; while kill -0 $PPID; do sleep 0.1; done 2>/dev/null").spawn().unwrap();
    let directory = std::env::temp_dir().join(format!("ace-with-postgres-{}", child.id()));
    // the command says so when it runs, which is after its server does
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said.trim(), "begun");
    let pid_file = directory.join("data/postmaster.pid");
    eventually("a server", || std::fs::read_to_string(&pid_file).is_ok_and(|text| text.contains("ready")));
    (child, directory)
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(20), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn server_pid(directory: &Path) -> Pid {
    let text = std::fs::read_to_string(directory.join("data/postmaster.pid")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap())
}

#[test]
fn terminating_it_ends_the_command_the_server_and_the_data() {
    let (mut child, directory) = started();
    let server = server_pid(&directory);
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    assert!(kill(server, None).is_err() && !directory.exists());
}

#[test]
fn killing_it_ends_the_server_all_the_same() {
    let (mut child, directory) = started();
    let server = server_pid(&directory);
    child.kill().unwrap();
    child.wait().unwrap();
    if cfg!(target_os = "linux") {
        eventually("the server to end", || kill(server, None).is_err());
    }
    std::fs::remove_dir_all(directory).unwrap();
}
