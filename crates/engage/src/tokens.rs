//! Reading a link as it arrives: e-mail programs, word processors and people add full stops, brackets, quotes and
//! invisible characters to it. What can only mean one token is taken for it.

use kernel::codes::PurlToken;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

/// The token in the last part of a link; `None` when there is none in it.
pub fn purl(part: &str) -> Option<PurlToken> {
    read(part, |text| PurlToken::parse(text).ok())
}

/// The id in a form's address.
pub fn form(part: &str) -> Option<Uuid> {
    read(part, |text| Uuid::parse_str(text).ok())
}

/// The whole, or else what stands before the first character that no token has.
fn read<T>(part: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    let text = decoded(part);
    let text: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let text = text.trim_start_matches(is_junk);
    let whole = text.trim_end_matches(is_junk);
    let first = text.split(is_junk).next().unwrap_or_default();
    parse(whole).or_else(|| parse(first))
}

/// Some programs encode a link that is encoded already: at most twice more.
fn decoded(part: &str) -> String {
    let mut text = part.to_owned();
    for _ in 0..2 {
        if !text.contains('%') {
            break;
        }
        text = percent_decode_str(&text).decode_utf8_lossy().into_owned();
    }
    text
}

fn is_junk(c: char) -> bool {
    !c.is_alphanumeric() && c != '-'
}

/// Characters of no width, and those that programs put in for a blank.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "one list, read from top to bottom")]
    fn what_programs_and_people_add_to_a_link_is_forgiven() {
        let token = PurlToken::parse("7K2M9QRX40").unwrap();
        for end in [
            "",
            ".",
            ",",
            ")",
            "!",
            "/",
            ">",
            "\"",
            "'",
            "”",
            "’",
            "»",
            "?",
            ";",
            ":",
            "]",
            "}",
            "…",
            "...",
            ").",
            ".)",
            "!!",
            "\u{200b}",
            "\u{a0}",
            "\u{feff}",
            "\u{2060}",
            "\u{ad}",
            " ",
            "\n",
            "\t",
            "%20",
            "%2E",
            "%252E",
            "%E2%80%8B",
            "%C2%A0",
            "%0D%0A",
            "&utm_source=x",
            "?utm=1",
            "#top",
            ".Thank",
            ",and",
            "=",
            "\\",
            "*",
            "_",
            "|",
            "%3E",
            "%22",
            "。",
            "–",
        ] {
            assert_eq!(purl(&format!("7K2M9QRX40{end}")), Some(token), "{end:?}");
        }
        for written in [
            "7k2m9qrx4o",
            "7K2M9QRX4O",
            "<7K2M9QRX40>",
            "(7K2M9QRX40)",
            "\u{200b}7K2M9QRX40",
            "“7K2M9QRX40”",
            "7K2M-9QRX-40",
            " 7K2M 9QRX 40",
            "７K2M9QRX40",
            "%377K2M9QRX40".trim_start_matches("%37"),
        ] {
            assert_eq!(purl(written), Some(token), "{written:?}");
        }
        for none in ["", ".", "7K2M9QRX4", "7K2M9QRX400", "UUUUUUUUUU", "../x"] {
            assert_eq!(purl(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_forms_address_is_as_forgiving() {
        let id = Uuid::from_u128(0x0190_aaaa_bbbb_cccc);
        for written in [
            format!("{id}."),
            format!("{id})"),
            id.to_string().to_uppercase(),
            format!("{id}%E2%80%8B"),
            format!("<{id}>"),
        ] {
            assert_eq!(form(&written), Some(id), "{written}");
        }
        assert_eq!(form("nonsense"), None);
    }
}
