//! Making an account outright: the command line, the demo, an admin. Everybody else invites.

use database::Audited;
use kernel::role::Role;
use kernel::{Actor, Error, Problems, Result, System, email};
use serde_json::json;
use uuid::Uuid;
use web::App;

use super::invite::{fits, may_grant};
use super::session::revoke_others;
use crate::password;
use crate::store::organization::{Client, FIND_CLIENT, FIND_ORGANIZATION, Organization};
use crate::store::user::{self, Credentials, NewPerson, Place};

/// Who the new person is.
#[derive(Debug, Clone)]
pub struct NewUser<'a> {
    /// The address, as typed.
    pub email: &'a str,
    /// The name; empty for the address.
    pub full_name: &'a str,
    /// The role.
    pub role: Role,
    /// The organization, for roles that belong to one.
    pub org_id: Option<Uuid>,
    /// The client, for roles that belong to one.
    pub client_id: Option<Uuid>,
    /// The password; `None` where a reset link will set one.
    pub password: Option<&'a str>,
}

/// Creates an account with a role and a place.
///
/// # Errors
/// Names the field; `NotFound` when the place is out of reach.
pub async fn create_user(app: &App, actor: &Actor, new: &NewUser<'_>) -> Result<Uuid> {
    let mut problems = Problems::new();
    let address = email::normalise(new.email);
    if address.is_none() {
        problems.invalid("email", email::WANTED);
    }
    if !new.full_name.trim().is_empty() {
        problems.require("full_name", new.full_name);
    }
    let shortest = app.settings.security.password_min_length;
    if let Some(Err(Error::Invalid(fields))) =
        new.password.map(|given| password::check(given, shortest, &[new.email, new.full_name]))
    {
        for field in fields {
            problems.add(field.field, field.code, field.message);
        }
    }
    problems.finish()?;
    let address = address.unwrap_or_default();
    let place = user::place_for(new.role, new.org_id, new.client_id)?;
    let scope = app.db.scope(actor);
    may_grant(&scope, actor, &[new.role]).await?;
    let hash = match new.password {
        Some(password) => Some(password::hash(password).await?),
        None => None,
    };
    let name = Some(new.full_name.trim()).filter(|name| !name.is_empty()).unwrap_or(&address);
    let tx = scope.transaction().await?;
    match place {
        Place::Client(id) => drop(tx.query_one::<Client>(&FIND_CLIENT, &[&id]).await?),
        Place::Org(id) => fits(new.role, &tx.query_one::<Organization>(&FIND_ORGANIZATION, &[&id]).await?.kind)?,
    }
    let id = kernel::new_id();
    let person = NewPerson { id, email: &address, encrypted_password: hash.as_deref(), full_name: name };
    user::insert(&tx, &person).await?;
    user::join(&tx, id, new.role, place).await?;
    let after = Some(json!({ "email": address, "role": new.role }));
    tx.audit("user.created", "auth.users", Some(id), Audited { client_id: new.client_id, before: None, after }).await?;
    tx.commit().await?;
    Ok(id)
}

/// Sets somebody's password outright and ends their sessions: for the command line only.
///
/// # Errors
/// `NotFound` when nobody has the address; names `password`.
pub async fn set_password(app: &App, address: &str, new: &str) -> Result<()> {
    let address = email::normalise(address).ok_or_else(|| Error::invalid("email", email::WANTED))?;
    let actor = Actor::system(System::Auth);
    let scope = app.db.scope(&actor);
    password::check(new, app.settings.security.password_min_length, &[&address])?;
    let hash = password::hash(new).await?;
    let tx = scope.transaction().await?;
    let user: Credentials = tx.query_one(&user::CREDENTIALS_BY_EMAIL, &[&address]).await?;
    tx.execute(&user::SET_PASSWORD, &[&user.id, &hash, &tx.now()]).await?;
    revoke_others(&tx, user.id, Uuid::nil()).await?;
    tx.audit("user.password_set", "auth.users", Some(user.id), Audited::default()).await?;
    tx.commit().await
}
