//! SQL of this room.

pub mod campaign;
pub mod clients;
pub mod home;
pub mod needs;
pub mod progress;
