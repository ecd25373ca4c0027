//! The second factor: setting it up, its recovery codes, taking it away.

use database::{Audited, Transaction};
use kernel::{Actor, Error, Origin, Result, System};
use uuid::Uuid;
use web::App;

use super::sign_in::{step_of, totp_context};
use crate::store::user::{self, Credentials};
use crate::totp;

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
    let secret = match &user.totp_secret_sealed {
        // the page may be opened twice: the code scanned first must stay good
        Some(sealed) => app.keyring.open(&totp_context(user_id), sealed)?,
        None => {
            let secret = totp::new_secret().to_vec();
            let sealed = app.keyring.seal(&totp_context(user_id), &secret)?;
            tx.execute(&user::SET_SECOND_FACTOR, &[&user_id, &sealed, &tx.now()]).await?;
            secret
        }
    };
    tx.commit().await?;
    Ok(Enrolment { readable: totp::readable(&secret), address: totp::address(&secret, &user.email) })
}

/// Puts the second factor in force once a code of it was shown; returns the recovery codes, this once.
///
/// # Errors
/// Names `code` when it is wrong.
pub async fn confirm_enrolment(app: &App, origin: &Origin, user_id: Uuid, code: &str) -> Result<Vec<String>> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let user = not_enrolled(&tx, user_id).await?;
    let step = step_of(app, &user, code)?.ok_or_else(wrong_code)?;
    tx.execute(&user::CONFIRM_SECOND_FACTOR, &[&user_id, &tx.now(), &step]).await?;
    let codes = new_codes(&tx, user_id).await?;
    tx.audit("user.second_factor_set", "auth.users", Some(user_id), Audited::default()).await?;
    tx.commit().await?;
    Ok(codes)
}

/// New recovery codes in place of the old ones, for somebody who shows a code.
///
/// # Errors
/// Names `code` when it is wrong.
pub async fn renew_recovery_codes(app: &App, origin: &Origin, user_id: Uuid, code: &str) -> Result<Vec<String>> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    show_code(app, &tx, user_id, code).await?;
    let codes = new_codes(&tx, user_id).await?;
    tx.audit("user.recovery_codes_renewed", "auth.users", Some(user_id), Audited::default()).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Takes the second factor away from somebody who shows a code of it.
///
/// # Errors
/// Names `code` when it is wrong.
pub async fn remove_second_factor(app: &App, origin: &Origin, user_id: Uuid, code: &str) -> Result<()> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    show_code(app, &tx, user_id, code).await?;
    tx.execute(&user::CLEAR_SECOND_FACTOR, &[&user_id, &tx.now()]).await?;
    tx.execute(&user::DELETE_RECOVERY_CODES, &[&user_id]).await?;
    tx.audit("user.second_factor_removed", "auth.users", Some(user_id), Audited::default()).await?;
    tx.commit().await
}

async fn not_enrolled(tx: &Transaction, user_id: Uuid) -> Result<Credentials> {
    let user: Credentials = tx.query_one(&user::CREDENTIALS_BY_ID, &[&user_id]).await?;
    if user.totp_confirmed_at.is_some() {
        return Err(Error::conflict("second_factor_set", "A second factor is set up already. Remove it first."));
    }
    Ok(user)
}

async fn show_code(app: &App, tx: &Transaction, user_id: Uuid, code: &str) -> Result<()> {
    let user: Credentials = tx.query_one(&user::CREDENTIALS_BY_ID, &[&user_id]).await?;
    let step = step_of(app, &user, code)?.ok_or_else(wrong_code)?;
    match tx.execute(&user::SPEND_STEP, &[&user_id, &step]).await? {
        0 => Err(wrong_code()),
        _ => Ok(()),
    }
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

fn wrong_code() -> Error {
    Error::invalid("code", "this code is wrong or was used before; wait for the next one")
}
