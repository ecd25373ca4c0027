//! A transaction of several statements in the name of an actor.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, join};
use kernel::version::{self, Expected};
use kernel::{Actor, Clock, Error, Result, Who};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{FromSqlOwned, Type};

use crate::pool::Borrowed;
use crate::scope::{rows_of, scalar_of};
use crate::{Filter, FromRow, Params, Statement, error};

/// An open transaction. Dropped without [`Transaction::commit`], it is rolled back.
pub struct Transaction {
    client: Borrowed,
    actor: Actor,
    now: DateTime<Utc>,
    told: Option<DateTime<Utc>>,
    open: bool,
    hint: OnceLock<&'static str>,
}

crate::statement! {
    /// Says that what an Idempotency-Key was sent for is done: a row while the request still holds the key.
    SETTLE_KEY, app, "
        update idempotency_keys
        set acted_at = coalesce(acted_at, $4)
        where caller_id = $1
          and key = $2
          and holder = $3"
}

impl Transaction {
    pub(crate) async fn begin(client: Borrowed, actor: Actor, clock: &Clock) -> Result<Self> {
        // Built before the first await: if the caller goes away, drop rolls back what `begin` opened.
        let (now, told) = (clock.now(), clock.told());
        let transaction = Self { client, actor, now, told, open: true, hint: OnceLock::new() };
        let client = &transaction.client;
        let (begun, entered) = join!(client.batch_execute("begin"), client.enter(&transaction.actor));
        begun.map_err(|e| error::of_statement("begin", &e))?;
        entered.map_err(|e| error::of_statement("enter", &e))?;
        Ok(transaction)
    }

    /// In whose name the statements run.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The clock's time when the transaction began: one time for every row it writes.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The same where the clock is not the machine's: what several processes compare is written by the database's clock
    /// otherwise (see [`Clock::told`]).
    pub fn told(&self) -> Option<DateTime<Utc>> {
        self.told
    }

    /// All rows.
    ///
    /// # Errors
    /// What the database answered, in our vocabulary.
    pub async fn query<T: FromRow>(&self, statement: &Statement, params: Params<'_>) -> Result<Vec<T>> {
        statement.expect_role_of(&self.actor);
        rows_of(statement.name, &self.rows(statement.name, statement.sql, params).await?)
    }

    /// The first row, if any.
    ///
    /// # Errors
    /// What the database answered, in our vocabulary.
    pub async fn query_opt<T: FromRow>(&self, statement: &Statement, params: Params<'_>) -> Result<Option<T>> {
        Ok(self.query(statement, params).await?.into_iter().next())
    }

    /// The row; `NotFound` without one.
    ///
    /// # Errors
    /// `NotFound`, or what the database answered.
    pub async fn query_one<T: FromRow>(&self, statement: &Statement, params: Params<'_>) -> Result<T> {
        self.query_opt(statement, params).await?.ok_or(Error::NotFound)
    }

    /// The first column of the only row; `NotFound` without one.
    ///
    /// # Errors
    /// `NotFound`, or what the database answered.
    pub async fn query_scalar<V: FromSqlOwned>(&self, statement: &Statement, params: Params<'_>) -> Result<V> {
        statement.expect_role_of(&self.actor);
        scalar_of(statement.name, &self.rows(statement.name, statement.sql, params).await?)
    }

    /// All rows of a statement whose conditions vary.
    ///
    /// # Errors
    /// What the database answered, in our vocabulary.
    pub async fn query_filter<T: FromRow>(&self, filter: &Filter<'_>) -> Result<Vec<T>> {
        let (sql, params) = filter.parts_for(&self.actor);
        rows_of(filter.name(), &self.rows(filter.name(), sql, &params).await?)
    }

    /// How many rows were changed.
    ///
    /// # Errors
    /// What the database answered, in our vocabulary.
    pub async fn execute(&self, statement: &Statement, params: Params<'_>) -> Result<u64> {
        statement.expect_role_of(&self.actor);
        let prepared =
            self.client.prepare_cached(statement.sql).await.map_err(|e| error::of_statement(statement.name, &e))?;
        self.client.execute(&prepared, params).await.map_err(|e| error::of_statement(statement.name, &e))
    }

