//! What a spreadsheet does to a code, and how to tell. A damaged code looks like a code, and nobody can buy with it.

use chrono::{Datelike, NaiveDate};
use messaging::card_code::{Case, normalise};

/// Digits that a spreadsheet keeps of a number; what comes behind becomes zeros.
const KEPT_DIGITS: usize = 15;

/// A cell as it was meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// Without the marks that keep a spreadsheet from counting with it.
    pub(super) text: String,
    /// Whether there were marks: its digits are all there then.
    pub(super) marked: bool,
    /// Whether the quotes around it hold a line break.
    pub(super) is_broken: bool,
}

impl Cell {
    /// Takes off blanks, the marks `="…"` and `'…`, and the quotes of word processors.
    pub(super) fn read(raw: &str) -> Self {
        let is_broken = raw.contains(['\n', '\r']);
        let blank = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\u{200e}' | '\u{200f}');
        let trimmed = raw.trim_matches(blank);
        let formula = trimmed.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
        let quoted = trimmed.strip_prefix(['\'', '‘', '’']).map(|rest| rest.strip_suffix(['\'', '’']).unwrap_or(rest));
        let curly = trimmed.strip_prefix(QUOTES).map(|rest| rest.strip_suffix(QUOTES).unwrap_or(rest));
        let unmarked = formula.or(quoted).or(curly);
        Self { text: unmarked.unwrap_or(trimmed).trim_matches(blank).to_owned(), marked: unmarked.is_some(), is_broken }
    }
}

/// Quotes that no program reads as such.
const QUOTES: [char; 7] = ['“', '”', '„', '«', '»', '`', '´'];

/// Why a text is no code but what a program made of one: a stable word, and a reason for people.
pub(super) fn damage(cell: &Cell) -> Option<(&'static str, &'static str)> {
    let text = cell.text.as_str();
    if cell.is_broken {
        return Some((
            "line_break",
            "a line break inside quotes: a quote that is never closed, or a code in two halves",
        ));
    }
    if text.contains('\u{fffd}') {
        return Some(("encoding", "characters that cannot be read: save the file as CSV in UTF-8"));
    }
    // wide and other forms of letters and digits are the plain ones
    let plain = if text.is_ascii() { text.to_owned() } else { normalise(text, Case::Matters) };
    if is_scientific(text) || is_scientific(&plain) {
        return Some((
            "scientific",
            "a spreadsheet made a rounded number of it: export it again with the column as text",
        ));
    }
    if is_masked(text) {
        return Some(("masked", "only the end of a code: get the file with the codes in full"));
    }
    if text.contains(['"', ',', ';', '\t', '|']) {
        return Some(("quote", "a quote or a separator inside: a quote that is never closed"));
    }
    if is_spreadsheet_error(text) {
        return Some(("spreadsheet_error", "an error of the spreadsheet, or a column too narrow to show it"));
    }
    if text.starts_with('=') {
        return Some(("formula", "a formula and no code"));
    }
    if is_date(text) {
        return Some(("date", "a spreadsheet made a date of it: export it again with the column as text"));
    }
    if is_placeholder(text) {
        return Some(("placeholder", "a word or a sign that stands for nothing"));
    }
    if kernel::cells::is_total(text) || is_count(text) {
        return Some(("total", "a line of totals and no card: take it out"));
    }
    if !cell.marked && zeros_behind_kept(text).is_some_and(|zeros| zeros >= 4) {
        return Some(("rounded", ROUNDED));
    }
    if is_decimal(text) {
        return Some(("number", "a number with decimals: export it again with the column as text"));
    }
    if is_text(text) {
        return Some(("not_a_code", "text, an address or part of a page, and no code"));
    }
    if plain.chars().any(|c| c.is_alphanumeric() && !c.is_ascii()) {
        return Some((
            SCRIPT,
            "letters or digits of another script: type them again, or have the brand's pattern allow them",
        ));
    }
    let is_edge = |c: char| !c.is_alphanumeric();
    let has_edge = !text.contains("://") && (text.starts_with(is_edge) || text.ends_with(is_edge));
    has_edge.then_some((SIGN, "a sign in front or behind: take it off, or have the brand's pattern allow it"))
}

/// What a brand's pattern may allow all the same.
pub(super) const SIGN: &str = "sign";
pub(super) const SCRIPT: &str = "script";

/// `1 cards`, `25 gift cards`: the end of a report.
fn is_count(text: &str) -> bool {
    const COUNTED: [&str; 13] = [
        "card", "cards", "code", "codes", "record", "records", "row", "rows", "item", "items", "line", "lines",
        "vouchers",
    ];
    let lower = text.to_lowercase();
    let mut words = lower.split_whitespace();
    let counts = words.next().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    counts && words.next_back().is_some_and(|word| COUNTED.contains(&word))
}

