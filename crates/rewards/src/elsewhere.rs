//! An address that is not on record: whoever sends a card there has revealed it, and may do so only so often.
//!
//! On record is where the reward went before, and what launch and contact know of the recipient.

use database::{FromRow, Transaction};
use kernel::{Error, Result};
use messaging::actions::resend::MANY_REWARDS;
use uuid::Uuid;

pub use messaging::actions::resend::REWARDS_WITHIN as WITHIN;

#[derive(FromRow)]
struct Record {
    on_record: Vec<String>,
}

/// An address that this transaction has to itself, so that what it is given meanwhile is counted by one at a time, and
/// the rewards that it got within a day.
#[derive(Debug)]
pub struct Turn {
    within_day: i64,
}

database::statement! {
    /// Takes an address as every claim does, and counts.
    TURN, app, "
        select app.rewards_to($1, $2, $3, true)";
    /// The addresses on record of a recipient.
    ON_RECORD, app, "
        select app.on_file(co.unconfirmed, r.phone, r.email, co.mobile_phone, co.phone, co.email) as on_record
        from recipients r
        left join contacts co on co.client_id = r.client_id and co.id = r.contact_id
        where r.client_id = $1
          and r.id = $2";
    /// Marks the reward of a card that goes to an address that is not on record.
    MARK, app, "
        update call_conditions_met
        set given_address = true
        where client_id = $1
          and gift_card_id = $2"
}

/// What somebody wants to do with a card or a reward.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The client.
    pub client_id: Uuid,
    /// Whose it is.
    pub recipient_id: Uuid,
    /// Where it went before.
    pub before: Option<&'a str>,
    /// Where it is to go.
    pub to: &'a str,
    /// Whether the caller may reveal cards.
    pub may_reveal: bool,
    /// Rewards that one address gets within a day; 0 for any number.
    pub most: u32,
}

/// Waits for the turn at an address: before anything else of the transaction that claims lock, too.
///
/// # Errors
/// What the database answered.
pub async fn turn(tx: &Transaction, client_id: Uuid, address: &str) -> Result<Turn> {
    let since = tx.now() - WITHIN;
    Ok(Turn { within_day: tx.query_scalar(&TURN, &[&client_id, &address, &since]).await? })
}

/// Whether an address is not on record, once it is allowed.
///
/// # Errors
/// `Forbidden` for one that is not without the right to reveal, a conflict when it got as many rewards within a day as
/// one address may.
pub async fn allow(tx: &Transaction, turn: &Turn, wanted: &Wanted<'_>) -> Result<bool> {
    if wanted.before == Some(wanted.to) {
        return Ok(false);
    }
    let record: Record = tx.query_one(&ON_RECORD, &[&wanted.client_id, &wanted.recipient_id]).await?;
    if record.on_record.iter().any(|known| known == wanted.to) {
        return Ok(false);
    }
    if !wanted.may_reveal {
        return Err(Error::forbidden("gift_cards.reveal"));
    }
    if wanted.most > 0 && turn.within_day >= i64::from(wanted.most) {
        return Err(Error::conflict("many_rewards_to_one_address", MANY_REWARDS));
    }
    Ok(true)
}

/// Marks the reward of a card as sent to an address that was given for it.
///
/// # Errors
/// What the database answered.
pub(crate) async fn mark(tx: &Transaction, client_id: Uuid, card_id: Uuid) -> Result<()> {
    tx.execute(&MARK, &[&client_id, &card_id]).await.map(|_| ())
}
