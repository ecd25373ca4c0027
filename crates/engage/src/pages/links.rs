//! `/r/{token}` and `/q/{token}`: what a recipient's link and QR lead to. The hot path: one durable statement, then
//! a page from memory.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use content::merge::Values;
use events::{Visit, VisitKind, Visited};
use kernel::Error;
use kernel::codes::PurlToken;
use uuid::Uuid;
use web::shell::RecipientShell;
use web::{App, Path, Result};

use super::done::On;
use super::form_view::FormView;
use super::seen::Sign;
use super::sent::Sent;
use super::{ClosedPage, Markup, Stranger, done, dressed, over, page, shell, unknown};
use crate::actions::reveal;
use crate::landing::Landing;
use crate::person::Person;
use crate::policy::Policy;
use crate::state::{Engage, OpenForm};
use crate::store::rewards::Offer;
use crate::store::{brands, people};
use crate::{ground, redirect, shown, tokens};

/// The statuses of campaigns whose visits count.
const COUNTING: [&str; 2] = ["mailed", "active"];

/// A recipient's page: the campaign's landing page with their data.
#[derive(Template)]
#[template(path = "links/landing.html")]
pub(super) struct LandingPage {
    pub shell: RecipientShell,
    pub style: Style,
    pub preview: Option<&'static str>,
    pub has_main: bool,
    pub body: Markup,
    pub sign: Option<Sign>,
}

/// A page's own style.
#[derive(Default)]
pub(super) struct Style {
    /// Where it is, for strangers.
    pub sheet: Option<String>,
    /// The style itself, for a preview: without an origin it could not fetch a sheet of the console.
    pub inline: Option<Markup>,
}

impl Style {
    /// A style that stands in the page under its nonce. What passed the check of a style cannot end its element.
    pub(super) fn inline(nonce: &str, css: &str) -> Self {
        Self { sheet: None, inline: Some(Markup(format!("<style nonce=\"{nonce}\">{css}</style>"))) }
    }
}

/// What is said instead of a page that is too large.
#[derive(Template)]
#[template(path = "links/too_large.html")]
struct TooLargePage {
    shell: RecipientShell,
    ground: Option<String>,
    support_phone: Option<String>,
}

/// A recipient's page where the campaign has no landing page: who it is from, and the form.
#[derive(Template)]
#[template(path = "links/plain.html")]
struct PlainPage {
    shell: RecipientShell,
    ground: Option<String>,
    preview: bool,
    first_name: Option<String>,
    form: Markup,
    sign: Option<Sign>,
}

/// `GET /r/{token}`
pub async fn purl(
    State(app): State<App>,
    Extension(engage): Extension<Engage>,
    stranger: Stranger,
    Path(token): Path<String>,
) -> Result<Response> {
    arrive(&app, &engage, stranger, (VisitKind::Purl, &token)).await
}

/// `GET /q/{token}`
pub async fn qr(
    State(app): State<App>,
    Extension(engage): Extension<Engage>,
    stranger: Stranger,
    Path(token): Path<String>,
) -> Result<Response> {
    arrive(&app, &engage, stranger, (VisitKind::Qr, &token)).await
}

/// `GET /r/{token}/{rest}`: a link with something behind it that is none of ours.
pub async fn purl_and_more(
    state: State<App>,
    engage: Extension<Engage>,
    stranger: Stranger,
    Path((token, _)): Path<(String, String)>,
) -> Result<Response> {
    purl(state, engage, stranger, Path(token)).await
}

/// `GET /q/{token}/{rest}`
pub async fn qr_and_more(
    state: State<App>,
    engage: Extension<Engage>,
    stranger: Stranger,
    Path((token, _)): Path<(String, String)>,
) -> Result<Response> {
    qr(state, engage, stranger, Path(token)).await
}

