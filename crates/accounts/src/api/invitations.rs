//! `/v1/invitations`: of a client. Those of organizations are made in the console.

use axum::extract::State;
use axum::http::StatusCode;
use kernel::page::Page;
use kernel::role::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use web::{App, Caller};

use crate::actions::{self, NewInvite};
use crate::store::invitation::{self, Invitation};

/// `GET /v1/invitations`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: web::Query<web::PageQuery>,
) -> web::Result<axum::Json<Page<Invitation>>> {
    let client = caller.client()?;
    let of = (client.org_id, Some(client.id));
    Ok(axum::Json(invitation::list_pending(&caller.scope(&app), of, app.clock.now(), &query.0.into()).await?))
}

/// Whom to invite.
#[derive(Deserialize, ToSchema)]
pub struct InviteBody {
    /// The address.
    pub email: String,
    /// `company_owner`, `developer` or `call_center`.
    #[schema(value_type = String)]
    pub role: Role,
}

/// An invitation that was made.
#[derive(Serialize, ToSchema)]
pub struct InvitedOut {
    /// Its id.
    pub id: Uuid,
    /// A link to hand over, told this once. It proves nobody's address: whoever opens it is mailed the link to join with.
    pub link: String,
}

/// `POST /v1/invitations`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    body: web::Json<InviteBody>,
) -> web::Result<(StatusCode, axum::Json<InvitedOut>)> {
    let client_id = Some(caller.client_id()?);
    let new = NewInvite { email: &body.0.email, role: body.0.role, org_id: None, client_id };
    let invited = actions::invite(&app, &caller.actor, &new).await?;
    Ok((StatusCode::CREATED, axum::Json(InvitedOut { id: invited.id, link: invited.link })))
}

/// `DELETE /v1/invitations/{id}`
pub async fn revoke(State(app): State<App>, caller: Caller, path: web::Path<Uuid>) -> web::Result<StatusCode> {
    actions::revoke_invitation(&app, &caller.actor, path.0).await?;
    Ok(StatusCode::NO_CONTENT)
}
