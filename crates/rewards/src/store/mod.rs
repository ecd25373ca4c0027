//! SQL of this room, one file per noun.

pub mod alerts;
pub(crate) mod arrivals;
pub mod brands;
pub mod cards;
pub mod credits;
pub mod deliveries;
pub mod pools;
pub mod quarantine;
