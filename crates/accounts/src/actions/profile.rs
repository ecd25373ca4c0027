//! What people say about themselves, and their address.

use chrono::Duration;
use database::{Audited, Scope};
use kernel::{Actor, Error, Origin, Problems, Result, System, email, phone};
use serde_json::json;
use uuid::Uuid;
use web::App;

use super::password::{Proof, prove, show_proof};
use super::session::revoke_others;
use crate::mail::{self, SystemMail};
use crate::store::session::{self, NewToken, Purpose};
use crate::store::user::{self, Credentials};

/// How long a link to confirm a new address is good.
const LIFETIME: Duration = Duration::hours(24);

/// What the form holds.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange<'a> {
    /// The name.
    pub full_name: &'a str,
    /// The phone, as typed.
    pub phone: &'a str,
    /// The IANA time zone; empty for the client's.
    pub timezone: &'a str,
}

/// Changes what somebody shows of themselves.
///
/// # Errors
/// Names the fields that will not do.
pub async fn update_profile(app: &App, actor: &Actor, user_id: Uuid, change: &ProfileChange<'_>) -> Result<()> {
    let mut problems = Problems::new();
    let full_name = problems.require("full_name", change.full_name);
    if full_name.chars().count() > 120 {
        problems.add("full_name", "too_long", "use at most 120 characters");
    }
    let typed = change.phone.trim();
    let phone = phone::normalise(typed, "US");
    if !typed.is_empty() && phone.is_none() {
        problems.invalid("phone", phone::WANTED);
    }
    let zone = Some(change.timezone.trim()).filter(|zone| !zone.is_empty());
    if zone.is_some_and(|zone| kernel::zone::find(zone).is_none()) {
        problems.invalid("timezone", super::client::no_such_zone(change.timezone));
    }
    problems.finish()?;
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    tx.execute(&user::UPDATE_PROFILE, &[&user_id, &full_name, &phone, &zone, &tx.now()]).await?;
    let after = Some(json!({ "full_name": full_name, "timezone": zone }));
    tx.audit("profile.updated", "profiles", Some(user_id), Audited { after, ..Audited::default() }).await?;
    tx.commit().await
}

/// Keeps what the person's own program wants kept of them.
///
/// # Errors
/// What the database answered.
pub async fn set_metadata(app: &App, origin: &Origin, user_id: Uuid, metadata: &serde_json::Value) -> Result<()> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    tx.execute(&user::SET_METADATA, &[&user_id, &metadata, &tx.now()]).await?;
    tx.audit("user.metadata_changed", "auth.users", Some(user_id), Audited::default()).await?;
    tx.commit().await
}

/// A new address, asked for on the account's page.
#[derive(Debug, Clone, Default)]
pub struct EmailChange<'a> {
    /// The new address, as typed.
    pub email: &'a str,
    /// The present password.
    pub password: &'a str,
}

/// Sends a link to a new address for somebody who gives their password; nothing changes until it is opened.
///
/// # Errors
/// Names `email` when it is not an address, `email_password` when the password is wrong; `TooMany` while the present
/// address is locked, or when the new one was sent many mails. That somebody else has it is told only at the end, to whoever owns it.
pub async fn change_email(app: &App, origin: &Origin, user_id: Uuid, change: &EmailChange<'_>) -> Result<()> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let address = checked(change.email)?;
    let person = user::person(&scope, user_id).await?;
    prove(app, &scope, &person, ("email_password", change.password)).await?;
    send_link(app, &scope, user_id, address).await
}

/// The same for a program: `updateUser({ email })`.
///
/// # Errors
/// Names `email`, or the proof that is wrong; `Conflict` when there is none.
pub async fn change_own_email(
    app: &App,
    origin: &Origin,
    user_id: Uuid,
    address: &str,
    proof: Proof<'_>,
) -> Result<()> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let address = checked(address)?;
    let person = user::person(&scope, user_id).await?;
    show_proof(app, &scope, &person, proof).await?;
    send_link(app, &scope, user_id, address).await
}

fn checked(address: &str) -> Result<String> {
    email::normalise(address).ok_or_else(|| Error::invalid("email", email::WANTED))
}

async fn send_link(app: &App, scope: &Scope<'_>, user_id: Uuid, address: String) -> Result<()> {
    mail::spend(app, "address", &address)?;
    let tx = scope.transaction().await?;
    let token = kernel::random::token();
    let new = NewToken { purpose: Purpose::ChangeEmail, token: &token, user_id, email: &address, lifetime: LIFETIME };
    session::insert_token(&tx, &new).await?;
    let mail = SystemMail {
        to: address,
        subject: "Confirm your new address for ACE".into(),
        text: format!(
            "Open this link within a day to use this address for your ACE account:\n\n{}\n\n\
             If you did not ask for that, there is nothing to do.\n",
            app.link(&format!("/account/email/{token}"))
        ),
    };
    mail.send(&tx, &app.keyring).await?;
    tx.audit("user.email_change_asked", "auth.users", Some(user_id), Audited::default()).await?;
    tx.commit().await
}

/// Takes the new address that the link was sent to. Links that went to the old one are worth nothing from then on, every
/// other session ends, and the old address is told.
///
/// # Errors
/// `NotFound` when the link is unknown, spent, too old or another person's; names `email` when it is taken.
pub async fn confirm_email(app: &App, origin: &Origin, who: (Uuid, Uuid), token: &str) -> Result<String> {
    let (user_id, session_id) = who;
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let owner = session::spend_token(&tx, Purpose::ChangeEmail, token).await?;
    if owner.user_id != user_id {
        return Err(Error::NotFound);
    }
    let before: Credentials = tx.query_one(&user::CREDENTIALS_BY_ID, &[&user_id]).await?;
    let set = tx.execute(&user::SET_EMAIL, &[&user_id, &owner.email, &tx.now()]).await;
    set.map_err(|e| e.on_constraint("users_email_key", "email", "taken", "somebody else has this address"))?;
    for purpose in [Purpose::Recover, Purpose::ChangeEmail] {
        tx.execute(&session::SPEND_OTHER_TOKENS, &[&user_id, &purpose.as_str(), &tx.now()]).await?;
    }
    revoke_others(&tx, user_id, session_id).await?;
    changed_notice(before.email, &owner.email).send(&tx, &app.keyring).await?;
    let after = Some(json!({ "email": owner.email }));
    tx.audit("user.email_changed", "auth.users", Some(user_id), Audited { after, ..Audited::default() }).await?;
    tx.commit().await?;
    Ok(owner.email)
}

fn changed_notice(to: String, new: &str) -> SystemMail {
    SystemMail {
        to,
        subject: "Your address for ACE was changed".into(),
        text: format!(
            "From now on your ACE account is signed in to as {new}, and no mail of it comes here any more. \
             If you did not change that, tell whoever runs ACE for you at once.\n"
        ),
    }
}
