//! `/v1/calls`.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use kernel::new_id;
use kernel::page::{Page, PageParams};
use kernel::version::{Expected, etag};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, Patch, Path, Query, Result, Tagged};

use crate::actions::handle::{self, CallInput};
use crate::store::calls::{self as store, Call, ListFilter};

/// Which calls are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct CallParams {
    /// Part of the caller's name, or a phone number.
    pub q: Option<String>,
    /// Only calls that ended so; `open` for those that have not.
    pub disposition: Option<String>,
    /// Only this recipient's.
    pub recipient_id: Option<Uuid>,
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// A call to be written down.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = CallInput)]
pub struct CallIn {
    /// Who called.
    #[schema(required = true)]
    pub recipient_id: Uuid,
    /// From which number; the recipient's own when absent.
    pub caller_phone: Option<String>,
    /// When the call began; now when absent.
    pub call_started_at: Option<DateTime<Utc>>,
    /// What was said.
    pub notes: Option<String>,
    /// Which of `name`, `address` and `phone` the caller knew.
    #[schema(example = json!(["name", "phone"]))]
    pub identity_checked: Vec<String>,
    /// `qualified`, `not_qualified`, `callback`, `wrong_number`, `no_answer`, `voicemail`, `escalated` or
    /// `do_not_call`; absent while the call goes on.
    pub disposition: Option<String>,
}

/// A call.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Call)]
pub struct CallOut {
    id: Uuid,
    campaign_id: Option<Uuid>,
    recipient_id: Option<Uuid>,
    recipient_name: String,
    caller_phone: Option<String>,
    match_status: String,
    call_status: String,
    call_started_at: Option<DateTime<Utc>>,
    call_ended_at: Option<DateTime<Utc>>,
    call_duration_seconds: Option<i32>,
    disposition: Option<String>,
    identity_checked: Vec<String>,
    notes: Option<String>,
    agent_user_id: Option<Uuid>,
    conditions_met: i64,
    created_at: DateTime<Utc>,
}

impl From<Call> for CallOut {
    fn from(call: Call) -> Self {
        Self {
            identity_checked: call.answered(),
            id: call.id,
            campaign_id: call.campaign_id,
            recipient_id: call.recipient_id,
            recipient_name: call.recipient_name,
            caller_phone: call.caller_phone,
            match_status: call.match_status,
            call_status: call.call_status,
            call_started_at: call.call_started_at,
            call_ended_at: call.call_ended_at,
            call_duration_seconds: call.call_duration_seconds,
            disposition: call.disposition,
            notes: call.notes,
            agent_user_id: call.agent_user_id,
            conditions_met: call.conditions_met,
            created_at: call.created_at,
        }
    }
}

/// `GET /v1/calls`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<CallParams>,
) -> Result<Json<Page<CallOut>>> {
    let page = PageParams { limit: params.limit, after: params.after };
    let limit = page.limit()?;
    let wanted = ListFilter {
        search: params.q,
        disposition: params.disposition.filter(|word| !word.is_empty()),
        agent: None,
        recipient_id: params.recipient_id,
        after: page.after()?,
    };
    let rows = store::list(&caller.scope(&app), caller.client_id()?, &wanted, limit).await?;
    Ok(Json(Page::from_rows(rows, limit, |row| (row.created_at, row.id)).map(CallOut::from)))
}

/// `GET /v1/calls/{id}`
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Tagged<CallOut>> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    Ok(Tagged { etag: etag(row.updated_at), body: row.into() })
}

/// `POST /v1/calls`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    web::Json(input): web::Json<CallIn>,
) -> Result<Made<CallOut>> {
    let id = new_id();
    handle::save(&app, &caller.actor, caller.client_id()?, &call_input(id, input), &Expected::any()).await?;
    Ok(Made::at(format!("/v1/calls/{id}"), get(State(app), caller, Path(id)).await?))
}

/// `PATCH /v1/calls/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    patch: Patch,
) -> Result<Tagged<CallOut>> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    expected.check(&etag(row.updated_at))?;
    let (read, present) = (Expected::of(&etag(row.updated_at)), call_in(&row));
    let input = patch.onto(&present, &CallOut::from(row))?;
    handle::save(&app, &caller.actor, caller.client_id()?, &call_input(id, input), &read).await?;
    get(State(app), caller, Path(id)).await
}

/// A call as the input that would write it down.
fn call_in(call: &Call) -> CallIn {
    CallIn {
        recipient_id: call.recipient_id.unwrap_or_default(),
        caller_phone: call.caller_phone.clone(),
        call_started_at: call.call_started_at,
        notes: call.notes.clone(),
        identity_checked: call.answered(),
        disposition: call.disposition.clone(),
    }
}

fn call_input(id: Uuid, input: CallIn) -> CallInput {
    CallInput {
        id,
        recipient_id: input.recipient_id,
        caller_phone: input.caller_phone.unwrap_or_default(),
        opened_at: input.call_started_at,
        notes: input.notes.unwrap_or_default(),
        identity_checked: input.identity_checked,
        disposition: input.disposition.unwrap_or_default(),
    }
}
