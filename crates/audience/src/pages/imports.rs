//! Imports: the list, the wizard (file, columns, preview), progress and report.

use askama::Template;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::{StreamExt, TryStreamExt};
use kernel::Error;
use kernel::page::{Page, PageParams};
use kernel::version::Expected;
use serde::Deserialize;
use uuid::Uuid;
use web::view::{FieldErrors, Filters, Pager, Stat, StepState, Steps, count};
use web::{App, Caller, Form, Path, Query, Result, Shell, redirect, redirect_with, render, render_with};

use super::{Id, some};
use crate::import::{self, ImportOptions, Plan, Preview, Runs, Target};
use crate::store::imports::{self as store, COUNT_IMPORTS, Import};

/// What the URL of the list says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    after: String,
}

#[derive(Template)]
#[template(path = "imports/list.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Import>,
    pager: Pager,
}

pub async fn list(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response> {
    let (scope, client_id) = (caller.scope(&app), caller.client_id()?);
    let page = PageParams { limit: None, after: some(&query.after) };
    let (limit, after) = (page.limit()?, page.after::<Uuid>()?);
    let rows = store::list(&scope, client_id, after, limit).await?;
    let total: i64 = scope.query_scalar(&COUNT_IMPORTS, &[&client_id]).await?;
    let page = Page::from_rows(rows, limit, |import| import.id);
    let shell = Shell::new(&caller, "Imports").count(total);
    let filters = Filters::new(shell.at("imports"), [("after", &query.after)]);
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref()).total(total);
    render(&ListPage { shell, rows: page.data, pager })
}

#[derive(Template)]
#[template(path = "imports/new.html")]
struct NewPage {
    shell: Shell,
    steps: Steps,
    errors: FieldErrors,
    largest: String,
}

fn new_page(app: &App, caller: &Caller, errors: FieldErrors) -> NewPage {
    let shell = frame(caller, "Import contacts");
    let steps = steps(&shell, None, StepState::Open);
    let largest = web::view::bytes(i64::try_from(app.settings.import.max_bytes).unwrap_or(i64::MAX));
    NewPage { shell, steps, errors, largest }
}

pub(super) fn frame(caller: &Caller, title: &str) -> Shell {
    let shell = Shell::new(caller, title);
    let imports = shell.at("imports");
    shell.crumb("Imports", imports)
}

/// The steps of the wizard; before there is a file only the first can be reached.
pub(super) fn steps(shell: &Shell, id: Option<Uuid>, columns: StepState) -> Steps {
    let steps = Steps::at(shell.path.clone());
    let Some(id) = id else {
        let new = shell.at("imports/new");
        return steps.step("File", new, StepState::Open);
    };
    let at = |page: &str| shell.at(&format!("imports/{id}/{page}"));
    steps.step("File", shell.at("imports/new"), StepState::Done).step("Columns", at("columns"), columns).step(
        "Check and import",
        at("preview"),
        StepState::Open,
    )
}

pub async fn new(State(app): State<App>, caller: Caller) -> Result<Response> {
    render(&new_page(&app, &caller, FieldErrors::none()))
}

pub async fn upload(State(app): State<App>, caller: Caller, request: Request) -> Result<Response> {
    match store_file(&app, &caller, request).await {
        Ok(import) => Ok(redirect(&Shell::new(&caller, "").at(&format!("imports/{}/columns", import.id)))),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &new_page(&app, &caller, errors))
        }
    }
}

async fn store_file(app: &App, caller: &Caller, request: Request) -> kernel::Result<Import> {
    let mut form = Multipart::from_request(request, app).await.map_err(|_| Error::invalid("file", "choose a file"))?;
    while let Some(part) = form.next_field().await.map_err(|error| Error::invalid("file", error.to_string()))? {
        let name = part.file_name().unwrap_or_default().to_owned();
        if part.name() == Some("file") && !name.is_empty() {
            let source = part.map_err(std::io::Error::other).boxed();
            return import::upload(app, &caller.actor, caller.client_id()?, &name, source).await;
        }
    }
    Err(Error::invalid("file", "choose a file"))
}

#[derive(Template)]
#[template(path = "imports/preview.html")]
struct PreviewPage {
    shell: Shell,
    steps: Steps,
    plan: Plan,
    preview: Preview,
    base: String,
}

impl PreviewPage {
    /// The columns that are imported, with the field each goes to.
    fn columns(&self) -> Vec<(usize, &str, String)> {
        let shown = self.plan.targets.iter().enumerate().filter(|(_, target)| **target != Target::Skip);
        let label = |target: &Target| match target {
            Target::Field(field) => field.label().to_owned(),
            Target::Custom(key) => format!("Custom field: {key}"),
            Target::Skip => String::new(),
        };
        shown.map(|(index, target)| (index, self.plan.headers[index].as_str(), label(target))).collect()
    }

    fn submit(&self) -> String {
        format!("Import into {}", self.plan.list_name)
    }

    /// What would be lost where most rows repeat an earlier one.
    fn repeats(&self) -> String {
        let rows = self.preview.whole();
        let (repeated, left) = (self.preview.repeated, rows - self.preview.repeated);
        let taken = if repeated == 1 { "would be" } else { "of them would each be" };
        format!(
            "{}, {} {taken} taken for somebody in an earlier row: only {} would be left. Change how contacts are recognised, under Columns.",
            count(rows, "row"),
            web::view::number(repeated),
            count(left, "person")
        )
    }

    fn summary(&self) -> String {
        let [refused, flagged] = [self.preview.refused, self.preview.flagged].map(web::view::number);
        format!("{refused} of {} will be refused, {flagged} kept with a remark", count(self.preview.checked, "row"))
    }