    /// Refuses unless the row's version is an expected one. `lock` selects when the row was last changed, `for update`,
    /// so that it stays the present version until the end.
    ///
    /// # Errors
    /// `NotFound` without the row, `Conflict` `precondition_failed` when it is another version, or what the database
    /// answered.
    pub async fn expect(&self, lock: &Statement, params: Params<'_>, expected: &Expected) -> Result<()> {
        let changed_at: DateTime<Utc> = self.query_scalar(lock, params).await?;
        expected.check(&version::etag(changed_at))
    }

    /// Starts a binary COPY of columns with these types; finish the writer before the next statement.
    ///
    /// # Errors
    /// What the database answered, in our vocabulary.
    pub async fn copy_in(&self, statement: &Statement, types: &[Type]) -> Result<BinaryCopyInWriter> {
        statement.expect_role_of(&self.actor);
        let sink = self.client.copy_in(statement.sql).await.map_err(|e| error::of_statement(statement.name, &e))?;
        Ok(BinaryCopyInWriter::new(sink, types))
    }

    /// Marks where [`Transaction::undo`] goes back to.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn savepoint(&self) -> Result<()> {
        let said = self.client.batch_execute("savepoint done").await;
        said.map_err(|e| error::of_statement("savepoint", &e))
    }

    /// Takes back what was done since [`Transaction::savepoint`], a statement that failed included.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn undo(&self) -> Result<()> {
        let said = self.client.batch_execute("rollback to savepoint done").await;
        said.map_err(|e| error::of_statement("rollback to savepoint", &e))
    }

    /// Tells those who listen on `channel`, a name of our own, once the transaction is durable. Only a hint, and only
    /// the first channel asked for. Not `notify` inside the transaction: that lets one commit at a time through.
    pub fn hint(&self, channel: &'static str) {
        let _ = self.hint.set(channel);
    }

    /// Makes everything durable, and with it that the request's `Idempotency-Key` was acted upon.
    ///
    /// # Errors
    /// `Conflict` `idempotency_key_in_use` when another request has taken the key over, or what the database answered;
    /// nothing was written then, unless the connection was lost in the very act.
    pub async fn commit(mut self) -> Result<()> {
        self.settle_key().await?;
        // Only after the answer is it no longer ours to roll back: a `rollback` after a commit does nothing.
        let done = match self.hint.get() {
            Some(channel) => self.client.batch_execute(&format!("commit; notify {channel}")).await,
            None => self.client.batch_execute("commit").await,
        };
        self.open = false;
        done.map_err(|e| error::of_statement("commit", &e))
    }

    async fn settle_key(&self) -> Result<()> {
        let (Some(key), Who::User(caller) | Who::Key(caller)) = (&self.actor.origin.idempotency_key, self.actor.who)
        else {
            return Ok(());
        };
        let holder = self.actor.origin.request_id;
        if self.execute(&SETTLE_KEY, &[&caller, &key.as_ref(), &holder, &self.now]).await? == 0 {
            let message = "Another request has taken this Idempotency-Key over; this one did nothing.";
            return Err(Error::conflict("idempotency_key_in_use", message));
        }
        Ok(())
    }

    async fn rows(&self, name: &str, sql: &str, params: Params<'_>) -> Result<Vec<tokio_postgres::Row>> {
        let prepared = self.client.prepare_cached(sql).await.map_err(|e| error::of_statement(name, &e))?;
        self.client.query(&prepared, params).await.map_err(|e| error::of_statement(name, &e))
    }
}

/// The error of finishing a COPY.
impl Transaction {
    /// Turns a COPY writer's error into our vocabulary.
    pub fn copy_error(error: &tokio_postgres::Error) -> Error {
        error::of_statement("copy", error)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.open {
            // The first poll queues the message; the answer need not be awaited: whoever borrows the connection
            // next is queued behind it.
            let _ = self.client.batch_execute("rollback").now_or_never();
        }
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").field("actor", &self.actor.who).field("open", &self.open).finish_non_exhaustive()
    }
}
