//! Bringing contacts in from a file: one path for the console, the API and the command line.
//!
//! The file is stored in the database as it arrives ([`upload`]), read without being written ([`preview()`]), and then
//! written chunk by chunk ([`begin`], [`run()`]): a chunk is committed whole with its progress, so an import that is
//! killed goes on after the last chunk, wherever a worker next picks it up.

pub(crate) mod chunk;
mod field;
mod headers;
pub(crate) mod met;
pub(crate) mod options;
pub(crate) mod plan;
pub(crate) mod prepared;
mod preview;
mod quotes;
mod read;
mod row;
mod rows;
mod run;
pub mod source;
mod table;
mod words;

use chrono::{DateTime, Duration, Utc};
use database::Audited;
use jobs::NewJob;
use kernel::error::CanFail;
use kernel::version::Expected;
use kernel::{Actor, Error, Problems, Result};
use serde_json::json;
use uuid::Uuid;
use web::App;

pub use field::{Field, Target};
pub use headers::custom_keys;
pub(crate) use headers::words;
pub use kernel::encoding::Encoding;
pub use options::{Dedupe, ImportOptions, OnDuplicate, Unmapped};
pub use plan::{Plan, Question};
pub use preview::{Preview, PreviewProblem};
pub use run::run;
pub use source::Source;
use table::Said;

use crate::store::imports::{
    self, BEGIN_IMPORT, COMPLETE_UPLOAD, DELETE_UPLOAD, INSERT_IMPORT, Import, RESUME_IMPORT, SAVE_PLAN,
};

/// The job that runs an import.
pub const JOB: &str = "audience.import";
/// What a report says about each of its rows, before the row's own cells.
pub const REPORT_COLUMNS: [&str; 3] = ["line", "column", "reason"];
/// How long an import may stand still before a worker takes it over from whoever ran it.
pub const STANDSTILL: Duration = Duration::seconds(60);

/// Who runs an import that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// The next free worker.
    Queued,
    /// The caller, who calls [`run()`] next; a worker only if the caller is gone for [`STANDSTILL`].
    Here,
}

/// Stores a file and guesses how it is meant. Nothing is imported yet.
///
/// # Errors
/// Names `file` when it is too large, empty, or did not arrive whole; nothing is kept of it then.
pub async fn upload(app: &App, actor: &Actor, client_id: Uuid, filename: &str, source: Source<'_>) -> Result<Import> {
    let (id, scope) = (kernel::new_id(), app.db.scope(actor));
    let filename: String = filename.trim().replace('\0', "").chars().take(200).collect();
    let filename = if filename.is_empty() { "contacts.csv".to_owned() } else { filename };
    scope.execute(&INSERT_IMPORT, &[&id, &client_id, &filename, &actor.user_id(), &app.clock.now()]).await?;
    let stored = match source::store(app, actor, (client_id, id), source).await {
        Ok(stored) => {
            let plan = guess(app, actor, (client_id, id), (&stored, &filename), Said::default()).await;
            plan.map(|plan| (plan, stored.total_bytes))
        }
        Err(error) => Err(error),
    };
    match stored {
        Ok((plan, total_bytes)) => {
            scope.execute(&COMPLETE_UPLOAD, &[&client_id, &id, &total_bytes, &json!(plan)]).await?;
            imports::find(&scope, client_id, id).await
        }
        Err(error) => {
            forget(app, actor, (client_id, id)).await;
            Err(error)
        }
    }
}

/// How a stored file is probably meant. Columns that may say no, and are empty where the file begins, are read to where
/// somebody says something in them: files are sorted.
async fn guess(
    app: &App,
    actor: &Actor,
    ids: (Uuid, Uuid),
    (stored, filename): (&source::Stored, &str),
    said: Said,
) -> Result<Plan> {
    let (plan, unseen) = preview::guess(stored, filename, said, &[])?;
    if unseen.is_empty() {
        return Ok(plan);
    }
    let file = source::open(app, actor, ids);
    let later = tokio::task::spawn_blocking(move || preview::first_cells(file, &plan, &unseen))
        .await
        .map_err(Error::internal)??;
    preview::guess(stored, filename, said, &later).map(|(plan, _)| plan)
}

/// Forgets an upload whose import never began.
pub async fn forget(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid)) {
    let forgotten = app.db.scope(actor).execute(&DELETE_UPLOAD, &[&client_id, &id]).await;
    forgotten.can_fail("uploads nobody went on with are swept every day");
}

/// How an import's file is going to be read.
///
/// # Errors
/// `Conflict` while the file is still arriving.
pub fn plan_of(import: &Import) -> Result<Plan> {
    let unfinished = || Error::conflict("import_uploading", "the file has not arrived yet");
    serde_json::from_value(import.options.clone()).map_err(|_| unfinished())
}

