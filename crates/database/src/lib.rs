//! The only door to the data: the pools, the managed PostgreSQL, the migrations, and the scope.
//!
//! Nothing outside this crate opens a connection. A statement runs in the name of an [`kernel::Actor`], through
//! [`Database::scope`]; PostgreSQL's row-level security sees that actor and refuses everything else.
//!
//! Refuses: rules of any domain, and SQL that is not registered with [`statement!`] or built by [`Filter`].

mod audit;
mod connection;
mod error;
mod filter;
pub mod keys;
mod knock;
mod listen;
pub mod managed;
pub mod migrate;
mod pool;
mod scope;
mod statement;
mod tls;
mod transaction;

pub use audit::Audited;
pub use connection::ActorKey;
pub use filter::{Filter, containing};
pub use listen::Listener;
pub use pool::{ConnectOptions, Database};
pub use postgres_from_row::FromRow;
pub use scope::Scope;
pub use statement::{RunsAs, Statement, statements};
pub use transaction::Transaction;

pub use tokio_postgres::types::ToSql;

/// A statement's values, in the order of its `$1, $2, …`.
pub type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

#[doc(hidden)]
pub use inventory;
#[doc(hidden)]
pub use statement::Registered;
