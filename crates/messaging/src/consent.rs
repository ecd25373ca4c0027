//! Who must not be written to. Asked when a message is wanted and again at the moment it leaves.

use database::{FromRow, Transaction};
use kernel::{Result, new_id};
use uuid::Uuid;

use crate::message::Channel;

database::statement! {
    /// Why a person must not be written to at a number or address; see the function.
    REFUSAL, app, "
        select app.contact_refusal($1, $2, $3, $4)";
    /// The same for a number and an address at once.
    REFUSALS, app, "
        select app.contact_refusal($1, $2, 'sms', $3) as sms, app.contact_refusal($1, $2, 'email', $4) as email";
    /// An address must not be written to any more.
    SUPPRESS, app, "
        select app.suppress_address($1, $2, $3, $4, $5, $6)"
}

/// What a provider's refusal says about the address, beyond the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The person wants nothing more.
    Stop,
    /// Nobody is there.
    Bounce,
}

impl Signal {
    const fn reason(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Bounce => "bounce",
        }
    }
}

/// Enhanced status codes (RFC 3463) of an address that does not exist or takes nothing any more.
const NOBODY: &[&str] = &["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"];

/// How servers without enhanced codes say it.
const NOBODY_IN_WORDS: &[&str] = &[
    "user unknown",
    "unknown user",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "user not found",
    "recipient not found",
    "mailbox not found",
    "does not exist",
    "doesn't exist",
    "unknown recipient",
    "recipient unknown",
    "invalid recipient",
    "invalid mailbox",
    "account disabled",
    "account has been disabled",
    "mailbox disabled",
];

/// What a final refusal with this code and text says about the address. A full mailbox, a filter or a blocked sender
/// says nothing about it.
pub(crate) fn signal(channel: Channel, code: &str, text: &str) -> Option<Signal> {
    match channel {
        // Twilio: the person replied STOP to us
        Channel::Sms => (code == "21610").then_some(Signal::Stop),
        Channel::Email => {
            let text = text.to_ascii_lowercase();
            let mut words = text.split(|c: char| !c.is_ascii_digit() && c != '.').chain([code]);
            let coded = words.any(|word| NOBODY.contains(&word));
            let said = code.starts_with("55") && NOBODY_IN_WORDS.iter().any(|words| text.contains(words));
            (coded || said).then_some(Signal::Bounce)
        }
    }
}

/// Keeps an address from being written to again, whoever has it.
pub(crate) async fn suppress(
    tx: &Transaction,
    client_id: Uuid,
    (channel, address): (Channel, &str),
    signal: Signal,
) -> Result<()> {
    let params: database::Params<'_> =
        &[&new_id(), &client_id, &channel.as_str(), &address, &signal.reason(), &tx.now()];
    tx.execute(&SUPPRESS, params).await.map(|_| ())
}

#[derive(Debug, FromRow)]
struct Refusals {
    sms: Option<String>,
    email: Option<String>,
}

/// Why somebody must not be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// They want no contact at all.
    DoNotContact,
    /// They opted out of this channel.
    OptedOut,
    /// The address itself is suppressed, whoever has it.
    Suppressed,
}

impl Refusal {
    /// The stable word kept as `messages.last_error_code`.
    pub const CODE: &'static str = "opted_out";

    fn of(word: &str) -> Self {
        match word {
            "do_not_contact" => Self::DoNotContact,
            "opted_out" => Self::OptedOut,
            _ => Self::Suppressed,
        }
    }

    /// A sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::DoNotContact => "the person does not want to be contacted",
            Self::OptedOut => "the person opted out of this channel",
            Self::Suppressed => "this number or address opted out or bounced",
        }
    }
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy)]
pub struct Addressee<'a> {
    /// Whose message it is.
    pub client_id: Uuid,
    /// The contact, when it is known.
    pub contact_id: Option<Uuid>,
    /// The way the message goes.
    pub channel: Channel,
    /// The number or address.
    pub address: &'a str,
}

/// Why the addressee must not be written to; `None` when they may.
///
/// # Errors
/// What the database answered.
pub async fn refusal(tx: &Transaction, to: &Addressee<'_>) -> Result<Option<Refusal>> {
    let params: database::Params<'_> = &[&to.client_id, &to.contact_id, &to.channel.as_str(), &to.address];
    let word: Option<String> = tx.query_scalar(&REFUSAL, params).await?;
    Ok(word.as_deref().map(Refusal::of))
}

/// The ways by which somebody may be written to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Open {
    /// At the number.
    pub sms: bool,
    /// At the e-mail address.
    pub email: bool,
}

impl Open {
    /// Whether this way is open.
    pub const fn is(self, channel: Channel) -> bool {
        match channel {
            Channel::Sms => self.sms,
            Channel::Email => self.email,
        }
    }
}

/// Whether a contact may be written to at a number, and at an e-mail address.
///
/// # Errors
/// What the database answered.
pub async fn open_ways(
    tx: &Transaction,
    client_id: Uuid,
    contact_id: Option<Uuid>,
    (phone, email): (Option<&str>, Option<&str>),
) -> Result<Open> {
    let found: Refusals = tx.query_one(&REFUSALS, &[&client_id, &contact_id, &phone, &email]).await?;
    Ok(Open { sms: phone.is_some() && found.sms.is_none(), email: email.is_some() && found.email.is_none() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_and_an_address_without_anybody_are_told_from_every_other_refusal() {
        assert_eq!(signal(Channel::Sms, "21610", "unsubscribed recipient"), Some(Signal::Stop));
        for code in ["30005", "30003", "21211", "5.1.1", "opted_out"] {
            assert_eq!(signal(Channel::Sms, code, "unknown"), None, "{code}");
        }
        for (code, text) in [
            ("550", "5.1.1 <ada@example.com>: Recipient address rejected: User unknown"),
            ("5.1.1", "bounced"),
            ("550", "No such user here"),
            ("551", "account disabled"),
            ("553", "5.1.3 bad syntax"),
        ] {
            assert_eq!(signal(Channel::Email, code, text), Some(Signal::Bounce), "{code} {text}");
        }
        for (code, text) in [
            ("550", "5.7.1 blocked by policy"),
            ("552", "5.2.2 mailbox full"),
            ("571", "blocked"),
            ("550", "5.1.8 sender rejected"),
            ("450", "user unknown, perhaps later"),
            ("unreachable", "server at 15.1.1.7"),
        ] {
            assert_eq!(signal(Channel::Email, code, text), None, "{code} {text}");
        }
    }
}
