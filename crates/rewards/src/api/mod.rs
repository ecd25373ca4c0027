//! JSON handlers.

pub mod brands;
pub mod cards;
pub mod credits;
pub mod pools;
