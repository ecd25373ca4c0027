//! Joining by a link.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use kernel::{Error, Origin};
use serde::Deserialize;
use web::view::FieldErrors;
use web::{App, Caller, Shell, Visitor, identity, redirect, redirect_with, render_with, set_cookie};

use super::sign_in::signed_in;
use super::{many_mails, no_store, status_of};
use crate::actions::{self, Joining};
use crate::store::invitation::Offer;

#[derive(Template)]
#[template(path = "invitation/mailed.html")]
struct MailedPage {
    shell: Shell,
    email: String,
}

#[derive(Template)]
#[template(path = "invitation/show.html")]
struct OfferPage {
    shell: Shell,
    offer: Offer,
    token: String,
    over: Option<String>,
    shortest: usize,
    signed_in_as: Option<String>,
    form: NewForm,
    errors: FieldErrors,
}

/// What somebody new says.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct NewForm {
    full_name: String,
    password: String,
}

/// `GET /invitations/{token}`
pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    path: web::Path<String>,
) -> web::Result<Response> {
    let caller = signed_in(&app, &visitor.origin, &headers).await?;
    page(&app, &visitor.origin, (path.0, caller), (NewForm::default(), FieldErrors::none())).await
}

/// `POST /invitations/{token}`
pub async fn accept(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    path: web::Path<String>,
    form: web::Form<NewForm>,
) -> web::Result<Response> {
    let caller = signed_in(&app, &visitor.origin, &headers).await?;
    let offer = actions::find_offer(&app, &visitor.origin, &path.0).await?;
    if offer.user_id.is_none() && !offer.was_mailed {
        return mail(&app, &visitor.origin, path.0, offer).await;
    }
    let own = caller.as_ref().and_then(|caller| caller.user_id()).filter(|_| offer.user_id.is_some());
    let joining = match own {
        Some(user_id) => Joining::Signed(user_id),
        None => Joining::New { full_name: &form.0.full_name, password: &form.0.password },
    };
    let welcome = format!("Welcome to {}.", offer.place_name());
    match actions::accept_invitation(&app, &visitor.origin, &path.0, &joining).await {
        Ok(Some(opened)) => {
            let mut response = redirect_with("/", &welcome);
            set_cookie(&mut response, &identity::session_cookie(&app, &opened.cookie));
            Ok(response)
        }
        Ok(None) => Ok(redirect_with("/", &welcome)),
        Err(Error::Conflict { code: "account_exists", .. }) => {
            Ok(redirect(&format!("/sign-in?next=/invitations/{}", path.0)))
        }
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            page(&app, &visitor.origin, (path.0, caller), (form.0, errors)).await
        }
    }
}

/// The link was handed over: the one that proves the address goes out.
async fn mail(app: &App, origin: &Origin, token: String, offer: Offer) -> web::Result<Response> {
    match actions::mail_link(app, origin, &token).await {
        Ok(()) => {
            let page = MailedPage { shell: Shell::bare("Look at your mail"), email: offer.email };
            Ok(no_store(render_with(StatusCode::OK, &page)?))
        }
        Err(error) => {
            let errors = FieldErrors::from_error(many_mails(error))?;
            page(app, origin, (token, None), (NewForm::default(), errors)).await
        }
    }
}

async fn page(
    app: &App,
    origin: &Origin,
    (token, caller): (String, Option<Caller>),
    (form, errors): (NewForm, FieldErrors),
) -> web::Result<Response> {
    let offer = actions::find_offer(app, origin, &token).await?;
    let over = offer.over(app.clock.now()).map(str::to_owned);
    let shell = match &over {
        Some(_) => Shell::bare("This invitation is over"),
        None => Shell::bare(format!("Join {}", offer.place_name())),
    };
    let status = if over.is_some() { StatusCode::GONE } else { status_of(&errors) };
    let signed_in_as = caller.and_then(|caller| caller.user).map(|user| user.email);
    let shortest = app.settings.security.password_min_length;
    let page = OfferPage { shell, offer, token, over, shortest, signed_in_as, form, errors };
    Ok(no_store(render_with(status, &page)?))
}
