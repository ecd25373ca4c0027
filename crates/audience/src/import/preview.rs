//! A look into the file before anything is written: its layout, its first rows, its problems.

use std::io::Read;

use kernel::{Error, Result};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::field::Field;
use super::headers;
use super::met::{Is, Met, Other};
use super::options::{OnDuplicate, Unmapped};
use super::plan::{Plan, Question, best_dedupe};
use super::prepared::{Prepared, Refused, Remark};
use super::read;
use super::row::Preparer;
use super::rows::Item;
use super::source::Stored;
use super::table::{self, Said, Table};
use super::words;
use crate::contacts::names::Name;
use crate::contacts::shown_name;

/// Rows shown.
const SHOWN: usize = 10;
/// Rows checked before anything is written; the report counts all of them.
const CHECKED: i64 = 10_000;
/// Bytes of the file after which no further row is checked; long rows make that earlier than [`CHECKED`].
const CHECKED_BYTES: u64 = 8 * 1024 * 1024;
/// Columns a file may have: more is no table of people, and the page that matches them must be readable.
const MOST_COLUMNS: usize = 500;
/// Filled cells looked for in a column that is empty where the file begins.
const LATER: usize = 200;
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
    /// Of the rows checked, those that repeat the code, e-mail or phone of an earlier one.
    pub repeated: i64,
    /// Of those, the ones that do so under another name and are kept as people of their own.
    pub apart: i64,
    /// Of those, the ones that do so by a code, and are refused.
    #[serde(skip)]
    pub taken: i64,
    /// Whether so many rows repeat an earlier one that the import stops unless that is said to be meant.
    pub mostly_repeats: bool,
    /// What has to be answered before the import can begin.
    pub questions: Vec<Question>,
    /// What is good to know of how the file is read.
    pub notes: Vec<String>,
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

/// The first filled cells of some columns.
pub(super) type Later = (usize, Vec<String>);

/// How a file is probably meant, by how it begins and by what is read `later` in columns that are empty there; and the
/// columns of which only that would tell.
///
/// # Errors
/// Names `file` when there is no table in it.
pub(super) fn guess(stored: &Stored, filename: &str, said: Said, later: &[Later]) -> Result<(Plan, Vec<usize>)> {
    if let Some(what) = kernel::encoding::not_text(&stored.head) {
        return Err(Error::invalid("file", what));
    }
    let Some(Table { delimiter, first_line, has_header, unclear, first, rows }) =
        table::find(&stored.head, stored.encoding, said)
    else {
        return Err(Error::invalid("file", "there is no row in this file"));
    };
    if first.len() > MOST_COLUMNS {
        let problem =
            format!("the first row has {}; a file can have {MOST_COLUMNS}", web::view::count(first.len(), "column"));
        return Err(Error::invalid("file", problem));
    }
    if rows.is_empty() && has_header && stored.total_bytes <= stored.head.len() as i64 {
        return Err(Error::invalid("file", "there are only names of columns in this file and no row below them"));
    }
    let names: Vec<String> =
        first.iter().enumerate().map(|(index, name)| header_name(index, name, has_header)).collect();
    let mut columns: Vec<Vec<String>> =
        (0..names.len()).map(|index| rows.iter().filter_map(|row| row.get(index).cloned()).collect()).collect();
    let is_empty = |index: &usize| columns[*index].iter().all(|cell| cell.trim().is_empty());
    let is_unseen = |index: &usize| is_empty(index) && headers::may_refuse(&names[*index]);
    let is_whole = rows.len() < table::SAMPLE && stored.total_bytes <= stored.head.len() as i64;
    let unseen = if is_whole { Vec::new() } else { (0..names.len()).filter(is_unseen).collect() };
    for (index, cells) in later {
        columns[*index].extend(cells.iter().cloned());
    }
    let found = headers::suggest(&names, &columns, Unmapped::CustomFields);
    let targets: Vec<_> = found.columns.iter().map(|found| found.target.clone()).collect();
    let plan = Plan {
        encoding: stored.encoding,
        delimiter: char::from(delimiter),
        has_header,
        dedupe: best_dedupe(&targets),
        targets,
        confidence: found.columns.iter().map(|found| found.confidence).collect(),
        asks: found.columns.iter().map(|found| found.ask).collect(),
        spares: found.spares,
        labels: found.labels,
        on_duplicate: OnDuplicate::Skip,
        list_name: list_name(filename),
        file_hash: stored.hash.clone(),
        first_line,
        header_unclear: unclear,
        allow_repeats: false,
        address_lines: headers::address_lines(&names),
        headers: names,
        called_out: headers::is_called_out(filename),
        everybody: None,
    };
    Ok((plan, unseen))
}

