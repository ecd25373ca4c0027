//! Contacts and reports as files: streamed page by page, and safe to open in a spreadsheet.

use std::collections::HashMap;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use database::Audited;
use futures_util::stream;
use kernel::{Actor, Error, Result, cells};
use serde_json::{Value, json};
use uuid::Uuid;
use web::App;

use crate::contacts::Contact;
use crate::import::{REPORT_COLUMNS, plan_of, row_cells};
use crate::store::contact_search::{self as search, Order, Wanted};
use crate::store::contacts as store;
use crate::store::imports;

/// Rows fetched at a time.
const PAGE: i64 = 1000;

/// Custom fields that get a column of their own; an import takes no wider table. Of more, the rest is one column of JSON.
const KEYS: usize = 400;

/// The columns of an exported contact before its custom fields; an import recognises every one of them.
const COLUMNS: [&str; 26] = [
    "customer_code",
    "first_name",
    "last_name",
    "email",
    "phone",
    "mobile_phone",
    "company",
    "job_title",
    "address",
    "address2",
    "city",
    "state",
    "zip",
    "country",
    "lifecycle_stage",
    "lead_score",
    "engagement_score",
    "lead_source",
    "do_not_contact",
    "email_opt_out",
    "sms_opt_out",
    "notes",
    "tags",
    "last_activity_date",
    "created_at",
    "updated_at",
];

/// The kinds of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One line a contact.
    Csv,
    /// One array of objects.
    Json,
}

impl Format {
    /// Reads `csv` or `json`; csv when nothing is said.
    ///
    /// # Errors
    /// Names `format` when it is neither.
    pub fn parse(word: Option<&str>) -> Result<Self> {
        match word.unwrap_or("csv") {
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            _ => Err(Error::invalid("format", "must be csv or json")),
        }
    }
}

/// The wanted contacts as a file. Who took it, when and with which filter is audited first.
///
/// # Errors
/// What the database answered; a break later on ends the stream early, which the receiver sees as a broken download.
pub async fn contacts(app: &App, actor: &Actor, client_id: Uuid, wanted: Wanted, format: Format) -> Result<Response> {
    let tx = app.db.scope(actor).transaction().await?;
    let after = json!({ "search": wanted.search, "ids": wanted.ids, "list_id": wanted.list_id, "stage": wanted.stage, "suppressed": wanted.suppressed });
    tx.audit(
        "contacts.exported",
        "contacts",
        None,
        Audited { client_id: Some(client_id), after: Some(after), before: None },
    )
    .await?;
    tx.commit().await?;
    let wanted = Wanted { order: Order::Oldest, ..wanted };
    let state = Walk {
        app: app.clone(),
        actor: actor.clone(),
        client_id,
        wanted,
        format,
        keys: Vec::new(),
        more_keys: false,
        after: None,
        step: Step::Head,
    };
    let body = web::streamed(stream::try_unfold(state, Walk::next));
    Ok(match format {
        Format::Csv => download(body, "text/csv; charset=utf-8", "contacts.csv"),
        Format::Json => download(body, "application/json", "contacts.json"),
    })
}

/// A file to be saved under `name`.
pub fn download(body: Body, media_type: &'static str, name: &str) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Head,
    Rows { first: bool },
    Done,
}

struct Walk {
    app: App,
    actor: Actor,
    client_id: Uuid,
    wanted: Wanted,
    format: Format,
    /// The custom fields, one column each.
    keys: Vec<String>,
    /// Whether there are more of them than columns.
    more_keys: bool,
    after: Option<Uuid>,
    step: Step,
}

