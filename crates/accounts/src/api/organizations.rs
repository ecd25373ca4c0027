//! `/v1/organizations`

use axum::extract::State;
use axum::http::StatusCode;
use kernel::page::{Page, PageParams};
use kernel::version::etag;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, IfMatch, Tagged};

use crate::actions::{self, NewOrganization, OrganizationChange};
use crate::store::organization::{FIND_ORGANIZATION, Organization, list_organizations};

/// Which organizations.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// How many, 1 to 200.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Part of the name.
    pub q: Option<String>,
}

/// `GET /v1/organizations`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: web::Query<ListParams>,
) -> web::Result<axum::Json<Page<Organization>>> {
    let page = PageParams { limit: query.0.limit, after: query.0.after };
    let search = query.0.q.unwrap_or_default();
    Ok(axum::Json(list_organizations(&caller.scope(&app), &search, &page).await?))
}

/// `GET /v1/organizations/{id}`
pub async fn get(State(app): State<App>, caller: Caller, path: web::Path<Uuid>) -> web::Result<Tagged<Organization>> {
    Ok(tagged(caller.scope(&app).query_one(&FIND_ORGANIZATION, &[&path.0]).await?))
}

/// A new organization.
#[derive(Deserialize, ToSchema)]
pub struct NewOrganizationBody {
    /// Its name.
    pub name: String,
    /// `internal`, `agency` or `direct`.
    pub r#type: String,
}

/// `POST /v1/organizations`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    body: web::Json<NewOrganizationBody>,
) -> web::Result<(StatusCode, Tagged<Organization>)> {
    let new = NewOrganization { name: &body.0.name, kind: &body.0.r#type };
    let created = actions::create_organization(&app, &caller.actor, &new).await?;
    Ok((StatusCode::CREATED, tagged(created)))
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
pub struct OrganizationPatch {
    /// Its name.
    pub name: Option<String>,
    /// Whether everybody needs a second factor.
    pub require_second_factor: Option<bool>,
}

/// `PATCH /v1/organizations/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<Uuid>,
    IfMatch(expected): IfMatch,
    body: web::Json<OrganizationPatch>,
) -> web::Result<Tagged<Organization>> {
    let change = OrganizationChange {
        name: body.0.name.as_deref(),
        require_second_factor: body.0.require_second_factor,
        expected,
    };
    Ok(tagged(actions::update_organization(&app, &caller.actor, path.0, &change).await?))
}

fn tagged(organization: Organization) -> Tagged<Organization> {
    Tagged { etag: etag(organization.updated_at), body: organization }
}
