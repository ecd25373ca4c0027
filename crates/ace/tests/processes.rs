//! Several `ace` processes on one database: what starts together migrates once, what is older than the schema does
//! not start.
#![cfg(test)]

use std::process::{Command, Output, Stdio};

use database::migrate;
use serde_json::Value;
use testkit::{Server, TestDatabase};
use tokio_postgres::config::Host;

/// A database of the test server as a URL for a process.
fn url(server: &Server, name: &str) -> String {
    let config = server.config(name);
    let Some(Host::Unix(socket)) = config.get_hosts().first() else { panic!("the test server has no socket") };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("postgresql:///{name}?host={}&port={port}&user={}", socket.display(), config.get_user().unwrap())
}

fn ace(database_url: &str, data_dir: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ace"));
    command.args(arguments).env_clear().envs(std::env::vars().filter(|(name, _)| !name.starts_with("ACE_")));
    command
        .env("DATABASE_URL", database_url)
        .env("ACE_DATA_DIR", data_dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn processes_that_start_together_migrate_once() {
    let db = TestDatabase::new().await;
    let server = Server::find().await.unwrap();
    let name = format!("{}_empty", db.name());
    migrate::create_database(&server.config("postgres"), &name).await.unwrap();
    let url = url(&server, &name);
    let data_dir = std::env::temp_dir().join(&name);
    let started: Vec<_> =
        (0..3).map(|_| ace(&url, data_dir.to_str().unwrap(), &["migrate", "--json"]).spawn().unwrap()).collect();
    let mut applied = Vec::new();
    for process in started {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["version"], migrate::newest());
        applied.push(report["applied"].as_array().unwrap().len());
    }
    applied.sort_unstable();
    assert_eq!(applied, [0, 0, usize::try_from(migrate::newest()).unwrap()]);
    let admin = server.connect("postgres").await.unwrap();
    admin.batch_execute(&format!("drop database {name} with (force)")).await.unwrap();
    std::fs::remove_dir_all(&data_dir).ok();
}

#[tokio::test]
async fn serving_refuses_a_schema_from_the_future() {
    let db = TestDatabase::new().await;
    let future = "insert into refinery_schema_history (version, name, applied_on, checksum)
                  select version + 1, 'of_tomorrow', applied_on, checksum
                  from refinery_schema_history order by version desc limit 1";
    db.admin().await.batch_execute(future).await.unwrap();
    let server = Server::find().await.unwrap();
    let data_dir = std::env::temp_dir().join(db.name());
    let url = url(&server, db.name());
    let output = ace(&url, data_dir.to_str().unwrap(), &["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert!(!output.status.success());
    assert!(said(&output).contains("newer than this ace"), "{}", said(&output));
    std::fs::remove_dir_all(&data_dir).ok();
}
