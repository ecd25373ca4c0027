//! `/v1/campaigns/{id}/launch` and `/steps`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use chrono::{DateTime, NaiveDate, Utc};
use kernel::Error;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use web::{App, Caller, IfMatch, Path, Result, Tagged};

use super::campaigns::{self, CampaignOut};
use crate::actions::launch;
use crate::actions::steps::{self, Wish};
use crate::store::campaigns as store;
use crate::store::launches;

/// How far a launch is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Launch)]
pub struct LaunchOut {
    id: Uuid,
    /// `running`, `finished` or `failed`.
    state: String,
    /// Contacts on the list when it began.
    contacts_total: i32,
    /// Contacts looked at so far.
    contacts_done: i32,
    /// Why it failed.
    error: Option<String>,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

/// A step that is wanted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = CampaignStepInput)]
pub struct StepInput {
    #[schema(required = true)]
    /// The status wanted: `in_production`, `mailed`, `completed`, or `draft` to take it back.
    pub to: String,
    /// Why; it stands in the history.
    pub reason: Option<String>,
    /// With `mailed`: the day the pieces went out; today when absent.
    pub mail_date: Option<NaiveDate>,
}

/// `POST /v1/campaigns/{id}/launch`: begins; `GET` tells how far it is.
pub async fn begin(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<LaunchOut>)> {
    launch::begin(&app, &caller.actor, (caller.client_id()?, id), &expected).await?;
    let location = [(header::LOCATION, format!("/v1/campaigns/{id}/launch"))];
    Ok((StatusCode::ACCEPTED, location, progress(State(app), caller, Path(id)).await?))
}

/// `GET /v1/campaigns/{id}/launch`
pub async fn progress(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Json<LaunchOut>> {
    let launch = launches::latest(&caller.scope(&app), caller.client_id()?, id).await?.ok_or(Error::NotFound)?;
    Ok(Json(LaunchOut {
        id: launch.id,
        state: launch.state,
        contacts_total: launch.contacts_total,
        contacts_done: launch.contacts_done,
        error: launch.error,
        started_at: launch.started_at,
        finished_at: launch.finished_at,
    }))
}

/// `POST /v1/campaigns/{id}/steps`
pub async fn step(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    web::Json(input): web::Json<StepInput>,
) -> Result<Tagged<CampaignOut>> {
    let campaign = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let wish = Wish { to: input.to, reason: input.reason, mail_date: input.mail_date };
    steps::take_as(&app, &caller, &campaign, &wish, &expected).await?;
    campaigns::get(State(app), caller, Path(id)).await
}
