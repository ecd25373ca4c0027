//! Design → Mail pieces.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::page::{DEFAULT_LIMIT, Page};
use kernel::version::{Expected, etag};
use uuid::Uuid;
use web::view::{Choice, FieldErrors, Filters, Pager};
use web::{App, Caller, Edit, Form, Path, Query, Result, Shell, redirect_with, render, render_with, version_of};

use super::ListQuery;
use crate::actions::templates::{self as actions, SIZES, TemplateInput, input_of};
use crate::store::templates as store;

#[derive(Template)]
#[template(path = "templates/list.html")]
struct ListPage {
    shell: Shell,
    filters: Filters,
    rows: Vec<store::Template>,
    pager: Pager,
    may_create: bool,
}

#[derive(Template)]
#[template(path = "templates/edit.html")]
struct EditPage {
    shell: Shell,
    action: String,
    input: TemplateInput,
    version: String,
    errors: FieldErrors,
    sizes: Vec<Choice>,
    may_edit: bool,
}

/// `GET /{client}/templates`
pub async fn list(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response> {
    let scope = caller.scope(&app);
    let rows = store::list(&scope, caller.client_id()?, query.search(), query.page().after()?, DEFAULT_LIMIT).await?;
    let page = Page::from_rows(rows, DEFAULT_LIMIT, |row| (row.name.clone(), row.id));
    let shell = Shell::new(&caller, "Mail pieces");
    let filters =
        Filters::new(shell.at("templates"), [("q", &query.q), ("after", &query.after)]).search("Search by name");
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref());
    render(&ListPage { shell, filters, rows: page.data, pager, may_create: caller.may("templates.create") })
}

/// `GET /{client}/templates/new`
pub async fn new(caller: Caller) -> Result<Response> {
    let input = TemplateInput { size: "6x9".into(), ..TemplateInput::default() };
    render(&edit_page(&caller, None, input, (FieldErrors::none(), String::new())))
}

/// `POST /{client}/templates`
pub async fn create(State(app): State<App>, caller: Caller, Form(input): Form<TemplateInput>) -> Result<Response> {
    match actions::create(&app, &caller.actor, caller.client_id()?, &input).await {
        Ok(_) => Ok(redirect_with(&at(&caller, ""), &format!("{} saved", input.name.trim()))),
        Err(error) => {
            let errors = (FieldErrors::from_error(error)?, String::new());
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &edit_page(&caller, None, input, errors))
        }
    }
}

/// `GET /{client}/templates/{id}`
pub async fn show(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let input = input_of(&row);
    let version = version_of(&input)?;
    render(&edit_page(&caller, Some(id), input, (FieldErrors::none(), version)))
}

/// `POST /{client}/templates/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    edit: Edit<TemplateInput>,
) -> Result<Response> {
    let client_id = caller.client_id()?;
    let row = store::find(&caller.scope(&app), client_id, id).await?;
    let saved = input_of(&row);
    let done = match edit.expect(&saved) {
        Ok(()) => {
            actions::update(&app, &caller.actor, (client_id, id), &edit.form, &Expected::of(&etag(row.updated_at)))
                .await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(redirect_with(&at(&caller, &format!("/{id}")), "Mail piece saved")),
        Err(error) => {
            let again = edit.refused(error, &saved)?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &edit_page(&caller, Some(id), edit.form, again))
        }
    }
}

fn edit_page(
    caller: &Caller,
    id: Option<Uuid>,
    input: TemplateInput,
    (errors, version): (FieldErrors, String),
) -> EditPage {
    let title = if id.is_some() { input.name.clone() } else { "New mail piece".to_owned() };
    let shell = Shell::new(caller, title);
    let list = shell.at("templates");
    EditPage {
        action: id.map_or_else(|| list.clone(), |id| format!("{list}/{id}")),
        shell: shell.crumb("Mail pieces", list),
        input,
        version,
        errors,
        sizes: SIZES.iter().map(|(value, label)| Choice::new(value, *label)).collect(),
        may_edit: caller.may(if id.is_some() { "templates.edit" } else { "templates.create" }),
    }
}

fn at(caller: &Caller, rest: &str) -> String {
    let slug = caller.client.as_ref().map_or("", |client| client.slug.as_str());
    format!("/{slug}/templates{rest}")
}
