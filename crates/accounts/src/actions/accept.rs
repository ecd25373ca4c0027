//! Joining by the link of an invitation.
//!
//! There are two links. The one that was mailed proves the address, so somebody new only chooses a name and a password. The
//! one its inviter hands over proves nothing, or an inviter would get an account under anybody's address: it only mails the
//! first. Somebody who has an account must be signed in to it, with either: the link may have been handed on.

use database::{Audited, Transaction};
use kernel::role::{self, Role};
use kernel::{Actor, Error, Origin, Problems, Result, System};
use serde_json::json;
use uuid::Uuid;
use web::App;

use super::invite::letter;
use super::session::{Opened, begin};
use crate::store::invitation::{self, Offer};
use crate::store::team::{self, Standing};
use crate::store::user::{self, NewPerson, Place};
use crate::{mail, password};

/// How somebody joins.
#[derive(Debug, Clone)]
pub enum Joining<'a> {
    /// With a new account.
    New {
        /// The name.
        full_name: &'a str,
        /// The password.
        password: &'a str,
    },
    /// With the account they are signed in to.
    Signed(Uuid),
}

/// The offer behind a link.
///
/// # Errors
/// `NotFound` when there is none.
pub async fn find_offer(app: &App, origin: &Origin, token: &str) -> Result<Offer> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    invitation::by_token(&app.db.scope(&actor), token).await
}

/// Mails the link that proves the address, for somebody who was handed the other one. The link that was mailed before is
/// worth nothing from then on.
///
/// # Errors
/// `NotFound`, `Conflict` when the invitation is over, `TooMany` when the address was mailed often lately.
pub async fn mail_link(app: &App, origin: &Origin, token: &str) -> Result<()> {
    let offer = find_offer(app, origin, token).await?;
    still_open(app, &offer)?;
    mail::spend(app, "invitation", &offer.email)?;
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let mailed = kernel::random::token();
    invitation::mail_anew(&tx, offer.id, &mailed).await?;
    let by = offer.invited_by_name.as_deref().unwrap_or("The administrator");
    let link = app.link(&format!("/invitations/{mailed}"));
    letter(&offer.email, (by, &offer.org_name, offer.role), &link).send(&tx, &app.keyring).await?;
    tx.commit().await
}

fn still_open(app: &App, offer: &Offer) -> Result<()> {
    match offer.over(app.clock.now()) {
        Some(_) => Err(Error::conflict("invitation_over", "This invitation is not open any more. Ask for a new one.")),
        None => Ok(()),
    }
}

/// Accepts an invitation, once. Somebody new is signed in by it.
///
/// # Errors
/// `NotFound`, `Conflict` when it is over, the link is not the mailed one or the account does not fit, names `full_name` or
/// `password`.
pub async fn accept_invitation(
    app: &App,
    origin: &Origin,
    token: &str,
    joining: &Joining<'_>,
) -> Result<Option<Opened>> {
    let offer = find_offer(app, origin, token).await?;
    still_open(app, &offer)?;
    match joining {
        Joining::New { full_name, password } => join_new(app, origin, &offer, (full_name, password)).await.map(Some),
        Joining::Signed(user_id) => join_signed(app, origin, &offer, *user_id).await.map(|()| None),
    }
}

async fn join_new(app: &App, origin: &Origin, offer: &Offer, (full_name, typed): (&str, &str)) -> Result<Opened> {
    if offer.user_id.is_some() {
        return Err(Error::conflict("account_exists", "There is an account with this address. Sign in to it first."));
    }
    if !offer.was_mailed {
        return Err(Error::conflict("address_not_confirmed", "Open the link that was mailed to the address to join."));
    }
    let mut problems = Problems::new();
    let full_name = problems.require("full_name", full_name);
    if full_name.chars().count() > 120 {
        problems.add("full_name", "too_long", "use at most 120 characters");
    }
    let shortest = app.settings.security.password_min_length;
    if let Err(Error::Invalid(fields)) = password::check(typed, shortest, &[&offer.email, full_name]) {
        for field in fields {
            problems.add(field.field, field.code, field.message);
        }
    }
    problems.finish()?;
    let hash = password::hash(typed).await?;
    let (id, cookie) = (kernel::new_id(), kernel::random::token());
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let person = NewPerson { id, email: &offer.email, encrypted_password: Some(&hash), full_name };
    user::insert(&tx, &person).await?;
    still_the_inviters_to_give(&tx, offer, &[offer.role]).await?;
    take_place(&tx, offer, id).await?;
    begin(app, &tx, id, Some(&cookie), false).await?;
    tx.commit().await?;
    Ok(Opened { cookie })
}

