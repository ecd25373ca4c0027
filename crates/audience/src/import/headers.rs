//! Which field a column is, by its header and by what stands in it, with a confidence the user confirms. What cannot be
//! told without guessing is asked: a wrong code makes two people one, a missed opt-out writes to somebody who refused.

pub mod consent;
#[cfg(test)]
mod corpus;
mod knowledge;
pub mod labels;
mod name;
mod pick;
pub mod refusal;
#[cfg(test)]
mod refusals;

use std::collections::HashSet;
use std::iter;

use serde::{Deserialize, Serialize};

use super::REPORT_COLUMNS;
use super::field::{Field, Target, custom_key};
use super::options::Unmapped;
pub use knowledge::words;
pub use name::recognises;
pub use pick::may_refuse;

/// Columns that only an export of ACE has, and what of them is worked out and not taken in again.
const EXPORT_COLUMNS: [&str; 3] = ["customer_code", "lifecycle_stage", "engagement_score"];
const WORKED_OUT: [&str; 4] = ["engagement_score", "last_activity_date", "created_at", "updated_at"];

/// Why a column is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// It may say who may not be written to.
    Consent(Channel),
    /// It is called like a code, and its cells repeat each other or cannot be codes.
    Code,
}

impl Ask {
    /// The field that a no to what is asked would fill.
    pub fn stops(self) -> Option<Field> {
        match self {
            Self::Consent(Channel::Email) => Some(Field::EmailOptOut),
            Self::Consent(Channel::Sms) => Some(Field::SmsOptOut),
            Self::Consent(Channel::All) => Some(Field::DoNotContact),
            Self::Code => None,
        }
    }
}

/// What a consent column is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    Email,
    /// Text messages and calls.
    Sms,
    /// Everything.
    All,
}

/// What a column probably is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Where its cells should go.
    pub target: Target,
    /// How sure that is, in percent; 0 for a column no field fits.
    pub confidence: u8,
    /// What only a person can tell.
    pub ask: Option<Ask>,
}

/// What the columns of a file probably are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggested {
    /// One for each column.
    pub columns: Vec<Suggestion>,
    /// Columns that stand in where a row leaves the chosen ones empty: other e-mail addresses, other address blocks.
    pub spares: Vec<Vec<(usize, Target)>>,
    /// Columns of numbers, each with the column that tells of which kind its numbers are.
    pub labels: Vec<(usize, usize)>,
}

/// A suggestion for each column. `samples` holds the cells of some rows, column by column. A field is suggested once,
/// except those of consent: whoever refuses in any of several columns has refused.
pub fn suggest(headers: &[String], samples: &[Vec<String>], unmapped: Unmapped) -> Suggested {
    let (keys, about_report) = (custom_keys(headers), if is_report(headers) { REPORT_COLUMNS.len() } else { 0 });
    let is_export = is_export(headers);
    let picked = pick::pick(headers, samples);
    let suggestion = |(column, ((header, key), ask)): (usize, ((&String, String), Option<Ask>))| {
        let chosen = picked.chosen[column];
        let (target, confidence) = match chosen {
            _ if column < about_report => (Target::Skip, 0),
            _ if is_export && WORKED_OUT.contains(&header.as_str()) => (Target::Skip, 100),
            _ if is_own_key(header) => (Target::Custom(key), 100),
            _ if is_middle(header) => (Target::Custom(key), 95),
            Some((field, confidence)) => (Target::Field(field), confidence),
            None if unmapped == Unmapped::Skip => (Target::Skip, 0),
            None => (Target::Custom(key), 0),
        };
        Suggestion { target, confidence, ask }
    };
    let columns = headers.iter().zip(keys).zip(picked.asks.iter().copied()).enumerate().map(suggestion).collect();
    Suggested { columns, spares: picked.spares, labels: labels::of_numbers(headers) }
}

/// Columns that hold an address line by line (`Bill to 1` to `Bill to 5`), in their order; the bill's before the delivery's.
pub fn address_lines(headers: &[String]) -> Vec<usize> {
    let names: Vec<String> = headers.iter().map(|header| knowledge::title(header)).collect();
    let lines = |front: &str| -> Vec<usize> {
        let column = |number: u8| names.iter().position(|name| *name == format!("{front} {number}"));
        (1..=5).map_while(column).collect()
    };
    let found = ["bill to", "ship to"].into_iter().map(lines).find(|columns| columns.len() > 2);
    found.unwrap_or_default()
}

/// Whether a file or a list is called like people who refused: `unsubscribed_contacts.csv`.
pub fn is_called_out(name: &str) -> bool {
    consent::is_out(&knowledge::title(name))
}

/// Whether these are the columns of an export of ACE, which has what people refused in columns of their own.
pub fn is_export(headers: &[String]) -> bool {
    EXPORT_COLUMNS.iter().all(|own| headers.iter().any(|header| header == own))
}

/// Whether a header names a custom field outright, as exports of ACE do.
fn is_own_key(header: &str) -> bool {
    header.strip_prefix("custom_fields.").is_some_and(|key| !key.is_empty())
}

/// Whether a column holds middle names. They are kept as one custom field, and are no part of who somebody is: the next
/// file leaves them out.
fn is_middle(header: &str) -> bool {
    let name = knowledge::title(header);
    knowledge::role("middle").contains(&name)
}

