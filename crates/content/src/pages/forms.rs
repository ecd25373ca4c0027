//! Design → Forms: the list, and a builder that works without JavaScript.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::Error;
use kernel::page::{DEFAULT_LIMIT, Page};
use kernel::version::{Expected, etag};
use uuid::Uuid;
use web::view::{Choice, FieldErrors, Filters, Pager};
use web::{App, Caller, Edit, Form, Path, Query, Result, Shell, redirect_with, render, render_with, version_of};

use super::ListQuery;
use crate::actions::forms as actions;
use crate::builder::{BuilderForm, FieldRow};
use crate::forms::{ANIMATIONS, CARD_STYLES, ConsentChannel, FieldType, FormConfig, MAX_FIELDS};
use crate::store::forms as store;

#[derive(Template)]
#[template(path = "forms/list.html")]
struct ListPage {
    shell: Shell,
    filters: Filters,
    rows: Vec<store::Form>,
    pager: Pager,
    may_create: bool,
    may_read: bool,
}

#[derive(Template)]
#[template(path = "forms/edit.html")]
struct EditPage {
    shell: Shell,
    action: String,
    publish: String,
    close: String,
    saved: Option<store::Form>,
    public_url: String,
    form: BuilderForm,
    version: String,
    rows: Vec<FieldRow>,
    errors: FieldErrors,
    kinds: Vec<Choice>,
    channels: Vec<Choice>,
    animations: Vec<Choice>,
    card_styles: Vec<Choice>,
    may_edit: bool,
    may_publish: bool,
    may_read: bool,
    submissions: String,
    preview: String,
    needs: &'static str,
    focus: Option<(&'static str, usize)>,
    unsaved: bool,
}

impl EditPage {
    /// Whether something is wrong among what a field's line hides at first.
    fn is_wrong_inside(&self, row: &FieldRow) -> bool {
        let parts = ["help", "id", "show_if/field", "show_if/operator", "show_if/value"];
        let theirs = ["help", "id", "show_if", "show_value"];
        parts.iter().any(|part| self.errors.of(&row.path(part)).is_some())
            || theirs.iter().any(|column| self.theirs(row, column).is_some())
    }

    /// The fields that another can depend on: key and label.
    fn others(&self, row: &FieldRow) -> Vec<(String, String)> {
        let mut others: Vec<(String, String)> = self
            .rows
            .iter()
            .filter(|other| other.index != row.index)
            .map(|other| (other.key(), if other.label.is_empty() { other.key() } else { other.label.clone() }))
            .collect();
        if !row.show_if.is_empty() && others.iter().all(|(key, _)| *key != row.show_if) {
            others.push((row.show_if.clone(), row.show_if.clone()));
        }
        others
    }

    /// What somebody else saved meanwhile in one column of a field's line, where it differs.
    fn theirs(&self, row: &FieldRow, column: &str) -> Option<String> {
        let said = self.errors.theirs(&format!("field_{column}/{}", row.index))?;
        let label = |choices: &[Choice]| {
            choices.iter().find(|choice| choice.value == said).map_or_else(|| said.to_owned(), |c| c.label.clone())
        };
        Some(match (column, said) {
            ("type", _) => label(&self.kinds),
            ("channel", _) => label(&self.channels),
            ("required", "true") => "Required".to_owned(),
            ("required", _) => "Optional".to_owned(),
            _ => said.to_owned(),
        })
    }

    /// Whether the person goes on here: at the field they added or moved, or that stands where one was taken away.
    fn is_focus(&self, row: &FieldRow, act: &str) -> bool {
        self.focus.is_some_and(|(done, index)| done == act && index == row.index)
    }

