//! Which field a column is, by its header and by what stands in it, with a confidence the user confirms.

use std::collections::HashSet;
use std::iter;

use super::REPORT_COLUMNS;
use super::field::{Field, Target, custom_key};
use super::options::Unmapped;

/// Below this a guess is not offered.
const ENOUGH: u8 = 50;

/// What a header can be called, besides the field's own word and label.
const SYNONYMS: &[(Field, &[&str])] = &[
    (
        Field::CustomerCode,
        &[
            "code",
            "customer id",
            "customer no",
            "customer number",
            "cust id",
            "cust no",
            "customer",
            "account",
            "account id",
            "account no",
            "account number",
            "client id",
            "contact id",
            "member id",
            "member number",
            "external id",
            "id",
            "reference",
            "ref",
            "kundennummer",
        ],
    ),
    (
        Field::FirstName,
        &["first", "firstname", "given name", "forename", "fname", "f name", "first nm", "vorname", "prenom", "nombre"],
    ),
    (
        Field::LastName,
        &[
            "last",
            "lastname",
            "surname",
            "family name",
            "lname",
            "l name",
            "last nm",
            "nachname",
            "nom",
            "apellido",
            "apellidos",
        ],
    ),
    (
        Field::FullName,
        &[
            "name",
            "contact name",
            "contact",
            "customer name",
            "owner name",
            "owner",
            "full nm",
            "recipient",
            "addressee",
        ],
    ),
    (
        Field::Email,
        &[
            "e mail",
            "mail",
            "email address",
            "e mail address",
            "emailaddress",
            "primary email",
            "work email",
            "email 1",
            "correo",
        ],
    ),
    (
        Field::Phone,
        &[
            "telephone",
            "tel",
            "phone number",
            "phone no",
            "home phone",
            "work phone",
            "primary phone",
            "landline",
            "day phone",
            "phone 1",
            "telefon",
            "telefono",
        ],
    ),
    (
        Field::MobilePhone,
        &[
            "mobile",
            "cell",
            "cell phone",
            "cellphone",
            "mobile number",
            "cell number",
            "mobile no",
            "phone 2",
            "handy",
            "movil",
        ],
    ),
    (
        Field::Company,
        &[
            "company name",
            "organization",
            "organisation",
            "business",
            "business name",
            "firm",
            "employer",
            "account name",
            "firma",
            "empresa",
        ],
    ),
    (Field::JobTitle, &["title", "position", "job", "role", "occupation"]),
    (
        Field::Address,
        &[
            "street",
            "street address",
            "address 1",
            "address1",
            "address line 1",
            "addr",
            "street 1",
            "addr1",
            "addr 1",
            "mailing address",
            "mailing street",
            "home address",
            "property address",
            "billing address",
            "shipping address",
            "strasse",
            "direccion",
        ],
    ),
    (
        Field::Address2,
        &[
            "address 2",
            "address line 2",
            "addr2",
            "addr 2",
            "street 2",
            "unit",
            "apt",
            "apartment",
            "suite",
            "apt suite",
            "unit number",
        ],
    ),
    (
        Field::City,
        &["town", "locality", "mailing city", "billing city", "shipping city", "municipality", "ort", "ciudad"],
    ),
    (
        Field::State,
        &[
            "st",
            "province",
            "region",
            "state province",
            "mailing state",
            "billing state",
            "shipping state",
            "state code",
            "estado",
        ],
    ),
    (
        Field::Zip,
        &[
            "zip code",
            "zipcode",
            "postal code",
            "postcode",
            "post code",
            "postal",
            "mailing zip",
            "billing zip",
            "shipping zip",
            "zip5",
            "zip 4",
            "zip plus 4",
            "plz",
        ],
    ),
    (Field::Country, &["country code", "nation", "mailing country", "billing country", "land", "pais"]),
    (Field::LifecycleStage, &["stage", "lifecycle", "status", "lead status"]),
    (Field::LeadScore, &["score"]),
    (Field::LeadSource, &["source", "lead origin", "origin", "how did you hear about us", "referral source"]),
    (Field::DoNotContact, &["dnc", "suppressed", "suppress", "do not mail", "no contact", "unsubscribed all"]),
    (
        Field::EmailOptOut,
        &[
            "email unsubscribed",
            "unsubscribed",
            "unsubscribed from email",
            "no email",
            "email optout",
            "opted out of email",
            "opt out of email",
            "opt out",
            "do not email",
        ],
    ),
    (
        Field::SmsOptOut,
        &["no sms", "no text", "do not text", "sms optout", "text opt out", "opted out of sms", "opt out of sms"],
    ),
    (Field::Tags, &["tag", "labels", "label", "groups", "keywords", "segments"]),
    (Field::Notes, &["note", "comment", "comments", "remarks", "memo", "description"]),
];

/// What a column probably is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Where its cells should go.
    pub target: Target,
    /// How sure that is, in percent; 0 for a column no field fits.
    pub confidence: u8,
}