/// The cells of one line of the file, for its report.
pub(crate) fn row_cells(plan: &Plan, raw: &str) -> Vec<String> {
    let delimiter = u8::try_from(plan.delimiter).unwrap_or(b',');
    let layout = rows::Layout { encoding: Encoding::Utf8, delimiter, columns: 0 };
    match rows::Rows::new(raw.as_bytes(), layout).next() {
        Ok(Some(rows::Item::Row(row))) => row.cells().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Keeps what the user chose so far.
///
/// # Errors
/// Names the wrong choices; `Conflict` when the import has begun.
pub async fn save(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), options: &ImportOptions) -> Result<Plan> {
    let scope = app.db.scope(actor);
    let import = imports::find(&scope, client_id, id).await?;
    let plan = read_anew(app, actor, &import, options).await?.choose(options)?;
    match scope.execute(&SAVE_PLAN, &[&client_id, &id, &json!(plan)]).await? {
        0 => Err(Error::conflict("import_begun", "this import has begun already")),
        _ => Ok(plan),
    }
}

/// The plan of an import; made anew where `options` say otherwise how the table begins.
async fn read_anew(app: &App, actor: &Actor, import: &Import, options: &ImportOptions) -> Result<Plan> {
    let plan = plan_of(import)?;
    let same = options.first_line.is_none_or(|line| line == plan.first_line)
        && options.header.is_none_or(|header| header == plan.has_header);
    if same {
        return Ok(plan);
    }
    let head = app
        .db
        .scope(actor)
        .query_scalar::<Vec<u8>>(&imports::FIND_PIECE, &[&import.client_id, &import.id, &0_i32])
        .await?;
    let stored = source::Stored {
        total_bytes: import.total_bytes.unwrap_or_default(),
        encoding: plan.encoding,
        hash: plan.file_hash.clone(),
        head,
    };
    let said = Said { first_line: options.first_line, has_header: options.header };
    let anew = guess(app, actor, (import.client_id, import.id), (&stored, &import.filename), said).await?;
    Ok(Plan { list_name: plan.list_name, on_duplicate: plan.on_duplicate, allow_repeats: plan.allow_repeats, ..anew })
}

/// Refuses to begin while something is unanswered, or when the file would lose most of its people in each other.
async fn check_answers(app: &App, actor: &Actor, ids: (Uuid, Uuid), plan: &Plan) -> Result<()> {
    let mut problems = Problems::new();
    for question in plan.questions() {
        problems.add(question.option, "question", question.text);
    }
    problems.finish()?;
    if plan.allow_repeats {
        return Ok(());
    }
    let (file, looked) = (source::open(app, actor, ids), plan.clone());
    let preview = app.work.read_file(move || preview::look(file, &looked, ids.0)).await??;
    if preview.mostly_repeats {
        return Err(Error::invalid("allow_repeats", preview.about_repeats()));
    }
    Ok(())
}

/// The first rows and the problems, before anything is written.
///
/// # Errors
/// `Conflict` when the import has begun.
pub async fn preview(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid)) -> Result<(Plan, Preview)> {
    let import = imports::find(&app.db.scope(actor), client_id, id).await?;
    let plan = plan_of(&import)?;
    if import.status != "mapping" {
        return Err(Error::conflict("import_begun", "this import has begun already"));
    }
    let file = source::open(app, actor, (client_id, id));
    let looked = plan.clone();
    let preview = app.work.read_file(move || preview::look(file, &looked, client_id)).await??;
    Ok((plan, preview))
}

/// Begins an uploaded import: its list is found or made, and from here on it runs to its end.
///
/// # Errors
/// Names `list_name` when the list is dynamic, and the wrong choices; `Conflict` when it has begun already or is not the
/// expected version any more.
pub async fn begin(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    (options, runs): (&ImportOptions, Runs),
    expected: &Expected,
) -> Result<Import> {
    let scope = app.db.scope(actor);
    let import = imports::find(&scope, client_id, id).await?;
    expected.check(&import.etag()?)?;
    let plan = read_anew(app, actor, &import, options).await?.choose(options)?;
    if import.status == "mapping" {
        check_answers(app, actor, (client_id, id), &plan).await?;
    }
    let tx = scope.transaction().await?;
    imports::expect(&tx, (client_id, id), expected).await?;
    let list_id = crate::actions::lists::find_or_create(&tx, client_id, &plan.list_name).await?;
    if tx.execute(&BEGIN_IMPORT, &[&client_id, &id, &json!(plan), &list_id, &tx.now()]).await? == 0 {
        return Err(Error::conflict("import_begun", "this import has begun already"));
    }
    let job = match runs {
        Runs::Queued => NewJob::new(JOB, json!({ "import_id": id })).client(client_id).unique(format!("{JOB}:{id}")),
        Runs::Here => takeover(client_id, id, tx.now()),
    };
    jobs::enqueue(&tx, &job).await?;
    let after = json!({ "list_id": list_id, "dedupe": plan.dedupe, "on_duplicate": plan.on_duplicate });
    tx.audit(
        "import.started",
        "imports",
        Some(id),
        Audited { client_id: Some(client_id), after: Some(after), ..Audited::default() },
    )
    .await?;
    tx.commit().await?;
    imports::find(&scope, client_id, id).await
}

