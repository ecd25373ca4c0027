//! What `/readyz` says, and when: before a process stops taking requests, and when the database takes no new connections.
#![cfg(test)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kernel::keyring::Keyring;
use testkit::{Server, TestApp, TestDatabase};
use tokio_postgres::config::Host;
use web::{App, Method, Routes};

/// What is answered on a connection of its own.
fn ask(port: u16, path: &str) -> std::io::Result<String> {
    ask_on(port, path, "close")
}

/// What is answered until the connection ends.
fn ask_on(port: u16, path: &str, connection: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: ace.test\r\nconnection: {connection}\r\n\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}

/// Asks until it is so.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_told_to_stop_is_not_ready_first_and_takes_requests_meanwhile() {
    let db = TestDatabase::new().await;
    let config = Server::find().await.unwrap().config(db.name());
    let Some(Host::Unix(socket)) = config.get_hosts().first() else { panic!("the test server has no socket") };
    let database_port = config.get_ports().first().copied().unwrap_or(5432);
    let user = config.get_user().unwrap();
    let url = format!("postgresql:///{}?host={}&port={database_port}&user={user}", db.name(), socket.display());
    let mut child = Command::new(env!("CARGO_BIN_EXE_ace"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env_clear()
        .envs(std::env::vars().filter(|(name, _)| !name.starts_with("ACE_")))
        .env("DATABASE_URL", url)
        .env("ACE_KEYS", Keyring::for_tests().written().replace('\n', " "))
        .env("ACE_DATA_DIR", std::env::temp_dir().join(db.name()))
        .env("ACE_SERVER__STOP_DELAY_SECONDS", "5")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let started = lines.by_ref().map(Result::unwrap).find(|line| line.contains("listening on")).unwrap();
    let port: u16 = started.split("127.0.0.1:").last().unwrap().split(')').next().unwrap().parse().unwrap();
    let rest = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>().join("\n"));
    until("ready", || ask(port, "/readyz").is_ok_and(|reply| reply.starts_with("HTTP/1.1 200")));
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    until("no longer ready", || ask(port, "/readyz").unwrap().starts_with("HTTP/1.1 503"));
    let taken = ask(port, "/sign-in").unwrap();
    assert!(taken.starts_with("HTTP/1.1 200"), "still answered: {taken}");
    let kept = ask_on(port, "/healthz", "keep-alive").unwrap();
    assert!(kept.contains("connection: close"), "whoever keeps a connection is told to leave: {kept}");
    // whoever asks a second time does not want to wait
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(child.wait().unwrap().success(), "{}", rest.join().unwrap());
    assert!(ask(port, "/readyz").is_err(), "nobody listens any more");
}

fn every_route(app: &App) -> Routes {
    let drivers = providers::Drivers::from_settings(&app.settings, &app.db, &app.keyring, &app.clock).unwrap();
    ace::assemble::routes(app, &drivers, &events::VisitWriter::start(&app.db))
}

/// The connections in the pools go on working for long after the server has stopped taking new ones.
#[tokio::test]
async fn a_database_that_takes_no_new_connections_is_not_ready() {
    let test = TestApp::new(every_route).await;
    let contacts = || test.api(Method::GET, "/v1/contacts").bearer(&test.story.acme.key);
    contacts().await.expect_status(200);
    test.api(Method::GET, "/readyz").await.expect_status(200);
    let admin = Server::find().await.unwrap().connect("postgres").await.unwrap();
    let allow = |allowed: bool| format!("alter database {} allow_connections {allowed}", test.database.name());
    admin.batch_execute(&allow(false)).await.unwrap();
    let unready = test.api(Method::GET, "/readyz").await.expect_status(503).json();
    contacts().await.expect_status(200);
    admin.batch_execute(&allow(true)).await.unwrap();
    assert_eq!(unready, serde_json::json!({ "status": "unavailable" }), "strangers read it");
    test.api(Method::GET, "/readyz").await.expect_status(200);
}

/// As a standby is until it takes over. No fault of ours: whoever wrote comes back.
#[tokio::test]
async fn a_read_only_database_is_a_matter_of_time() {
    let test = TestApp::new(every_route).await;
    let admin = Server::find().await.unwrap().connect("postgres").await.unwrap();
    let name = test.database.name();
    admin.batch_execute(&format!("alter database {name} set default_transaction_read_only = on")).await.unwrap();
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
    admin.query(cut, &[&name]).await.unwrap();
    let list = serde_json::json!({ "name": "Roofs" });
    for _ in 0..3 {
        let refused = test.api_json(Method::POST, "/v1/lists", &list).bearer(&test.story.acme.key).await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "5"), "{}", refused.text());
    }
}

/// A balancer that is refused takes the process for dead.
#[tokio::test]
async fn health_is_never_over_a_limit() {
    let test = TestApp::new(every_route).await;
    for path in ["/healthz", "/readyz"] {
        let asked = (0..1_100).map(|_| async { test.api(Method::GET, path).await.status });
        let answers = futures_util::future::join_all(asked).await;
        assert!(
            answers.iter().all(|status| *status == 200),
            "{path}: {:?}",
            answers.iter().find(|status| **status != 200)
        );
    }
}
