//! What can be done with brands, pools, cards and credits; console, API, command line and demo call the same functions.

pub mod alerts;
pub mod brands;
pub mod cards;
pub mod credits;
pub mod deliveries;
pub mod pools;
pub mod quarantine;
pub mod stock;

use kernel::{Error, Result};

/// `NotFound` unless a row was changed.
fn found(changed: bool) -> Result<()> {
    if changed { Ok(()) } else { Err(Error::NotFound) }
}

/// A trimmed text; nothing when it is empty.
fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
