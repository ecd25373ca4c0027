//! Console handlers and their pages.

pub mod brands;
pub mod cards;
pub mod credits;
pub mod pools;
pub mod quarantine;
