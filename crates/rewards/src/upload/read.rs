//! Reading the CSV: which column is what, and what a line must be like.

use std::io::{BufRead, BufReader, Read};

use chrono::{Datelike, Months, NaiveDate};
use csv::{ReaderBuilder, StringRecord};
use kernel::money::Money;
use kernel::{Error, Result};
use messaging::card_code::last4;
use regex::Regex;

use super::{LineProblem, MOST_BYTES};
use crate::actions::brands::pattern;
use crate::store::pools::Target;

/// The longest code and PIN.
const LONGEST: usize = 200;

/// A line of the file.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) code: String,
    pub(super) pin: String,
    pub(super) card_number: String,
    expiry: String,
    cost: String,
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

/// What the brand and the calendar ask of a line.
pub(super) struct Rules {
    code: Option<Regex>,
    pin: Option<Regex>,
    today: NaiveDate,
}

impl Rules {
    pub(super) fn new(target: &Target, today: NaiveDate) -> Result<Self> {
        let compile = |text: &Option<String>| text.as_deref().map(pattern).transpose().map_err(Error::internal);
        Ok(Self { code: compile(&target.code_pattern)?, pin: compile(&target.pin_pattern)?, today })
    }

    /// Everything wrong with a line. No reason repeats a code.
    pub(super) fn check(&self, line: &Line) -> Vec<LineProblem> {
        let mut found = Vec::new();
        match &self.code {
            _ if line.code.is_empty() => found.push(line.problem("code", "required", "there is no code")),
            _ if line.code.len() > LONGEST => found.push(line.problem("code", "too_long", "longer than any code")),
            Some(form) if !form.is_match(&line.code) => {
                found.push(line.problem("code", "format", "not what codes of this brand look like"));
            }
            _ => {}
        }
        match &self.pin {
            _ if line.pin.len() > LONGEST => found.push(line.problem("pin", "too_long", "longer than any PIN")),
            Some(_) if line.pin.is_empty() => {
                found.push(line.problem("pin", "required", "cards of this brand need a PIN"))
            }
            Some(form) if !form.is_match(&line.pin) => {
                found.push(line.problem("pin", "format", "not what PINs of this brand look like"));
            }
            _ => {}
        }
        match line.expiry() {
            None if !line.expiry.is_empty() => {
                found.push(line.problem("expiry", "invalid", "a day such as 2027-12-31 or 12/31/2027"));
            }
            Some(day) if day < self.today => found.push(line.problem("expiry", "expired", "its last day is over")),
            _ => {}
        }
        if !line.cost.is_empty() && line.cost().is_none() {
            found.push(line.problem("cost", "invalid", "an amount such as 23.75"));
        }
        found
    }
}

/// A day as people write it; a month means its last day.
fn day(text: &str) -> Option<NaiveDate> {
    let known = ["%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y"];
    let read = |form| NaiveDate::parse_from_str(text, form).ok().filter(|day| day.year() > 1999);
    let day = known.into_iter().find_map(read).or_else(|| {
        let (month, year) = text.split_once('/').filter(|(_, year)| year.len() == 4)?;
        let first = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)?;
        first.checked_add_months(Months::new(1))?.pred_opt()
    });
    day.filter(|day| kernel::zone::is_sensible(*day))
}

/// Which column holds what.
struct Places {
    code: usize,
    pin: Option<usize>,
    card_number: Option<usize>,
    expiry: Option<usize>,
    cost: Option<usize>,
}

/// The lines of a CSV with a header, in UTF-8, separated by comma, semicolon, tab or pipe.
pub(super) fn lines(reader: impl Read) -> Result<impl Iterator<Item = Result<Line>>> {
    let mut reader = BufReader::with_capacity(64 * 1024, Limited { reader, left: MOST_BYTES, after_return: false });
    let delimiter = delimiter(&mut reader)?;
    let mut csv = ReaderBuilder::new().delimiter(delimiter).flexible(true).trim(csv::Trim::All).from_reader(reader);
    let places = places(csv.headers().map_err(|_| not_text())?)?;
    Ok(csv.into_records().filter_map(move |record| match record {
        Ok(record) if record.iter().all(str::is_empty) => None,
        Ok(record) => Some(Ok(line(&record, &places))),
        Err(error) if error.is_io_error() => Some(Err(too_large())),
        Err(_) => Some(Err(not_text())),
    }))
}

