//! `/v1/clients`

use axum::extract::State;
use kernel::page::{Page, PageParams};
use kernel::version::etag;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, Patch, Tagged};

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
) -> web::Result<Made<Client>> {
    let body = body.0;
    let new = NewClient {
        org_id: body.org_id,
        name: &body.name,
        industry: &body.industry,
        website_url: body.website_url.as_deref(),
        time_zone: &body.time_zone,
    };
    let created = actions::create_client(&app, &caller.actor, &new).await?;
    Ok(Made::at(format!("/v1/clients/{}", created.id), tagged(created)))
}

/// What can be changed of a client.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = ClientInput)]
pub struct ClientPatch {
    /// Its name.
    pub name: String,
    /// Its trade.
    pub industry: String,
    /// Its logo.
    pub logo_url: Option<String>,
    /// Its website.
    pub website_url: Option<String>,
    /// The number recipients may call.
    pub support_phone: Option<String>,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Its main colour.
    pub primary_color: Option<String>,
    /// Its second colour.
    pub secondary_color: Option<String>,
}

impl ClientPatch {
    fn of(client: &Client) -> Self {
        let colour = |name: &str| client.brand_colors_json[name].as_str().map(str::to_owned);
        Self {
            name: client.name.clone(),
            industry: client.industry.clone(),
            logo_url: client.logo_url.clone(),
            website_url: client.website_url.clone(),
            support_phone: client.support_phone.clone(),
            time_zone: client.time_zone.clone(),
            primary_color: colour("primary"),
            secondary_color: colour("secondary"),
        }
    }
}

/// `PATCH /v1/clients/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<Uuid>,
    IfMatch(expected): IfMatch,
    patch: Patch,
) -> web::Result<Tagged<Client>> {
    let client: Client = caller.scope(&app).query_one(&FIND_CLIENT, &[&path.0]).await?;
    let before = ClientPatch::of(&client);
    let after = patch.onto(&before, &client)?;
    // only what the patch changed: who changes something else at the same moment does not lose it
    let change = ClientChange {
        name: differs(&before.name, &after.name),
        industry: differs(&before.industry, &after.industry),
        logo_url: changed(&before.logo_url, &after.logo_url),
        website_url: changed(&before.website_url, &after.website_url),
        support_phone: changed(&before.support_phone, &after.support_phone),
        time_zone: differs(&before.time_zone, &after.time_zone),
        primary_color: changed(&before.primary_color, &after.primary_color),
        secondary_color: changed(&before.secondary_color, &after.secondary_color),
        expected,
    };
    let updated = actions::update_client(&app, &caller.actor, path.0, &change).await?;
    Ok(tagged(updated))
}

fn differs<'a>(old: &str, new: &'a str) -> Option<&'a str> {
    (old != new).then_some(new)
}

/// What was emptied is empty from now on.
fn changed<'a>(old: &Option<String>, new: &'a Option<String>) -> Option<&'a str> {
    (old != new).then(|| new.as_deref().unwrap_or_default())
}

fn tagged(client: Client) -> Tagged<Client> {
    Tagged { etag: etag(client.updated_at), body: client }
}
