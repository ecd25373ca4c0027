//! `/v1/campaigns`: the campaign itself, its conditions and its history.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate, Utc};
use kernel::page::{Page, PageParams};
use kernel::version::etag;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, Patch, Path, Query, Result, Tagged};

use super::CampaignParams;
use crate::actions::draft::{self as actions, CampaignInput};
use crate::checklist::{self, Checklist};
use crate::store::campaigns::{self as store, Campaign, ListFilter};
use crate::store::conditions::{self, Condition};
use crate::store::life::{self, HistoryRow};

/// A campaign.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Campaign)]
pub struct CampaignOut {
    id: Uuid,
    /// The word in its URL.
    slug: String,
    name: String,
    /// `draft`, `ready`, `in_production`, `mailed`, `active` or `completed`.
    status: String,
    size: Option<String>,
    postage: Option<String>,
    mail_date: Option<NaiveDate>,
    contact_list_id: Option<Uuid>,
    template_id: Option<Uuid>,
    no_mail_piece: bool,
    landing_page_id: Option<Uuid>,
    form_id: Option<Uuid>,
    lp_mode: String,
    base_lp_url: Option<String>,
    utm_source: Option<String>,
    utm_medium: Option<String>,
    utm_campaign: Option<String>,
    cards_per_reward: Option<i32>,
    /// What recipients have to do, in order; at most ten.
    conditions: Vec<ConditionOut>,
    /// Recipients, cards and credits as frozen when it became ready.
    #[schema(value_type = Option<Object>)]
    estimate: Option<serde_json::Value>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    launched_at: Option<DateTime<Utc>>,
    mailed_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    /// When it was deleted: it can be read, and nothing can be done with it.
    archived_at: Option<DateTime<Utc>>,
}

impl CampaignOut {
    fn new(row: Campaign, conditions: impl IntoIterator<Item = Condition>) -> Self {
        Self {
            conditions: conditions.into_iter().map(ConditionOut::from).collect(),
            id: row.id,
            slug: row.slug,
            name: row.name,
            status: row.status,
            size: row.size,
            postage: row.postage,
            mail_date: row.mail_date,
            contact_list_id: row.contact_list_id,
            template_id: row.template_id,
            no_mail_piece: row.no_mail_piece,
            landing_page_id: row.landing_page_id,
            form_id: row.form_id,
            lp_mode: row.lp_mode,
            base_lp_url: row.base_lp_url,
            utm_source: row.utm_source,
            utm_medium: row.utm_medium,
            utm_campaign: row.utm_campaign,
            cards_per_reward: row.cards_per_reward,
            estimate: row.estimate,
            created_at: row.created_at,
            updated_at: row.updated_at,
            launched_at: row.launched_at,
            mailed_at: row.mailed_at,
            completed_at: row.completed_at,
            archived_at: row.archived_at,
        }
    }
}

/// A condition and what it earns.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CampaignCondition)]
pub struct ConditionOut {
    /// Its place, from 1.
    condition_number: i32,
    condition_name: String,
    trigger_type: String,
    crm_event_name: Option<String>,
    time_delay_hours: Option<i32>,
    form_id: Option<Uuid>,
    is_active: bool,
    gift_card_pool_id: Option<Uuid>,
    pool_name: Option<String>,
    brand_name: Option<String>,
    /// Dollars of one card.
    #[schema(value_type = Option<String>)]
    value_amount: Option<Decimal>,
    reward_description: Option<String>,
    delivery_channel: Option<String>,
    sms_template: Option<String>,
    email_subject: Option<String>,
    email_template: Option<String>,
}

impl From<Condition> for ConditionOut {
    fn from(row: Condition) -> Self {
        Self {
            condition_number: row.condition_number,
            condition_name: row.condition_name,
            trigger_type: row.trigger_type,
            crm_event_name: row.crm_event_name,
            time_delay_hours: row.time_delay_hours,
            form_id: row.form_id,
            is_active: row.is_active,
            gift_card_pool_id: row.gift_card_pool_id,
            pool_name: row.pool_name,
            brand_name: row.brand_name,
            value_amount: row.value_amount,
            reward_description: row.reward_description,
            delivery_channel: row.delivery_channel,
            sms_template: row.sms_template,
            email_subject: row.email_subject,
            email_template: row.email_template,
        }
    }
}

/// One step of a campaign's history.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CampaignStep)]
pub struct StepOut {
    /// The status before; absent for the first.
    from_status: Option<String>,
    to_status: String,
    /// Who; absent where it went by itself.
    changed_by: Option<String>,
    reason: Option<String>,
    changed_at: DateTime<Utc>,
}

