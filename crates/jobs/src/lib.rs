//! Background work, kept in PostgreSQL: enqueued in the caller's transaction, claimed in batches with `skip locked`
//! under a lease, retried with growing delays, kept as dead letters when nothing helps.
//!
//! Owns the tables `jobs` and `cron_ticks`. Knows no domain: handlers are registered by the rooms that own them.
//! A handler may run twice (a worker can die between the work and noting it), so it must not mind.

mod invariants;
mod job;
mod registry;
mod store;
mod worker;

pub use invariants::INVARIANTS;
pub use job::{Job, JobError, NewJob, enqueue};
pub use registry::{Handler, Policy, Registry};
pub use store::{Counts, JobRow, counts, list, retry};
pub use worker::{Worker, drain};
