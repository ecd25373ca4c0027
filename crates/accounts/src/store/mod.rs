//! The SQL of this room, one file a noun.

pub mod api_key;
pub mod audit;
pub mod invitation;
pub mod organization;
pub mod permission;
pub mod session;
pub mod team;
pub mod user;
