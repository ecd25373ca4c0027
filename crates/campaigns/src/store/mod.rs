//! SQL of this room, one file per noun.

pub mod campaigns;
pub mod conditions;
pub mod launches;
pub mod recipients;
pub mod reservations;
