//! `/v1/recipients`: found by code, conditions confirmed.

use axum::Json;
use axum::extract::State;
use campaigns::store::recipients::Recipient;
use chrono::{DateTime, Utc};
use kernel::codes::RedemptionCode;
use kernel::{Error, new_id};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, Path, Query, Result};

use crate::actions::handle::{self, CallInput, Delivery};
use crate::actions::lookup::{self, Known, Standing};
use crate::store::calls as store;

/// Which recipient is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct LookupParams {
    /// The redemption code, in any case and spacing.
    #[param(required = true)]
    pub code: String,
}

/// The recipient with what an agent needs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecipientAtDesk)]
pub struct KnownOut {
    id: Uuid,
    campaign_id: Uuid,
    campaign_name: String,
    campaign_status: String,
    /// All but its end masked: the caller reads it out, and nobody has to read it to them.
    redemption_code: String,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    address: Option<String>,
    address2: Option<String>,
    city: Option<String>,
    state: Option<String>,
    zip: Option<String>,
    status: String,
    total_visits: i32,
    conditions: Vec<StandingOut>,
}

/// Where a recipient stands with one condition.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConditionStanding)]
pub struct StandingOut {
    condition_number: i32,
    condition_name: String,
    trigger_type: String,
    reward_description: Option<String>,
    /// Whether an agent may confirm it now.
    confirmable: bool,
    met_at: Option<DateTime<Utc>>,
    delivery_status: Option<String>,
    /// The last four characters of the card's code.
    code_last4: Option<String>,
}

/// A confirmation by an agent.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ConfirmationInput)]
pub struct ConfirmIn {
    /// The call it belongs to, of the same recipient and agent; a new one when absent.
    pub call_id: Option<Uuid>,
    /// Which of `name`, `address` and `phone` the caller knew: at least two.
    #[schema(example = json!(["name", "phone"]))]
    pub identity_checked: Vec<String>,
    /// `sms` or `email`; what the reward says when absent.
    pub channel: Option<String>,
    /// A phone the caller gave just now.
    pub phone: Option<String>,
    /// An e-mail address the caller gave just now.
    pub email: Option<String>,
    /// What was said.
    pub notes: Option<String>,
}

/// What a confirmation came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Confirmation)]
pub struct ConfirmOut {
    call_id: Uuid,
    /// Met before: nothing was sent again.
    already_met: bool,
    /// `GC-003` when the pool is empty and the card follows, `GC-006` when credits are missing, `GC-010` when it was
    /// met before, `GC-012` when nobody knows where to send the card.
    code: Option<&'static str>,
    condition: StandingOut,
}

impl From<Known> for KnownOut {
    fn from(known: Known) -> Self {
        let Recipient { id, campaign_id, first_name, last_name, email, phone, .. } = known.recipient;
        Self {
            id,
            campaign_id,
            first_name,
            last_name,
            email,
            phone,
            campaign_name: known.campaign.name,
            campaign_status: known.campaign.status,
            redemption_code: RedemptionCode::masked(&known.recipient.redemption_code),
            address: known.recipient.address,
            address2: known.recipient.address2,
            city: known.recipient.city,
            state: known.recipient.state,
            zip: known.recipient.zip,
            status: known.recipient.status,
            total_visits: known.recipient.total_visits,
            conditions: known.conditions.into_iter().map(StandingOut::from).collect(),
        }
    }
}

impl From<Standing> for StandingOut {
    fn from(standing: Standing) -> Self {
        let (condition, met) = (standing.condition, standing.met);
        Self {
            condition_number: condition.condition_number,
            condition_name: condition.condition_name,
            trigger_type: condition.trigger_type,
            reward_description: condition.reward_description,
            confirmable: standing.confirmable,
            met_at: met.as_ref().map(|met| met.met_at),
            delivery_status: met.as_ref().and_then(|met| met.delivery_status.clone()),
            code_last4: met.and_then(|met| met.code_last4),
        }
    }
}

/// `GET /v1/recipients/lookup`
pub async fn find(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<LookupParams>,
) -> Result<Json<KnownOut>> {
    let recipient = lookup::by_code(&app, &caller.actor, caller.client_id()?, &params.code).await.map_err(unknown)?;
    Ok(Json(lookup::of_recipient(&app, &caller.actor, recipient).await?.into()))
}

/// To a program a code that nobody has is a thing that is not there.
fn unknown(error: Error) -> Error {
    match error.fields() {
        [field] if field.code == "not_found" => Error::NotFound,
        _ => error,
    }
}

/// `POST /v1/recipients/{id}/conditions/{number}/confirm`
pub async fn confirm(
    State(app): State<App>,
    caller: Caller,
    Path((recipient_id, number)): Path<(Uuid, i32)>,
    web::Json(input): web::Json<ConfirmIn>,
) -> Result<Json<ConfirmOut>> {
    let client_id = caller.client_id()?;
    if let Some(id) = input.call_id {
        store::find(&caller.scope(&app), client_id, id).await?;
    }
    let call_id = input.call_id.unwrap_or_else(new_id);
    let delivery = Delivery {
        channel: input.channel.unwrap_or_default(),
        phone: input.phone.unwrap_or_default(),
        email: input.email.unwrap_or_default(),
    };
    let call = CallInput {
        id: call_id,
        recipient_id,
        notes: input.notes.unwrap_or_default(),
        identity_checked: input.identity_checked,
        ..CallInput::default()
    };
    let done = handle::confirm(&app, &caller.actor, (client_id, &call), number, &delivery).await?;
    let known = lookup::known(&app, &caller.actor, client_id, recipient_id).await?;
    let standing = known.conditions.into_iter().find(|s| s.condition.condition_number == number);
    let condition = standing.ok_or(Error::NotFound)?.into();
    let already_met = done.outcome == rewards::Outcome::AlreadyMet;
    Ok(Json(ConfirmOut { call_id, already_met, code: done.outcome.code(), condition }))
}
