//! How many text messages a text becomes: what the editor shows, and what a provider charges.
//!
//! The GSM alphabet (3GPP TS 23.038) has 160 places in one message, 153 in each of several; one character outside
//! it and the whole text is sent as UCS-2, with 70 and 67.

use serde::Serialize;
use utoipa::ToSchema;

/// The alphabet a text needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub enum Alphabet {
    /// The GSM alphabet with its extension table.
    #[serde(rename = "GSM-7")]
    Gsm7,
    /// Everything else.
    #[serde(rename = "UCS-2")]
    Ucs2,
}

/// A text measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Segments {
    /// The alphabet it needs.
    pub alphabet: Alphabet,
    /// Places it takes: an extended character takes two.
    pub units: usize,
    /// Messages it becomes.
    pub segments: usize,
}

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// Measures `text`.
pub fn count(text: &str) -> Segments {
    match text.chars().map(places).collect::<Option<Vec<usize>>>() {
        Some(places) => measure(Alphabet::Gsm7, &places, 160, 153),
        None => {
            let places: Vec<usize> = text.chars().map(char::len_utf16).collect();
            measure(Alphabet::Ucs2, &places, 70, 67)
        }
    }
}

/// Places of a character in the GSM alphabet; `None` when it is not in it.
fn places(c: char) -> Option<usize> {
    if BASIC.contains(c) { Some(1) } else { EXTENDED.contains(c).then_some(2) }
}

/// No character is cut in two: one that does not fit begins the next message.
fn measure(alphabet: Alphabet, places: &[usize], alone: usize, each: usize) -> Segments {
    let units = places.iter().sum();
    if units <= alone {
        return Segments { alphabet, units, segments: usize::from(units > 0) };
    }
    let (mut segments, mut used) = (1, 0);
    for place in places {
        if used + place > each {
            segments += 1;
            used = 0;
        }
        used += place;
    }
    Segments { alphabet, units, segments }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> (Alphabet, usize, usize) {
        let Segments { alphabet, units, segments } = count(text);
        (alphabet, units, segments)
    }

    #[test]
    fn the_limits_are_160_and_153_or_70_and_67() {
        use Alphabet::{Gsm7, Ucs2};
        assert_eq!(of(""), (Gsm7, 0, 0));
        assert_eq!(of(&"a".repeat(160)), (Gsm7, 160, 1));
        assert_eq!(of(&"a".repeat(161)), (Gsm7, 161, 2));
        assert_eq!(of(&"a".repeat(306)), (Gsm7, 306, 2));
        assert_eq!(of(&"a".repeat(307)), (Gsm7, 307, 3));
        assert_eq!(of(&"ł".repeat(70)), (Ucs2, 70, 1));
        assert_eq!(of(&"ł".repeat(71)), (Ucs2, 71, 2));
        assert_eq!(of(&"ł".repeat(135)), (Ucs2, 135, 3));
    }

    #[test]
    fn extended_characters_take_two_places_and_are_never_cut() {
        assert_eq!(of("€"), (Alphabet::Gsm7, 2, 1));
        assert_eq!(of("{}"), (Alphabet::Gsm7, 4, 1));
        // 152 + € does not fit into 153, so the € begins the second message
        let text = format!("{}€{}", "a".repeat(152), "a".repeat(152));
        assert_eq!(of(&text), (Alphabet::Gsm7, 306, 3));
        assert_eq!(of("👍"), (Alphabet::Ucs2, 2, 1));
    }

    proptest! {
        #[test]
        fn more_text_never_needs_fewer_messages(text in "\\PC{0,400}", more in "[a-z€ł]{0,20}") {
            let longer = text.clone() + &more;
            prop_assert!(count(&longer).segments >= count(&text).segments);
        }
    }
}
