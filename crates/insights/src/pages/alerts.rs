//! The list behind the bell: what needs somebody, and what somebody has seen already.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use kernel::Error;
use rewards::alerts::Seen;
use serde::Deserialize;
use web::{App, Caller, Form, Result, Shell, redirect_with, render};

use super::needs::{self, Need};
use crate::store::needs as store;

/// Lines on the page.
const LINES: i64 = 100;
/// Lines under the bell.
const FIRST: i64 = 8;

#[derive(Template)]
#[template(path = "alerts/show.html")]
struct AlertsPage {
    shell: Shell,
    needs: Vec<Need>,
    more: i64,
    seen: Vec<SeenLine>,
    may_acknowledge: bool,
}

#[derive(Template)]
#[template(path = "alerts/bell.html")]
struct BellPart {
    shell: Shell,
    needs: Vec<Need>,
    more: i64,
    may_acknowledge: bool,
}

/// An alert that somebody has seen.
struct SeenLine {
    text: String,
    href: Option<String>,
    by: String,
    at: DateTime<Utc>,
}

/// `GET /{client}/alerts`: the page, and for htmx the first lines, which open under the bell.
pub async fn show(State(app): State<App>, caller: Caller, headers: HeaderMap) -> Result<Response> {
    let is_part = headers.contains_key("hx-request");
    let (scope, client) = (caller.scope(&app), caller.client()?.clone());
    let found = store::of_client(&scope, client.id, if is_part { FIRST } else { LINES }).await?;
    let more = found.first().map_or(0, |first| first.lines) - found.len() as i64;
    let needs = needs::list(&caller, &client.slug, found);
    let (shell, may_acknowledge) = (Shell::new(&caller, "Alerts"), caller.may("alerts.acknowledge"));
    if is_part {
        return render(&BellPart { shell, needs, more, may_acknowledge });
    }
    let seen = store::acknowledged(&scope, client.id, LINES).await?;
    let seen = seen.into_iter().map(|alert| seen_line(&caller, &client.slug, alert)).collect();
    render(&AlertsPage { shell, needs, more, seen, may_acknowledge })
}

fn seen_line(caller: &Caller, slug: &str, alert: store::Acknowledged) -> SeenLine {
    let (permission, path) = needs::place(&alert.kind, Some(&alert.subject_id.to_string()));
    SeenLine {
        text: alert.message,
        href: caller.may(permission).then(|| format!("/{slug}/{path}")),
        by: alert.by.unwrap_or_else(|| "somebody who is gone".into()),
        at: alert.acknowledged_at,
    }
}

/// Which line of alerts was seen.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SeenForm {
    kind: String,
    subject: String,
    until: String,
}

/// `POST /{client}/alerts/acknowledge`
pub async fn acknowledge(State(app): State<App>, caller: Caller, Form(form): Form<SeenForm>) -> Result<Response> {
    let client = caller.client()?;
    let wrong = |field| Error::invalid(field, "is not of an alert on the list: open the list again");
    let until = form.until.parse::<DateTime<Utc>>().map_err(|_| wrong("until"))?;
    let subject = (!form.subject.is_empty()).then(|| form.subject.parse().map_err(|_| wrong("subject")));
    let seen = Seen { kind: form.kind, subject_id: subject.transpose()?, until };
    let text = match rewards::alerts::acknowledge(&app, &caller.actor, client.id, &seen).await? {
        0 => "That alert was settled or acknowledged already".to_owned(),
        1 => "Alert acknowledged".to_owned(),
        many => format!("{} alerts acknowledged", web::view::number(many)),
    };
    Ok(redirect_with(&format!("/{}/alerts", client.slug), &text))
}
