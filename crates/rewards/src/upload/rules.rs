//! What the brand, the pool and the calendar ask of a line.

use chrono::{Datelike, Months, NaiveDate};
use kernel::money::Money;
use kernel::{Error, Result};
use regex::Regex;

use super::LineProblem;
use super::cell::{SCRIPT, SIGN, with_leading_zeros};
use super::read::Line;
use crate::actions::brands::pattern;
use crate::store::pools::Target;

/// The longest code, PIN and number, in characters.
const LONGEST: usize = 200;

/// What the brand, the pool and the calendar ask of a line.
pub(super) struct Rules {
    code: Option<Regex>,
    pin: Option<Regex>,
    value: Money,
    brand: String,
    today: NaiveDate,
}

impl Rules {
    pub(super) fn new(target: &Target) -> Result<Self> {
        let compile = |text: &Option<String>| text.as_deref().map(pattern).transpose().map_err(Error::internal);
        Ok(Self {
            code: compile(&target.code_pattern)?,
            pin: compile(&target.pin_pattern)?,
            value: target.value_amount,
            brand: letters(&target.brand_name),
            today: target.today,
        })
    }

    /// Everything wrong with a line. No reason repeats a code.
    pub(super) fn check(&self, line: &Line) -> Vec<LineProblem> {
        let damaged: Vec<_> =
            line.damaged.iter().filter(|(column, word, _)| !self.is_meant(line, column, word)).collect();
        let is_whole = |column: &str| !damaged.iter().any(|(damaged, ..)| *damaged == column);
        let mut found: Vec<LineProblem> =
            damaged.iter().map(|(column, word, reason)| line.problem(column, word, *reason)).collect();
        if is_whole("code") {
            found.extend(self.check_code(line));
        }
        if is_whole("pin") {
            found.extend(self.check_pin(line));
        }
        if line.card_number.chars().count() > LONGEST {
            found.push(line.problem("number", "too_long", "longer than any card number"));
        }
        found.extend(self.check_expiry(line));
        found.extend(self.check_money(line));
        found.extend(line.state.map(|(word, reason)| line.problem("status", word, reason)));
        found
    }

    /// Whether a sign that codes seldom have belongs to those of this brand.
    fn is_meant(&self, line: &Line, column: &str, word: &str) -> bool {
        let (form, text) = match column {
            "code" => (&self.code, &line.code),
            "pin" => (&self.pin, &line.pin),
            _ => return false,
        };
        [SIGN, SCRIPT].contains(&word) && form.as_ref().is_some_and(|form| form.is_match(text))
    }

    /// Whether the brand says what its codes look like.
    pub(super) fn knows_codes(&self) -> bool {
        self.code.is_some()
    }

    /// Whether the brand says what its PINs look like.
    pub(super) fn knows_pins(&self) -> bool {
        self.pin.is_some()
    }

    /// Whether a cell is an amount that is written as money; and if so, whether it is what the pool's cards are worth.
    pub(super) fn is_worth(&self, cell: &str) -> Option<bool> {
        let cents = |text: &str| text.rsplit_once('.').is_some_and(|(_, cents)| cents.len() == 2);
        let is_money = cell.contains(['$', '€', '£']) || cell.to_lowercase().contains("usd") || cents(cell);
        value(cell).filter(|_| is_money).map(|value| value == self.value)
    }

    /// Whether a cell is a day; and if so, whether it is still to come.
    pub(super) fn is_to_come(&self, cell: &str) -> Option<bool> {
        day(cell.split(['T', ' ']).next()?).map(|day| day >= self.today)
    }

    fn check_code(&self, line: &Line) -> Option<LineProblem> {
        match &self.code {
            _ if line.code.is_empty() => Some(line.problem("code", "required", "there is no code")),
            _ if line.code.chars().count() > LONGEST => Some(line.problem("code", "too_long", "longer than any code")),
            Some(form) if !form.is_match(&line.code) => {
                let (word, reason) = mismatch(form, &line.code, "not what codes of this brand look like");
                Some(line.problem("code", word, reason))
            }
            _ => None,
        }
    }

    fn check_pin(&self, line: &Line) -> Option<LineProblem> {
        match &self.pin {
            _ if line.pin.chars().count() > LONGEST => Some(line.problem("pin", "too_long", "longer than any PIN")),
            Some(_) if line.pin.is_empty() => Some(line.problem("pin", "required", "cards of this brand need a PIN")),
            Some(form) if !form.is_match(&line.pin) => {
                let (word, reason) = mismatch(form, &line.pin, "not what PINs of this brand look like");
                Some(line.problem("pin", word, reason))
            }
            _ => None,
        }
    }

    fn check_expiry(&self, line: &Line) -> Option<LineProblem> {
        match line.expiry() {
            None if !line.expiry.is_empty() => {
                Some(line.problem("expiry", "invalid", "a day such as 2027-12-31 or 12/31/2027"))
            }
            Some(day) if day < self.today => Some(line.problem("expiry", "expired", "its last day is over")),
            _ => None,
        }
    }

    fn check_money(&self, line: &Line) -> Vec<LineProblem> {
        let mut found = Vec::new();
        if !line.cost.is_empty() && line.cost().is_none() {
            found.push(line.problem("cost", "invalid", "an amount such as 23.75"));
        }
        match value(&line.value) {
            None if !line.value.is_empty() => found.push(line.problem("value", "invalid", "an amount such as 25.00")),
            Some(value) if value != self.value => {
                found.push(line.problem(
                    "value",
                    "mismatch",
                    format!("worth {value}, and cards of this pool {}", self.value),
                ));
            }
            _ => {}
        }
        if !is_dollars(&line.currency) {
            found.push(line.problem("currency", "mismatch", "cards are in US dollars"));
        }
        let brand = letters(&line.brand);
        if !brand.is_empty() && !brand.contains(&self.brand) && !self.brand.contains(&brand) {
            found.push(line.problem("brand", "mismatch", "another brand than the pool's"));
        }
        found
    }
}

/// Why a text does not match: nearly always the zeros in front that a spreadsheet drops.
fn mismatch(form: &Regex, text: &str, otherwise: &'static str) -> (&'static str, &'static str) {
    if with_leading_zeros(text).any(|padded| form.is_match(&padded)) {
        return ("zeros_lost", "a spreadsheet dropped the zeros in front: export it again with the column as text");
    }
    ("format", otherwise)
}

/// An amount in dollars, with or without the currency beside it.
pub(super) fn value(text: &str) -> Option<Money> {
    let text = text.trim();
    let bare =
        ["USD", "US$", "usd"].iter().find_map(|word| text.strip_prefix(word).or_else(|| text.strip_suffix(word)));
    bare.unwrap_or(text).trim().parse::<Money>().ok()
}

fn is_dollars(text: &str) -> bool {
    text.is_empty()
        || ["usd", "us$", "$", "dollar", "dollars", "us dollar", "us dollars", "840"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word))
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A day as people write it; a month means its last day.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    let known = ["%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y"];
    let read = |form| NaiveDate::parse_from_str(text, form).ok().filter(|day| day.year() > 1999);
    let day = known.into_iter().find_map(read).or_else(|| {
        let (month, year) = text.split_once('/').filter(|(_, year)| [2, 4].contains(&year.len()))?;
        let century = if year.len() == 2 { 2000 } else { 0 };
        let first = NaiveDate::from_ymd_opt(century + year.parse::<i32>().ok()?, month.parse().ok()?, 1)?;
        first.checked_add_months(Months::new(1))?.pred_opt()
    });
    day.filter(|day| kernel::zone::is_sensible(*day))
}
