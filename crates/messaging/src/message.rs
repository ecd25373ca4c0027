//! What a message is, and how it moves. Pure rules: no SQL, no HTTP.

use kernel::{email, phone};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// How often a message is tried: once, and again after 5 s, 30 s, 2 min, 10 min, 1 h and 4 h.
pub const MOST_ATTEMPTS: i32 = 7;

/// The error code of a message that counts as sent, though no provider said that it took it; the kind of the alert, too.
pub const PERHAPS_SENT: &str = "perhaps_sent";

/// The way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A text message.
    Sms,
    /// An e-mail.
    Email,
}

impl Channel {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Sms, Self::Email].into_iter().find(|channel| channel.as_str() == word)
    }

    /// The way that is tried when this one fails.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Sms => Self::Email,
            Self::Email => Self::Sms,
        }
    }

    /// An address of this channel as it is stored; `None` when none can look like that.
    pub fn normalise(self, address: &str) -> Option<String> {
        match self {
            Self::Sms => phone::normalise(address, phone::DEFAULT_REGION),
            Self::Email => email::normalise(address),
        }
    }
}

/// Why a message is sent: it decides about quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A card somebody earned.
    Reward,
    /// An answer to somebody who wrote.
    Reply,
    /// A request to take part.
    Invite,
    /// Anything nobody asked for: waits out the quiet hours.
    Marketing,
    /// Something the person should know.
    Notice,
    /// A try by somebody of the team.
    Test,
}

impl Purpose {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reward => "reward",
            Self::Reply => "reply",
            Self::Invite => "invite",
            Self::Marketing => "marketing",
            Self::Notice => "notice",
            Self::Test => "test",
        }
    }

    /// Whether it waits until the morning: nobody asked for it.
    pub const fn keeps_quiet_hours(self) -> bool {
        matches!(self, Self::Marketing | Self::Invite)
    }
}

/// How far a message is. It only ever moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for a person's look.
    Held,
    /// Waits to be sent, or to be tried again.
    Pending,
    /// The provider took it.
    Sent,
    /// It arrived.
    Delivered,
    /// It will not arrive.
    Failed,
}

impl Status {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Held, Self::Pending, Self::Sent, Self::Delivered, Self::Failed]
            .into_iter()
            .find(|status| status.as_str() == word)
    }

    /// Whether `next` lies ahead: callbacks come late, twice and in any order.
    pub const fn may_become(self, next: Self) -> bool {
        self.rank() < next.rank()
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Pending => 1,
            Self::Sent => 2,
            // both are ends: neither follows the other
            Self::Delivered | Self::Failed => 3,
        }
    }
}

/// A message somebody wants sent.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Whose message it is.
    pub client_id: Uuid,
    /// The campaign it belongs to.
    pub campaign_id: Option<Uuid>,
    /// The recipient it is for.
    pub recipient_id: Option<Uuid>,
    /// The contact it is for.
    pub contact_id: Option<Uuid>,
    /// The card it brings.
    pub gift_card_id: Option<Uuid>,
    /// The failed message it stands in for.
    pub fallback_of_id: Option<Uuid>,
    /// The way it goes.
    pub channel: Channel,
    /// Why.
    pub purpose: Purpose,
    /// The person's number or address.
    pub to: String,
    /// An e-mail's subject, with merge tags.
    pub subject: Option<String>,
    /// The text, with merge tags.
    pub body_template: String,
    /// Further values for merge tags, and what the sender wants to find again; never a card code.
    pub merge: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_moves_forward_only_and_its_ends_are_ends() {
        use Status::{Delivered, Failed, Held, Pending, Sent};
        for (from, to) in [(Held, Pending), (Pending, Sent), (Pending, Delivered), (Sent, Delivered), (Sent, Failed)] {
            assert!(from.may_become(to), "{from:?} {to:?}");
            assert!(!to.may_become(from), "{to:?} {from:?}");
        }
        assert!(!Delivered.may_become(Failed) && !Failed.may_become(Delivered) && !Sent.may_become(Sent));
    }

    #[test]
    fn words_read_back_and_unknown_ones_do_not() {
        for status in [Status::Held, Status::Pending, Status::Sent, Status::Delivered, Status::Failed] {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        assert_eq!(Status::parse("lost"), None);
        assert_eq!(Channel::parse("fax"), None);
        assert_eq!(Channel::Sms.normalise("(614) 555-0123").as_deref(), Some("+16145550123"));
        assert_eq!(Channel::Email.normalise("not an address"), None);
    }
}
