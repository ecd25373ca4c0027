//! `/v1/organizations`

use axum::extract::State;
use kernel::page::{Page, PageParams};
use kernel::version::etag;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, Patch, Tagged};

use crate::actions::{self, NewOrganization, OrganizationChange, PriceChange};
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
) -> web::Result<Made<Organization>> {
    let new = NewOrganization { name: &body.0.name, kind: &body.0.r#type };
    let created = actions::create_organization(&app, &caller.actor, &new).await?;
    Ok(Made::at(format!("/v1/organizations/{}", created.id), tagged(created)))
}

/// What can be changed of an organization.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = OrganizationInput)]
pub struct OrganizationPatch {
    /// Its name.
    pub name: String,
    /// Whether everybody needs a second factor.
    pub require_second_factor: bool,
    /// What its clients pay. To change it takes `platform.settings`: prices are the operator's.
    pub prices: Prices,
}

/// Prices in credits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Prices {
    /// For a mail piece.
    #[schema(minimum = 0, maximum = 100_000)]
    pub piece: i32,
    /// For a reward.
    #[schema(minimum = 0, maximum = 100_000)]
    pub reward: i32,
}

/// `PATCH /v1/organizations/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<Uuid>,
    IfMatch(expected): IfMatch,
    patch: Patch,
) -> web::Result<Tagged<Organization>> {
    let organization: Organization = caller.scope(&app).query_one(&FIND_ORGANIZATION, &[&path.0]).await?;
    let required = organization.requires_second_factor();
    let prices = Prices { piece: organization.price("piece"), reward: organization.price("reward") };
    let before = OrganizationPatch { name: organization.name.clone(), require_second_factor: required, prices };
    let after = patch.onto(&before, &organization)?;
    if after.prices != prices {
        caller.require("platform.settings")?;
    }
    let changed = |price: i32, present: i32| (price != present).then_some(price);
    let change = OrganizationChange {
        name: (after.name != before.name).then_some(after.name.as_str()),
        require_second_factor: (after.require_second_factor != required).then_some(after.require_second_factor),
        prices: PriceChange {
            piece: changed(after.prices.piece, prices.piece),
            reward: changed(after.prices.reward, prices.reward),
        },
        expected,
    };
    Ok(tagged(actions::update_organization(&app, &caller.actor, path.0, &change).await?))
}

fn tagged(organization: Organization) -> Tagged<Organization> {
    Tagged { etag: etag(organization.updated_at), body: organization }
}
