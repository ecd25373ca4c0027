//! A look into the file before anything is written: its layout, its first rows, its problems.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;

use kernel::{Error, Result};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::encoding::Encoding;
use super::headers;
use super::options::{OnDuplicate, Plan, Unmapped, best_dedupe};
use super::prepared::{Prepared, Remark};
use super::read;
use super::row::Preparer;
use super::rows::{Item, Layout, Rows, guess_delimiter};
use super::source::Stored;
use super::words;

/// Rows whose cells are looked at to guess what a column holds.
const SAMPLE: usize = 50;
/// Rows shown.
const SHOWN: usize = 10;
/// Rows checked before anything is written; the report counts all of them.
const CHECKED: i64 = 10_000;
/// Bytes of the file after which no further row is checked; long rows make that earlier than [`CHECKED`].
const CHECKED_BYTES: u64 = 8 * 1024 * 1024;
/// Columns a file may have: more is no table of people, and the page that matches them must be readable.
const MOST_COLUMNS: usize = 500;
/// Problems listed.
const LISTED: usize = 100;

/// What the user sees before the import begins.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Preview {
    /// The first rows, cell by cell; long cells end in an ellipsis.
    pub rows: Vec<Vec<String>>,
    /// Rows checked.
    pub checked: i64,
    /// Whether those were all rows of the file.
    pub complete: bool,
    /// Of the rows checked, those that would be refused.
    pub refused: i64,
    /// Of the rows checked, those that would be kept with a value as given.
    pub flagged: i64,
    /// Of the rows checked, those that repeat an earlier one.
    pub repeated: i64,
    /// The first problems.
    pub problems: Vec<PreviewProblem>,
}

/// A problem found in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PreviewProblem {
    /// The line.
    pub line: u64,
    /// The column it is about.
    pub column: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// Whether the row would be refused; otherwise it is kept, the value as given.
    pub refused: bool,
}

impl From<&Remark> for PreviewProblem {
    fn from(remark: &Remark) -> Self {
        Self {
            line: remark.line,
            column: remark.column.clone(),
            reason: remark.reason.clone(),
            refused: remark.refused,
        }
    }
}

/// How a file is probably meant, by how it begins.
///
/// # Errors
/// Names `file` when there is no table in it.
pub(super) fn guess(stored: &Stored, filename: &str) -> Result<Plan> {
    let (encoding, delimiter) = (stored.encoding, guess_delimiter(&stored.head, stored.encoding));
    let table = sample(&stored.head, encoding, delimiter);
    let Some(first) = table.first() else {
        return Err(Error::invalid("file", "there is no row in this file"));
    };
    if first.len() > MOST_COLUMNS {
        let problem = format!("the first row has {} columns; a file can have {MOST_COLUMNS}", first.len());
        return Err(Error::invalid("file", problem));
    }
    let has_header = !headers::is_data(first.iter().map(String::as_str));
    let names: Vec<String> =
        first.iter().enumerate().map(|(index, name)| header_name(index, name, has_header)).collect();
    let rows = if has_header { &table[1..] } else { &table[..] };
    let columns: Vec<Vec<String>> =
        (0..names.len()).map(|index| rows.iter().filter_map(|row| row.get(index).cloned()).collect()).collect();
    let found = headers::suggest(&names, &columns, Unmapped::CustomFields);
    let targets: Vec<_> = found.iter().map(|found| found.target.clone()).collect();
    Ok(Plan {
        encoding,
        delimiter: char::from(delimiter),
        has_header,
        headers: names,
        dedupe: best_dedupe(&targets),
        targets,
        confidence: found.iter().map(|found| found.confidence).collect(),
        on_duplicate: OnDuplicate::Skip,
        list_name: list_name(filename),
        file_hash: stored.hash.clone(),
    })
}

fn header_name(index: usize, name: &str, has_header: bool) -> String {
    let name = name.trim().replace('\0', "");
    if has_header && !name.is_empty() { name.chars().take(200).collect() } else { format!("Column {}", index + 1) }
}

