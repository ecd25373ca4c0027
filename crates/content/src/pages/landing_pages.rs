//! Design → Landing pages.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::page::{DEFAULT_LIMIT, Page};
use kernel::version::Expected;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use web::view::{Choice, FieldErrors, Filters, Pager};
use web::{App, Caller, Edit, Form, Path, Query, Result, Shell, redirect_with, render, render_with, version_of};

use super::ListQuery;
use crate::actions::landing_pages::{self as actions, LandingPageInput, input_of};
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
    version: String,
    errors: FieldErrors,
    forms: Vec<Choice>,
    starters: Vec<(&'static str, &'static str)>,
    tags: Vec<String>,
    may_edit: bool,
    may_publish: bool,
    unsaved: bool,
}

/// The editor as its buttons send it: all of it, also when somebody may only publish.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EditorForm {
    #[serde(skip_serializing)]
    act: String,
    #[serde(skip_serializing)]
    starter: String,
    name: String,
    html: String,
    css: String,
    form_id: String,
}

impl EditorForm {
    fn of(page: &store::LandingPage) -> Self {
        let LandingPageInput { name, html, css, form_id } = input_of(page);
        Self { name, html, css, form_id, ..Self::default() }
    }

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
        Err(error) => {
            let page = edit_page(&app, &caller, None, input, FieldErrors::from_error(error)?).await?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &EditPage { unsaved: true, ..page })
        }
    }
}

/// `GET /{client}/landing-pages/{id}`
pub async fn show(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let (input, version) = (input_of(&row), version_of(&EditorForm::of(&row))?);
    let page = edit_page(&app, &caller, Some(row), input, FieldErrors::none()).await?;
    render(&EditPage { version, ..page })
}

/// `POST /{client}/landing-pages/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    edit: Edit<EditorForm>,
) -> Result<Response> {
    match save(&app, &caller, id, &edit).await {
        Ok(()) => Ok(redirect_with(&at(&caller, id), "Draft saved. Recipients see what was published last.")),
        Err(error) => again(&app, &caller, id, edit, error).await,
    }
}

/// `POST /{client}/landing-pages/{id}/publish`: what is in the editor, when it comes from there; else the draft that the
/// person has seen.
pub async fn publish(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    edit: Edit<EditorForm>,
) -> Result<Response> {
    let client_id = caller.client_id()?;
    let is_typed = edit.form.act == "publish" && caller.may("landing_pages.edit");
    let saved = if is_typed {
        save(&app, &caller, id, &edit).await
    } else {
        edit.expect(&EditorForm::of(&store::find(&caller.scope(&app), client_id, id).await?))
    };
    let published = match saved {
        Ok(()) => actions::publish(&app, &caller.actor, (client_id, id), &Expected::any()).await,
        Err(error) => Err(error),
    };
    match published {
        Ok(_) => Ok(redirect_with(&at(&caller, id), "Saved and published. Recipients see this version now.")),
        Err(error) if is_typed => again(&app, &caller, id, edit, error).await,
        Err(error) => {
            let row = store::find(&caller.scope(&app), client_id, id).await?;
            let (input, version) = (input_of(&row), version_of(&EditorForm::of(&row))?);
            let errors = FieldErrors::from_error(error)?;
            let page = edit_page(&app, &caller, Some(row), input, errors).await?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &EditPage { version, ..page })
        }
    }
}

async fn save(app: &App, caller: &Caller, id: Uuid, edit: &Edit<EditorForm>) -> kernel::Result<()> {
    let client_id = caller.client_id()?;
    let row = store::find(&caller.scope(app), client_id, id).await?;
    edit.expect(&EditorForm::of(&row))?;
    let input = edit.form.clone().input();
    actions::update(app, &caller.actor, (client_id, id), &input, &Expected::of(&row.etag())).await
}

/// The editor with what was typed, and why it was refused.
async fn again(app: &App, caller: &Caller, id: Uuid, edit: Edit<EditorForm>, error: kernel::Error) -> Result<Response> {
    let row = store::find(&caller.scope(app), caller.client_id()?, id).await?;
    let (errors, version) = edit.refused(error, &EditorForm::of(&row))?;
    let page = edit_page(app, caller, Some(row), edit.form.input(), errors).await?;
    render_with(StatusCode::UNPROCESSABLE_ENTITY, &EditPage { unsaved: true, version, ..page })
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
        version: String::new(),
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
