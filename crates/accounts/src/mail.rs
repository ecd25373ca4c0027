//! Mail to people of the console: invitations, resets, a new address. Written as a job in the transaction that causes
//! it; the room `messaging` sends it. The text holds a link that is a secret, so it travels sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use database::Transaction;
use jobs::NewJob;
use kernel::keyring::Keyring;
use kernel::{Error, Result};
use serde_json::{Value, json};
use web::App;
use web::limits::{Key, Rule};

/// The job that `messaging` handles.
pub const SYSTEM_MAIL: &str = "messages.system_mail";

/// What the text is sealed with.
const CONTEXT: &[u8] = b"messages.system_mail";

/// Mails of one kind to one address: whoever may cause them must not be able to flood somebody.
const TO_ONE_ADDRESS: Rule = Rule { name: "mails", requests: 5, seconds: 3600 };

/// Counts a mail of a kind against the address it goes to. What stands behind a `+` in it is the same mailbox.
///
/// # Errors
/// `TooMany` after five in an hour.
pub(crate) fn spend(app: &App, kind: &str, to: &str) -> Result<()> {
    let (local, host) = to.rsplit_once('@').unwrap_or((to, ""));
    let mailbox = local.split('+').next().unwrap_or(local);
    app.limits.spend(TO_ONE_ADDRESS, &Key::Text(format!("{kind} {mailbox}@{host}"))).map(|_| ())
}

/// A name as one line of a mail.
pub(crate) fn one_line(name: &str) -> String {
    name.split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A mail to somebody of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemMail {
    /// The address.
    pub to: String,
    /// The subject; no secret.
    pub subject: String,
    /// Plain text; may hold a secret link.
    pub text: String,
}

impl SystemMail {
    /// The payload of the job: the text sealed.
    ///
    /// # Errors
    /// `Internal` when sealing fails.
    pub fn payload(&self, keyring: &Keyring) -> Result<Value> {
        let sealed = STANDARD.encode(keyring.seal(CONTEXT, self.text.as_bytes())?);
        Ok(json!({ "to": self.to, "subject": self.subject, "text_sealed": sealed }))
    }

    /// Reads a payload again.
    ///
    /// # Errors
    /// `Internal` when it is not one of ours.
    pub fn from_payload(keyring: &Keyring, payload: &Value) -> Result<Self> {
        let word = |name: &str| payload[name].as_str().ok_or_else(|| Error::internal(format!("a mail without {name}")));
        let sealed = STANDARD.decode(word("text_sealed")?).map_err(Error::internal)?;
        let text = String::from_utf8(keyring.open(CONTEXT, &sealed)?).map_err(Error::internal)?;
        Ok(Self { to: word("to")?.to_owned(), subject: word("subject")?.to_owned(), text })
    }

    /// Sends it once the transaction is committed.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn send(&self, tx: &Transaction, keyring: &Keyring) -> Result<()> {
        jobs::enqueue(tx, &NewJob::new(SYSTEM_MAIL, self.payload(keyring)?)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_not_readable_in_the_queue_and_comes_back_whole() {
        let mail = SystemMail { to: "a@example.com".into(), subject: "Join".into(), text: "https://ace.test/x".into() };
        let payload = mail.payload(&Keyring::for_tests()).unwrap();
        assert!(!payload.to_string().contains("ace.test"), "{payload}");
        assert_eq!(SystemMail::from_payload(&Keyring::for_tests(), &payload).unwrap(), mail);
        assert!(SystemMail::from_payload(&Keyring::generate(), &payload).is_err());
    }
}
