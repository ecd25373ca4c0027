//! Admin → Quarantine: cards whose code another client holds.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use uuid::Uuid;
use web::view::{FieldErrors, Filters, Pager};
use web::{App, Caller, PageQuery, Path, Query, Result, Shell, redirect_with, render, render_with};

use crate::actions::quarantine as actions;
use crate::store::quarantine::{self as store, Quarantined};

#[derive(Template)]
#[template(path = "quarantine/list.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Quarantined>,
    pager: Pager,
    errors: FieldErrors,
}

/// `GET /admin/quarantine`
pub async fn list(State(app): State<App>, caller: Caller, Query(query): Query<PageQuery>) -> Result<Response> {
    render(&page(&app, &caller, query, FieldErrors::none()).await?)
}

/// `POST /admin/quarantine/{id}/release`
pub async fn release(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Response> {
    match actions::release(&app, &caller.actor, id).await {
        Ok(()) => Ok(redirect_with("/admin/quarantine", "Released. The card is handed out like any other.")),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &page(&app, &caller, PageQuery::default(), errors).await?)
        }
    }
}

async fn page(app: &App, caller: &Caller, query: PageQuery, errors: FieldErrors) -> Result<ListPage> {
    let filters = Filters::new("/admin/quarantine", [("after", query.after.clone().unwrap_or_default())]);
    let rows = store::list(&caller.scope(app), &query.into()).await?;
    let pager = Pager::new(&filters, rows.data.len(), rows.next.as_deref());
    let shell = Shell::new(caller, "Quarantine").lede(
        "Cards that were uploaded although another client holds one with the same code. Their uploader is told nothing, \
         and nobody gets them.",
    );
    Ok(ListPage { shell, rows: rows.data, pager, errors })
}
