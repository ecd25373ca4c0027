//! Where people land: their only client, or the choice of them.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::page::PageParams;
use serde::Deserialize;
use web::view::{Filters, Pager};
use web::{App, Caller, Shell, redirect, render};

use crate::store::organization::{Client, ClientFilter, list_clients};

#[derive(Template)]
#[template(path = "home/clients.html")]
struct ClientsPage {
    shell: Shell,
    filters: Filters,
    rows: Vec<Client>,
    pager: Pager,
    may_create: bool,
}

/// Which clients.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    q: String,
    after: String,
}

/// `GET /`
pub async fn show(State(app): State<App>, caller: Caller, query: web::Query<Wanted>) -> web::Result<Response> {
    if let [only] = caller.clients.as_slice()
        && query.0.q.is_empty()
        && !caller.may("organizations.view")
    {
        let mut response = redirect(&format!("/{}/home", only.slug));
        if let Some(flash) = &caller.flash {
            // it was meant for whoever arrives
            web::set_cookie(&mut response, &flash.cookie());
        }
        return Ok(response);
    }
    let page = PageParams { limit: None, after: Some(query.0.after.clone()) };
    let wanted = ClientFilter { search: &query.0.q, ..ClientFilter::default() };
    let clients = list_clients(&caller.scope(&app), &wanted, &page).await?;
    let filters = Filters::new("/", [("q", query.0.q), ("after", query.0.after)]).search("Search clients");
    let pager = Pager::new(&filters, clients.data.len(), clients.next.as_deref());
    let shell = Shell::new(&caller, "All clients");
    render(&ClientsPage { shell, filters, rows: clients.data, pager, may_create: caller.may("clients.create") })
}
