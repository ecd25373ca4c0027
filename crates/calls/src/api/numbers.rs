//! `/v1/numbers`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate, Utc};
use kernel::page::Page;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, PageQuery, Path, Query, Result, Tagged};

use crate::actions::numbers::{self as actions, NumberInput};
use crate::store::numbers::{self as store, Number};

/// A tracked number.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrackedNumber)]
pub struct NumberOut {
    id: Uuid,
    phone_number: String,
    forward_to_number: Option<String>,
    friendly_name: Option<String>,
    campaign_id: Option<Uuid>,
    is_active: bool,
    held_until: Option<NaiveDate>,
    created_at: DateTime<Utc>,
}

impl From<Number> for NumberOut {
    fn from(row: Number) -> Self {
        Self {
            id: row.id,
            phone_number: row.phone_number,
            forward_to_number: row.forward_to_number,
            friendly_name: row.friendly_name,
            campaign_id: row.campaign_id,
            is_active: row.is_active,
            held_until: row.held_until,
            created_at: row.created_at,
        }
    }
}

/// `GET /v1/numbers`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<NumberOut>>> {
    Ok(Json(store::list(&caller.scope(&app), caller.client_id()?, &page.into()).await?.map(NumberOut::from)))
}

/// `GET /v1/numbers/{id}`
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Tagged<NumberOut>> {
    tagged(store::find(&caller.scope(&app), caller.client_id()?, id).await?)
}

fn tagged(row: Number) -> Result<Tagged<NumberOut>> {
    Ok(Tagged { etag: row.etag()?, body: row.into() })
}

/// `POST /v1/numbers`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    web::Json(input): web::Json<NumberInput>,
) -> Result<Made<NumberOut>> {
    let client_id = caller.client_id()?;
    let id = actions::add(&app, &caller.actor, client_id, &input).await?;
    let row = store::find(&caller.scope(&app), client_id, id).await?;
    Ok(Made::at(format!("/v1/numbers/{id}"), tagged(row)?))
}

/// `POST /v1/numbers/{id}/release`
pub async fn release(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode> {
    actions::release(&app, &caller.actor, (caller.client_id()?, id), &expected).await?;
    Ok(StatusCode::NO_CONTENT)
}
