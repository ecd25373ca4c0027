//! Console handlers and their pages.

pub mod edit;
pub mod facts;
pub mod launch;
pub mod list;
pub mod recipient;
pub mod show;
pub mod tabs;

use kernel::page::PageParams;
use serde::Deserialize;
use web::{App, Caller, Result};

use crate::store::campaigns::{self as store, Campaign};

/// What a list's URL says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    status: String,
    after: String,
}

impl ListQuery {
    fn search(&self) -> Option<String> {
        given(&self.q)
    }

    fn page(&self) -> PageParams {
        PageParams { limit: None, after: Some(self.after.clone()) }
    }
}

/// A text with something in it.
fn given(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The campaign that the word in the URL names, of the client in the URL.
async fn named(app: &App, caller: &Caller, slug: &str) -> Result<Campaign> {
    Ok(store::find_by_slug(&caller.scope(app), caller.client_id()?, slug).await?)
}

/// The path of a campaign's page: `at(&caller, "spring-2026", "/edit/design")`.
fn at(caller: &Caller, slug: &str, rest: &str) -> String {
    let client = caller.client.as_ref().map_or("", |client| client.slug.as_str());
    format!("/{client}/campaigns/{slug}{rest}")
}

/// `2026-03-02` as people write it.
fn day(date: chrono::NaiveDate) -> String {
    date.format("%b %-d, %Y").to_string()
}
