//! The PostgreSQL that tests share: the one `ACE_TEST_DATABASE_URL` names, else one that the first test starts and
//! that stays for the next run.

use std::sync::OnceLock;

use anyhow::{Context, Result};
use database::managed::{Managed, Options};
use tokio_postgres::{Client, Config, NoTls};

/// Names a superuser's URL.
pub const URL_VARIABLE: &str = "ACE_TEST_DATABASE_URL";

static URL: OnceLock<String> = OnceLock::new();

/// A server on which this process may make and drop databases.
#[derive(Debug, Clone)]
pub struct Server {
    config: Config,
}

impl Server {
    /// Finds the server, starting it when there is none.
    ///
    /// # Errors
    /// When it cannot be started, or the URL is none.
    pub async fn find() -> Result<Self> {
        let url = match URL.get() {
            Some(url) => url.clone(),
            None => {
                let url = tokio::task::spawn_blocking(find_url).await??;
                URL.get_or_init(|| url).clone()
            }
        };
        let config = url.parse().with_context(|| format!("{URL_VARIABLE} is not a PostgreSQL URL"))?;
        Ok(Self { config })
    }

    /// How to reach `database` as the superuser.
    pub fn config(&self, database: &str) -> Config {
        let mut config = self.config.clone();
        config.dbname(database);
        config
    }

    /// A superuser's connection to `database`.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn connect(&self, database: &str) -> Result<Client> {
        #[expect(clippy::disallowed_methods, reason = "makes and drops databases, which no scope can")]
        let (client, connection) = self
            .config(database)
            .connect(NoTls)
            .await
            .with_context(|| format!("no connection to {database} on the test server"))?;
        // ends with the client
        tokio::spawn(connection);
        Ok(client)
    }
}

fn find_url() -> Result<String> {
    if let Ok(url) = std::env::var(URL_VARIABLE) {
        return Ok(url);
    }
    let directory = format!("/tmp/ace-test-{}", nix::unistd::geteuid());
    Ok(Managed::ensure_detached(&Options::throw_away(directory))?)
}
