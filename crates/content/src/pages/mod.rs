//! Console handlers and their pages.

pub mod forms;
pub mod landing_pages;
pub mod templates;

use serde::Deserialize;

/// What a list page's URL says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    after: String,
}

impl ListQuery {
    fn search(&self) -> Option<String> {
        Some(self.q.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn page(&self) -> kernel::page::PageParams {
        kernel::page::PageParams { limit: None, after: Some(self.after.clone()) }
    }
}
