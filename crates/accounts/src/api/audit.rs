//! `/v1/audit`

use axum::extract::State;
use chrono::{DateTime, Utc};
use kernel::page::{Page, PageParams};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;
use web::{App, Caller};

use crate::store::audit::{self, AuditEntry, AuditFilter};

/// Which acts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// How many, 1 to 200.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Part of the action or of the actor's name, or a whole row id.
    pub q: Option<String>,
    /// Of one client.
    pub client_id: Option<Uuid>,
    /// From this moment on.
    pub from: Option<DateTime<Utc>>,
    /// Until before this moment.
    pub to: Option<DateTime<Utc>>,
}

/// `GET /v1/audit`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: web::Query<ListParams>,
) -> web::Result<axum::Json<Page<AuditEntry>>> {
    let params = query.0;
    let page = PageParams { limit: params.limit, after: params.after };
    let search = params.q.unwrap_or_default();
    let wanted = AuditFilter { search: &search, client_id: params.client_id, from: params.from, to: params.to };
    Ok(axum::Json(audit::list(&caller.scope(&app), &wanted, &page).await?))
}