/// An e-mail address, a piece of HTML or RTF, bytes of another program, a sentence, or code and PIN in one cell.
fn is_text(text: &str) -> bool {
    let is_sentence =
        text.contains(' ') && text.contains(|c: char| c.is_lowercase()) && !text.contains(|c: char| c.is_numeric());
    let has_pin = text.to_lowercase().split(|c: char| !c.is_alphanumeric()).skip(1).any(|word| word == "pin");
    text.contains(['<', '>', '{', '}', '\\'])
        || text.contains(char::is_control)
        || (text.contains('@') && !text.contains("://"))
        || is_sentence
        || has_pin
}

/// Why long numbers that all end in zeros are refused.
pub(super) const ROUNDED: &str =
    "a spreadsheet keeps 15 digits and made zeros of the rest: export it again with the column as text";

/// How many digits a spreadsheet would have lost of a number with more than it keeps, when all of those are zeros;
/// `None` for anything else.
pub(super) fn zeros_behind_kept(text: &str) -> Option<usize> {
    let is_long = text.len() > KEPT_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    let behind = is_long.then(|| &text[KEPT_DIGITS..])?;
    behind.bytes().all(|byte| byte == b'0').then_some(behind.len())
}

/// The same digits with zeros in front, in every length a code may have.
pub(super) fn with_leading_zeros(text: &str) -> impl Iterator<Item = String> + '_ {
    let is_number = !text.is_empty() && text.len() < 30 && text.bytes().all(|byte| byte.is_ascii_digit());
    let longest = if is_number { text.len() + 6 } else { text.len() };
    (text.len() + 1..=longest).map(move |length| format!("{text:0>length$}"))
}

/// What people write where a code will stand, or stood.
const PLACEHOLDERS: &[&str] = &[
    "null",
    "none",
    "nan",
    "n/a",
    "na",
    "nil",
    "true",
    "false",
    "undefined",
    "blank",
    "empty",
    "tbd",
    "tba",
    "pending",
    "unknown",
    "void",
    "sold",
    "used",
    "redeemed",
    "expired",
    "cancelled",
    "canceled",
    "see email",
    "see attached",
];