/// The job that looks after an import somebody else runs, in case they stop.
pub(crate) fn takeover(client_id: Uuid, id: Uuid, now: DateTime<Utc>) -> NewJob {
    NewJob::new(JOB, json!({ "import_id": id, "takeover": true })).client(client_id).run_at(now + STANDSTILL)
}

/// Stores a file and begins its import by the next free worker.
///
/// # Errors
/// As [`upload`] and [`begin`]; nothing is kept of a file whose import does not begin.
pub async fn start(
    app: &App,
    actor: &Actor,
    client_id: Uuid,
    options: ImportOptions,
    source: Source<'_>,
) -> Result<Import> {
    start_as(app, actor, client_id, (options, Runs::Queued), source).await
}

/// Stores a file and runs its import in this very process, for the command line and the demo.
///
/// # Errors
/// As [`start`] and [`run()`].
pub async fn run_now(
    app: &App,
    actor: &Actor,
    client_id: Uuid,
    (options, source): (ImportOptions, Source<'_>),
    on_progress: impl FnMut(&Import) + Send,
) -> Result<Import> {
    let import = start_as(app, actor, client_id, (options, Runs::Here), source).await?;
    run(app, actor, (client_id, import.id), on_progress).await
}

async fn start_as(
    app: &App,
    actor: &Actor,
    client_id: Uuid,
    (options, runs): (ImportOptions, Runs),
    source: Source<'_>,
) -> Result<Import> {
    let import = upload(app, actor, client_id, &options.filename, source).await?;
    let begun = begin(app, actor, (client_id, import.id), (&options, runs), &Expected::any()).await;
    if begun.is_err() {
        forget(app, actor, (client_id, import.id)).await;
    }
    begun
}

/// Stops an import, or gives up one that failed. Chunks that were committed stay; the rest of the file is not imported,
/// and the file is forgotten.
///
/// # Errors
/// `NotFound`; `Conflict` when it has ended already or is not the expected version any more.
pub async fn cancel(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<Import> {
    let scope = app.db.scope(actor);
    let import = imports::find(&scope, client_id, id).await?;
    expected.check(&import.etag()?)?;
    if !matches!(import.status.as_str(), "mapping" | "running" | "failed") {
        return Err(Error::conflict("import_ended", "this import has ended already"));
    }
    run::end(app, actor, (client_id, id), ("cancelled", None), expected).await?;
    imports::find(&scope, client_id, id).await
}

/// Gives up an import whose runs keep failing; its file is kept for [`retry`].
///
/// # Errors
/// What the database answered.
pub async fn fail(app: &App, actor: &Actor, ids: (Uuid, Uuid), error: &Error) -> Result<()> {
    tracing::error!(import_id = %ids.1, %error, "an import failed");
    run::end(app, actor, ids, ("failed", Some(&web::detail(error))), &Expected::any()).await
}

/// Gives up an import that no job looks after any more; its file is kept for [`retry`].
///
/// # Errors
/// What the database answered.
pub(crate) async fn give_up(app: &App, actor: &Actor, ids: (Uuid, Uuid)) -> Result<()> {
    tracing::error!(import_id = %ids.1, "an import lost its workers");
    let reason = "The program was stopped each time it worked on this file. What was imported before stays.";
    run::end(app, actor, ids, ("failed", Some(reason)), &Expected::any()).await
}

/// Goes on with a failed import after its last committed chunk.
///
/// # Errors
/// `NotFound`; `Conflict` when it did not fail or is not the expected version any more.
pub async fn retry(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<Import> {
    let scope = app.db.scope(actor);
    imports::find(&scope, client_id, id).await?;
    let tx = scope.transaction().await?;
    imports::expect(&tx, (client_id, id), expected).await?;
    if tx.execute(&RESUME_IMPORT, &[&client_id, &id, &tx.now()]).await? == 0 {
        return Err(Error::conflict("import_not_failed", "only a failed import can be tried again"));
    }
    jobs::enqueue(&tx, &NewJob::new(JOB, json!({ "import_id": id })).client(client_id).unique(format!("{JOB}:{id}")))
        .await?;
    tx.audit("import.retried", "imports", Some(id), Audited { client_id: Some(client_id), ..Audited::default() })
        .await?;
    tx.commit().await?;
    imports::find(&scope, client_id, id).await
}
