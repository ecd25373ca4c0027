//! Lists: all of them, one with its members, its form.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::Error;
use kernel::page::{Page, PageParams};
use kernel::version::{Expected, etag};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use web::view::{FieldErrors, Filters, Pager, Stat};
use web::{App, Caller, Edit, Form, Path, Query, Result, Shell, redirect_with, render, render_with, version_of};

use super::{Id, some};
use crate::actions::lists as action;
use crate::lists::{List, ListInput};
use crate::store::contact_search::{self as search, ContactRow, Cursor, Wanted};
use crate::store::lists as store;

/// What the URL of a list says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    after: String,
}

#[derive(Template)]
#[template(path = "lists/list.html")]
struct ListPage {
    shell: Shell,
    filters: Filters,
    rows: Vec<List>,
    pager: Pager,
    may_create: bool,
}

pub async fn list(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response> {
    let (scope, client_id, search) = (caller.scope(&app), caller.client_id()?, some(&query.q));
    let page = PageParams { limit: None, after: some(&query.after) };
    let (limit, after) = (page.limit()?, page.after::<(String, Uuid)>()?);
    let rows = store::list(&scope, client_id, search.as_deref(), after.as_ref(), limit);
    let (rows, total) = futures_util::try_join!(rows, store::count(&scope, client_id, search.as_deref()))?;
    let page = Page::from_rows(rows, limit, |list| (list.name.clone(), list.id));
    let shell = Shell::new(&caller, "Lists and segments").count(total);
    let filters = Filters::new(shell.at("lists"), [("q", &query.q), ("after", &query.after)]).search("Search by name");
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref()).total(total);
    render(&ListPage { shell, filters, rows: page.data, pager, may_create: caller.may("lists.create") })
}

#[derive(Template)]
#[template(path = "lists/show.html")]
struct ShowPage {
    shell: Shell,
    stats: [Stat; 3],
    filters: Filters,
    members: Vec<ContactRow>,
    pager: Pager,
    base: String,
    may_edit: bool,
    may_delete: bool,
    may_import: bool,
}

pub async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    let (scope, client_id) = (caller.scope(&app), caller.client_id()?);
    let list = store::find(&scope, client_id, id).await?;
    let wanted = Wanted { search: some(&query.q), list_id: Some(id), ..Wanted::default() };
    let page = PageParams { limit: None, after: some(&query.after) };
    let (limit, after) = (page.limit()?, page.after::<Cursor>()?);
    let rows = search::list(&scope, client_id, &wanted, after.as_ref(), limit);
    let (rows, reach) = futures_util::try_join!(rows, store::mailable(&scope, client_id, id))?;
    let page = Page::from_rows(rows, limit, search::cursor);
    let shell = Shell::new(&caller, &list.name);
    let (lists, base) = (shell.at("lists"), shell.at(&format!("lists/{id}")));
    let shell = shell.crumb("Lists", lists).count(i64::from(list.contact_count)).status(&list.list_type);
    let shell = shell.lede(list.description.unwrap_or_default());
    let filters = Filters::new(base.clone(), [("q", &query.q), ("after", &query.after)]).search("Search members");
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref());
    let stats = [
        Stat::count("Mailable", reach.mailable).note("deliverable address, may be contacted"),
        Stat::count("Suppressed", reach.suppressed).note("do not contact"),
        Stat::count("Undeliverable", reach.undeliverable).note("address incomplete or wrong"),
    ];
    let (may_edit, may_delete, may_import) =
        (caller.may("lists.edit"), caller.may("lists.delete"), caller.may("contacts.import"));
    render(&ShowPage { shell, stats, filters, members: page.data, pager, base, may_edit, may_delete, may_import })
}

/// The form of a list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ListForm {
    name: String,
    description: String,
}

impl ListForm {
    fn of(list: &List) -> Self {
        Self { name: list.name.clone(), description: list.description.clone().unwrap_or_default() }
    }

    fn input(&self) -> ListInput {
        ListInput { name: self.name.clone(), description: some(&self.description), ..ListInput::default() }
    }
}

#[derive(Template)]
#[template(path = "lists/form.html")]
struct FormPage {
    shell: Shell,
    form: ListForm,
    version: String,
    errors: FieldErrors,
    action: String,
    submit: &'static str,
}

impl FormPage {
    fn for_new(caller: &Caller, form: ListForm, errors: FieldErrors) -> Self {
        let shell = Shell::new(caller, "New list");
        let lists = shell.at("lists");
        Self {
            shell: shell.crumb("Lists", lists.clone()),
            form,
            version: String::new(),
            errors,
            action: lists,
            submit: "Create list",
        }
    }

    fn for_one(caller: &Caller, list: &List, form: ListForm, (errors, version): (FieldErrors, String)) -> Self {
        let shell = Shell::new(caller, format!("Edit {}", list.name));
        let (lists, own) = (shell.at("lists"), shell.at(&format!("lists/{}", list.id)));
        Self {
            shell: shell.crumb("Lists", lists).crumb(&list.name, own.clone()),
            form,
            version,
            errors,
            action: own,
            submit: "Save list",
        }
    }
}

pub async fn new(caller: Caller) -> Result<Response> {
    render(&FormPage::for_new(&caller, ListForm::default(), FieldErrors::none()))
}

pub async fn create(State(app): State<App>, caller: Caller, Form(form): Form<ListForm>) -> Result<Response> {
    match action::create(&app, &caller.actor, caller.client_id()?, form.input()).await {
        Ok(list) => Ok(redirect_with(&Shell::new(&caller, "").at(&format!("lists/{}", list.id)), "List created")),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &FormPage::for_new(&caller, form, errors))
        }
    }
}

pub async fn edit(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Response> {
    let list = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let form = ListForm::of(&list);
    let version = version_of(&form)?;
    render(&FormPage::for_one(&caller, &list, form, (FieldErrors::none(), version)))
}

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    edit: Edit<ListForm>,
) -> Result<Response> {
    let client_id = caller.client_id()?;
    let list = store::find(&caller.scope(&app), client_id, id).await?;
    let saved = ListForm::of(&list);
    let done = match edit.expect(&saved) {
        Ok(()) => {
            let expected = Expected::of(&etag(list.updated_at));
            action::update(&app, &caller.actor, (client_id, id), edit.form.input(), &expected).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(redirect_with(&Shell::new(&caller, "").at(&format!("lists/{id}")), "List saved")),
        Err(error) => {
            let again = edit.refused(error, &saved)?;
            let page = FormPage::for_one(&caller, &list, edit.form, again);
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// Members that are ticked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct MembersForm {
    ids: Vec<Uuid>,
}

pub async fn remove(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Form(form): Form<MembersForm>,
) -> Result<Response> {
    let own = Shell::new(&caller, "").at(&format!("lists/{id}"));
    match action::remove_members(&app, &caller.actor, (caller.client_id()?, id), &form.ids).await {
        Ok(removed) => Ok(redirect_with(&own, &format!("{removed} taken off the list"))),
        Err(Error::Invalid(_)) => Ok(redirect_with(&own, "Tick the members first")),
        Err(error) => Err(error.into()),
    }
}

pub async fn delete(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Response> {
    let lists = Shell::new(&caller, "").at("lists");
    match action::delete(&app, &caller.actor, (caller.client_id()?, id), &Expected::any()).await {
        Ok(()) => Ok(redirect_with(&lists, "List deleted")),
        Err(Error::Conflict { message, .. }) => Ok(redirect_with(&format!("{lists}/{id}"), &message)),
        Err(error) => Err(error.into()),
    }
}
