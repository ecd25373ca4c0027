//! `/sandbox`: a phone and an inbox that show what the sandbox provider was asked to deliver.

use askama::Template;
use askama::filters::HtmlSafe;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use kernel::page::PageParams;
use providers::sandbox::{self, Channel, SandboxMessage, Thread, Which};
use serde::Deserialize;
use web::view::Tabs;
use web::{App, Caller, Query, Result, Shell, render};

use crate::masking;

/// Phones and inboxes on the page.
const MOST_THREADS: i64 = 50;

/// What the URL says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SandboxQuery {
    channel: String,
    person: String,
}

impl SandboxQuery {
    fn channel(&self) -> Channel {
        if self.channel == "email" { Channel::Email } else { Channel::Sms }
    }
}

/// A piece of a text: links can be followed, as on a phone.
enum Piece {
    Text(String),
    Link(String),
}

/// A message as a bubble or a mail.
struct Shown {
    message: SandboxMessage,
    pieces: Vec<Piece>,
}

/// What is polled.
#[derive(Template)]
#[template(path = "sandbox/latest.html")]
struct Latest {
    shell: Shell,
    is_phone: bool,
    base: String,
    person: String,
    threads: Vec<Thread>,
    messages: Vec<Shown>,
}

impl HtmlSafe for Latest {}

#[derive(Template)]
#[template(path = "sandbox/show.html")]
struct ShowPage {
    shell: Shell,
    poll: String,
    tabs: Tabs,
    latest: Latest,
}

/// `GET /sandbox`
pub async fn show(State(app): State<App>, caller: Caller, Query(query): Query<SandboxQuery>) -> Result<Response> {
    let latest = gather(&app, &caller, &query).await?;
    let shell = Shell::new(&caller, "Sandbox")
        .lede("What would have reached people's phones and inboxes. Nothing leaves this machine.");
    let tabs = Tabs::at(format!("/sandbox?channel={}", latest.channel()))
        .tab("Phone", "/sandbox?channel=sms")
        .tab("Inbox", "/sandbox?channel=email");
    let poll = format!("/sandbox/latest?channel={}&person={}", latest.channel(), encoded(&query.person));
    Ok(not_stored(render(&ShowPage { shell, poll, tabs, latest })?))
}

/// It holds card codes.
fn not_stored(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `GET /sandbox/latest`
pub async fn latest(State(app): State<App>, caller: Caller, Query(query): Query<SandboxQuery>) -> Result<Response> {
    Ok(not_stored(render(&gather(&app, &caller, &query).await?)?))
}

async fn gather(app: &App, caller: &Caller, query: &SandboxQuery) -> Result<Latest> {
    let (scope, channel) = (caller.scope(app), query.channel());
    let threads = sandbox::threads(&scope, channel, None, MOST_THREADS).await?;
    let person = match query.person.as_str() {
        "" => threads.first().map(|thread| thread.person.clone()).unwrap_or_default(),
        chosen => chosen.to_owned(),
    };
    let which = Which { client_id: None, channel, person: Some(person.clone()) };
    let mut messages = sandbox::list(&scope, &app.keyring, &which, &PageParams::default()).await?.data;
    if !caller.may("gift_cards.reveal") {
        masking::mask(&scope, &app.keyring, &mut messages).await?;
    }
    sandbox::mark_read(&scope, channel, &person, app.clock.now()).await?;
    let is_phone = channel == Channel::Sms;
    Ok(Latest {
        shell: Shell::new(caller, "Sandbox"),
        base: format!("/sandbox?channel={}&person=", channel.as_str()),
        messages: shown(messages, is_phone),
        is_phone,
        person,
        threads,
    })
}

/// A phone shows the oldest on top, an inbox the newest.
fn shown(mut messages: Vec<SandboxMessage>, is_phone: bool) -> Vec<Shown> {
    if is_phone {
        messages.reverse();
    }
    messages.into_iter().map(|message| Shown { pieces: pieces(&message.text), message }).collect()
}

fn pieces(text: &str) -> Vec<Piece> {
    let words = text.split_inclusive(char::is_whitespace);
    let mut pieces: Vec<Piece> = Vec::new();
    for word in words {
        let bare = word.trim_end();
        if bare.starts_with("https://") || bare.starts_with("http://") {
            pieces.push(Piece::Link(bare.to_owned()));
            pieces.push(Piece::Text(word[bare.len()..].to_owned()));
        } else if let Some(Piece::Text(last)) = pieces.last_mut() {
            last.push_str(word);
        } else {
            pieces.push(Piece::Text(word.to_owned()));
        }
    }
    pieces
}

impl Latest {
    fn channel(&self) -> &'static str {
        if self.is_phone { "sms" } else { "email" }
    }

    fn href(&self, thread: &Thread) -> String {
        format!("{}{}", self.base, encoded(&thread.person))
    }

    fn name(&self, person: &str) -> String {
        if self.is_phone { kernel::phone::display(person) } else { person.to_owned() }
    }
}

fn encoded(person: &str) -> String {
    person
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'@' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stand_alone_and_the_text_around_them_is_kept() {
        let pieces = pieces("Go to https://ace.example/r/1 now\nor call");
        assert_eq!(pieces.len(), 3);
        assert!(matches!(&pieces[0], Piece::Text(text) if text == "Go to "));
        assert!(matches!(&pieces[1], Piece::Link(link) if link == "https://ace.example/r/1"));
        assert!(matches!(&pieces[2], Piece::Text(text) if text == " now\nor call"));
    }

    #[test]
    fn a_number_survives_a_query() {
        assert_eq!(encoded("+16145550123"), "%2B16145550123");
    }
}
