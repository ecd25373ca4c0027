//! The console's pages of this room.

pub mod contact_bulk;
mod contact_form;
pub mod contacts;
pub mod import_columns;
pub mod imports;
pub mod lists;

use serde::Deserialize;
use uuid::Uuid;

/// The id in a path; other texts are ids of nothing.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Id {
    /// The id.
    pub id: Uuid,
}

/// A text with something in it.
fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
