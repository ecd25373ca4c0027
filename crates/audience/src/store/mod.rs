//! SQL of this room: one module for each noun.

pub mod contacts;
pub mod imports;
pub mod lists;
pub(crate) mod merge;
