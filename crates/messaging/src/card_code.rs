//! How a card's code and PIN are kept: sealed for their client and row, found again by fingerprint.
//!
//! Here rather than in `rewards` because messages are made in this room, and a message brings the code.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::keyring::Keyring;
use kernel::{Error, Result};
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

/// The code without what people put in for reading: spaces, dashes, case.
pub fn normalise(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_uppercase).collect()
}

/// The keyed hash by which a code is found, however it is written.
pub fn fingerprint(keyring: &Keyring, code: &str) -> [u8; 32] {
    keyring.fingerprint("card code", normalise(code).as_bytes())
}

/// What lists show of a code; nothing of one so short that four characters would be most of it.
pub fn last4(code: &str) -> String {
    let code = normalise(code);
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
        assert_eq!(fingerprint(&keyring, "ab12 cd34-ef56"), fingerprint(&keyring, "AB12CD34EF56"));
        assert_ne!(fingerprint(&keyring, "AB12CD34EF57"), fingerprint(&keyring, "AB12CD34EF56"));
        assert_eq!(last4("ab12-cd34"), "CD34");
        assert_eq!(last4("AB12"), "", "four characters would be all of it");
    }
}
