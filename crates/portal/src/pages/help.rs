//! The list of topics and one topic.

use askama::Template;
use axum::Extension;
use axum::response::Response;
use kernel::Error;
use web::{Caller, Path, Result, Shell, render};

use crate::topics::{TOPICS, Topic};

#[derive(Template)]
#[template(path = "docs/list.html")]
struct ListPage {
    shell: Shell,
    topics: &'static [Topic],
}

#[derive(Template)]
#[template(path = "docs/show.html")]
struct TopicPage {
    shell: Shell,
    html: String,
}

/// `GET /help`
pub async fn list(caller: Caller) -> Result<Response> {
    render(&ListPage { shell: Shell::new(&caller, "Help"), topics: TOPICS })
}

/// `GET /help/{topic}`
pub async fn show(caller: Caller, Path(slug): Path<String>) -> Result<Response> {
    let topic = TOPICS.iter().find(|topic| topic.slug == slug).ok_or(Error::NotFound)?;
    let shell = Shell::new(&caller, topic.title()).crumb("Help", "/help");
    render(&TopicPage { shell, html: topic.html() })
}

#[derive(Template)]
#[template(path = "docs/errors.html")]
struct ErrorsPage {
    shell: Shell,
    html: String,
}

/// `GET /help/errors`: readable without signing in, with a place for every code.
pub async fn errors(caller: Option<Extension<Caller>>) -> Result<Response> {
    let topic = TOPICS.iter().find(|topic| topic.slug == "errors").ok_or(Error::NotFound)?;
    if let Some(Extension(caller)) = caller {
        let shell = Shell::new(&caller, topic.title()).crumb("Help", "/help");
        return render(&TopicPage { shell, html: topic.html_with_places() });
    }
    render(&ErrorsPage { shell: Shell::bare(topic.title()), html: topic.html_with_places() })
}
