//! Checking who somebody is. Every try is counted before it is checked; the answer to a wrong password, an unknown
//! address and a deactivated person is one and the same, and takes as long.

use chrono::Duration;
use database::{Audited, Scope};
use kernel::{Actor, Error, Origin, Result, System, email};
use serde_json::json;
use uuid::Uuid;
use web::App;

use super::tries::{count_try, take_back};
use crate::store::session::{self, NewToken, Purpose};
use crate::store::user::{self, Credentials};
use crate::{password, totp};

/// How long somebody may look for their phone.
const CODE_STEP: Duration = Duration::minutes(10);

/// Where somebody who gave the right password stands.
pub enum Step {
    /// In.
    Done(Uuid),
    /// A code is asked for.
    Code(Credentials),
}

/// Checks address and password.
///
/// # Errors
/// `Conflict` with the code `invalid_credentials`, `TooMany` while the address is locked.
pub async fn check_password(app: &App, origin: &Origin, address: &str, given: &str) -> Result<Step> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let address = email::normalise(address).unwrap_or_else(|| address.trim().to_lowercase());
    let tried = count_try(app, &scope, &address).await?;
    let found: Option<Credentials> = scope.query_opt(&user::CREDENTIALS_BY_EMAIL, &[&address]).await?;
    let hash =
        found.as_ref().filter(|user| user.deactivated_at.is_none()).and_then(|user| user.encrypted_password.clone());
    let right = password::verify(given, hash).await?;
    match found {
        Some(user) if right => {
            take_back(&scope, tried).await?;
            Ok(if user.totp_confirmed_at.is_some() { Step::Code(user) } else { Step::Done(user.id) })
        }
        found => {
            record_failure(&scope, found.map(|user| user.id), "password").await?;
            Err(wrong_credentials())
        }
    }
}

/// Checks a code of the authenticator app, or a recovery code, of somebody who gave the right password or is signed in.
/// It is spent outside of what it is shown for, and so is a wrong try: neither comes back when that is rolled back.
///
/// # Errors
/// Names `code` when it is wrong or was used before; `TooMany` while the address is locked.
pub async fn check_code(app: &App, origin: &Origin, user_id: Uuid, code: &str) -> Result<()> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let user: Credentials = scope.query_one(&user::CREDENTIALS_BY_ID, &[&user_id]).await?;
    let tried = count_try(app, &scope, &user.email).await?;
    let now = app.clock.now();
    let spent = match step_of(app, &user, code)? {
        Some(step) => scope.execute(&user::SPEND_STEP, &[&user_id, &step]).await?,
        None => scope.execute(&user::SPEND_RECOVERY_CODE, &[&user_id, &totp::recovery_hash(code), &now]).await?,
    };
    if spent > 0 {
        return take_back(&scope, tried).await;
    }
    record_failure(&scope, Some(user_id), "code").await?;
    Err(wrong_code())
}

/// The one answer to a code that will not do.
pub(super) fn wrong_code() -> Error {
    Error::invalid("code", "this code is wrong or was used before; wait for the next one")
}

/// Remembers that somebody gave the right password, until the code comes; returns the token to come back with.
///
/// # Errors
/// What the database answered.
pub async fn code_step(app: &App, origin: &Origin, user: &Credentials) -> Result<String> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let token = kernel::random::token();
    let new = NewToken {
        purpose: Purpose::SecondFactor,
        token: &token,
        user_id: user.id,
        email: &user.email,
        lifetime: CODE_STEP,
    };
    session::insert_token(&tx, &new).await?;
    tx.commit().await?;
    Ok(token)
}

/// The one answer to everything that is wrong with address and password.
pub fn wrong_credentials() -> Error {
    Error::conflict("invalid_credentials", "The e-mail address or the password is wrong.")
}

/// The step a code belongs to, of a second factor that is set up.
pub(super) fn step_of(app: &App, user: &Credentials, code: &str) -> Result<Option<i64>> {
    let Some(sealed) = &user.totp_secret_sealed else { return Ok(None) };
    let secret = app.keyring.open(&totp_context(user.id), sealed)?;
    Ok(totp::step_of(&secret, code, app.clock.now()))
}

/// What a shared secret is sealed with: it opens for its person only.
pub(super) fn totp_context(user_id: Uuid) -> Vec<u8> {
    [b"totp secret ".as_slice(), user_id.as_bytes()].concat()
}

/// Leaves the audit row of a wrong try, in a transaction of its own.
pub(super) async fn record_failure(scope: &Scope<'_>, user_id: Option<Uuid>, what: &str) -> Result<()> {
    let tx = scope.transaction().await?;
    let after = Some(json!({ "wrong": what, "known": user_id.is_some() }));
    tx.audit("session.refused", "auth.users", user_id, Audited { after, ..Audited::default() }).await?;
    tx.commit().await
}
