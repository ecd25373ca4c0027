//! A forgotten password.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::Error;
use serde::Deserialize;
use web::view::FieldErrors;
use web::{App, Shell, Visitor, redirect_with, render, render_with};

use super::{no_store, status_of};
use crate::actions;
use crate::api::auth::count_reset;
use crate::store::session::{self, Purpose};

#[derive(Template)]
#[template(path = "reset/forgot.html")]
struct ForgotPage {
    shell: Shell,
    form: ForgotForm,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "reset/sent.html")]
struct SentPage {
    shell: Shell,
}

#[derive(Template)]
#[template(path = "reset/new.html")]
struct NewPage {
    shell: Shell,
    token: String,
    email: String,
    shortest: usize,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "reset/over.html")]
struct OverPage {
    shell: Shell,
}

/// An address.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ForgotForm {
    email: String,
}

/// A new password.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct NewForm {
    password: String,
}

/// `GET /forgot`
pub async fn forgot() -> web::Result<Response> {
    forgot_page(ForgotForm::default(), FieldErrors::none())
}

/// `POST /forgot`: the same answer whether or not anybody has the address.
pub async fn send(State(app): State<App>, visitor: Visitor, form: web::Form<ForgotForm>) -> web::Result<Response> {
    count_reset(&app, &visitor.origin)?;
    match actions::ask_for_reset(&app, &visitor.origin, &form.0.email).await {
        Ok(()) => render(&SentPage { shell: Shell::bare("Look at your mail") }),
        Err(error) => forgot_page(form.0, FieldErrors::from_error(error)?),
    }
}

/// `GET /reset/{token}`: looks at the link without using it up, for mail scanners follow links.
pub async fn show(State(app): State<App>, path: web::Path<String>) -> web::Result<Response> {
    new_page(&app, path.0, FieldErrors::none()).await
}

/// `POST /reset/{token}`
pub async fn submit(
    State(app): State<App>,
    visitor: Visitor,
    path: web::Path<String>,
    form: web::Form<NewForm>,
) -> web::Result<Response> {
    match actions::reset_password(&app, &visitor.origin, &path.0, &form.0.password).await {
        Ok(()) => Ok(redirect_with("/sign-in", "The new password is set. Sign in with it.")),
        Err(Error::NotFound) => over(),
        Err(error) => new_page(&app, path.0, FieldErrors::from_error(error)?).await,
    }
}

fn forgot_page(form: ForgotForm, errors: FieldErrors) -> web::Result<Response> {
    let shell = Shell::bare("Set a new password").lede("We send a link to your address. It is good for an hour.");
    render_with(status_of(&errors), &ForgotPage { shell, form, errors })
}

async fn new_page(app: &App, token: String, errors: FieldErrors) -> web::Result<Response> {
    let auth = kernel::Actor::system(kernel::System::Auth);
    match session::find_token(&app.db.scope(&auth), Purpose::Recover, &token, app.clock.now()).await {
        Ok(owner) => {
            let shortest = app.settings.security.password_min_length;
            let page =
                NewPage { shell: Shell::bare("Set a new password"), token, email: owner.email, shortest, errors };
            Ok(no_store(render_with(status_of(&page.errors), &page)?))
        }
        Err(Error::NotFound) => over(),
        Err(error) => Err(error.into()),
    }
}

fn over() -> web::Result<Response> {
    let shell = Shell::bare("This link is over").lede("Links to set a password work once and for an hour.");
    render_with(axum::http::StatusCode::NOT_FOUND, &OverPage { shell })
}
