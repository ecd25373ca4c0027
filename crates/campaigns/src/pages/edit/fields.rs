//! Reads what was typed: a blank field is no value, anything else must be one.

use std::str::FromStr;

use kernel::Problems;

/// The value of a field, if there is one; a text that is none is noted as a problem.
pub fn parse<T: FromStr>(problems: &mut Problems, field: &str, text: &str, wanted: &str) -> Option<T> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let value = text.parse().ok();
    if value.is_none() {
        problems.invalid(field, wanted);
    }
    value
}

/// A text, if there is one, with the line ends of everybody else.
pub fn text(text: &str) -> Option<String> {
    let text = text.replace("\r\n", "\n").trim().to_owned();
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_is_nothing_and_nonsense_is_named() {
        let mut problems = Problems::new();
        assert_eq!(parse::<i32>(&mut problems, "cards", " ", "a number"), None);
        assert!(problems.is_empty());
        assert_eq!(parse::<i32>(&mut problems, "cards", "12", "a number"), Some(12));
        assert_eq!(parse::<i32>(&mut problems, "cards", "a dozen", "a number"), None);
        assert_eq!(problems.finish().unwrap_err().fields()[0].field, "cards");
        assert_eq!(text("one\r\ntwo ").as_deref(), Some("one\ntwo"));
    }
}
