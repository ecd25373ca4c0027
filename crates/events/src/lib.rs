//! What happened, one row each: the closed list of event types, the durable group-commit writer for visits, and the
//! monthly partitions.
//!
//! Owns the table `events`. Refuses: deciding what an event means; the rooms above do that.

mod clean;
mod kinds;
pub mod partitions;
mod record;
mod visits;

pub use kinds::EventType;
pub use record::{NewEvent, record, record_many};
pub use visits::{Visit, VisitKind, VisitWriter, Visited, seen};
