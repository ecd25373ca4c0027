//! Changing one's own password, and proving oneself before such a change.

use chrono::Duration;
use database::{Audited, Scope, Transaction};
use kernel::{Actor, Error, Origin, Result, System};
use uuid::Uuid;
use web::App;

use super::session::revoke_others;
use super::sign_in::{count_try, record_failure, take_back_try};
use crate::password;
use crate::store::session;
use crate::store::user::{self, Credentials, Person};

/// Without the old password a new one, or a new address, may be set only so long after signing in.
const FRESH: Duration = Duration::hours(24);

/// What the form holds.
#[derive(Debug, Clone, Default)]
pub struct PasswordChange<'a> {
    /// The password until now.
    pub current: &'a str,
    /// The password from now on.
    pub new: &'a str,
}

/// Sets a new password of somebody who knows the old one; every other session of theirs ends.
///
/// # Errors
/// Names `current_password` or `password` when one will not do; `TooMany` while the address is locked.
pub async fn change_password(app: &App, origin: &Origin, who: (Uuid, Uuid), change: &PasswordChange<'_>) -> Result<()> {
    let (user_id, session_id) = who;
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let person = user::person(&scope, user_id).await?;
    prove(app, &scope, &person, ("current_password", change.current)).await?;
    let hash = accepted(app, &person, change.new).await?;
    let tx = scope.transaction().await?;
    write(&tx, user_id, session_id, &hash).await?;
    tx.commit().await
}

/// Sets a new password of somebody who signed in lately; every other session of theirs ends. This is how
/// `updateUser({ password })` and a reset by link do it.
///
/// # Errors
/// Names `password` when it will not do; `Conflict` when the sign-in is too old.
pub async fn set_own_password(app: &App, origin: &Origin, who: (Uuid, Uuid), new: &str) -> Result<()> {
    let (user_id, session_id) = who;
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    signed_in_lately(app, &scope, session_id).await?;
    let person = user::person(&scope, user_id).await?;
    let hash = accepted(app, &person, new).await?;
    let tx = scope.transaction().await?;
    write(&tx, user_id, session_id, &hash).await?;
    tx.commit().await
}

/// Lets somebody on who gives their present password: an open session alone must not be enough to take an account over.
/// Counted like a sign-in, so that whoever found a session cannot guess either. The typed one comes with its field.
///
/// # Errors
/// Names the field when it is wrong; `TooMany` while the address is locked.
pub(super) async fn prove(app: &App, scope: &Scope<'_>, person: &Person, (field, typed): (&str, &str)) -> Result<()> {
    count_try(app, scope, &person.email).await?;
    let known: Option<Credentials> = scope.query_opt(&user::CREDENTIALS_BY_EMAIL, &[&person.email]).await?;
    if password::verify(typed, known.and_then(|user| user.encrypted_password)).await? {
        return take_back_try(app, scope, &person.email).await;
    }
    record_failure(scope, Some(person.id), "password").await?;
    Err(Error::invalid(field, "this is not your present password"))
}

/// Lets somebody on who signed in lately, where the present password is not asked for.
///
/// # Errors
/// `Conflict` when the sign-in is too old.
pub(super) async fn signed_in_lately(app: &App, scope: &Scope<'_>, session_id: Uuid) -> Result<()> {
    let began: chrono::DateTime<chrono::Utc> = scope.query_scalar(&session::SESSION_BEGAN, &[&session_id]).await?;
    if app.clock.now() - began > FRESH {
        return Err(Error::conflict("reauthentication_needed", "Sign in again before changing this."));
    }
    Ok(())
}

/// The hash of a password that is good enough for `person`.
pub(super) async fn accepted(app: &App, person: &Person, new: &str) -> Result<String> {
    let about = [person.email.as_str(), person.full_name.as_deref().unwrap_or_default()];
    password::check(new, app.settings.security.password_min_length, &about)?;
    password::hash(new).await
}

/// Keeps a new hash and ends every session but one, as part of another act.
pub(super) async fn write(tx: &Transaction, user_id: Uuid, keep: Uuid, hash: &str) -> Result<()> {
    tx.execute(&user::SET_PASSWORD, &[&user_id, &hash, &tx.now()]).await?;
    tx.execute(&session::SPEND_OTHER_TOKENS, &[&user_id, &session::Purpose::Recover.as_str(), &tx.now()]).await?;
    revoke_others(tx, user_id, keep).await?;
    tx.audit("user.password_changed", "auth.users", Some(user_id), Audited::default()).await
}
