//! Which page of a list without filters is wanted, in the URL of a page and of the API alike.

use kernel::page::PageParams;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which page of a list is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
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
