//! The printer's file: one line a recipient with address, code, link and QR link. Streamed, and safe in a spreadsheet.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use database::{Audited, FromRow};
use futures_util::stream;
use kernel::{Actor, Error, Result, cells};
use serde_json::json;
use uuid::Uuid;
use web::App;

use super::codes::Codes;
use crate::store::campaigns::Campaign;
use crate::store::{life, recipients};

/// Lines fetched at a time.
const PAGE: i64 = 1_000;

/// The columns.
const COLUMNS: [&str; 13] = [
    "recipient_id",
    "first_name",
    "last_name",
    "address",
    "address2",
    "city",
    "state",
    "zip",
    "country",
    "imb_serial",
    "redemption_code",
    "link",
    "qr_link",
];

/// A line of the file, as it was at launch.
#[derive(FromRow)]
struct Line {
    id: Uuid,
    redemption_code: String,
    purl_token: String,
    first_name: Option<String>,
    last_name: Option<String>,
    address: Option<String>,
    address2: Option<String>,
    city: Option<String>,
    state: Option<String>,
    zip: Option<String>,
    country: Option<String>,
    imb_serial: Option<String>,
}

database::statement! {
    /// The next lines of a campaign's file.
    LINES, app, "
        select id, redemption_code, purl_token, first_name, last_name, address, address2, city, state, zip, country,
            imb_serial
        from recipients
        where client_id = $1
          and campaign_id = $2
          and id > $3
        order by id
        limit $4"
}

/// The file of a campaign that is launched. Who took it and when is audited first: it opens every code in it.
///
/// # Errors
/// A conflict for a campaign that has no recipients yet or was archived, or what the database answered; a break later on ends the
/// stream early, which the receiver sees as a broken download.
pub async fn stream(app: &App, actor: &Actor, campaign: &Campaign) -> Result<Response> {
    if campaign.archived_at.is_some() {
        return Err(life::archived());
    }
    if campaign.status == "draft" {
        return Err(Error::conflict("not_launched", "the campaign has no recipients yet: launch it first"));
    }
    let (client_id, campaign_id) = (campaign.client_id, campaign.id);
    let counts = recipients::counts(&app.scope(actor), client_id, campaign_id).await?;
    let tx = app.scope(actor).transaction().await?;
    let after = Some(json!({ "recipients": counts.recipients }));
    let what = Audited { client_id: Some(client_id), after, ..Audited::default() };
    tx.audit("campaign.mail_file", "campaigns", Some(campaign_id), what).await?;
    tx.commit().await?;
    let head = stream::once(async { Ok::<_, Error>(line(COLUMNS.map(ToOwned::to_owned))) });
    let walk = Walk { app: app.clone(), actor: actor.clone(), client_id, campaign_id, after: Some(Uuid::nil()) };
    let lines = stream::try_unfold(walk, Walk::next);
    let body = web::streamed(futures_util::StreamExt::chain(head, lines));
    Ok(download(body, &campaign.slug, app.clock.now()))
}

struct Walk {
    app: App,
    actor: Actor,
    client_id: Uuid,
    campaign_id: Uuid,
    /// The last recipient written; absent after the last page.
    after: Option<Uuid>,
}

impl Walk {
    async fn next(self) -> Result<Option<(Bytes, Self)>> {
        let Some(after) = self.after else { return Ok(None) };
        let scope = self.app.scope(&self.actor);
        let page: Vec<Line> = scope.query(&LINES, &[&self.client_id, &self.campaign_id, &after, &PAGE]).await?;
        let full = i64::try_from(page.len()).is_ok_and(|rows| rows == PAGE);
        let after = page.last().map(|line| line.id).filter(|_| full);
        let out: Vec<u8> = page.into_iter().flat_map(|row| row.written(&self.app)).collect();
        Ok(Some((Bytes::from(out), Self { after, ..self })))
    }
}

impl Line {
    fn written(self, app: &App) -> Bytes {
        let codes = Codes::of(app, &self.redemption_code, &self.purl_token);
        let text = Option::unwrap_or_default;
        line([
            self.id.to_string(),
            text(self.first_name),
            text(self.last_name),
            text(self.address),
            text(self.address2),
            text(self.city),
            text(self.state),
            text(self.zip),
            text(self.country),
            text(self.imb_serial),
            codes.redemption_code,
            codes.link,
            codes.qr_link,
        ])
    }
}

/// One line of cells that no spreadsheet runs as formulas.
fn line(row: [String; COLUMNS.len()]) -> Bytes {
    Bytes::from(cells::line(row))
}

fn download(body: Body, slug: &str, now: DateTime<Utc>) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    let name = format!("attachment; filename=\"{slug}-{}.csv\"", now.format("%Y-%m-%d"));
    if let Ok(value) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
