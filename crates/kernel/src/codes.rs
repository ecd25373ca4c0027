//! What is printed on a mail piece: the redemption code people read aloud, and the token in its link.
//!
//! Both use Crockford's base 32: digits and capitals without I, L, O and U, so that nothing is mistaken for
//! anything else and no word appears. Both come from a cryptographic generator; neither can be guessed.

use std::fmt;
use std::str::FromStr;

use rand::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Crockford's alphabet; a character's place in it is its value.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a redemption code that carry data: 55 bits.
const DATA: usize = 11;
/// Characters of a redemption code with its check character.
const CODE: usize = DATA + 1;
/// Characters of a link token: 50 bits.
const TOKEN: usize = 10;

/// Why a text is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Too short, too long, or with characters no code has.
    #[error("a code has 12 letters and digits, such as 7K2M-9QRX-4TVB")]
    Malformed,
    /// The right shape, but the characters contradict each other: misread, mistyped or misheard.
    #[error("this code cannot exist: one of its characters is wrong")]
    CheckCharacter,
}

/// The code of one recipient in one campaign, worth a reward: 11 data characters and a check character.
///
/// Stored as 12 characters ([`RedemptionCode::as_str`]), shown as `XXXX-XXXX-XXXX` (`Display`, JSON).
///
/// The check character makes the sum of `value(i) · αⁱ` over all twelve characters zero, counted in the field
/// of 32 elements (GF(2⁵), α a root of x⁵ + x² + 1). The twelve weights are different and none is zero, so every
/// single wrong character and every exchange of two characters, neighbours or not, leaves a sum that is not
/// zero. Crockford's own check (modulo 37) needs five symbols outside the alphabet, Luhn modulo 32 misses exchanges.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RedemptionCode([u8; CODE]);

impl RedemptionCode {
    /// A new code from a cryptographic generator: `kernel::random::generator()`, or a seeded one in tests.
    pub fn generate(generator: &mut impl CryptoRng) -> Self {
        let mut values = [0; CODE];
        spread(generator.next_u64(), &mut values[..DATA]);
        values[DATA] = check_value(&values[..DATA]);
        Self(values.map(|value| ALPHABET[usize::from(value)]))
    }

    /// Reads a code as people type or say it: any case, with spaces, dashes and other marks, O for 0, I and L for 1.
    ///
    /// # Errors
    /// Tells a text that is no code from a code with a wrong character, without asking the database.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let values = read::<CODE>(text).ok_or(CodeError::Malformed)?;
        if weigh(&values) != 0 {
            return Err(CodeError::CheckCharacter);
        }
        Ok(Self(values.map(|value| ALPHABET[usize::from(value)])))
    }

    /// A stored code as those see it who may not open it: its last four characters, enough to tell two apart.
    pub fn masked(stored: &str) -> String {
        let characters = stored.chars().count();
        let end: String = stored.chars().skip(characters.saturating_sub(4)).collect();
        format!("••••-••••-{end}")
    }

    /// The stored form: 12 characters without dashes.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }
}

impl fmt::Display for RedemptionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.as_str();
        write!(f, "{}-{}-{}", &code[..4], &code[4..8], &code[8..])
    }
}

/// Only the last four characters: a code in a log would be a reward for whoever reads the log.
impl fmt::Debug for RedemptionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedemptionCode(…{})", &self.as_str()[8..])
    }
}

impl FromStr for RedemptionCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        Self::parse(text)
    }
}

impl Serialize for RedemptionCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RedemptionCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The token in a recipient's link `/r/{token}`: 10 characters, 50 bits. It opens that recipient's page and nothing
/// else; anything worth money also asks for the redemption code or the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PurlToken([u8; TOKEN]);

impl PurlToken {
    /// A new token from a cryptographic generator.
    pub fn generate(generator: &mut impl CryptoRng) -> Self {
        let mut values = [0; TOKEN];
        spread(generator.next_u64(), &mut values);
        Self(values.map(|value| ALPHABET[usize::from(value)]))
    }

    /// Reads a token from a link or as typed from paper, as forgiving as [`RedemptionCode::parse`].
    ///
    /// # Errors
    /// `Malformed` when no token looks like that; it never has a check character.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let values = read::<TOKEN>(text).ok_or(CodeError::Malformed)?;
        Ok(Self(values.map(|value| ALPHABET[usize::from(value)])))
    }

    /// The token as stored and as it stands in the link.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }
}

impl fmt::Display for PurlToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The characters as text; they are ASCII by construction.
fn text(characters: &[u8]) -> &str {
    std::str::from_utf8(characters).unwrap_or_default()
}

/// Five random bits for each value.
fn spread(mut bits: u64, values: &mut [u8]) {
    for value in values {
        *value = (bits & 31) as u8;
        bits >>= 5;
    }
}

/// Exactly `N` characters of the alphabet among spaces, dashes and other marks: a code is copied with the full stop, the
/// bracket or the invisible character beside it.
fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut values = [0; N];
    let mut length = 0;
    for c in text.chars() {
        if !c.is_alphanumeric() {
            continue;
        }
        *values.get_mut(length)? = value_of(c)?;
        length += 1;
    }
    (length == N).then_some(values)
}

fn value_of(c: char) -> Option<u8> {
    let plain = match narrow(c).to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let value = ALPHABET.iter().position(|known| char::from(*known) == plain)?;
    u8::try_from(value).ok()
}

