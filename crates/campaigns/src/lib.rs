//! Campaigns: who is mailed what, what recipients have to do, and what it earns.
//!
//! Owns the tables `campaigns`, `campaign_conditions`, `campaign_reward_configs`, `campaign_status_history`,
//! `campaign_launches`, `campaign_reservations`, `recipients`, `recipient_skips` and
//! `contact_campaign_participation`, the console's Campaigns pages and `/v1/campaigns`.
//! Refuses: serving links (that is `engage`), and handing out cards by itself (that is `rewards`).

pub mod actions;
mod api;
pub mod checklist;
mod invariants;
mod jobs;
pub mod meet;
mod pages;
mod routes;
pub mod store;
mod texts;

pub use invariants::INVARIANTS;
pub use jobs::{ENGAGED_JOB, jobs};
pub use routes::routes;
