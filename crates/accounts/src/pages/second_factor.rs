//! Setting up a second factor, and its recovery codes.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use fast_qr::QRBuilder;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::convert::{Builder, Shape};
use kernel::Error;
use serde::Deserialize;
use web::view::FieldErrors;
use web::{App, Caller, Shell, redirect_with, render_with};

use super::account::person;
use super::{no_store, status_of};
use crate::actions::{self, NewFactor};
use crate::store::user::{self, COUNT_RECOVERY_CODES};

#[derive(Template)]
#[template(path = "account/enrol.html")]
struct EnrolPage {
    shell: Shell,
    /// Drawn by us from bytes of ours: safe to show as it is.
    qr: String,
    readable: String,
    required: bool,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "account/enrolled.html")]
struct EnrolledPage {
    shell: Shell,
    codes_left: i64,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "account/codes.html")]
struct CodesPage {
    shell: Shell,
    codes: Vec<String>,
}

/// The present password, and a code of the new second factor.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct EnrolForm {
    current_password: String,
    code: String,
}

/// The code an app shows.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CodeForm {
    code: String,
}

/// `GET /account/second-factor`
pub async fn show(State(app): State<App>, caller: Caller) -> web::Result<Response> {
    page(&app, &caller, FieldErrors::none()).await
}

/// `POST /account/second-factor`
pub async fn confirm(State(app): State<App>, caller: Caller, form: web::Form<EnrolForm>) -> web::Result<Response> {
    let user = person(&caller)?;
    let new = NewFactor { password: &form.0.current_password, code: &form.0.code };
    match actions::confirm_enrolment(&app, &caller.actor.origin, (user.user_id, user.session_id), new).await {
        Ok(codes) => codes_page(&caller, codes),
        Err(error) => page(&app, &caller, FieldErrors::from_error(error)?).await,
    }
}

/// `POST /account/second-factor/codes`
pub async fn renew(State(app): State<App>, caller: Caller, form: web::Form<CodeForm>) -> web::Result<Response> {
    let user_id = person(&caller)?.user_id;
    match actions::renew_recovery_codes(&app, &caller.actor.origin, user_id, &form.0.code).await {
        Ok(codes) => codes_page(&caller, codes),
        Err(error) => page(&app, &caller, FieldErrors::from_error(error)?).await,
    }
}

/// `POST /account/second-factor/remove`
pub async fn remove(State(app): State<App>, caller: Caller, form: web::Form<CodeForm>) -> web::Result<Response> {
    let user_id = person(&caller)?.user_id;
    match actions::remove_second_factor(&app, &caller.actor.origin, user_id, &form.0.code).await {
        Ok(()) => Ok(redirect_with("/account", "Second factor removed.")),
        Err(error) => page(&app, &caller, FieldErrors::from_error(error)?).await,
    }
}

async fn page(app: &App, caller: &Caller, errors: FieldErrors) -> web::Result<Response> {
    let signed_in = person(caller)?;
    let auth = kernel::Actor::system(kernel::System::Auth);
    let scope = app.db.scope(&auth);
    let own = user::person(&scope, signed_in.user_id).await?;
    let shell = Shell::new(caller, "Second factor").crumb("Account", "/account");
    if own.totp_confirmed_at.is_some() {
        let codes_left = scope.query_scalar(&COUNT_RECOVERY_CODES, &[&own.id]).await?;
        return render_with(status_of(&errors), &EnrolledPage { shell, codes_left, errors });
    }
    let enrolment = actions::begin_enrolment(app, &caller.actor.origin, own.id).await?;
    let qr = draw(&enrolment.address)?;
    let page = EnrolPage { shell, qr, readable: enrolment.readable, required: signed_in.must_enrol, errors };
    Ok(no_store(render_with(status_of(&page.errors), &page)?))
}

fn codes_page(caller: &Caller, codes: Vec<String>) -> web::Result<Response> {
    let shell = Shell::new(caller, "Recovery codes")
        .crumb("Account", "/account")
        .crumb("Second factor", "/account/second-factor");
    Ok(no_store(web::render(&CodesPage { shell, codes })?))
}

fn draw(address: &str) -> kernel::Result<String> {
    let code = QRBuilder::new(address).build().map_err(|e| Error::internal(format!("{e:?}")))?;
    Ok(SvgBuilder::default().shape(Shape::Square).margin(4).to_str(&code))
}
