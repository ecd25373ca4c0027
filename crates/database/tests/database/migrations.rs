//! Migrations run once, however many processes start together, and never against a schema from the future.

use std::process::{Command, Stdio};

use database::migrate;
use kernel::Error;
use testkit::{Server, TestDatabase};
use tokio_postgres::Config;

/// Names the database that [`one_process_of_several`] migrates.
const VARIABLE: &str = "ACE_TEST_MIGRATE";

/// An empty database beside a test's own, swept with it.
struct Empty {
    server: Server,
    name: String,
}

impl Empty {
    async fn new(db: &TestDatabase) -> Self {
        let server = Server::find().await.unwrap();
        let name = format!("{}_empty", db.name());
        migrate::create_database(&server.config("postgres"), &name).await.unwrap();
        Self { server, name }
    }

    fn config(&self) -> Config {
        self.server.config(&self.name)
    }

    async fn drop(self) {
        let admin = self.server.connect("postgres").await.unwrap();
        admin.batch_execute(&format!("drop database {} with (force)", self.name)).await.unwrap();
    }
}

fn code_of(error: Error) -> &'static str {
    match error {
        Error::Conflict { code, .. } => code,
        other => panic!("not a conflict: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_together_migrate_once() {
    let db = TestDatabase::new().await;
    let empty = Empty::new(&db).await;
    let started: Vec<_> = (0..4)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "--nocapture", "migrations::one_process_of_several"])
                .env(VARIABLE, &empty.name)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut applied = Vec::new();
    for process in started {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let count = said.lines().find_map(|line| line.split_once("applied ")).unwrap().1.parse::<i32>().unwrap();
        applied.push(count);
    }
    applied.sort_unstable();
    assert_eq!(applied, [0, 0, 0, migrate::newest()], "one process migrates, the others wait and find nothing to do");

    let admin = empty.server.connect(&empty.name).await.unwrap();
    let counts = "select count(*), count(distinct version) from refinery_schema_history";
    let row = admin.query_one(counts, &[]).await.unwrap();
    let newest = i64::from(migrate::newest());
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (newest, newest));
    drop(admin);
    migrate::check(&empty.config()).await.unwrap();
    empty.drop().await;
}

#[tokio::test]
#[ignore = "a process of the test above, which starts it"]
async fn one_process_of_several() {
    let Ok(name) = std::env::var(VARIABLE) else { return };
    let migrated = migrate::run(&Server::find().await.unwrap().config(&name)).await.unwrap();
    assert_eq!(migrated.version, migrate::newest());
    println!("\napplied {}", migrated.applied.len());
}

#[tokio::test]
async fn a_migrated_database_is_left_as_it_is() {
    let db = TestDatabase::new().await;
    let again = migrate::run(&db.config()).await.unwrap();
    assert_eq!((again.applied, again.version), (Vec::new(), migrate::newest()));
}

#[tokio::test]
async fn a_newer_schema_is_refused_by_serving_and_by_migrating() {
    let db = TestDatabase::new().await;
    let admin = db.admin().await;
    migrate::check(&db.config()).await.unwrap();
    let future = "insert into refinery_schema_history (version, name, applied_on, checksum)
                  select version + 1, 'of_tomorrow', applied_on, checksum
                  from refinery_schema_history order by version desc limit 1";
    admin.batch_execute(future).await.unwrap();
    assert_eq!(code_of(migrate::check(&db.config()).await.unwrap_err()), "schema_newer");
    assert_eq!(code_of(migrate::run(&db.config()).await.unwrap_err()), "schema_newer");
}

#[tokio::test]
async fn an_older_schema_is_refused_by_serving_until_it_is_migrated() {
    let db = TestDatabase::new().await;
    let admin = db.admin().await;
    admin
        .batch_execute(
            "delete from refinery_schema_history where version = (select max(version) from refinery_schema_history)",
        )
        .await
        .unwrap();
    assert_eq!(code_of(migrate::check(&db.config()).await.unwrap_err()), "schema_older");
    let empty = Empty::new(&db).await;
    assert_eq!(code_of(migrate::check(&empty.config()).await.unwrap_err()), "schema_older");
    migrate::run(&empty.config()).await.unwrap();
    migrate::check(&empty.config()).await.unwrap();
    empty.drop().await;
}
