//! Migrations: forward only, once, safely with several processes starting together.

use std::time::Duration;

use kernel::{Error, Result};
use tokio_postgres::{Client, Config};

use crate::{error, tls};

mod embedded {
    refinery::embed_migrations!("../../migrations");
}

/// Creates the roles and gives the schema to `ace_owner`; needs a user who may create roles.
const BOOTSTRAP: &str = include_str!("bootstrap.sql");

/// The advisory lock that lets one process migrate while others wait. The number spells `ACE`.
const LOCK: &str = "select pg_advisory_lock(4277061)";

/// What a migration run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Names of the steps applied just now, in order.
    pub applied: Vec<String>,
    /// The schema's version afterwards.
    pub version: i32,
}

/// The version this program was built for.
pub fn newest() -> i32 {
    embedded::migrations::runner().get_migrations().iter().map(refinery::Migration::version).max().unwrap_or(0)
}

/// A text that differs whenever any migration differs: names the template database of the tests.
pub fn fingerprint() -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    BOOTSTRAP.hash(&mut hasher);
    for migration in embedded::migrations::runner().get_migrations() {
        (migration.name(), migration.sql()).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// Brings the database that `owner` names to [`newest`], creating the roles first where they are missing.
///
/// # Errors
/// `Unavailable` when the database cannot be reached, `Conflict` when its schema is newer than this program.
pub async fn run(owner: &Config) -> Result<Migrated> {
    let mut client = connect(owner).await?;
    client.batch_execute(LOCK).await.map_err(|e| failed("wait for other migrations", &e))?;
    client.batch_execute(BOOTSTRAP).await.map_err(|e| failed("bootstrap", &e))?;
    client.batch_execute("set role ace_owner").await.map_err(|e| failed("set role ace_owner", &e))?;
    refuse_newer(&client).await?;
    let report = embedded::migrations::runner()
        .run_async(&mut client)
        .await
        .map_err(|e| Error::Unavailable(format!("the migration did not go through: {}", error::with_causes(&e))))?;
    client
        .batch_execute("grant select on refinery_schema_history to ace_app")
        .await
        .map_err(|e| failed("grant", &e))?;
    let applied = report.applied_migrations().iter().map(|m| m.name().to_owned()).collect();
    Ok(Migrated { applied, version: newest() })
}

/// Checks that the schema is just what this program was built for.
///
/// # Errors
/// `Conflict` naming both versions when the schema is newer or older.
pub async fn check(any_role: &Config) -> Result<()> {
    let client = connect(any_role).await?;
    refuse_newer(&client).await?;
    let version = version(&client).await?;
    if version < newest() {
        let message = format!("the schema is at version {version}, this ace needs {}: run `ace migrate`", newest());
        return Err(Error::conflict("schema_older", message));
    }
    Ok(())
}

async fn refuse_newer(client: &Client) -> Result<()> {
    let version = version(client).await?;
    if version > newest() {
        let message = format!(
            "the schema is at version {version}, newer than this ace, which knows {}: start a newer ace",
            newest()
        );
        return Err(Error::conflict("schema_newer", message));
    }
    Ok(())
}

async fn version(client: &Client) -> Result<i32> {
    let exists = client
        .query_one("select to_regclass('public.refinery_schema_history') is not null", &[])
        .await
        .map_err(|e| failed("look for the schema", &e))?;
    if !exists.get::<_, bool>(0) {
        return Ok(0);
    }
    let row = client
        .query_one("select coalesce(max(version), 0)::int4 from public.refinery_schema_history", &[])
        .await
        .map_err(|e| failed("look for the schema's version", &e))?;
    Ok(row.get(0))
}

pub(crate) async fn connect(config: &Config) -> Result<Client> {
    let (mut config, connector) = tls::prepare(config)?;
    config.application_name("ace migrate").connect_timeout(Duration::from_secs(10));
    #[expect(clippy::disallowed_methods, reason = "migrations run before there is anybody to ask for")]
    let (client, connection) = config.connect(connector).await.map_err(|e| error::of_connecting(&e))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(error = error::with_causes(&error), "the migration's connection ended");
        }
    });
    Ok(client)
}

pub(crate) fn failed(what: &str, error: &tokio_postgres::Error) -> Error {
    Error::Unavailable(format!("{what}: {}", error::with_causes(error)))
}

/// Creates the database `name` on the server of `superuser` unless it is there.
///
/// # Errors
/// `Unavailable` when the server cannot be reached.
pub async fn create_database(superuser: &Config, name: &str) -> Result<()> {
    let client = connect(superuser).await?;
    let exists = client
        .query_opt("select 1 from pg_database where datname = $1", &[&name])
        .await
        .map_err(|e| failed("look for the database", &e))?;
    if exists.is_some() {
        return Ok(());
    }
    // `create database` takes no parameters; the name is ours and quoted all the same.
    let created = client.batch_execute(&format!("create database \"{}\"", name.replace('"', "\"\""))).await;
    match created {
        Err(error) if error.code() == Some(&tokio_postgres::error::SqlState::DUPLICATE_DATABASE) => Ok(()),
        other => other.map_err(|e| failed("create the database", &e)),
    }
}
