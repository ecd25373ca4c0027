//! Changing what somebody of a team may do, and ending it.

use database::{Audited, Transaction};
use kernel::role::Role;
use kernel::version::Expected;
use kernel::{Actor, Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use super::api_key::held_by;
use super::invite::may_grant;
use crate::store::api_key;
use crate::store::team::{self, Member};
use crate::store::user::belongs_to_client;

/// Gives somebody of a client another role in place of those they have.
///
/// # Errors
/// `NotFound` when they are not of this client; names `role` when an old or the new one is not the actor's to give;
/// `Conflict` when they are not the expected version any more.
pub async fn change_role(
    app: &App,
    actor: &Actor,
    (client_id, user_id): (Uuid, Uuid),
    role: Role,
    expected: &Expected,
) -> Result<()> {
    if !belongs_to_client(role) {
        return Err(Error::invalid("role", format!("{} does not belong to a client", role.title())));
    }
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    let member = of_client(&tx, client_id, user_id).await?;
    not_oneself(actor, user_id)?;
    tx.commit().await?;
    let touched: Vec<Role> = member.roles.iter().copied().chain([role]).collect();
    may_grant(&scope, actor, &touched).await?;
    let tx = scope.transaction().await?;
    team::expect(&tx, user_id, &member.roles, expected).await?;
    keep_an_admin(&tx, &member).await?;
    team::replace_roles(&tx, user_id, &member.roles, role).await?;
    let what = Audited {
        client_id: Some(client_id),
        before: Some(json!({ "roles": member.roles, "email": member.email })),
        after: Some(json!({ "roles": [role], "email": member.email })),
    };
    tx.audit("user.role_changed", "user_roles", Some(user_id), what).await?;
    tx.commit().await
}

/// What becomes of the API keys that somebody made who loses access.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TheirKeys {
    /// They are revoked.
    #[default]
    End,
    /// They go on, as keys of whoever takes the access away; only those that this person could have made.
    PassToMe,
}

/// Passes keys on where that is wanted; what is left to the maker ends with their access, by a trigger. Returns what the
/// record says of both.
async fn hand_over(
    tx: &Transaction,
    actor: &Actor,
    (user_id, client_id): (Uuid, Option<Uuid>),
    (keys, held): (TheirKeys, &[String]),
) -> Result<Value> {
    let passed = match keys {
        TheirKeys::End => 0,
        TheirKeys::PassToMe => api_key::pass_on(tx, (user_id, client_id), actor.user_id(), held).await?,
    };
    let ended = api_key::count_made_by(tx, user_id, client_id).await?;
    Ok(json!({ "passed_on": passed, "ended": ended }))
}

/// Takes somebody out of a client; their account stays.
///
/// # Errors
/// `NotFound` when they are not of this client; names `role` when theirs is not the actor's to take; `Conflict` when they
/// are not the expected version any more.
pub async fn remove_from_client(
    app: &App,
    actor: &Actor,
    (client_id, user_id): (Uuid, Uuid),
    keys: TheirKeys,
    expected: &Expected,
) -> Result<()> {
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    let member = of_client(&tx, client_id, user_id).await?;
    not_oneself(actor, user_id)?;
    tx.commit().await?;
    may_grant(&scope, actor, &member.roles).await?;
    let held: Vec<String> = held_by(&scope, actor).await?.into_iter().collect();
    let tx = scope.transaction().await?;
    team::expect(&tx, user_id, &member.roles, expected).await?;
    let api_keys = hand_over(&tx, actor, (user_id, Some(client_id)), (keys, &held)).await?;
    team::remove(&tx, client_id, user_id).await?;
    let what = Audited {
        client_id: Some(client_id),
        before: Some(json!({ "email": member.email, "roles": member.roles })),
        after: Some(json!({ "api_keys": api_keys })),
    };
    tx.audit("user.removed", "client_users", Some(user_id), what).await?;
    tx.commit().await
}

/// Closes everything to somebody, at once: their sessions end with it, and so do the API keys they made, or they pass to
/// the actor.
///
/// # Errors
/// `NotFound` when they are out of sight; `Conflict` when they are not the actor's to change, the last admin, or not the
/// expected version any more.
pub async fn deactivate(app: &App, actor: &Actor, user_id: Uuid, keys: TheirKeys, expected: &Expected) -> Result<()> {
    set_active(app, actor, user_id, Some(keys), expected).await
}

/// Opens everything to somebody again; they sign in anew.
///
/// # Errors
/// As [`deactivate`].
pub async fn reactivate(app: &App, actor: &Actor, user_id: Uuid, expected: &Expected) -> Result<()> {
    set_active(app, actor, user_id, None, expected).await
}

/// Deactivates, with what becomes of the person's keys, or else reactivates.
async fn set_active(
    app: &App,
    actor: &Actor,
    user_id: Uuid,
    deactivated: Option<TheirKeys>,
    expected: &Expected,
) -> Result<()> {
    let active = deactivated.is_none();
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    let member = team::find(&tx, user_id, None).await?;
    not_oneself(actor, user_id)?;
    tx.commit().await?;
    may_grant(&scope, actor, &member.roles).await?;
    expected.check(&member.etag()?)?;
    if member.deactivated_at.is_none() == active {
        return Ok(());
    }
    let held: Vec<String> = held_by(&scope, actor).await?.into_iter().collect();
    let tx = scope.transaction().await?;
    team::expect(&tx, user_id, &member.roles, expected).await?;
    let mut after = json!({ "email": member.email, "roles": member.roles });
    if let Some(keys) = deactivated {
        keep_an_admin(&tx, &member).await?;
        after["api_keys"] = hand_over(&tx, actor, (user_id, None), (keys, &held)).await?;
    }
    let at = (!active).then(|| tx.now());
    team::set_deactivated(&tx, user_id, at).await?;
    let action = if active { "user.reactivated" } else { "user.deactivated" };
    // whoever looks after the place where they belong finds it in their record
    let place = team::place(&tx, user_id).await?;
    let what = Audited { client_id: place.client_id, after: Some(after), ..Audited::default() };
    match place.org_id {
        Some(org_id) => tx.audit_of_org(org_id, (action, "auth.users", Some(user_id)), what).await?,
        None => tx.audit(action, "auth.users", Some(user_id), what).await?,
    }
    tx.commit().await
}

/// Somebody who belongs to the client itself; those who come by way of its organization are changed there.
async fn of_client(tx: &Transaction, client_id: Uuid, user_id: Uuid) -> Result<Member> {
    let member = team::find(tx, user_id, Some(client_id)).await?;
    if member.of_client { Ok(member) } else { Err(Error::NotFound) }
}

/// One's own access is somebody else's to change.
pub(super) fn not_oneself(actor: &Actor, user_id: Uuid) -> Result<()> {
    if actor.user_id() == Some(user_id) {
        return Err(Error::conflict("oneself", "Nobody changes their own access. Ask somebody else who can."));
    }
    Ok(())
}

async fn keep_an_admin(tx: &Transaction, member: &Member) -> Result<()> {
    let is_active_admin = member.roles.contains(&Role::Admin) && member.deactivated_at.is_none();
    if is_active_admin && team::count_admins(tx).await? <= 1 {
        return Err(Error::conflict("last_admin", "This is the last administrator. Make somebody else one first."));
    }
    Ok(())
}
