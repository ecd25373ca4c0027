//! Design → Landing pages.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::page::{DEFAULT_LIMIT, Page};
use kernel::version::Expected;
use serde::Deserialize;
use uuid::Uuid;
use web::view::{Choice, FieldErrors, Filters, Pager};
use web::{App, Caller, Form, Path, Query, Result, Shell, redirect, redirect_with, render, render_with};

use super::ListQuery;
use crate::actions::landing_pages::{self as actions, LandingPageInput, form_id, part};
use crate::starters;
use crate::store::{forms, landing_pages as store};

#[derive(Template)]
#[template(path = "landing_pages/list.html")]
struct ListPage {
    shell: Shell,
    filters: Filters,
    rows: Vec<store::LandingPage>,
    pager: Pager,
    may_create: bool,
}

#[derive(Template)]
#[template(path = "landing_pages/edit.html")]
struct EditPage {
    shell: Shell,
    action: String,
    publish: String,
    preview: String,
    saved: Option<store::LandingPage>,
    input: LandingPageInput,
    errors: FieldErrors,
    forms: Vec<Choice>,
    starters: Vec<(&'static str, &'static str)>,
    tags: Vec<String>,
    may_edit: bool,
    may_publish: bool,
    unsaved: bool,
}

/// The editor as its buttons send it: all of it, also when somebody may only publish.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct EditorForm {
    act: String,
    starter: String,
    name: String,
    html: String,
    css: String,
    form_id: String,
}

impl EditorForm {
    fn input(self) -> LandingPageInput {
        LandingPageInput { name: self.name, html: self.html, css: self.css, form_id: self.form_id }
    }
}

/// Which starter a new page begins with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewQuery {
    starter: String,
}

/// `GET /{client}/landing-pages`
pub async fn list(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response> {
    let scope = caller.scope(&app);
    let rows = store::list(&scope, caller.client_id()?, query.search(), query.page().after()?, DEFAULT_LIMIT).await?;
    let page = Page::from_rows(rows, DEFAULT_LIMIT, |row| (row.name.clone(), row.id));
    let shell = Shell::new(&caller, "Landing pages");
    let filters =
        Filters::new(shell.at("landing-pages"), [("q", &query.q), ("after", &query.after)]).search("Search by name");
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref());
    render(&ListPage { shell, filters, rows: page.data, pager, may_create: caller.may("landing_pages.create") })
}

/// `GET /{client}/landing-pages/new`
pub async fn new(State(app): State<App>, caller: Caller, Query(query): Query<NewQuery>) -> Result<Response> {
    let starter = starters::find(&query.starter);
    let input = LandingPageInput {
        name: String::new(),
        html: starter.html.to_owned(),
        css: starter.css.to_owned(),
        form_id: String::new(),
    };
    render(&edit_page(&app, &caller, None, input, FieldErrors::none()).await?)
}

/// `POST /{client}/landing-pages/new`: another starter under the name and the form that were chosen.
pub async fn begin(State(app): State<App>, caller: Caller, Form(form): Form<EditorForm>) -> Result<Response> {
    let starter = starters::find(&form.starter);
    let (html, css) = (starter.html.to_owned(), starter.css.to_owned());
    let input = LandingPageInput { html, css, ..form.input() };
    let page = edit_page(&app, &caller, None, input, FieldErrors::none()).await?;
    render(&EditPage { unsaved: true, ..page })
}

/// `POST /{client}/landing-pages`
pub async fn create(State(app): State<App>, caller: Caller, Form(input): Form<LandingPageInput>) -> Result<Response> {
    match actions::create(&app, &caller.actor, caller.client_id()?, &input).await {
        Ok(id) => Ok(redirect_with(&at(&caller, id), "Draft saved. Publish it to let recipients see it.")),
        Err(error) => refused(&app, &caller, None, input, error).await,
    }
}

/// `GET /{client}/landing-pages/{id}`
pub async fn show(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let input = saved_input(&row);
    render(&edit_page(&app, &caller, Some(row), input, FieldErrors::none()).await?)
}

