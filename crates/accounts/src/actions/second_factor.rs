//! The second factor: setting it up, its recovery codes, taking it away. Codes are counted like those of a sign-in:
//! whoever holds an open session must not be able to guess one.

use chrono::Duration;
use database::{Audited, Transaction};
use kernel::{Actor, Error, Origin, Result, System, email};
use serde_json::json;
use uuid::Uuid;
use web::App;

use super::password::prove;
use super::session::revoke_others;
use super::sign_in::{check_code, record_failure, step_of, totp_context, wrong_code};
use super::team::not_oneself;
use super::tries::{count_try, take_back};
use crate::mail::SystemMail;
use crate::store::team;
use crate::store::user::{self, Credentials};
use crate::totp;

/// How long an unconfirmed secret is shown again. Whoever saw the page once must not know a second factor that its owner
/// sets up later.
const SECRET_KEPT: Duration = Duration::minutes(15);

/// What an authenticator app needs.
pub struct Enrolment {
    /// The secret as people type it.
    pub readable: String,
    /// What the QR code holds.
    pub address: String,
}

/// Makes a new secret, not in force until a code of it is shown.
///
/// # Errors
/// `Conflict` when a second factor is in force already.
pub async fn begin_enrolment(app: &App, origin: &Origin, user_id: Uuid) -> Result<Enrolment> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let user = not_enrolled(&tx, user_id).await?;
    let young = user.totp_made_at.is_some_and(|made| tx.now() - made < SECRET_KEPT);
    let secret = match &user.totp_secret_sealed {
        // the page may be opened twice: the code scanned first must stay good
        Some(sealed) if young => app.keyring.open(&totp_context(user_id), sealed)?,
        _ => {
            let secret = totp::new_secret().to_vec();
            let sealed = app.keyring.seal(&totp_context(user_id), &secret)?;
            tx.execute(&user::SET_SECOND_FACTOR, &[&user_id, &sealed, &tx.now()]).await?;
            secret
        }
    };
    tx.commit().await?;
    Ok(Enrolment { readable: totp::readable(&secret), address: totp::address(&secret, &user.email) })
}

/// What it takes to put a second factor in force.
#[derive(Debug, Clone, Copy)]
pub struct NewFactor<'a> {
    /// The present password: an open session alone must not lock its owner out.
    pub password: &'a str,
    /// A code of the new second factor.
    pub code: &'a str,
}

/// Puts the second factor in force once a code of it was shown, and ends the person's other sessions, which began without
/// it; returns the recovery codes, this once.
///
/// # Errors
/// Names `current_password` or `code` when it is wrong; `TooMany` while the address is locked.
pub async fn confirm_enrolment(
    app: &App,
    origin: &Origin,
    (user_id, session_id): (Uuid, Uuid),
    new: NewFactor<'_>,
) -> Result<Vec<String>> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let person = user::person(&scope, user_id).await?;
    if person.totp_confirmed_at.is_some() {
        return Err(set_already());
    }
    prove(app, &scope, &person, ("current_password", new.password)).await?;
    let tried = count_try(app, &scope, &person.email).await?;
    let tx = scope.transaction().await?;
    let user = not_enrolled(&tx, user_id).await?;
    let Some(step) = step_of(app, &user, new.code)? else {
        drop(tx);
        record_failure(&scope, Some(user_id), "code").await?;
        return Err(wrong_code());
    };
    tx.execute(&user::CONFIRM_SECOND_FACTOR, &[&user_id, &tx.now(), &step]).await?;
    let codes = new_codes(&tx, user_id).await?;
    revoke_others(&tx, user_id, session_id).await?;
    tx.audit("user.second_factor_set", "auth.users", Some(user_id), Audited::default()).await?;
    tx.commit().await?;
    take_back(&scope, tried).await?;
    Ok(codes)
}

