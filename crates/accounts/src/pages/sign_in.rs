//! Signing in and out.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum_extra::extract::cookie::CookieJar;
use chrono::Duration;
use kernel::{Error, Origin};
use serde::Deserialize;
use uuid::Uuid;
use web::view::FieldErrors;
use web::{App, Caller, Shell, Visitor, identity, redirect, render_with, set_cookie};

use super::status_of;
use crate::actions::{self, Step};
use crate::store::session::{self, Purpose};

/// Carries the first step of signing in to the second.
const STEP_COOKIE: &str = "ace_sign_in";

#[derive(Template)]
#[template(path = "sign_in/password.html")]
struct PasswordPage {
    shell: Shell,
    form: PasswordForm,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "sign_in/code.html")]
struct CodePage {
    shell: Shell,
    next: String,
    errors: FieldErrors,
}

/// Where to go afterwards.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Next {
    next: String,
    /// Whether the session ended while something was being sent.
    ended: bool,
}

/// Address and password.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PasswordForm {
    email: String,
    password: String,
    next: String,
    ended: bool,
}

/// The code of an authenticator app.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CodeForm {
    code: String,
    next: String,
}

/// `GET /sign-in`
pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    query: web::Query<Next>,
) -> web::Result<Response> {
    if signed_in(&app, &visitor.origin, &headers).await?.is_some() {
        return Ok(redirect(local(&query.0.next)));
    }
    let form = PasswordForm { next: query.0.next, ended: query.0.ended, ..PasswordForm::default() };
    page(form, FieldErrors::none(), flash_of(&headers))
}

/// `POST /sign-in`
pub async fn submit(State(app): State<App>, visitor: Visitor, form: web::Form<PasswordForm>) -> web::Result<Response> {
    let form = form.0;
    match actions::check_password(&app, &visitor.origin, &form.email, &form.password).await {
        Ok(Step::Done(user_id)) => enter(&app, &visitor.origin, (user_id, false), &form.next).await,
        Ok(Step::Code(user)) => {
            let token = actions::code_step(&app, &visitor.origin, &user).await?;
            let query = if form.next.is_empty() { String::new() } else { format!("?next={}", encode(&form.next)) };
            let mut response = redirect(&format!("/sign-in/code{query}"));
            set_cookie(&mut response, &identity::cookie(&app, STEP_COOKIE, &token, Some(Duration::minutes(10))));
            Ok(response)
        }
        Err(Error::TooMany { retry_after }) => {
            let minutes = retry_after.div_ceil(60);
            let wait = if minutes == 1 { "a minute".to_owned() } else { format!("{minutes} minutes") };
            let locked =
                Error::conflict("locked", format!("Too many wrong tries. Wait {wait}, or set a new password."));
            page(form, FieldErrors::from_error(locked)?, None)
        }
        Err(error) => page(form, FieldErrors::from_error(error)?, None),
    }
}

/// `GET /sign-in/code`
pub async fn show_code(query: web::Query<Next>) -> web::Result<Response> {
    code_page(query.0.next, FieldErrors::none())
}

/// `POST /sign-in/code`
pub async fn submit_code(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    form: web::Form<CodeForm>,
) -> web::Result<Response> {
    let jar = CookieJar::from_headers(&headers);
    let Some(token) = jar.get(STEP_COOKIE).map(|cookie| cookie.value().to_owned()) else {
        return Ok(redirect("/sign-in"));
    };
    let auth = kernel::Actor::system(kernel::System::Auth).from(visitor.origin.clone());
    let scope = app.db.scope(&auth);
    let owner = match session::find_token(&scope, Purpose::SecondFactor, &token, app.clock.now()).await {
        Err(Error::NotFound) => return Ok(redirect("/sign-in")),
        other => other?,
    };
    if let Err(error) = actions::check_code(&app, &visitor.origin, owner.user_id, &form.0.code).await {
        return code_page(form.0.next, FieldErrors::from_error(error)?);
    }
    let tx = scope.transaction().await?;
    session::spend_token(&tx, Purpose::SecondFactor, &token).await?;
    tx.commit().await?;
    let mut response = enter(&app, &visitor.origin, (owner.user_id, true), &form.0.next).await?;
    set_cookie(&mut response, &identity::cookie(&app, STEP_COOKIE, "", Some(Duration::zero())));
    Ok(response)
}

/// `POST /sign-out`
pub async fn sign_out(State(app): State<App>, caller: Caller) -> web::Result<Response> {
    if let Some(user) = &caller.user {
        actions::sign_out(&app, &caller.actor.origin, user.user_id, user.session_id).await?;
    }
    let mut response = web::redirect_with("/sign-in", "You are signed out.");
    set_cookie(&mut response, &identity::no_session_cookie(&app));
    Ok(response)
}

/// Whoever's cookie a request to a public page carries.
pub(super) async fn signed_in(app: &App, origin: &Origin, headers: &HeaderMap) -> kernel::Result<Option<Caller>> {
    let jar = CookieJar::from_headers(headers);
    let Some(cookie) = jar.get(identity::SESSION_COOKIE) else { return Ok(None) };
    match identity::by_cookie(app, cookie.value(), origin).await {
        Ok(caller) => Ok(Some(caller)),
        Err(Error::Unauthenticated | Error::TooMany { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the page before wanted to be said.
pub(super) fn flash_of(headers: &HeaderMap) -> Option<web::flash::Flash> {
    web::flash::Flash::read(CookieJar::from_headers(headers).get(web::flash::COOKIE)?.value())
}

async fn enter(
    app: &App,
    origin: &Origin,
    (user_id, second_factor): (Uuid, bool),
    next: &str,
) -> web::Result<Response> {
    let opened = actions::begin_console(app, origin, user_id, second_factor).await?;
    let mut response = redirect(local(next));
    set_cookie(&mut response, &identity::session_cookie(app, &opened.cookie));
    Ok(response)
}

fn page(form: PasswordForm, errors: FieldErrors, flash: Option<web::flash::Flash>) -> web::Result<Response> {
    let spent = flash.is_some();
    let mut shell = Shell::bare("Sign in");
    shell.flash = flash;
    let mut response = render_with(status_of(&errors), &PasswordPage { shell, form, errors })?;
    if spent {
        set_cookie(&mut response, &web::flash::Flash::spent());
    }
    Ok(response)
}

fn code_page(next: String, errors: FieldErrors) -> web::Result<Response> {
    let shell = Shell::bare("One more step")
        .lede("Enter the code your authenticator app shows, or one of your recovery codes.");
    render_with(status_of(&errors), &CodePage { shell, next, errors })
}

/// A path of ours: anything else would let a link sign people in here and land them elsewhere.
fn local(next: &str) -> &str {
    let ours = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\') && kernel::is_one_line(next);
    if ours { next } else { "/" }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-._~/".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_to_our_own_pages_only() {
        assert_eq!(local("/acme/contacts?q=a"), "/acme/contacts?q=a");
        for elsewhere in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\u{1}",
            "/\u{b}",
            "/\r\nset-cookie: a",
        ] {
            assert_eq!(local(elsewhere), "/", "{elsewhere}");
        }
    }
}
