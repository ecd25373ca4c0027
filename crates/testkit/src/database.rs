//! A database for each test, cloned from a template that has all migrations.

use anyhow::{Context, Result};
use chrono::{DateTime, TimeZone, Utc};
use database::{ActorKey, ConnectOptions, Database, keys, migrate};
use kernel::keyring::Keyring;
use kernel::{Clock, random};
use tokio_postgres::{Client, Config};

use crate::Server;

/// The advisory lock of whoever builds a template. The number spells `TEST`.
const BUILD_LOCK: i64 = 0x5445_5354;

/// Everything of ours on the server, with its age in seconds read from its comment or, for test databases, its name.
const LIST: &str = "
    select datname,
           extract(epoch from clock_timestamp())::int8 as now,
           coalesce(shobj_description(oid, 'pg_database'), '') as comment
    from pg_database
    where datname like 'ace\\_test\\_%' or datname like 'ace\\_template\\_%'";

/// A test database older than this was left by a run that was killed.
const STALE_TEST: i64 = 3600;

/// A template older than this, and not ours, belongs to migrations nobody runs any more.
const STALE_TEMPLATE: i64 = 4 * 3600;

/// A migrated database that only this test sees; dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    server: Server,
    name: String,
    database: Database,
    clock: Clock,
}

impl TestDatabase {
    /// Clones the template, building it first when the migrations have changed.
    ///
    /// # Panics
    /// When there is no server to be had; the message says what to do.
    pub async fn new() -> Self {
        match Self::try_new().await {
            Ok(database) => database,
            Err(error) => panic!("no test database: {error:#}"),
        }
    }

    async fn try_new() -> Result<Self> {
        let server = Server::find().await?;
        let admin = server.connect("postgres").await?;
        let template = template_name();
        let now = tidy(&admin, &template).await?;
        build_template(&server, &admin, &template).await?;
        let name = format!("ace_test_{now:x}_{}", hex(random::bytes::<5>()));
        admin.batch_execute(&format!("create database {name} template {template}")).await.context("clone")?;
        // rights on a database are not cloned with it
        let rights =
            format!("revoke temporary on database {name} from public; grant temporary on database {name} to ace_owner");
        admin.batch_execute(&rights).await.context("rights")?;
        let clock = Clock::manual(start());
        let config = server.config(&name);
        let database = Database::new(&options(&config, 8), clock.clone())?;
        Ok(Self { server, name, database, clock })
    }

    /// The door to the data, as the application sees it.
    pub fn database(&self) -> Database {
        self.database.clone()
    }

    /// The clock that the database stamps with; it stands still until the test moves it.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The database's name on the test server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How to reach this database as the superuser, for tests about the database itself.
    pub fn config(&self) -> Config {
        self.server.config(&self.name)
    }

    /// A superuser's connection, past every policy: to look at what is really there.
    ///
    /// # Panics
    /// When the server is gone.
    pub async fn admin(&self) -> Client {
        match self.server.connect(&self.name).await {
            Ok(client) => client,
            Err(error) => panic!("{error:#}"),
        }
    }
}

/// How the application reaches a test database, with connections in each pool.
pub fn options(config: &Config, pool_size: usize) -> ConnectOptions {
    ConnectOptions {
        owner: config.clone(),
        app: config.clone(),
        public: config.clone(),
        signin: config.clone(),
        worker: config.clone(),
        pool_size,
        actor_key: ActorKey::of(&Keyring::for_tests()),
    }
}

/// SQL by which a superuser's transaction becomes an actor's (`user:ID`, `key:ID`, `client:ID`, `operator`): before `set role`.
pub fn entering(actor: &str) -> String {
    format!(
        "select app.new_secret(); select set_config('app.actor', '{actor}', true), set_config('app.seal', app.seal('{actor}'), true)"
    )
}

impl Drop for TestDatabase {
    /// In a thread of its own: the test's runtime may be ending.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropped = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let admin = server.connect("postgres").await?;
                Ok(drop_database(&admin, &name).await?)
            })
        });
        if !matches!(dropped.join(), Ok(Ok(()))) {
            eprintln!("left behind: the test database {}; a later run sweeps it", self.name);
        }
    }
}

