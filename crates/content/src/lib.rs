//! What people design: mail templates, landing pages and forms, and the merge tags they share.
//!
//! Owns the tables `templates`, `landing_pages`, `landing_page_versions` and `ace_forms`, the console's Design
//! pages, `/v1/templates`, `/v1/landing-pages` and `/v1/forms`.
//! Refuses: serving strangers (that is `engage`), and sending anything (that is `messaging`).

pub mod actions;
mod api;
pub mod builder;
pub mod forms;
mod generated;
mod lookalike;
mod measure;
pub mod merge;
mod pages;
mod routes;
mod said;
pub mod sanitise;
pub mod starters;
pub mod store;

pub use routes::routes;
pub use said::{Said, names_a_password};
