//! Phone numbers: stored as E.164, shown the way people write them.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

/// The region a number without a country code belongs to.
pub const DEFAULT_REGION: &str = "US";

/// The longest text worth parsing; E.164 itself has 15 digits.
const MAX_INPUT: usize = 64;

/// The E.164 form (`+16145550123`) of a number as people write it, read as in `region` (ISO-2) when it has
/// no country code. An extension is left out, because neither a text message nor a match can use one; whoever keeps the
/// number keeps the [`extension`] beside it.
///
/// `None` when no such number can exist, when the region is unknown, and for letters: `2023 Giving` dials like a number.
pub fn normalise(input: &str, region: &str) -> Option<String> {
    let bare = input.trim().to_ascii_lowercase();
    let bare = bare.strip_prefix("tel:").unwrap_or(&bare);
    if split(bare).0.contains(char::is_alphabetic) {
        return None;
    }
    let number = parse(input, region)?;
    number.is_valid().then(|| number.format_as(PhoneNumberFormat::E164).into_owned())
}

/// What to do about a text that is no number.
pub const WANTED: &str = "enter 10 digits, or begin with + for numbers abroad";

/// The same for a number of `region`.
pub fn wanted(region: &str) -> &'static str {
    if region == DEFAULT_REGION {
        WANTED
    } else {
        "enter a phone number of this country, or begin with + and another's number"
    }
}

/// The form people read: `(614) 555-0123` in the United States and its neighbours on +1, international elsewhere.
/// What is not E.164 is shown as it is.
pub fn display(e164: &str) -> String {
    let Some(number) = e164.starts_with('+').then(|| parse(e164, DEFAULT_REGION)).flatten() else {
        return e164.to_owned();
    };
    let format = if number.country_code == 1 { PhoneNumberFormat::National } else { PhoneNumberFormat::International };
    number.format_as(format).into_owned()
}

/// The number with everything but its last four digits hidden: `•••• 0123`.
pub fn mask(e164: &str) -> String {
    let digits: Vec<char> = e164.chars().filter(char::is_ascii_digit).collect();
    let last: String = digits.iter().skip(digits.len().saturating_sub(4)).collect();
    format!("•••• {last}")
}

/// The extension of a number: `12` of `(614) 555-0123 x12`.
pub fn extension(input: &str) -> Option<String> {
    let digits: String = split(&input.to_ascii_lowercase()).1?.chars().filter(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

/// Number and extension, of a text in lower case.
fn split(lower: &str) -> (&str, Option<&str>) {
    const MARKS: [&str; 6] = ["extension", "ext", "durchwahl", "poste", "x", "#"];
    let begin =
        MARKS.iter().filter_map(|mark| lower.find(mark).filter(|at| *at > 0).map(|at| (at, at + mark.len()))).min();
    match begin {
        Some((number, extension)) => (&lower[..number], Some(&lower[extension..])),
        None => match lower.split_once(";ext=") {
            Some((number, extension)) => (number, Some(extension)),
            None => (lower, None),
        },
    }
}

/// Whether a number that can exist is what people type when they have none: `614-555-5555`, `222-222-2222`.
pub fn is_placeholder(e164: &str) -> bool {
    let digits: Vec<char> = e164.chars().filter(char::is_ascii_digit).collect();
    let last = &digits[digits.len().saturating_sub(7)..];
    last.len() == 7
        && (last.iter().all(|digit| *digit == last[0])
            || last == ['1', '2', '3', '4', '5', '6', '7']
            || last == ['4', '5', '6', '7', '8', '9', '0'])
}

fn parse(input: &str, region: &str) -> Option<PhoneNumber> {
    if input.len() > MAX_INPUT {
        return None;
    }
    let region = Region::from_code(region).ok()?;
    PHONE_NUMBER_UTIL.parse(input, Some(region)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn american_spellings_become_one_number() {
        for given in [
            "(614) 555-0123",
            "614.555.0123",
            "1 614 555 0123",
            "+1-614-555-0123",
            "tel:+16145550123",
            "614-555-0123 ext. 9",
        ] {
            assert_eq!(normalise(given, DEFAULT_REGION).as_deref(), Some("+16145550123"), "{given}");
        }
    }

    #[test]
    fn the_region_decides_only_where_the_number_says_nothing() {
        assert_eq!(normalise("020 7183 8750", "GB").as_deref(), Some("+442071838750"));
        assert_eq!(normalise("+44 20 7183 8750", "US").as_deref(), Some("+442071838750"));
        assert_eq!(normalise("020 7183 8750", "US"), None);
    }

    #[test]
    fn what_cannot_be_a_number_is_refused() {
        for given in ["", "n/a", "555-0123", "12345", "(014) 555-0123", "614 055 0123", "+1 614 555 01234567"] {
            assert_eq!(normalise(given, DEFAULT_REGION), None, "{given}");
        }
        for given in ["2023 Giving", "CALL BOB NOW", "(614) 555-0123 or 0124", "ask Mr. Jones"] {
            assert_eq!(normalise(given, DEFAULT_REGION), None, "{given}");
        }
        assert_eq!(normalise("614 555 0123", "Ohio"), None);
        assert_eq!(normalise(&"6145550123".repeat(100), DEFAULT_REGION), None);
    }

    #[test]
    fn an_extension_is_told_beside_its_number() {
        for given in [
            "(614) 555-0123 x12",
            "614-555-0123 ext. 12",
            "614 555 0123 Extension 12",
            "614 555 0123#12",
            "tel:+16145550123;ext=12",
        ] {
            assert_eq!(normalise(given, DEFAULT_REGION).as_deref(), Some("+16145550123"), "{given}");
            assert_eq!(extension(given).as_deref(), Some("12"), "{given}");
        }
        assert_eq!((extension("614 555 0123"), extension("x12"), extension("614 555 0123 x")), (None, None, None));
    }

    #[test]
    fn numbers_nobody_has_are_told() {
        for given in ["+16145555555", "+12222222222", "+16149999999", "+16141234567", "+12344567890"] {
            assert!(is_placeholder(given), "{given}");
        }
        assert!(!is_placeholder("+16145550123") && !is_placeholder("911"));
    }

    #[test]
    fn people_read_the_national_form_at_home_and_the_international_one_abroad() {
        assert_eq!(display("+16145550123"), "(614) 555-0123");
        assert_eq!(display("+442071838750"), "+44 20 7183 8750");
        assert_eq!(display("call Bob"), "call Bob");
        assert_eq!(mask("+16145550123"), "•••• 0123");
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(input in "[+(]?[0-9() .-]{7,16}") {
            if let Some(once) = normalise(&input, DEFAULT_REGION) {
                prop_assert_eq!(normalise(&once, DEFAULT_REGION), Some(once.clone()));
                prop_assert_eq!(normalise(&display(&once), DEFAULT_REGION), Some(once));
            }
        }

        #[test]
        fn no_input_panics(input in "\\PC{0,80}") {
            let _ = normalise(&input, DEFAULT_REGION);
            let _ = display(&input);
        }
    }
}
