//! What only a whole file tells: zeros that a spreadsheet dropped or made, a column that numbers its rows, and columns that
//! nothing is read from although they hold what a card has.

use std::collections::BTreeMap;

use kernel::{Error, Result};

use super::LineProblem;
use super::cell::{ROUNDED, zeros_behind_kept};
use super::columns::asked;
use super::read::{Header, Line};
use super::rules::Rules;

/// Card numbers have at least so many digits, and those of one brand as many as each other.
const CARD_DIGITS: usize = 12;
/// The shortest code that is told from the number of a row.
const SHORTEST: usize = 8;

/// Everything that was seen of a file.
pub(super) struct Whole {
    is_vague: bool,
    codes: Digits,
    pins: Digits,
    rounded: Rounded,
    unread: Vec<Unread>,
    row_numbers: Vec<LineProblem>,
}

impl Whole {
    pub(super) fn new(header: Header) -> Self {
        let unread = |(at, name)| Unread {
            at,
            name,
            is_filled: false,
            keys: header.is_vague.then_some(true),
            money: (!header.has_value).then_some(false),
            days: (!header.has_expiry).then_some(false),
            before: String::new(),
        };
        Self {
            is_vague: header.is_vague,
            codes: Digits::default(),
            pins: Digits::default(),
            rounded: Rounded::default(),
            unread: header.ignored.into_iter().map(unread).collect(),
            row_numbers: Vec::new(),
        }
    }

    /// The columns that nothing was read from.
    pub(super) fn ignored(&self) -> Vec<String> {
        self.unread.iter().map(|column| column.name.clone()).collect()
    }

    pub(super) fn look_at(&mut self, line: &Line, rules: &Rules) {
        self.rounded.look_at(line);
        self.codes.look_at(line, &line.code, line.code_marked);
        self.pins.look_at(line, &line.pin, line.pin_marked);
        if self.is_vague && (1..SHORTEST).contains(&line.code.chars().count()) {
            let reason = "looks like the number of a row: name the column of the codes code";
            self.row_numbers.push(line.problem("code", "row_number", reason));
        }
        for column in &mut self.unread {
            column.look_at(line.cells.get(column.at).unwrap_or_default().trim(), rules);
        }
    }

    /// What is wrong with lines, now that all are known.
    ///
    /// # Errors
    /// Names `file` when a column that nothing was read from must be meant for something.
    pub(super) fn problems(self, rules: &Rules) -> Result<Vec<LineProblem>> {
        self.unread.iter().try_for_each(Unread::ask)?;
        let mut found = self.rounded.problems();
        if !rules.knows_codes() {
            found.extend(self.codes.problems("code"));
        }
        if !rules.knows_pins() {
            found.extend(self.pins.problems("pin"));
        }
        found.extend(self.row_numbers);
        Ok(found)
    }
}

/// Long numbers of a file that end in zeros: one may be a card's, all of them are a spreadsheet's.
#[derive(Default)]
struct Rounded {
    others: usize,
    lines: Vec<LineProblem>,
}

impl Rounded {
    fn look_at(&mut self, line: &Line) {
        let is_long = line.code.len() > 15 && line.code.bytes().all(|byte| byte.is_ascii_digit());
        match zeros_behind_kept(&line.code) {
            Some(zeros) if !line.code_marked && zeros < 4 => self.lines.push(line.problem("code", "rounded", ROUNDED)),
            Some(_) if !line.code_marked => {}
            _ => self.others += usize::from(is_long),
        }
    }

    fn problems(self) -> Vec<LineProblem> {
        if self.others == 0 && self.lines.len() > 1 { self.lines } else { Vec::new() }
    }
}

/// A column of nothing but digits, by how many there are: where some are shorter, a spreadsheet dropped their zeros in front.
#[derive(Default)]
struct Digits {
    has_others: bool,
    lengths: BTreeMap<usize, Length>,
}

/// Values of one length.
#[derive(Default)]
struct Length {
    values: usize,
    begins_with_zero: bool,
    /// Line and last four of those that may have lost something.
    bare: Vec<(u64, String)>,
}

impl Digits {
    fn look_at(&mut self, line: &Line, text: &str, is_marked: bool) {
        if text.is_empty() {
            return;
        }
        // also what is refused by itself says nothing of the others
        if text.len() > 40 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            self.has_others = true;
            self.lengths.clear();
        }
        if self.has_others {
            return;
        }
        let length = self.lengths.entry(text.len()).or_default();
        length.values += 1;
        let begins_with_zero = text.starts_with('0');
        length.begins_with_zero |= begins_with_zero;
        if !is_marked && !begins_with_zero {
            length.bare.push((line.number, messaging::card_code::last4(&line.code)));
        }
    }

    fn problems(mut self, column: &'static str) -> Vec<LineProblem> {
        let Some((most, longest)) = self.lengths.pop_last() else { return Vec::new() };
        let others: usize = self.lengths.values().map(|length| length.values).sum();
        let is_card_number = most >= CARD_DIGITS && longest.values >= others;
        let lost = |length: usize| longest.begins_with_zero || (is_card_number && length + 2 >= most);
        let lines = self.lengths.into_iter().filter(|(length, _)| lost(*length)).flat_map(|(_, length)| length.bare);
        lines
            .map(|(line, last4)| LineProblem {
                line,
                column,
                code: "zeros_lost",
                reason:
                    "shorter than the others, as if zeros in front were dropped: export it again with the column as \
                         text; an apostrophe in front says that it is whole"
                        .into(),
                last4,
            })
            .collect()
    }
}

/// A column that nothing is read from.
struct Unread {
    at: usize,
    name: String,
    is_filled: bool,
    /// Whether all of it looks like codes. `None`, here and below: this is not asked, or no more.
    keys: Option<bool>,
    /// While all of it is money: whether some is another amount than the pool's.
    money: Option<bool>,
    /// While all of it are days: whether some are still to come.
    days: Option<bool>,
    before: String,
}

impl Unread {
    fn look_at(&mut self, cell: &str, rules: &Rules) {
        if cell.is_empty() || (self.keys.is_none() && self.money.is_none() && self.days.is_none()) {
            return;
        }
        self.is_filled = true;
        self.money = self.money.and_then(|other| Some(other | !rules.is_worth(cell)?));
        self.days = self.days.and_then(|later| Some(later | rules.is_to_come(cell)?));
        if self.keys.is_some() {
            let has = |kind: fn(&char) -> bool| cell.chars().any(|c| kind(&c));
            let mixed = has(char::is_ascii_digit) && has(char::is_ascii_alphabetic);
            let is_key = cell.len() >= SHORTEST && mixed && !cell.contains([' ', '@']) && cell != self.before;
            self.keys = is_key.then_some(true);
            cell.clone_into(&mut self.before);
        }
    }

    fn ask(&self) -> Result<()> {
        let yes = |found: Option<bool>| self.is_filled && found == Some(true);
        if yes(self.keys) {
            let problem = format!("the column “{}” looks like codes, too: name the one with the codes code", self.name);
            return Err(Error::invalid("file", problem));
        }
        if yes(self.money) {
            return Err(asked(&self.name, "value"));
        }
        if yes(self.days) { Err(asked(&self.name, "expiry")) } else { Ok(()) }
    }
}
