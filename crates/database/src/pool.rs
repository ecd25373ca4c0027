//! A pool for each role that serves: people and keys (`ace_app`), and ACE itself for strangers, for signing in and for
//! background work. Connections are made when they are needed, so a process has few of those it does not use.

use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Timeouts};
use kernel::{Actor, Clock, Error, Result};
use tokio_postgres::Config;

use crate::connection::{ActorKey, Connections, of_pool};
use crate::knock::Knock;
use crate::{RunsAs, Scope};

pub(crate) type Pool = managed::Pool<Connections>;
/// A connection on loan from its pool.
pub(crate) type Borrowed = managed::Object<Connections>;

/// How to reach the database, one configuration for each role. They may be the same one, when its user may
/// `set role` to all of them.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Owns the schema; used by migrations only.
    pub owner: Config,
    /// People and keys.
    pub app: Config,
    /// Public links and forms.
    pub public: Config,
    /// Signing in.
    pub signin: Config,
    /// Background work.
    pub worker: Config,
    /// Connections in each of the serving pools.
    pub pool_size: usize,
    /// By which the database knows that it is told the truth about who is asking.
    pub actor_key: ActorKey,
}

impl ConnectOptions {
    /// One URL for all roles.
    ///
    /// # Errors
    /// When `url` is not a PostgreSQL URL.
    pub fn one_url(url: &str, pool_size: usize, actor_key: ActorKey) -> Result<Self> {
        let config: Config = url.parse().map_err(|_| Error::invalid("database.url", "must be a PostgreSQL URL"))?;
        let [owner, app, public, signin] = [(); 4].map(|()| config.clone());
        Ok(Self { owner, app, public, signin, worker: config, pool_size, actor_key })
    }
}

/// The database. Cloning shares the pools.
#[derive(Debug, Clone)]
pub struct Database {
    app: Pool,
    public: Pool,
    signin: Pool,
    worker: Pool,
    pub(crate) ear: Arc<Config>,
    knock: Knock,
    clock: Clock,
}

impl Database {
    /// Prepares the pools; connections are made when they are first needed.
    ///
    /// # Errors
    /// When the pools cannot be built.
    pub fn new(options: &ConnectOptions, clock: Clock) -> Result<Self> {
        let mut ear = options.worker.clone();
        ear.application_name("ace listener").connect_timeout(Duration::from_secs(5));
        let ear = Arc::new(ear);
        Ok(Self {
            app: pool(&options.app, RunsAs::app, options, &clock)?,
            public: pool(&options.public, RunsAs::public, options, &clock)?,
            signin: pool(&options.signin, RunsAs::signin, options, &clock)?,
            worker: pool(&options.worker, RunsAs::worker, options, &clock)?,
            knock: Knock::new(Arc::clone(&ear)),
            ear,
            clock,
        })
    }

    /// The door: everything asked through the scope is asked in the name of `actor`.
    pub fn scope<'a>(&'a self, actor: &'a Actor) -> Scope<'a> {
        Scope { database: self, actor }
    }

    /// Closes every connection; what asks for one afterwards is told that the database is gone.
    pub fn close(&self) {
        for pool in [&self.app, &self.public, &self.signin, &self.worker] {
            pool.close();
        }
    }

    /// Whether PostgreSQL takes a new connection and answers on it.
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    pub async fn ping(&self) -> Result<()> {
        self.knock.ask().await
    }

    /// Makes a first connection, by which the clock follows the database's: what is refused for its time alone, such as an
    /// access token, never asks the database.
    ///
    /// # Errors
    /// `Unavailable` when none can be made.
    pub async fn set_clock(&self) -> Result<()> {
        self.worker.get().await.map(drop).map_err(|e| of_pool(&e))
    }

    /// The clock that stamps audit rows and transactions.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) async fn connection(&self, actor: &Actor) -> Result<Borrowed> {
        let pool = match RunsAs::of(actor) {
            RunsAs::app => &self.app,
            RunsAs::public => &self.public,
            RunsAs::signin => &self.signin,
            RunsAs::worker => &self.worker,
        };
        pool.get().await.map_err(|e| of_pool(&e))
    }
}

fn pool(config: &Config, role: RunsAs, options: &ConnectOptions, clock: &Clock) -> Result<Pool> {
    Pool::builder(Connections::new(config, role, &options.actor_key, clock.clone())?)
        .max_size(options.pool_size)
        .runtime(Runtime::Tokio1)
        .timeouts(Timeouts {
            wait: Some(Duration::from_secs(10)),
            create: Some(Duration::from_secs(10)),
            recycle: Some(Duration::from_secs(5)),
        })
        .build()
        .map_err(Error::internal)
}
