//! Postal addresses: one spelling for state, ZIP and country, a key to recognise the same person at the same
//! address, and whether a mail piece could be delivered.
//!
//! Correcting an address against the postal service's own files (CASS) is a provider's work, not this module's.

mod country;
mod line;
mod street;

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

pub use country::normalise_country;
pub use line::{Parts, ends_in_zip, parts};
pub use street::normalise_street;

/// The country of an address that names none.
pub const DEFAULT_COUNTRY: &str = "US";

/// The fields of an address as they are stored; absent ones are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Address<'a> {
    /// Street and house number.
    pub street: &'a str,
    /// Apartment, suite, second line.
    pub street2: &'a str,
    /// City.
    pub city: &'a str,
    /// State, two letters when normalised.
    pub state: &'a str,
    /// ZIP code, 5 or 5+4 digits when normalised.
    pub zip: &'a str,
    /// Country, ISO-2 when normalised; empty counts as the United States.
    pub country: &'a str,
}

/// What the postal service takes for a state: the states, the District, territories, freely associated states and
/// military addresses, by code and name.
pub const STATES: [(&str, &str); 62] = [
    ("AL", "alabama"),
    ("AK", "alaska"),
    ("AZ", "arizona"),
    ("AR", "arkansas"),
    ("CA", "california"),
    ("CO", "colorado"),
    ("CT", "connecticut"),
    ("DE", "delaware"),
    ("DC", "district of columbia"),
    ("FL", "florida"),
    ("GA", "georgia"),
    ("HI", "hawaii"),
    ("ID", "idaho"),
    ("IL", "illinois"),
    ("IN", "indiana"),
    ("IA", "iowa"),
    ("KS", "kansas"),
    ("KY", "kentucky"),
    ("LA", "louisiana"),
    ("ME", "maine"),
    ("MD", "maryland"),
    ("MA", "massachusetts"),
    ("MI", "michigan"),
    ("MN", "minnesota"),
    ("MS", "mississippi"),
    ("MO", "missouri"),
    ("MT", "montana"),
    ("NE", "nebraska"),
    ("NV", "nevada"),
    ("NH", "new hampshire"),
    ("NJ", "new jersey"),
    ("NM", "new mexico"),
    ("NY", "new york"),
    ("NC", "north carolina"),
    ("ND", "north dakota"),
    ("OH", "ohio"),
    ("OK", "oklahoma"),
    ("OR", "oregon"),
    ("PA", "pennsylvania"),
    ("RI", "rhode island"),
    ("SC", "south carolina"),
    ("SD", "south dakota"),
    ("TN", "tennessee"),
    ("TX", "texas"),
    ("UT", "utah"),
    ("VT", "vermont"),
    ("VA", "virginia"),
    ("WA", "washington"),
    ("WV", "west virginia"),
    ("WI", "wisconsin"),
    ("WY", "wyoming"),
    ("AS", "american samoa"),
    ("GU", "guam"),
    ("MP", "northern mariana islands"),
    ("PR", "puerto rico"),
    ("VI", "virgin islands"),
    ("FM", "micronesia"),
    ("MH", "marshall islands"),
    ("PW", "palau"),
    ("AA", "armed forces americas"),
    ("AE", "armed forces europe"),
    ("AP", "armed forces pacific"),
];

/// A state's two letters, from the letters or the name in any case: `oh`, `O.H.`, `Ohio`.
pub fn normalise_state(input: &str) -> Option<String> {
    let words = words(input);
    let letters = words.replace(' ', "");
    STATES
        .iter()
        .find(|(code, name)| *name == words || code.eq_ignore_ascii_case(&letters))
        .map(|(code, _)| (*code).to_owned())
}

