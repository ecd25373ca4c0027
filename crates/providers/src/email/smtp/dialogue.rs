//! One connection to the mail server, and the replies that are read on it.
//!
//! A reply is read as RFC 5321 (4.2) allows it to be written: a code with or without a text, in any bytes. What it means
//! is told by the first digit alone (4.2.1), so that a code nobody has listed is understood as well.

use std::fmt::Display;
use std::io;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::transport::smtp::commands::{Ehlo, Noop};
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::delivery::SendError;

/// How long a machine may take to be there at all.
const CONNECTING: Duration = Duration::from_secs(30);
/// So much of a line is kept; the rest is read and forgotten.
const LONGEST_LINE: usize = 1_000;
/// So many lines of a reply are kept.
const MOST_LINES: usize = 50;

/// Plain or encrypted.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What a reply means, by its code's first digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Done,
    GoOn,
    NotNow,
    Never,
}

/// A reply of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub class: Class,
    pub code: String,
    pub lines: Vec<String>,
}

impl Reply {
    /// The server's own words.
    pub fn text(&self) -> String {
        self.lines.join(" ").trim().to_owned()
    }

    /// A refusal that is nobody's fault but ours: somebody can mend it while the job waits.
    pub fn about_us(&self) -> SendError {
        SendError::temporary(&self.code, self.text())
    }

    /// A refusal by its class. Nothing was sent.
    pub fn refusal(&self) -> SendError {
        if self.class == Class::Never { SendError::permanent(&self.code, self.text()) } else { self.about_us() }
    }
}

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum NoReply {
    /// The connection broke.
    Lost(io::Error),
    /// It begins with no code.
    Unreadable(String),
}

impl NoReply {
    /// Nothing was sent.
    pub fn before_the_text(self) -> SendError {
        match self {
            Self::Lost(error) => SendError::temporary("unreachable", error.to_string()),
            Self::Unreadable(line) => SendError::temporary("unreadable", format!("the mail server answered: {line}")),
        }
    }

    /// It may have been sent.
    pub fn after_the_text(self) -> SendError {
        SendError::ambiguous(match self {
            Self::Lost(error) => format!("the mail server took the text, and its answer was lost: {error}"),
            Self::Unreadable(line) => format!("the mail server took the text, and answered: {line}"),
        })
    }
}

impl From<io::Error> for NoReply {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

/// A connection on which one command after the other is answered.
pub(super) struct Dialogue {
    stream: BufReader<Box<dyn Stream>>,
    /// The lines of the server's answer to EHLO.
    offers: Vec<String>,
}

impl Dialogue {
    /// Connects, and hears the greeting.
    pub async fn open(
        host: &str,
        port: u16,
        tls: Option<(&TlsConnector, &ServerName<'static>)>,
    ) -> Result<Self, SendError> {
        let late = |_| SendError::temporary("unreachable", "no connection to the mail server could be made");
        let stream = timeout(CONNECTING, TcpStream::connect((host, port))).await.map_err(late)?;
        let stream = stream.map_err(|error| NoReply::Lost(error).before_the_text())?;
        let stream: Box<dyn Stream> = match tls {
            Some((connector, name)) => encrypted(connector, name, stream).await?,
            None => Box::new(stream),
        };
        let mut dialogue = Self { stream: BufReader::new(stream), offers: Vec::new() };
        dialogue.done(None::<&str>).await?;
        dialogue.hello().await?;
        Ok(dialogue)
    }

    /// Whether the server offered something, such as STARTTLS.
    pub fn offers(&self, what: &str) -> bool {
        self.offers
            .iter()
            .any(|line| line.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(what)))
    }