    /// Whether they go on at the end, after taking the last one away.
    fn is_focus_last(&self) -> bool {
        self.rows.is_empty() && self.focus.is_some_and(|(done, _)| done == "remove")
    }
}

/// `GET /{client}/forms`
pub async fn list(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response> {
    let scope = caller.scope(&app);
    let rows = store::list(&scope, caller.client_id()?, query.search(), query.page().after()?, DEFAULT_LIMIT).await?;
    let page = Page::from_rows(rows, DEFAULT_LIMIT, |row| (row.name.clone(), row.id));
    let shell = Shell::new(&caller, "Forms");
    let filters = Filters::new(shell.at("forms"), [("q", &query.q), ("after", &query.after)]).search("Search by name");
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref());
    let (may_create, may_read) = (caller.may("forms.create"), caller.may("forms.submissions"));
    render(&ListPage { shell, filters, rows: page.data, pager, may_create, may_read })
}

/// `GET /{client}/forms/new`
pub async fn new(State(app): State<App>, caller: Caller) -> Result<Response> {
    render(&edit_page(&app, &caller, None, BuilderForm::starter(), FieldErrors::none()))
}

/// `POST /{client}/forms`
pub async fn create(State(app): State<App>, caller: Caller, Form(mut form): Form<BuilderForm>) -> Result<Response> {
    measured(&form)?;
    if form.rearrange() {
        return render(&EditPage { unsaved: true, ..edit_page(&app, &caller, None, form, FieldErrors::none()) });
    }
    match actions::create(&app, &caller.actor, caller.client_id()?, &form.input()).await {
        Ok(id) => Ok(redirect_with(&at(&caller, id), "Form saved. Open form lets people fill it in.")),
        Err(error) => {
            let errors = in_builder(FieldErrors::from_error(error)?);
            let page = EditPage { unsaved: true, ..edit_page(&app, &caller, None, form, errors) };
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// `GET /{client}/forms/{id}`
pub async fn show(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let form = saved_form(&row)?;
    let version = version_of(&form)?;
    render(&EditPage { version, ..edit_page(&app, &caller, Some(row), form, FieldErrors::none()) })
}

/// `POST /{client}/forms/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    mut edit: Edit<BuilderForm>,
) -> Result<Response> {
    measured(&edit.form)?;
    if edit.form.rearrange() {
        let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
        let version = edit.version();
        let page = edit_page(&app, &caller, Some(row), edit.form, FieldErrors::none());
        return render(&EditPage { unsaved: true, version, ..page });
    }
    match save(&app, &caller, id, &edit).await {
        Ok(()) => Ok(redirect_with(&at(&caller, id), "Form saved")),
        Err(error) => again(&app, &caller, id, edit, error).await,
    }
}

fn saved_form(row: &store::Form) -> kernel::Result<BuilderForm> {
    let config: FormConfig = serde_json::from_value(row.form_config.clone()).map_err(Error::internal)?;
    Ok(BuilderForm::of(&row.name, row.description.as_deref(), &config))
}

async fn save(app: &App, caller: &Caller, id: Uuid, edit: &Edit<BuilderForm>) -> kernel::Result<()> {
    let client_id = caller.client_id()?;
    let row = store::find(&caller.scope(app), client_id, id).await?;
    edit.expect(&saved_form(&row)?)?;
    actions::update(app, &caller.actor, (client_id, id), &edit.form.input(), &Expected::of(&etag(row.updated_at))).await
}

/// The builder with what was typed, and why it was refused.
async fn again(app: &App, caller: &Caller, id: Uuid, edit: Edit<BuilderForm>, error: Error) -> Result<Response> {
    let row = store::find(&caller.scope(app), caller.client_id()?, id).await?;
    let (errors, version) = edit.refused(error, &saved_form(&row)?)?;
    let page = edit_page(app, caller, Some(row), edit.form, in_builder(errors));
    render_with(StatusCode::UNPROCESSABLE_ENTITY, &EditPage { unsaved: true, version, ..page })
}

/// `POST /{client}/forms/{id}/publish`: saves what is in the builder, then opens the form.
pub async fn publish(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    edit: Edit<BuilderForm>,
) -> Result<Response> {
    save_and_set(&app, &caller, id, edit, true).await
}

/// `POST /{client}/forms/{id}/close`: saves what is in the builder, then closes the form.
pub async fn close(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    edit: Edit<BuilderForm>,
) -> Result<Response> {
    save_and_set(&app, &caller, id, edit, false).await
}

/// What comes from the builder is saved first, so that a button beside it loses nothing.
async fn save_and_set(app: &App, caller: &Caller, id: Uuid, edit: Edit<BuilderForm>, open: bool) -> Result<Response> {
    measured(&edit.form)?;
    let client_id = caller.client_id()?;
    if edit.form.act == "publish"
        && caller.may("forms.edit")
        && let Err(error) = save(app, caller, id, &edit).await
    {
        return again(app, caller, id, edit, error).await;
    }
    actions::set_active(app, &caller.actor, (client_id, id), open, &Expected::any()).await?;
    let said = if open {
        "Saved and open. People can fill it in now."
    } else {
        "Saved and closed. Nobody can fill it in until you open it again."
    };
    Ok(redirect_with(&at(caller, id), said))
}

/// Refuses what no builder of ours sends, before a line of it is drawn.
fn measured(form: &BuilderForm) -> Result<()> {
    if form.sent() > MAX_FIELDS + 1 {
        return Err(Error::invalid("form_config/fields", format!("a form has at most {MAX_FIELDS} fields")).into());
    }
    Ok(())
}

/// Errors under the builder's own names for places in `form_config`.
fn in_builder(errors: FieldErrors) -> FieldErrors {
    errors.renamed(|path| match path.strip_prefix("form_config/").unwrap_or(path) {
        "settings/title" => "title",
        "settings/description" => "intro",
        "settings/submit_label" => "submit_label",
        "settings/success_message" => "success_message",
        "settings/colours/accent" => "accent",
        "settings/colours/background" => "background",
        "reveal/animation" => "animation",
        "reveal/card_style" => "card_style",
        "reveal/title" => "reveal_title",
        "reveal/subtitle" => "reveal_subtitle",
        // those of fields stay, for its lines are found by them
        _ => path,
    })
}

fn edit_page(
    app: &App,
    caller: &Caller,
    saved: Option<store::Form>,
    form: BuilderForm,
    errors: FieldErrors,
) -> EditPage {
    let title = saved.as_ref().map_or("New form", |row| row.name.as_str());
    let shell = Shell::new(caller, title);
    let list = shell.at("forms");
    let action = saved.as_ref().map_or_else(|| list.clone(), |row| format!("{list}/{}", row.id));
    EditPage {
        publish: format!("{action}/publish"),
        close: format!("{action}/close"),
        submissions: format!("{action}/submissions"),
        action,
        public_url: saved.as_ref().map(|row| app.link(&format!("/f/{}", row.id))).unwrap_or_default(),
        preview: shell.at("forms/preview"),
        needs: if saved.is_some() { "forms.edit" } else { "forms.create" },
        focus: web::view::arranged(&form.act, form.sent()),
        may_edit: caller.may(if saved.is_some() { "forms.edit" } else { "forms.create" }),
        may_publish: caller.may("forms.publish"),
        may_read: caller.may("forms.submissions"),
        shell: shell.crumb("Forms", list),
        rows: form.rows(),
        version: String::new(),
        unsaved: false,
        saved,
        form,
        errors,
        kinds: FieldType::ALL.iter().map(|kind| Choice::word(kind.word())).collect(),
        channels: ConsentChannel::ALL.iter().map(|(channel, label)| Choice::new(channel.word(), *label)).collect(),
        animations: ANIMATIONS.into_iter().map(Choice::word).collect(),
        card_styles: CARD_STYLES.into_iter().map(Choice::word).collect(),
    }
}

fn at(caller: &Caller, id: Uuid) -> String {
    let slug = caller.client.as_ref().map_or("", |client| client.slug.as_str());
    format!("/{slug}/forms/{id}")
}