/// A ZIP code as `43215` or `43215-1234`.
///
/// Four digits are refused: a spreadsheet may have dropped a leading zero, or somebody a digit.
pub fn normalise_zip(input: &str) -> Option<String> {
    let trimmed = input.trim().trim_end_matches('-');
    let (five, four) = match trimmed.split_once(['-', ' ']) {
        Some((five, four)) => (five, four.trim_start_matches(['-', ' '])),
        None if trimmed.len() == 9 && trimmed.is_ascii() => trimmed.split_at(5),
        None => (trimmed, ""),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if five.len() != 5 || !digits(five) || !digits(four) {
        return None;
    }
    match four.len() {
        0 => Some(five.to_owned()),
        4 => Some(format!("{five}-{four}")),
        _ => None,
    }
}

/// A ZIP code whose zeros in front a spreadsheet dropped, in a state whose codes begin with them.
pub fn zip_of(state: &str, given: &str) -> Option<String> {
    const ONE: [&str; 8] = ["CT", "MA", "ME", "NH", "NJ", "RI", "VT", "AE"];
    const TWO: [&str; 2] = ["PR", "VI"];
    let state = normalise_state(state)?;
    let zeros = match state.as_str() {
        state if ONE.contains(&state) => 1,
        state if TWO.contains(&state) => 2,
        _ => return None,
    };
    let five = given.split_once('-').map_or(given, |(five, _)| five);
    let is_short = five.len() + zeros == 5 || (five.len() == given.len() && five.len() + zeros == 9);
    if is_short { normalise_zip(&format!("{}{given}", "0".repeat(zeros))) } else { None }
}

/// A key that is equal for the same person at the same address however both are written: name, street with unit,
/// and ZIP (or city and state where there is none).
///
/// `None` when name, street or place are missing: too little to call two contacts the same.
pub fn match_key(first_name: &str, last_name: &str, address: &Address) -> Option<String> {
    let name = words(&format!("{first_name} {last_name}"));
    // a father and his son are two people: a suffix tells them apart, in one spelling
    let name = name.split(' ').map(|word| match word {
        "junior" => "jr",
        "senior" => "sr",
        word => word,
    });
    let name = name.collect::<Vec<_>>().join(" ");
    let street = normalise_street(&format!("{} {}", address.street, address.street2));
    let place = place(address)?;
    if words(last_name).is_empty() || words(address.street).is_empty() {
        return None;
    }
    Some(format!("{name}|{street}|{place}"))
}

/// ZIP5 in the United States, the postcode elsewhere, city and state for want of either.
fn place(address: &Address) -> Option<String> {
    let country = normalise_country(address.country).unwrap_or_else(|| words(address.country));
    if country != DEFAULT_COUNTRY {
        let place = words(&format!("{} {}", address.zip, address.city));
        return (!place.is_empty()).then(|| format!("{place}|{}", country.to_lowercase()));
    }
    if let Some(zip) = normalise_zip(address.zip) {
        return Some(zip[..5].to_owned());
    }
    let (city, state) = (words(address.city), normalise_state(address.state)?.to_lowercase());
    (!city.is_empty()).then(|| format!("{city} {state}"))
}

/// Whether a mail piece could be delivered: street, city, state and ZIP, and in the United States a state and a ZIP
/// that can exist. The reason is a few words for the list of skipped contacts.
///
/// # Errors
/// The first thing missing.
pub fn deliverable(address: &Address) -> Result<(), &'static str> {
    let fields = [
        (address.street, "no street address"),
        (address.city, "no city"),
        (address.state, "no state"),
        (address.zip, "no ZIP code"),
    ];
    if let Some((_, reason)) = fields.into_iter().find(|(field, _)| field.trim().is_empty()) {
        return Err(reason);
    }
    if normalise_country(address.country).as_deref() != Some(DEFAULT_COUNTRY) {
        return Ok(());
    }
    normalise_state(address.state).ok_or("unknown state")?;
    normalise_zip(address.zip).ok_or("unknown ZIP code")?;
    Ok(())
}

/// Letters without their accents, typed in one piece or two, as `app.fold` leaves them in searches.
fn without_accents(text: &str) -> String {
    let is_mark = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let plain = |c| match c {
        'ø' => 'o',
        'Ø' => 'O',
        'ł' => 'l',
        'Ł' => 'L',
        'đ' => 'd',
        'Đ' => 'D',
        'ı' => 'i',
        c => c,
    };
    text.replace('ß', "ss").nfd().filter(|c| !is_mark(c)).map(plain).collect()
}

