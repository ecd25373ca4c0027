//! Figures: what became of a campaign, in distinct recipients, and what needs somebody today.
//!
//! Owns no table: everything is counted from what the other rooms wrote. Pages: `/` (all clients), `/{client}/home` and the figures of a
//! campaign; `/v1/campaigns/{id}/analytics` and `/v1/events`. Permissions: `dashboard.view`, `campaigns.analytics`.
//! Refuses: estimates. A figure here is a count of rows, and a test recounts it from the raw events.

mod api;
mod pages;
mod routes;
pub mod store;

pub use routes::routes;
