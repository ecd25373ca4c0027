//! The console's preview of a landing page: the draft as recipients would get it, with sample data, held to the same
//! Content-Security-Policy.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use content::actions::landing_pages::{Cleaned, LandingPageInput, clean_aside, input_of};
use content::builder::BuilderForm;
use content::forms::{MAX_FIELDS, check};
use content::merge::escape_into;
use content::store::{forms, landing_pages};
use kernel::{Error, Problems};
use uuid::Uuid;
use web::{App, Caller, Edit, Form, Path, Result};

use super::form_view::FormView;
use super::links::{LandingPage, Style};
use super::{Markup, dressed, page, shell};
use crate::ground;
use crate::landing::Landing;
use crate::person::Person;
use crate::policy::Policy;
use crate::store::{brands, people};

/// `GET /{client}/landing-pages/{id}/preview`
pub async fn show(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    let row = landing_pages::find(&caller.scope(&app), caller.client_id()?, id).await?;
    draw(&app, &caller, input_of(&row), "Preview of the draft, with a made-up recipient.").await
}

/// `POST /{client}/landing-pages/{id}/preview`: the page as it stands in the editor, saved or not.
pub async fn typed(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    edit: Edit<LandingPageInput>,
) -> Result<Response> {
    landing_pages::find(&caller.scope(&app), caller.client_id()?, id).await?;
    draw(
        &app,
        &caller,
        edit.form,
        "Preview of what is in the editor, with a made-up recipient. Nothing is saved by it.",
    )
    .await
}

async fn draw(app: &App, caller: &Caller, input: LandingPageInput, said: &'static str) -> Result<Response> {
    let client = caller.client()?.clone();
    let brand = brands::find(&caller.scope(app), client.id).await?;
    let person = Person::sample();
    let form = match input.form_id.parse().ok() {
        Some(form_id) => sample_form(app, caller, form_id, &person).await?,
        None => String::new(),
    };
    let Cleaned { html, css, .. } = clean_aside(app, input.html, input.css).await?;
    let landing = app.work.run("this page", move || Landing::compile(&html, &css, None)).await??;
    let values = person
        .values(&landing.tags)
        .with("campaign", "Your campaign")
        .with("company", &client.name)
        .with("amount", "$25.00")
        .with("brand", "Gift card")
        .with("redemption_url", "#form")
        .with_some("support_phone", brand.support_phone.as_deref().map(kernel::phone::display).as_deref());
    let filled = landing.fill(values, &form).ok_or_else(too_large)?;
    let nonce = kernel::random::token();
    let policy = Policy { style_nonce: Some(&nonce), ..Policy::default() };
    let page_of_draft = LandingPage {
        shell: shell(&input.name, &client.name, brand.brand_colors_json.as_ref(), brand.logo_url.as_deref()),
        style: Style::inline(&nonce, &landing.css),
        preview: Some(said),
        has_main: landing.has_main,
        body: Markup(filled),
        sign: None,
    };
    page(app, policy, StatusCode::OK, &page_of_draft)
}

/// `GET /{client}/recipients/{id}/preview`: a recipient's page as they get it, for people of the team. It has no link and
/// no code in it, its form cannot be sent, and looking at it counts as nothing and earns nothing.
pub async fn recipient(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<Response> {
    let client = caller.client()?.clone();
    let scope = caller.scope(&app);
    let person = people::previewed(&scope, client.id, id).await?;
    let shown = people::page_of(&scope, client.id, person.campaign_id).await?;
    let brand = brands::find(&scope, client.id).await?;
    let form = match shown.form_id {
        Some(form_id) => sample_form(&app, &caller, form_id, &person).await?,
        None => String::new(),
    };
    let version = match shown.version_id {
        Some(version_id) if shown.lp_mode != "redirect" => landing_pages::find_version(&scope, version_id).await?,
        _ => None,
    };
    let landing = match version.clone() {
        Some(version) => Some(app.work.run("this page", move || Landing::new(&version)).await??),
        None => None,
    };
    let (has_main, body) = match &landing {
        Some(landing) => {
            let values = person
                .values(&landing.tags)
                .with("campaign", &shown.campaign_name)
                .with("company", &client.name)
                .with("redemption_url", "#form")
                .with_some("support_phone", brand.support_phone.as_deref().map(kernel::phone::display).as_deref());
            (landing.has_main, landing.fill(values, &form).ok_or_else(too_large)?)
        }
        None => (false, without_landing(&shown, form)),
    };
    let shell = shell("Preview", &client.name, brand.brand_colors_json.as_ref(), brand.logo_url.as_deref());
    let nonce = kernel::random::token();
    let policy = Policy { style_nonce: Some(&nonce), ..Policy::default() };
    // the sheet of strangers may be on another host than this preview
    let style = landing.as_ref().map(|landing| Style::inline(&nonce, &landing.css)).unwrap_or_default();
    let preview = Some("Preview for your team: nothing is counted, and nothing can be sent or earned here.");
    page(&app, policy, StatusCode::OK, &LandingPage { shell, style, preview, has_main, body: Markup(body), sign: None })
}

/// `POST /{client}/forms/preview`: a form as it stands in the builder, saved or not. Nothing can be sent from there.
pub async fn form(State(app): State<App>, caller: Caller, Form(form): Form<BuilderForm>) -> Result<Response> {
    let client = caller.client()?.clone();
    if form.sent() > MAX_FIELDS + 1 {
        return Err(Error::invalid("form_config/fields", format!("a form has at most {MAX_FIELDS} fields")).into());
    }
    let config = form.input().form_config;
    let mut problems = Problems::new();
    check(&config, &mut problems);
    problems.finish()?;
    let brand = brands::find(&caller.scope(&app), client.id).await?;
    let view = FormView::sample(&config, &Person::sample()).markup()?;
    let nonce = kernel::random::token();
    let colours = &config.settings.colours;
    let ground = colours.background.strip_prefix('#').and_then(|hex| ground::css(&format!("ground-{hex}.css")));
    let frame = shell("Preview", &client.name, brand.brand_colors_json.as_ref(), brand.logo_url.as_deref());
    let preview = LandingPage {
        shell: dressed(frame, &config),
        style: ground.map(|css| Style::inline(&nonce, &css)).unwrap_or_default(),
        preview: Some("Preview of the form, with a made-up recipient. Nothing can be sent from here."),
        has_main: false,
        body: Markup(view),
        sign: None,
    };
    page(&app, Policy { style_nonce: Some(&nonce), ..Policy::default() }, StatusCode::OK, &preview)
}

fn too_large() -> Error {
    Error::invalid("html", "this page is over the limit once it is filled in")
}

/// A link that leads away has nothing to show but where; else there is the form.
fn without_landing(shown: &people::PageOf, form: String) -> String {
    match shown.base_lp_url.as_deref().filter(|_| shown.lp_mode == "redirect") {
        Some(url) => {
            let mut text = "<p>The link leads to your own page: ".to_owned();
            escape_into(&mut text, url);
            text + "</p>"
        }
        None => form,
    }
}

/// The form of the draft; it may be a draft itself.
async fn sample_form(app: &App, caller: &Caller, form_id: Uuid, person: &Person) -> Result<String> {
    let form = forms::find(&caller.scope(app), caller.client_id()?, form_id).await?;
    let config = serde_json::from_value(form.form_config).map_err(Error::internal)?;
    FormView::sample(&config, person).markup()
}
