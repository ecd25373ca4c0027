//! Calls → Log.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::page::{DEFAULT_LIMIT, Page, PageParams};
use serde::Deserialize;
use uuid::Uuid;
use web::view::{Choice, Filters, Pager};
use web::{App, Caller, Path, Query, Result, Shell, render};

use crate::call::{DISPOSITIONS, disposition_label};
use crate::store::calls::{self as store, Call, ListFilter};

/// What the log's URL says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    disposition: String,
    agent: String,
    after: String,
}

#[derive(Template)]
#[template(path = "calls/list.html")]
struct ListPage {
    shell: Shell,
    filters: Filters,
    rows: Vec<Call>,
    pager: Pager,
    may_handle: bool,
}

#[derive(Template)]
#[template(path = "calls/show.html")]
struct ShowPage {
    shell: Shell,
    call: Call,
    may_handle: bool,
}

/// `GET /{client}/calls`
pub async fn list(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response> {
    let page = PageParams { limit: None, after: Some(query.after.clone()) };
    let wanted = ListFilter {
        search: Some(query.q.clone()),
        disposition: Some(query.disposition.clone()).filter(|word| !word.is_empty()),
        agent: caller.user_id().filter(|_| query.agent == "me"),
        recipient_id: None,
        after: page.after()?,
    };
    let rows = store::list(&caller.scope(&app), caller.client_id()?, &wanted, DEFAULT_LIMIT).await?;
    let page = Page::from_rows(rows, DEFAULT_LIMIT, |row| (row.created_at, row.id));
    let shell = Shell::new(&caller, "Calls");
    let set = [("q", &query.q), ("disposition", &query.disposition), ("agent", &query.agent), ("after", &query.after)];
    let mut ends: Vec<Choice> = DISPOSITIONS.iter().map(|(word, label, _)| Choice::new(word, *label)).collect();
    ends.push(Choice::new("open", "Not finished"));
    let filters = Filters::new(shell.at("calls"), set)
        .search("Search name or phone")
        .choice("disposition", "Disposition", ends)
        .choice("agent", "Agent", [("me", "Mine")]);
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref());
    render(&ListPage { shell, filters, rows: page.data, pager, may_handle: caller.may("calls.handle") })
}

/// `GET /{client}/calls/{id}`
pub async fn show(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    let call = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let title =
        if call.recipient_name.is_empty() { "Call".to_owned() } else { format!("Call with {}", call.recipient_name) };
    let shell = Shell::new(&caller, title);
    let list = shell.at("calls");
    render(&ShowPage { shell: shell.crumb("Calls", list), call, may_handle: caller.may("calls.handle") })
}

/// `4:05`; a dash while the call goes on.
fn duration(seconds: Option<&i32>) -> String {
    seconds.map_or_else(|| "–".to_owned(), |seconds| format!("{}:{:02}", seconds / 60, seconds % 60))
}

fn desk_path(shell: &Shell, recipient_id: &Uuid) -> String {
    shell.at(&format!("desk/{recipient_id}"))
}
