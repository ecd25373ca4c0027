//! Contacts over REST.

use axum::Json as Reply;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::page::{Page, PageParams};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;
use web::{App, Caller, IfMatch, Json, Made, Patch, Path, Query, Result, Tagged};

use super::Id;
use crate::actions::contacts as action;
use crate::contacts::{Contact, ContactInput};
use crate::export;
use crate::store::contact_search::{self as search, Cursor, Wanted};
use crate::store::contacts as store;

/// Which contacts are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// Part of a name, company, e-mail, phone or code.
    pub q: Option<String>,
    /// Only members of this list.
    pub list: Option<Uuid>,
    /// Only this lifecycle stage.
    pub lifecycle_stage: Option<String>,
    /// Only those who must not, or who may, be contacted.
    pub do_not_contact: Option<bool>,
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// Which contacts are exported, and how.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ExportParams {
    /// csv or json; csv when absent.
    pub format: Option<String>,
    /// Part of a name, company, e-mail, phone or code.
    pub q: Option<String>,
    /// Only members of this list.
    pub list: Option<Uuid>,
    /// Only this lifecycle stage.
    pub lifecycle_stage: Option<String>,
    /// Only those who must not, or who may, be contacted.
    pub do_not_contact: Option<bool>,
}

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Reply<Page<Contact>>> {
    let page = PageParams { limit: params.limit, after: params.after };
    let wanted = Wanted {
        search: params.q,
        list_id: params.list,
        stage: params.lifecycle_stage,
        suppressed: params.do_not_contact,
        ..Wanted::default()
    };
    Ok(Reply(page_of(&app, &caller, &wanted, &page).await?))
}

/// A page of whole contacts, newest first.
pub(super) async fn page_of(
    app: &App,
    caller: &Caller,
    wanted: &Wanted,
    page: &PageParams,
) -> kernel::Result<Page<Contact>> {
    let (limit, after) = (page.limit()?, page.after::<Cursor>()?);
    let rows = search::list_whole(&caller.scope(app), caller.client_id()?, wanted, after.as_ref(), limit).await?;
    Ok(Page::from_rows(rows, limit, |contact| (String::new(), contact.id)))
}

pub async fn create(State(app): State<App>, caller: Caller, Json(input): Json<ContactInput>) -> Result<Made<Contact>> {
    let contact = action::create(&app, &caller.actor, caller.client_id()?, input).await?;
    Ok(Made::at(format!("/v1/contacts/{}", contact.id), tagged(contact)))
}

pub async fn show(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Tagged<Contact>> {
    Ok(tagged(store::find(&caller.scope(&app), caller.client_id()?, id).await?))
}

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    IfMatch(expected): IfMatch,
    patch: Patch,
) -> Result<Tagged<Contact>> {
    let contact = action::patch(&app, &caller.actor, (caller.client_id()?, id), patch, &expected).await?;
    Ok(tagged(contact))
}

pub async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode> {
    action::delete(&app, &caller.actor, (caller.client_id()?, id), &expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn export(State(app): State<App>, caller: Caller, Query(params): Query<ExportParams>) -> Result<Response> {
    let format = export::Format::parse(params.format.as_deref())?;
    let wanted = Wanted {
        search: params.q,
        list_id: params.list,
        stage: params.lifecycle_stage,
        suppressed: params.do_not_contact,
        ..Wanted::default()
    };
    Ok(export::contacts(&app, &caller.actor, caller.client_id()?, wanted, format).await?)
}

fn tagged(contact: Contact) -> Tagged<Contact> {
    Tagged { etag: contact.etag(), body: contact }
}
