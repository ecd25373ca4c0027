//! What a browser sends with a form: the answers, and some names of ours. Ids of fields have no dash in them, so
//! ours cannot be taken for theirs.

use content::forms::Submitted;
use kernel::codes::PurlToken;
use messaging::Channel;
use uuid::Uuid;

use crate::tokens;

/// Made with the page.
pub const TOKEN: &str = "ace-token";
/// The recipient's link.
pub const RECIPIENT: &str = "ace-recipient";
/// Which way the reward should go.
pub const CHANNEL: &str = "ace-channel";
/// Where the form stands, when not on a page of its own.
pub const PAGE: &str = "ace-page";
/// The page that a campaign's link opens.
pub const LANDING: &str = "landing";
/// The form asks for nothing but the proof by which a card is shown again.
pub const AGAIN: &str = "ace-again";
/// Filled in by programs only.
pub const HONEYPOT: &str = "ace-website";

/// A form as it was sent.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// The answers.
    pub answers: Submitted,
    /// Made with the page.
    pub token: Option<Uuid>,
    /// The recipient's link; `Err` when it is none.
    pub recipient: Option<Result<PurlToken, ()>>,
    /// The way a reward should go.
    pub channel: Option<Channel>,
    /// It stood on the page that the campaign's link opens.
    pub on_landing: bool,
    /// Its answers are the proof by which a card is shown again.
    pub again: bool,
    /// A program filled in what people do not see.
    pub trapped: bool,
}

impl Sent {
    /// Reads the pairs of a form.
    pub fn read(pairs: Vec<(String, String)>) -> Self {
        let mut sent = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                TOKEN => sent.token = Uuid::parse_str(&value).ok(),
                RECIPIENT if value.is_empty() => {}
                RECIPIENT => sent.recipient = Some(tokens::purl(&value).ok_or(())),
                CHANNEL => sent.channel = Channel::parse(&value),
                PAGE => sent.on_landing = value == LANDING,
                AGAIN => sent.again = true,
                HONEYPOT => sent.trapped |= !value.is_empty(),
                // PostgreSQL keeps no NUL, and no honest answer has one.
                _ => sent.answers.entry(name).or_default().push(value.replace('\0', "")),
            }
        }
        sent
    }

    /// Whether nothing was answered: the form is shown for the first time.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.token.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_names_are_told_from_answers_and_nonsense_in_them_is_no_error() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let sent = Sent::read(vec![
            pair("email", "a@example.com"),
            pair("days", "Mon"),
            pair("days", "T\0ue"),
            pair("ace-token", "nonsense"),
            pair("ace-recipient", "7k2m9qrx4t"),
            pair("ace-channel", "pigeon"),
            pair("ace-website", ""),
        ]);
        assert_eq!(sent.answers["days"], ["Mon", "Tue"]);
        assert_eq!(sent.recipient.unwrap().unwrap().as_str(), "7K2M9QRX4T");
        assert_eq!((sent.token, sent.channel, sent.trapped), (None, None, false));
        assert!(Sent::read(vec![pair("ace-website", "http://spam.example")]).trapped);
        assert_eq!(Sent::read(vec![pair("ace-recipient", "../x")]).recipient, Some(Err(())));
    }
}
