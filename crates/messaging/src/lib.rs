//! The one choke point every message passes: consent, quiet hours, the outbox, its retries, and what providers report.
//!
//! Owns the tables `messages`, `message_events`, `suppressed_addresses` and `system_messages`, the pages
//! `/{client}/deliveries` and `/sandbox`, `/v1/messages`, the receivers under `/hooks/twilio/`, and the jobs
//! `messages.send`, `messages.system_mail`, `messages.sweep` and `messages.sandbox`.
//! Permissions: `messages.view`, `messages.resend`.
//!
//! Refuses: deciding who earns what (that is `rewards`), and talking to a provider while a transaction is open.

pub mod actions;
mod api;
pub mod card_code;
mod compose;
pub mod consent;
mod invariants;
mod masking;
pub mod message;
mod pages;
mod routes;
pub mod segments;
pub mod store;
mod work;

pub use actions::send::{Queued, send};
pub use consent::Refusal;
pub use invariants::INVARIANTS;
pub use message::{Channel, NewMessage, Purpose, Status};
pub use routes::routes;
pub use work::jobs;
