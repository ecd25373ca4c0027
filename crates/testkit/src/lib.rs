//! What tests stand on: a database of one's own in about a tenth of a second.
//!
//! Belongs here: servers, databases, the story of named people, a running application for page tests.
//! Does not belong here: assertions about one domain's rules; those sit beside the rules.

mod app;
mod database;
mod request;
mod server;
pub mod story;

pub use crate::database::{TestDatabase, entering, options};
pub use app::TestApp;
pub use request::{Ask, Reply};
pub use server::{Server, URL_VARIABLE};
pub use story::{Person, Story, Tenant};
