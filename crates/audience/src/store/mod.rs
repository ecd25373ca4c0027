//! SQL of this room: one module for each noun.

pub mod contact_search;
pub mod contacts;
pub mod history;
pub mod imports;
pub mod lists;
pub(crate) mod merge;
pub mod unconfirmed;
