//! Reading the CSV: which column is what, and where a row begins and ends.

use std::io::Read;

use chrono::NaiveDate;
use csv::StringRecord;
use kernel::Result;
use kernel::money::Money;
use messaging::card_code::last4;

use super::LineProblem;
use super::cell::{Cell, damage};
use super::columns::{Places, may_name_codes, names_codes, places};
use super::records::{Records, Row, TITLES};
use super::rules::day;

/// A line of the file.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) code: String,
    pub(super) pin: String,
    pub(super) card_number: String,
    pub(super) expiry: String,
    pub(super) cost: String,
    pub(super) value: String,
    pub(super) currency: String,
    pub(super) brand: String,
    pub(super) code_marked: bool,
    pub(super) pin_marked: bool,
    /// What is wrong with the card, as the file says itself.
    pub(super) state: Option<(&'static str, &'static str)>,
    /// Column, word and reason of what a program made of its cells.
    pub(super) damaged: Vec<(&'static str, &'static str, &'static str)>,
    /// All of its cells.
    pub(super) cells: StringRecord,
}

impl Line {
    pub(super) fn cost(&self) -> Option<Money> {
        self.cost.parse::<Money>().ok().filter(|cost| *cost >= Money::ZERO)
    }

    pub(super) fn expiry(&self) -> Option<NaiveDate> {
        day(&self.expiry)
    }

    pub(super) fn problem(&self, column: &'static str, code: &'static str, reason: impl Into<String>) -> LineProblem {
        LineProblem { line: self.number, column, code, reason: reason.into(), last4: last4(&self.code) }
    }
}

/// What the names of a file say, beside which column is read.
pub(super) struct Header {
    /// Whether the column of the codes may as well number the rows.
    pub(super) is_vague: bool,
    /// Whether there is a column of values.
    pub(super) has_value: bool,
    /// Whether there is a column of last days.
    pub(super) has_expiry: bool,
    /// Columns that nothing is read from, with their names.
    pub(super) ignored: Vec<(usize, String)>,
}

/// The lines of a CSV, in whatever encoding spreadsheets save, separated by comma, semicolon, tab or pipe. Titles above the
/// names of the columns are read over; a file of one column without a name is one of codes.
pub(super) fn lines(reader: impl Read) -> Result<(Header, impl Iterator<Item = Result<Line>>)> {
    let mut records = Records::open(reader)?;
    let separator = records.separator;
    let (mut places, first) = begin(&mut records)?;
    let header = Header {
        is_vague: places.is_vague,
        has_value: places.value.is_some(),
        has_expiry: places.expiry.is_some(),
        ignored: std::mem::take(&mut places.ignored),
    };
    let rest = std::iter::from_fn(move || records.next());
    let lines = first.into_iter().map(Ok).chain(rest).filter_map(move |row| match row {
        Ok(row) if row.cells.iter().all(|cell| cell.trim().is_empty()) => None,
        Ok(row) => Some(Ok(line(row, &places, separator))),
        Err(error) => Some(Err(error)),
    });
    Ok((header, lines))
}

/// Which column is what, by the first row that names one of codes; and the first cards, where they were read already.
fn begin(records: &mut Records<impl Read>) -> Result<(Places, Vec<Row>)> {
    let mut first: Vec<Row> = Vec::new();
    while first.len() < TITLES {
        let Some(row) = records.next() else { break };
        let row = row?;
        if names_codes(&row.cells) {
            return Ok((places(&row.cells)?, Vec::new()));
        }
        first.push(row);
    }
    if let Some(at) = first.iter().position(|row| may_name_codes(&row.cells)) {
        let cards = first.split_off(at + 1);
        return Ok((places(&first[at].cells)?, cards));
    }
    let is_code = |row: &Row| row.cells.len() == 1 && row.cells[0].bytes().any(|byte| byte.is_ascii_digit());
    if !first.is_empty() && first.iter().all(is_code) {
        return Ok((Places::codes_only(), first));
    }
    Ok((places(&first.into_iter().next().map(|row| row.cells).unwrap_or_default())?, Vec::new()))
}

fn line(row: Row, places: &Places, separator: char) -> Line {
    let mut damaged = Vec::new();
    let mut cell = |column: &'static str, place: Option<usize>| {
        let cell = place.and_then(|at| row.cells.get(at)).map(Cell::read).unwrap_or_default();
        let is_code = matches!(column, "code" | "pin" | "number");
        let found = if is_code { damage(&cell) } else { cell.is_broken.then_some(("line_break", BROKEN)) };
        damaged.extend(found.map(|(word, reason)| (column, word, reason)));
        cell
    };
    let (code, pin) = (cell("code", Some(places.code)), cell("pin", places.pin));
    let card_number = cell("number", places.card_number).text;
    let expiry = cell("expiry", places.expiry).text;
    let cost = cell("cost", places.cost).text;
    let value = cell("value", places.value).text;
    let currency = cell("currency", places.currency).text;
    let brand = cell("brand", places.brand).text;
    if damaged.is_empty() {
        damaged.extend(misfit(&row, places, separator).map(|(word, reason)| ("row", word, reason)));
    }
    let mut states = places.states.iter().filter_map(|(at, state)| state.wrong(row.cells.get(*at)?));
    Line {
        number: row.number,
        code_marked: code.marked,
        code: code.text,
        pin_marked: pin.marked,
        pin: pin.text,
        card_number,
        expiry,
        cost,
        value,
        currency,
        brand,
        state: states.next(),
        damaged,
        cells: row.cells,
    }
}

/// A cell that goes over several lines.
const BROKEN: &str = "a line break inside quotes: a quote that is never closed";

/// Why a row as a whole is none of this table: its cells stand in other columns than they were meant for, or hide cards.
fn misfit(row: &Row, places: &Places, separator: char) -> Option<(&'static str, &'static str)> {
    let cells = &row.cells;
    if row.is_open {
        return Some(("quote", "a quote that is never closed: what follows it was taken for one cell"));
    }
    let is_filled = |cell: &str| !cell.trim().is_empty();
    let is_broken = cells.iter().any(|cell| cell.contains('\n'));
    if cells.len() > places.width && (is_broken || cells.iter().skip(places.width).any(is_filled)) {
        return Some(("too_many_cells", "more cells than there are names: put quotes around what holds a separator"));
    }
    if (2..places.named).contains(&cells.len()) {
        return Some(("too_few_cells", "fewer cells than there are names: an empty cell needs its separator, too"));
    }
    if cells.iter().any(|cell| swallows(cell, separator, places.width)) {
        return Some((
            "line_break",
            "a line break inside quotes that may hide cards: close the quote, or take the line break out",
        ));
    }
    places.are_named_again(cells).then_some(("names", "the names of the columns once more: take this line out"))
}

/// Whether a cell of several lines may hold rows: then it has as many separators as they had.
fn swallows(cell: &str, separator: char, width: usize) -> bool {
    let separators = |text: &str| text.matches(separator).count();
    let breaks = cell.lines().filter(|line| !line.trim().is_empty()).count().saturating_sub(1);
    let is_row = |line: &str| separators(line) + 1 >= width;
    width > 1 && breaks > 0 && (separators(cell) >= breaks * (width - 1) || cell.lines().skip(1).any(is_row))
}
