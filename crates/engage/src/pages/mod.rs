//! Pages for strangers, and the console's preview of them.

pub mod codes;
pub mod compiled;
mod done;
mod form_view;
pub mod forms;
pub mod links;
mod over;
pub mod preview;
pub mod seen;
mod sent;
pub mod submissions;

use askama::Template;
use askama::filters::HtmlSafe;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use content::forms::FormConfig;
use kernel::Error;
use serde_json::Value;
use web::shell::RecipientShell;
use web::{App, Failure, Result, Visitor};

use crate::policy::Policy;
use crate::state::OpenForm;
use crate::{bots, ground, limits};

const HEADERS: [(HeaderName, &str); 3] = [
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "private, no-store"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

/// A stranger, and whether it is a program that only looks.
pub struct Stranger {
    /// Where the request came from.
    pub visitor: Visitor,
    /// A bot, a link preview, a prefetch, a HEAD.
    pub machine: bool,
    /// What the browser brings along: nothing is decided by it but that it saw its card before.
    pub cookies: HeaderMap,
    /// The host that was asked.
    pub host: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Stranger {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let machine = bots::is_machine(&parts.method, &parts.headers);
        let cookies =
            parts.headers.get_all(header::COOKIE).iter().map(|value| (header::COOKIE, value.clone())).collect();
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(ToOwned::to_owned);
        Ok(Self { visitor: Visitor::from_request_parts(parts, state).await?, machine, cookies, host })
    }
}

/// HTML this room made, or sanitised and filled in with escaped values.
struct Markup(String);

impl HtmlSafe for Markup {}

impl std::fmt::Display for Markup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Somebody's page did not exist: counted, and answered kindly.
#[derive(Template)]
#[template(path = "links/unknown.html")]
struct UnknownPage {
    shell: RecipientShell,
    ground: Option<String>,
}

/// The campaign or the form is over.
#[derive(Template)]
#[template(path = "links/closed.html")]
struct ClosedPage {
    shell: RecipientShell,
    ground: Option<String>,
    support_phone: Option<String>,
    /// Where somebody who earned a card proves it.
    again: Option<Markup>,
}

/// A page for recipients, with the headers that hold for all of them.
fn page(app: &App, policy: Policy<'_>, status: StatusCode, template: &impl Template) -> Result<Response> {
    let html = template.render().map_err(Error::internal)?;
    let mut response = (status, Html(html)).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy.header(app)?);
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// A wrong link: 404, and 429 for an address that tried too many.
fn unknown(app: &App, visitor: &Visitor) -> Result<Response> {
    limits::wrong_link(app, visitor)?;
    let shell = RecipientShell::new("Page not found", "", None);
    page(app, Policy::default(), StatusCode::NOT_FOUND, &UnknownPage { shell, ground: None })
}

impl OpenForm {
    /// The frame of the form's own pages and the ground they stand on: the client's brand, with what the form's settings
    /// say otherwise.
    fn frame(&self, title: &str) -> (RecipientShell, Option<String>) {
        let (row, settings) = (&self.row, &self.config.settings);
        let frame = shell(title, &row.client_name, row.brand_colors_json.as_ref(), row.logo_url.as_deref());
        let mut frame = dressed(frame, &self.config);
        if !settings.branding {
            (frame.brand, frame.logo) = (String::new(), None);
        }
        (frame, ground::url(&settings.colours.background))
    }
}

/// A frame in the accent of a form, where the form has one: before and after it was sent.
fn dressed(mut frame: RecipientShell, form: &FormConfig) -> RecipientShell {
    if let Some(accent) = web::assets::brand_url(&form.settings.colours.accent) {
        frame.colour_css = Some(accent);
    }
    frame
}

/// The frame in a client's brand.
fn shell(title: &str, brand: &str, colours: Option<&Value>, logo: Option<&str>) -> RecipientShell {
    let colour = colours.and_then(|colours| colours["primary"].as_str());
    RecipientShell::new(title, brand, colour).logo(logo.map(ToOwned::to_owned))
}
