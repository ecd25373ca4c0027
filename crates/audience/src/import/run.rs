//! Writes an import, chunk by chunk: each is committed whole with its progress, or not at all.

use database::Transaction;
use kernel::version::Expected;
use kernel::{Actor, Error, Result};
use tokio::sync::mpsc;
use uuid::Uuid;
use web::App;

use super::chunk::{Chunk, Tally};
use super::met::KEPT_APART;
use super::plan::Plan;
use super::prepared::{No, Prepared, Remark};
use super::read::{self, Reading};
use super::source;
use crate::contacts::names::kind_of;
use crate::store::imports::{self, DELETE_FILE, END_IMPORT, Import, LOCK_IMPORT, Locked};
use crate::store::merge::{self, Merged, Staged, Target};

/// Chunks that are ready while one is written.
const AHEAD: usize = 1;

/// Why an import stops whose rows turn out to be the same few people again and again.
const REPEATS: &str = "Most of the next rows repeat an earlier one, so that people would be lost in each other; nothing of them \
    was imported. Import the file again with the column that tells people apart, or say allow_repeats=true if it is meant so.";

/// Runs an import to its end, from wherever it stands, and tells `on_progress` after every chunk. Does nothing to one
/// that is not under way. Two processes that run the same import do not write a row twice: the one that comes second
/// to a chunk gives up with a conflict.
///
/// # Errors
/// `Conflict` `import_running` when another process runs it, or what the database answered; what was committed stays,
/// and running again goes on from there.
pub async fn run(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    mut on_progress: impl FnMut(&Import) + Send,
) -> Result<Import> {
    let scope = app.db.scope(actor);
    let import = imports::find(&scope, client_id, id).await?;
    if !import.is_running() {
        return Ok(import);
    }
    let plan: Plan = serde_json::from_value(import.options.clone()).map_err(Error::internal)?;
    let (sender, chunks) = mpsc::channel(AHEAD);
    let reading = Reading {
        plan: plan.clone(),
        client_id,
        after_line: import.last_line,
        batch_rows: app.settings.import.batch_rows as usize,
    };
    let file = source::open(app, actor, (client_id, id));
    let reader = tokio::task::spawn_blocking(move || read::chunks(file, &reading, &sender));
    let writer = Writer { app, actor, import: &import, plan: &plan };
    if !writer.write_all(chunks, &mut on_progress).await? {
        return imports::find(&scope, client_id, id).await;
    }
    match reader.await.map_err(Error::internal)? {
        // trying again would not mend the file
        Err(Error::Invalid(fields)) => {
            let reasons: Vec<&str> = fields.iter().map(|field| field.message.as_str()).collect();
            writer.end("failed", Some(&reasons.join("; "))).await?;
        }
        read => {
            read?;
            writer.end("finished", None).await?;
        }
    }
    let import = imports::find(&scope, client_id, id).await?;
    on_progress(&import);
    Ok(import)
}

struct Writer<'a> {
    app: &'a App,
    actor: &'a Actor,
    import: &'a Import,
    plan: &'a Plan,
}

/// A chunk whose rows are in its transaction's `import_rows`.
struct Ready {
    tx: Transaction,
    staged: Staged,
    noes: Vec<No>,
    tally: Tally,
    lines: Vec<Line>,
}

/// What is kept of a row while it is merged, in case something has to be said of it.
struct Line {
    number: u64,
    raw: String,
    flagged: bool,
}

