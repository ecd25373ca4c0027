//! Landing pages: make, change, publish.

use database::Audited;
use kernel::version::Expected;
use kernel::{Actor, Error, FieldError, Problems, Result, new_id};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;
use web::view::number;

use super::{found, name};
use crate::Said;
use crate::forms::FormConfig;
use crate::measure::{NOT_ALLOWED, measure};
use crate::merge::{self, LANDING_PAGE};
use crate::sanitise;
use crate::store::forms::{self, Form};
use crate::store::landing_pages::{self as store, Draft};

pub use crate::measure::MAX_PAGE;

/// What a person gives for a landing page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LandingPageInput {
    /// Unique among the client's landing pages.
    #[schema(required = true, max_length = 120)]
    pub name: String,
    /// The page; merge tags allowed, `{{form}}` is where the form stands.
    #[schema(max_length = 60000)]
    pub html: String,
    /// Its style.
    #[schema(max_length = 60000)]
    pub css: String,
    /// The form that `{{form}}` becomes; empty for none.
    #[schema(max_length = 36)]
    pub form_id: String,
}

/// Makes a landing page, not published; returns its id.
///
/// # Errors
/// Names the wrong fields.
pub async fn create(app: &App, actor: &Actor, client_id: Uuid, input: &LandingPageInput) -> Result<Uuid> {
    let draft = check(app, actor, client_id, input).await?;
    let id = new_id();
    let tx = app.scope(actor).transaction().await?;
    store::insert(&tx, client_id, id, &draft).await?;
    let what = Audited { client_id: Some(client_id), after: Some(json!({ "name": draft.name })), ..Audited::default() };
    tx.audit("landing_page.created", "landing_pages", Some(id), what).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes the draft. Strangers keep what was published. One that stays as it was keeps its version.
///
/// # Errors
/// `NotFound`, `Conflict` when it is not the expected version any more, or the wrong fields.
pub async fn update(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    input: &LandingPageInput,
    expected: &Expected,
) -> Result<()> {
    let draft = check(app, actor, client_id, input).await?;
    let tx = app.scope(actor).transaction().await?;
    let before = store::expect(&tx, client_id, id, expected).await?;
    let given = LandingPageInput { name: draft.name.clone(), ..input.clone() };
    if input_of(&before) == given {
        return Ok(());
    }
    found(store::update(&tx, client_id, id, &draft).await?)?;
    let what = Audited { client_id: Some(client_id), after: Some(json!({ "name": draft.name })), ..Audited::default() };
    tx.audit("landing_page.updated", "landing_pages", Some(id), what).await?;
    tx.commit().await
}

/// Publishes the draft as an immutable version; returns the version's id.
///
/// # Errors
/// `NotFound`, `Conflict` when it is not the expected version any more or changes while it is cleaned, or `html` when
/// there is nothing to publish.
pub async fn publish(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<Uuid> {
    let page = store::find(&app.scope(actor), client_id, id).await?;
    expected.check(&page.etag())?;
    let Cleaned { html, css, said } =
        clean_aside(app, part(&page.content_json, "html"), part(&page.content_json, "css")).await?;
    if let Some(form_id) = form_id(&page.content_json) {
        match forms::find(&app.scope(actor), client_id, form_id).await {
            // it was archived since: there is nothing to stand beside
            Err(Error::NotFound) => {}
            form => not_together(&form?, &said)?,
        }
    }
    if html.trim().is_empty() {
        return Err(Error::required("html"));
    }
    let tx = app.scope(actor).transaction().await?;
    // what was cleaned is what is published: nobody's change in between goes out unseen, or is lost
    store::expect(&tx, client_id, id, &Expected::of(&page.etag())).await?;
    let version_id = store::publish(&tx, client_id, &page, &html, &css).await?;
    let what =
        Audited { client_id: Some(client_id), after: Some(json!({ "version": version_id })), ..Audited::default() };
    tx.audit("landing_page.published", "landing_pages", Some(id), what).await?;
    tx.commit().await?;
    Ok(version_id)
}

/// One text of a page's content: `html` or `css`.
pub fn part(content: &Value, name: &str) -> String {
    content[name].as_str().unwrap_or_default().to_owned()
}

/// The form a page's content shows.
pub fn form_id(content: &Value) -> Option<Uuid> {
    content["form_id"].as_str().and_then(|text| Uuid::parse_str(text).ok())
}

/// The same, off the threads that answer everybody: cleaning keeps a core busy.
///
/// # Errors
/// As [`clean`]; `Unavailable` when too much else is being cleaned.
pub async fn clean_aside(app: &App, html: String, css: String) -> Result<Cleaned> {
    // before it waits for its turn
    within_limits(&html, &css)?;
    app.work.run("cleaning this page", move || clean(&html, &css)).await?
}

fn within_limits(html: &str, css: &str) -> Result<()> {
    measure(html, css).map_err(|(code, message)| {
        let field = if css.len() > html.len() { "css" } else { "html" };
        Error::Invalid(vec![FieldError { field: field.to_owned(), code, message }])
    })
}

/// What strangers get of a page.
#[derive(Debug)]
pub struct Cleaned {
    /// Its HTML.
    pub html: String,
    /// Its style.
    pub css: String,
    /// What it says, to be held against its form.
    said: Said,
}

/// Cleans a page. It is measured first, before anything that grows faster than its input. Cleaning can
/// break a tag that was whole and make a text longer, so that what counts in the end is what comes out.
///
/// # Errors
/// `html` or `css`, with everything that is wrong with it.
pub fn clean(html: &str, css: &str) -> Result<Cleaned> {
    within_limits(html, css)?;
    let mut problems = Problems::new();
    for error in merge::check("html", html, LANDING_PAGE) {
        problems.add(error.field, error.code, error.message);
    }
    let html = sanitise::html(html);
    if problems.is_empty() {
        for error in merge::check_html("html", &html, LANDING_PAGE) {
            problems.add(error.field, error.code, error.message);
        }
        if let Some(error) = merge::check_page(&html) {
            problems.add(error.field, error.code, error.message);
        }
    }
    let said = Said::of(&html);
    if said.names_password() {
        problems.invalid("html", "a page cannot speak of passwords: its form would seem to ask for one");
    }
    let css = sanitise::css(css).unwrap_or_else(|why| {
        problems.invalid("css", why);
        String::new()
    });
    let size = html.len() + css.len();
    if size > MAX_PAGE {
        let field = if css.len() > html.len() { "css" } else { "html" };
        let message = format!("page and style are {} bytes together; {} are allowed", number(size), number(MAX_PAGE));
        problems.add(field, "too_long", message);
    }
    problems.finish().map(|()| Cleaned { html, css, said })
}

/// A landing page's draft as the input that would make it.
pub fn input_of(page: &store::LandingPage) -> LandingPageInput {
    LandingPageInput {
        name: page.name.clone(),
        html: part(&page.content_json, "html"),
        css: part(&page.content_json, "css"),
        form_id: form_id(&page.content_json).map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// A version that was published before, as it may be served today: what a newer rule refuses is left out of it. A page
/// that cannot be measured any more is served empty rather than kept for a core to work on.
pub fn clean_again(html: &str, css: &str) -> (String, String) {
    let within_limits = measure(html, "").map_or_else(|(code, _)| code == NOT_ALLOWED, |()| true);
    let html = if within_limits { sanitise::html(html) } else { String::new() };
    (html, sanitise::css(css).unwrap_or_default())
}

async fn check(app: &App, actor: &Actor, client_id: Uuid, input: &LandingPageInput) -> Result<Draft> {
    let mut problems = Problems::new();
    let name = name(&mut problems, &input.name);
    let cleaned = clean_aside(app, input.html.clone(), input.css.clone()).await;
    let said = match cleaned {
        Ok(cleaned) => cleaned.said,
        Err(error @ Error::Invalid(_)) => {
            error.fields().iter().for_each(|error| {
                problems.add(&error.field, error.code, &error.message);
            });
            Said::default()
        }
        Err(other) => return Err(other),
    };
    let form_id = match input.form_id.trim() {
        "" => None,
        text => {
            let id = Uuid::parse_str(text).map_err(|_| no_such_form())?;
            Some(existing_form(app, actor, client_id, id, &said).await?)
        }
    };
    if form_id.is_some() && !input.html.contains("{{form}}") {
        problems.invalid("html", "put {{form}} where the form should stand");
    }
    problems.finish()?;
    let content_json = json!({ "html": input.html, "css": input.css, "form_id": form_id });
    Ok(Draft { name, editor_type: "custom".into(), content_json })
}

fn no_such_form() -> Error {
    Error::invalid("form_id", "choose one of the forms")
}

/// A form that exists and may stand on a page that says this.
async fn existing_form(app: &App, actor: &Actor, client_id: Uuid, id: Uuid, said: &Said) -> Result<Uuid> {
    match forms::find(&app.scope(actor), client_id, id).await {
        Err(Error::NotFound) => Err(no_such_form()),
        form => form.and_then(|form| not_together(&form, said).map(|()| form.id)),
    }
}

/// A page and a form that are each harmless may ask for a password side by side.
fn not_together(form: &Form, said: &Said) -> Result<()> {
    let config: FormConfig = serde_json::from_value(form.form_config.clone()).map_err(Error::internal)?;
    if !said.names_password() && said.names_password_with(&config) {
        return Err(Error::invalid("form_id", "this page and the labels of this form ask for a password together"));
    }
    Ok(())
}
