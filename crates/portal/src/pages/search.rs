//! Search: the page of results, and the same results as a part of the palette of every page.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use web::nav;
use web::view::Filters;
use web::{App, Caller, Query, Result, Shell, render};

use crate::search::{self as store, Found, Kind};
use crate::topics;

/// What was typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SearchQuery {
    q: String,
}

/// The results of one kind.
struct Group {
    heading: &'static str,
    icon: &'static str,
    hits: Vec<Hit>,
}

struct Hit {
    label: String,
    detail: String,
    href: String,
}

#[derive(Template)]
#[template(path = "search/show.html")]
struct SearchPage {
    shell: Shell,
    filters: Filters,
    groups: Vec<Group>,
}

#[derive(Template)]
#[template(path = "search/palette.html")]
struct PalettePart {
    groups: Vec<Group>,
}

/// `GET /{client}/search?q=` and `GET /search?q=`: among one client's things, or only clients, places and help. htmx, or
/// the palette in its name, gets the part without the places, which it has already.
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<SearchQuery>,
) -> Result<Response> {
    let text: String = query.q.trim().chars().take(200).collect();
    let is_part = headers.contains_key("hx-request");
    let mut groups = Vec::new();
    if text.chars().count() >= 2 {
        let found = store::search(&caller.scope(&app), &caller, &text).await?;
        groups = grouped(&caller, found);
        if !is_part {
            groups.extend(group("Pages of the console", "arrow-right", places(&caller, &text)));
        }
        groups.extend(help(&caller, &text));
    }
    if is_part {
        return render(&PalettePart { groups });
    }
    let shell = Shell::new(&caller, "Search");
    let filters =
        Filters::new(caller.path.clone(), [("q", text)]).search("Name, e-mail, phone, code, campaign, page, help");
    render(&SearchPage { shell, filters, groups })
}

/// What was found, kind by kind.
fn grouped(caller: &Caller, found: Vec<Found>) -> Vec<Group> {
    let slug = caller.client.as_ref().map_or("", |client| client.slug.as_str());
    let mut groups: Vec<Group> = Vec::new();
    for one in found {
        let word = one.slug.clone().unwrap_or_else(|| one.id.to_string());
        let (heading, icon, href) = match Kind::of(&one.kind) {
            Some(kind) => (kind.heading, kind.icon, format!("/{slug}/{}/{word}", kind.path)),
            None => ("Clients", "building-2", format!("/{word}/{}", caller.landing())),
        };
        let hit = Hit { detail: detail(&one), label: one.label, href };
        match groups.last_mut().filter(|group| group.heading == heading) {
            Some(group) => group.hits.push(hit),
            None => groups.extend(group(heading, icon, vec![hit])),
        }
    }
    groups
}

/// What helps to tell one from another: a status in words, a phone number as people write it.
fn detail(found: &Found) -> String {
    match found.kind.as_str() {
        "campaign" => web::view::Badge::of(&found.detail).text,
        "contact" if found.detail.starts_with('+') => web::view::phone(&found.detail),
        _ => found.detail.clone(),
    }
}

fn group(heading: &'static str, icon: &'static str, hits: Vec<Hit>) -> Option<Group> {
    (!hits.is_empty()).then_some(Group { heading, icon, hits })
}

/// The topics of the help that fit, at most four.
fn help(caller: &Caller, text: &str) -> Option<Group> {
    let hit = |topic: &topics::Topic| Hit {
        label: topic.title().to_owned(),
        detail: topic.about.to_owned(),
        href: format!("/help/{}", topic.slug),
    };
    let hits = if caller.may("docs.view") { topics::matching(text).take(4).map(hit).collect() } else { Vec::new() };
    group("Help", "life-buoy", hits)
}

/// The places of the side bar whose name has the text in it.
fn places(caller: &Caller, text: &str) -> Vec<Hit> {
    let client = caller.client.as_ref().or(caller.beside.as_ref());
    let wanted = text.to_lowercase();
    let groups = nav::groups(client.map(|client| client.slug.as_str()), &caller.path, |key| caller.may(key));
    let places = groups.into_iter().flat_map(|group| group.items.into_iter().map(move |item| (group.label, item)));
    let fits =
        |(label, item): &(&str, nav::NavItem)| format!("{label} {}", item.label).to_lowercase().contains(&wanted);
    let place = |(label, item): (&str, nav::NavItem)| Hit {
        label: item.label.to_owned(),
        detail: label.to_owned(),
        href: item.href,
    };
    places.filter(fits).map(place).collect()
}
