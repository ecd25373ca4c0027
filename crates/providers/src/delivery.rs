//! What a provider answers: at once when it takes a message or refuses it, and later by its callbacks.

use std::future::Future;
use std::pin::Pin;

/// The longest text of an error that is kept: what a stranger's server wrote must not fill our tables.
const LONGEST_MESSAGE: usize = 500;

/// A message on its way to a provider; boxed, so that drivers can be chosen by a setting.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Accepted, SendError>> + Send + 'a>>;

/// The provider took the message. Whether it arrives, its callbacks tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Which driver sent it: `twilio`, `smtp`, `sandbox`.
    pub provider: &'static str,
    /// How the provider's callbacks will name the message.
    pub provider_message_id: String,
}

/// Why a message was not taken, told apart by what the sender should do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// It can never work for this address: do not try again.
    Permanent {
        /// The provider's code, such as `21211`, or SMTP's reply code.
        code: String,
        /// A sentence for people.
        message: String,
    },
    /// It was surely not sent, and may work later.
    Temporary {
        /// The provider's code, the HTTP status, or a word such as `unreachable`.
        code: String,
        /// A sentence for people.
        message: String,
        /// How long the provider asks us to wait, when it says so.
        retry_after_seconds: Option<u64>,
    },
    /// It may have been sent: the answer was lost, or says nothing. Trying again may repeat the message to the same
    /// person.
    Ambiguous {
        /// A sentence for people.
        message: String,
    },
}

impl SendError {
    /// The code of a lost answer.
    pub const AMBIGUOUS: &str = "ambiguous";

    /// An error that further tries will not mend.
    pub fn permanent(code: impl Into<String>, message: impl AsRef<str>) -> Self {
        Self::Permanent { code: code.into(), message: shortened(message.as_ref()) }
    }

    /// An error that may pass.
    pub fn temporary(code: impl Into<String>, message: impl AsRef<str>) -> Self {
        Self::Temporary { code: code.into(), message: shortened(message.as_ref()), retry_after_seconds: None }
    }

    /// A lost answer.
    pub fn ambiguous(message: impl AsRef<str>) -> Self {
        Self::Ambiguous { message: shortened(message.as_ref()) }
    }

    /// The code to keep beside the message.
    pub fn code(&self) -> &str {
        match self {
            Self::Permanent { code, .. } | Self::Temporary { code, .. } => code,
            Self::Ambiguous { .. } => Self::AMBIGUOUS,
        }
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        match self {
            Self::Permanent { message, .. } | Self::Temporary { message, .. } | Self::Ambiguous { message } => message,
        }
    }
}

impl std::fmt::Display for SendError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self {
            Self::Permanent { .. } => "refused for good",
            Self::Temporary { .. } => "refused for now",
            Self::Ambiguous { .. } => "perhaps sent",
        };
        write!(f, "{kind} ({}): {}", self.code(), self.message())
    }
}

impl std::error::Error for SendError {}

/// What a provider's callback says about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusUpdate {
    /// The id the provider gave when it took the message.
    pub provider_message_id: String,
    /// How far the message is.
    pub status: DeliveryStatus,
    /// The provider's own word, for the record.
    pub word: String,
}

/// How far a message is, in our words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// Handed on to the network.
    Sent,
    /// Arrived.
    Delivered,
    /// Will not arrive.
    Failed {
        /// The provider's code; empty when it gave none.
        code: String,
        /// A sentence for people.
        message: String,
    },
}

/// `text` without line breaks and control characters, cut to what is worth keeping.
pub(crate) fn shortened(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_MESSAGE).collect();
    clean.trim().to_owned()
}

/// The first value of `name` in a decoded form.
pub(crate) fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_wrote_is_kept_short_and_on_one_line() {
        let error = SendError::permanent("550", format!("no\r\nsuch user{}", "x".repeat(10_000)));
        assert!(error.message().starts_with("no  such user"));
        assert_eq!(error.message().len(), 500);
        assert!(!error.to_string().contains('\n'));
    }
}