/// Lower-case words without accents, joined by single spaces; apostrophes and full stops vanish, other punctuation separates.
fn words(text: &str) -> String {
    let folded = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(without_accents(text)) };
    let mut words = String::with_capacity(folded.len());
    for c in folded.chars().filter(|c| !matches!(c, '\'' | '’' | '‘' | 'ʼ' | '´' | '.')) {
        if c.is_alphanumeric() {
            words.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
        } else if !words.is_empty() && !words.ends_with(' ') {
            words.push(' ');
        }
    }
    words.truncate(words.trim_end().len());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OFFICE: Address = Address {
        street: "12 North Main Street",
        street2: "Suite 5",
        city: "Columbus",
        state: "OH",
        zip: "43215",
        country: "US",
    };

    #[test]
    fn states_are_known_by_letters_and_by_name() {
        for given in ["oh", "OH", " Ohio ", "O.H.", "OHIO"] {
            assert_eq!(normalise_state(given).as_deref(), Some("OH"), "{given}");
        }
        assert_eq!(normalise_state("New  York").as_deref(), Some("NY"));
        assert_eq!(normalise_state("Ontario"), None);
        assert_eq!(normalise_state(""), None);
    }

    #[test]
    fn zip_codes_have_five_or_nine_digits() {
        for (given, kept) in [
            ("43215", "43215"),
            ("432151234", "43215-1234"),
            ("43215-1234", "43215-1234"),
            ("43215 1234", "43215-1234"),
            (" 02139- ", "02139"),
        ] {
            assert_eq!(normalise_zip(given).as_deref(), Some(kept), "{given}");
        }
        for given in ["", "2139", "4321A", "43215-12", "K1A 0B1", "4321512345", "４３２１５"] {
            assert_eq!(normalise_zip(given), None, "{given}");
        }
    }

    #[test]
    fn zeros_that_a_spreadsheet_dropped_are_put_back_where_the_state_has_them() {
        for (state, given, zip) in [
            ("MA", "2139", Some("02139")),
            ("Massachusetts", "2139-1234", Some("02139-1234")),
            ("NJ", "71021234", Some("07102-1234")),
            ("PR", "901", Some("00901")),
            ("OH", "4321", None),
            ("MA", "213", None),
            ("", "2139", None),
        ] {
            assert_eq!(zip_of(state, given).as_deref(), zip, "{state} {given}");
        }
    }

    #[test]
    fn the_same_person_at_the_same_address_has_the_same_key() {
        let key = match_key("Ada", "O'Brien", &OFFICE);
        let written = Address {
            street: "12 N. Main St., Ste 5",
            street2: "",
            city: "COLUMBUS",
            state: "Ohio",
            zip: "43215-1234",
            country: "USA",
        };
        assert_eq!(match_key("ADA ", "OBrien", &written), key);
        assert!(key.is_some());
    }

    #[test]
    fn accents_make_nobody_somebody_else_however_they_are_typed() {
        let key = match_key("Jose", "Nunez", &OFFICE);
        for (first, last) in [("José", "Núñez"), ("JOSÉ", "NÚÑEZ"), ("Jose\u{301}", "Nu\u{301}n\u{303}ez")] {
            assert_eq!(match_key(first, last, &OFFICE), key, "{first} {last}");
        }
        let street = |street| match_key("Ada", "Groß", &Address { street, ..OFFICE });
        assert_eq!(street("12 Peña St"), street("12 Pena Street"));
        assert_eq!(match_key("Ada", "Gross", &OFFICE), match_key("Ada", "Groß", &OFFICE));
        assert_ne!(match_key("Ada", "Nunes", &OFFICE), match_key("Ada", "Nunez", &OFFICE));
    }

    #[test]
    fn another_person_unit_or_place_has_another_key_and_too_little_has_none() {
        let key = match_key("Ada", "Byron", &OFFICE);
        assert_ne!(match_key("Bob", "Byron", &OFFICE), key);
        assert_ne!(match_key("Ada", "Byron Sr.", &OFFICE), match_key("Ada", "Byron Jr.", &OFFICE));
        assert_eq!(match_key("Ada", "Byron, Junior", &OFFICE), match_key("Ada", "Byron Jr.", &OFFICE));
        assert_ne!(match_key("Ada", "Byron", &Address { street2: "Suite 6", ..OFFICE }), key);
        assert_ne!(match_key("Ada", "Byron", &Address { zip: "43216", ..OFFICE }), key);
        assert_ne!(match_key("Ada", "Byron", &Address { country: "CA", ..OFFICE }), key);
        assert_eq!(match_key("Ada", "", &OFFICE), None);
        assert_eq!(match_key("Ada", "Byron", &Address { street: " ", ..OFFICE }), None);
        assert_eq!(match_key("Ada", "Byron", &Address { zip: "", city: "", ..OFFICE }), None);
    }

    #[test]
    fn an_address_is_deliverable_when_nothing_is_missing() {
        assert_eq!(deliverable(&OFFICE), Ok(()));
        assert_eq!(deliverable(&Address { street: " ", ..OFFICE }), Err("no street address"));
        assert_eq!(deliverable(&Address { city: "", ..OFFICE }), Err("no city"));
        assert_eq!(deliverable(&Address { state: "", ..OFFICE }), Err("no state"));
        assert_eq!(deliverable(&Address { zip: "", ..OFFICE }), Err("no ZIP code"));
        assert_eq!(deliverable(&Address { zip: "2139", ..OFFICE }), Err("unknown ZIP code"));
        assert_eq!(deliverable(&Address { state: "ON", ..OFFICE }), Err("unknown state"));
        assert_eq!(deliverable(&Address { state: "ON", zip: "K1A 0B1", country: "Canada", ..OFFICE }), Ok(()));
    }

    /// A text as people type it: in any case, with blanks around it.
    fn typed(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
        (text, any::<[bool; 3]>()).prop_map(|(text, [upper, before, after])| {
            let text = if upper { text.to_uppercase() } else { text };
            format!("{}{text}{}", if before { " " } else { "" }, if after { "  " } else { "" })
        })
    }

    fn states() -> impl Strategy<Value = String> {
        let state = prop::sample::select(&STATES[..]);
        let written = (state, 0..3).prop_map(|((code, name), way)| match way {
            0 => code.to_lowercase(),
            1 => format!("{}.{}.", &code[..1], &code[1..]),
            _ => name.replace(' ', "  "),
        });
        typed(written)
    }

    const COUNTRIES: [&str; 10] =
        ["", "us", "U.S.A.", "United  States", "canada", "México", "uk", "GBR", "Deutschland", "the Netherlands"];

    fn countries() -> impl Strategy<Value = String> {
        typed(prop::sample::select(&COUNTRIES[..]).prop_map(str::to_owned))
    }

    fn streets() -> impl Strategy<Value = String> {
        let way = prop::sample::select(&["", "North", "N.", "southwest", "Fifth", "Saint"][..]);
        let kind =
            prop::sample::select(&["Street", "st", "Avenue", "AVN", "Hwy", "Springs", "boulevard", "trls", ""][..]);
        let unit = prop::sample::select(&["", "#5", "Apt. 5", "Unit # 5", ", Suite B-2", "no 7 floor 2"][..]);
        typed(
            ("[1-9][0-9]{0,4}", way, "[A-Z][a-z']{2,9}", kind, unit)
                .prop_map(|(number, way, name, kind, unit)| format!("{number} {way} {name} {kind} {unit}")),
        )
    }

    /// Whether a text is understood, and what it becomes stays as it is.
    fn settles(normalise: fn(&str) -> Option<String>, text: &str) -> bool {
        normalise(text).is_some_and(|once| normalise(&once) == Some(once))
    }

    proptest! {
        #[test]
        fn what_people_write_is_understood_and_normalising_it_twice_changes_nothing(
            state in states(), country in countries(), street in streets(),
            zip in typed("[0-9]{5}([- ]?[0-9]{4})?".boxed()),
        ) {
            prop_assert!(settles(normalise_state, &state), "{state}");
            prop_assert!(settles(normalise_country, &country), "{country}");
            prop_assert!(settles(normalise_zip, &zip), "{zip}");
            let once = normalise_street(&street);
            prop_assert_eq!(normalise_street(&once), once);
        }

        #[test]
        fn whatever_is_written_normalising_it_twice_changes_nothing(input in "\\PC{0,40}|[A-Za-z]{2}|[0-9 -]{4,11}") {
            for normalise in [normalise_state, normalise_zip, normalise_country] {
                prop_assert!(normalise(&input).is_none() || settles(normalise, &input));
            }
            let once = normalise_street(&input);
            prop_assert_eq!(normalise_street(&once), once);
        }

        #[test]
        fn a_key_is_the_same_however_case_and_blanks_are_typed(state in states(), street in streets(), zip in "[0-9]{5}") {
            let address = Address { street: &street, state: &state, zip: &zip, ..OFFICE };
            let (loud, spaced) = (street.to_uppercase(), street.replace(' ', "   "));
            let key = match_key("Ada", "Byron", &address);
            prop_assert!(key.is_some());
            prop_assert_eq!(&match_key("ADA", " byron", &Address { street: &loud, ..address }), &key);
            prop_assert_eq!(&match_key("Ada", "Byron", &Address { street: &spaced, ..address }), &key);
        }

        #[test]
        fn no_address_panics(a in "\\PC{0,20}", b in "\\PC{0,20}", c in "\\PC{0,12}") {
            let address = Address { street: &a, street2: &c, city: &b, state: &c, zip: &c, country: &b };
            let _ = (match_key(&a, &b, &address), deliverable(&address));
        }
    }
}
