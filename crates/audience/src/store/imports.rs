//! Imports, their stored files and their reports.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, Transaction, statement};
use kernel::version::{Expected, etag_of};
use kernel::{Result, new_id};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::import::chunk::Tally;
use crate::import::met::KEPT_APART;
use crate::import::prepared::Remark;
use crate::store::merge::Merged;

statement! {
    /// A new upload.
    pub INSERT_IMPORT, app, "
        insert into imports (id, client_id, filename, status, created_by_user_id, created_at)
        values ($1, $2, $3, 'uploaded', $4, $5)";
    /// One piece of its file.
    pub INSERT_PIECE, app, "
        insert into import_files (id, client_id, import_id, seq, data)
        values ($1, $2, $3, $4, $5)";
    /// One piece of its file.
    pub FIND_PIECE, app, "
        select data
        from import_files
        where client_id = $1
          and import_id = $2
          and seq = $3";
    /// The file is complete.
    pub COMPLETE_UPLOAD, app, "
        update imports
        set total_bytes = $3, options = $4, status = 'mapping'
        where client_id = $1
          and id = $2
          and status = 'uploaded'";
    /// Forgets an import that never began, its file included.
    pub DELETE_UPLOAD, app, "
        delete from imports
        where client_id = $1
          and id = $2
          and status in ('uploaded', 'mapping')";
    /// Keeps a changed plan.
    pub SAVE_PLAN, app, "
        update imports
        set options = $3
        where client_id = $1
          and id = $2
          and status = 'mapping'";
    /// Begins.
    pub BEGIN_IMPORT, app, "
        update imports
        set status = 'running', options = $3, list_id = $4, started_at = $5, progressed_at = $5, error = null
        where client_id = $1
          and id = $2
          and status = 'mapping'";
    /// Begins again after a failure.
    pub RESUME_IMPORT, app, "
        update imports
        set status = 'running', progressed_at = $3, finished_at = null, error = null
        where client_id = $1
          and id = $2
          and status = 'failed'";
    /// One import.
    FIND_IMPORT, app, "
        select i.id, i.client_id, i.list_id, l.name as list_name, i.filename, i.status, i.options, i.total_bytes, i.bytes_read,
          i.rows_read, i.rows_created, i.rows_updated, i.rows_skipped, i.rows_refused, i.rows_flagged, i.opt_outs, i.last_line, i.error,
          i.created_by_user_id, i.created_at, i.started_at, i.progressed_at, i.finished_at
        from imports i
        left join contact_lists l on l.client_id = i.client_id and l.id = i.list_id
        where i.client_id = $1
          and i.id = $2";
    /// Newest first.
    LIST_IMPORTS, app, "
        select i.id, i.client_id, i.list_id, l.name as list_name, i.filename, i.status, i.options, i.total_bytes, i.bytes_read,
          i.rows_read, i.rows_created, i.rows_updated, i.rows_skipped, i.rows_refused, i.rows_flagged, i.opt_outs, i.last_line, i.error,
          i.created_by_user_id, i.created_at, i.started_at, i.progressed_at, i.finished_at
        from imports i
        left join contact_lists l on l.client_id = i.client_id and l.id = i.list_id
        where i.client_id = $1
          and ($2::uuid is null or i.id < $2)
        order by i.id desc
        limit $3";
    /// How many there are.
    pub COUNT_IMPORTS, app, "select count(*) from imports where client_id = $1";
    /// Held while a chunk is written: nobody else writes one, and nobody cancels in between.
    pub LOCK_IMPORT, app, "
        select status, last_line
        from imports
        where client_id = $1
          and id = $2
        for no key update";
    /// What a chunk came to.
    PROGRESS, app, "
        update imports
        set bytes_read = $3, last_line = $4, rows_read = rows_read + $5, rows_created = rows_created + $6,
          rows_updated = rows_updated + $7, rows_skipped = rows_skipped + $8, rows_refused = rows_refused + $9,
          rows_flagged = rows_flagged + $10, progressed_at = $11, opt_outs = opt_outs + $12
        where client_id = $1
          and id = $2";
    /// How it ended. One that failed can still be cancelled.
    pub END_IMPORT, app, "
        update imports
        set status = $3, error = $4, finished_at = $5,
          bytes_read = case when $3 = 'finished' then coalesce(total_bytes, bytes_read) else bytes_read end
        where client_id = $1
          and id = $2
          and (status in ('mapping', 'running') or (status = 'failed' and $3 = 'cancelled'))";
    /// The file is not needed any more.
    pub DELETE_FILE, app, "
        delete from import_files
        where client_id = $1
          and import_id = $2";
    /// Lines refused, or kept with a remark.
    INSERT_REMARKS, app, "
        insert into import_refusals (id, client_id, import_id, line_number, column_name, reason, raw, refused)
        select r.id, $1, $2, r.line_number, r.column_name, r.reason, r.raw, r.refused
        from unnest($3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::boolean[])
          r (id, line_number, column_name, reason, raw, refused)";

    /// Rows that were kept as other people than those whose address they have.
    LIST_APART, app, "
        select line_number, reason, count(*) over () as of_all
        from import_refusals
        where client_id = $1
          and import_id = $2
          and not refused
          and reason like '%' || $3
        order by line_number, id
        limit $4";

    /// The report, line by line, as far as a page may have bytes; a page that is not the last has one line at least.
    LIST_REMARKS, app, "
        select id, line_number, column_name, reason, raw, refused
        from (
          select id, line_number, column_name, reason, raw, refused,
            sum(octet_length(raw)) over (order by line_number, id) - octet_length(raw) as bytes_before
          from (
            select id, line_number, column_name, reason, raw, refused
            from import_refusals
            where client_id = $1
              and import_id = $2
              and refused = $3
              and (line_number, id) > ($4, $5)
            order by line_number, id
            limit $6
          ) page
        ) measured
        where coalesce(bytes_before, 0) < $7
        order by line_number, id";
    /// Uploads nobody went on with.
    pub DELETE_STALE_UPLOADS, app, "
        delete from imports
        where client_id = $1
          and status in ('uploaded', 'mapping')
          and created_at < $2"
}