/// `POST /{client}/landing-pages/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    Form(input): Form<LandingPageInput>,
) -> Result<Response> {
    match actions::update(&app, &caller.actor, (caller.client_id()?, id), &input, &Expected::any()).await {
        Ok(()) => Ok(redirect_with(&at(&caller, id), "Draft saved. Recipients see what was published last.")),
        Err(error) => {
            let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
            refused(&app, &caller, Some(row), input, error).await
        }
    }
}

/// `POST /{client}/landing-pages/{id}/preview`: saves the draft, then shows it.
pub async fn preview(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    Form(form): Form<EditorForm>,
) -> Result<Response> {
    let input = form.input();
    match actions::update(&app, &caller.actor, (caller.client_id()?, id), &input, &Expected::any()).await {
        Ok(()) => Ok(redirect(&format!("{}/preview", at(&caller, id)))),
        Err(error) => {
            let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
            refused(&app, &caller, Some(row), input, error).await
        }
    }
}

/// `POST /{client}/landing-pages/{id}/publish`: what is in the editor, when it comes from there; else the draft.
pub async fn publish(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    Form(form): Form<EditorForm>,
) -> Result<Response> {
    let client_id = caller.client_id()?;
    let typed = (form.act == "publish" && caller.may("landing_pages.edit")).then(|| form.input());
    let saved = match &typed {
        Some(input) => actions::update(&app, &caller.actor, (client_id, id), input, &Expected::any()).await,
        None => Ok(()),
    };
    let published = match saved {
        Ok(()) => actions::publish(&app, &caller.actor, (client_id, id), &Expected::any()).await,
        Err(error) => Err(error),
    };
    match published {
        Ok(_) => Ok(redirect_with(&at(&caller, id), "Saved and published. Recipients see this version now.")),
        Err(error) => {
            let row = store::find(&caller.scope(&app), client_id, id).await?;
            let input = typed.unwrap_or_else(|| saved_input(&row));
            refused(&app, &caller, Some(row), input, error).await
        }
    }
}

fn saved_input(row: &store::LandingPage) -> LandingPageInput {
    LandingPageInput {
        name: row.name.clone(),
        html: part(&row.content_json, "html"),
        css: part(&row.content_json, "css"),
        form_id: form_id(&row.content_json).map(|id| id.to_string()).unwrap_or_default(),
    }
}

async fn refused(
    app: &App,
    caller: &Caller,
    saved: Option<store::LandingPage>,
    input: LandingPageInput,
    error: kernel::Error,
) -> Result<Response> {
    let errors = FieldErrors::from_error(error)?;
    let page = edit_page(app, caller, saved, input, errors).await?;
    render_with(StatusCode::UNPROCESSABLE_ENTITY, &EditPage { unsaved: true, ..page })
}

async fn edit_page(
    app: &App,
    caller: &Caller,
    saved: Option<store::LandingPage>,
    input: LandingPageInput,
    errors: FieldErrors,
) -> Result<EditPage> {
    let forms = forms::list(&caller.scope(app), caller.client_id()?, None, None, 199).await?;
    let title = saved.as_ref().map_or("New landing page", |page| page.name.as_str());
    let shell = Shell::new(caller, title);
    let list = shell.at("landing-pages");
    let action = saved.as_ref().map_or_else(|| list.clone(), |page| format!("{list}/{}", page.id));
    Ok(EditPage {
        publish: format!("{action}/publish"),
        preview: format!("{action}/preview"),
        action,
        may_edit: caller.may(if saved.is_some() { "landing_pages.edit" } else { "landing_pages.create" }),
        may_publish: caller.may("landing_pages.publish"),
        shell: shell.crumb("Landing pages", list),
        saved,
        input,
        errors,
        forms: forms.into_iter().map(|form| Choice::new(form.id, form.name)).collect(),
        starters: starters::ALL.iter().map(|starter| (starter.key, starter.label)).collect(),
        unsaved: false,
        tags: crate::merge::LANDING_PAGE.names().map(|name| format!("{{{{{name}}}}}")).collect(),
    })
}

fn at(caller: &Caller, id: Uuid) -> String {
    let slug = caller.client.as_ref().map_or("", |client| client.slug.as_str());
    format!("/{slug}/landing-pages/{id}")
}
