//! `/v1/templates`.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use kernel::page::Page;
use kernel::version::{Expected, etag};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, Patch, Path, Query, Result, Tagged};

use super::ListParams;
use crate::actions::templates::{self as actions, TemplateInput, side};
use crate::store::templates as store;

/// A mail template.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Template)]
pub struct TemplateOut {
    id: Uuid,
    name: String,
    size: String,
    category: Option<String>,
    front: String,
    back: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<store::Template> for TemplateOut {
    fn from(row: store::Template) -> Self {
        Self {
            front: side(&row.design_json, "front"),
            back: side(&row.design_json, "back"),
            id: row.id,
            name: row.name,
            size: row.size,
            category: row.category,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// `GET /v1/templates`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Json<Page<TemplateOut>>> {
    let limit = params.page().limit()?;
    let rows =
        store::list(&caller.scope(&app), caller.client_id()?, params.q.clone(), params.page().after()?, limit).await?;
    Ok(Json(Page::from_rows(rows, limit, |row| (row.name.clone(), row.id)).map(TemplateOut::from)))
}

/// `GET /v1/templates/{id}`
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Tagged<TemplateOut>> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    Ok(Tagged { etag: etag(row.updated_at), body: row.into() })
}

/// `POST /v1/templates`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    web::Json(input): web::Json<TemplateInput>,
) -> Result<Made<TemplateOut>> {
    let id = actions::create(&app, &caller.actor, caller.client_id()?, &input).await?;
    Ok(Made::at(format!("/v1/templates/{id}"), get(State(app), caller, Path(id)).await?))
}

/// `PATCH /v1/templates/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    patch: Patch,
) -> Result<Tagged<TemplateOut>> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    expected.check(&etag(row.updated_at))?;
    // of the version that was read and no other, or half of somebody else's change would be lost
    let (read, present) = (Expected::of(&etag(row.updated_at)), actions::input_of(&row));
    let told = TemplateOut::from(row);
    let input = patch.onto(&present, &told)?;
    actions::update(&app, &caller.actor, (caller.client_id()?, id), &input, &read).await?;
    get(State(app), caller, Path(id)).await
}
