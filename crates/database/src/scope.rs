//! The scope: statements in the name of an actor.
//!
//! A single statement leaves in one flight: `begin`, the actor, the statement, `commit`, all queued on the
//! connection before the first answer is awaited. A request that is dropped midway therefore cannot leave the
//! actor on a connection: its commit is already on the way.

use futures_util::join;
use kernel::{Actor, Error, Result};
use tokio_postgres::Row;
use tokio_postgres::types::FromSqlOwned;

use crate::pool::Borrowed;
use crate::transaction::Transaction;
use crate::{Database, Filter, FromRow, Params, Statement, error};

/// The data as one actor may see and change it.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    pub(crate) database: &'a Database,
    pub(crate) actor: &'a Actor,
}

impl<'a> Scope<'a> {
    /// In whose name statements run.
    pub fn actor(&self) -> &'a Actor {
        self.actor
    }

    /// All rows.
    ///
    /// # Errors
    /// What the database answered, in our vocabulary.
    pub async fn query<T: FromRow>(&self, statement: &Statement, params: Params<'_>) -> Result<Vec<T>> {
        statement.expect_role_of(self.actor);
        rows_of(statement.name, &self.flight(statement.name, statement.sql, params).await?)
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
        statement.expect_role_of(self.actor);
        scalar_of(statement.name, &self.flight(statement.name, statement.sql, params).await?)
    }

    /// How many rows were changed (or returned).
    ///
    /// # Errors
    /// What the database answered, in our vocabulary.
    pub async fn execute(&self, statement: &Statement, params: Params<'_>) -> Result<u64> {
        statement.expect_role_of(self.actor);
        let client = self.database.connection(self.actor).await?;
        let prepared =
            client.prepare_cached(statement.sql).await.map_err(|e| error::of_statement(statement.name, &e))?;
        let (begun, entered, done, committed) = join!(
            client.batch_execute("begin"),
            client.enter(self.actor),
            client.execute(&prepared, params),
            client.batch_execute("commit")
        );
        if let Err(error) = entered {
            return Err(refused(client, &error));
        }
        let done = done.map_err(|e| error::of_statement(statement.name, &e))?;
        begun.and(committed).map_err(|e| error::of_statement(statement.name, &e))?;
        Ok(done)
    }

    /// All rows of a statement whose conditions vary.
    ///
    /// # Errors
    /// What the database answered, in our vocabulary.
    pub async fn query_filter<T: FromRow>(&self, filter: &Filter<'_>) -> Result<Vec<T>> {
        let (sql, params) = filter.parts_for(self.actor);
        rows_of(filter.name(), &self.flight(filter.name(), sql, &params).await?)
    }

    /// The first column of the only row of a statement whose conditions vary, such as a count.
    ///
    /// # Errors
    /// `NotFound`, or what the database answered.
    pub async fn query_filter_scalar<V: FromSqlOwned>(&self, filter: &Filter<'_>) -> Result<V> {
        let (sql, params) = filter.parts_for(self.actor);
        scalar_of(filter.name(), &self.flight(filter.name(), sql, &params).await?)
    }

    /// A transaction of several statements. Never hold one across a call to another machine.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached.
    pub async fn transaction(&self) -> Result<Transaction> {
        let client = self.database.connection(self.actor).await?;
        Transaction::begin(client, self.actor.clone(), self.database.clock()).await
    }

    async fn flight(&self, name: &str, sql: &str, params: Params<'_>) -> Result<Vec<Row>> {
        let client = self.database.connection(self.actor).await?;
        let prepared = client.prepare_cached(sql).await.map_err(|e| error::of_statement(name, &e))?;
        // Polled in this order: on the first poll all of them are queued, the commit included.
        let (begun, entered, rows, committed) = join!(
            client.batch_execute("begin"),
            client.enter(self.actor),
            client.query(&prepared, params),
            client.batch_execute("commit")
        );
        if let Err(error) = entered {
            return Err(refused(client, &error));
        }
        let rows = rows.map_err(|e| error::of_statement(name, &e))?;
        begun.and(committed).map_err(|e| error::of_statement(name, &e))?;
        Ok(rows)
    }
}

/// A connection that an actor cannot enter, whatever was done to it, is not given back to its pool.
fn refused(client: Borrowed, error: &tokio_postgres::Error) -> Error {
    drop(Borrowed::take(client));
    error::of_statement("enter", error)
}

pub(crate) fn rows_of<T: FromRow>(name: &str, rows: &[Row]) -> Result<Vec<T>> {
    rows.iter()
        .map(|row| {
            T::try_from_row(row).map_err(|e| Error::Internal(format!("{name}: {e}: {row:?}", row = row.columns())))
        })
        .collect()
}

pub(crate) fn scalar_of<V: FromSqlOwned>(name: &str, rows: &[Row]) -> Result<V> {
    let row = rows.first().ok_or(Error::NotFound)?;
    row.try_get(0).map_err(|e| error::of_statement(name, &e))
}
