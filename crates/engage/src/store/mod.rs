//! SQL of this room.

pub mod brands;
pub mod contacts;
pub mod forms;
pub mod people;
pub mod rewards;
pub mod submissions;
