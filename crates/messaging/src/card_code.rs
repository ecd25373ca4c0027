//! How a card's code and PIN are kept: sealed for their client and row, found again by fingerprint.
//!
//! Here rather than in `rewards` because messages are made in this room, and a message brings the code.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::keyring::Keyring;
use kernel::{Error, Result};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

/// Which secret of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The code.
    Code,
    /// The PIN.
    Pin,
}

/// The card a secret belongs to; the secret opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct CardRef {
    /// The client; `None` for a card of a master pool.
    pub client_id: Option<Uuid>,
    /// The card.
    pub card_id: Uuid,
}

impl CardRef {
    /// Seals a secret for the column `card_code` or `pin_code`.
    ///
    /// # Errors
    /// When the keyring cannot seal.
    pub fn seal(&self, keyring: &Keyring, part: Part, secret: &str) -> Result<String> {
        Ok(STANDARD.encode(keyring.seal(&self.context(part), secret.as_bytes())?))
    }

    /// Opens a secret.
    ///
    /// # Errors
    /// When it was sealed for another row, another client, or with a key that is gone.
    pub fn open(&self, keyring: &Keyring, part: Part, sealed: &str) -> Result<String> {
        let sealed = STANDARD.decode(sealed).map_err(|_| Error::internal("a card code is not base64"))?;
        let plain = keyring.open(&self.context(part), &sealed)?;
        String::from_utf8(plain).map_err(|_| Error::internal("a card code is not text"))
    }

    fn context(&self, part: Part) -> Vec<u8> {
        let column = match part {
            Part::Code => "card_code",
            Part::Pin => "pin_code",
        };
        let owner = self.client_id.unwrap_or_default();
        format!("gift_cards/{owner}/{}/{column}", self.card_id).into_bytes()
    }
}

/// Whether codes that differ in upper and lower case only are the same code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// They are: the brand's code pattern begins with `(?i)`.
    Ignored,
    /// They are not.
    Matters,
}

impl Case {
    /// What a brand's code pattern says.
    pub fn of_pattern(pattern: Option<&str>) -> Self {
        if pattern.is_some_and(|text| text.trim().starts_with("(?i)")) { Self::Ignored } else { Self::Matters }
    }
}

/// The code without what people and programs put in for reading: blanks, hyphens and dashes of every kind, marks that
/// nobody sees; wide and other forms of letters and digits are the plain ones (Unicode's NFKC).
pub fn normalise(code: &str, case: Case) -> String {
    let bare = code.nfkc().filter(|c| !is_separator(*c));
    match case {
        Case::Ignored => bare.flat_map(char::to_uppercase).collect(),
        Case::Matters => bare.collect(),
    }
}

/// Blanks, what Unicode calls dashes (`Pd`) with the signs people take for one, and what it draws nothing for
/// (`Default_Ignorable_Code_Point`).
fn is_separator(c: char) -> bool {
    let dash = matches!(c, '-' | '\u{58a}' | '\u{5be}' | '\u{1400}' | '\u{1806}' | '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}'
        | '\u{2e17}' | '\u{2e1a}' | '\u{2e3a}'..='\u{2e3b}' | '\u{2e40}' | '\u{2e5d}' | '\u{301c}' | '\u{3030}' | '\u{30a0}'
        | '\u{30fc}' | '\u{fe31}'..='\u{fe32}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' | '\u{10ead}');
    let unseen = matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}');
    c.is_whitespace() || c.is_control() || dash || unseen
}

/// The keyed hash of a code, however it is written.
pub fn fingerprint(keyring: &Keyring, code: &str, case: Case) -> [u8; 32] {
    keyring.fingerprint("card code", normalise(code, case).as_bytes())
}

/// The fingerprint under which a card is kept: the same digits of two brands are two cards. The database makes it of a
/// brand and a [`fingerprint`] in the same way.
pub fn of_brand(brand_id: Uuid, fingerprint: [u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update(brand_id.as_bytes()).chain_update(fingerprint).finalize().into()
}

/// What lists show of a code; nothing of one so short that four characters would be most of it.
pub fn last4(code: &str) -> String {
    let code = normalise(code, Case::Ignored);
    let length = code.chars().count();
    if length < 8 { String::new() } else { code.chars().skip(length - 4).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_opens_only_for_its_row_its_client_and_its_column() {
        let keyring = Keyring::for_tests();
        let card = CardRef { client_id: Some(Uuid::from_u128(1)), card_id: Uuid::from_u128(2) };
        let sealed = card.seal(&keyring, Part::Code, "AB12-CD34-EF56").unwrap();
        assert!(!sealed.contains("AB12"));
        assert_eq!(card.open(&keyring, Part::Code, &sealed).unwrap(), "AB12-CD34-EF56");
        assert!(card.open(&keyring, Part::Pin, &sealed).is_err());
        assert!(CardRef { client_id: None, ..card }.open(&keyring, Part::Code, &sealed).is_err());
        assert!(CardRef { card_id: Uuid::from_u128(3), ..card }.open(&keyring, Part::Code, &sealed).is_err());
    }

    #[test]
    fn one_code_has_one_fingerprint_however_it_is_written() {
        let keyring = Keyring::for_tests();
        let print = |code| fingerprint(&keyring, code, Case::Ignored);
        for spelling in [
            "ab12 cd34-ef56",
            "AB12‑CD34–EF56",
            "AB12\u{a0}CD34\u{2212}EF56",
            "\u{feff}AB12CD34EF56\u{200b}",
            "ＡＢ１２ＣＤ３４ＥＦ５６",
            "AB12⸺CD34ーEF56",
            "\u{202a}AB12CD34EF56\u{202c}",
            "AB12\u{180e}CD34\u{fe0f}EF56",
        ] {
            assert_eq!(print(spelling), print("AB12CD34EF56"), "{spelling:?}");
        }
        assert_ne!(print("AB12CD34EF57"), print("AB12CD34EF56"));
        let exact = |code| fingerprint(&keyring, code, Case::Matters);
        assert_ne!(exact("giftx"), exact("giftX"));
        assert_eq!(exact("gift-x"), exact("gift x"));
        let brands = [1, 2].map(|brand| of_brand(Uuid::from_u128(brand), exact("6006491234567890")));
        assert_ne!(brands[0], brands[1]);
        assert_eq!(last4("ab12-cd34"), "CD34");
        assert_eq!(last4("AB12"), "", "four characters would be all of it");
    }

    #[test]
    fn a_pattern_says_whether_case_matters() {
        assert_eq!(Case::of_pattern(Some("(?i)[A-Z]{4}")), Case::Ignored);
        assert_eq!(Case::of_pattern(Some("[A-Z]{4}")), Case::Matters);
        assert_eq!(Case::of_pattern(None), Case::Matters);
    }
}
