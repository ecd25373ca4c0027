//! The money path: brands, pools, cards, the claim, what becomes of a card on its way, and credits.
//!
//! Owns the tables `gift_card_brands`, `gift_card_pools`, `gift_cards`, `credit_ledger` and `alerts`, the console's
//! Stock and Credits, Admin → Brands, Admin → Quarantine, `/v1/pools`, `/v1/cards`, `/v1/brands`, `/v1/credits`, and the jobs
//! `rewards.message_moved`, `rewards.quarantined`, `rewards.fulfil`, `rewards.fulfil_pending`, `rewards.stock` and `rewards.expire`.
//! Permissions: `gift_cards.*`, `credits.*`, `platform.brands`, `platform.pools`.
//!
//! The claim itself is `app.claim_reward()` in the migrations: condition, card, counters, ledger, message and job are
//! one call and one transaction. Refuses: deciding that a condition is met (that is `campaigns`), and talking to
//! providers (that is `messaging`).

pub mod actions;
pub mod address;
pub mod alerts;
mod api;
pub mod brands;
pub mod claim;
pub mod codes;
pub mod elsewhere;
mod invariants;
pub mod line;
mod pages;
pub mod pools;
mod routes;
pub mod store;
pub mod upload;
mod work;

pub use claim::{Claim, Claimed, Outcome, claim, claim_now, take_turns, turn_at};
pub use invariants::INVARIANTS;
pub use routes::routes;
pub use work::jobs;
