//! SMTP to any mail server.
//!
//! The dialogue is led step by step, because it matters where it breaks: before the text was handed over nothing
//! was sent, afterwards it may have been. A connection is used again only after a dialogue that ended well, so an
//! answer can never be taken for that of another message.

mod connection;
mod dialogue;
mod url;

use std::time::Duration;

use chrono::{DateTime, Utc};
use kernel::Clock;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::{Address, Message};
use tokio::time::timeout;

use super::address::{address, mailbox};
use super::{EmailDriver, OutgoingEmail};
use crate::delivery::{Accepted, SendError, Sending};
use connection::Connections;
use dialogue::{Class, Dialogue, NoReply, Reply, stuffed};
pub use url::{Security, SmtpConfig};

/// How this driver is called.
pub const NAME: &str = "smtp";

/// How long the server is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// At each step before the text is handed over: servers greet late on purpose, and ask others about a sender.
    pub step: Duration,
    /// For the answer to the text: a server may have it scanned first, and whoever gives up earlier sends it twice.
    pub answer: Duration,
}

impl Patience {
    /// As long as RFC 5321 (4.5.3.2) wants it.
    pub const USUAL: Self = Self { step: Duration::from_mins(5), answer: Duration::from_mins(10) };
}

/// Sends through one mail server.
#[derive(Debug)]
pub struct Smtp {
    connections: Connections,
    patience: Patience,
    clock: Clock,
}

impl Smtp {
    /// Prepares the driver; nothing is asked of the server yet.
    ///
    /// # Errors
    /// Names `email.smtp_url` when no TLS can be prepared for its host.
    pub fn new(config: SmtpConfig, patience: Patience, clock: Clock) -> kernel::Result<Self> {
        crate::http::install_tls();
        Ok(Self { connections: Connections::new(config, patience.step)?, patience, clock })
    }

    async fn hand_over(&self, email: &OutgoingEmail) -> Result<Accepted, SendError> {
        let mail = compose(email, self.clock.now())?;
        let mut dialogue = self.connections.take().await?;
        let from = mail.message.envelope().from().cloned();
        let sender = self.step(dialogue.say(Mail::new(from, vec![]))).await?;
        if sender.class != Class::Done {
            // our server, our account or our sender, never the person's address
            return Err(sender.about_us());
        }
        expect(Class::Done, &self.step(dialogue.say(Rcpt::new(mail.to, vec![]))).await?)?;
        expect(Class::GoOn, &self.step(dialogue.say(Data)).await?)?;
        self.text(&mut dialogue, &mail.message.formatted()).await?;
        self.connections.give_back(dialogue);
        Ok(Accepted { provider: NAME, provider_message_id: mail.id })
    }

    /// Something before the end of the text, without which nothing is sent.
    async fn step<T, E: Into<NoReply>>(&self, answer: impl Future<Output = Result<T, E>>) -> Result<T, SendError> {
        let late = |_| SendError::temporary("timeout", "the mail server did not answer");
        timeout(self.patience.step, answer).await.map_err(late)?.map_err(|none| NoReply::before_the_text(none.into()))
    }

    async fn text(&self, dialogue: &mut Dialogue, text: &[u8]) -> Result<(), SendError> {
        self.step(dialogue.write(&stuffed(text))).await?;
        // the line that ends it: from here on the server may have the mail
        match timeout(self.patience.answer, dialogue.say(".\r\n")).await {
            Err(_) => Err(SendError::ambiguous("the mail server took the text and did not answer")),
            Ok(Err(none)) => Err(none.after_the_text()),
            Ok(Ok(reply)) if reply.class == Class::GoOn => Err(NoReply::Unreadable(reply.code).after_the_text()),
            Ok(Ok(reply)) => expect(Class::Done, &reply),
        }
    }
}

impl EmailDriver for Smtp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn send<'a>(&'a self, message: &'a OutgoingEmail) -> Sending<'a> {
        Box::pin(self.hand_over(message))
    }
}

