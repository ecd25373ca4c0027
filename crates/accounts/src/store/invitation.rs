//! Links by which people join.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::page::{Page, PageParams};
use kernel::role::Role;
use kernel::version::etag;
use kernel::{Error, Result};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

database::statement! {
    /// An open invitation to the same place for the same role is replaced by a new one.
    REVOKE_SAME, app, "
        update invitations
        set status = 'revoked'
        where org_id = $1
          and client_id is not distinct from $2
          and email = $3
          and role = $4
          and status = 'pending'";
    /// A new invitation.
    INSERT_INVITATION, app, "
        insert into invitations
            (id, org_id, client_id, email, role, token_hash, mail_token_hash, invited_by, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    /// Open invitations of a client, or of an organization itself.
    LIST_PENDING, app, "
        select i.id, i.org_id, i.client_id, i.email, i.role, i.created_at, i.expires_at, p.full_name as invited_by_name,
            case when i.expires_at <= $3 then 'expired' else i.status end as status
        from invitations i
        left join profiles p on p.id = i.invited_by
        where i.org_id = $1
          and i.client_id is not distinct from $2
          and i.status = 'pending'
          and ($4::uuid is null or i.id < $4)
        order by i.id desc
        limit $5";
    /// One open invitation of a client.
    FIND_PENDING, app, "
        select i.id, i.org_id, i.client_id, i.email, i.role, i.created_at, i.expires_at, p.full_name as invited_by_name,
            case when i.expires_at <= $3 then 'expired' else i.status end as status
        from invitations i
        left join profiles p on p.id = i.invited_by
        where i.org_id = $1
          and i.client_id = $2
          and i.status = 'pending'
          and i.id = $4";
    /// One invitation.
    FIND_INVITATION, app, "
        select i.id, i.org_id, i.client_id, i.email, i.role, i.created_at, i.expires_at, p.full_name as invited_by_name, i.status
        from invitations i
        left join profiles p on p.id = i.invited_by
        where i.id = $1";
    /// Takes an invitation back.
    REVOKE_INVITATION, app, "
        update invitations
        set status = 'revoked'
        where id = $1
          and status = 'pending'";
    /// The invitation behind a link, with what the invited person is told, and whether it is the link that was mailed.
    INVITATION_BY_TOKEN, signin, "
        select i.id, i.org_id, i.client_id, i.email, i.role, i.status, i.expires_at, i.invited_by, o.name as org_name,
            c.name as client_name, p.full_name as invited_by_name, u.id as user_id,
            coalesce(i.mail_token_hash = $1, false) as was_mailed
        from invitations i
        join organizations o on o.id = i.org_id
        left join clients c on c.id = i.client_id
        left join profiles p on p.id = i.invited_by
        left join auth.users u on u.email = i.email
        where i.token_hash = $1
           or i.mail_token_hash = $1";
    /// The link that is mailed now takes the place of the one that was mailed before.
    MAIL_ANEW, signin, "
        update invitations
        set mail_token_hash = $2
        where id = $1
          and status = 'pending'";
    /// The roles of whoever invited, as they are now; none once the place is out of their reach (as `app.client_ids()` and
    /// `app.managed_org_ids()` have it for somebody who asks themselves).
    INVITER_ROLES, signin, "
        select r.role
        from user_roles r
        join auth.users u on u.id = r.user_id
        where r.user_id = $1
          and u.deactivated_at is null
          and exists (
            select
            from user_roles way
            where way.user_id = r.user_id
              and case
                when way.role = 'admin'
                then true
                when way.role = 'agency_owner'
                then exists (select from org_members m where m.user_id = r.user_id and m.org_id = $2)
                when way.role in ('company_owner', 'developer', 'call_center')
                then exists (select from client_users m where m.user_id = r.user_id and m.client_id = $3)
              end)";
    /// Uses an invitation up; no row when somebody was faster.
    ACCEPT_INVITATION, signin, "
        update invitations
        set status = 'accepted',
            accepted_at = $2,
            accepted_user_id = $3
        where id = $1
          and status = 'pending'
          and expires_at > $2";
    /// Invitations that were not accepted in time.
    pub EXPIRE_INVITATIONS, worker, "
        update invitations
        set status = 'expired'
        where status = 'pending'
          and expires_at <= $1"
}

/// An invitation as those who invite see it.
#[derive(Debug, Clone, Serialize, FromRow, ToSchema)]
pub struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// The organization.
    pub org_id: Uuid,
    /// The client, where the role belongs to one.
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
    /// `pending`, `accepted`, `expired` or `revoked`.
    pub status: String,
}

impl Invitation {
    /// Its version: it does not change while it is open.
    pub fn etag(&self) -> String {
        etag(self.created_at)
    }
}

