//! Tracked numbers: entered by hand and given back.

use database::Audited;
use kernel::phone::{DEFAULT_REGION, normalise};
use kernel::version::Expected;
use kernel::{Actor, Error, Problems, Result, new_id};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use crate::store::numbers::{self as store, Draft};

/// What a person gives for a tracked number.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NumberInput {
    /// The number printed on the piece, in any spelling.
    #[schema(required = true)]
    pub phone_number: String,
    /// Where calls go.
    pub forward_to_number: String,
    /// What people call it.
    pub friendly_name: String,
    /// The campaign whose pieces show it; empty for none yet.
    pub campaign_id: String,
}

/// Enters a number; returns its id.
///
/// # Errors
/// Names the wrong fields.
pub async fn add(app: &App, actor: &Actor, client_id: Uuid, input: &NumberInput) -> Result<Uuid> {
    let draft = check(input)?;
    let id = new_id();
    let tx = app.scope(actor).transaction().await?;
    if let Some(campaign_id) = draft.campaign_id
        && !store::campaign_stands(&tx, client_id, campaign_id).await?
    {
        return Err(Error::invalid("campaign_id", "choose one of the campaigns that are not archived"));
    }
    if let Some(day) = store::held_until(&tx, client_id, &draft).await? {
        let why = format!("this number is still on the pieces of another campaign, until {day}");
        return Err(Error::Invalid(vec![kernel::FieldError {
            field: "phone_number".into(),
            code: "held",
            message: why,
        }]));
    }
    store::insert(&tx, client_id, id, &draft).await?;
    let after = Some(json!({ "phone_number": draft.phone_number, "campaign_id": draft.campaign_id }));
    let what = Audited { client_id: Some(client_id), after, ..Audited::default() };
    tx.audit("number.added", "tracked_phone_numbers", Some(id), what).await?;
    tx.commit().await?;
    Ok(id)
}

/// Gives a number back.
///
/// # Errors
/// `NotFound`, or `Conflict` when it is not the expected version any more.
pub async fn release(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<()> {
    let tx = app.scope(actor).transaction().await?;
    store::expect(&tx, client_id, id, expected).await?;
    store::release(&tx, client_id, id).await?;
    let what = Audited { client_id: Some(client_id), ..Audited::default() };
    tx.audit("number.released", "tracked_phone_numbers", Some(id), what).await?;
    tx.commit().await
}

fn check(input: &NumberInput) -> Result<Draft> {
    let mut problems = Problems::new();
    let given = problems.require("phone_number", &input.phone_number).to_owned();
    let phone_number = normalise(&given, DEFAULT_REGION).unwrap_or_default();
    if !given.is_empty() && phone_number.is_empty() {
        problems.invalid("phone_number", kernel::phone::WANTED);
    }
    let forward = input.forward_to_number.trim();
    let forward_to_number = normalise(forward, DEFAULT_REGION);
    if !forward.is_empty() && forward_to_number.is_none() {
        problems.invalid("forward_to_number", kernel::phone::WANTED);
    }
    let friendly_name = Some(input.friendly_name.trim().to_owned()).filter(|name| !name.is_empty());
    if friendly_name.as_ref().is_some_and(|name| name.chars().count() > 120) {
        problems.add("friendly_name", "too_long", "use at most 120 characters");
    }
    let campaign_id = match input.campaign_id.trim() {
        "" => None,
        text => Uuid::parse_str(text).map_err(|_| problems.invalid("campaign_id", "choose one of the campaigns")).ok(),
    };
    problems.finish()?;
    Ok(Draft { phone_number, forward_to_number, friendly_name, campaign_id })
}