/// A reader that fails where the file is too long (half a file must never look like a whole one), and that ends every
/// line with a line feed alone: the parser counts a carriage return and a line feed as ends of two different lines.
struct Limited<R> {
    reader: R,
    left: u64,
    after_return: bool,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let bytes = self.reader.read(buffer)?;
            let left = self.left.checked_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
            self.left = left.ok_or_else(|| std::io::Error::other("too large"))?;
            let kept = self.line_feeds_only(&mut buffer[..bytes]);
            // nothing kept of something read is not the end
            if kept > 0 || bytes == 0 {
                return Ok(kept);
            }
        }
    }
}

impl<R> Limited<R> {
    fn line_feeds_only(&mut self, bytes: &mut [u8]) -> usize {
        let mut kept = 0;
        for at in 0..bytes.len() {
            let byte = bytes[at];
            if byte != b'\n' || !self.after_return {
                bytes[kept] = if byte == b'\r' { b'\n' } else { byte };
                kept += 1;
            }
            self.after_return = byte == b'\r';
        }
        kept
    }
}

fn too_large() -> Error {
    Error::invalid("file", format!("cannot be read to its end, or is larger than {} MB", MOST_BYTES / 1_000_000))
}

fn not_text() -> Error {
    Error::invalid("file", "not a CSV in UTF-8")
}

/// The separator that stands in the first line most often; skips the byte order mark.
fn delimiter(reader: &mut impl BufRead) -> Result<u8> {
    let begin = reader.fill_buf().map_err(|_| too_large())?;
    let bom = if begin.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let first = begin[bom..].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let often = |separator: u8| first.iter().filter(|byte| **byte == separator).count();
    let best = [b'|', b'\t', b';', b','].into_iter().max_by_key(|separator| often(*separator)).unwrap_or(b',');
    reader.consume(bom);
    Ok(best)
}

fn places(headers: &StringRecord) -> Result<Places> {
    let names: Vec<String> = headers.iter().map(plain).collect();
    let find = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
    let code = find(&["code", "cardcode", "giftcardcode", "claimcode", "redemptioncode"]);
    Ok(Places {
        code: code.ok_or_else(|| Error::invalid("file", "the first line must name a column code"))?,
        pin: find(&["pin", "pincode", "cardpin", "securitycode"]),
        card_number: find(&["number", "cardnumber", "serial", "serialnumber"]),
        expiry: find(&["expiry", "expires", "expiresat", "expirationdate", "expiration", "expirydate"]),
        cost: find(&["cost", "costamount", "price"]),
    })
}

fn plain(header: &str) -> String {
    header.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_lowercase()
}

fn line(record: &StringRecord, places: &Places) -> Line {
    let cell = |place: Option<usize>| {
        place.and_then(|at| record.get(at)).map(kernel::cells::restore).unwrap_or_default().to_owned()
    };
    Line {
        number: record.position().map_or(0, csv::Position::line),
        code: cell(Some(places.code)),
        pin: cell(places.pin),
        card_number: cell(places.card_number),
        expiry: cell(places.expiry),
        cost: cell(places.cost),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<Line>> {
        lines(std::io::Cursor::new(text.as_bytes().to_vec()))?.collect()
    }

    fn rules(code: Option<&str>, pin: Option<&str>) -> Rules {
        let target = Target {
            client_id: None,
            value_amount: Money::from_cents(2500),
            code_pattern: code.map(str::to_owned),
            pin_pattern: pin.map(str::to_owned),
        };
        Rules::new(&target, NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()).unwrap()
    }

    #[test]
    fn any_separator_and_header_is_understood_and_blank_lines_do_not_count() {
        let lines = read("\u{feff}Card Code;PIN;Expiration date\r\n ABC-1 ;77;12/2027\r\n;;\r\nABC-2;;\r\n").unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].code.as_str(), lines[0].pin.as_str(), lines[0].number), ("ABC-1", "77", 2));
        assert_eq!(lines[1].number, 4);
        assert_eq!(day(&lines[0].expiry), NaiveDate::from_ymd_opt(2027, 12, 31));
        assert_eq!(read("pin,number\n1,2\n").err().unwrap().fields()[0].field, "file");
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
            if let Ok(lines) = lines(std::io::Cursor::new(bytes)) {
                for line in lines {
                    let _ = line.map(|line| rules(None, None).check(&line));
                }
            }
        }
    }
}
