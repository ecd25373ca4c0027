//! What people say about themselves, and their address.

use chrono::Duration;
use database::Audited;
use kernel::{Actor, Error, Origin, Problems, Result, System, email, phone};
use serde_json::json;
use uuid::Uuid;
use web::App;

use crate::mail::SystemMail;
use crate::store::session::{self, NewToken, Purpose};
use crate::store::user;

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
        problems.invalid("phone", "not a phone number");
    }
    let zone = Some(change.timezone.trim()).filter(|zone| !zone.is_empty());
    if zone.is_some_and(|zone| kernel::zone::find(zone).is_none()) {
        problems.invalid("timezone", "not a time zone");
    }
    problems.finish()?;
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    tx.execute(&user::UPDATE_PROFILE, &[&user_id, &full_name, &phone, &zone, &tx.now()]).await?;
    let after = Some(json!({ "full_name": full_name, "timezone": zone }));
    tx.audit("profile.updated", "profiles", Some(user_id), Audited { after, ..Audited::default() }).await?;
    tx.commit().await
}

/// Sends a link to a new address; nothing changes until it is opened.
///
/// # Errors
/// Names `email` when it is not an address. That somebody else has it is told only at the end, to whoever owns it.
pub async fn change_email(app: &App, origin: &Origin, user_id: Uuid, address: &str) -> Result<()> {
    let address = email::normalise(address).ok_or_else(|| Error::invalid("email", "not an e-mail address"))?;
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
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

/// Takes the new address that the link was sent to.
///
/// # Errors
/// `NotFound` when the link is unknown, spent, too old or another person's; names `email` when it is taken.
pub async fn confirm_email(app: &App, origin: &Origin, user_id: Uuid, token: &str) -> Result<String> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let owner = session::spend_token(&tx, Purpose::ChangeEmail, token).await?;
    if owner.user_id != user_id {
        return Err(Error::NotFound);
    }
    let set = tx.execute(&user::SET_EMAIL, &[&user_id, &owner.email, &tx.now()]).await;
    set.map_err(|e| e.on_constraint("users_email_key", "email", "taken", "somebody else has this address"))?;
    let after = Some(json!({ "email": owner.email }));
    tx.audit("user.email_changed", "auth.users", Some(user_id), Audited { after, ..Audited::default() }).await?;
    tx.commit().await?;
    Ok(owner.email)
}
