//! One-time codes of an authenticator app (RFC 6238: SHA-1, 30 seconds, six digits, which is what every app does) and
//! the recovery codes that stand in for a lost one.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use kernel::random;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Seconds a code is shown.
const STEP: i64 = 30;
/// Clocks may be one step apart either way.
const DRIFT: i64 = 1;
/// The alphabet of RFC 4648 base32.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// How many recovery codes are given out at a time.
const RECOVERY_CODES: usize = 10;

/// A new shared secret.
pub fn new_secret() -> [u8; 20] {
    random::bytes()
}

/// The time step whose code `code` is, if it is one of those around `now`. A step is good once: see `totp_last_step`.
pub fn step_of(secret: &[u8], code: &str, now: DateTime<Utc>) -> Option<i64> {
    let typed: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let current = now.timestamp().div_euclid(STEP);
    let mut steps = (current - DRIFT)..=(current + DRIFT);
    steps.find(|step| bool::from(code_of(secret, *step).as_bytes().ct_eq(typed.as_bytes())))
}

/// The six digits shown during a step.
pub fn code_of(secret: &[u8], step: i64) -> String {
    let Ok(mut mac) = <Hmac<Sha1> as KeyInit>::new_from_slice(secret) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest[19] & 0x0f);
    let word = [digest[offset] & 0x7f, digest[offset + 1], digest[offset + 2], digest[offset + 3]];
    format!("{:06}", u32::from_be_bytes(word) % 1_000_000)
}

/// The secret as people type it into an app: base32 in groups of four.
pub fn readable(secret: &[u8]) -> String {
    let text = base32(secret);
    let groups: Vec<&str> = (0..text.len()).step_by(4).map(|at| &text[at..text.len().min(at + 4)]).collect();
    groups.join(" ")
}

/// What the QR code for an app holds.
pub fn address(secret: &[u8], email: &str) -> String {
    let label: String = email.bytes().map(percent).collect();
    format!("otpauth://totp/ACE:{label}?secret={}&issuer=ACE", base32(secret))
}

/// Fresh recovery codes, `abcde-fghij`, 50 bits each.
pub fn recovery_codes() -> Vec<String> {
    let code = || {
        let text = base32(&random::bytes::<7>()).to_lowercase();
        format!("{}-{}", &text[..5], &text[5..10])
    };
    (0..RECOVERY_CODES).map(|_| code()).collect()
}

/// The hash a recovery code is kept under; case, spaces and dashes do not matter.
pub fn recovery_hash(code: &str) -> Vec<u8> {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    Sha256::digest(format!("recovery code {plain}")).to_vec()
}

fn base32(bytes: &[u8]) -> String {
    let bits = bytes.len() * 8;
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
    let letter = |start: usize| (0..5).fold(0, |value, at| value << 1 | bit(start + at));
    (0..bits).step_by(5).map(|start| char::from(BASE32[letter(start)])).collect()
}

fn percent(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(code_of(RFC, seconds / 30), code);
        }
    }

    #[test]
    fn a_code_is_good_one_step_around_its_own_and_no_longer() {
        let code = code_of(RFC, 100);
        for seconds in [99 * 30, 100 * 30, 101 * 30 + 29] {
            assert_eq!(step_of(RFC, &code, at(seconds)), Some(100), "{seconds}");
        }
        for seconds in [98 * 30, 102 * 30] {
            assert_eq!(step_of(RFC, &code, at(seconds)), None, "{seconds}");
        }
        assert_eq!(step_of(RFC, "", at(3000)), None);
        assert_eq!(step_of(RFC, &format!("{} {}", &code[..3], &code[3..]), at(3000)), Some(100));
    }

    #[test]
    fn secrets_are_base32_and_the_address_is_escaped() {
        assert_eq!(readable(RFC), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert!(address(RFC, "a b@example.com").starts_with("otpauth://totp/ACE:a%20b%40example.com?secret=GEZDGNBV"));
    }

    #[test]
    fn recovery_codes_differ_and_are_found_however_they_are_typed() {
        let codes = recovery_codes();
        assert_eq!(codes.iter().collect::<std::collections::HashSet<_>>().len(), RECOVERY_CODES);
        assert_eq!(recovery_hash(&codes[0]), recovery_hash(&codes[0].to_uppercase().replace('-', " ")));
        assert_ne!(recovery_hash(&codes[0]), recovery_hash(&codes[1]));
    }
}
