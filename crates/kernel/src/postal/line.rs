//! An address that stands in one cell, as some programs export them: `12 Oak St, Apt 5, Columbus, OH 43215, USA`.

use super::{DEFAULT_COUNTRY, normalise_country, normalise_state, normalise_zip};

/// The parts of an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    /// Street and house number.
    pub street: String,
    /// What else stands before the city: a unit, or whose address it is.
    pub street2: String,
    /// City.
    pub city: String,
    /// State, two letters.
    pub state: String,
    /// ZIP code.
    pub zip: String,
}

/// The parts of an address in the United States whose lines are apart by commas, line breaks or wide blanks, and which
/// ends in a state and a ZIP code. `None` for anything else: where a city begins behind a street is nobody's to guess.
pub fn parts(text: &str) -> Option<Parts> {
    let mut lines: Vec<&str> = text
        .split(['\n', '\r', '\t', ','])
        .flat_map(|line| line.split("  "))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let is_home = |line: &&str| line.len() > 1 && normalise_country(line).as_deref() == Some(DEFAULT_COUNTRY);
    if lines.last().is_some_and(is_home) {
        lines.pop();
    }
    let mut words: Vec<&str> = lines.pop()?.split(' ').collect();
    let zip = normalise_zip(words.pop()?)?;
    if words.is_empty() {
        words = lines.pop()?.split(' ').collect();
    }
    // "New York" is a state and a city; behind a city its state has the last word
    let long = words.len().saturating_sub(2);
    let at = [long, words.len() - 1].into_iter().find(|at| normalise_state(&words[*at..].join(" ")).is_some())?;
    let state = normalise_state(&words[at..].join(" "))?;
    let city = if at == 0 { lines.pop()?.to_owned() } else { words[..at].join(" ") };
    let numbered = |line: &&str| line.contains(|c: char| c.is_ascii_digit());
    let street = lines.iter().position(numbered).unwrap_or_default();
    let rest: Vec<&str> =
        lines.iter().enumerate().filter(|(index, _)| *index != street).map(|(_, line)| *line).collect();
    let street = (*lines.get(street)?).to_owned();
    Some(Parts { street, street2: rest.join(", "), city, state, zip })
}

/// Whether a text ends in a state and a ZIP code, as whole addresses do.
pub fn ends_in_zip(text: &str) -> bool {
    let mut words = text.split_whitespace().rev();
    let zip = words.next().and_then(normalise_zip);
    zip.is_some() && words.next().is_some_and(|word| normalise_state(word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_an_address_are_told_apart_and_what_has_none_is_left_alone() {
        let told = |text: &str| {
            parts(text).map(|parts| [parts.street, parts.street2, parts.city, parts.state, parts.zip].join("|"))
        };
        for (text, wanted) in [
            ("12 Oak St  Apt 5  Columbus  OH  43215  US", "12 Oak St|Apt 5|Columbus|OH|43215"),
            ("12 Oak St, Columbus, OH 43215", "12 Oak St||Columbus|OH|43215"),
            ("12 Oak St\nColumbus, Ohio 43215-1234\nUnited States", "12 Oak St||Columbus|OH|43215-1234"),
            ("9 5th Ave, New York, New York, 10001", "9 5th Ave||New York|NY|10001"),
            ("9 5th Ave, New York NY 10001", "9 5th Ave||New York|NY|10001"),
            ("Ruth Mason, 3 Ash Ct, Columbus, OH 43215", "3 Ash Ct|Ruth Mason|Columbus|OH|43215"),
            ("PO Box 12, Wheeling, West Virginia 26003", "PO Box 12||Wheeling|WV|26003"),
        ] {
            assert_eq!(told(text).as_deref(), Some(wanted), "{text}");
        }
        for text in
            ["12 Oak St", "12 Oak St Columbus OH 43215", "12 Oak St, Apt 5", "10 Rue X, 75001 Paris, France", "", ","]
        {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