async fn arrive(app: &App, engage: &Engage, stranger: Stranger, (kind, token): (VisitKind, &str)) -> Result<Response> {
    let Stranger { visitor, machine, cookies, host } = stranger;
    let Some(token) = tokens::purl(token) else { return unknown(app, &visitor) };
    let visit = Visit {
        token: token.as_str().to_owned(),
        kind,
        bot: machine,
        ip: visitor.origin.ip,
        user_agent: visitor.origin.user_agent.clone(),
        referrer: visitor.referrer.clone(),
        at: app.clock.now(),
    };
    // Answered only after its commit: nobody sees a page whose visit could be lost.
    let Some(visited) = engage.writer.visit(visit).await? else { return unknown(app, &visitor) };
    if !machine && shown::proves(&app.keyring, &cookies, visited.recipient_id) {
        let person = (visited.client_id, visited.recipient_id, visited.redemption_code.as_str());
        if let Some(cards) = reveal::again(app, &visitor.origin, person).await? {
            let form = form_of(app, engage, &visited).await?;
            let on = On { app, policy: Policy::default() };
            return done::again(on, form.as_deref(), frame("Your gift card", &visited), cards).await;
        }
    }
    if visited.status == "completed" {
        return closed(app, engage, visited, (token, host.as_deref())).await;
    }
    if visited.lp_mode == "redirect" {
        return lead_on(&visited, &token);
    }
    let wants_sign = visited.wants_sign && !machine && COUNTING.contains(&visited.status.as_str());
    let sign = wants_sign.then(|| Sign::new(app, token.as_str(), kind));
    bridge(app, engage, visited, (token, machine, sign, host.as_deref())).await
}

/// The campaign is over. Who earned a card finds the way back to it.
async fn closed(
    app: &App,
    engage: &Engage,
    mut visited: Visited,
    (token, host): (PurlToken, Option<&str>),
) -> Result<Response> {
    let support_phone = visited.support_phone.clone();
    let shell = frame("This offer has ended", &visited);
    let form = if visited.earned { form_of(app, engage, &visited).await? } else { None };
    let person = Person::of_visit(&mut visited, token.to_string());
    let again = form.as_ref().map(|form| over::way_back(form, Some(&person), (&Sent::default(), &[]))).transpose()?;
    let policy = Policy { form: form.map(|form| form.row.id), host, ..Policy::default() };
    page(app, policy, StatusCode::OK, &ClosedPage { shell, ground: None, support_phone, again: again.flatten() })
}

/// 302: another visit asks again, and is counted again.
fn lead_on(visited: &Visited, token: &PurlToken) -> Result<Response> {
    let base = visited.base_lp_url.as_deref().unwrap_or_default();
    let pairs = [
        ("utm_source", visited.utm_source.as_deref()),
        ("utm_medium", visited.utm_medium.as_deref()),
        ("utm_campaign", visited.utm_campaign.as_deref()),
        ("token", Some(token.as_str())),
    ];
    let target = HeaderValue::try_from(redirect::target(base, &pairs)).map_err(Error::internal)?;
    let no_store = HeaderValue::from_static("private, no-store");
    Ok((StatusCode::FOUND, [(header::LOCATION, target), (header::CACHE_CONTROL, no_store)]).into_response())
}

async fn bridge(
    app: &App,
    engage: &Engage,
    mut visited: Visited,
    (token, machine, sign, host): (PurlToken, bool, Option<Sign>, Option<&str>),
) -> Result<Response> {
    let landing = landing_of(app, engage, visited.page_version_id).await?;
    let form = form_of(app, engage, &visited).await?;
    let form = form.filter(|form| landing.as_deref().is_none_or(|landing| may_show(landing, form)));
    let person = Person::of_visit(&mut visited, token.to_string());
    let preview = !COUNTING.contains(&visited.status.as_str());
    if let Some(form) = form.as_ref().filter(|_| !machine && !preview) {
        engage.count_view(app, form.row.id);
    }
    let nonce = sign.as_ref().map(|sign| sign.nonce.clone());
    let form_id = form.as_ref().map(|form| form.row.id);
    let policy = Policy { form: form_id, host, script_nonce: nonce.as_deref(), ..Policy::default() };
    let html = form.as_ref().map(|form| FormView::embedded(form, &person)).transpose()?.unwrap_or_default();
    let Some(landing) = landing else {
        let (shell, ground) = match form.as_deref() {
            Some(form) => form.frame(&visited.client_name),
            None => (frame(&visited.client_name, &visited), None),
        };
        let first_name = person.first_name.clone();
        return page(
            app,
            policy,
            StatusCode::OK,
            &PlainPage { shell, ground, preview, first_name, form: Markup(html), sign },
        );
    };
    let shell = frame(&visited.client_name, &visited);
    let shell = match form.as_deref() {
        Some(form) => dressed(shell, &form.config),
        None => shell,
    };
    let about = About {
        campaign: &visited.campaign_name,
        company: &visited.client_name,
        support_phone: visited.support_phone.as_deref(),
    };
    let filled = fill((app, engage), (&about, &person), &landing, (form_id, &html)).await?;
    let css = visited.page_version_id.map(|id| format!("/p/{id}.css"));
    let preview = preview.then_some("Preview. The campaign is not in the mail yet: nothing is counted or sent.");
    let Some(filled) = filled else { return too_large(app, &visited) };
    let (style, body) = (Style { sheet: css, inline: None }, Markup(filled));
    page(app, policy, StatusCode::OK, &LandingPage { shell, style, preview, has_main: landing.has_main, body, sign })
}

