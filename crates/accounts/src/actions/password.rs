//! Changing one's own password, and proving oneself before such a change.

use chrono::Duration;
use database::{Audited, Scope, Transaction};
use kernel::{Actor, Error, Origin, Result, System};
use rand::RngExt;
use uuid::Uuid;
use web::App;

use super::session::revoke_others;
use super::sign_in::{check_code, record_failure};
use super::tries::{count_try, take_back};
use crate::mail::{self, SystemMail};
use crate::password;
use crate::store::session::{self, NewToken, Purpose};
use crate::store::user::{self, Credentials, Person};

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

/// How a program shows that its person is there, and not only their access token.
#[derive(Debug, Clone, Copy, Default)]
pub struct Proof<'a> {
    /// The present password.
    pub password: Option<&'a str>,
    /// A code of the authenticator app, or a recovery code.
    pub code: Option<&'a str>,
    /// The code that [`ask_for_code`] mailed.
    pub nonce: Option<&'a str>,
}

/// Sets a new password for `updateUser({ password })`; every other session of theirs ends. Without proof only a session that
/// began with a reset link may, once.
///
/// # Errors
/// Names `password` when it will not do, or the proof that is wrong; `Conflict` when there is none.
pub async fn set_own_password(
    app: &App,
    origin: &Origin,
    who: (Uuid, Uuid),
    new: &str,
    proof: Proof<'_>,
) -> Result<()> {
    let (user_id, session_id) = who;
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let person = user::person(&scope, user_id).await?;
    let missing = match show_proof(app, &scope, &person, proof).await {
        Err(error) if error.code() == REAUTHENTICATION_NEEDED => Some(error),
        other => other.map(|()| None)?,
    };
    let hash = accepted(app, &person, new).await?;
    let tx = scope.transaction().await?;
    if let Some(missing) = missing
        && tx.execute(&session::SPEND_RESET, &[&session_id, &tx.now()]).await? == 0
    {
        return Err(missing);
    }
    write(&tx, user_id, session_id, &hash).await?;
    tx.commit().await
}

/// The code of the error when nothing was shown.
const REAUTHENTICATION_NEEDED: &str = "reauthentication_needed";

/// Lets a program on whose person is there: an access token alone must not be enough to take an account over.
///
/// # Errors
/// Names the proof that is wrong; `Conflict` when there is none; `TooMany` while the account is locked.
pub(super) async fn show_proof(app: &App, scope: &Scope<'_>, person: &Person, proof: Proof<'_>) -> Result<()> {
    match proof {
        Proof { password: Some(typed), .. } => prove(app, scope, person, ("current_password", typed)).await,
        Proof { code: Some(code), .. } if person.totp_confirmed_at.is_some() => {
            check_code(app, &scope.actor().origin, person.id, code).await
        }
        Proof { nonce: Some(nonce), .. } => check_nonce(app, scope, person, nonce).await,
        Proof { .. } => Err(Error::conflict(
            REAUTHENTICATION_NEEDED,
            "Show that it is you: send your present password as current_password, a code of your second factor as \
             totp_code, or as nonce the code that GET /auth/v1/reauthenticate mails you.",
        )),
    }
}

/// How long a mailed code is good.
const CODE_LIFETIME: Duration = Duration::minutes(10);

/// Mails a code to somebody signed in, to be shown before password or address are changed: `reauthenticate()`.
///
/// # Errors
/// `TooMany` when many were mailed lately.
pub async fn ask_for_code(app: &App, origin: &Origin, user_id: Uuid) -> Result<()> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let person = user::person(&scope, user_id).await?;
    mail::spend(app, "code", &person.email)?;
    let code = format!("{:08}", kernel::random::generator().random_range(0..100_000_000_u32));
    let tx = scope.transaction().await?;
    tx.execute(&session::SPEND_OTHER_TOKENS, &[&user_id, &Purpose::Reauthenticate.as_str(), &tx.now()]).await?;
    let token = nonce_token(user_id, &code);
    let new = NewToken {
        purpose: Purpose::Reauthenticate,
        token: &token,
        user_id,
        email: &person.email,
        lifetime: CODE_LIFETIME,
    };
    session::insert_token(&tx, &new).await?;
    let mail = SystemMail {
        to: person.email,
        subject: "Your code for ACE".into(),
        text: format!(
            "Enter this code within ten minutes to change the password or the address of your ACE account:\n\n{code}\n\n\
             If you did not ask for it, somebody else is signed in to your account: set a new password at once.\n"
        ),
    };
    mail.send(&tx, &app.keyring).await?;
    tx.audit("user.code_sent", "auth.users", Some(user_id), Audited::default()).await?;
    tx.commit().await
}

async fn check_nonce(app: &App, scope: &Scope<'_>, person: &Person, nonce: &str) -> Result<()> {
    let tried = count_try(app, scope, &person.email).await?;
    let tx = scope.transaction().await?;
    match session::spend_token(&tx, Purpose::Reauthenticate, &nonce_token(person.id, nonce.trim())).await {
        Ok(_) => tx.commit().await?,
        Err(Error::NotFound) => {
            drop(tx);
            record_failure(scope, Some(person.id), "nonce").await?;
            return Err(Error::conflict("reauthentication_not_valid", "This code is wrong, spent or too old."));
        }
        Err(error) => return Err(error),
    }
    take_back(scope, tried).await
}

/// A code is short, so what is kept of it holds whose it is.
fn nonce_token(user_id: Uuid, code: &str) -> String {
    format!("{user_id} {code}")
}

/// Lets somebody on who gives their present password: an open session alone must not be enough to take an account over.
/// Counted like a sign-in, so that whoever found a session cannot guess either. The typed one comes with its field.
///
/// # Errors
/// Names the field when it is wrong; `TooMany` while the address is locked.
pub(super) async fn prove(app: &App, scope: &Scope<'_>, person: &Person, (field, typed): (&str, &str)) -> Result<()> {
    let tried = count_try(app, scope, &person.email).await?;
    let known: Option<Credentials> = scope.query_opt(&user::CREDENTIALS_BY_EMAIL, &[&person.email]).await?;
    if password::verify(typed, known.and_then(|user| user.encrypted_password)).await? {
        return take_back(scope, tried).await;
    }
    record_failure(scope, Some(person.id), "password").await?;
    Err(Error::invalid(field, "this is not your present password"))
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
