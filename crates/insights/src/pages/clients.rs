//! All clients: how each of them is doing, for people who look after several.

use std::collections::HashMap;

use accounts::store::organization::{Client, ClientFilter, list_clients};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use kernel::page::PageParams;
use serde::Deserialize;
use uuid::Uuid;
use web::view::{Filters, Pager, Stat};
use web::{App, Caller, Result, Shell, redirect, render};

use super::needs::{self, Need};
use crate::store::clients::{self as store, Standing};
use crate::store::needs as needs_store;

struct Row {
    client: Client,
    standing: Standing,
    need: Option<Need>,
    lines: i64,
}

#[derive(Template)]
#[template(path = "clients/list.html")]
struct ClientsPage {
    shell: Shell,
    filters: Filters,
    stats: Vec<Stat>,
    rows: Vec<Row>,
    pager: Pager,
    as_of: DateTime<Utc>,
    may_create: bool,
    may_see_rewards: bool,
}

/// Which clients.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    q: String,
    after: String,
}

/// `GET /`: the only client somebody has, or all of them.
pub async fn show(State(app): State<App>, caller: Caller, query: web::Query<Wanted>) -> Result<Response> {
    if let [only] = caller.clients.as_slice()
        && query.0.q.is_empty()
        && !caller.may("organizations.view")
    {
        let mut response = redirect(&format!("/{}/{}", only.slug, caller.landing()));
        if let Some(flash) = &caller.flash {
            // it was meant for whoever arrives
            web::set_cookie(&mut response, &flash.cookie());
        }
        return Ok(response);
    }
    let page = PageParams { limit: None, after: Some(query.0.after.clone()) };
    let wanted = ClientFilter { search: &query.0.q, ..ClientFilter::default() };
    let scope = caller.scope(&app);
    let clients = list_clients(&scope, &wanted, &page).await?;
    let now = app.clock.now();
    let ids: Vec<Uuid> = clients.data.iter().map(|client| client.id).collect();
    let (standings, found) = if caller.may("dashboard.view") {
        tokio::try_join!(store::standings(&scope, &ids, now), needs_store::of_clients(&scope, &ids))?
    } else {
        (Vec::new(), Vec::new())
    };
    let filters = Filters::new("/", [("q", query.0.q), ("after", query.0.after)]).search("Search clients");
    let pager = Pager::new(&filters, clients.data.len(), clients.next.as_deref());
    render(&ClientsPage {
        shell: Shell::new(&caller, "All clients"),
        filters,
        stats: stats(&standings, clients.next.is_some()),
        rows: rows(&caller, clients.data, (standings, found)),
        pager,
        as_of: now,
        may_create: caller.may("clients.create"),
        may_see_rewards: caller.may("messages.view"),
    })
}

fn rows(
    caller: &Caller,
    clients: Vec<Client>,
    (standings, needs): (Vec<Standing>, Vec<needs_store::Need>),
) -> Vec<Row> {
    let mut by_id: HashMap<Uuid, Standing> = standings.into_iter().map(|one| (one.client_id, one)).collect();
    let mut needs: HashMap<Uuid, needs_store::Need> = needs.into_iter().map(|one| (one.client_id, one)).collect();
    let row = |client: Client| {
        let need = needs.remove(&client.id);
        Row {
            standing: by_id.remove(&client.id).unwrap_or_default(),
            lines: need.as_ref().map_or(0, |need| need.lines),
            need: need.map(|need| needs::line(caller, &client.slug, need)),
            client,
        }
    };
    clients.into_iter().map(row).collect()
}

/// The sums over the clients that are listed; a note says so where there are more.
fn stats(standings: &[Standing], more: bool) -> Vec<Stat> {
    let sum = |of: fn(&Standing) -> i64| standings.iter().map(of).sum::<i64>();
    let note = if more { "last 30 days, clients on this page" } else { "last 30 days" };
    let stat = |label, now, before| Stat::count(label, now).against(now, before).note(note).href("#clients");
    vec![
        stat("Visits", sum(|one| one.visits), sum(|one| one.visits_before)),
        stat("Rewards", sum(|one| one.rewards), sum(|one| one.rewards_before)),
        Stat::count("Running campaigns", sum(|one| one.running))
            .note(if more { "clients on this page" } else { "" })
            .href("#clients"),
    ]
}
