//! The sandbox: a provider inside ACE. It keeps what it was asked to deliver, shows it as a phone and an inbox, and
//! reports back with the same signed callbacks as Twilio, so that a newcomer sees the whole loop without an account.
//!
//! Some addresses misbehave, so that failures can be seen too:
//!
//! | address | what happens |
//! |---|---|
//! | a number that ends in `0001`, or is none | refused at once as invalid, code 21211 |
//! | what is no e-mail address | refused at once, as by SMTP |
//! | a number that ends in `0000` | taken, then reported undelivered, code 30005 |
//! | `bounce@…` | taken, then reported undelivered, code 5.1.1 |

mod courier;
mod reading;
mod store;

use std::sync::Arc;

use kernel::keyring::Keyring;
use kernel::{Actor, Clock, System};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::delivery::{Accepted, SendError};
use crate::email::address::address;
pub use courier::{Callback, Courier, Delivered, Reply};
use database::Database;
pub use reading::{SandboxMessage, Thread, Which, find, list, mark_read, threads};

/// How this driver is called, for both channels.
pub const NAME: &str = "sandbox";

/// Phone or inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The phone.
    Sms,
    /// The inbox.
    Email,
}

impl Channel {
    /// The word in `sandbox_messages.channel`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }
}

/// What became of a message, decided by its address alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    /// Twilio's or SMTP's code of a later failure.
    Bounces(&'static str),
    Refused,
}

fn fate(channel: Channel, address: &str) -> Fate {
    match channel {
        Channel::Sms if address.ends_with("0001") || !is_number(address) => Fate::Refused,
        Channel::Sms if address.ends_with("0000") => Fate::Bounces("30005"),
        Channel::Email if address.starts_with("bounce@") => Fate::Bounces("5.1.1"),
        Channel::Sms | Channel::Email => Fate::Arrives,
    }
}

/// As E.164 writes one.
fn is_number(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|rest| (7..=15).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// What a message says; sealed before it is kept, for it may hold a card code.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Body {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    html: Option<String>,
}

impl Body {
    fn seal(&self, keyring: &Keyring, id: Uuid) -> kernel::Result<Vec<u8>> {
        let plain = serde_json::to_vec(self).map_err(kernel::Error::internal)?;
        keyring.seal(&context(id), &plain)
    }

    fn open(keyring: &Keyring, id: Uuid, sealed: &[u8]) -> kernel::Result<Self> {
        serde_json::from_slice(&keyring.open(&context(id), sealed)?).map_err(kernel::Error::internal)
    }
}

/// Binds a sealed body to its row.
fn context(id: Uuid) -> Vec<u8> {
    format!("sandbox_messages/{id}").into_bytes()
}

/// Where both sandbox drivers put what they take.
#[derive(Clone)]
pub(crate) struct Mailroom {
    pub(crate) db: Database,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) clock: Clock,
}

/// A message as the mailroom takes it.
pub(crate) struct Item<'a> {
    channel: Channel,
    client_id: Option<Uuid>,
    message_id: Uuid,
    person: &'a str,
    ours: &'a str,
    subject: Option<&'a str>,
    text: &'a str,
    html: Option<&'a str>,
    status_callback_url: Option<&'a str>,
}

impl<'a> From<&'a crate::OutgoingSms> for Item<'a> {
    fn from(sms: &'a crate::OutgoingSms) -> Self {
        Self {
            channel: Channel::Sms,
            client_id: Some(sms.client_id),
            message_id: sms.message_id,
            person: &sms.to,
            ours: &sms.from,
            subject: None,
            text: &sms.body,
            html: None,
            status_callback_url: sms.status_callback_url.as_deref(),
        }
    }
}

impl<'a> From<&'a crate::OutgoingEmail> for Item<'a> {
    fn from(email: &'a crate::OutgoingEmail) -> Self {
        Self {
            channel: Channel::Email,
            client_id: email.client_id,
            message_id: email.message_id,
            person: &email.to,
            ours: &email.from,
            subject: Some(&email.subject),
            text: &email.text,
            html: email.html.as_deref(),
            status_callback_url: email.status_callback_url.as_deref(),
        }
    }
}

impl Mailroom {
    /// Takes a message like a provider: refuses at once, or keeps it and promises callbacks.
    pub(crate) async fn take(&self, item: Item<'_>) -> Result<Accepted, SendError> {
        if item.channel == Channel::Email {
            address(item.person, "the recipient")?;
        }
        if fate(item.channel, item.person) == Fate::Refused {
            return Err(SendError::permanent("21211", "the number cannot be one: it is not valid"));
        }
        let id = kernel::new_id();
        let body = Body { text: item.text.to_owned(), html: item.html.map(str::to_owned) };
        let sealed = body.seal(&self.keyring, id).map_err(not_kept)?;
        store::insert(&self.db.scope(&worker()), id, &item, &sealed, self.clock.now()).await.map_err(not_kept)?;
        Ok(Accepted { provider: NAME, provider_message_id: provider_id(item.channel, id) })
    }
}

/// The sandbox acts as the provider does: outside every client.
fn worker() -> Actor {
    Actor::system(System::Worker)
}

/// An id of the form the real providers use.
fn provider_id(channel: Channel, id: Uuid) -> String {
    match channel {
        Channel::Sms => format!("SM{}", id.simple()),
        Channel::Email => format!("<{id}@sandbox.ace>"),
    }
}

fn not_kept(error: kernel::Error) -> SendError {
    match error {
        kernel::Error::Constraint(name) => SendError::permanent(name, "the message or its client no longer exists"),
        // the connection may have been lost after the commit
        kernel::Error::Unavailable(what) => SendError::ambiguous(what),
        other => SendError::temporary(other.code(), other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_addresses_misbehave() {
        assert_eq!(fate(Channel::Sms, "+16145550123"), Fate::Arrives);
        assert_eq!(fate(Channel::Sms, "+16145550000"), Fate::Bounces("30005"));
        assert_eq!(fate(Channel::Sms, "+16145550001"), Fate::Refused);
        assert_eq!(fate(Channel::Sms, "6145550123"), Fate::Refused, "no number as providers take it");
        assert_eq!(fate(Channel::Email, "ada@example.com"), Fate::Arrives);
        assert_eq!(fate(Channel::Email, "bounce@example.com"), Fate::Bounces("5.1.1"));
        assert_eq!(fate(Channel::Email, "ada.0000"), Fate::Arrives);
    }

    #[test]
    fn a_sealed_body_opens_only_on_its_own_row() {
        let keyring = Keyring::for_tests();
        let (own, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = Body { text: "ABCD-EFGH".into(), html: None }.seal(&keyring, own).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("ABCD"));
        assert_eq!(Body::open(&keyring, own, &sealed).unwrap().text, "ABCD-EFGH");
        assert!(Body::open(&keyring, other, &sealed).is_err());
    }
}
