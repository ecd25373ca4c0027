//! Text messages: what every SMS provider can do.

pub mod sandbox;
pub mod twilio;

use std::fmt;

use uuid::Uuid;

use crate::delivery::{Sending, field};

/// A finished text message.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingSms {
    /// The row in `messages`; the same at every try.
    pub message_id: Uuid,
    /// Whose message it is.
    pub client_id: Uuid,
    /// The person's number, E.164.
    pub to: String,
    /// Our number, E.164 or a short code.
    pub from: String,
    /// The text, merge tags filled in. It may hold a card code.
    pub body: String,
    /// Where the provider reports what became of it.
    pub status_callback_url: Option<String>,
}

impl fmt::Debug for OutgoingSms {
    // no `to` and no `body`: this is what ends up in logs
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingSms").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

/// A provider of text messages.
pub trait SmsDriver: Send + Sync {
    /// The name kept in `messages.provider`.
    fn name(&self) -> &'static str;

    /// Hands a message over. Never sends twice by itself.
    fn send<'a>(&'a self, message: &'a OutgoingSms) -> Sending<'a>;
}

/// A text message that a person sent to one of our numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct IncomingSms {
    /// The provider's id of it: a repeated webhook has the same.
    pub provider_message_id: String,
    /// The person's number.
    pub from: String,
    /// Our number.
    pub to: String,
    /// What they wrote.
    pub body: String,
}

impl IncomingSms {
    /// Reads the webhook for incoming messages, as Twilio and the sandbox post it.
    ///
    /// # Errors
    /// Names the missing parameter.
    pub fn from_form(form: &[(String, String)]) -> kernel::Result<Self> {
        let required = |name: &str| field(form, name).map(str::to_owned).ok_or_else(|| kernel::Error::required(name));
        Ok(Self {
            provider_message_id: required("MessageSid")?,
            from: required("From")?,
            to: required("To")?,
            body: field(form, "Body").unwrap_or_default().to_owned(),
        })
    }
}

impl fmt::Debug for IncomingSms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingSms").field("provider_message_id", &self.provider_message_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incoming_message_is_read_and_a_missing_sender_is_named() {
        let form = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let whole = form(&[("MessageSid", "SM1"), ("From", "+16145550123"), ("To", "+18005551212"), ("Body", "STOP")]);
        let incoming = IncomingSms::from_form(&whole).unwrap();
        assert_eq!((incoming.from.as_str(), incoming.body.as_str()), ("+16145550123", "STOP"));
        assert!(!format!("{incoming:?}").contains("614"));
        let error = IncomingSms::from_form(&form(&[("MessageSid", "SM1"), ("To", "+1"), ("From", "")])).unwrap_err();
        assert_eq!(error.fields()[0].field, "From");
    }
}