/// `spring-2026.csv` → `spring-2026`.
fn list_name(filename: &str) -> String {
    let stem = filename.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem).trim();
    if stem.is_empty() { "Import".into() } else { stem.chars().take(200).collect() }
}

fn sample(head: &[u8], encoding: Encoding, delimiter: u8) -> Vec<Vec<String>> {
    let mut rows = Rows::new(head, Layout { encoding, delimiter, columns: 0 });
    let mut table = Vec::new();
    while let Ok(Some(Item::Row(row))) = rows.next() {
        table.push(row.cells().map(str::to_owned).collect());
        if table.len() > SAMPLE {
            break;
        }
    }
    table
}

/// Reads the file as `plan` says without writing anything.
///
/// # Errors
/// Only what the source of the bytes answers.
pub(super) fn look(source: impl Read, plan: &Plan, client_id: Uuid) -> Result<Preview> {
    let mut rows = read::open(source, plan)?;
    let preparer = Preparer::new(plan, client_id);
    let mut preview = Preview { complete: true, ..Preview::default() };
    let mut seen = Seen::default();
    while preview.checked < CHECKED && rows.bytes_read() < CHECKED_BYTES {
        let Some(item) = rows.next().map_err(Error::internal)? else { return Ok(preview) };
        if let Item::Row(row) = &item
            && preview.rows.len() < SHOWN
        {
            preview.rows.push((0..plan.headers.len()).map(|index| words::shown(row.cell(index))).collect());
        }
        let hopeless = matches!(item, Item::Hopeless { .. });
        preview.take(read::prepare(&preparer, item), &mut seen);
        if hopeless {
            preview.complete = false;
            return Ok(preview);
        }
    }
    preview.complete = rows.next().map_err(Error::internal)?.is_none();
    Ok(preview)
}

impl Preview {
    fn take(&mut self, row: std::result::Result<Prepared, Remark>, seen: &mut Seen) {
        self.checked += 1;
        let remarks = match row {
            Ok(row) => {
                self.flagged += i64::from(!row.remarks.is_empty());
                self.repeated += i64::from(seen.has_seen(&row));
                row.remarks
            }
            Err(remark) => {
                self.refused += 1;
                vec![remark]
            }
        };
        let room = LISTED.saturating_sub(self.problems.len());
        self.problems.extend(remarks.iter().take(room).map(PreviewProblem::from));
    }
}

/// The keys and codes met so far, as hashes: to count rows that repeat an earlier one, no more is needed of them.
#[derive(Default)]
struct Seen(HashSet<u64>);

impl Seen {
    /// Whether a row is about the same contact as an earlier one; from now on it is an earlier one itself.
    fn has_seen(&mut self, row: &Prepared) -> bool {
        let code = row.check_code.then_some(&row.code);
        let hash = |(kind, text): (u8, &String)| {
            let mut hasher = DefaultHasher::new();
            (kind, text).hash(&mut hasher);
            hasher.finish()
        };
        let all: Vec<u64> = row.keys().map(|key| (0, key)).chain(code.map(|code| (1, code))).map(hash).collect();
        let repeated = all.iter().any(|hash| self.0.contains(hash));
        self.0.extend(all);
        repeated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_reads_no_more_of_a_file_than_it_shows_the_worth_of() {
        let wide = format!("email,note\n{}", format!("ada@example.com,{}\n", "x".repeat(9000)).repeat(2000));
        let stored = Stored {
            total_bytes: wide.len() as i64,
            encoding: Encoding::Utf8,
            hash: String::new(),
            head: wide.as_bytes()[..100_000].to_vec(),
        };
        let plan = guess(&stored, "wide.csv").unwrap();
        let preview = look(wide.as_bytes(), &plan, Uuid::nil()).unwrap();
        assert!(!preview.complete && (500..1500).contains(&preview.checked), "{}", preview.checked);
        assert_eq!((preview.repeated, preview.refused), (preview.checked - 1, 0));
        assert!(preview.rows.iter().flatten().all(|cell| cell.chars().count() <= 201));
        let preview = look(&wide.as_bytes()[..100_000], &plan, Uuid::nil()).unwrap();
        assert!(preview.complete && preview.checked == 12, "{preview:?}");
    }
}