/// Remarks about rows that were kept, stored for each import; all of them are counted.
const REMARKS_KEPT: i64 = 10_000;

/// Bytes of the file's rows on one page of a report.
const REPORT_BYTES: i64 = 4 * 1024 * 1024;

/// An import as it stands.
#[derive(Debug, Clone, PartialEq, FromRow, Serialize, ToSchema)]
pub struct Import {
    /// The import's id.
    pub id: Uuid,
    /// Whose it is.
    #[serde(skip)]
    pub client_id: Uuid,
    /// The list the contacts go to.
    pub list_id: Option<Uuid>,
    /// Its name.
    pub list_name: Option<String>,
    /// The file's name.
    pub filename: String,
    /// uploaded, mapping, running, finished, cancelled or failed.
    pub status: String,
    /// How the file is read.
    #[schema(value_type = Object)]
    pub options: Value,
    /// The file's size.
    pub total_bytes: Option<i64>,
    /// How much of it was read.
    pub bytes_read: i64,
    /// Rows read.
    pub rows_read: i64,
    /// Contacts created.
    pub rows_created: i64,
    /// Contacts changed.
    pub rows_updated: i64,
    /// Rows that changed nothing.
    pub rows_skipped: i64,
    /// Rows refused.
    pub rows_refused: i64,
    /// Rows kept although a value could not be normalised.
    pub rows_flagged: i64,
    /// Opt-outs of the file that people took over who were there already, or on an earlier line.
    pub opt_outs: i64,
    /// Everything up to this line is done.
    pub last_line: i64,
    /// Why it failed.
    pub error: Option<String>,
    /// Who started it.
    pub created_by_user_id: Option<Uuid>,
    /// When the file was uploaded.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it last moved on.
    pub progressed_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Import {
    /// How much is done, in percent.
    pub fn percent(&self) -> i64 {
        match self.total_bytes {
            _ if self.status == "finished" => 100,
            Some(total) if total > 0 => (self.bytes_read * 100 / total).clamp(0, 99),
            _ => 0,
        }
    }

    /// Its version, for `ETag` and `If-Match`.
    ///
    /// # Errors
    /// None that a row can cause.
    pub fn etag(&self) -> Result<String> {
        etag_of(self)
    }

    /// Whether it is under way.
    pub fn is_running(&self) -> bool {
        self.status == "running"
    }
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, FromRow, Serialize, ToSchema)]
pub struct StoredRemark {
    /// The remark's id.
    #[serde(skip)]
    pub id: Uuid,
    /// The line of the file.
    pub line_number: i64,
    /// The column it is about.
    pub column_name: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// The line as it stands in the file.
    pub raw: Option<String>,
    /// Whether the row was refused; otherwise it was kept, the value as given.
    pub refused: bool,
}

