//! One pooled connection: set up once, told apart by its process on the server, and entered by an actor once a
//! transaction.

use std::ops::Deref;

use deadpool::managed::{self, Metrics};
use deadpool_postgres::{ClientWrapper, Manager, ManagerConfig, RecyclingMethod};
use kernel::keyring::{Keyring, mac};
use kernel::{Actor, Clock, Result, System, Who};
use tokio_postgres::Config;

use crate::{RunsAs, error, tls};

/// Makes the transaction the actor's; the database checks the MAC (`migrations/V25__actor.sql`).
const ENTER: &str = "select app.enter($1, $2)";

/// What the application shows the database to say who is asking.
#[derive(Clone)]
pub struct ActorKey(pub(crate) [u8; 32]);

impl ActorKey {
    /// The key of this installation.
    pub fn of(keyring: &Keyring) -> Self {
        Self(keyring.secret("database actor"))
    }
}

impl std::fmt::Debug for ActorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ActorKey")
    }
}

/// A connection of a pool.
#[derive(Debug)]
pub(crate) struct Connection {
    client: ClientWrapper,
    /// The process that serves it: a MAC for this connection is worth nothing on another.
    pid: i32,
    key: ActorKey,
}

impl Deref for Connection {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        &self.client
    }
}

impl Connection {
    /// Enters the transaction that was just begun in the name of `actor`. Queued on the first poll.
    pub async fn enter(&self, actor: &Actor) -> std::result::Result<(), tokio_postgres::Error> {
        let Some(name) = name(actor) else { return Ok(()) };
        let proof = mac(&self.key.0, &[b"e", &self.pid.to_be_bytes(), name.as_bytes()]);
        let enter = self.client.prepare_cached(ENTER).await?;
        self.client.query(&enter, &[&name, &proof.as_slice()]).await.map(drop)
    }
}

/// The actor as the policies know it; ACE's own roles are held by their grants and enter as nobody.
fn name(actor: &Actor) -> Option<String> {
    match actor.who {
        Who::User(id) => Some(format!("user:{id}")),
        Who::Key(id) => Some(format!("key:{id}")),
        Who::System(System::Operator) => Some("operator".to_owned()),
        Who::System(System::Client(id)) => Some(format!("client:{id}")),
        Who::System(System::PublicLink | System::Worker | System::Auth) => None,
    }
}

/// Makes connections of one role.
#[derive(Debug)]
pub(crate) struct Connections {
    manager: Manager,
    role: RunsAs,
    key: ActorKey,
    clock: Clock,
}

impl Connections {
    pub fn new(config: &Config, role: RunsAs, key: &ActorKey, clock: Clock) -> Result<Self> {
        let (mut config, connector) = tls::prepare(config)?;
        config.application_name(format!("ace {}", role.role())).connect_timeout(std::time::Duration::from_secs(5));
        let manager =
            Manager::from_config(config, connector, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        Ok(Self { manager, role, key: key.clone(), clock })
    }
}

impl managed::Manager for Connections {
    type Type = Connection;
    type Error = tokio_postgres::Error;

    async fn create(&self) -> std::result::Result<Connection, tokio_postgres::Error> {
        let client = self.manager.create().await?;
        // jit costs more than it saves on statements this short
        let setup = format!(
            "set role {}; set statement_timeout = '60s'; set idle_in_transaction_session_timeout = '60s'; \
             set jit = off; set time zone 'UTC'",
            self.role.role()
        );
        client.batch_execute(&setup).await?;
        let pid = client.query_one("select pg_backend_pid()", &[]).await?.get(0);
        let asked = Clock::machine();
        let theirs = client.query_one("select clock_timestamp()", &[]).await?.get(0);
        let ahead = self.clock.follow(asked, theirs);
        if ahead != 0 {
            tracing::warn!(
                ahead,
                "the database's clock is so many seconds ahead of this machine's; the database's counts"
            );
        }
        if self.role == RunsAs::app {
            client.batch_execute("select app.new_secret()").await?;
            client.prepare_cached(ENTER).await?;
        }
        Ok(Connection { client, pid, key: self.key.clone() })
    }

    async fn recycle(
        &self,
        connection: &mut Connection,
        metrics: &Metrics,
    ) -> managed::RecycleResult<tokio_postgres::Error> {
        self.manager.recycle(&mut connection.client, metrics).await
    }

    fn detach(&self, connection: &mut Connection) {
        self.manager.detach(&mut connection.client);
    }
}

/// The error of getting a connection.
pub(crate) fn of_pool(failure: &managed::PoolError<tokio_postgres::Error>) -> kernel::Error {
    tracing::warn!(error = error::with_causes(failure), "no database connection");
    kernel::Error::Unavailable("the database is out of reach".into())
}
