//! Reading the CSV: which column is what, and what a line must be like.

use std::io::Read;

use chrono::{Datelike, Months, NaiveDate};
use csv::StringRecord;
use kernel::money::Money;
use kernel::{Error, Result};
use messaging::card_code::last4;
use regex::Regex;

use super::LineProblem;
use super::cell::{Cell, ROUNDED, damage, with_leading_zeros, zeros_behind_kept};
use super::columns::{Places, names_codes, places};
use super::records::{Records, TITLES};
use crate::actions::brands::pattern;
use crate::store::pools::Target;

/// The longest code, PIN and number, in characters.
const LONGEST: usize = 200;

/// A line of the file.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) code: String,
    pub(super) pin: String,
    pub(super) card_number: String,
    expiry: String,
    cost: String,
    value: String,
    currency: String,
    brand: String,
    code_marked: bool,
    is_over: bool,
    damaged: Vec<(&'static str, &'static str, &'static str)>,
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

/// Long numbers of a file that end in zeros: one may be a card's, all of them are a spreadsheet's.
#[derive(Default)]
pub(super) struct Rounded {
    others: usize,
    lines: Vec<LineProblem>,
}

impl Rounded {
    pub(super) fn look_at(&mut self, line: &Line) {
        let is_long = line.code.len() > 15 && line.code.bytes().all(|byte| byte.is_ascii_digit());
        match zeros_behind_kept(&line.code) {
            Some(zeros) if !line.code_marked && zeros < 4 => self.lines.push(line.problem("code", "rounded", ROUNDED)),
            Some(_) if !line.code_marked => {}
            _ => self.others += usize::from(is_long),
        }
    }

    pub(super) fn problems(self) -> Vec<LineProblem> {
        if self.others == 0 && self.lines.len() > 1 { self.lines } else { Vec::new() }
    }
}

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
        let damaged = line.damaged.iter().map(|(column, code, reason)| line.problem(column, code, *reason));
        let mut found: Vec<LineProblem> = damaged.collect();
        let is_whole = |column: &str| !line.damaged.iter().any(|(damaged, ..)| *damaged == column);
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
        if line.is_over {
            found.push(line.problem("status", "used", "the file says that this card is used, over or not active"));
        }
        found
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
fn value(text: &str) -> Option<Money> {
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
fn day(text: &str) -> Option<NaiveDate> {
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

/// The lines of a CSV, in whatever encoding spreadsheets save, separated by comma, semicolon, tab or pipe. Titles above the
/// names of the columns are read over; a file of one column without a name is one of codes. With them the names of the
/// columns that nothing is read from.
pub(super) fn lines(reader: impl Read) -> Result<(Vec<String>, impl Iterator<Item = Result<Line>>)> {
    let mut records = Records::open(reader)?;
    let (mut places, first) = begin(&mut records)?;
    let ignored = std::mem::take(&mut places.ignored);
    let rest = std::iter::from_fn(move || records.next());
    let lines = first.into_iter().map(Ok).chain(rest).filter_map(move |record| match record {
        Ok((_, record)) if record.iter().all(|cell| cell.trim().is_empty()) => None,
        Ok((number, record)) => Some(Ok(line(number, &record, &places))),
        Err(error) => Some(Err(error)),
    });
    Ok((ignored, lines))
}

/// Which column is what, by the first row that names one of codes; and the first cards, where no row does.
fn begin(records: &mut Records<impl Read>) -> Result<(Places, Vec<(u64, StringRecord)>)> {
    let mut first = Vec::new();
    while first.len() < TITLES {
        let Some(record) = records.next() else { break };
        let (number, record) = record?;
        if names_codes(&record) {
            return Ok((places(&record)?, Vec::new()));
        }
        first.push((number, record));
    }
    let is_code = |record: &StringRecord| record.len() == 1 && record[0].bytes().any(|byte| byte.is_ascii_digit());
    if !first.is_empty() && first.iter().all(|(_, record)| is_code(record)) {
        return Ok((Places::codes_only(), first));
    }
    Ok((places(&first.into_iter().next().unwrap_or_default().1)?, Vec::new()))
}

fn line(number: u64, record: &StringRecord, places: &Places) -> Line {
    let mut damaged = Vec::new();
    let mut cell = |column: &'static str, place: Option<usize>| {
        let cell = place.and_then(|at| record.get(at)).map(Cell::read).unwrap_or_default();
        let is_code = matches!(column, "code" | "pin" | "number");
        let found = if is_code { damage(&cell) } else { cell.is_broken.then_some(("line_break", BROKEN)) };
        damaged.extend(found.map(|(word, reason)| (column, word, reason)));
        cell
    };
    let code = cell("code", Some(places.code));
    Line {
        number,
        code_marked: code.marked,
        code: code.text,
        pin: cell("pin", places.pin).text,
        card_number: cell("number", places.card_number).text,
        expiry: cell("expiry", places.expiry).text,
        cost: cell("cost", places.cost).text,
        value: cell("value", places.value).text,
        currency: cell("currency", places.currency).text,
        brand: cell("brand", places.brand).text,
        is_over: places.states.iter().any(|(at, state)| record.get(*at).is_some_and(|cell| state.is_over(cell))),
        damaged,
    }
}

/// A cell that goes over several lines.
const BROKEN: &str = "a line break inside quotes: a quote that is never closed";

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<Line>> {
        lines(std::io::Cursor::new(text.as_bytes().to_vec()))?.1.collect()
    }

    fn rules(code: Option<&str>, pin: Option<&str>) -> Rules {
        let target = Target {
            client_id: None,
            brand_id: uuid::Uuid::nil(),
            brand_name: "Best Buy".into(),
            today: NaiveDate::from_ymd_opt(2026, 3, 2).unwrap(),
            value_amount: Money::from_cents(2500),
            code_pattern: code.map(str::to_owned),
            pin_pattern: pin.map(str::to_owned),
        };
        Rules::new(&target).unwrap()
    }

    #[test]
    fn any_separator_and_header_is_understood_and_blank_lines_do_not_count() {
        let lines = read("\u{feff}Card Code;PIN;Expiration date\r\n ABC-1 ;77;12/2027\r\n;;\r\nABC-2;;\r\n").unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].code.as_str(), lines[0].pin.as_str(), lines[0].number), ("ABC-1", "77", 2));
        assert_eq!(lines[1].number, 4);
        assert_eq!(day(&lines[0].expiry), NaiveDate::from_ymd_opt(2027, 12, 31));
        assert_eq!(read("pin,cost\n1,2\n").err().unwrap().fields()[0].field, "file");
    }

    #[test]
    fn a_line_is_refused_with_its_column_and_never_with_its_code() {
        let rules = rules(Some("[A-Z]{4}-[0-9]{4}"), Some("[0-9]{4}"));
        let lines = read("code,pin,expiry,cost\nABCD-1234,0000,,\nABCD-12345,,2020-01-01,x\n").unwrap();
        assert!(rules.check(&lines[0]).is_empty());
        let found = rules.check(&lines[1]);
        let columns: Vec<_> = found.iter().map(|problem| (problem.column, problem.code)).collect();
        assert_eq!(columns, [("code", "format"), ("pin", "required"), ("expiry", "expired"), ("cost", "invalid")]);
        assert!(found.iter().all(|problem| !problem.reason.contains("ABCD") && problem.last4 == "2345"));
    }

    /// Line, column and word of everything wrong with a file.
    fn wrong(text: &str, rules: &Rules) -> Vec<(u64, &'static str, &'static str)> {
        let mut rounded = Rounded::default();
        let mut found = Vec::new();
        for line in read(text).unwrap() {
            rounded.look_at(&line);
            found.extend(rules.check(&line));
        }
        found.extend(rounded.problems());
        found.iter().map(|problem| (problem.line, problem.column, problem.code)).collect()
    }

    #[test]
    fn a_quote_that_is_never_closed_is_told_with_its_line() {
        let rules = rules(None, None);
        let open = "code,pin\nGOOD-0001,1\n\"HUNT-BBBB-0001,1111\nHUNT-BBBB-0002,2222\nHUNT-BBBB-0003,3333\n";
        assert_eq!(wrong(open, &rules), [(3, "code", "line_break")]);
        assert_eq!(wrong("code,pin\nGOOD-0001,1\n\"HUNT-BBBB-0001,1111", &rules), [(3, "code", "quote")]);
        assert_eq!(wrong("code,pin\nGOOD-0001,1\n\"HUNT-BBBB-0001\n", &rules), [(3, "code", "line_break")]);
        assert_eq!(wrong("code,pin\n\"HUNT-\nBBBB\",1\n", &rules), [(2, "code", "line_break")]);
        assert_eq!(wrong("code,pin\nAAAA-1,\"77\n78\"\n", &rules), [(2, "pin", "line_break")]);
        assert_eq!(
            wrong("code,note\nAAAA-1,\"two\nlines\"\n", &rules),
            [],
            "columns nobody reads are the person's own"
        );
    }

    #[test]
    fn values_currencies_and_brands_are_compared_with_the_pool() {
        let rules = rules(None, None);
        for good in ["25", "$25.00", "25.00 USD", ""] {
            assert_eq!(wrong(&format!("code;Card value\nAB-1;{good}\n"), &rules), [], "{good}");
        }
        assert_eq!(
            wrong("code,Amount\nAB-1,10\nAB-2,x\n", &rules),
            [(2, "value", "mismatch"), (3, "value", "invalid")]
        );
        assert_eq!(wrong("code,currency\nAB-1,USD\nAB-2,EUR\n", &rules), [(3, "currency", "mismatch")]);
        assert_eq!(wrong("code,brand\nAB-1,BestBuy.com\nAB-2,Target\n", &rules), [(3, "brand", "mismatch")]);
        assert!(read("code,Amount (EUR)\nAB-1,25\n").is_err());
        for column in ["Current Balance", "Card balance", "Denom", "Retail Value", "Worth", "Nominal", "Total"] {
            let file = format!("code,{column}\nAB-1,10\n");
            assert_eq!(wrong(&file, &rules), [(2, "value", "mismatch")], "{column}");
        }
        assert_eq!(wrong("code,ccy,Issuer\nAB-1,CAD,Target\n", &rules).len(), 2);
    }

    #[test]
    fn a_card_that_the_file_calls_used_or_over_is_refused_and_columns_that_say_nothing_are_named() {
        let rules = rules(None, None);
        for (column, cell) in [
            ("Status", "Redeemed"),
            ("Card status", "not active"),
            ("Used", "yes"),
            ("Redeemed", "3/2/2026"),
            ("Active", "no"),
            ("Expired", "TRUE"),
            ("Void", "x"),
        ] {
            assert_eq!(wrong(&format!("code,{column}\nAB-1,{cell}\n"), &rules), [(2, "status", "used")], "{column}");
        }
        for (column, cell) in [
            ("Status", "active"),
            ("Status", "unused"),
            ("Status", "Not used"),
            ("Used", "not yet"),
            ("Used", "no"),
            ("Redeemed", ""),
            ("Active", "yes"),
            ("Expired", "0"),
        ] {
            assert_eq!(wrong(&format!("code,{column}\nAB-1,{cell}\n"), &rules), [], "{column} {cell}");
        }
        for (column, cell) in [
            ("Best before", "2020-01-31"),
            ("Use by", "1/31/2020"),
            ("End Date", "2020-01-31"),
            ("Expiry (MM/YY)", "01/20"),
        ] {
            assert_eq!(wrong(&format!("code,{column}\nAB-1,{cell}\n"), &rules), [(2, "expiry", "expired")], "{column}");
        }
        assert_eq!(read("code,CVV\nAB-1,123\n").unwrap()[0].pin, "123");
        let (ignored, _) = lines(Cursor::new(b"code,Note, ,Order No\nAB-1,x,y,z\n".to_vec())).unwrap();
        assert_eq!(ignored, ["Note", "Order No"]);
    }

    #[test]
    fn lost_zeros_are_told_by_the_brands_length_and_rounded_numbers_by_the_file() {
        let sixteen = rules(Some("[0-9]{16}"), Some("[0-9]{4}"));
        assert_eq!(
            wrong("code,pin\n12345678901234,42\n=\"0012345678901234\",=\"0042\"\n", &sixteen),
            [(2, "code", "zeros_lost"), (2, "pin", "zeros_lost")]
        );
        let any = rules(None, None);
        assert_eq!(wrong("code\n6006491234567890\n6006491234567800\n", &any).len(), 2);
        assert_eq!(wrong("code\n6006491234567890\n6006491234567801\n", &any), []);
        assert_eq!(wrong("code\n'6006491234567890\n'6006491234567800\n", &any), [], "marked digits are all there");
    }

    #[test]
    fn headers_are_those_that_people_have() {
        for header in ["Claim code", "eGift Code", "Voucher", "Card Number", "sep=;\nGift card number;PIN"] {
            assert_eq!(read(&format!("{header}\nABCD-1234;1\n")).unwrap().len(), 1, "{header}");
        }
        let both = read("Card Number,Code,Scratch code,Valid thru\n77,ABCD-1234,9,12/2027\n").unwrap();
        assert_eq!(
            (both[0].code.as_str(), both[0].card_number.as_str(), both[0].pin.as_str()),
            ("ABCD-1234", "77", "9")
        );
        assert!(read("code,code\nA,B\n").is_err(), "two columns for one thing");
    }

    #[test]
    fn a_file_is_read_as_programs_save_it() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let table = "Code;PIN\r\nABCD-1;0042\r\n\r\nABCD-2;\r\n";
        let files: [(&str, Vec<u8>, u64); 8] = [
            ("UTF-16 with its mark", [&[0xFF, 0xFE], utf16(table).as_slice()].concat(), 2),
            ("UTF-16 without", utf16(table), 2),
            ("Windows-1252", b"Code;PIN;Caf\xE9\r\nABCD-1;0042;\xE9\r\n\r\nABCD-2;;\r\n".to_vec(), 2),
            ("sep=", format!("sep=;\r\n{table}").into_bytes(), 3),
            ("titles", format!("Order 2026-11;\r\n\r\n{table}").into_bytes(), 4),
            ("tabs below a title", b"Cards, as ordered, 2026\nCode\tPIN\nABCD-1\t0042\n\nABCD-2\t\n".to_vec(), 3),
            ("bars", b"Code|PIN\nABCD-1|0042\n\nABCD-2|\n".to_vec(), 2),
            ("no name", b"ABCD-1\n\nABCD-2\n".to_vec(), 1),
        ];
        for (what, file, first) in files {
            let lines: Vec<Line> = lines(Cursor::new(file)).unwrap().1.map(Result::unwrap).collect();
            let read: Vec<_> = lines.iter().map(|line| (line.number, line.code.as_str())).collect();
            assert_eq!(read, [(first, "ABCD-1"), (first + 2, "ABCD-2")], "{what}");
            assert!(what == "no name" || lines[0].pin == "0042", "{what}");
        }
        let damaged = [b"Code,Caf\xC3\xA9\n".as_slice(), b"AB-\xFF1,\n"].concat();
        let lines: Vec<Line> = lines(Cursor::new(damaged)).unwrap().1.map(Result::unwrap).collect();
        assert_eq!(rules(None, None).check(&lines[0])[0].code, "encoding");
        assert!(read("PK\u{3}\u{4}\n").err().unwrap().fields()[0].message.contains("as CSV"));
    }

    #[test]
    fn days_are_read_as_people_write_them() {
        let expected = NaiveDate::from_ymd_opt(2027, 2, 28);
        for text in ["2027-02-28", "2/28/2027", "02/28/27", "2/2027"] {
            assert_eq!(day(text), expected, "{text}");
        }
        for text in ["", "soon", "2027-02-30", "13/2027"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_file_panics(bytes: Vec<u8>) {
            if let Ok((_, lines)) = lines(std::io::Cursor::new(bytes)) {
                for line in lines {
                    let _ = line.map(|line| rules(None, None).check(&line));
                }
            }
        }
    }
}
