//! `/v1/api-keys`

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use kernel::page::Page;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use web::{App, Caller};

use crate::actions::{self, NewApiKey};
use crate::api_key::Mode;
use crate::store::api_key::ApiKey;

/// `GET /v1/api-keys`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: web::Query<web::PageQuery>,
) -> web::Result<axum::Json<Page<ApiKey>>> {
    Ok(axum::Json(actions::list_keys(&app, &caller.actor, caller.client_id()?, &query.0.into()).await?))
}

/// A new key.
#[derive(Deserialize, ToSchema)]
pub struct NewKeyBody {
    /// What it is called.
    pub name: String,
    /// `live` or `test`.
    #[serde(default)]
    pub mode: Mode,
    /// The permission keys it holds, at least one; never more than you hold.
    #[serde(default)]
    #[schema(required = true, min_items = 1, example = json!(["contacts.view", "campaigns.view"]))]
    pub scopes: Vec<String>,
    /// Until when it is good.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
pub struct CreatedKeyOut {
    /// Its id.
    pub id: Uuid,
    /// The key itself, told this once.
    pub key: String,
    /// The permission keys it holds.
    pub scopes: Vec<String>,
}

/// `POST /v1/api-keys`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    body: web::Json<NewKeyBody>,
) -> web::Result<(StatusCode, axum::Json<CreatedKeyOut>)> {
    let body = body.0;
    let new = NewApiKey { name: &body.name, mode: body.mode, scopes: &body.scopes, expires_at: body.expires_at };
    let created = actions::create_key(&app, &caller.actor, caller.client_id()?, &new).await?;
    Ok((StatusCode::CREATED, axum::Json(CreatedKeyOut { id: created.id, key: created.key, scopes: created.scopes })))
}

/// `DELETE /v1/api-keys/{id}`
pub async fn revoke(State(app): State<App>, caller: Caller, path: web::Path<Uuid>) -> web::Result<StatusCode> {
    actions::revoke_key(&app, &caller.actor, caller.client_id()?, path.0).await?;
    Ok(StatusCode::NO_CONTENT)
}
