//! Search, from the top bar of every page: contacts, campaigns and codes of the client, places of the console, help.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use web::nav;
use web::view::Filters;
use web::{App, Caller, Query, Result, Shell, render};

use crate::search::{self as store, Found};
use crate::topics;

/// What was typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SearchQuery {
    q: String,
}

struct Hit {
    label: String,
    kind: &'static str,
    detail: String,
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
    let shell = Shell::new(&caller, "Search");
    let mut hits = Vec::new();
    if text.chars().count() >= 2 {
        let found = store::search(&caller.scope(&app), caller.client_id()?, text).await?;
        hits.extend(found.into_iter().filter_map(|found| hit(&caller, &shell, found)));
        hits.extend(places(&caller, text));
        if caller.may("docs.view") {
            hits.extend(topics::matching(text).map(|topic| Hit {
                label: topic.title().to_owned(),
                kind: "Help",
                detail: topic.about.to_owned(),
                href: format!("/help/{}", topic.slug),
            }));
        }
    }
    let filters =
        Filters::new(shell.at("search"), [("q", text)]).search("Name, e-mail, phone, code, campaign, page, help");
    render(&SearchPage { shell, filters, hits })
}

/// A row that was found, where the caller may open what it leads to.
fn hit(caller: &Caller, shell: &Shell, found: Found) -> Option<Hit> {
    let slug = found.slug.unwrap_or_default();
    let (kind, permission, href) = match found.kind.as_str() {
        "campaign" => ("Campaign", "campaigns.view", format!("campaigns/{slug}")),
        "recipient" => ("Recipient", "campaigns.view", format!("recipients/{}", found.id)),
        _ => ("Contact", "contacts.view", format!("contacts/{}", found.id)),
    };
    let href = shell.at(&href);
    caller.may(permission).then_some(Hit { label: found.label, kind, detail: found.detail, href })
}

/// The places of the side bar whose name has the text in it.
fn places(caller: &Caller, text: &str) -> Vec<Hit> {
    let slug = caller.client.as_ref().map(|client| client.slug.as_str());
    let wanted = text.to_lowercase();
    let groups = nav::groups(slug, &caller.path, |key| caller.may(key));
    let places = groups.into_iter().flat_map(|group| group.items.into_iter().map(move |item| (group.label, item)));
    let fits =
        |(label, item): &(&str, nav::NavItem)| format!("{label} {}", item.label).to_lowercase().contains(&wanted);
    let place = |(label, item): (&str, nav::NavItem)| Hit {
        label: item.label.to_owned(),
        kind: "Page",
        detail: label.to_owned(),
        href: item.href,
    };
    places.filter(fits).map(place).collect()
}