/// An invitation as the invited person sees it.
#[derive(Debug, Clone, FromRow)]
pub struct Offer {
    /// Its id.
    pub id: Uuid,
    /// The organization.
    pub org_id: Uuid,
    /// The client, where the role belongs to one.
    pub client_id: Option<Uuid>,
    /// Who is invited.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Its status in the table.
    pub status: String,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
    /// By whom.
    pub invited_by: Option<Uuid>,
    /// The organization's name.
    pub org_name: String,
    /// The client's name.
    pub client_name: Option<String>,
    /// The inviter's name.
    pub invited_by_name: Option<String>,
    /// The account with that address, if there is one.
    pub user_id: Option<Uuid>,
    /// Whether this is the link that was mailed, so that whoever has it reads the mail of the address.
    pub was_mailed: bool,
}

impl Offer {
    /// What one joins.
    pub fn place_name(&self) -> &str {
        self.client_name.as_deref().unwrap_or(&self.org_name)
    }

    /// What has become of it by `now`; `None` while it is good.
    pub fn over(&self, now: DateTime<Utc>) -> Option<&str> {
        match self.status.as_str() {
            "pending" if self.expires_at <= now => Some("expired"),
            "pending" => None,
            other => Some(other),
        }
    }
}

/// What a new invitation says.
pub struct NewInvitation<'a> {
    /// A new id.
    pub id: Uuid,
    /// The organization.
    pub org_id: Uuid,
    /// The client, where the role belongs to one.
    pub client_id: Option<Uuid>,
    /// The normalised address.
    pub email: &'a str,
    /// The role.
    pub role: Role,
    /// The token of the link to hand over; only its hash is kept.
    pub token: &'a str,
    /// The token of the link that is mailed; only its hash is kept.
    pub mail_token: &'a str,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct RoleRow {
    role: Role,
}

/// Writes an invitation in place of an open one that says the same.
pub async fn insert(tx: &Transaction, new: &NewInvitation<'_>) -> Result<()> {
    tx.execute(&REVOKE_SAME, &[&new.org_id, &new.client_id, &new.email, &new.role]).await?;
    let (hash, mail_hash) = (web::identity::token_hash(new.token), web::identity::token_hash(new.mail_token));
    let by = tx.actor().user_id();
    let params: database::Params<'_> = &[
        &new.id,
        &new.org_id,
        &new.client_id,
        &new.email,
        &new.role,
        &hash,
        &mail_hash,
        &by,
        &tx.now(),
        &new.expires_at,
    ];
    tx.execute(&INSERT_INVITATION, params).await.map(|_| ())
}

/// Keeps the token that is mailed now in place of the one before.
pub async fn mail_anew(tx: &Transaction, id: Uuid, token: &str) -> Result<()> {
    match tx.execute(&MAIL_ANEW, &[&id, &web::identity::token_hash(token)]).await? {
        0 => Err(Error::conflict("invitation_over", "This invitation is not open any more. Ask for a new one.")),
        _ => Ok(()),
    }
}

/// A page of the open invitations of a client, or of an organization itself, the newest first.
pub async fn list_pending(
    scope: &Scope<'_>,
    (org_id, client_id): (Uuid, Option<Uuid>),
    now: DateTime<Utc>,
    page: &PageParams,
) -> Result<Page<Invitation>> {
    let limit = page.limit()?;
    let params: database::Params<'_> = &[&org_id, &client_id, &now, &page.after::<Uuid>()?, &(limit + 1)];
    Ok(Page::from_rows(scope.query(&LIST_PENDING, params).await?, limit, |invitation: &Invitation| invitation.id))
}

/// One open invitation of a client.
pub async fn find_pending(
    scope: &Scope<'_>,
    (org_id, client_id): (Uuid, Uuid),
    (id, now): (Uuid, DateTime<Utc>),
) -> Result<Invitation> {
    scope.query_one(&FIND_PENDING, &[&org_id, &client_id, &now, &id]).await
}

/// One invitation within reach.
pub async fn find(tx: &Transaction, id: Uuid) -> Result<Invitation> {
    tx.query_one(&FIND_INVITATION, &[&id]).await
}

/// Takes an invitation back; `NotFound` when it is not open.
pub async fn revoke(tx: &Transaction, id: Uuid) -> Result<()> {
    match tx.execute(&REVOKE_INVITATION, &[&id]).await? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

/// The invitation behind a link.
pub async fn by_token(scope: &Scope<'_>, token: &str) -> Result<Offer> {
    scope.query_one(&INVITATION_BY_TOKEN, &[&web::identity::token_hash(token)]).await
}

/// The roles of whoever invited, as they are now; none when they do not reach the place any more.
pub async fn inviter_roles(tx: &Transaction, user_id: Uuid, offer: &Offer) -> Result<Vec<Role>> {
    let rows: Vec<RoleRow> = tx.query(&INVITER_ROLES, &[&user_id, &offer.org_id, &offer.client_id]).await?;
    Ok(rows.into_iter().map(|row| row.role).collect())
}

/// Uses an invitation up, once.
pub async fn accept(tx: &Transaction, id: Uuid, user_id: Uuid) -> Result<()> {
    match tx.execute(&ACCEPT_INVITATION, &[&id, &tx.now(), &user_id]).await? {
        0 => Err(Error::conflict("invitation_over", "This invitation is not open any more. Ask for a new one.")),
        _ => Ok(()),
    }
}
