//! SMTP to any mail server.
//!
//! The dialogue is led step by step, because it matters where it breaks: before the text was handed over nothing
//! was sent, afterwards it may have been. A connection is used again only after a dialogue that ended well, so an
//! answer can never be taken for that of another message.

mod connection;
mod url;

use std::time::Duration;

use chrono::{DateTime, Utc};
use kernel::Clock;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::{Address, Message};
use tokio::time::timeout;

use super::address::{address, mailbox};
use super::{EmailDriver, OutgoingEmail};
use crate::delivery::{Accepted, SendError, Sending};
use connection::Connections;
pub use url::{Security, SmtpConfig};

/// How this driver is called.
pub const NAME: &str = "smtp";

/// How long each step may take when nothing else is said.
pub const STEP: Duration = Duration::from_secs(30);

/// Sends through one mail server.
#[derive(Debug)]
pub struct Smtp {
    connections: Connections,
    step: Duration,
    clock: Clock,
}

impl Smtp {
    /// Prepares the driver; nothing is asked of the server yet. Each step of a dialogue may take as long as `step`.
    ///
    /// # Errors
    /// Names `email.smtp_url` when no TLS can be prepared for its host.
    pub fn new(config: SmtpConfig, step: Duration, clock: Clock) -> kernel::Result<Self> {
        crate::http::install_tls();
        Ok(Self { connections: Connections::new(config, step)?, step, clock })
    }

    async fn hand_over(&self, email: &OutgoingEmail) -> Result<Accepted, SendError> {
        let mail = compose(email, self.clock.now())?;
        let mut connection = self.connections.take().await?;
        let from = mail.message.envelope().from().cloned();
        // what is refused here is our server, our account or our sender, never the person's address
        self.step(connection.command(Mail::new(from, vec![]))).await?.map_err(about_us)?;
        self.step(connection.command(Rcpt::new(mail.to, vec![]))).await?.map_err(before_the_text)?;
        self.step(connection.command(Data)).await?.map_err(before_the_text)?;
        self.text(&mut connection, &mail.message.formatted()).await?;
        self.connections.give_back(connection);
        Ok(Accepted { provider: NAME, provider_message_id: mail.id })
    }

    async fn step<T>(&self, answer: impl Future<Output = T>) -> Result<T, SendError> {
        timeout(self.step, answer).await.map_err(|_| SendError::temporary("timeout", "the mail server did not answer"))
    }

    async fn text(&self, connection: &mut AsyncSmtpConnection, text: &[u8]) -> Result<(), SendError> {
        match timeout(self.step, connection.message(text)).await {
            Err(_) => Err(SendError::ambiguous("the mail server took the text and did not answer")),
            Ok(Err(error)) if error.status().is_none() && !is_odd_refusal(&error) => {
                Err(SendError::ambiguous(format!("the mail server took the text, and its answer was lost: {error}")))
            }
            Ok(answer) => answer.map(|_| ()).map_err(before_the_text),
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

/// An answer by its class: 5yz is for good, everything else may pass. Nothing was sent.
fn before_the_text(error: SmtpError) -> SendError {
    match error.status() {
        Some(code) if error.is_permanent() => SendError::permanent(code.to_string(), reason(&error)),
        None if is_odd_refusal(&error) => SendError::permanent("571", reason(&error)),
        _ => about_us(error),
    }
}

/// A reply such as `571 blocked`: the library reads no code whose second digit is above 5, and gives what is left behind
/// the first. Only refusals for good carry such codes; one that says 4.x.x in its text is none.
fn is_odd_refusal(error: &SmtpError) -> bool {
    let text = reason(error);
    let left = text.split_once("at: ").map_or(text.as_str(), |(_, left)| left);
    let is_code = |code: &[u8]| matches!(code, [b'6'..=b'9', b'0'..=b'9', b' ' | b'-' | b'\r' | b'\n', ..]);
    let passes = left.split_whitespace().any(|word| word.starts_with("4."));
    error.is_response() && is_code(left.as_bytes()) && !passes
}

/// An answer to something that is not the message's fault: somebody can mend it while the job waits.
fn about_us(error: SmtpError) -> SendError {
    // an answer that cannot be read is an answer all the same
    let silent = if error.is_response() { "unreadable" } else { "unreachable" };
    let code = error.status().map_or_else(|| silent.to_owned(), |code| code.to_string());
    SendError::temporary(code, reason(&error))
}

/// The server's own words where there are any.
fn reason(error: &SmtpError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
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
