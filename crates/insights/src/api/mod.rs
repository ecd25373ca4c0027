//! JSON handlers.

use axum::Json;
use axum::extract::State;
use campaigns::store::campaigns as campaign_store;
use kernel::page::{Page, PageParams};
use kernel::{Error, Result as KernelResult};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, Path, Query, Result};

use crate::store::campaign::{self as store, Deliveries, EventFilter, EventRow, Funnel, Point, Stretch};

/// What became of a campaign.
#[derive(Debug, Serialize, ToSchema)]
pub struct Analytics {
    /// In distinct recipients.
    pub funnel: Funnel,
    /// What became of its rewards.
    pub deliveries: Deliveries,
    /// By the hour or the day.
    pub timeline: Vec<Point>,
}

/// `GET /v1/campaigns/{id}/analytics`
pub async fn analytics(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Analytics>> {
    let (scope, client_id, now) = (caller.scope(&app), caller.client_id()?, app.clock.now());
    let campaign = campaign_store::find(&scope, client_id, id).await?;
    let since = campaign.mailed_at.or(campaign.launched_at).unwrap_or(campaign.created_at);
    let stretch = Stretch::of(since, campaign.completed_at.unwrap_or(now), caller.time_zone());
    let (funnel, deliveries, timeline) = tokio::try_join!(
        store::funnel(&scope, client_id, id),
        store::deliveries(&scope, client_id, id),
        store::timeline(&scope, client_id, id, &stretch)
    )?;
    Ok(Json(Analytics { funnel, deliveries, timeline }))
}

/// Which events are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct EventParams {
    /// Only of this campaign.
    pub campaign_id: Option<Uuid>,
    /// Only of this recipient.
    pub recipient_id: Option<Uuid>,
    /// Only of this kind, such as `qr_scan`.
    pub event_type: Option<String>,
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

impl EventParams {
    fn filter(&self) -> KernelResult<EventFilter> {
        if self.event_type.as_deref().is_some_and(|word| events::EventType::of(word).is_none()) {
            return Err(Error::invalid("event_type", "not one of our event types"));
        }
        Ok(EventFilter {
            campaign_id: self.campaign_id,
            recipient_id: self.recipient_id,
            event_type: self.event_type.clone(),
            people_only: false,
            after: self.page().after()?,
        })
    }

    fn page(&self) -> PageParams {
        PageParams { limit: self.limit, after: self.after.clone() }
    }
}

/// `GET /v1/events`
pub async fn events(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<EventParams>,
) -> Result<Json<Page<EventRow>>> {
    let (filter, limit) = (params.filter()?, params.page().limit()?);
    let rows = store::events(&caller.scope(&app), caller.client_id()?, &filter, limit).await?;
    Ok(Json(Page::from_rows(rows, limit, |row| (row.created_at, row.id))))
}
