//! `/v1/pools`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use kernel::Error;
use kernel::money::Money;
use kernel::page::{Page, PageParams};
use kernel::version::etag;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, Patch, Path, Query, Result, Tagged};

use crate::actions::pools::{self as actions, PoolInput, RenameInput};
use crate::pools::Level;
use crate::store::pools as store;
use crate::upload::{self, MOST_BYTES, UploadReport};

/// Which pools.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct ListParams {
    /// Part of the name.
    pub q: Option<String>,
    /// The archived ones instead of the others.
    pub archived: bool,
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// A pool of gift cards of one brand and value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pool)]
pub struct PoolOut {
    id: Uuid,
    pool_name: String,
    brand_id: Uuid,
    brand_name: String,
    #[schema(value_type = String)]
    value_amount: Money,
    total_cards: i32,
    available_cards: i32,
    reserved_cards: i32,
    delivered_cards: i32,
    level: Level,
    archived_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<store::Pool> for PoolOut {
    fn from(row: store::Pool) -> Self {
        Self {
            level: row.level(),
            id: row.id,
            pool_name: row.pool_name,
            brand_id: row.brand_id,
            brand_name: row.brand_name,
            value_amount: row.value_amount,
            total_cards: row.total_cards,
            available_cards: row.available_cards,
            reserved_cards: row.reserved_cards,
            delivered_cards: row.delivered_cards,
            archived_at: row.archived_at,
            created_at: row.created_at,
        }
    }
}

/// `GET /v1/pools`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Json<Page<PoolOut>>> {
    let page = PageParams { limit: params.limit, after: params.after };
    let (limit, which) = (page.limit()?, (params.q, params.archived));
    let rows = store::list(&caller.scope(&app), caller.client_id()?, which, page.after()?, limit).await?;
    Ok(Json(Page::from_rows(rows, limit, |row| (row.pool_name.clone(), row.id)).map(PoolOut::from)))
}

/// `GET /v1/pools/{id}`
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Tagged<PoolOut>> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    Ok(Tagged { etag: etag(row.updated_at), body: row.into() })
}

/// `POST /v1/pools`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    web::Json(input): web::Json<PoolInput>,
) -> Result<Made<PoolOut>> {
    let id = actions::create(&app, &caller.actor, caller.client_id()?, &input).await?;
    Ok(Made::at(format!("/v1/pools/{id}"), get(State(app), caller, Path(id)).await?))
}

/// `PATCH /v1/pools/{id}`
pub async fn rename(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    patch: Patch,
) -> Result<Tagged<PoolOut>> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let present = RenameInput { pool_name: row.pool_name.clone() };
    let input = patch.onto(&present, &PoolOut::from(row))?;
    // stock moves the version all the time and is no part of what is changed: only what the caller read counts
    actions::rename(&app, &caller.actor, (caller.client_id()?, id), &input, &expected).await?;
    get(State(app), caller, Path(id)).await
}

/// `POST /v1/pools/{id}/archive`
pub async fn archive(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Tagged<PoolOut>> {
    actions::archive(&app, &caller.actor, (caller.client_id()?, id), &expected).await?;
    get(State(app), caller, Path(id)).await
}

/// `POST /v1/pools/{id}/restore`
pub async fn restore(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Tagged<PoolOut>> {
    actions::restore(&app, &caller.actor, (caller.client_id()?, id), &expected).await?;
    get(State(app), caller, Path(id)).await
}

/// `POST /v1/pools/{id}/cards`: a CSV as the body; every card of it, or a problem that names the lines.
pub async fn upload(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    body: Body,
) -> Result<(StatusCode, Json<UploadReport>)> {
    store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let limit = usize::try_from(MOST_BYTES).unwrap_or(usize::MAX);
    let bytes = axum::body::to_bytes(body, limit).await.map_err(|_| too_large())?;
    let report = upload::run(&app, &caller.actor, id, std::io::Cursor::new(bytes)).await?.into_result()?;
    Ok((StatusCode::CREATED, Json(report)))
}

fn too_large() -> Error {
    Error::conflict("body_too_large", format!("A file of cards can have up to {MOST_BYTES} bytes."))
}
