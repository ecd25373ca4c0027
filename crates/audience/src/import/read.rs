//! Turns a file into chunks, on a thread of its own.

use std::io::Read;

use kernel::{Error, Result};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::chunk::Chunk;
use super::plan::Plan;
use super::prepared::{Prepared, Refused, Remark};
use super::row::{Preparer, raw_line};
use super::rows::{Item, Layout, Rows};

/// The rows of a file as `plan` says, its header already read.
///
/// # Errors
/// What the source of the bytes answers.
pub(super) fn open<R: Read>(source: R, plan: &Plan) -> Result<Rows<R>> {
    let delimiter = u8::try_from(plan.delimiter).unwrap_or(b',');
    let mut rows = Rows::new(source, Layout { encoding: plan.encoding, delimiter, columns: 0 });
    // what stands above the table is read over without being taken for rows of it
    while rows.next_line().map_err(Error::internal)?.is_some_and(|line| line < plan.first_line) {
        rows.next().map_err(Error::internal)?;
    }
    if plan.has_header {
        rows.next().map_err(Error::internal)?;
    }
    rows.expect_columns(plan.targets.len());
    Ok(rows)
}

/// A row ready to be written, or why it is not.
pub(super) fn prepare(preparer: &Preparer<'_>, item: Item<'_>) -> std::result::Result<Prepared, Refused> {
    match item {
        Item::Row(row) => preparer.prepare(&row),
        Item::Broken { line, raw, reason } => {
            Err(Remark { line, column: None, reason: reason.into(), raw: raw_line(raw), refused: true }.into())
        }
        Item::Hopeless { line, reason } => {
            Err(Remark { line, column: None, reason: reason.into(), raw: String::new(), refused: true }.into())
        }
    }
}

/// What is read, and from where on.
pub(super) struct Reading {
    pub plan: Plan,
    pub client_id: Uuid,
    pub after_line: i64,
    pub batch_rows: usize,
}

/// Reads the whole file and sends it chunk by chunk; ends when the receiver is gone. A chunk is only begun once the
/// one before it is being copied to the database: the rows of two are in memory, never of three.
///
/// # Errors
/// What the source of the bytes answers; names `file` when its rest cannot be read, after everything before it.
pub(super) fn chunks(source: impl Read, reading: &Reading, sender: &mpsc::Sender<Chunk>) -> Result<()> {
    let runtime = tokio::runtime::Handle::current();
    let mut rows = open(source, &reading.plan)?;
    let preparer = Preparer::new(&reading.plan, reading.client_id);
    let (mut chunk, mut hopeless) = (Chunk::default(), None);
    while let Some(item) = rows.next().map_err(Error::internal)? {
        let line = match &item {
            Item::Row(row) => row.line,
            Item::Broken { line, .. } => *line,
            Item::Hopeless { line, reason } => {
                hopeless = Some(Error::invalid("file", unreadable(*line, reason)));
                break;
            }
        };
        if line as i64 <= reading.after_line {
            continue;
        }
        chunk.add(prepare(&preparer, item), &preparer);
        if chunk.is_full(reading.batch_rows) {
            chunk.tally.bytes_read = rows.bytes_read() as i64;
            if sender.blocking_send(std::mem::take(&mut chunk)).is_err() || runtime.block_on(sender.reserve()).is_err()
            {
                return Ok(());
            }
        }
    }
    chunk.tally.bytes_read = rows.bytes_read() as i64;
    if chunk.tally.read > 0 {
        drop(sender.blocking_send(chunk));
    }
    hopeless.map_or(Ok(()), Err)
}

/// Why the rest of a file is not imported, and what to do.
fn unreadable(line: u64, reason: &str) -> String {
    format!(
        "from line {line} on the file cannot be read: {reason}. Close them, or save the file anew, and import it again."
    )
}