    fn duplicates(&self) -> String {
        let same = match self.plan.dedupe {
            import::Dedupe::Email => "e-mail",
            import::Dedupe::CustomerCode => "customer code",
            import::Dedupe::Phone => "phone or mobile phone",
            import::Dedupe::NameAddress => "name and address",
        };
        match self.plan.on_duplicate {
            import::OnDuplicate::Skip => format!("Contacts with the same {same} stay as they are."),
            import::OnDuplicate::Update => {
                format!("Contacts with the same {same} are updated with what the file says.")
            }
            import::OnDuplicate::Create => "Every row becomes a new contact.".to_owned(),
        }
    }
}

pub async fn preview(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Response> {
    let import = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let base = Shell::new(&caller, "").at(&format!("imports/{id}"));
    if import.status != "mapping" {
        return Ok(redirect(&base));
    }
    let (plan, preview) = import::preview(&app, &caller.actor, (import.client_id, id)).await?;
    let shell = frame(&caller, "Check and import").lede(import.filename.clone());
    let steps = steps(&shell, Some(id), StepState::Done);
    render(&PreviewPage { shell, steps, plan, preview, base })
}

pub async fn start(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let (client_id, base) = (caller.client_id()?, Shell::new(&caller, "").at(&format!("imports/{id}")));
    // what was chosen and saved stays chosen; that rows may repeat each other is said on the page that counts them
    let meant = fields.iter().any(|(field, value)| field == "allow_repeats" && value == "yes");
    let options = ImportOptions { allow_repeats: meant.then_some(true), ..ImportOptions::default() };
    match import::begin(&app, &caller.actor, (client_id, id), (&options, Runs::Queued), &Expected::any()).await {
        Ok(_) => Ok(redirect(&base)),
        Err(Error::Invalid(fields)) => {
            let text = fields.first().map_or_else(String::new, |field| field.message.clone());
            Ok(redirect_with(&format!("{base}/columns"), &text))
        }
        Err(Error::Conflict { .. }) => Ok(redirect_with(&base, "This import has begun already")),
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "imports/show.html")]
struct ShowPage {
    shell: Shell,
    standing: Standing,
}

/// Where an import stands: a part of its page that is also a page, asked for again while it runs.
#[derive(Template)]
#[template(path = "imports/standing.html")]
struct Standing {
    import: Import,
    problems: Vec<store::StoredRemark>,
    base: String,
    list: Option<String>,
}

impl askama::filters::HtmlSafe for Standing {}

impl Standing {
    fn finished_title(&self) -> String {
        match self.import.rows_refused {
            1 => "Finished; one row was refused".to_owned(),
            refused => format!("Finished; {} were refused", count(refused, "row")),
        }
    }

    fn finished_text(&self) -> &'static str {
        match (self.import.rows_created + self.import.rows_updated, self.import.rows_read) {
            (_, 0) => "There was no row in the file.",
            (0, _) => "Every contact was there already, and nothing changed.",
            _ => "No row was refused.",
        }
    }

    fn stats(&self) -> [Stat; 7] {
        let import = &self.import;
        [
            Stat::count("Rows read", import.rows_read),
            Stat::count("Created", import.rows_created),
            Stat::count("Updated", import.rows_updated),
            Stat::count("Unchanged", import.rows_skipped),
            Stat::count("Refused", import.rows_refused),
            Stat::count("Kept with a remark", import.rows_flagged),
            Stat::count("Opt-outs taken over", import.opt_outs),
        ]
    }
}

async fn standing(app: &App, caller: &Caller, id: Uuid) -> kernel::Result<Standing> {
    let (scope, client_id, shell) = (caller.scope(app), caller.client_id()?, Shell::new(caller, ""));
    let import = store::find(&scope, client_id, id).await?;
    let problems = store::list_remarks(&scope, (client_id, id), true, (0, Uuid::nil()), 20).await?;
    let list = import.list_id.map(|list_id| shell.at(&format!("lists/{list_id}")));
    Ok(Standing { import, problems, base: shell.at(&format!("imports/{id}")), list })
}

pub async fn show(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Response> {
    let standing = standing(&app, &caller, id).await?;
    if standing.import.status == "mapping" {
        return Ok(redirect(&format!("{}/columns", standing.base)));
    }
    let shell = frame(&caller, &standing.import.filename);
    render(&ShowPage { shell, standing })
}

pub async fn progress(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Response> {
    render(&standing(&app, &caller, id).await?)
}

pub async fn cancel(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Response> {
    let base = Shell::new(&caller, "").at(&format!("imports/{id}"));
    match import::cancel(&app, &caller.actor, (caller.client_id()?, id), &Expected::any()).await {
        Ok(_) => Ok(redirect_with(&base, "Import cancelled; what was imported stays")),
        Err(Error::Conflict { message, .. }) => Ok(redirect_with(&base, &message)),
        Err(error) => Err(error.into()),
    }
}

pub async fn retry(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Response> {
    let base = Shell::new(&caller, "").at(&format!("imports/{id}"));
    match import::retry(&app, &caller.actor, (caller.client_id()?, id), &Expected::any()).await {
        Ok(_) => Ok(redirect(&base)),
        Err(Error::Conflict { message, .. }) => Ok(redirect_with(&base, &message)),
        Err(error) => Err(error.into()),
    }
}

pub async fn refused(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Response> {
    Ok(crate::export::remarks(&app, &caller.actor, (caller.client_id()?, id), true).await?)
}

pub async fn remarks(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Response> {
    Ok(crate::export::remarks(&app, &caller.actor, (caller.client_id()?, id), false).await?)
}
