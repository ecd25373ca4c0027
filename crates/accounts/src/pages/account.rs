//! One's own account: profile, address, password, sessions.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::Error;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use web::view::FieldErrors;
use web::{App, Caller, Edit, Shell, SignedIn, redirect_with, render, render_with, version_of};

use super::status_of;
use crate::actions::{self, EmailChange, PasswordChange, ProfileChange};
use crate::store::session::{LIST_SESSIONS, OpenSession};
use crate::store::user::{self, Person};

#[derive(Template)]
#[template(path = "account/show.html")]
struct AccountPage {
    shell: Shell,
    person: Person,
    sessions: Vec<OpenSession>,
    own_session: Uuid,
    profile: ProfileForm,
    version: String,
    email: String,
    shortest: usize,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "account/email.html")]
struct EmailPage {
    shell: Shell,
    token: String,
    errors: FieldErrors,
}

/// What people show of themselves.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfileForm {
    full_name: String,
    phone: String,
    timezone: String,
}

impl ProfileForm {
    fn of(person: &Person) -> Self {
        Self {
            full_name: person.full_name.clone().unwrap_or_default(),
            phone: person.phone.as_deref().map(kernel::phone::display).unwrap_or_default(),
            timezone: person.timezone.clone().unwrap_or_default(),
        }
    }
}

/// The old and the new password.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PasswordForm {
    current_password: String,
    password: String,
}

/// A new address, and the present password.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct EmailForm {
    email: String,
    email_password: String,
}

/// What was typed and what is wrong with it.
#[derive(Default)]
struct Typed {
    profile: Option<(ProfileForm, String)>,
    email: Option<String>,
    errors: FieldErrors,
}

/// `GET /account`
pub async fn show(State(app): State<App>, caller: Caller) -> web::Result<Response> {
    page(&app, &caller, Typed::default()).await
}

/// `POST /account`
pub async fn update(State(app): State<App>, caller: Caller, edit: Edit<ProfileForm>) -> web::Result<Response> {
    let (user, form) = (person(&caller)?, &edit.form);
    let saved = ProfileForm::of(&found(&app, user.user_id).await?);
    let timezone = super::zone_of(&form.timezone);
    let change = ProfileChange { full_name: &form.full_name, phone: &form.phone, timezone };
    let done = match edit.expect(&saved) {
        Ok(()) => actions::update_profile(&app, &caller.actor, user.user_id, &change).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(redirect_with("/account", "Profile saved.")),
        Err(error) => {
            let (errors, version) = edit.refused(error, &saved)?;
            page(&app, &caller, Typed { profile: Some((edit.form, version)), errors, ..Typed::default() }).await
        }
    }
}

/// `POST /account/password`
pub async fn change_password(
    State(app): State<App>,
    caller: Caller,
    form: web::Form<PasswordForm>,
) -> web::Result<Response> {
    let user = person(&caller)?;
    let change = PasswordChange { current: &form.0.current_password, new: &form.0.password };
    match actions::change_password(&app, &caller.actor.origin, (user.user_id, user.session_id), &change).await {
        Ok(()) => Ok(redirect_with("/account", "Password changed. Your other sessions have ended.")),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            page(&app, &caller, Typed { errors, ..Typed::default() }).await
        }
    }
}

/// `POST /account/email`
pub async fn change_email(State(app): State<App>, caller: Caller, form: web::Form<EmailForm>) -> web::Result<Response> {
    let user = person(&caller)?;
    let change = EmailChange { email: &form.0.email, password: &form.0.email_password };
    match actions::change_email(&app, &caller.actor.origin, user.user_id, &change).await {
        Ok(()) => Ok(redirect_with("/account", "Open the link we sent to the new address.")),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            page(&app, &caller, Typed { email: Some(form.0.email), errors, ..Typed::default() }).await
        }
    }
}

/// `GET /account/email/{token}`: asks before using the link up, for mail scanners follow links.
pub async fn show_email(caller: Caller, path: web::Path<String>) -> web::Result<Response> {
    let shell = Shell::new(&caller, "Confirm your new address").crumb("Account", "/account");
    render(&EmailPage { shell, token: path.0, errors: FieldErrors::none() })
}

/// `POST /account/email/{token}`
pub async fn confirm_email(State(app): State<App>, caller: Caller, path: web::Path<String>) -> web::Result<Response> {
    let user = person(&caller)?;
    match actions::confirm_email(&app, &caller.actor.origin, (user.user_id, user.session_id), &path.0).await {
        Ok(email) => {
            Ok(redirect_with("/account", &format!("Your address is {email} now. Your other sessions have ended.")))
        }
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            let shell = Shell::new(&caller, "Confirm your new address").crumb("Account", "/account");
            render_with(status_of(&errors), &EmailPage { shell, token: path.0, errors })
        }
    }
}

/// `POST /account/sessions/{id}/revoke`
pub async fn revoke_session(State(app): State<App>, caller: Caller, path: web::Path<Uuid>) -> web::Result<Response> {
    actions::revoke_session(&app, &caller.actor.origin, person(&caller)?.user_id, path.0).await?;
    Ok(redirect_with("/account", "Session ended."))
}

/// `POST /account/sessions/revoke-others`
pub async fn revoke_others(State(app): State<App>, caller: Caller) -> web::Result<Response> {
    let user = person(&caller)?;
    actions::sign_out_others(&app, &caller.actor.origin, user.user_id, user.session_id).await?;
    Ok(redirect_with("/account", "All other sessions ended."))
}

/// The person behind a page; an API key has no account.
pub(super) fn person(caller: &Caller) -> kernel::Result<&SignedIn> {
    caller.user.as_ref().ok_or(Error::NotFound)
}

async fn found(app: &App, id: Uuid) -> kernel::Result<Person> {
    let auth = kernel::Actor::system(kernel::System::Auth);
    user::person(&app.db.scope(&auth), id).await
}

async fn page(app: &App, caller: &Caller, typed: Typed) -> web::Result<Response> {
    let user = person(caller)?;
    let auth = kernel::Actor::system(kernel::System::Auth);
    let person = found(app, user.user_id).await?;
    let sessions = app.db.scope(&auth).query(&LIST_SESSIONS, &[&user.user_id, &app.clock.now()]).await?;
    let (profile, version) = match typed.profile {
        Some(typed) => typed,
        None => (ProfileForm::of(&person), version_of(&ProfileForm::of(&person))?),
    };
    let page = AccountPage {
        shell: Shell::new(caller, "Your account"),
        email: typed.email.unwrap_or_else(|| person.email.clone()),
        person,
        sessions,
        own_session: user.session_id,
        profile,
        version,
        shortest: app.settings.security.password_min_length,
        errors: typed.errors,
    };
    render_with(status_of(&page.errors), &page)
}

impl AccountPage {
    fn is_own(&self, session: &OpenSession) -> bool {
        session.id == self.own_session
    }

    /// A browser's name, as far as its header tells.
    fn browser(&self, user_agent: &Option<String>) -> String {
        let agent = user_agent.as_deref().unwrap_or_default();
        let known = [
            ("Edg/", "Edge"),
            ("Firefox/", "Firefox"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
            ("curl/", "curl"),
        ];
        let name = known.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
        name.unwrap_or(if agent.is_empty() { "Unknown program" } else { "Another program" }).to_owned()
    }
}
