//! `/v1/invitations`: of a client. Those of organizations are made in the console.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use kernel::page::Page;
use kernel::role::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, Tagged};

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
    /// The organization.
    pub org_id: Uuid,
    /// The client.
    pub client_id: Option<Uuid>,
    /// Who is invited.
    pub email: String,
    /// As what.
    #[schema(value_type = String)]
    pub role: Role,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when the link is good.
    pub expires_at: DateTime<Utc>,
    /// By whom.
    pub invited_by_name: Option<String>,
    /// `pending`.
    pub status: String,
    /// A link to hand over, told this once. It proves nobody's address: whoever opens it is mailed the link to join with.
    pub link: String,
}

/// `POST /v1/invitations`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    body: web::Json<InviteBody>,
) -> web::Result<Made<InvitedOut>> {
    let client_id = Some(caller.client_id()?);
    let new = NewInvite { email: &body.0.email, role: body.0.role, org_id: None, client_id };
    let invited = actions::invite(&app, &caller.actor, &new).await?;
    let Tagged { etag, body: row } = open(&app, &caller, invited.id).await?;
    let body = InvitedOut {
        id: row.id,
        org_id: row.org_id,
        client_id: row.client_id,
        email: row.email,
        role: row.role,
        created_at: row.created_at,
        expires_at: row.expires_at,
        invited_by_name: row.invited_by_name,
        status: row.status,
        link: invited.link,
    };
    Ok(Made::at(format!("/v1/invitations/{}", invited.id), Tagged { etag, body }))
}

/// `GET /v1/invitations/{id}`
pub async fn get(State(app): State<App>, caller: Caller, path: web::Path<Uuid>) -> web::Result<Tagged<Invitation>> {
    Ok(open(&app, &caller, path.0).await?)
}

/// An open invitation of the client; it does not change while it is open.
async fn open(app: &App, caller: &Caller, id: Uuid) -> kernel::Result<Tagged<Invitation>> {
    let client = caller.client()?;
    let of = (client.org_id, client.id);
    let row = invitation::find_pending(&caller.scope(app), of, (id, app.clock.now())).await?;
    Ok(Tagged { etag: row.etag(), body: row })
}

/// `DELETE /v1/invitations/{id}`
pub async fn revoke(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> web::Result<StatusCode> {
    actions::revoke_invitation(&app, &caller.actor, path.0, &expected).await?;
    Ok(StatusCode::NO_CONTENT)
}
