//! Secrets at rest: card codes and whatever else must not be read by somebody who has only the database.
//!
//! A ring holds one *root* and one or more numbered *sealing keys*. The newest sealing key seals, every one of them
//! opens; so keys are rotated by adding one, sealing everything again and dropping the old one. The root never
//! changes: look-ups by fingerprint and derived secrets must give the same answer after a rotation.
//!
//! No key is ever printed: `Debug` shows the numbers of the keys only.

mod file;

use std::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{Error, Result, random};

/// The form of a sealed value, should it ever change.
const VERSION: u8 = 1;
/// Version byte and key number.
const HEADER: usize = 5;
/// AES-GCM's nonce.
const NONCE: usize = 12;
/// AES-GCM's tag.
const TAG: usize = 16;
/// The name of the root in the written form.
const ROOT: &str = "root";

/// The keys of this installation. Cheap to share behind an `Arc`.
#[derive(Clone)]
pub struct Keyring {
    root: [u8; 32],
    /// Ascending by number; never empty.
    keys: Vec<SealingKey>,
}

#[derive(Clone)]
struct SealingKey {
    number: u32,
    bytes: [u8; 32],
    cipher: Aes256Gcm,
}

impl SealingKey {
    fn new(number: u32, bytes: [u8; 32]) -> Self {
        Self { number, bytes, cipher: Aes256Gcm::new(&bytes.into()) }
    }

    fn header(&self) -> [u8; HEADER] {
        let [a, b, c, d] = self.number.to_be_bytes();
        [VERSION, a, b, c, d]
    }
}

impl Keyring {
    /// A new ring with fresh random keys.
    pub fn generate() -> Self {
        Self { root: random::bytes(), keys: vec![SealingKey::new(1, random::bytes())] }
    }

    /// The ring tests share: always the same keys, worth nothing.
    pub fn for_tests() -> Self {
        Self { root: [7; 32], keys: vec![SealingKey::new(1, [1; 32])] }
    }

    /// Reads the written form: `root:BASE64` and `NUMBER:BASE64` of 32 bytes each, apart by spaces, commas or
    /// lines; the rest of a line after `#` is a comment.
    ///
    /// # Errors
    /// Says what is wrong without repeating any of the text.
    pub fn parse(written: &str) -> Result<Self> {
        let (mut root, mut keys) = (None, Vec::new());
        for entry in entries(written) {
            let (name, bytes) = read_entry(entry)?;
            match name.parse::<u32>() {
                _ if name == ROOT && root.is_none() => root = Some(bytes),
                Ok(number) if number > 0 => keys.push(SealingKey::new(number, bytes)),
                _ => return Err(wrong("names are `root`, once, and numbers from 1")),
            }
        }
        keys.sort_by_key(|key| key.number);
        if keys.windows(2).any(|pair| pair[0].number == pair[1].number) {
            return Err(wrong("two keys have the same number"));
        }
        match root {
            Some(root) if !keys.is_empty() => Ok(Self { root, keys }),
            _ => Err(wrong("there must be a `root` and at least one numbered key")),
        }
    }

    /// The written form that [`Keyring::parse`] reads, one key a line. It is the secret itself: for the key file only.
    pub fn written(&self) -> String {
        let line = |name: &str, bytes: &[u8; 32]| format!("{name}:{}\n", STANDARD.encode(bytes));
        let numbered = self.keys.iter().map(|key| line(&key.number.to_string(), &key.bytes));
        std::iter::once(line(ROOT, &self.root)).chain(numbered).collect()
    }

    /// The same ring with one more, newer sealing key.
    #[must_use]
    pub fn with_new_key(&self) -> Self {
        let mut ring = self.clone();
        ring.keys.push(SealingKey::new(self.newest().number.saturating_add(1), random::bytes()));
        ring
    }

    /// The same ring with the newest sealing key only, once nothing is sealed with the others any more.
    #[must_use]
    pub fn with_newest_only(&self) -> Self {
        Self { root: self.root, keys: vec![self.newest().clone()] }
    }

    /// How every value sealed with the newest key begins: what does not begin so is due for sealing again.
    pub fn newest_prefix(&self) -> [u8; HEADER] {
        self.newest().header()
    }

