//! The sign of a person: a page that is in sight says so (`web/src/seen.js`), with a token that only its server could
//! have made for it. A program that fetches the link and does not run the page says nothing.

use events::VisitKind;
use kernel::keyring::Keyring;

/// How long a page that was left open may still say so.
const DAY: i64 = 24 * 3_600;

/// How long a page is in sight before it says so; a program that fetches and answers at once saw nothing.
const LEAST: i64 = 1;

/// The token of a page that is served now.
pub fn token(keyring: &Keyring, purl_token: &str, kind: VisitKind, now: i64) -> String {
    let word = word(kind);
    format!("{word}.{now}.{}", seal(keyring, purl_token, word, now))
}

/// How the person came, when `token` is one of a page of this link from the last day, a second old or more.
pub fn read(keyring: &Keyring, purl_token: &str, token: &str, now: i64) -> Option<VisitKind> {
    let (word_given, rest) = token.split_once('.')?;
    let (at, given) = rest.split_once('.')?;
    let at: i64 = at.parse().ok()?;
    let kind = [VisitKind::Purl, VisitKind::Qr].into_iter().find(|kind| word(*kind) == word_given)?;
    let right = seal(keyring, purl_token, word_given, at);
    (given == right && (LEAST..=DAY).contains(&(now - at))).then_some(kind)
}

fn word(kind: VisitKind) -> &'static str {
    match kind {
        VisitKind::Purl => "r",
        VisitKind::Qr => "q",
    }
}

fn seal(keyring: &Keyring, purl_token: &str, word: &str, at: i64) -> String {
    let print = keyring.fingerprint("page seen", format!("{purl_token}/{word}/{at}").as_bytes());
    print.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pages_token_is_for_that_link_that_way_and_that_day() {
        let ring = Keyring::for_tests();
        let made = token(&ring, "7K2M9QRX40", VisitKind::Qr, 1_000);
        assert_eq!(read(&ring, "7K2M9QRX40", &made, 1_001), Some(VisitKind::Qr));
        assert_eq!(read(&ring, "7K2M9QRX40", &made, 1_000), None, "at once");
        assert_eq!(read(&ring, "7K2M9QRX41", &made, 1_001), None, "another link");
        assert_eq!(read(&ring, "7K2M9QRX40", &made.replacen('q', "r", 1), 1_001), None, "another way");
        assert_eq!(read(&ring, "7K2M9QRX40", &made.replace("1000", "1001"), 1_001), None, "another time");
        assert_eq!(read(&ring, "7K2M9QRX40", &made, 1_001 + DAY), None, "a day later");
        assert_eq!(read(&Keyring::generate(), "7K2M9QRX40", &made, 1_001), None, "of another server");
        for nonsense in ["", "q", "q.1000", "q.1000.", "x.1000.00", "q.now.00"] {
            assert_eq!(read(&ring, "7K2M9QRX40", nonsense, 1_001), None, "{nonsense}");
        }
    }
}
