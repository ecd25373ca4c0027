//! Whether PostgreSQL takes a new connection and answers on it: those in the pools may work for long after it has stopped
//! taking any. However many ask, one connection is made at a time, and whoever asks meanwhile shares its answer: a
//! health check is open to everybody.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use kernel::{Error, Result};
use tokio_postgres::Config;

use crate::{error, tls};

/// How long the database may take to answer whether it is there.
const PATIENCE: Duration = Duration::from_secs(5);

type Answer = std::result::Result<(), Arc<str>>;

/// The door that is knocked at.
#[derive(Clone)]
pub(crate) struct Knock {
    at: Arc<Config>,
    under_way: Arc<Mutex<Option<Shared<BoxFuture<'static, Answer>>>>>,
}

impl std::fmt::Debug for Knock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Knock")
    }
}

impl Knock {
    pub fn new(at: Arc<Config>) -> Self {
        Self { at, under_way: Arc::default() }
    }

    /// The answer of the knock under way, or of a new one.
    pub async fn ask(&self) -> Result<()> {
        let answer = {
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            match under_way.as_ref().filter(|knock| knock.peek().is_none()) {
                Some(knock) => knock.clone(),
                None => under_way.insert(knock(Arc::clone(&self.at)).boxed().shared()).clone(),
            }
        };
        answer.await.map_err(|said| Error::Unavailable(said.to_string()))
    }
}

async fn knock(at: Arc<Config>) -> Answer {
    match tokio::time::timeout(PATIENCE, connect(&at)).await {
        Ok(answer) => answer.map_err(|error| error.to_string().into()),
        Err(_) => Err("the database does not answer in time".into()),
    }
}

async fn connect(at: &Config) -> Result<()> {
    let (config, connector) = tls::prepare(at)?;
    #[expect(clippy::disallowed_methods, reason = "whether a new connection can be made is what is asked")]
    let (client, connection) = config.connect(connector).await.map_err(|e| error::of_connecting(&e))?;
    let connection = tokio::spawn(connection);
    // a function of the kind that every policy calls: what it needs is loaded anew with each connection
    let answered = client.batch_execute("select app.entered()").await;
    drop(client);
    connection.abort();
    answered.map_err(|e| error::of_connecting(&e))
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn whoever_asks_meanwhile_shares_the_answer_and_later_ones_get_a_new_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = Config::new();
        config.host("127.0.0.1").port(listener.local_addr().unwrap().port()).user("ace");
        let knock = Knock::new(Arc::new(config));
        for _ in 0..2 {
            let hang_up = async { drop(listener.accept().await.unwrap()) };
            let (answers, ()) = tokio::join!(join_all((0..50).map(|_| knock.ask())), hang_up);
            assert!(answers.iter().all(|answer| matches!(answer, Err(Error::Unavailable(_)))));
            assert!(listener.accept().now_or_never().is_none(), "one connection for all of them");
        }
    }
}
