//! Two pools, one for each role that serves: people and keys (`ace_app`), and ACE itself (`ace_system`).

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use kernel::{Actor, Clock, Error, Result, System, Who};
use tokio_postgres::Config;

use crate::{Scope, error, tls};

/// How to reach the database, one configuration for each role. They may be the same one, when its user may
/// `set role` to all three.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Owns the schema; used by migrations only.
    pub owner: Config,
    /// People and keys.
    pub app: Config,
    /// Public links, workers, signing in.
    pub system: Config,
    /// Connections in each of the two serving pools.
    pub pool_size: usize,
}

impl ConnectOptions {
    /// One URL for all three roles.
    ///
    /// # Errors
    /// When `url` is not a PostgreSQL URL.
    pub fn one_url(url: &str, pool_size: usize) -> Result<Self> {
        let config: Config = url.parse().map_err(|_| Error::invalid("database.url", "not a PostgreSQL URL"))?;
        Ok(Self { owner: config.clone(), app: config.clone(), system: config, pool_size })
    }
}

/// The database. Cloning shares the pools.
#[derive(Debug, Clone)]
pub struct Database {
    app: Pool,
    system: Pool,
    pub(crate) ear: Arc<Config>,
    clock: Clock,
}

impl Database {
    /// Prepares the pools; connections are made when they are first needed.
    ///
    /// # Errors
    /// When the pools cannot be built.
    pub fn new(options: &ConnectOptions, clock: Clock) -> Result<Self> {
        let mut ear = options.system.clone();
        ear.application_name("ace listener").connect_timeout(Duration::from_secs(5));
        Ok(Self {
            app: pool(&options.app, "ace_app", options.pool_size)?,
            system: pool(&options.system, "ace_system", options.pool_size)?,
            ear: Arc::new(ear),
            clock,
        })
    }

    /// The door: everything asked through the scope is asked in the name of `actor`.
    pub fn scope<'a>(&'a self, actor: &'a Actor) -> Scope<'a> {
        Scope { database: self, actor }
    }

    /// Closes every connection; what asks for one afterwards is told that the database is gone.
    pub fn close(&self) {
        self.app.close();
        self.system.close();
    }

    /// Whether PostgreSQL answers.
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    pub async fn ping(&self) -> Result<()> {
        let client = self.system.get().await.map_err(|e| error::of_pool(&e))?;
        client.batch_execute("select 1").await.map_err(|e| error::of_statement("ping", &e))
    }

    /// The clock that stamps audit rows and transactions.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) async fn connection(&self, actor: &Actor) -> Result<Object> {
        let pool = match actor.who {
            Who::System(System::PublicLink | System::Worker | System::Auth) => &self.system,
            Who::User(_) | Who::Key(_) | Who::System(System::Operator | System::Client(_)) => &self.app,
        };
        pool.get().await.map_err(|e| error::of_pool(&e))
    }
}

fn pool(config: &Config, role: &'static str, size: usize) -> Result<Pool> {
    let (mut config, connector) = tls::prepare(config)?;
    config.application_name(format!("ace {role}")).connect_timeout(Duration::from_secs(5));
    let manager = Manager::from_config(config, connector, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .timeouts(Timeouts {
            wait: Some(Duration::from_secs(10)),
            create: Some(Duration::from_secs(10)),
            recycle: Some(Duration::from_secs(5)),
        })
        .post_create(Hook::async_fn(move |client, _| {
            Box::pin(async move {
                // jit costs more than it saves on statements this short
                let setup = format!(
                    "set role {role}; set statement_timeout = '60s'; \
                     set idle_in_transaction_session_timeout = '60s'; set jit = off; set time zone 'UTC'"
                );
                client.batch_execute(&setup).await.map_err(HookError::Backend)
            })
        }))
        .build()
        .map_err(Error::internal)
}
