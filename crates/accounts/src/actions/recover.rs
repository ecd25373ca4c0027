//! A forgotten password. The request only leaves a job, whoever's address it names: answer and time are the same. The job
//! looks whether anybody has the address and sends the link.

use chrono::Duration;
use database::Audited;
use jobs::NewJob;
use kernel::{Actor, Error, Origin, Result, System, email};
use serde_json::json;
use web::App;

use super::session::{self as sessions, Tokens};
use super::{password, tries};
use crate::mail::SystemMail;
use crate::store::session::{self, NewToken, Purpose};
use crate::store::user::{self, Credentials};

/// How long a link is good.
const LIFETIME: Duration = Duration::hours(1);
/// How long a session that a link began may set a new password.
const RESET_WITHIN: Duration = Duration::minutes(15);
/// No more links than this in an hour, to whoever asks.
const AT_MOST: i64 = 5;
/// The job.
pub(crate) const JOB: &str = "accounts.send_reset";

/// Asks for a link to set a new password. The answer does not tell whether anybody has the address.
///
/// # Errors
/// Names `email` when it is not an address at all.
pub async fn ask_for_reset(app: &App, origin: &Origin, address: &str) -> Result<()> {
    let address = email::normalise(address).ok_or_else(|| Error::invalid("email", email::WANTED))?;
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    jobs::enqueue(&tx, &NewJob::new(JOB, json!({ "email": address }))).await?;
    tx.commit().await
}

/// Sends the link, if somebody active has the address and was not sent too many. Run again, it sends another link:
/// each is good.
///
/// # Errors
/// What the database answered.
pub async fn send_reset(app: &App, address: &str) -> Result<()> {
    let actor = Actor::system(System::Auth);
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let found: Option<Credentials> = tx.query_opt(&user::CREDENTIALS_BY_EMAIL, &[&address]).await?;
    let Some(user) = found.filter(|user| user.deactivated_at.is_none()) else { return Ok(()) };
    // jobs for the same person wait for each other here, so that each counts the links of those before it
    let user: Credentials = tx.query_one(&user::CREDENTIALS_BY_ID, &[&user.id]).await?;
    let purpose = Purpose::Recover.as_str();
    let recent: i64 =
        tx.query_scalar(&session::COUNT_RECENT_TOKENS, &[&user.id, &purpose, &(tx.now() - LIFETIME)]).await?;
    if recent >= AT_MOST {
        return Ok(());
    }
    let token = kernel::random::token();
    let new =
        NewToken { purpose: Purpose::Recover, token: &token, user_id: user.id, email: &user.email, lifetime: LIFETIME };
    session::insert_token(&tx, &new).await?;
    let mail = SystemMail {
        to: user.email.clone(),
        subject: "Set a new password for ACE".into(),
        text: format!(
            "Somebody asked to set a new password for your ACE account. If it was you, open this link within an hour:\n\n\
             {}\n\nIf it was not you, there is nothing to do: your password stays as it is.\n",
            app.link(&format!("/reset/{token}"))
        ),
    };
    mail.send(&tx, &app.keyring).await?;
    tx.audit("user.reset_sent", "auth.users", Some(user.id), Audited::default()).await?;
    tx.commit().await
}

/// Sets a new password by a link, once; every session of the person ends.
///
/// # Errors
/// `NotFound` when the link is unknown, spent or too old; names `password` when it will not do.
pub async fn reset_password(app: &App, origin: &Origin, token: &str, new: &str) -> Result<()> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let owner = session::find_token(&scope, Purpose::Recover, token, app.clock.now()).await?;
    let person = user::person(&scope, owner.user_id).await?;
    let hash = password::accepted(app, &person, new).await?;
    let tx = scope.transaction().await?;
    session::spend_token(&tx, Purpose::Recover, token).await?;
    password::write(&tx, owner.user_id, uuid::Uuid::nil(), &hash).await?;
    tx.execute(&session::FORGET_TRIES, &[&tries::forgotten(app, origin, &owner.email)]).await?;
    tx.commit().await
}

/// Exchanges a link for a session of the API, which may then set a new password: `verifyOtp({ type: 'recovery' })`.
///
/// # Errors
/// `NotFound` when the link is unknown, spent or too old; `Conflict` when the person has a second factor, whose code a
/// link cannot stand in for.
pub async fn reset_session(app: &App, origin: &Origin, token: &str) -> Result<Tokens> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let owner = session::spend_token(&tx, Purpose::Recover, token).await?;
    let person: user::Person = tx.query_one(&user::PERSON, &[&owner.user_id]).await?;
    if person.totp_confirmed_at.is_some() {
        return Err(Error::conflict("second_factor_needed", "Set the new password on the page of the link."));
    }
    let session_id = sessions::begin(app, &tx, owner.user_id, None, false).await?;
    tx.execute(&session::ALLOW_RESET, &[&session_id, &(tx.now() + RESET_WITHIN)]).await?;
    let refresh_token = sessions::hand_out(app, &tx, session_id).await?;
    tx.commit().await?;
    sessions::tokens(app, person, session_id, sessions::aal(false), refresh_token)
}