fn expect(class: Class, reply: &Reply) -> Result<(), SendError> {
    if reply.class == class { Ok(()) } else { Err(reply.refusal()) }
}

/// A message in its written form.
struct Composed {
    message: Message,
    to: Address,
    id: String,
}

fn compose(email: &OutgoingEmail, now: DateTime<Utc>) -> Result<Composed, SendError> {
    let to = Mailbox::new(None, address(&email.to, "the recipient")?);
    let from = mailbox(&email.from, "the sender")?;
    let id = format!("<{}@{}>", email.message_id, from.email.domain());
    let address = to.email.clone();
    let mut builder = Message::builder()
        .message_id(Some(id.clone()))
        .date(now.into())
        .from(from)
        .to(to)
        .subject(one_line(&email.subject));
    if let Some(reply_to) = &email.reply_to {
        builder = builder.reply_to(mailbox(reply_to, "the address for answers")?);
    }
    if let Some(url) = &email.unsubscribe_url {
        let url = reqwest::Url::parse(url).map_err(|_| SendError::permanent("unsubscribe_url", "not a URL"))?;
        builder = builder
            .raw_header(header("List-Unsubscribe", format!("<{url}>")))
            .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()));
    }
    let message = match &email.html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(email.text.clone(), html.clone())),
        None => builder.singlepart(SinglePart::plain(email.text.clone())),
    };
    let message = message.map_err(|error| SendError::permanent("message", error.to_string()))?;
    Ok(Composed { message, to: address, id })
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// A line break in a subject could begin another header.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn email() -> OutgoingEmail {
        OutgoingEmail {
            message_id: Uuid::from_u128(7),
            client_id: None,
            to: "ada@example.com".into(),
            from: "Acme Roofing <hello@acme.example>".into(),
            reply_to: None,
            subject: "Your gift card".into(),
            text: "Here it is: ÄÖ".into(),
            html: Some("<p>Here it is</p>".into()),
            unsubscribe_url: Some("https://ace.example/u/abc".into()),
            status_callback_url: None,
        }
    }

    fn written(email: &OutgoingEmail) -> String {
        String::from_utf8(compose(email, DateTime::UNIX_EPOCH).unwrap().message.formatted()).unwrap()
    }

    #[test]
    fn a_mail_has_both_parts_our_id_the_clocks_date_and_one_click_unsubscribe() {
        let text = written(&email());
        for line in [
            "Message-ID: <00000000-0000-0000-0000-000000000007@acme.example>\r\n",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n",
            "From: \"Acme Roofing\" <hello@acme.example>\r\n",
            "List-Unsubscribe: <https://ace.example/u/abc>\r\n",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Content-Type: text/html; charset=utf-8\r\n",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn nothing_a_person_typed_becomes_a_header() {
        let sly = OutgoingEmail { subject: "Hi\r\nBcc: everybody@example.com\r\n\r\nBuy".into(), ..email() };
        assert!(!written(&sly).lines().any(|line| line.starts_with("Bcc:") || line.starts_with("Buy")));
        for to in ["ada@example.com\r\nBcc: x@example.com", "ada@example.com> RCPT TO:<x@example.com", "ada"] {
            let refused = compose(&OutgoingEmail { to: to.into(), ..email() }, DateTime::UNIX_EPOCH);
            assert!(matches!(refused.map(|_| ()), Err(SendError::Permanent { .. })), "{to:?}");
        }
        let url = Some("https://ace.example/u/abc>\r\nBcc: x@example.com".to_owned());
        let text = compose(&OutgoingEmail { unsubscribe_url: url, ..email() }, DateTime::UNIX_EPOCH);
        assert!(
            text.is_err()
                || !String::from_utf8(text.unwrap_or_else(|e| panic!("{e}")).message.formatted())
                    .unwrap()
                    .contains("\nBcc")
        );
    }
}
