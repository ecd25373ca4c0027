//! `/v1/api-keys`

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use kernel::page::Page;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, Tagged};

use crate::actions::{self, NewApiKey, Proof};
use crate::api_key::Mode;
use crate::store::api_key::{self as store, ApiKey};

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
    /// That you are there, and not only your access token: your present password.
    #[schema(format = Password)]
    pub current_password: Option<String>,
    /// Or a code of your authenticator app, or a recovery code.
    pub totp_code: Option<String>,
    /// Or the code that `GET /auth/v1/reauthenticate` mailed you.
    pub nonce: Option<String>,
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
pub struct CreatedKeyOut {
    /// Its id.
    pub id: Uuid,
    /// The key itself, told this once.
    pub key: String,
    /// The client it acts for.
    pub client_id: Uuid,
    /// What it is called.
    pub name: String,
    /// The end of the key.
    pub last_four: String,
    /// `live` or `test`.
    pub mode: String,
    /// The permission keys it holds.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it is good.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Since when it is worth nothing.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Who made it.
    pub created_by_name: Option<String>,
    /// Whether it is the client's primary key.
    pub is_primary: bool,
}

impl CreatedKeyOut {
    fn new(key: String, row: ApiKey) -> Self {
        Self {
            id: row.id,
            key,
            client_id: row.client_id,
            name: row.name,
            last_four: row.last_four,
            mode: row.mode,
            scopes: row.scopes,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
            created_by_name: row.created_by_name,
            is_primary: row.is_primary,
        }
    }
}

/// `POST /v1/api-keys`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    body: web::Json<NewKeyBody>,
) -> web::Result<Made<CreatedKeyOut>> {
    let (body, client_id) = (body.0, caller.client_id()?);
    let new = NewApiKey { name: &body.name, mode: body.mode, scopes: &body.scopes, expires_at: body.expires_at };
    let proof = Proof {
        password: body.current_password.as_deref(),
        code: body.totp_code.as_deref(),
        nonce: body.nonce.as_deref(),
    };
    let created = actions::create_own_key(&app, &caller.actor, client_id, &new, proof).await?;
    let row = store::find(&caller.scope(&app), client_id, created.id).await?;
    let made = Tagged { etag: row.etag(), body: CreatedKeyOut::new(created.key, row) };
    Ok(Made::at(format!("/v1/api-keys/{}", created.id), made))
}

/// `GET /v1/api-keys/{id}`
pub async fn get(State(app): State<App>, caller: Caller, path: web::Path<Uuid>) -> web::Result<Tagged<ApiKey>> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, path.0).await?;
    Ok(Tagged { etag: row.etag(), body: row })
}

/// `DELETE /v1/api-keys/{id}`
pub async fn revoke(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> web::Result<StatusCode> {
    actions::revoke_key(&app, &caller.actor, (caller.client_id()?, path.0), &expected).await?;
    Ok(StatusCode::NO_CONTENT)
}