/// A suggestion for each column. `samples` holds the cells of some rows, column by column. A field is suggested once.
pub fn suggest(headers: &[String], samples: &[Vec<String>], unmapped: Unmapped) -> Vec<Suggestion> {
    let no_cells = Vec::new();
    let mut guesses: Vec<(usize, Field, u8)> = Vec::new();
    for (column, header) in headers.iter().enumerate() {
        let cells = samples.get(column).unwrap_or(&no_cells);
        let both = Field::ALL.iter().map(|field| (column, *field, confidence(*field, header, cells)));
        guesses.extend(both.filter(|(_, _, confidence)| *confidence >= ENOUGH));
    }
    guesses.sort_by_key(|(column, field, confidence)| (u8::MAX - confidence, *column, *field));
    let mut chosen: Vec<Option<(Field, u8)>> = vec![None; headers.len()];
    for (column, field, confidence) in guesses {
        let taken = chosen.iter().flatten().any(|(other, _)| clash(*other, field));
        if chosen[column].is_none() && !taken {
            chosen[column] = Some((field, confidence));
        }
    }
    let (keys, about_report) = (custom_keys(headers), if is_report(headers) { REPORT_COLUMNS.len() } else { 0 });
    let suggestion = |(column, (chosen, key)): (usize, (Option<(Field, u8)>, String))| match chosen {
        _ if column < about_report => Suggestion { target: Target::Skip, confidence: 0 },
        Some((field, confidence)) => Suggestion { target: Target::Field(field), confidence },
        None if unmapped == Unmapped::Skip => Suggestion { target: Target::Skip, confidence: 0 },
        None => Suggestion { target: Target::Custom(key), confidence: 0 },
    };
    chosen.into_iter().zip(keys).enumerate().map(suggestion).collect()
}

/// Whether these are the columns of a report, whose first ones say what is wrong with each row.
fn is_report(headers: &[String]) -> bool {
    headers.len() > REPORT_COLUMNS.len() && headers.iter().zip(REPORT_COLUMNS).all(|(header, own)| header == own)
}

/// The custom field each column would be. No two are the same, or one would overwrite the other: what comes again is
/// numbered.
pub fn custom_keys(headers: &[String]) -> Vec<String> {
    let (mut taken, report) = (HashSet::new(), is_report(headers));
    let free = |(index, header): (usize, &String)| {
        let key = match custom_key(header) {
            key if key.is_empty() => format!("column_{}", index + 1),
            // the row's own cells keep the names they had in the file the report is about
            key if report && index < REPORT_COLUMNS.len() => format!("report_{key}"),
            key => key,
        };
        let numbered = (2..).map(|number| format!("{key}_{number}"));
        iter::once(key.clone()).chain(numbered).find(|key| taken.insert(key.clone())).unwrap_or(key)
    };
    headers.iter().enumerate().map(free).collect()
}

/// A full name beside a first or last name says the same twice.
fn clash(one: Field, other: Field) -> bool {
    let part = |field| matches!(field, Field::FirstName | Field::LastName);
    one == other || (one == Field::FullName && part(other)) || (other == Field::FullName && part(one))
}

fn confidence(field: Field, header: &str, cells: &[String]) -> u8 {
    let by_name = by_name(field, &words(header));
    let filled: Vec<&str> = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
    let Some(share) = by_content(field, &filled) else { return by_name };
    match by_name {
        // A header that promises e-mails over cells that hold none is a question, not an answer.
        90.. if share < 30 => 60,
        1.. => by_name.max(if share >= 80 { 90 } else { 0 }),
        0 if share >= 80 && matches!(field, Field::Email) => 80,
        0 if share >= 80 && matches!(field, Field::Phone) => 60,
        0 => 0,
    }
}

fn by_name(field: Field, header: &str) -> u8 {
    if header.is_empty() {
        return 0;
    }
    if header == words(field.word()) || header == words(field.label()) {
        return 100;
    }
    let synonyms = SYNONYMS.iter().find(|(other, _)| *other == field).map_or(&[][..], |(_, synonyms)| *synonyms);
    if synonyms.contains(&header) {
        return 95;
    }
    // "Customer e-mail (home)" holds "e mail"; short words would be found everywhere.
    let padded = format!(" {header} ");
    let within = |word: &str| word.len() > 3 && padded.contains(&format!(" {word} "));
    let inside = within(&words(field.word())) || synonyms.iter().any(|synonym| within(synonym));
    if inside { 70 } else { 0 }
}

/// How many percent of the cells look like the field; `None` where a look tells nothing.
fn by_content(field: Field, cells: &[&str]) -> Option<usize> {
    let looks: fn(&str) -> bool = match field {
        Field::Email => |cell| kernel::email::normalise(cell).is_some(),
        Field::Phone | Field::MobilePhone => {
            |cell| kernel::phone::normalise(cell, kernel::phone::DEFAULT_REGION).is_some()
        }
        _ => return None,
    };
    if cells.is_empty() {
        return None;
    }
    Some(cells.iter().filter(|cell| looks(cell)).count() * 100 / cells.len())
}

/// Whether the first row holds data instead of names: no header is an e-mail address or a phone number.
pub fn is_data<'a>(mut first_row: impl Iterator<Item = &'a str>) -> bool {
    first_row.any(|cell| {
        kernel::email::normalise(cell).is_some()
            || kernel::phone::normalise(cell, kernel::phone::DEFAULT_REGION).is_some()
    })
}

/// Lower-case words: `E-Mail_Address` → `e mail address`.
fn words(header: &str) -> String {
    let spaced: String =
        header.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(headers: &[&str], samples: &[&[&str]]) -> Vec<(String, u8)> {
        let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
        let samples: Vec<Vec<String>> =
            samples.iter().map(|cells| cells.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        let found = suggest(&headers, &samples, Unmapped::CustomFields);
        found.into_iter().map(|found| (found.target.to_string(), found.confidence)).collect()
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
