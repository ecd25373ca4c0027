//! `/v1/messages`.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use kernel::page::{Page, PageParams};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, Path, Query, Result, Tagged};

use crate::actions::resend::{self, ResendInput};
use crate::segments::{self, Segments};
use crate::store::messages as store;

/// Which messages.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct ListParams {
    /// Only those that bring a gift card.
    pub with_card: bool,
    /// Only with this status: held, pending, sent, delivered, failed.
    pub status: Option<String>,
    /// Only on this channel: sms, email.
    pub channel: Option<String>,
    /// Only of this campaign.
    pub campaign_id: Option<Uuid>,
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// A message. Its text is not kept: it is made when it leaves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub struct MessageOut {
    id: Uuid,
    campaign_id: Option<Uuid>,
    recipient_id: Option<Uuid>,
    contact_id: Option<Uuid>,
    gift_card_id: Option<Uuid>,
    channel: String,
    purpose: String,
    to: String,
    status: String,
    /// How far the reward is that it brings, by whichever message: pending, sent, delivered or failed.
    reward_status: Option<String>,
    attempts: i32,
    error_code: Option<String>,
    error: Option<String>,
    created_at: DateTime<Utc>,
    sent_at: Option<DateTime<Utc>>,
    delivered_at: Option<DateTime<Utc>>,
    failed_at: Option<DateTime<Utc>>,
}

impl From<store::Message> for MessageOut {
    fn from(row: store::Message) -> Self {
        Self {
            id: row.id,
            campaign_id: row.campaign_id,
            recipient_id: row.recipient_id,
            contact_id: row.contact_id,
            gift_card_id: row.gift_card_id,
            channel: row.channel,
            purpose: row.purpose,
            to: row.to_address,
            status: row.status,
            reward_status: row.reward_status,
            attempts: row.attempts,
            error_code: row.last_error_code,
            error: row.last_error,
            created_at: row.created_at,
            sent_at: row.sent_at,
            delivered_at: row.delivered_at,
            failed_at: row.failed_at,
        }
    }
}

/// A text to be measured.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentsIn {
    /// The text as it would be sent.
    pub text: String,
}

/// `GET /v1/messages`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Json<Page<MessageOut>>> {
    let page = PageParams { limit: params.limit, after: params.after };
    let limit = page.limit()?;
    let which = store::Which {
        with_card: params.with_card,
        rewards: false,
        status: params.status,
        channel: params.channel,
        to: None,
        campaign_id: params.campaign_id,
    };
    let rows = store::list(&caller.scope(&app), caller.client_id()?, &which, page.after()?, limit).await?;
    Ok(Json(Page::from_rows(rows, limit, |row| (row.created_at, row.id)).map(MessageOut::from)))
}

/// `GET /v1/messages/{id}`
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Tagged<MessageOut>> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    Ok(Tagged { etag: row.etag()?, body: row.into() })
}

/// `POST /v1/messages/{id}/resend`
pub async fn resend(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    web::Json(input): web::Json<ResendInput>,
) -> Result<Made<MessageOut>> {
    let at = (caller.client_id()?, id);
    let id = resend::resend(&app, &caller.actor, at, (caller.may("gift_cards.reveal"), &expected), &input).await?;
    Ok(Made::at(format!("/v1/messages/{id}"), get(State(app), caller, Path(id)).await?))
}

/// `POST /v1/messages/segments`
pub async fn segments(_: Caller, web::Json(input): web::Json<SegmentsIn>) -> Result<Json<Segments>> {
    Ok(Json(segments::count(&input.text)))
}
