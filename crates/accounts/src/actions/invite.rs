//! Inviting somebody by link.

use chrono::Duration;
use database::{Audited, FromRow, Transaction};
use kernel::role::{self, Role};
use kernel::version::Expected;
use kernel::{Actor, Error, Result, Who, email};
use serde_json::json;
use uuid::Uuid;
use web::App;

use crate::mail::{self, SystemMail, one_line};
use crate::store::invitation::{self, NewInvitation};
use crate::store::user::{self, Place};

/// How long a link is good.
const LIFETIME: Duration = Duration::days(7);

database::statement! {
    /// The organization of a client within reach.
    ORG_OF_CLIENT, app, "
        select o.id, o.type as kind, c.name
        from clients c
        join organizations o on o.id = c.org_id
        where c.id = $1";
    /// An organization within reach.
    ORG, app, "
        select id, type as kind, name
        from organizations
        where id = $1";
    /// The name of the person asking.
    OWN_NAME, app, "
        select coalesce(full_name, email)
        from profiles
        where id = $1"
}

/// Whom to invite, as what.
#[derive(Debug, Clone)]
pub struct NewInvite<'a> {
    /// The address, as typed.
    pub email: &'a str,
    /// The role.
    pub role: Role,
    /// The organization, for roles that belong to one.
    pub org_id: Option<Uuid>,
    /// The client, for roles that belong to one.
    pub client_id: Option<Uuid>,
}

/// An invitation that was made.
#[derive(Debug, Clone)]
pub struct Invited {
    /// Its id.
    pub id: Uuid,
    /// A link to hand over, shown to the inviter this once. It proves nobody's address: it mails the one that does.
    pub link: String,
}

#[derive(FromRow)]
struct OrgRow {
    id: Uuid,
    kind: String,
    name: String,
}

/// Invites somebody. The mail holds a link that proves the address; the inviter gets another, which only leads to the mail.
///
/// # Errors
/// `NotFound` when the place is out of reach; names `email`, `role`, `client` or `organization`; `TooMany` when the address
/// was invited often lately.
pub async fn invite(app: &App, actor: &Actor, new: &NewInvite<'_>) -> Result<Invited> {
    let address = email::normalise(new.email).ok_or_else(|| Error::invalid("email", email::WANTED))?;
    let place = user::place_for(new.role, new.org_id, new.client_id)?;
    let scope = app.db.scope(actor);
    may_grant(&scope, actor, &[new.role]).await?;
    let tx = scope.transaction().await?;
    let (org, client_id) = find_place(&tx, new.role, place).await?;
    mail::spend(app, "invitation", &address)?;
    let (id, token, mailed) = (kernel::new_id(), kernel::random::token(), kernel::random::token());
    let row = NewInvitation {
        id,
        org_id: org.id,
        client_id,
        email: &address,
        role: new.role,
        token: &token,
        mail_token: &mailed,
        expires_at: tx.now() + LIFETIME,
    };
    invitation::insert(&tx, &row).await?;
    let by = inviter_name(&tx, actor).await?;
    let told = (by.as_str(), org.name.as_str(), new.role);
    letter(&address, told, &app.link(&format!("/invitations/{mailed}"))).send(&tx, &app.keyring).await?;
    let what = Audited { client_id, after: Some(json!({ "email": address, "role": new.role })), ..Audited::default() };
    match client_id {
        Some(_) => tx.audit("invitation.created", "invitations", Some(id), what).await?,
        None => tx.audit_of_org(org.id, ("invitation.created", "invitations", Some(id)), what).await?,
    }
    tx.commit().await?;
    Ok(Invited { id, link: app.link(&format!("/invitations/{token}")) })
}

/// Takes an invitation back: its link is worth nothing any more.
///
/// # Errors
/// `NotFound` when it is out of reach or not open.
pub async fn revoke_invitation(app: &App, actor: &Actor, id: Uuid, expected: &Expected) -> Result<()> {
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    let found = invitation::find(&tx, id).await?;
    // it does not change while it is open, and what is not open is not revoked
    expected.check(&found.etag())?;
    invitation::revoke(&tx, id).await?;
    let what = Audited {
        client_id: found.client_id,
        before: Some(json!({ "status": "pending" })),
        after: Some(json!({ "status": "revoked", "email": found.email })),
    };
    match found.client_id {
        Some(_) => tx.audit("invitation.revoked", "invitations", Some(id), what).await?,
        None => tx.audit_of_org(found.org_id, ("invitation.revoked", "invitations", Some(id)), what).await?,
    }
    tx.commit().await
}

/// Nobody grants what they do not hold: each role must be one that some role of the actor may hand out.
///
/// # Errors
/// Names `role` and the first one that is not.
pub(super) async fn may_grant(scope: &database::Scope<'_>, actor: &Actor, roles: &[Role]) -> Result<()> {
    let held = match actor.who {
        Who::System(kernel::System::Operator) => vec![Role::Admin],
        Who::User(id) => user::own_roles(scope, id).await?,
        Who::Key(_) | Who::System(_) => Vec::new(),
    };
    match roles.iter().find(|target| !held.iter().any(|own| role::may_grant(*own, **target))) {
        Some(refused) => Err(Error::invalid("role", format!("{} is not yours to give or take", refused.title()))),
        None => Ok(()),
    }
}

/// The organization an invitation belongs to, and the client. The role must fit the organization.
async fn find_place(tx: &Transaction, role: Role, place: Place) -> Result<(OrgRow, Option<Uuid>)> {
    match place {
        Place::Client(id) => Ok((tx.query_one(&ORG_OF_CLIENT, &[&id]).await?, Some(id))),
        Place::Org(id) => {
            let org: OrgRow = tx.query_one(&ORG, &[&id]).await?;
            fits(role, &org.kind)?;
            Ok((org, None))
        }
    }
}

/// Admins and support belong to the operator, agency owners to an agency.
pub(super) fn fits(role: Role, org_type: &str) -> Result<()> {
    let wanted = match role {
        Role::Admin | Role::TechSupport => "internal",
        Role::AgencyOwner => "agency",
        Role::CompanyOwner | Role::Developer | Role::CallCenter => return Ok(()),
    };
    if org_type == wanted {
        return Ok(());
    }
    Err(Error::invalid("organization", format!("{} belongs to an organization of the type {wanted}", role.title())))
}

async fn inviter_name(tx: &Transaction, actor: &Actor) -> Result<String> {
    match actor.who {
        Who::User(id) => tx.query_scalar(&OWN_NAME, &[&id]).await,
        Who::Key(_) | Who::System(_) => Ok("The administrator".to_owned()),
    }
}

/// The mail with the link that proves the address. Names are those of whoever invites: what is written before lines were
/// checked is one line here.
pub(super) fn letter(to: &str, (by, place, role): (&str, &str, Role), link: &str) -> SystemMail {
    let (by, place) = (one_line(by), one_line(place));
    SystemMail {
        to: to.to_owned(),
        subject: format!("Join {place} on ACE"),
        text: format!(
            "{by} invites you to join {place} on ACE as {}.\n\nOpen this link within seven days:\n\n{link}\n\n\
             If you did not expect this, there is nothing to do.\n",
            role.title().to_lowercase()
        ),
    }
}
