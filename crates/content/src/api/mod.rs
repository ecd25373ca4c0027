//! JSON handlers.

pub mod forms;
pub mod landing_pages;
pub mod templates;

use serde::Deserialize;
use utoipa::IntoParams;

/// A page of a list, with a search.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct ListParams {
    /// Part of the name.
    pub q: Option<String>,
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

impl ListParams {
    fn page(&self) -> kernel::page::PageParams {
        kernel::page::PageParams { limit: self.limit, after: self.after.clone() }
    }
}