async fn join_signed(app: &App, origin: &Origin, offer: &Offer, user_id: Uuid) -> Result<()> {
    if offer.user_id != Some(user_id) {
        return Err(Error::conflict(
            "other_account",
            "This invitation is for another address than the one you are signed in with.",
        ));
    }
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let standing = team::standing(&tx, user_id, (offer.org_id, offer.client_id)).await?;
    let all: Vec<Role> = standing.roles.iter().copied().chain([offer.role]).collect();
    still_the_inviters_to_give(&tx, offer, &all).await?;
    carries_nothing_along(&standing, offer)?;
    adds_nothing_elsewhere(&standing, offer)?;
    take_place(&tx, offer, user_id).await?;
    tx.commit().await
}

/// A role counts everywhere its holder belongs. So whoever invites must be able to give all the roles the person then
/// has here.
async fn still_the_inviters_to_give(tx: &Transaction, offer: &Offer, roles: &[Role]) -> Result<()> {
    // an invitation without inviter was made by the operator
    let held = match offer.invited_by {
        Some(id) => invitation::inviter_roles(tx, id, offer).await?,
        None => vec![Role::Admin],
    };
    let given = |target: &Role| held.iter().any(|own| role::may_grant(*own, *target));
    if roles.iter().all(given) {
        return Ok(());
    }
    let message = "Whoever invited you could not give you the roles your account has. Ask an administrator, or join with another address.";
    Err(Error::conflict("not_the_inviters_to_give", message))
}

/// Nor must other roles come along to a place that is new to the person: they would count there as well, though nobody
/// offered them. What stands below the offered role adds nothing to it.
fn carries_nothing_along(standing: &Standing, offer: &Offer) -> Result<()> {
    let covered = |held: &Role| *held == offer.role || held.level() < offer.role.level();
    if standing.reaches || standing.roles.iter().all(covered) {
        return Ok(());
    }
    let message = "Your account has other roles than the one offered, and they would count here, too. Ask to be invited with the role you have, or join with another address.";
    Err(Error::conflict("carries_roles_along", message))
}

/// And a new role must not be added behind the back of others the person works for.
fn adds_nothing_elsewhere(standing: &Standing, offer: &Offer) -> Result<()> {
    let new_role = !standing.roles.contains(&offer.role);
    if new_role && (standing.elsewhere || standing.other_orgs) {
        let message = "Your account belongs to others as well, where the new role would count, too. Ask an administrator, or join with another address.";
        return Err(Error::conflict("belongs_elsewhere", message));
    }
    Ok(())
}

async fn take_place(tx: &Transaction, offer: &Offer, user_id: Uuid) -> Result<()> {
    invitation::accept(tx, offer.id, user_id).await?;
    let place = offer.client_id.map_or(Place::Org(offer.org_id), Place::Client);
    user::join(tx, user_id, offer.role, place).await?;
    let what = Audited {
        client_id: offer.client_id,
        before: Some(json!({ "status": "pending" })),
        after: Some(json!({ "status": "accepted", "user": user_id, "email": offer.email, "role": offer.role })),
    };
    match offer.client_id {
        Some(_) => tx.audit("invitation.accepted", "invitations", Some(offer.id), what).await,
        None => tx.audit_of_org(offer.org_id, ("invitation.accepted", "invitations", Some(offer.id)), what).await,
    }
}