/// A row that has somebody else's e-mail or phone, and was kept as another person.
#[derive(Debug, FromRow)]
pub struct KeptApart {
    /// The line of the file.
    pub line_number: i64,
    /// Whose address it is.
    pub reason: String,
    /// How many such rows there are.
    pub of_all: i64,
}

/// Where an import stands, read under its lock.
#[derive(Debug, FromRow)]
pub struct Locked {
    /// Its status.
    pub status: String,
    /// Everything up to this line is done.
    pub last_line: i64,
}

/// One import.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Import> {
    scope.query_one(&FIND_IMPORT, &[&client_id, &id]).await
}

/// Refuses what is meant for another version of an import, which is held until the transaction ends.
///
/// # Errors
/// `NotFound`, or `Conflict` when it is not the expected version any more.
pub(crate) async fn expect(tx: &Transaction, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<()> {
    if expected.is_any() {
        return Ok(());
    }
    tx.execute(&LOCK_IMPORT, &[&client_id, &id]).await?;
    expected.check(&tx.query_one::<Import>(&FIND_IMPORT, &[&client_id, &id]).await?.etag()?)
}

/// A page of imports, newest first: up to `limit + 1`.
///
/// # Errors
/// What the database answered.
pub async fn list(scope: &Scope<'_>, client_id: Uuid, after: Option<Uuid>, limit: i64) -> Result<Vec<Import>> {
    scope.query(&LIST_IMPORTS, &[&client_id, &after, &(limit + 1)]).await
}

/// Adds what a chunk came to; the import as it stands then.
///
/// # Errors
/// What the database answered.
pub async fn progress(
    tx: &Transaction,
    (client_id, id): (Uuid, Uuid),
    chunk: &Tally,
    merged: Merged,
) -> Result<Import> {
    let (updated, skipped) = (merged.updated + chunk.merged, merged.skipped + chunk.skipped);
    tx.execute(
        &PROGRESS,
        &[
            &client_id,
            &id,
            &chunk.bytes_read,
            &chunk.last_line,
            &chunk.read,
            &merged.created,
            &updated,
            &skipped,
            &chunk.refused,
            &chunk.flagged,
            &tx.now(),
            &(merged.stopped + chunk.stopped),
        ],
    )
    .await?;
    tx.query_one(&FIND_IMPORT, &[&client_id, &id]).await
}

/// Keeps refusals, and remarks as long as there are not too many.
///
/// # Errors
/// What the database answered.
pub async fn insert_remarks(
    tx: &Transaction,
    (client_id, id): (Uuid, Uuid),
    remarks: &[Remark],
    flagged_before: i64,
) -> Result<()> {
    let kept: Vec<&Remark> = remarks.iter().filter(|remark| remark.refused || flagged_before < REMARKS_KEPT).collect();
    if kept.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = kept.iter().map(|_| new_id()).collect();
    let lines: Vec<i64> = kept.iter().map(|remark| remark.line as i64).collect();
    let columns: Vec<Option<&str>> = kept.iter().map(|remark| remark.column.as_deref()).collect();
    let reasons: Vec<&str> = kept.iter().map(|remark| remark.reason.as_str()).collect();
    let raws: Vec<&str> = kept.iter().map(|remark| remark.raw.as_str()).collect();
    let refused: Vec<bool> = kept.iter().map(|remark| remark.refused).collect();
    tx.execute(&INSERT_REMARKS, &[&client_id, &id, &ids, &lines, &columns, &reasons, &raws, &refused]).await.map(|_| ())
}

/// A page of the report, up to `limit` lines after (`line`, `id`), fewer where they are long; empty at the end.
///
/// # Errors
/// What the database answered.
pub async fn list_remarks(
    scope: &Scope<'_>,
    (client_id, id): (Uuid, Uuid),
    refused: bool,
    after: (i64, Uuid),
    limit: i64,
) -> Result<Vec<StoredRemark>> {
    scope.query(&LIST_REMARKS, &[&client_id, &id, &refused, &after.0, &after.1, &limit, &REPORT_BYTES]).await
}

/// The first rows that were kept as other people than those whose address they have.
///
/// # Errors
/// What the database answered.
pub async fn list_apart(scope: &Scope<'_>, (client_id, id): (Uuid, Uuid), limit: i64) -> Result<Vec<KeptApart>> {
    scope.query(&LIST_APART, &[&client_id, &id, &KEPT_APART, &limit]).await
}
