//! Admin → Jobs: the queue.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use database::Audited;
use jobs::{Counts, JobRow};
use kernel::Error;
use kernel::page::PageParams;
use serde::Deserialize;
use uuid::Uuid;
use web::view::{Filters, Pager};
use web::{App, Caller, Path, Query, Result, Shell, redirect_with, render};

/// What the list's URL says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct JobsQuery {
    state: String,
    after: String,
}

#[derive(Template)]
#[template(path = "jobs/list.html")]
struct JobsPage {
    shell: Shell,
    filters: Filters,
    counts: Counts,
    rows: Vec<JobRow>,
    pager: Pager,
    may_retry: bool,
}

/// `GET /admin/jobs`
pub async fn list(State(app): State<App>, caller: Caller, Query(query): Query<JobsQuery>) -> Result<Response> {
    let scope = caller.scope(&app);
    let params = PageParams { limit: None, after: Some(query.after.clone()) };
    let state = Some(query.state.clone()).filter(|state| !state.is_empty());
    let page = jobs::list(&scope, state.as_deref(), &params).await?;
    let shell = Shell::new(&caller, "Jobs");
    let filters = Filters::new("/admin/jobs", [("state", &query.state), ("after", &query.after)]).choice(
        "state",
        "State",
        ["ready", "running", "done", "dead"],
    );
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref());
    let counts = jobs::counts(&scope).await?;
    render(&JobsPage { shell, filters, counts, rows: page.data, pager, may_retry: may_retry(&caller) })
}

/// `POST /admin/jobs/{id}/retry`
pub async fn retry(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Response> {
    // Technical support holds the key to look; trying again is a write, and theirs to ask an admin for.
    if !may_retry(&caller) {
        return Err(Error::forbidden("platform.settings").into());
    }
    let tx = caller.scope(&app).transaction().await?;
    jobs::retry_dead(&tx, id).await?;
    tx.audit("job.retried", "jobs", Some(id), Audited::default()).await?;
    tx.commit().await?;
    Ok(redirect_with("/admin/jobs", "Queued again"))
}

fn may_retry(caller: &Caller) -> bool {
    caller.may("platform.settings")
}