    /// Seals a value so that it opens only with this ring and the same `context`, such as tenant and row id.
    /// The same value seals differently each time.
    pub fn seal(&self, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>> {
        let key = self.newest();
        let nonce = random::bytes::<NONCE>();
        let aad = [key.header().as_slice(), context].concat();
        let payload = Payload { msg: plaintext, aad: &aad };
        let body = key.cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| Error::internal("sealing failed"))?;
        Ok([key.header().as_slice(), &nonce, &body].concat())
    }

    /// Opens a sealed value.
    ///
    /// # Errors
    /// One and the same for a changed value, another context, an unknown key and garbage.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let refused =
            || Error::internal("a sealed value does not open: changed, moved to another row, or its key is missing");
        if sealed.len() < HEADER + NONCE + TAG {
            return Err(refused());
        }
        let (header, rest) = sealed.split_at(HEADER);
        let (nonce, body) = rest.split_at(NONCE);
        let key = self.keys.iter().find(|key| key.header() == header).ok_or_else(refused)?;
        let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| refused())?;
        let aad = [header, context].concat();
        key.cipher.decrypt(&Nonce::from(nonce), Payload { msg: body, aad: &aad }).map_err(|_| refused())
    }

    /// A keyed hash by which a secret is found again without opening anything. Equal values have equal
    /// fingerprints within one `domain` (`"card code"`) and nothing in common across two.
    pub fn fingerprint(&self, domain: &str, value: &[u8]) -> [u8; 32] {
        mac(&mac(&self.root, &[b"fingerprint\0", domain.as_bytes()]), &[value])
    }

    /// A secret for one purpose (`"access tokens"`), the same on every machine with this ring.
    pub fn secret(&self, purpose: &str) -> [u8; 32] {
        mac(&self.root, &[b"secret\0", purpose.as_bytes()])
    }

    /// By which each key is recognised: its number, 0 for the root, and a MAC that says nothing about the key. A database
    /// keeps them, so that nothing is read or sealed with other keys.
    pub fn marks(&self) -> Vec<(u32, [u8; 32])> {
        let mark = |key: &[u8; 32]| mac(key, &[b"mark\0"]);
        let numbered = self.keys.iter().map(|key| (key.number, mark(&key.bytes)));
        std::iter::once((0, mark(&self.root))).chain(numbered).collect()
    }

    fn newest(&self) -> &SealingKey {
        &self.keys[self.keys.len() - 1]
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<u32> = self.keys.iter().map(|key| key.number).collect();
        f.debug_struct("Keyring").field("keys", &numbers).finish_non_exhaustive()
    }
}

/// HMAC-SHA256 of the parts, one after the other.
pub fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&padded(key).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HMAC takes a key of one hash block; a shorter one is filled up with zeros, as RFC 2104 says.
pub fn padded(key: &[u8; 32]) -> [u8; 64] {
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    block
}

fn entries(written: &str) -> impl Iterator<Item = &str> {
    let without_comments = written.lines().map(|line| line.split('#').next().unwrap_or_default());
    without_comments.flat_map(|line| line.split([' ', '\t', ','])).filter(|entry| !entry.is_empty())
}

fn read_entry(entry: &str) -> Result<(&str, [u8; 32])> {
    let (name, encoded) = entry.split_once(':').ok_or_else(|| wrong("an entry looks like 1:BASE64"))?;
    let bytes = STANDARD.decode(encoded).ok().and_then(|bytes| bytes.try_into().ok());
    Ok((name, bytes.ok_or_else(|| wrong("a key is 32 bytes in base64"))?))
}

