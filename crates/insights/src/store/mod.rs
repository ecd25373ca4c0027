//! SQL of this room.

pub mod campaign;
pub mod home;
pub mod search;
