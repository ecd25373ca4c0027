//! Whether PostgreSQL takes a new connection, answers on it and can write: those in the pools may work for long after it has
//! stopped taking any, and what reads may work for long after the disk is full. However many ask, one connection is made at a time, and whoever asks meanwhile shares its answer: a
//! health check is open to everybody.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use kernel::{Error, Result};
use tokio_postgres::{Client, Config};

use crate::{error, tls};

/// How long the database may take to answer whether it is there.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a write to the disk counts: a health check every second need not write every second.
const WRITTEN_FOR: Duration = Duration::from_secs(5);

/// A sort that does not fit into its memory: PostgreSQL writes a megabyte beside its tables and takes it away again. On a
/// full disk, or one that became read-only, it cannot. No row and no file is left of it.
const WRITE: &str = "
    set work_mem = '64kB';
    select count(*)
    from (select repeat(md5(n::text), 64) as line from generate_series(1, 512) n order by 1 offset 0) lines";

type Answer = std::result::Result<(), Arc<str>>;

/// The door that is knocked at.
#[derive(Clone)]
pub(crate) struct Knock {
    at: Arc<Config>,
    under_way: Arc<Mutex<Option<Shared<BoxFuture<'static, Answer>>>>>,
    wrote: Wrote,
}

/// When PostgreSQL last showed that it can write.
type Wrote = Arc<Mutex<Option<Instant>>>;

impl std::fmt::Debug for Knock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Knock")
    }
}

impl Knock {
    pub fn new(at: Arc<Config>) -> Self {
        Self { at, under_way: Arc::default(), wrote: Arc::default() }
    }

    /// The answer of the knock under way, or of a new one.
    pub async fn ask(&self) -> Result<()> {
        let answer = {
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            match under_way.as_ref().filter(|knock| knock.peek().is_none()) {
                Some(knock) => knock.clone(),
                None => {
                    let knock = knock(Arc::clone(&self.at), Arc::clone(&self.wrote));
                    under_way.insert(knock.boxed().shared()).clone()
                }
            }
        };
        answer.await.map_err(|said| Error::Unavailable(said.to_string()))
    }
}

async fn knock(at: Arc<Config>, wrote: Wrote) -> Answer {
    match tokio::time::timeout(PATIENCE, connect(&at, &wrote)).await {
        Ok(answer) => answer.map_err(|error| error.to_string().into()),
        Err(_) => Err("the database does not answer in time".into()),
    }
}

async fn connect(at: &Config, wrote: &Wrote) -> Result<()> {
    let (config, connector) = tls::prepare(at)?;
    #[expect(clippy::disallowed_methods, reason = "whether a new connection can be made is what is asked")]
    let (client, connection) = config.connect(connector).await.map_err(|e| error::of_connecting(&e))?;
    let connection = tokio::spawn(connection);
    let answered = examine(&client, wrote).await;
    drop(client);
    connection.abort();
    answered
}

async fn examine(client: &Client, wrote: &Wrote) -> Result<()> {
    // a function of the kind that every policy calls: what it needs is loaded anew with each connection
    client.batch_execute("select app.entered()").await.map_err(|e| error::of_connecting(&e))?;
    let read_only = "select current_setting('transaction_read_only')::boolean or pg_is_in_recovery()";
    let row = client.query_one(read_only, &[]).await.map_err(|e| error::of_connecting(&e))?;
    if row.get(0) {
        return Err(Error::Unavailable("the database is read-only".to_owned()));
    }
    let last = *wrote.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_some_and(|at| at.elapsed() < WRITTEN_FOR) {
        return Ok(());
    }
    let cannot = |e: tokio_postgres::Error| Error::Unavailable(format!("the database cannot write: {}", said(&e)));
    client.batch_execute(WRITE).await.map_err(cannot)?;
    *wrote.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    Ok(())
}

/// PostgreSQL's own words, where there are any.
fn said(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
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
