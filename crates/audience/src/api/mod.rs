//! The REST API of this room.

pub mod contacts;
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
