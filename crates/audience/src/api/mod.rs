//! The REST API of this room.

pub mod contacts;
pub mod imports;
pub mod lists;

use kernel::page::PageParams;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// Which page of a list is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

impl From<PageQuery> for PageParams {
    fn from(query: PageQuery) -> Self {
        Self { limit: query.limit, after: query.after }
    }
}

/// The id in a path; other texts are ids of nothing.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Id {
    /// The id.
    pub id: Uuid,
}
