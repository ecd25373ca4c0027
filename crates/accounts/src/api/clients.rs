//! `/v1/clients`

use axum::extract::State;
use axum::http::StatusCode;
use kernel::page::{Page, PageParams};
use kernel::version::etag;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, IfMatch, Tagged};

use crate::actions::{self, ClientChange, NewClient};
use crate::store::organization::{Client, ClientFilter, FIND_CLIENT, list_clients};

/// Which clients.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// How many, 1 to 200.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Part of the name.
    pub q: Option<String>,
    /// Those of one organization.
    pub org_id: Option<Uuid>,
    /// Those put away, too.
    #[serde(default)]
    pub archived: bool,
}

/// `GET /v1/clients`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: web::Query<ListParams>,
) -> web::Result<axum::Json<Page<Client>>> {
    let params = query.0;
    let page = PageParams { limit: params.limit, after: params.after };
    let wanted = ClientFilter {
        search: params.q.as_deref().unwrap_or_default(),
        org_id: params.org_id,
        archived: params.archived,
    };
    Ok(axum::Json(list_clients(&caller.scope(&app), &wanted, &page).await?))
}

/// `GET /v1/clients/{id}`
pub async fn get(State(app): State<App>, caller: Caller, path: web::Path<Uuid>) -> web::Result<Tagged<Client>> {
    Ok(tagged(caller.scope(&app).query_one(&FIND_CLIENT, &[&path.0]).await?))
}

/// A new client.
#[derive(Deserialize, ToSchema)]
pub struct NewClientBody {
    /// Its organization.
    pub org_id: Uuid,
    /// Its name.
    pub name: String,
    /// Its trade.
    #[serde(default = "other")]
    pub industry: String,
    /// Its website.
    pub website_url: Option<String>,
    /// Its IANA time zone.
    #[serde(default = "new_york")]
    pub time_zone: String,
}

fn other() -> String {
    "other".into()
}

fn new_york() -> String {
    "America/New_York".into()
}

/// `POST /v1/clients`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    body: web::Json<NewClientBody>,
) -> web::Result<(StatusCode, Tagged<Client>)> {
    let body = body.0;
    let new = NewClient {
        org_id: body.org_id,
        name: &body.name,
        industry: &body.industry,
        website_url: body.website_url.as_deref(),
        time_zone: &body.time_zone,
    };
    let created = actions::create_client(&app, &caller.actor, &new).await?;
    Ok((StatusCode::CREATED, tagged(created)))
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
pub struct ClientPatch {
    /// Its name.
    pub name: Option<String>,
    /// Its trade.
    pub industry: Option<String>,
    /// Its logo; empty takes it away.
    pub logo_url: Option<String>,
    /// Its website; empty takes it away.
    pub website_url: Option<String>,
    /// The number recipients may call; empty takes it away.
    pub support_phone: Option<String>,
    /// Its IANA time zone.
    pub time_zone: Option<String>,
    /// Its main colour.
    pub primary_color: Option<String>,
    /// Its second colour.
    pub secondary_color: Option<String>,
}

/// `PATCH /v1/clients/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<Uuid>,
    IfMatch(expected): IfMatch,
    body: web::Json<ClientPatch>,
) -> web::Result<Tagged<Client>> {
    let body = body.0;
    let change = ClientChange {
        name: body.name.as_deref(),
        industry: body.industry.as_deref(),
        logo_url: body.logo_url.as_deref(),
        website_url: body.website_url.as_deref(),
        support_phone: body.support_phone.as_deref(),
        time_zone: body.time_zone.as_deref(),
        primary_color: body.primary_color.as_deref(),
        secondary_color: body.secondary_color.as_deref(),
        expected,
    };
    let updated = actions::update_client(&app, &caller.actor, path.0, &change).await?;
    Ok(tagged(updated))
}

fn tagged(client: Client) -> Tagged<Client> {
    Tagged { etag: etag(client.updated_at), body: client }
}
