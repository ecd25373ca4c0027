//! `/v1/campaigns/{id}/recipients`, `/skipped` and `/v1/recipients/{id}`.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use kernel::page::{Page, PageParams};
use kernel::version::etag_of;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, IfMatch, Path, Query, Result, Tagged};

use super::ListParams;
use crate::actions::address::{self, AddressInput};
use crate::actions::codes::{self, Codes};
use crate::actions::{held, mail_file};
use crate::store::campaigns as campaign_store;
use crate::store::conditions::{self, MetRow};
use crate::store::recipients::{self as store, Recipient, Skip};
use crate::store::search::{self, Did, Search};

/// A page of a campaign's recipients.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct RecipientParams {
    /// Part of a name or an e-mail address, a phone, or a redemption code.
    pub q: Option<String>,
    /// Only those who did this.
    #[param(inline)]
    pub did: Option<Did>,
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// A recipient: one person of one campaign, as printed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recipient)]
pub struct RecipientOut {
    id: Uuid,
    campaign_id: Uuid,
    contact_id: Option<Uuid>,
    /// All but its end masked; `POST /v1/recipients/{id}/codes` opens it.
    redemption_code: String,
    /// Their page, with its token masked.
    link: String,
    /// What stands behind the QR on the piece, with its token masked.
    qr_link: String,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    address: Option<String>,
    address2: Option<String>,
    city: Option<String>,
    state: Option<String>,
    zip: Option<String>,
    #[schema(value_type = Object)]
    custom_fields: serde_json::Value,
    /// Nine digits inside the postal barcode.
    imb_serial: Option<String>,
    /// `active`, `delivered` or `bounced`.
    status: String,
    total_visits: i32,
    last_visited_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl RecipientOut {
    fn new(app: &App, row: Recipient) -> Self {
        let Codes { redemption_code, link, qr_link } = Codes::masked(app, &row.redemption_code);
        Self {
            redemption_code,
            link,
            qr_link,
            id: row.id,
            campaign_id: row.campaign_id,
            contact_id: row.contact_id,
            first_name: row.first_name,
            last_name: row.last_name,
            email: row.email,
            phone: row.phone,
            address: row.address,
            address2: row.address2,
            city: row.city,
            state: row.state,
            zip: row.zip,
            custom_fields: row.custom_fields,
            imb_serial: row.imb_serial,
            status: row.status,
            total_visits: row.total_visits,
            last_visited_at: row.last_visited_at,
            created_at: row.created_at,
        }
    }
}

/// A recipient with what they have met.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecipientDetail)]
pub struct DetailOut {
    recipient: RecipientOut,
    conditions_met: Vec<MetOut>,
}

/// A condition that was met.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConditionMet)]
pub struct MetOut {
    condition_number: i32,
    met_at: DateTime<Utc>,
    gift_card_id: Option<Uuid>,
    /// The card's last four characters.
    code_last4: Option<String>,
    /// `pending`, `sent`, `delivered` or `failed`; absent when nothing was earned.
    delivery_status: Option<String>,
    /// Where the card goes.
    delivery_address: Option<String>,
    /// The address was given with a form or on the phone, and was not on file.
    given_address: bool,
    /// Why the reward waits for a person's look: `many_rewards_to_one_address`. `POST /v1/recipients/{id}/release` sends it.
    hold_reason: Option<String>,
    /// When the card was last shown on the recipient's page.
    last_shown_at: Option<DateTime<Utc>>,
    /// No card is taken yet, because nobody knows where to send it (GC-012).
    needs_address: bool,
    /// No card is taken, because the person may not be written to (GC-009).
    consent_needed: bool,
    /// The card could not be delivered at all, and its credits came back.
    refunded: bool,
}

impl From<MetRow> for MetOut {
    fn from(row: MetRow) -> Self {
        Self {
            condition_number: row.condition_number,
            met_at: row.met_at,
            gift_card_id: row.gift_card_id,
            code_last4: row.code_last4,
            delivery_status: row.delivery_status,
            delivery_address: row.delivery_address,
            given_address: row.given_address,
            hold_reason: row.hold_reason,
            last_shown_at: row.last_shown_at,
            needs_address: row.needs_address,
            consent_needed: row.consent_needed,
            refunded: row.refunded,
        }
    }
}

/// A contact that was left out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SkippedContact)]
pub struct SkipOut {
    contact_id: Uuid,
    name: String,
    /// `do_not_contact`, `no_address`, `undeliverable_address` or `duplicate`.
    reason: String,
}

impl From<Skip> for SkipOut {
    fn from(row: Skip) -> Self {
        Self { contact_id: row.contact_id, name: row.name, reason: row.reason }
    }
}

/// `GET /v1/campaigns/{id}/recipients`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(params): Query<RecipientParams>,
) -> Result<Json<Page<RecipientOut>>> {
    let page = PageParams { limit: params.limit, after: params.after };
    let (scope, limit) = (caller.scope(&app), page.limit()?);
    let campaign = campaign_store::find(&scope, caller.client_id()?, id).await?;
    let (text, after) = (params.q.as_deref(), page.after()?);
    let of = Search { campaign_id: Some(id), text, did: params.did, after, ..Search::default() };
    let rows = search::search(&scope, campaign.client_id, of, limit).await?;
    Ok(Json(Page::from_rows(rows, limit, |row| row.id).map(|row| RecipientOut::new(&app, row))))
}

/// `GET /v1/campaigns/{id}/skipped`
pub async fn skipped(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(params): Query<ListParams>,
) -> Result<Json<Page<SkipOut>>> {
    let (scope, limit) = (caller.scope(&app), params.page().limit()?);
    let campaign = campaign_store::find(&scope, caller.client_id()?, id).await?;
    let rows = store::skips(&scope, campaign.client_id, id, params.page().after()?, limit).await?;
    Ok(Json(Page::from_rows(rows, limit, |row| row.contact_id).map(SkipOut::from)))
}

/// `GET /v1/recipients/{id}`
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Tagged<DetailOut>> {
    let scope = caller.scope(&app);
    let row = store::find(&scope, caller.client_id()?, id).await?;
    let met = conditions::met_by(&scope, row.client_id, id).await?;
    let etag = etag_of(&(&row, &met))?;
    let conditions_met = met.into_iter().map(MetOut::from).collect();
    Ok(Tagged { etag, body: DetailOut { recipient: RecipientOut::new(&app, row), conditions_met } })
}

/// `POST /v1/recipients/{id}/address`
pub async fn give_address(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    web::Json(input): web::Json<AddressInput>,
) -> Result<Tagged<DetailOut>> {
    let (of, may_reveal) = ((caller.client_id()?, id), caller.may("gift_cards.reveal"));
    address::give(&app, &caller.actor, of, (may_reveal, &expected), &input).await?;
    get(State(app), caller, Path(id)).await
}

/// `POST /v1/recipients/{id}/codes`
pub async fn codes(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Response> {
    let opened = codes::open(&app, &caller.actor, (caller.client_id()?, id), &expected).await?;
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Extension(web::Unkept), Json(opened))
        .into_response())
}

/// `POST /v1/recipients/{id}/release`
pub async fn release(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Tagged<DetailOut>> {
    held::release(&app, &caller.actor, (caller.client_id()?, id), &expected).await?;
    get(State(app), caller, Path(id)).await
}

/// `POST /v1/campaigns/{id}/mail-file`
pub async fn mail_file(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Response> {
    let campaign = campaign_store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let file = mail_file::stream(&app, &caller.actor, &campaign).await?;
    Ok((Extension(web::Unkept), file).into_response())
}
