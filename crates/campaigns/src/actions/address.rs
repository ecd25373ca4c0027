//! An address for rewards that have nowhere to go.

use database::Audited;
use kernel::version::Expected;
use kernel::{Actor, Error, Result};
use messaging::consent::{self, Addressee};
use rewards::address;
use rewards::codes::CONSENT_NEEDED;
use rewards::elsewhere::{Wanted, allow, turn};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use super::held;
use crate::store::{life, recipients};

/// Where a recipient's rewards go.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AddressInput {
    /// A phone number or an e-mail address.
    pub to: String,
}

/// Gives the rewards of a recipient that wait for an address one; their cards are handed out in turn, a moment later.
///
/// # Errors
/// `NotFound`, `to`, `Forbidden` for an address that is not on record without the right to reveal (`may_reveal`), a
/// conflict when that address got too many rewards, `GC-009` when the person may not be written to there, or a conflict
/// when none waits for an address, the campaign was archived, or it is not the expected version any more.
pub async fn give(
    app: &App,
    actor: &Actor,
    (client_id, recipient_id): (Uuid, Uuid),
    (may_reveal, expected): (bool, &Expected),
    input: &AddressInput,
) -> Result<()> {
    let to = rewards::actions::cards::way(&input.to)?.ok_or_else(|| Error::required("to"))?;
    let tx = app.scope(actor).transaction().await?;
    let turn = turn(&tx, client_id, &to.1).await?;
    let recipient = recipients::expect(&tx, client_id, recipient_id, expected).await?;
    life::expect_living(&tx, client_id, recipient.campaign_id).await?;
    let addressee = Addressee { client_id, contact_id: recipient.contact_id, channel: to.0, address: &to.1 };
    if let Some(refusal) = consent::refusal(&tx, &addressee).await? {
        return Err(Error::conflict(CONSENT_NEEDED, format!("Not sent: {}.", refusal.sentence())));
    }
    let waiting = address::unaddressed(&tx, client_id, recipient_id).await?;
    if waiting.is_empty() {
        return Err(Error::conflict("nothing_waits", "no reward of this recipient waits for an address"));
    }
    let most = app.settings.limits.rewards_per_address_per_day;
    let elsewhere =
        allow(&tx, &turn, &Wanted { client_id, recipient_id, before: None, to: &to.1, may_reveal, most }).await?;
    for reward in &waiting {
        address::supply(&tx, client_id, reward, &to).await?;
    }
    address::settle(&tx, client_id, recipient_id).await?;
    let conditions: Vec<i32> = waiting.iter().map(|reward| reward.condition_number).collect();
    if elsewhere {
        held::mark_given(&tx, (client_id, recipient_id), &conditions).await?;
    }
    let after = Some(json!({ "conditions": conditions, "to": to.1, "given_address": elsewhere }));
    let what = Audited { client_id: Some(client_id), after, ..Audited::default() };
    tx.audit("reward.addressed", "recipients", Some(recipient_id), what).await?;
    rewards::actions::stock::fulfil_soon_at(&tx, client_id, waiting.iter().map(|reward| reward.pool_id)).await?;
    tx.commit().await
}
