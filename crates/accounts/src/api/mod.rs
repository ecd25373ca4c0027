//! JSON handlers, one file a noun.

pub mod api_keys;
pub mod audit;
pub mod auth;
pub mod clients;
pub mod invitations;
pub mod me;
pub mod organizations;
pub mod users;
