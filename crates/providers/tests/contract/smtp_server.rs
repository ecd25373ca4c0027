//! A mail server with just enough manners, and as many bad ones as a test asks for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the server does at a verb: `EHLO`, `AUTH`, `MAIL`, `RCPT`, `DATA`, `.` (the end of the text), `NOOP`.
#[derive(Clone, Copy)]
pub enum Reply {
    Say(&'static str),
    Bytes(&'static [u8]),
    /// After a while.
    Late(&'static str, Duration),
    HangUp,
    StaySilent,
}

#[derive(Default)]
struct Seen {
    texts: Vec<String>,
    connections: usize,
}

pub struct SmtpServer {
    address: std::net::SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl SmtpServer {
    pub async fn start(script: &[(&'static str, Reply)]) -> Self {
        let script: HashMap<&'static str, Reply> = script.iter().copied().collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                tokio::spawn(converse(stream, script.clone(), shared.clone()));
            }
        });
        Self { address, seen }
    }

    pub fn url(&self) -> String {
        format!("smtp://user:password@{}", self.address)
    }

    pub fn texts(&self) -> Vec<String> {
        self.seen.lock().unwrap().texts.clone()
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }
}

async fn converse(stream: TcpStream, script: HashMap<&'static str, Reply>, seen: Arc<Mutex<Seen>>) {
    let mut stream = BufReader::new(stream);
    if stream.write_all(b"220 mail.test\r\n").await.is_err() {
        return;
    }
    let mut text: Option<String> = None;
    let mut line = String::new();
    while let Ok(1..) = stream.read_line(&mut line).await {
        let given = std::mem::take(&mut line);
        let verb = match (&mut text, given.as_str()) {
            (Some(_), ".\r\n") => {
                seen.lock().unwrap().texts.push(text.take().unwrap_or_default());
                ".".to_owned()
            }
            (Some(text), _) => {
                text.push_str(&given);
                continue;
            }
            (None, _) => given.trim_end().split(' ').next().unwrap_or_default().to_ascii_uppercase(),
        };
        let reply = script.get(verb.as_str()).copied().unwrap_or(Reply::Say(usual(&verb)));
        if verb == "DATA" && matches!(reply, Reply::Say(said) if said.starts_with("354")) {
            text = Some(String::new());
        }
        let said = match reply {
            Reply::Say(said) => format!("{said}\r\n").into_bytes(),
            Reply::Bytes(bytes) => bytes.to_vec(),
            Reply::Late(said, after) => {
                tokio::time::sleep(after).await;
                format!("{said}\r\n").into_bytes()
            }
            Reply::StaySilent => continue,
            Reply::HangUp => return,
        };
        if stream.write_all(&said).await.is_err() {
            return;
        }
    }
}

fn usual(verb: &str) -> &'static str {
    match verb {
        "EHLO" => "250-mail.test\r\n250 AUTH PLAIN LOGIN",
        "AUTH" => "235 2.7.0 in",
        "DATA" => "354 go ahead",
        "QUIT" => "221 bye",
        _ => "250 2.0.0 fine",
    }
}