/// The page would be larger than any phone should be sent: the values in it, or the page itself, are from before there
/// were limits.
fn too_large(app: &App, visited: &Visited) -> Result<Response> {
    let (shell, support_phone) = (frame("This page cannot be shown", visited), visited.support_phone.clone());
    page(app, Policy::default(), StatusCode::SERVICE_UNAVAILABLE, &TooLargePage { shell, ground: None, support_phone })
}

async fn landing_of(app: &App, engage: &Engage, version_id: Option<Uuid>) -> Result<Option<Arc<Landing>>> {
    match version_id {
        Some(version_id) => Ok(engage.landing(app, version_id).await?),
        None => Ok(None),
    }
}

/// The campaign's own form, else the one the page was published with.
async fn form_of(app: &App, engage: &Engage, visited: &Visited) -> Result<Option<Arc<OpenForm>>> {
    let id = match visited.form_id {
        Some(id) => Some(id),
        None => landing_of(app, engage, visited.page_version_id).await?.and_then(|landing| landing.form_id),
    };
    let Some(id) = id else { return Ok(None) };
    let form = engage.form_to_show(app, id).await?;
    Ok(form.filter(|form| form.row.client_id == visited.client_id))
}

/// Whether a form is shown on a page; one that is not is in the log, for whoever looks for it.
fn may_show(landing: &Landing, form: &OpenForm) -> bool {
    let may = landing.may_show(&form.config);
    if !may {
        tracing::warn!(form = %form.row.id, "a form and its page ask for a password together: the form is left out");
    }
    may
}

/// What a page says of its campaign and its sender.
struct About<'a> {
    campaign: &'a str,
    company: &'a str,
    support_phone: Option<&'a str>,
}

