//! Calls: the agent desk, the log of calls, and the tracked numbers printed on pieces.
//!
//! Owns the tables `tracked_phone_numbers` and `call_sessions`, the console's Calls pages, `/v1/calls`, `/v1/numbers`,
//! `/v1/recipients/lookup` and the confirmation of `call` conditions; permissions `calls.*`.
//! Refuses: deciding what a condition earns (that is `campaigns` and `rewards`), and sending it (that is `messaging`).

pub mod actions;
mod api;
pub mod call;
mod invariants;
mod pages;
mod routes;
pub mod store;

pub use invariants::INVARIANTS;
pub use routes::routes;