/// The first filled cells of some columns, however far down they stand.
///
/// # Errors
/// Only what the source of the bytes answers.
pub(super) fn first_cells(source: impl Read, plan: &Plan, columns: &[usize]) -> Result<Vec<Later>> {
    let mut rows = read::open(source, plan)?;
    let mut later: Vec<Later> = columns.iter().map(|column| (*column, Vec::new())).collect();
    while later.iter().any(|(_, cells)| cells.len() < LATER) {
        let Some(item) = rows.next().map_err(Error::internal)? else { break };
        let Item::Row(row) = item else { continue };
        for (column, cells) in later.iter_mut().filter(|(_, cells)| cells.len() < LATER) {
            let cell = row.cell(*column).trim();
            cells.extend((!cell.is_empty()).then(|| cell.to_owned()));
        }
    }
    Ok(later)
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

/// Reads the file as `plan` says without writing anything.
///
/// # Errors
/// Only what the source of the bytes answers.
pub(super) fn look(source: impl Read, plan: &Plan, client_id: Uuid) -> Result<Preview> {
    let mut rows = read::open(source, plan)?;
    let preparer = Preparer::new(plan, client_id);
    let (questions, notes) = (plan.questions(), plan.notes());
    let mut preview = Preview { complete: true, questions, notes, ..Preview::default() };
    let mut seen = Seen::new(&preparer);
    while preview.checked < CHECKED && rows.bytes_read() < CHECKED_BYTES {
        let Some(item) = rows.next().map_err(Error::internal)? else { return Ok(preview.judged()) };
        if let Item::Row(row) = &item
            && preview.rows.len() < SHOWN
        {
            preview.rows.push((0..plan.headers.len()).map(|index| words::shown(row.cell(index))).collect());
        }
        let hopeless = matches!(item, Item::Hopeless { .. });
        preview.take(read::prepare(&preparer, item), &mut seen);
        if hopeless {
            preview.complete = false;
            return Ok(preview.judged());
        }
    }
    preview.complete = rows.next().map_err(Error::internal)?.is_none();
    Ok(preview.judged())
}

/// Whether so many of some rows repeat an earlier one that most of the people in them would be lost in others: more than
/// half, or all of them one or two. Those with another name are not lost; when they are most, the address is an office's.
pub(super) fn mostly_repeat(rows: i64, repeated: i64, apart: i64) -> bool {
    let lost = repeated - apart;
    (repeated > 1 && repeated * 2 > rows) || (lost > 1 && rows - lost <= 2)
}

impl Preview {
    fn judged(mut self) -> Self {
        self.mostly_repeats = mostly_repeat(self.whole(), self.repeated, self.apart);
        self
    }

    /// Rows that can be read, whoever they are about.
    pub fn whole(&self) -> i64 {
        self.checked - self.refused + self.taken
    }

    /// What the rows come to that share an address with somebody of another name.
    pub fn about_apart(&self) -> Option<String> {
        (self.apart > 0).then(|| {
            format!(
                "{} an earlier row's e-mail or phone under another name. They are kept as people of their own; say allow_repeats=true to make one person of each address.",
                format_args!("{} {}", web::view::count(self.apart, "row"), if self.apart == 1 { "has" } else { "have" })
            )
        })
    }

    /// What the repeats would come to, and what to say if they are meant.
    pub fn about_repeats(&self) -> String {
        let rows = self.whole();
        format!(
            "{} of {} repeat an earlier one, so that only {} would be left. See which column tells people apart (map, dedupe), or say allow_repeats=true if the file is meant so.",
            self.repeated,
            web::view::count(rows, "row"),
            web::view::count(rows - self.repeated, "person")
        )
    }

    fn take(&mut self, row: std::result::Result<Prepared, Refused>, seen: &mut Seen<'_>) {
        self.checked += 1;
        let remarks = match row.and_then(|row| seen.take(row, self)) {
            Ok(remarks) => {
                self.flagged += i64::from(!remarks.is_empty());
                remarks
            }
            Err(refused) => {
                self.refused += 1;
                vec![refused.remark]
            }
        };
        let room = LISTED.saturating_sub(self.problems.len());
        self.problems.extend(remarks.iter().take(room).map(PreviewProblem::from));
    }
}

/// Whom the rows so far are about.
struct Seen<'a> {
    preparer: &'a Preparer<'a>,
    met: Met,
    people: Vec<(u64, String, String)>,
}

impl<'a> Seen<'a> {
    fn new(preparer: &'a Preparer<'a>) -> Self {
        Self { preparer, met: Met::default(), people: Vec::new() }
    }

    /// Counts a row that repeats an earlier one; what is to be said of it, or why it would be refused.
    fn take(&mut self, mut row: Prepared, preview: &mut Preview) -> std::result::Result<Vec<Remark>, Refused> {
        let name = |index: usize| {
            let (_, first, last) = &self.people[index];
            Name::of(first, last)
        };
        let is = self.met.find(&row, self.preparer.plan().tells_apart().then_some(&name));
        preview.repeated += i64::from(is != Is::New);
        let index = match is {
            Is::New => None,
            Is::Same(index) => Some(index),
            Is::Apart(key, other) => {
                preview.apart += 1;
                self.preparer.keep_apart(&mut row, &key, &self.other(other));
                self.met.has_code(&row.code)
            }
            Is::Taken(other) => {
                preview.taken += 1;
                return Err(self.preparer.refuse_code(row, &self.other(other)));
            }
        };
        self.met.know(&row, index.unwrap_or(self.people.len()), true);
        if index.is_none() {
            let text = |field| row.text(field).to_owned();
            self.people.push((row.line, text(Field::FirstName), text(Field::LastName)));
        }
        Ok(row.remarks)
    }

    fn other(&self, index: usize) -> Other {
        let (line, first, last) = &self.people[index];
        Other { line: Some(*line), name: shown_name(first, last) }
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
            encoding: crate::import::Encoding::Utf8,
            hash: String::new(),
            head: wide.as_bytes()[..100_000].to_vec(),
        };
        let (plan, _) = guess(&stored, "wide.csv", Said::default(), &[]).unwrap();
        let preview = look(wide.as_bytes(), &plan, Uuid::nil()).unwrap();
        assert!(!preview.complete && (500..1500).contains(&preview.checked), "{}", preview.checked);
        assert_eq!((preview.repeated, preview.refused), (preview.checked - 1, 0));
        assert!(preview.rows.iter().flatten().all(|cell| cell.chars().count() <= 201));
        let preview = look(&wide.as_bytes()[..100_000], &plan, Uuid::nil()).unwrap();
        assert!(preview.complete && preview.checked == 12, "{preview:?}");
    }
}