fn is_placeholder(text: &str) -> bool {
    let word = text.trim_matches(|c: char| !c.is_alphanumeric());
    // nothing was read, or nothing but signs: an empty cell is told by its own reason
    !text.is_empty() && (word.is_empty() || PLACEHOLDERS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// `••••1234`, `XXXX-XXXX-1234`, `...1234`: stars, dots, or an x for each digit but the last ones.
fn is_masked(text: &str) -> bool {
    let has_sign = text.contains(['*', '•', '●', '∙', '…', '▪', '■']) || text.contains("...");
    let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let shown = plain.trim_start_matches(['x', 'X']);
    let is_end = (1..=6).contains(&shown.len()) && shown.bytes().all(|byte| byte.is_ascii_digit());
    (has_sign && text.chars().any(char::is_alphanumeric)) || (plain.len() - shown.len() >= 4 && is_end)
}

/// `6.00649E+15`: a spreadsheet writes a sign or a point, or one digit before the power; `12E45` may be a code.
fn is_scientific(text: &str) -> bool {
    let text = text.replace(' ', "");
    let Some((number, power)) = text.split_once(['e', 'E']) else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let signed = power.strip_prefix(['+', '-']);
    let pointed = number.split_once(['.', ',']);
    let is_number = match pointed {
        Some((whole, rest)) => digits(whole.trim_start_matches(['+', '-'])) && (rest.is_empty() || digits(rest)),
        None => digits(number.trim_start_matches(['+', '-'])),
    };
    let is_short = number.len() == 1 && power.len() == 2;
    is_number && digits(signed.unwrap_or(power)) && (signed.is_some() || pointed.is_some() || is_short)
}

/// `1234.5`, and `1.234.567` with a point for each thousand.
fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('.').collect();
    let by_thousands = parts.len() > 2 && parts[0].len() <= 3 && parts[1..].iter().all(|part| part.len() == 3);
    parts.iter().all(|part| digits(part)) && (parts.len() == 2 || by_thousands)
}

fn is_spreadsheet_error(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('#') else { return false };
    rest.chars().all(|c| c == '#') || rest.ends_with(['!', '?']) || rest.eq_ignore_ascii_case("n/a")
}

fn is_date(text: &str) -> bool {
    let day = text.split(' ').next().unwrap_or_default();
    let of_century = |day: NaiveDate| (1950..2100).contains(&day.year());
    let whole =
        ["%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y", "%d-%b-%y", "%d-%b-%Y", "%m/%d/%y"];
    let years_first = whole.iter().any(|form| NaiveDate::parse_from_str(day, form).is_ok_and(of_century));
    // `Jan-24`, `5-Mar`
    let halves = day.split_once('-').is_some_and(|(left, right)| {
        let number = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        (is_month(left) && number(right)) || (number(left) && is_month(right))
    });
    let parts: Vec<&str> = text.split(':').collect();
    let two = |part: &&str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let time = (2..=3).contains(&parts.len()) && parts.iter().all(two);
    years_first || halves || time
}

fn is_month(text: &str) -> bool {
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    months.iter().any(|month| text.eq_ignore_ascii_case(month))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(raw: &str) -> Option<&'static str> {
        damage(&Cell::read(raw)).map(|(word, _)| word)
    }

    #[test]
    fn marks_are_taken_off_and_digits_stay() {
        for (raw, text) in [
            ("=\"0012345678901234\"", "0012345678901234"),
            ("'0012", "0012"),
            ("'0012'", "0012"),
            (" \u{a0}AB-12\u{feff} ", "AB-12"),
            ("AB'12", "AB'12"),
            ("“AB-12”", "AB-12"),
            ("`AB-12`", "AB-12"),
        ] {
            assert_eq!(Cell::read(raw).text, text, "{raw}");
        }
        assert_eq!(told("=\"6006490000000000\""), None, "marked digits are all there");
    }

    #[test]
    fn what_a_spreadsheet_destroyed_is_told() {
        for (raw, word) in [
            ("6.00649E+15", "scientific"),
            ("6,00649E+15", "scientific"),
            ("6E+15", "scientific"),
            ("=\"6.0E+15\"", "scientific"),
            ("#REF!", "spreadsheet_error"),
            ("#NAME?", "spreadsheet_error"),
            ("#N/A", "spreadsheet_error"),
            ("########", "spreadsheet_error"),
            ("=A2", "formula"),
            ("12/31/2027", "date"),
            ("2027-12-31 00:00:00", "date"),
            ("Jan-24", "date"),
            ("5-Mar", "date"),
            ("6006490000000000000", "rounded"),
            ("1234567890123.0", "number"),
            ("HUNT-0001,1111", "quote"),
            ("HUNT\n0001", "line_break"),
            ("NULL", "placeholder"),
            ("TBD", "placeholder"),
            ("(blank)", "placeholder"),
            ("VOID", "placeholder"),
            ("sold", "placeholder"),
            ("-", "placeholder"),
            (".", "placeholder"),
            ("********1234", "masked"),
            ("XXXX-XXXX-XXXX-1234", "masked"),
            ("••••1234", "masked"),
            ("...1234", "masked"),
            ("12:30", "date"),
            ("12:30:05", "date"),
            ("1.234.567.890.123", "number"),
            ("6E15", "scientific"),
            ("6.00649 E+15", "scientific"),
            ("6.00649E＋15", "scientific"),
            ("X1\0", "not_a_code"),
            ("<table><tr><td>X1</td></tr></table>", "not_a_code"),
            ("{\\rtf1 X1}", "not_a_code"),
            ("bob@example.com", "not_a_code"),
            ("End of report", "not_a_code"),
            ("AB12CD34 PIN: 1234", "not_a_code"),
            ("1 cards", "total"),
            ("25 gift cards", "total"),
            ("-600649123456789", "sign"),
            ("+600649123456789", "sign"),
            ("AB12CD34.", "sign"),
            ("AB12CD34:", "sign"),
            ("#AB12CD34", "sign"),
            ("(AB12CD34)", "sign"),
            ("٦٠٠٦٤٩١٢٣٤٥٦", "script"),
            ("АB12CD34", "script"),
        ] {
            assert_eq!(told(raw), Some(word), "{raw}");
        }
    }

    #[test]
    fn what_may_be_a_code_stays_one() {
        for raw in [
            "ABCD-1234",
            "12E45",
            "XXXXAB12CD34",
            "AXXXX12",
            "1.2.3.4",
            "12:30:AB",
            "6006491234567890",
            "6006491234567891234",
            "12-34-5678",
            "0000",
            "A.B",
            "X#1",
            "ABCD EFGH",
            "ＡＢ１２",
            "https://shop.example/redeem?c=AB12@1/",
        ] {
            assert_eq!(told(raw), None, "{raw}");
        }
        assert_eq!(with_leading_zeros("12").next().as_deref(), Some("012"));
        assert_eq!(with_leading_zeros("A12").count(), 0);
    }
}
