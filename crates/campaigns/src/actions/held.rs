//! Rewards that wait for a person's look, because one address got more of them within a day than is plausible. The card
//! is taken and nothing is lost: a person releases it, and it is sent.

use database::{Audited, FromRow, Transaction};
use kernel::version::Expected;
use kernel::{Actor, Error, Result};
use serde_json::json;
use uuid::Uuid;
use web::App;

use crate::store::recipients;

/// Why a reward is held.
pub const REASON: &str = "many_rewards_to_one_address";
/// The alert that a recipient's reward is held; its subject is the recipient.
pub const ALERT: &str = "reward_held";
#[derive(FromRow)]
struct Released {
    condition_number: i32,
}

#[derive(FromRow)]
struct Message {
    id: Uuid,
}

database::statement! {
    /// A recipient's rewards are held no longer.
    RELEASE, app, "
        update call_conditions_met
        set hold_reason = null
        where client_id = $1
          and recipient_id = $2
          and hold_reason is not null
        returning condition_number";
    /// Nor are their messages.
    RELEASE_MESSAGES, app, "
        update messages
        set status = 'pending', hold_reason = null
        where client_id = $1
          and recipient_id = $2
          and status = 'held'
        returning id";
    /// Marks a reward that goes to an address that was not on file.
    MARK_GIVEN, app, "
        update call_conditions_met
        set given_address = true
        where client_id = $1
          and recipient_id = $2
          and condition_number = any ($3::int4[])"
}

/// Tells somebody to look.
///
/// # Errors
/// What the database answered.
pub(crate) async fn alert(tx: &Transaction, (client_id, recipient_id): (Uuid, Uuid), campaign_id: Uuid) -> Result<()> {
    let text = "One address got more rewards within a day than the limit allows: the next one is kept until somebody has looked.";
    let data = json!({ "campaign_id": campaign_id, "recipient_id": recipient_id });
    rewards::store::alerts::raise(tx, client_id, (ALERT, recipient_id), text, &data).await
}

/// Marks rewards whose address was given just now and is not on file, for the record as well.
///
/// # Errors
/// What the database answered.
pub(crate) async fn mark_given(
    tx: &Transaction,
    (client_id, recipient_id): (Uuid, Uuid),
    conditions: &[i32],
) -> Result<()> {
    tx.execute(&MARK_GIVEN, &[&client_id, &recipient_id, &conditions]).await?;
    let what = Audited { client_id: Some(client_id), after: Some(json!({ "conditions": conditions })), before: None };
    tx.audit("reward.given_address", "recipients", Some(recipient_id), what).await
}

/// Releases what is held of a recipient: whoever looked finds it in order.
///
/// # Errors
/// `NotFound`, or a conflict when nothing is held or it is not the expected version any more.
pub async fn release(
    app: &App,
    actor: &Actor,
    (client_id, recipient_id): (Uuid, Uuid),
    expected: &Expected,
) -> Result<()> {
    let tx = app.scope(actor).transaction().await?;
    recipients::expect(&tx, client_id, recipient_id, expected).await?;
    let rewards: Vec<Released> = tx.query(&RELEASE, &[&client_id, &recipient_id]).await?;
    if rewards.is_empty() {
        return Err(Error::conflict("nothing_held", "no reward of this recipient waits for a person's look"));
    }
    let messages: Vec<Message> = tx.query(&RELEASE_MESSAGES, &[&client_id, &recipient_id]).await?;
    for message in messages {
        messaging::actions::send::enqueue(&tx, client_id, message.id, None).await?;
    }
    rewards::store::alerts::resolve(&tx, client_id, ALERT, recipient_id).await?;
    let conditions: Vec<i32> = rewards.iter().map(|reward| reward.condition_number).collect();
    let what = Audited { client_id: Some(client_id), after: Some(json!({ "conditions": conditions })), before: None };
    tx.audit("reward.released", "recipients", Some(recipient_id), what).await?;
    tx.commit().await
}