impl From<HistoryRow> for StepOut {
    fn from(row: HistoryRow) -> Self {
        Self {
            from_status: row.from_status,
            to_status: row.to_status,
            changed_by: row.changed_by,
            reason: row.reason,
            changed_at: row.changed_at,
        }
    }
}

/// `GET /v1/campaigns`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<CampaignParams>,
) -> Result<Json<Page<CampaignOut>>> {
    let page = PageParams { limit: params.limit, after: params.after };
    let limit = page.limit()?;
    let filter = ListFilter { search: params.q, status: params.status, after: page.after()? };
    let rows = store::list(&caller.scope(&app), caller.client_id()?, &filter, limit).await?;
    let page = Page::from_rows(rows, limit, |row| (row.created_at, row.id));
    let ids: Vec<Uuid> = page.data.iter().map(|row| row.id).collect();
    let mut conditions: HashMap<Uuid, Vec<Condition>> = HashMap::new();
    for condition in conditions::list_of(&caller.scope(&app), caller.client_id()?, &ids).await? {
        conditions.entry(condition.campaign_id).or_default().push(condition);
    }
    Ok(Json(page.map(|row| {
        let own = conditions.remove(&row.id).unwrap_or_default();
        CampaignOut::new(row, own)
    })))
}

/// `GET /v1/campaigns/{id}`, with its ETag.
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Tagged<CampaignOut>> {
    let scope = caller.scope(&app);
    let row = store::find(&scope, caller.client_id()?, id).await?;
    let conditions = conditions::list(&scope, row.client_id, id).await?;
    Ok(Tagged { etag: etag(row.updated_at), body: CampaignOut::new(row, conditions) })
}

/// `POST /v1/campaigns`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    web::Json(input): web::Json<CampaignInput>,
) -> Result<Made<CampaignOut>> {
    let (id, _) = actions::create(&app, &caller.actor, caller.client_id()?, &input).await?;
    made(app, caller, id).await
}

async fn made(app: App, caller: Caller, id: Uuid) -> Result<Made<CampaignOut>> {
    Ok(Made::at(format!("/v1/campaigns/{id}"), get(State(app), caller, Path(id)).await?))
}

/// `PATCH /v1/campaigns/{id}`; with `If-Match`, only when nobody changed it since.
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    patch: Patch,
) -> Result<Tagged<CampaignOut>> {
    let scope = caller.scope(&app);
    let row = store::find(&scope, caller.client_id()?, id).await?;
    expected.check(&etag(row.updated_at))?;
    let conditions = conditions::list(&scope, row.client_id, id).await?;
    let present = actions::input_of(&row, conditions.clone());
    let input = patch.onto(&present, &CampaignOut::new(row.clone(), conditions))?;
    actions::update(&app, &caller.actor, &row, &input).await?;
    get(State(app), caller, Path(id)).await
}

/// `GET /v1/campaigns/{id}/checklist`
pub async fn checklist(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Checklist>> {
    let scope = caller.scope(&app);
    let row = store::find(&scope, caller.client_id()?, id).await?;
    Ok(Json(checklist::make(&scope, &row, app.clock.now()).await?))
}

/// `GET /v1/campaigns/{id}/conditions`; a campaign has ten at most, so they are one page.
pub async fn conditions(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Page<ConditionOut>>> {
    let scope = caller.scope(&app);
    let row = store::find(&scope, caller.client_id()?, id).await?;
    let rows = conditions::list(&scope, row.client_id, id).await?;
    Ok(Json(Page { data: rows.into_iter().map(ConditionOut::from).collect(), next: None }))
}

/// `GET /v1/campaigns/{id}/history`; the latest hundred steps, newest first.
pub async fn history(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Page<StepOut>>> {
    let scope = caller.scope(&app);
    let row = store::find(&scope, caller.client_id()?, id).await?;
    let rows = life::steps(&scope, row.client_id, id).await?;
    Ok(Json(Page { data: rows.into_iter().map(StepOut::from).collect(), next: None }))
}

/// `POST /v1/campaigns/{id}/duplicate`
pub async fn duplicate(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Made<CampaignOut>> {
    let (id, _) = actions::duplicate(&app, &caller.actor, (caller.client_id()?, id), &expected).await?;
    made(app, caller, id).await
}

/// `DELETE /v1/campaigns/{id}`: out of the list; nothing is lost.
pub async fn archive(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode> {
    actions::archive(&app, &caller.actor, (caller.client_id()?, id), &expected).await?;
    Ok(StatusCode::NO_CONTENT)
}
