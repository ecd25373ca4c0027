//! Background work, kept in PostgreSQL: enqueued in the caller's transaction, claimed in batches with `skip locked`
//! under a lease, retried with growing delays, kept as dead letters when nothing helps.
//!
//! Owns the tables `jobs` and `cron_ticks`. Knows no domain: handlers are registered by the rooms that own them.
//! A handler may run twice (a worker can die between the work and noting it), so it must not mind.

mod drain;
mod enqueue;
mod house;
mod invariants;
mod job;
mod queue;
mod registry;
mod run;
mod store;
mod ticks;
mod worker;

pub use drain::drain;
pub use enqueue::{NewJob, enqueue, enqueue_many};
pub use invariants::INVARIANTS;
pub use job::{Job, JobError};
pub use registry::{Handler, Policy, Registry};
pub use store::{Counts, JobRow, counts, list, retry_dead};
pub use worker::Worker;
