//! Passwords: which ones are accepted, and how they are kept.
//!
//! Length counts, not classes of characters: twelve characters or a sentence. What is tried first by those who guess is
//! refused, with or without digits and signs added around it.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, PasswordHash};
use kernel::{Error, Result};
use tokio::sync::Semaphore;

/// Longer ones only keep the processor busy.
const LONGEST: usize = 256;
/// Fewer different characters than this are a pattern, not a password.
const FEWEST_DIFFERENT: usize = 5;

/// Hashing takes 19 MB each: no more than two at a time, the others wait.
static AT_ONCE: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(2)));

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().filter(|line| !line.starts_with('#')).collect());

/// Refuses a password that is too short, too long, or easily guessed; `about` is what others know of the person.
///
/// # Errors
/// Names the field `password` and says what to do.
pub fn check(password: &str, shortest: usize, about: &[&str]) -> Result<()> {
    let length = password.chars().count();
    let problem = if length < shortest {
        format!("use at least {shortest} characters; a few words in a row are fine")
    } else if length > LONGEST {
        format!("use at most {LONGEST} characters")
    } else if is_common(password) {
        "this is one of the passwords that are tried first; take another".to_owned()
    } else if password.chars().collect::<HashSet<_>>().len() < FEWEST_DIFFERENT {
        "this repeats too few characters; take another".to_owned()
    } else if about.iter().any(|known| is_mostly(password, known)) {
        "this is hardly more than your name or address; take another".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::invalid("password", problem))
}

/// The hash to keep: argon2id with a salt of its own.
///
/// # Errors
/// `Internal` when hashing fails.
pub async fn hash(password: &str) -> Result<String> {
    let password = password.to_owned();
    at_once(move || {
        let hash = Argon2::default().hash_password(password.as_bytes()).map_err(Error::internal)?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether `password` is the one behind `hash`. Takes as long where there is no hash: nobody can tell by the time
/// whether an address is known.
///
/// # Errors
/// `Internal` when the check cannot be run.
pub async fn verify(password: &str, hash: Option<String>) -> Result<bool> {
    let password = password.to_owned();
    at_once(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODYS.clone());
        let parsed = PasswordHash::new(&hash).map_err(Error::internal)?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known)
    })
    .await
}

/// The hash of a password nobody has.
static NOBODYS: LazyLock<String> = LazyLock::new(|| {
    let password = kernel::random::token();
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()).unwrap_or_default()
});

async fn at_once<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let permit = Arc::clone(&AT_ONCE).acquire_owned().await.map_err(Error::internal)?;
    let work = move || {
        // given back by the work itself: it goes on when the request it is for is dropped
        let _permit = permit;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

/// Whether the password, or what is left of it without what people add, is on the list.
fn is_common(password: &str) -> bool {
    let plain = password.to_lowercase();
    let joined: String = plain.chars().filter(|c| !c.is_whitespace() && !"-_.".contains(*c)).collect();
    let bare = plain.trim_matches(|c: char| !c.is_alphabetic());
    let digits = plain.trim_matches(|c: char| !c.is_alphanumeric());
    [plain.as_str(), &joined, bare, digits].into_iter().any(|form| {
        let letters = unleet(form);
        [form, &letters].into_iter().any(|form| COMMON.contains(unit(form)) || COMMON.contains(form))
    })
}

/// `p4$$w0rd` as it is meant.
fn unleet(text: &str) -> String {
    let meant = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    text.chars().map(meant).collect()
}

/// What the text repeats from beginning to end: `abc` of `abcabcabc`; the text itself when it does not.
fn unit(text: &str) -> &str {
    let starts = text.char_indices().map(|(at, _)| at).skip(1).take_while(|at| at * 2 <= text.len());
    let repeats = |at: &usize| text.len().is_multiple_of(*at) && text[..*at].repeat(text.len() / at) == text;
    starts.into_iter().find(repeats).map_or(text, |at| &text[..at])
}

/// Whether little is left of the password when something known about the person is taken out.
fn is_mostly(password: &str, known: &str) -> bool {
    let (password, known) = (password.to_lowercase(), known.to_lowercase());
    let parts = known.split(|c: char| !c.is_alphanumeric()).filter(|part| part.chars().count() >= 4);
    let rest = parts.fold(password.replace(&known, ""), |rest, part| rest.replace(part, ""));
    rest.len() < password.len() && rest.chars().count() < 6
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: [&str; 2] = ["dana.fox@example.com", "Dana Fox"];

    fn refused(password: &str) -> bool {
        check(password, 12, &ABOUT).is_err_and(|error| error.fields()[0].field == "password")
    }

    #[test]
    fn a_sentence_or_twelve_mixed_characters_are_accepted() {
        for password in
            ["my dog eats snow", "correct horse stapler", "Zw3!kq-Lp08#", "ünïcödé wörds hélp", "roofs in spring 2026"]
        {
            assert_eq!(check(password, 12, &ABOUT), Ok(()), "{password}");
        }
    }

    #[test]
    fn short_common_dressed_up_repeated_and_personal_ones_are_refused() {
        for password in [
            "Zw3!kq-Lp08",
            "passwordpassword",
            "Password2026!",
            "P4$$w0rd!!!!!!",
            "pass-word-pass-word",
            "1q2w3e4r5t6y",
            "qwertyuiop123",
            "dragon123456789",
            "aaaaaaaaaaaaaaaa",
            "abababababab",
            "dana.fox@example.com1",
            "correcthorsebatterystaple",
        ] {
            assert!(refused(password), "{password}");
        }
        assert!(refused(&"long ".repeat(60)));
    }

    #[tokio::test]
    async fn what_is_hashed_for_a_dropped_request_still_counts() {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let request = tokio::spawn(at_once(move || wait.recv().map_err(Error::internal)));
        while AT_ONCE.available_permits() == 2 {
            tokio::task::yield_now().await;
        }
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        assert_eq!(AT_ONCE.available_permits(), 1, "the work goes on");
        go.send(()).unwrap();
    }

    #[tokio::test]
    async fn only_the_same_password_verifies_and_nobodys_never_does() {
        let hash = hash("my dog eats snow").await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(verify("my dog eats snow", Some(hash.clone())).await.unwrap());
        assert!(!verify("my dog eats snow ", Some(hash)).await.unwrap());
        assert!(!verify("my dog eats snow", None).await.unwrap());
        assert!(verify("x", Some("not a hash".into())).await.is_err());
    }
}
