//! Rewards that wait for an address: met, no card taken, because nobody knew where to send one.

use database::{FromRow, Transaction};
use kernel::Result;
use messaging::Channel;
use uuid::Uuid;

use crate::store::alerts;

/// The alert about a recipient whose reward goes nowhere; its subject is the recipient.
pub const ALERT: &str = "address_missing";

/// The alert about a recipient whose reward waits because they may not be written to; its subject is the recipient.
pub const REFUSED_ALERT: &str = "consent_needed";

/// The key, among a message's merge values, of the address by the other channel that was given together with the one it
/// goes to: where the card goes when the first way fails.
pub const OTHER_WAY: &str = "other_way";

/// A met condition whose reward goes nowhere.
#[derive(Debug, Clone, FromRow)]
pub struct Unaddressed {
    /// The row in `call_conditions_met`.
    pub id: Uuid,
    /// Which condition.
    pub condition_number: i32,
    /// Where its card will come from.
    pub pool_id: Uuid,
}

database::statement! {
    /// A recipient's rewards that go nowhere.
    UNADDRESSED, app, "
        select id, condition_number, gift_card_pool_id as pool_id
        from call_conditions_met
        where client_id = $1
          and recipient_id = $2
          and gift_card_pool_id is not null
          and gift_card_id is null
          and delivery_status = 'pending'
          and delivery_address is null
        order by condition_number
        for no key update";
    /// Where one of them goes.
    SUPPLY, app, "
        update call_conditions_met
        set delivery_channel = $3, delivery_address = $4, refusal = null
        where client_id = $1
          and id = $2"
}

/// The rewards of a recipient that go nowhere, locked.
///
/// # Errors
/// What the database answered.
pub async fn unaddressed(tx: &Transaction, client_id: Uuid, recipient_id: Uuid) -> Result<Vec<Unaddressed>> {
    tx.query(&UNADDRESSED, &[&client_id, &recipient_id]).await
}

/// Says where a reward goes, somewhere the person may be written to: from now on it stands in the pool's queue, by the
/// time it was earned. The caller enqueues the job that serves the queue, after everything else.
///
/// # Errors
/// What the database answered.
pub async fn supply(tx: &Transaction, client_id: Uuid, of: &Unaddressed, to: &(Channel, String)) -> Result<()> {
    tx.execute(&SUPPLY, &[&client_id, &of.id, &to.0.as_str(), &to.1]).await.map(|_| ())
}

/// Nothing of the recipient goes nowhere any more: settles the alerts.
///
/// # Errors
/// What the database answered.
pub async fn settle(tx: &Transaction, client_id: Uuid, recipient_id: Uuid) -> Result<()> {
    alerts::resolve(tx, client_id, ALERT, recipient_id).await?;
    alerts::resolve(tx, client_id, REFUSED_ALERT, recipient_id).await
}