    /// Encrypts from here on. What the server offered before is forgotten.
    pub async fn starttls(mut self, connector: &TlsConnector, name: &ServerName<'static>) -> Result<Self, SendError> {
        if !self.offers("STARTTLS") {
            return Err(SendError::temporary("unreachable", "the mail server does not offer STARTTLS"));
        }
        self.done(Some("STARTTLS\r\n")).await?;
        // what came with that answer was not encrypted, and goes with the old reader
        let stream = encrypted(connector, name, self.stream.into_inner()).await?;
        let mut dialogue = Self { stream: BufReader::new(stream), offers: Vec::new() };
        dialogue.hello().await?;
        Ok(dialogue)
    }

    /// Signs in, by the first way of AUTH that the server offers and ACE knows.
    pub async fn sign_in(&mut self, user: &str, password: &str) -> Result<(), SendError> {
        let ways = self.offers.iter().map(|line| line.to_ascii_uppercase().replace('=', " "));
        let ways: Vec<String> = ways.filter(|line| line.starts_with("AUTH ")).collect();
        let knows = |way: &str| ways.iter().any(|line| line.split_whitespace().any(|word| word == way));
        if knows("PLAIN") {
            let both = BASE64.encode(format!("\0{user}\0{password}"));
            return self.done(Some(format!("AUTH PLAIN {both}\r\n"))).await.map(|_| ());
        }
        if !knows("LOGIN") {
            return Err(SendError::temporary("sign_in", "the mail server offers neither AUTH PLAIN nor AUTH LOGIN"));
        }
        // whatever it asks with, the name comes first
        for said in ["AUTH LOGIN\r\n".to_owned(), format!("{}\r\n", BASE64.encode(user))] {
            let reply = self.say(said).await.map_err(NoReply::before_the_text)?;
            if reply.class != Class::GoOn {
                return Err(reply.about_us());
            }
        }
        self.done(Some(format!("{}\r\n", BASE64.encode(password)))).await.map(|_| ())
    }

    /// Whether somebody still answers.
    pub async fn is_alive(&mut self) -> bool {
        self.say(Noop).await.is_ok_and(|reply| reply.class == Class::Done)
    }

    /// Says a command, with its line's end, and hears the reply.
    pub async fn say(&mut self, command: impl Display) -> Result<Reply, NoReply> {
        self.write(command.to_string().as_bytes()).await?;
        self.reply().await
    }

    /// Sends what is no command; nothing is answered yet.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    async fn hello(&mut self) -> Result<(), SendError> {
        self.offers = self.done(Some(Ehlo::new(ClientId::default()))).await?.lines;
        Ok(())
    }

    /// Says what must be answered with yes, or only waits for that. What is refused here is our server or our account.
    async fn done(&mut self, command: Option<impl Display>) -> Result<Reply, SendError> {
        let reply = match command {
            Some(command) => self.say(command).await,
            None => self.reply().await,
        };
        let reply = reply.map_err(NoReply::before_the_text)?;
        if reply.class == Class::Done { Ok(reply) } else { Err(reply.about_us()) }
    }

    async fn reply(&mut self) -> Result<Reply, NoReply> {
        let mut lines: Vec<String> = Vec::new();
        loop {
            let line = self.line().await?;
            let (code, rest) = line.split_at_checked(3).unwrap_or((&line, ""));
            let class = class(code).filter(|_| !rest.starts_with(|c: char| c.is_ascii_digit()));
            if class.is_none() && lines.is_empty() {
                return Err(NoReply::Unreadable(line));
            }
            if lines.len() < MOST_LINES {
                // a line without a code, between others, is text
                lines.push(if class.is_some() { rest.get(1..).unwrap_or_default().to_owned() } else { line.clone() });
            }
            if let Some(class) = class.filter(|_| !rest.starts_with('-')) {
                return Ok(Reply { class, code: code.to_owned(), lines });
            }
        }
    }

    /// One line without its end, as text whatever bytes it holds.
    async fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        loop {
            let read = self.stream.fill_buf().await?;
            if read.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the mail server hung up"));
            }
            let end = read.iter().position(|byte| *byte == b'\n');
            let text = &read[..end.unwrap_or(read.len())];
            line.extend_from_slice(&text[..text.len().min(LONGEST_LINE - line.len())]);
            let used = end.map_or(read.len(), |end| end + 1);
            self.stream.consume(used);
            if end.is_some() {
                return Ok(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned());
            }
        }
    }
}