fn wrong(message: &str) -> Error {
    Error::invalid("security.keys", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_sealed_opens_and_the_same_value_never_looks_the_same() {
        let ring = Keyring::for_tests();
        let (one, two) = (ring.seal(b"row 1", b"SECRET").unwrap(), ring.seal(b"row 1", b"SECRET").unwrap());
        assert_ne!(one, two);
        assert_eq!(ring.open(b"row 1", &one).unwrap(), b"SECRET");
        assert!(one.starts_with(&ring.newest_prefix()));
        assert!(!one.windows(6).any(|window| window == b"SECRET"));
    }

    #[test]
    fn a_value_moved_to_another_row_or_read_with_other_keys_does_not_open() {
        let ring = Keyring::for_tests();
        let sealed = ring.seal(b"tenant A, row 1", b"SECRET").unwrap();
        assert!(ring.open(b"tenant B, row 1", &sealed).is_err());
        assert!(Keyring::generate().open(b"tenant A, row 1", &sealed).is_err());
    }

    #[test]
    fn after_a_rotation_old_values_open_until_their_key_is_dropped() {
        let old = Keyring::for_tests();
        let sealed = old.seal(b"row", b"SECRET").unwrap();
        let both = old.with_new_key();
        assert!(!sealed.starts_with(&both.newest_prefix()));
        assert_eq!(both.open(b"row", &sealed).unwrap(), b"SECRET");
        let resealed = both.seal(b"row", b"SECRET").unwrap();
        let new = both.with_newest_only();
        assert!(new.open(b"row", &sealed).is_err());
        assert_eq!(new.open(b"row", &resealed).unwrap(), b"SECRET");
        assert_eq!(new.fingerprint("card code", b"SECRET"), old.fingerprint("card code", b"SECRET"));
        assert_eq!(new.secret("access tokens"), old.secret("access tokens"));
    }

    #[test]
    fn fingerprints_and_secrets_differ_by_domain_purpose_and_ring() {
        let ring = Keyring::for_tests();
        assert_ne!(ring.fingerprint("card code", b"x"), ring.fingerprint("card pin", b"x"));
        assert_ne!(ring.fingerprint("card code", b"x"), ring.fingerprint("card code", b"y"));
        assert_ne!(ring.secret("a"), ring.secret("b"));
        assert_ne!(ring.secret("a"), Keyring::generate().secret("a"));
    }

    #[test]
    fn marks_tell_keys_apart_and_say_nothing_of_them() {
        let (ring, other) = (Keyring::for_tests(), Keyring::generate());
        let more = ring.with_new_key();
        assert_eq!(more.marks()[..2], ring.marks()[..]);
        assert!(ring.marks().iter().zip(other.marks()).all(|(ours, theirs)| ours.1 != theirs.1));
        assert_eq!(ring.marks().iter().map(|mark| mark.0).collect::<Vec<_>>(), [0, 1]);
        assert_ne!(ring.marks()[0].1, ring.secret("mark"));
    }

    #[test]
    fn the_hash_is_hmac_sha256_as_rfc_4231_has_it() {
        let mut key = [0; 32];
        key[..20].copy_from_slice(&[0x0b; 20]);
        let hash = mac(&key, &[b"Hi ", b"There"]);
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    }

    #[test]
    fn the_written_form_reads_back_and_debug_output_shows_no_key() {
        let ring = Keyring::generate().with_new_key();
        let sealed = ring.seal(b"", b"x").unwrap();
        let one_line = ring.written().replace('\n', ", ");
        assert_eq!(
            Keyring::parse(&format!("# comment\n{}", ring.written())).unwrap().open(b"", &sealed).unwrap(),
            b"x"
        );
        assert_eq!(Keyring::parse(&one_line).unwrap().open(b"", &sealed).unwrap(), b"x");
        assert_eq!(format!("{ring:?}"), "Keyring { keys: [1, 2], .. }");
    }

    #[test]
    fn a_broken_written_form_is_refused_without_being_repeated() {
        let key = STANDARD.encode([9; 32]);
        for written in [
            String::new(),
            format!("1:{key}"),
            format!("root:{key}"),
            format!("root:{key} 0:{key}"),
            format!("root:{key} root:{key} 1:{key}"),
            format!("root:{key} 1:{key} 1:{key}"),
            format!("root:{key} 1:{}", &key[4..]),
            format!("root:{key} one:{key}"),
            key.clone(),
        ] {
            let error = Keyring::parse(&written).unwrap_err();
            assert_eq!(error.fields()[0].field, "security.keys");
            assert!(!error.to_string().contains(&key[..8]));
        }
    }

    proptest! {
        #[test]
        fn a_single_changed_bit_anywhere_is_refused(plaintext: Vec<u8>, at: prop::sample::Index, bit in 0..8) {
            let ring = Keyring::for_tests().with_new_key();
            let mut sealed = ring.seal(b"row", &plaintext).unwrap();
            prop_assert_eq!(ring.open(b"row", &sealed).unwrap(), plaintext);
            let at = at.index(sealed.len());
            sealed[at] ^= 1_u8 << bit;
            prop_assert!(ring.open(b"row", &sealed).is_err());
        }

        #[test]
        fn garbage_is_refused_without_a_panic(sealed: Vec<u8>) {
            prop_assert!(Keyring::for_tests().open(b"", &sealed).is_err());
        }
    }
}
