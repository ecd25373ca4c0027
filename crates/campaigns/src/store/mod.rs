//! SQL of this room, one file per noun.

pub mod campaigns;
pub mod choices;
pub mod conditions;
pub mod launches;
pub mod life;
pub mod recipients;
pub mod reservations;
pub mod search;
pub mod stock;