impl Walk {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        match self.step {
            Step::Done => Ok(None),
            Step::Head => {
                self.step = Step::Rows { first: true };
                let head = match self.format {
                    Format::Csv => self.head().await?,
                    Format::Json => Bytes::from_static(b"["),
                };
                Ok(Some((head, self)))
            }
            Step::Rows { first } => self.rows(first).await.map(Some),
        }
    }

    /// The names of the columns: every custom field among the wanted contacts is one.
    async fn head(&mut self) -> Result<Bytes> {
        let scope = self.app.db.scope(&self.actor);
        self.keys = search::custom_keys(&scope, self.client_id, &self.wanted, KEYS as i64 + 1).await?;
        self.more_keys = self.keys.len() > KEYS;
        self.keys.truncate(KEYS);
        let own = COLUMNS.iter().map(|column| (*column).to_owned());
        let custom = self.keys.iter().map(|key| format!("custom_fields.{key}"));
        Ok(Bytes::from(cells::line(own.chain(custom).chain(self.more_keys.then(|| "custom_fields".to_owned())))))
    }

    async fn rows(mut self, first: bool) -> Result<(Bytes, Self)> {
        let cursor = self.after.map(|id| (String::new(), id));
        let scope = self.app.db.scope(&self.actor);
        let mut page = search::list_whole(&scope, self.client_id, &self.wanted, cursor.as_ref(), PAGE).await?;
        let more = page.len() as i64 > PAGE;
        page.truncate(PAGE as usize);
        self.after = page.last().map(|contact| contact.id);
        self.step = if more { Step::Rows { first: false } } else { Step::Done };
        let ids: Vec<Uuid> = page.iter().map(|contact| contact.id).collect();
        let tags = match self.format {
            Format::Csv => store::tags_of(&scope, self.client_id, &ids).await?,
            Format::Json => HashMap::new(),
        };
        let mut out = Vec::new();
        for (index, contact) in page.iter().enumerate() {
            match self.format {
                Format::Csv => {
                    out.extend(csv_line(contact, (&self.keys, self.more_keys), tags.get(&contact.id)).into_bytes())
                }
                Format::Json => {
                    out.extend_from_slice(if first && index == 0 { b"\n" } else { b",\n" });
                    out.extend(serde_json::to_vec(contact).map_err(Error::internal)?);
                }
            }
        }
        if self.format == Format::Json && !more {
            out.extend_from_slice(b"\n]\n");
        }
        Ok((Bytes::from(out), self))
    }
}

fn csv_line(contact: &Contact, (keys, more): (&[String], bool), tags: Option<&String>) -> String {
    let fields = serde_json::to_value(contact).unwrap_or_default();
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let own = COLUMNS.iter().map(|column| match *column {
        "tags" => tags.cloned().unwrap_or_default(),
        column => text(&fields[column]),
    });
    let custom = keys.iter().map(|key| text(&contact.custom_fields[key.as_str()]));
    let rest = more.then(|| {
        let rest = contact.custom_fields.as_object().map(|all| {
            all.iter().filter(|(key, _)| !keys.contains(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
        });
        rest.filter(|rest: &serde_json::Map<String, Value>| !rest.is_empty())
            .map_or_else(String::new, |rest| Value::Object(rest).to_string())
    });
    cells::line(own.chain(custom).chain(rest))
}

/// The refused rows of an import (or those kept with a remark): line, column, reason, and the row's own cells under the
/// file's headers, so that they can be mended and imported again.
///
/// # Errors
/// What the database answered.
pub async fn remarks(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), refused: bool) -> Result<Response> {
    let import = imports::find(&app.db.scope(actor), client_id, id).await?;
    let plan = plan_of(&import)?;
    let head = REPORT_COLUMNS.into_iter().chain(plan.headers.iter().map(String::as_str));
    let head = Bytes::from(cells::line(head));
    let (app, actor) = (app.clone(), actor.clone());
    let pages = stream::unfold(Some((0_i64, Uuid::nil())), move |after| {
        let (app, actor, plan) = (app.clone(), actor.clone(), plan.clone());
        async move {
            let after = after?;
            let page = imports::list_remarks(&app.db.scope(&actor), (client_id, id), refused, after, PAGE).await;
            let page = match page {
                Ok(page) => page,
                Err(error) => return Some((Err(error), None)),
            };
            // rows are long or short: how many make a page is the store's affair
            let next = page.last().map(|remark| (remark.line_number, remark.id));
            let mut out = Vec::new();
            for remark in page {
                let own = row_cells(&plan, remark.raw.as_deref().unwrap_or_default());
                let about = [remark.line_number.to_string(), remark.column_name.unwrap_or_default(), remark.reason];
                out.extend(cells::line(about.into_iter().chain(own)).into_bytes());
            }
            Some((Ok(Bytes::from(out)), next))
        }
    });
    let head = stream::once(async move { Ok::<_, Error>(head) });
    let body = web::streamed(futures_util::StreamExt::chain(head, pages));
    let name = if refused { "refused-rows.csv" } else { "remarks.csv" };
    Ok(download(body, "text/csv; charset=utf-8", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_needed_and_never_formulas() {
        let line = cells::line(["=1+1", "Lee, Ada", "say \"hi\"", "+16145550123"]);
        assert_eq!(line, "'=1+1,\"Lee, Ada\",\"say \"\"hi\"\"\",'+16145550123\n");
        assert!(Format::parse(Some("xlsx")).is_err());
    }
}