/// Whether these are the columns of a report, whose first ones say what is wrong with each row.
fn is_report(headers: &[String]) -> bool {
    headers.len() > REPORT_COLUMNS.len() && headers.iter().zip(REPORT_COLUMNS).all(|(header, own)| header == own)
}

/// The custom field each column would be. No two are the same, or one would overwrite the other: what comes again is
/// numbered.
pub fn custom_keys(headers: &[String]) -> Vec<String> {
    let report = is_report(headers);
    let mut taken: HashSet<String> = HashSet::new();
    let mut free = |(index, header): (usize, &String)| {
        let key = match header.strip_prefix("custom_fields.").map_or_else(|| custom_key(header), str::to_owned) {
            key if key.is_empty() => format!("column_{}", index + 1),
            // the row's own cells keep the names they had in the file the report is about
            key if is_middle(header) && key != "middle_name" && !is_own_key(header) => "middle_name".to_owned(),
            key if report && index < REPORT_COLUMNS.len() => format!("report_{key}"),
            key => key,
        };
        let numbered = (2..).map(|number| format!("{key}_{number}"));
        iter::once(key.clone()).chain(numbered).find(|key| taken.insert(key.clone())).unwrap_or(key)
    };
    // `custom_fields.score` keeps its key also beside a column `score`, or an export would grow a number in every round
    let mut order: Vec<usize> = (0..headers.len()).collect();
    order.sort_by_key(|index| !is_own_key(&headers[*index]));
    let mut keys = vec![String::new(); headers.len()];
    for index in order {
        keys[index] = free((index, &headers[index]));
    }
    keys
}

/// Whether the first row holds data instead of names: no header is an e-mail address or a phone number.
pub fn is_data<'a>(mut first_row: impl Iterator<Item = &'a str>) -> bool {
    first_row.any(|cell| {
        kernel::email::normalise(cell).is_some()
            || kernel::phone::normalise(cell, kernel::phone::DEFAULT_REGION).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(headers: &[&str], samples: &[&[&str]]) -> Vec<(String, u8)> {
        let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
        let samples: Vec<Vec<String>> =
            samples.iter().map(|cells| cells.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        let found = suggest(&headers, &samples, Unmapped::CustomFields);
        found.columns.into_iter().map(|found| (found.target.to_string(), found.confidence)).collect()
    }

    #[test]
    fn headers_as_programs_write_them_are_recognised() {
        let found = targets(
            &["E-Mail Address", "First Name", "SURNAME", "Cell Phone", "Street 1", "zip_code", "Roof age"],
            &[],
        );
        let words: Vec<&str> = found.iter().map(|(word, _)| word.as_str()).collect();
        assert_eq!(
            words,
            ["email", "first_name", "last_name", "mobile_phone", "address", "zip", "custom_fields.roof_age"]
        );
        assert_eq!(found[6].1, 0);
    }

    #[test]
    fn a_field_is_suggested_once_for_the_column_that_fits_best() {
        let found = targets(&["Work Email", "Email", "Name", "First name"], &[]);
        assert_eq!(found[1], ("email".into(), 100));
        assert_eq!(found[0].0, "custom_fields.work_email");
        assert_eq!(found[2].0, "custom_fields.name");
    }

    #[test]
    fn cells_tell_what_a_strange_header_holds_and_contradict_a_wrong_one() {
        let found = targets(&["Kontakt", "Email"], &[&["ada@example.com", "bo@example.com"], &["yes", "no"]]);
        assert_eq!(found[0], ("email".into(), 80));
        assert_eq!(found[1].0, "custom_fields.email");
    }

    #[test]
    fn columns_of_one_name_become_custom_fields_of_different_names() {
        let long = "a question somebody asked in a form, word for word, and at great length";
        let headers = ["E-mail", "Note", "note", "Note 2", "#", &format!("{long}?"), &format!("{long}!")];
        let keys: Vec<_> = targets(&headers, &[]).into_iter().map(|(target, _)| target).collect();
        assert_eq!(
            keys[..5],
            ["email", "notes", "custom_fields.note_2", "custom_fields.note_2_2", "custom_fields.column_5"]
        );
        assert_eq!(format!("{}_2", keys[5]), keys[6]);
    }

    #[test]
    fn a_custom_field_keeps_its_name_beside_a_column_called_like_it() {
        let words = |headers: &[&str]| targets(headers, &[]).into_iter().map(|(word, _)| word).collect::<Vec<_>>();
        let export = ["lead_score", "Roof", "custom_fields.lead_score", "custom_fields.roof", "custom_fields.email"];
        let kept = [
            "lead_score",
            "custom_fields.roof_2",
            "custom_fields.lead_score",
            "custom_fields.roof",
            "custom_fields.email",
        ];
        assert_eq!(words(&export), kept);
    }

    #[test]
    fn what_a_report_says_about_its_rows_is_left_out_and_their_own_columns_are_not() {
        let words = |headers: &[&str]| targets(headers, &[]).into_iter().map(|(word, _)| word).collect::<Vec<_>>();
        let mended = words(&["line", "column", "reason", "E-mail", "Reason"]);
        assert_eq!(mended, ["skip", "skip", "skip", "email", "custom_fields.reason"]);
        assert_eq!(words(&["Line", "E-mail"]), ["custom_fields.line", "email"]);
    }

    #[test]
    fn a_first_row_with_an_address_in_it_is_no_header() {
        assert!(is_data(["Ada", "ada@example.com"].into_iter()));
        assert!(!is_data(["Name", "E-mail"].into_iter()));
    }
}
