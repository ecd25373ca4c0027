//! Numbers as people type them. A comma groups thousands here and is a decimal mark elsewhere: what could be either is
//! asked again, never guessed.

use kernel::number::{MOST_DIGITS, significant_digits};
use serde_json::Value;

/// Reads a number: `1500`, `1,500`, `1500.5`, `-2`, `1e3`.
///
/// # Errors
/// Says how to write it.
pub fn parse(text: &str) -> Result<f64, String> {
    let wrong = || "this is not a number".to_owned();
    let text = text.trim();
    let plain = if text.contains(',') { without_groups(text)? } else { text.to_owned() };
    if plain.is_empty() || !plain.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E')) {
        return Err(wrong());
    }
    if significant_digits(&plain) > MOST_DIGITS {
        return Err(format!("use at most {MOST_DIGITS} digits: more are not kept"));
    }
    plain.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(wrong)
}

/// `1,234,567.8` without its commas.
fn without_groups(text: &str) -> Result<String, String> {
    let unsigned = text.trim_start_matches(['-', '+']);
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, ""), |(whole, fraction)| (whole, fraction));
    let mut groups = whole.split(',');
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    let grouped =
        (1..=3).contains(&first.len()) && digits(first) && groups.all(|group| group.len() == 3 && digits(group));
    if grouped && digits(fraction) && first != "0" {
        return Ok(text.replace(',', ""));
    }
    Err("write the number with a point before the decimals, such as 1.5 or 1500".into())
}

/// The number of an answer or a condition's value, written as a number or as text.
pub fn value(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str().and_then(|text| parse(text).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_written_and_what_could_be_two_numbers_is_refused() {
        for (text, number) in [
            ("1500", 1500.0),
            ("1,500", 1500.0),
            ("1,234,567.25", 1_234_567.25),
            ("1500.5", 1500.5),
            ("-1,500", -1500.0),
            (" 7 ", 7.0),
            (".5", 0.5),
            ("1e3", 1000.0),
            ("0", 0.0),
        ] {
            assert_eq!(parse(text), Ok(number), "{text}");
        }
        for text in ["1,5", "15,00", "1.500,5", "1,50", "0,500", "1,,500", ",5", "1,5000", "12,34,567"] {
            let message = parse(text).unwrap_err();
            assert!(message.contains("such as 1.5"), "{text}: {message}");
        }
        for text in ["", "abc", "$5", "inf", "NaN", "1 500", "1.2.3", "--1", "1_000", "０"] {
            assert_eq!(parse(text), Err("this is not a number".into()), "{text}");
        }
        for text in ["99999999999999999999", "9,999,999,999,999,999", "0.1234567890123456", "9007199254740993"] {
            let message = parse(text).unwrap_err();
            assert!(message.contains("15 digits"), "{text}: what is kept is what was typed: {message}");
        }
        assert_eq!(parse("999999999999999"), Ok(999_999_999_999_999.0));
    }
}