/// The ASCII character of a full-width one, as East Asian keyboards write it.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// The product by α in the field of 32 elements.
const fn by_alpha(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 0b10_0000 == 0 { shifted } else { shifted ^ 0b10_0101 }
}

/// The sum of `value(i) · αⁱ`, by Horner's rule from the last character; zero for a code that can exist.
fn weigh(values: &[u8]) -> u8 {
    values.iter().rev().fold(0, |sum, value| by_alpha(sum) ^ value)
}

/// The last character, which makes the sum zero: the one value for which it does.
fn check_value(data: &[u8]) -> u8 {
    let mut values = [0; CODE];
    values[..DATA].copy_from_slice(data);
    (0..32)
        .find(|candidate| {
            values[DATA] = *candidate;
            weigh(&values) == 0
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn code(seed: u64) -> RedemptionCode {
        RedemptionCode::generate(&mut StdRng::seed_from_u64(seed))
    }

    /// The code as characters, to be spoiled.
    fn characters(code: RedemptionCode) -> Vec<u8> {
        code.as_str().bytes().collect()
    }

    #[test]
    fn what_people_type_is_understood_and_a_slip_is_told_from_nonsense() {
        let mut generator = StdRng::seed_from_u64(1);
        let code = std::iter::repeat_with(|| RedemptionCode::generate(&mut generator))
            .find(|code| code.as_str().contains('0') && code.as_str().contains('1'))
            .unwrap();
        let spoken = code
            .to_string()
            .to_lowercase()
            .replace('0', "o")
            .replacen('1', "l", 1)
            .replace('1', "I")
            .replace('-', " – ");
        assert_eq!(RedemptionCode::parse(&spoken), Ok(code));
        assert_eq!(RedemptionCode::parse(""), Err(CodeError::Malformed));
        assert_eq!(RedemptionCode::parse(&code.as_str()[..11]), Err(CodeError::Malformed));
        assert_eq!(RedemptionCode::parse(&format!("{code}7")), Err(CodeError::Malformed));
        assert_eq!(RedemptionCode::parse("UUUU-UUUU-UUUU"), Err(CodeError::Malformed));
        assert_eq!(RedemptionCode::parse("0000-0000-0001"), Err(CodeError::CheckCharacter));
    }

    #[test]
    fn the_weights_of_the_check_are_all_different_and_never_zero() {
        let weights: std::collections::HashSet<u8> =
            std::iter::successors(Some(1), |w| Some(by_alpha(*w))).take(31).collect();
        assert_eq!(weights.len(), 31);
        assert!(!weights.contains(&0));
    }

    #[test]
    fn codes_use_every_character_in_every_place_and_never_show_in_debug_output() {
        let mut generator = StdRng::seed_from_u64(7);
        let mut seen = [[false; 32]; CODE];
        for _ in 0..2_000 {
            let code = RedemptionCode::generate(&mut generator);
            for (place, c) in code.as_str().chars().enumerate() {
                seen[place][usize::from(value_of(c).unwrap())] = true;
            }
            assert!(!format!("{code:?}").contains(&code.as_str()[..8]));
        }
        assert!(seen.iter().flatten().all(|seen| *seen));
    }

    proptest! {
        #[test]
        fn a_code_survives_being_shown_and_stored(seed: u64) {
            let code = code(seed);
            prop_assert_eq!(RedemptionCode::parse(&code.to_string()), Ok(code));
            prop_assert_eq!(RedemptionCode::parse(code.as_str()), Ok(code));
            let json = serde_json::to_string(&code).unwrap();
            prop_assert_eq!(json.len(), 16);
            prop_assert_eq!(serde_json::from_str::<RedemptionCode>(&json).unwrap(), code);
        }

        #[test]
        fn every_single_wrong_character_is_caught(seed: u64) {
            let right = characters(code(seed));
            for place in 0..CODE {
                for wrong in ALPHABET.iter().filter(|c| **c != right[place]) {
                    let mut spoiled = right.clone();
                    spoiled[place] = *wrong;
                    prop_assert_eq!(RedemptionCode::parse(text(&spoiled)), Err(CodeError::CheckCharacter));
                }
            }
        }

        #[test]
        fn every_exchange_of_two_characters_is_caught(seed: u64) {
            let right = characters(code(seed));
            for (a, b) in (0..CODE).flat_map(|a| (0..a).map(move |b| (a, b))).filter(|(a, b)| right[*a] != right[*b]) {
                let mut spoiled = right.clone();
                spoiled.swap(a, b);
                prop_assert_eq!(RedemptionCode::parse(text(&spoiled)), Err(CodeError::CheckCharacter));
            }
        }

        #[test]
        fn a_token_survives_being_typed_and_no_input_panics(seed: u64, input in "\\PC{0,20}") {
            let token = PurlToken::generate(&mut StdRng::seed_from_u64(seed));
            prop_assert_eq!(token.as_str().len(), TOKEN);
            prop_assert_eq!(PurlToken::parse(&token.to_string().to_lowercase()), Ok(token));
            prop_assert_eq!(PurlToken::parse(&token.as_str()[1..]), Err(CodeError::Malformed));
            let _ = (PurlToken::parse(&input), RedemptionCode::parse(&input));
        }
    }
}