/// The page with the person's values and their form in it; nothing when that would be larger than any phone should be sent.
async fn fill(
    (app, engage): (&App, &Engage),
    (about, person): (&About<'_>, &Person),
    landing: &Landing,
    (form_id, html): (Option<Uuid>, &str),
) -> Result<Option<String>> {
    let offer =
        if landing.names_reward() { engage.offer(app, person.client_id, person.campaign_id).await? } else { None };
    Ok(landing.fill(values(app, (about, person), landing, (form_id, offer.as_ref())), html))
}

fn values(
    app: &App,
    (about, person): (&About<'_>, &Person),
    landing: &Landing,
    (form_id, offer): (Option<Uuid>, Option<&Offer>),
) -> Values {
    let mut values = person.values(&landing.tags);
    for tag in &landing.tags {
        values = match tag.as_str() {
            "campaign" => values.with(tag, about.campaign),
            "company" => values.with(tag, about.company),
            "support_phone" => values.with_some(tag, about.support_phone.map(kernel::phone::display).as_deref()),
            "redemption_url" => values.with(tag, own_link(app, person, form_id)),
            "amount" => values.with_some(tag, offer.and_then(Offer::amount).as_deref()),
            "brand" => values.with_some(tag, offer.map(|offer| offer.brand_name.as_str())),
            _ => values,
        };
    }
    values
}

/// The page that a form was sent from, once more around the form with its errors. Nothing is counted: it is no new visit.
///
/// # Errors
/// What the database answered, or that the template fails.
pub async fn around(
    (app, engage): (&App, &Engage),
    form: &OpenForm,
    person: &Person,
    (html, host): (String, Option<&str>),
    actor: &kernel::Actor,
) -> Result<Response> {
    let page_of = people::around(&app.scope(actor), person).await?;
    let landing = landing_of(app, engage, page_of.version_id).await?.filter(|landing| may_show(landing, form));
    let (status, form_id) = (StatusCode::UNPROCESSABLE_ENTITY, Some(form.row.id));
    let policy = Policy { form: form_id, host, ..Policy::default() };
    let Some(landing) = landing else {
        let (shell, ground) = form.frame(&page_of.client_name);
        let first_name = person.first_name.clone();
        let plain = PlainPage { shell, ground, preview: false, first_name, form: Markup(html), sign: None };
        return page(app, policy, status, &plain);
    };
    let about = About {
        campaign: &page_of.campaign_name,
        company: &page_of.client_name,
        support_phone: page_of.support_phone.as_deref(),
    };
    let filled = fill((app, engage), (&about, person), &landing, (form_id, &html)).await?;
    let filled = filled.ok_or_else(|| Error::invalid("", "this page cannot be shown"))?;
    let name = &page_of.client_name;
    let shell = shell(name, name, page_of.brand_colors_json.as_ref(), page_of.logo_url.as_deref());
    let sheet = page_of.version_id.map(|id| format!("/p/{id}.css"));
    let around = LandingPage {
        shell: dressed(shell, &form.config),
        style: Style { sheet, inline: None },
        preview: None,
        has_main: landing.has_main,
        body: Markup(filled),
        sign: None,
    };
    page(app, policy, status, &around)
}

/// Where the person goes on: the form on a page of its own, else their link.
fn own_link(app: &App, person: &Person, form_id: Option<Uuid>) -> String {
    match form_id {
        Some(id) => app.link(&format!("/f/{id}?r={}", person.purl_token)),
        None => app.link(&format!("/r/{}", person.purl_token)),
    }
}

fn frame(title: &str, visited: &Visited) -> RecipientShell {
    shell(title, &visited.client_name, visited.brand_colors_json.as_ref(), visited.logo_url.as_deref())
}

/// `GET /p/{version}.css`: the style of a published version, which never changes. `/p/ground-{colour}.css` is the ground
/// a form chose, `/p/logo-{id}` a client's logo.
pub async fn css(
    State(app): State<App>,
    Extension(engage): Extension<Engage>,
    Path(file): Path<String>,
) -> Result<Response> {
    if let Some(css) = ground::css(&file) {
        return Ok(style_sheet(css, "public, max-age=31536000, immutable"));
    }
    if let Some(id) = file.strip_prefix("logo-") {
        return logo(&app, Uuid::parse_str(id).map_err(|_| Error::NotFound)?).await;
    }
    let version_id = file.strip_suffix(".css").and_then(|id| Uuid::parse_str(id).ok()).ok_or(Error::NotFound)?;
    let landing = engage.landing(&app, version_id).await?.ok_or(Error::NotFound)?;
    Ok(style_sheet(landing.css.clone(), "public, max-age=31536000, immutable"))
}

/// A picture and nothing else, whatever is in it.
async fn logo(app: &App, id: Uuid) -> Result<Response> {
    let actor = kernel::Actor::system(kernel::System::PublicLink);
    let logo = brands::logo(&app.scope(&actor), id).await?;
    let kind = HeaderValue::from_static(if logo.content_type == "image/png" { "image/png" } else { "image/jpeg" });
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    Ok((headers, logo.picture).into_response())
}

/// CSS as an answer.
pub(super) fn style_sheet(css: String, cache: &'static str) -> Response {
    let css_type = HeaderValue::from_static("text/css; charset=utf-8");
    let headers = [(header::CONTENT_TYPE, css_type), (header::CACHE_CONTROL, HeaderValue::from_static(cache))];
    (headers, css).into_response()
}
