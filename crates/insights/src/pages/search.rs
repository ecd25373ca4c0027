//! Search, from the top bar of every page.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use web::view::Filters;
use web::{App, Caller, Query, Result, Shell, render};

use crate::store::search::{self as store, Found};

/// What was typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SearchQuery {
    q: String,
}

struct Hit {
    found: Found,
    href: String,
}

#[derive(Template)]
#[template(path = "search/show.html")]
struct SearchPage {
    shell: Shell,
    filters: Filters,
    hits: Vec<Hit>,
}

/// `GET /{client}/search?q=`
pub async fn show(State(app): State<App>, caller: Caller, Query(query): Query<SearchQuery>) -> Result<Response> {
    let text = query.q.trim();
    let found = if text.chars().count() < 2 {
        Vec::new()
    } else {
        store::search(&caller.scope(&app), caller.client_id()?, text).await?
    };
    let shell = Shell::new(&caller, "Search");
    let visible = found.into_iter().filter(|found| found.kind != "contact" || caller.may("contacts.view"));
    let hits = visible.map(|found| Hit { href: href(&shell, &found), found }).collect();
    let filters = Filters::new(shell.at("search"), [("q", text)]).search("Name, e-mail, phone, code, campaign");
    render(&SearchPage { shell, filters, hits })
}

fn href(shell: &Shell, found: &Found) -> String {
    match (found.kind.as_str(), &found.slug) {
        ("campaign", Some(slug)) => shell.at(&format!("campaigns/{slug}")),
        ("recipient", Some(slug)) => shell.at(&format!("campaigns/{slug}/recipients?q={}", found.label)),
        _ => shell.at(&format!("contacts/{}", found.id)),
    }
}
