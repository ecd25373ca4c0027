//! Keyset pages: forward by cursor, back to the start; the browser's own Back does the rest.

use askama::Template;
use askama::filters::HtmlSafe;

use super::filters::Filters;

/// The foot of a list.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/pager.html")]
pub struct Pager {
    shown: usize,
    total: Option<i64>,
    first: Option<String>,
    next: Option<String>,
}

impl HtmlSafe for Pager {}

impl Pager {
    /// The pager of a list with these filters: how many rows are shown and the cursor of the next page.
    pub fn new(filters: &Filters, shown: usize, next: Option<&str>) -> Self {
        Self {
            shown,
            total: None,
            first: filters.is_paged().then(|| filters.first_page()),
            next: next.map(|cursor| filters.page_after(cursor)),
        }
    }

    /// How many rows there are in all.
    #[must_use]
    pub fn total(mut self, total: i64) -> Self {
        self.total = Some(total);
        self
    }
}
