//! Console handlers and their pages.

pub mod deliveries;
pub mod lift;
pub mod sandbox;
