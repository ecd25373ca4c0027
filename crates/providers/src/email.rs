//! E-mail: what every way of sending it can do.

pub(crate) mod address;
pub mod sandbox;
pub mod smtp;

use std::fmt;

use uuid::Uuid;

use crate::delivery::Sending;

/// A finished e-mail.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingEmail {
    /// The row in `messages`, or in `system_messages` when there is no client; the same at every try.
    pub message_id: Uuid,
    /// Whose message it is; `None` for mail of ACE itself.
    pub client_id: Option<Uuid>,
    /// The person's address.
    pub to: String,
    /// The sender, as `Name <address>` or an address.
    pub from: String,
    /// Where answers go, when not to the sender.
    pub reply_to: Option<String>,
    /// The subject.
    pub subject: String,
    /// The text for readers without HTML. It may hold a card code.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// The address behind the mail program's own "unsubscribe" button; it must accept a POST.
    pub unsubscribe_url: Option<String>,
    /// Where the provider reports what became of it, if it does (SMTP does not).
    pub status_callback_url: Option<String>,
}

impl fmt::Debug for OutgoingEmail {
    // no address and no text: this is what ends up in logs
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingEmail").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

/// A way of sending e-mail.
pub trait EmailDriver: Send + Sync {
    /// The name kept in `messages.provider`.
    fn name(&self) -> &'static str;

    /// Hands a message over. Never sends twice by itself.
    fn send<'a>(&'a self, message: &'a OutgoingEmail) -> Sending<'a>;
}
