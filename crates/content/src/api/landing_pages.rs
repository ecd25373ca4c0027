//! `/v1/landing-pages`.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use kernel::page::Page;
use kernel::version::Expected;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, Patch, Path, Query, Result, Tagged};

use super::ListParams;
use crate::actions::landing_pages::{self as actions, LandingPageInput, form_id, part};
use crate::store::landing_pages as store;

/// A landing page: the draft, and what of it is published.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LandingPage)]
pub struct LandingPageOut {
    id: Uuid,
    name: String,
    html: String,
    css: String,
    form_id: Option<Uuid>,
    is_published: bool,
    published_at: Option<DateTime<Utc>>,
    published_version_id: Option<Uuid>,
    updated_at: DateTime<Utc>,
}

impl From<store::LandingPage> for LandingPageOut {
    fn from(row: store::LandingPage) -> Self {
        Self {
            html: part(&row.content_json, "html"),
            css: part(&row.content_json, "css"),
            form_id: form_id(&row.content_json),
            id: row.id,
            name: row.name,
            is_published: row.is_published,
            published_at: row.published_at,
            published_version_id: row.published_version_id,
            updated_at: row.updated_at,
        }
    }
}

/// `GET /v1/landing-pages`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Json<Page<LandingPageOut>>> {
    let limit = params.page().limit()?;
    let rows =
        store::list(&caller.scope(&app), caller.client_id()?, params.q.clone(), params.page().after()?, limit).await?;
    Ok(Json(Page::from_rows(rows, limit, |row| (row.name.clone(), row.id)).map(LandingPageOut::from)))
}

/// `GET /v1/landing-pages/{id}`
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Tagged<LandingPageOut>> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    Ok(Tagged { etag: row.etag(), body: row.into() })
}

/// `POST /v1/landing-pages`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    web::Json(input): web::Json<LandingPageInput>,
) -> Result<Made<LandingPageOut>> {
    let id = actions::create(&app, &caller.actor, caller.client_id()?, &input).await?;
    Ok(Made::at(format!("/v1/landing-pages/{id}"), get(State(app), caller, Path(id)).await?))
}

/// `PATCH /v1/landing-pages/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    patch: Patch,
) -> Result<Tagged<LandingPageOut>> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    expected.check(&row.etag())?;
    // of the version that was read and no other, or half of somebody else's change would be lost
    let (read, present) = (Expected::of(&row.etag()), actions::input_of(&row));
    let told = LandingPageOut::from(row);
    let input = patch.onto(&present, &told)?;
    actions::update(&app, &caller.actor, (caller.client_id()?, id), &input, &read).await?;
    get(State(app), caller, Path(id)).await
}

/// `POST /v1/landing-pages/{id}/publish`
pub async fn publish(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Tagged<LandingPageOut>> {
    actions::publish(&app, &caller.actor, (caller.client_id()?, id), &expected).await?;
    get(State(app), caller, Path(id)).await
}
