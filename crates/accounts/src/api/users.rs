//! `/v1/users`

use axum::extract::State;
use axum::http::StatusCode;
use kernel::page::{Page, PageParams};
use kernel::role::Role;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, IfMatch, Tagged};

use crate::actions::{self, TheirKeys};
use crate::store::team::{self, Member, PeopleFilter};

/// Which people.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// How many, 1 to 200.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Part of the name or address.
    pub q: Option<String>,
    /// Those with a role.
    #[param(value_type = Option<String>)]
    pub role: Option<Role>,
}

/// `GET /v1/users`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: web::Query<ListParams>,
) -> web::Result<axum::Json<Page<Member>>> {
    let page = PageParams { limit: query.0.limit, after: query.0.after };
    let wanted = PeopleFilter { search: query.0.q.as_deref().unwrap_or_default(), role: query.0.role };
    Ok(axum::Json(team::list_people(&caller.scope(&app), &wanted, &page).await?))
}

/// `GET /v1/users/{id}`
pub async fn get(State(app): State<App>, caller: Caller, path: web::Path<Uuid>) -> web::Result<Tagged<Member>> {
    let scope = caller.scope(&app);
    let tx = scope.transaction().await?;
    Ok(Tagged::of(team::find(&tx, path.0, None).await?)?)
}

/// What becomes of the API keys that the person made.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct KeysParams {
    /// `end` (the default) revokes them; `pass_to_me` makes them yours, as far as you hold what they hold.
    #[serde(default)]
    #[param(inline, value_type = Option<TheirKeys>)]
    pub api_keys: TheirKeys,
}

/// `POST /v1/users/{id}/deactivate`
pub async fn deactivate(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<Uuid>,
    query: web::Query<KeysParams>,
    IfMatch(expected): IfMatch,
) -> web::Result<StatusCode> {
    actions::deactivate(&app, &caller.actor, path.0, query.0.api_keys, &expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/users/{id}/reactivate`
pub async fn reactivate(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> web::Result<StatusCode> {
    actions::reactivate(&app, &caller.actor, path.0, &expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The role from now on.
#[derive(Deserialize, ToSchema)]
pub struct RoleBody {
    /// `company_owner`, `developer` or `call_center`.
    #[schema(value_type = String)]
    pub role: Role,
}

/// `PUT /v1/users/{id}/role`
pub async fn change_role(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<Uuid>,
    IfMatch(expected): IfMatch,
    body: web::Json<RoleBody>,
) -> web::Result<StatusCode> {
    actions::change_role(&app, &caller.actor, (caller.client_id()?, path.0), body.0.role, &expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /v1/users/{id}`: out of the client; the account stays.
pub async fn remove(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<Uuid>,
    query: web::Query<KeysParams>,
    IfMatch(expected): IfMatch,
) -> web::Result<StatusCode> {
    let of = (caller.client_id()?, path.0);
    actions::remove_from_client(&app, &caller.actor, of, query.0.api_keys, &expected).await?;
    Ok(StatusCode::NO_CONTENT)
}