fn class(code: &str) -> Option<Class> {
    match code.as_bytes() {
        [first, b'0'..=b'9', b'0'..=b'9'] => match first {
            b'2' => Some(Class::Done),
            b'3' => Some(Class::GoOn),
            b'4' => Some(Class::NotNow),
            b'5' => Some(Class::Never),
            _ => None,
        },
        _ => None,
    }
}

async fn encrypted(
    connector: &TlsConnector,
    name: &ServerName<'static>,
    stream: impl Stream + 'static,
) -> Result<Box<dyn Stream>, SendError> {
    let stream = connector.connect(name.clone(), stream).await;
    Ok(Box::new(stream.map_err(|error| NoReply::Lost(error).before_the_text())?))
}

/// A text as it goes over the line: CRLF at each line's end, and a dot doubled where one begins a line.
pub(super) fn stuffed(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 64);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(said: &'static [u8]) -> Result<Reply, NoReply> {
        let stream: Box<dyn Stream> = Box::new(tokio::io::join(said, tokio::io::sink()));
        Dialogue { stream: BufReader::new(stream), offers: Vec::new() }.reply().await
    }

    #[tokio::test]
    async fn a_reply_is_read_by_its_code_whatever_stands_beside_it() {
        for (said, code, class) in [
            (b"250\r\n".as_slice(), "250", Class::Done),
            (b"250 \n", "250", Class::Done),
            (b"250 2.0.0 fine\r\n", "250", Class::Done),
            (b"354\r\n", "354", Class::GoOn),
            (b"421 later\r\n", "421", Class::NotNow),
            (b"471 4.7.1 later\r\n", "471", Class::NotNow),
            (b"571 blocked\r\n", "571", Class::Never),
            (b"599\r\n", "599", Class::Never),
            (b"550 \xff\xfe\x00 no\r\n", "550", Class::Never),
            (b"550-one\r\nand a line without a code\r\n550 two\r\n", "550", Class::Never),
            (b"550-\r\n550\r\n", "550", Class::Never),
        ] {
            let reply = read(said).await.unwrap_or_else(|error| panic!("{said:?}: {error:?}"));
            assert_eq!((reply.code.as_str(), reply.class), (code, class), "{said:?}");
        }
        let reply = read(b"550-5.1.1 no such\r\n550 user\r\n").await.unwrap();
        assert_eq!(reply.refusal(), SendError::permanent("550", "5.1.1 no such user"));
    }

    #[tokio::test]
    async fn what_begins_with_no_code_is_unreadable_and_what_breaks_off_is_lost() {
        for said in [
            b"OK\r\n".as_slice(),
            b"\r\n",
            b"2500 fine\r\n",
            b"150 fine\r\n",
            b"671 what\r\n",
            b"25\r\n",
            "25ä\r\n".as_bytes(),
        ] {
            assert!(matches!(read(said).await, Err(NoReply::Unreadable(_))), "{said:?}");
        }
        for said in [b"".as_slice(), b"250", b"250-fine\r\n"] {
            assert!(matches!(read(said).await, Err(NoReply::Lost(_))), "{said:?}");
        }
    }

    #[tokio::test]
    async fn a_line_of_any_length_is_one_line_and_only_its_beginning_is_kept() {
        let long: &'static [u8] = [b"550 ".as_slice(), &[b'x'; 100_000], b"\r\n"].concat().leak();
        let reply = read(long).await.unwrap();
        assert_eq!((reply.class, reply.text().len()), (Class::Never, LONGEST_LINE - 4));
    }

    #[test]
    fn a_dot_at_the_beginning_of_a_line_is_doubled_and_lines_end_with_crlf() {
        assert_eq!(stuffed(b".a\r\n..b\n.\r\nc."), b"..a\r\n...b\r\n..\r\nc.\r\n");
    }
}
