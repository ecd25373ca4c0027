//! Console handlers and their pages.

pub mod help;
pub mod search;