/// A Monday morning in New York.
fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 2, 15, 0, 0).single().unwrap_or_default()
}

fn template_name() -> String {
    format!("ace_template_{}", migrate::fingerprint())
}

fn hex<const N: usize>(bytes: [u8; N]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Drops what earlier runs left behind, and tells the server's time.
async fn tidy(admin: &Client, template: &str) -> Result<i64> {
    let mut now = 0;
    for row in admin.query(LIST, &[]).await? {
        let (name, comment): (String, String) = (row.get("datname"), row.get("comment"));
        now = row.get("now");
        if name != template && is_stale(&name, &comment, now) {
            // another process may sweep the same one
            drop_database(admin, &name).await.ok();
        }
    }
    if now > 0 {
        return Ok(now);
    }
    Ok(admin.query_one("select extract(epoch from clock_timestamp())::int8", &[]).await?.get(0))
}

fn is_stale(name: &str, comment: &str, now: i64) -> bool {
    let begun = |text: Option<&str>, radix| text.and_then(|text| i64::from_str_radix(text, radix).ok());
    match name.strip_prefix("ace_test_") {
        Some(rest) => begun(rest.split('_').next(), 16).is_some_and(|begun| now - begun > STALE_TEST),
        None => begun(comment.strip_prefix("built "), 10).is_none_or(|begun| now - begun > STALE_TEMPLATE),
    }
}

async fn drop_database(admin: &Client, name: &str) -> Result<(), tokio_postgres::Error> {
    admin.batch_execute(&format!("drop database if exists {name} with (force)")).await
}

/// Once for each state of the migrations; other processes wait for the one that builds.
async fn build_template(server: &Server, admin: &Client, template: &str) -> Result<()> {
    if exists(admin, template).await? {
        return Ok(());
    }
    admin.execute("select pg_advisory_lock($1)", &[&BUILD_LOCK]).await?;
    let built = match exists(admin, template).await {
        Ok(false) => build(server, admin, template).await,
        other => other.map(|_| ()),
    };
    admin.execute("select pg_advisory_unlock($1)", &[&BUILD_LOCK]).await?;
    built
}

async fn exists(admin: &Client, template: &str) -> Result<bool> {
    let row = admin.query_one("select exists (select from pg_database where datname = $1)", &[&template]).await?;
    Ok(row.get(0))
}

/// Under another name until it is whole. The name is that of a test database, so that a failure is swept.
async fn build(server: &Server, admin: &Client, template: &str) -> Result<()> {
    let now: i64 = admin.query_one("select extract(epoch from clock_timestamp())::int8", &[]).await?.get(0);
    let raw = format!("ace_test_{now:x}_{}", hex(random::bytes::<5>()));
    admin.batch_execute(&format!("create database {raw} template template0 encoding 'UTF8'")).await?;
    migrate::run(&server.config(&raw)).await.context("the migrations fail on an empty database")?;
    keys::recognise(&server.config(&raw), &Keyring::for_tests()).await?;
    admin.batch_execute(&format!("comment on database {raw} is 'built {now}'")).await?;
    rename(admin, &raw, template).await
}

/// The migration's connection ends a moment after it is dropped; PostgreSQL renames only what nobody uses.
async fn rename(admin: &Client, from: &str, to: &str) -> Result<()> {
    for _ in 0..100 {
        match admin.batch_execute(&format!("alter database {from} rename to {to}")).await {
            Err(error) if error.code() == Some(&tokio_postgres::error::SqlState::OBJECT_IN_USE) => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            other => return other.context("rename the template"),
        }
    }
    anyhow::bail!("{from} stays in use")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_old_is_swept() {
        let now = 1_800_000_000;
        assert!(is_stale(&format!("ace_test_{:x}_ab", now - STALE_TEST - 1), "", now));
        assert!(!is_stale(&format!("ace_test_{:x}_ab", now - 10), "", now));
        assert!(is_stale("ace_template_0", &format!("built {}", now - STALE_TEMPLATE - 1), now));
        assert!(!is_stale("ace_template_0", &format!("built {}", now - 10), now));
        assert!(is_stale("ace_template_0", "", now));
        assert!(!is_stale("ace_test_of_somebody", "", now));
    }
}
