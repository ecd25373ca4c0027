//! Lists over REST.

use axum::Json as Reply;
use axum::extract::State;
use axum::http::StatusCode;
use kernel::page::{Page, PageParams};
use kernel::version::{Expected, etag};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, IfMatch, Json, Made, Patch, Path, Query, Result, Tagged};

use super::Id;
use crate::actions::lists as action;
use crate::contacts::Contact;
use crate::lists::{List, ListInput, Mailable};
use crate::store::contact_search::Wanted;
use crate::store::lists as store;

/// Which lists are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// Part of the name.
    pub q: Option<String>,
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// Contacts to put on a list.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// At most 1,000 at a time; ids of other clients are passed over.
    #[schema(min_items = 1, max_items = 1000)]
    pub contact_ids: Vec<Uuid>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MembersChanged {
    /// How many were not on the list before.
    pub added: u64,
    /// How many are on it now.
    pub contact_count: i32,
}

/// A list and one of its members.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Member {
    id: Uuid,
    contact_id: Uuid,
}

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Reply<Page<List>>> {
    let page = PageParams { limit: params.limit, after: params.after };
    let (limit, after) = (page.limit()?, page.after::<(String, Uuid)>()?);
    let rows =
        store::list(&caller.scope(&app), caller.client_id()?, params.q.as_deref(), after.as_ref(), limit).await?;
    Ok(Reply(Page::from_rows(rows, limit, |list| (list.name.clone(), list.id))))
}

pub async fn create(State(app): State<App>, caller: Caller, Json(input): Json<ListInput>) -> Result<Made<List>> {
    let list = action::create(&app, &caller.actor, caller.client_id()?, input).await?;
    Ok(Made::at(format!("/v1/lists/{}", list.id), tagged(list)))
}

pub async fn show(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Tagged<List>> {
    Ok(tagged(store::find(&caller.scope(&app), caller.client_id()?, id).await?))
}

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    IfMatch(expected): IfMatch,
    patch: Patch,
) -> Result<Tagged<List>> {
    let list = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    expected.check(&etag(list.updated_at))?;
    let (read, input) = (Expected::of(&etag(list.updated_at)), patch.onto(&ListInput::of(&list), &list)?);
    Ok(tagged(action::update(&app, &caller.actor, (caller.client_id()?, id), input, &read).await?))
}

fn tagged(list: List) -> Tagged<List> {
    Tagged { etag: etag(list.updated_at), body: list }
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

pub async fn mailable(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Reply<Mailable>> {
    let (scope, client_id) = (caller.scope(&app), caller.client_id()?);
    store::find(&scope, client_id, id).await?;
    Ok(Reply(store::mailable(&scope, client_id, id).await?))
}

pub async fn members(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Query(page): Query<web::PageQuery>,
) -> Result<Reply<Page<Contact>>> {
    store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let wanted = Wanted { list_id: Some(id), ..Wanted::default() };
    Ok(Reply(super::contacts::page_of(&app, &caller, &wanted, &page.into()).await?))
}

pub async fn add(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Json(members): Json<Members>,
) -> Result<Reply<MembersChanged>> {
    let client_id = caller.client_id()?;
    let added = action::add_members(&app, &caller.actor, (client_id, id), &members.contact_ids).await?;
    let list = store::find(&caller.scope(&app), client_id, id).await?;
    Ok(Reply(MembersChanged { added, contact_count: list.contact_count }))
}

pub async fn remove(State(app): State<App>, caller: Caller, Path(member): Path<Member>) -> Result<StatusCode> {
    let ids = (caller.client_id()?, member.id);
    match action::remove_members(&app, &caller.actor, ids, &[member.contact_id]).await? {
        0 => Err(kernel::Error::NotFound.into()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}