/// New recovery codes in place of the old ones, for somebody who shows a code of the app or one of the old codes.
///
/// # Errors
/// Names `code` when it is wrong; `TooMany` while the address is locked.
pub async fn renew_recovery_codes(app: &App, origin: &Origin, user_id: Uuid, code: &str) -> Result<Vec<String>> {
    show_code(app, origin, user_id, code).await?;
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let codes = new_codes(&tx, user_id).await?;
    tx.audit("user.recovery_codes_renewed", "auth.users", Some(user_id), Audited::default()).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Takes the second factor away from somebody who shows a code of it, or a recovery code when the phone is lost.
///
/// # Errors
/// Names `code` when it is wrong; `TooMany` while the address is locked.
pub async fn remove_second_factor(app: &App, origin: &Origin, user_id: Uuid, code: &str) -> Result<()> {
    show_code(app, origin, user_id, code).await?;
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    tx.execute(&user::CLEAR_SECOND_FACTOR, &[&user_id, &tx.now()]).await?;
    tx.execute(&user::DELETE_RECOVERY_CODES, &[&user_id]).await?;
    tx.audit("user.second_factor_removed", "auth.users", Some(user_id), Audited::default()).await?;
    tx.commit().await
}

/// Takes the second factor of somebody else away, who lost phone and recovery codes: for administrators and the command
/// line. All their sessions end, and they are told.
///
/// # Errors
/// `NotFound` when they are out of sight; `Conflict` when they have none, or when the actor is no administrator.
pub async fn reset_second_factor(app: &App, actor: &Actor, user_id: Uuid) -> Result<()> {
    not_oneself(actor, user_id)?;
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    let member = team::find(&tx, user_id, None).await?;
    if member.totp_confirmed_at.is_none() {
        return Err(Error::conflict("no_second_factor", "This person has no second factor."));
    }
    team::reset_second_factor(&tx, user_id).await?;
    reset_notice(&member.email).send(&tx, &app.keyring).await?;
    let after = Some(json!({ "email": member.email }));
    tx.audit("user.second_factor_reset", "auth.users", Some(user_id), Audited { after, ..Audited::default() }).await?;
    tx.commit().await
}

/// The same, of whoever has the address.
///
/// # Errors
/// As [`reset_second_factor`].
pub async fn reset_second_factor_of(app: &App, actor: &Actor, address: &str) -> Result<()> {
    let address = email::normalise(address).ok_or_else(|| Error::invalid("email", email::WANTED))?;
    let user_id = app.db.scope(actor).query_scalar(&team::ID_BY_EMAIL, &[&address]).await?;
    reset_second_factor(app, actor, user_id).await
}

fn reset_notice(to: &str) -> SystemMail {
    SystemMail {
        to: to.to_owned(),
        subject: "Your second factor for ACE was reset".into(),
        text: "An administrator took the second factor off your ACE account. Signing in takes only your password now, \
               until you set up a new one under Account. If you did not ask for that, tell your administrator.\n"
            .into(),
    }
}

async fn not_enrolled(tx: &Transaction, user_id: Uuid) -> Result<Credentials> {
    let user: Credentials = tx.query_one(&user::CREDENTIALS_BY_ID, &[&user_id]).await?;
    if user.totp_confirmed_at.is_some() {
        return Err(set_already());
    }
    Ok(user)
}

fn set_already() -> Error {
    Error::conflict("second_factor_set", "A second factor is set up already. Remove it first.")
}

async fn show_code(app: &App, origin: &Origin, user_id: Uuid, code: &str) -> Result<()> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let person = user::person(&scope, user_id).await?;
    if person.totp_confirmed_at.is_none() {
        return Err(Error::conflict("no_second_factor", "There is no second factor to show a code of."));
    }
    check_code(app, origin, user_id, code).await
}

async fn new_codes(tx: &Transaction, user_id: Uuid) -> Result<Vec<String>> {
    let codes = totp::recovery_codes();
    tx.execute(&user::DELETE_RECOVERY_CODES, &[&user_id]).await?;
    for code in &codes {
        let hash = totp::recovery_hash(code);
        tx.execute(&user::INSERT_RECOVERY_CODE, &[&kernel::new_id(), &user_id, &hash, &tx.now()]).await?;
    }
    Ok(codes)
}
