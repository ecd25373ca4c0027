//! `/v1/cards`. Codes are masked everywhere but in the answer to a reveal.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::{Extension, Json};
use chrono::{DateTime, NaiveDate, Utc};
use kernel::Error;
use kernel::money::Money;
use kernel::page::{Page, PageParams};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, Path, Query, Result, Tagged};

use crate::actions::cards::{self as actions, FindInput, OpenCard, RedeemInput, ReplaceInput, RevokeInput};
use crate::store::cards as store;

/// Which cards.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct ListParams {
    /// Only of this pool.
    pub pool_id: Option<Uuid>,
    /// Only with this status: available, claimed, delivered, redeemed, expired.
    pub status: Option<String>,
    /// Only of this recipient.
    pub recipient_id: Option<Uuid>,
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// A gift card, its code masked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GiftCard)]
pub struct CardOut {
    id: Uuid,
    pool_id: Uuid,
    brand_name: String,
    /// The end of the code.
    code_last4: String,
    #[schema(value_type = String)]
    value_amount: Money,
    status: String,
    recipient_id: Option<Uuid>,
    campaign_id: Option<Uuid>,
    claimed_at: Option<DateTime<Utc>>,
    delivered_at: Option<DateTime<Utc>>,
    delivery_method: Option<String>,
    delivery_address: Option<String>,
    redeemed_at: Option<DateTime<Utc>>,
    expires_at: Option<NaiveDate>,
    revoked_at: Option<DateTime<Utc>>,
    replaced_by_id: Option<Uuid>,
    balance_note: Option<String>,
    created_at: DateTime<Utc>,
}

impl From<store::Card> for CardOut {
    fn from(row: store::Card) -> Self {
        Self {
            id: row.id,
            pool_id: row.pool_id,
            brand_name: row.brand_name,
            code_last4: row.code_last4,
            value_amount: row.value_amount,
            status: row.status,
            recipient_id: row.recipient_id,
            campaign_id: row.campaign_id,
            claimed_at: row.claimed_at,
            delivered_at: row.delivered_at,
            delivery_method: row.delivery_method,
            delivery_address: row.delivery_address,
            redeemed_at: row.redeemed_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            replaced_by_id: row.replaced_by_id,
            balance_note: row.balance_note,
            created_at: row.created_at,
        }
    }
}

/// `GET /v1/cards`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Json<Page<CardOut>>> {
    let page = PageParams { limit: params.limit, after: params.after };
    let which =
        store::Which { pool_id: params.pool_id, status: params.status, last4: None, recipient_id: params.recipient_id };
    let limit = page.limit()?;
    let rows = store::list(&caller.scope(&app), caller.client_id()?, &which, page.after()?, limit).await?;
    Ok(Json(Page::from_rows(rows, limit, |row| (row.created_at, row.id)).map(CardOut::from)))
}

/// `GET /v1/cards/{id}`
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Tagged<CardOut>> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    Ok(Tagged { etag: row.etag()?, body: row.into() })
}

/// `POST /v1/cards/find`
pub async fn find(
    State(app): State<App>,
    caller: Caller,
    web::Json(input): web::Json<FindInput>,
) -> Result<Tagged<CardOut>> {
    let id = actions::find_by_code(&app, &caller.actor, caller.client_id()?, &input).await?;
    get(State(app), caller, Path(id)).await
}

/// `POST /v1/cards/{id}/reveal`
pub async fn reveal(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<([(HeaderName, HeaderValue); 1], Extension<web::Unkept>, Json<OpenCard>)> {
    let card = actions::reveal(&app, &caller.actor, (caller.client_id()?, id), &expected).await?;
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Extension(web::Unkept), Json(card)))
}

/// `POST /v1/cards/{id}/redeem`
pub async fn redeem(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    web::Json(input): web::Json<RedeemInput>,
) -> Result<Tagged<CardOut>> {
    actions::redeem(&app, &caller.actor, (caller.client_id()?, id), &input, &expected).await?;
    get(State(app), caller, Path(id)).await
}

/// `POST /v1/cards/{id}/revoke`
pub async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    web::Json(input): web::Json<RevokeInput>,
) -> Result<Tagged<CardOut>> {
    actions::revoke(&app, &caller.actor, (caller.client_id()?, id), &input, &expected).await?;
    get(State(app), caller, Path(id)).await
}

/// `POST /v1/cards/{id}/replace`
pub async fn replace(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    web::Json(input): web::Json<ReplaceInput>,
) -> Result<Made<CardOut>> {
    let (of, may_reveal) = ((caller.client_id()?, id), caller.may("gift_cards.reveal"));
    let claimed = actions::replace(&app, &caller.actor, of, (may_reveal, &expected), &input).await?;
    let id = claimed.gift_card_id.ok_or(Error::NotFound)?;
    Ok(Made::at(format!("/v1/cards/{id}"), get(State(app), caller, Path(id)).await?))
}