impl Writer<'_> {
    /// Writes chunk after chunk; `false` when the import was cancelled meanwhile. While one is merged, the next is
    /// copied on a connection of its own, so that both cores have something to do.
    async fn write_all(
        &self,
        mut chunks: mpsc::Receiver<Chunk>,
        on_progress: &mut (impl FnMut(&Import) + Send),
    ) -> Result<bool> {
        let mut done = (self.import.last_line, self.import.rows_flagged);
        let mut ready = self.stage(&mut chunks).await?;
        while let Some(chunk) = ready {
            if !self.plan.allow_repeats && chunk.tally.mostly_repeats() {
                self.end("failed", Some(REPEATS)).await?;
                return Ok(false);
            }
            let (written, next) = tokio::join!(self.write(chunk, done), self.stage(&mut chunks));
            let Some(import) = written? else { return Ok(false) };
            done = (import.last_line, import.rows_flagged);
            on_progress(&import);
            ready = next?;
        }
        Ok(true)
    }

    /// Makes the next chunk ready, if there is one.
    async fn stage(&self, chunks: &mut mpsc::Receiver<Chunk>) -> Result<Option<Ready>> {
        let Some(Chunk { rows, noes, tally, .. }) = chunks.recv().await else { return Ok(None) };
        let tx = self.app.db.scope(self.actor).transaction().await?;
        let staged = merge::stage(&tx, self.import.client_id, (&rows, &noes)).await?;
        let line = |row: Prepared| Line { number: row.line, raw: row.raw, flagged: row.flagged };
        let lines = rows.into_iter().filter(|row| row.key.is_some()).map(line).collect();
        Ok(Some(Ready { tx, staged, noes, tally, lines }))
    }

    /// Writes a chunk, whole or not at all; the import as it stands then, or `None` when it was cancelled meanwhile.
    async fn write(&self, chunk: Ready, (last_line, flagged): (i64, i64)) -> Result<Option<Import>> {
        let Ready { tx, staged, noes, mut tally, lines } = chunk;
        let ids = (self.import.client_id, self.import.id);
        let now: Locked = tx.query_one(&LOCK_IMPORT, &[&ids.0, &ids.1]).await?;
        if now.status != "running" {
            return Ok(None);
        }
        if now.last_line != last_line {
            return Err(Error::conflict("import_running", "another process runs this import"));
        }
        let merged = self.merge(&tx, staged, &noes).await?;
        self.tell_apart(&merged, &lines, &mut tally);
        imports::insert_remarks(&tx, ids, &tally.remarks, flagged).await?;
        let import = imports::progress(&tx, ids, &tally, merged).await?;
        tx.commit().await?;
        Ok(Some(import))
    }

    /// A remark on each row that has the address of a contact with another name.
    fn tell_apart(&self, merged: &Merged, lines: &[Line], tally: &mut Tally) {
        for apart in &merged.apart {
            let Ok(at) = lines.binary_search_by_key(&apart.line, |line| line.number) else { continue };
            let said = |remark: &Remark| remark.line == apart.line && remark.reason.ends_with(KEPT_APART);
            if lines[at].flagged && tally.remarks.iter().any(said) {
                continue;
            }
            tally.flagged += i64::from(!lines[at].flagged);
            tally.remarks.push(Remark {
                line: apart.line,
                column: self.plan.column_of_address(&apart.address).map(str::to_owned),
                reason: apart.other.kept_apart(kind_of(&apart.address)),
                raw: lines[at].raw.clone(),
                refused: false,
            });
        }
    }

    async fn merge(&self, tx: &Transaction, staged: Staged, noes: &[No]) -> Result<Merged> {
        tx.savepoint().await?;
        match merge::merge(tx, self.target(false), staged, noes).await {
            // somebody else made a contact with one of its codes since they were looked up
            Err(Error::Constraint(_)) => {
                tx.undo().await?;
                merge::merge(tx, self.target(true), staged, noes).await
            }
            other => other,
        }
    }

    fn target(&self, carefully: bool) -> Target<'_> {
        Target {
            client_id: self.import.client_id,
            list_id: self.import.list_id,
            user_id: self.import.created_by_user_id,
            filename: &self.import.filename,
            dedupe: self.plan.dedupe,
            on_duplicate: self.plan.on_duplicate,
            tells_apart: self.plan.tells_apart(),
            carefully,
        }
    }

    async fn end(&self, status: &str, error: Option<&str>) -> Result<()> {
        let ids = (self.import.client_id, self.import.id);
        end(self.app, self.actor, ids, (status, error), &Expected::any()).await
    }
}

/// Ends an import that is under way, with its audit row. The file is kept only after a failure, for another try.
pub(super) async fn end(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    (status, error): (&str, Option<&str>),
    expected: &Expected,
) -> Result<()> {
    let tx = app.db.scope(actor).transaction().await?;
    imports::expect(&tx, (client_id, id), expected).await?;
    if tx.execute(&END_IMPORT, &[&client_id, &id, &status, &error, &tx.now()]).await? == 0 {
        return Ok(());
    }
    if status != "failed" {
        tx.execute(&DELETE_FILE, &[&client_id, &id]).await?;
    }
    let after = serde_json::json!({ "status": status, "error": error });
    let what = database::Audited { client_id: Some(client_id), after: Some(after), ..Default::default() };
    tx.audit(&format!("import.{status}"), "imports", Some(id), what).await?;
    tx.commit().await
}
