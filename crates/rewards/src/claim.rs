//! The claim: a recipient met a condition, and what that earns changes hands. Once, however often and from wherever.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::{Error, Result, new_id};
use messaging::Channel;
use serde_json::Value;
use uuid::Uuid;

database::statement! {
    /// The whole money path in one call; see `migrations/V22__promises.sql`.
    CLAIM, app, "
        select outcome, condition_id, recipient_id, gift_card_id, message_id, delivery_status, pool_id, available_cards
        from app.claim_reward(
          $1, $2, $3, $4, $5, $6,
          p_channel => $7,
          p_to_address => $8,
          p_price => app.price($1, 'reward'),
          p_merge => $9,
          p_agent_id => $10,
          p_call_session_id => $11,
          p_notes => $12,
          p_hold => $13)";
    /// Waits for one's turn at several pools, one after the other.
    TURNS, app, "
        select app.queue_for_pool(id)
        from unnest($1::uuid[]) as pools (id)"
}

/// A met condition and where its reward goes.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Whose campaign it is.
    pub client_id: Uuid,
    /// The campaign.
    pub campaign_id: Uuid,
    /// Who met the condition.
    pub recipient_id: Uuid,
    /// Which one.
    pub condition_number: i32,
    /// Where the card goes: channel and normalised address; without it only a form, which shows its card, gets one.
    pub to: Option<(Channel, String)>,
    /// Further values for merge tags; never a card code.
    pub merge: Value,
    /// The agent who confirmed it.
    pub agent_id: Option<Uuid>,
    /// The call in which it was met.
    pub call_session_id: Option<Uuid>,
    /// What the agent wrote.
    pub notes: Option<String>,
    /// Why a person has to look before anything is sent.
    pub hold: Option<String>,
}

impl Claim {
    /// A claim of nothing but the condition: it goes nowhere yet, nobody confirmed it.
    pub fn new(client_id: Uuid, campaign_id: Uuid, recipient_id: Uuid, condition_number: i32) -> Self {
        Self {
            client_id,
            campaign_id,
            recipient_id,
            condition_number,
            to: None,
            merge: Value::Object(serde_json::Map::default()),
            agent_id: None,
            call_session_id: None,
            notes: None,
            hold: None,
        }
    }

    /// The card goes there.
    #[must_use]
    pub fn to(mut self, channel: Channel, address: impl Into<String>) -> Self {
        self.to = Some((channel, address.into()));
        self
    }
}

/// What a claim came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A card was handed out now.
    Claimed,
    /// The condition was met earlier; the ids say what it earned then.
    AlreadyMet,
    /// Met, and nothing is earned by it.
    NoReward,
    /// Met; the card follows when the pool has one (GC-003).
    PoolEmpty,
    /// Met; the card follows when the credits cover it (GC-006).
    NoCredits,
    /// Met; the card follows when somebody says where to send it (GC-012).
    AddressMissing,
    /// Met; no card was taken, because the person may not be written to (GC-009).
    ConsentNeeded,
    /// The campaign has no such active condition or no such recipient, or is over (GC-001).
    NoCondition,
}

impl Outcome {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "claimed" => Self::Claimed,
            "already_met" => Self::AlreadyMet,
            "no_reward" => Self::NoReward,
            "pool_empty" => Self::PoolEmpty,
            "no_credits" => Self::NoCredits,
            "address_missing" => Self::AddressMissing,
            "consent_needed" => Self::ConsentNeeded,
            "no_condition" => Self::NoCondition,
            _ => return None,
        })
    }

    /// The stable error code, where the outcome is one.
    pub const fn code(self) -> Option<&'static str> {
        match self {
            Self::Claimed | Self::NoReward => None,
            Self::AlreadyMet => Some(crate::codes::ALREADY_ISSUED),
            Self::PoolEmpty => Some(crate::codes::POOL_EMPTY),
            Self::NoCredits => Some(crate::codes::NO_CREDITS),
            Self::AddressMissing => Some(crate::codes::MISSING_FIELD),
            Self::ConsentNeeded => Some(crate::codes::CONSENT_NEEDED),
            Self::NoCondition => Some(crate::codes::NOT_CONFIGURED),
        }
    }
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// What it came to.
    pub outcome: Outcome,
    /// The row in `call_conditions_met`.
    pub condition_id: Option<Uuid>,
    /// The card, now or then.
    pub gift_card_id: Option<Uuid>,
    /// The newest message that brings it.
    pub message_id: Option<Uuid>,
    /// `pending`, `sent`, `delivered` or `failed`; absent where nothing is earned.
    pub delivery_status: Option<String>,
    /// The pool it comes from.
    pub pool_id: Option<Uuid>,
    /// Cards left in it, where the claim looked; absent where it stands behind others.
    pub available_cards: Option<i32>,
}

impl Claimed {
    /// The pool at which people stand who have not been served yet, although there are cards. Whoever claimed enqueues
    /// [`crate::actions::stock::fulfil_soon_at`] for it, as the last thing of the transaction.
    pub fn left_waiting(&self) -> Option<Uuid> {
        self.pool_id.filter(|_| self.outcome == Outcome::PoolEmpty && self.available_cards.is_none())
    }
}

#[derive(Debug, FromRow)]
pub(crate) struct ClaimRow {
    pub(crate) outcome: String,
    pub(crate) condition_id: Option<Uuid>,
    pub(crate) gift_card_id: Option<Uuid>,
    pub(crate) message_id: Option<Uuid>,
    pub(crate) delivery_status: Option<String>,
    pub(crate) pool_id: Option<Uuid>,
    pub(crate) available_cards: Option<i32>,
}

impl TryFrom<ClaimRow> for Claimed {
    type Error = Error;

    fn try_from(row: ClaimRow) -> Result<Self> {
        let outcome =
            Outcome::parse(&row.outcome).ok_or_else(|| Error::internal(format!("outcome {}", row.outcome)))?;
        Ok(Self {
            outcome,
            condition_id: row.condition_id,
            gift_card_id: row.gift_card_id,
            message_id: row.message_id,
            delivery_status: row.delivery_status,
            pool_id: row.pool_id,
            available_cards: row.available_cards,
        })
    }
}

/// Waits for its turn at every one of these pools, always in the same order. Whoever claims from several pools in one
/// transaction does so first: taken in the order of the conditions, two such claims would wait for each other.
///
/// # Errors
/// What the database answered.
pub async fn take_turns(tx: &Transaction, pools: impl IntoIterator<Item = Uuid>) -> Result<()> {
    let mut pools: Vec<Uuid> = pools.into_iter().collect();
    pools.sort_unstable();
    pools.dedup();
    // a claim takes the turn at its own pool by itself
    if pools.len() < 2 {
        return Ok(());
    }
    tx.execute(&TURNS, &[&pools]).await.map(|_| ())
}

/// Waits for its turn at one pool.
///
/// # Errors
/// What the database answered.
pub async fn turn_at(tx: &Transaction, pool_id: Uuid) -> Result<()> {
    tx.execute(&TURNS, &[&vec![pool_id]]).await.map(|_| ())
}

/// Claims inside the caller's transaction. Whoever claims for several conditions does so in their order, after
/// [`take_turns`].
///
/// # Errors
/// What the database answered; the claim must not be committed then.
pub async fn claim(tx: &Transaction, claim: &Claim) -> Result<Claimed> {
    let ids = ids();
    let (channel, address) = way(claim);
    let now = tx.now();
    tx.query_one::<ClaimRow>(&CLAIM, &params(claim, &now, &ids, (&channel, &address))).await?.try_into()
}

/// Claims as a transaction of its own, in one flight.
///
/// # Errors
/// What the database answered.
pub async fn claim_now(scope: &Scope<'_>, claim: &Claim, now: DateTime<Utc>) -> Result<Claimed> {
    let ids = ids();
    let (channel, address) = way(claim);
    scope.query_one::<ClaimRow>(&CLAIM, &params(claim, &now, &ids, (&channel, &address))).await?.try_into()
}

/// Condition row, its event, alert, ledger row, message, job, event of the card.
fn ids() -> Vec<Uuid> {
    std::iter::repeat_with(new_id).take(7).collect()
}

fn way(claim: &Claim) -> (Option<&str>, Option<&str>) {
    match &claim.to {
        Some((channel, address)) => (Some(channel.as_str()), Some(address)),
        None => (None, None),
    }
}

fn params<'a>(
    claim: &'a Claim,
    now: &'a DateTime<Utc>,
    ids: &'a Vec<Uuid>,
    (channel, address): (&'a Option<&'a str>, &'a Option<&'a str>),
) -> [&'a (dyn database::ToSql + Sync); 13] {
    [
        &claim.client_id,
        &claim.campaign_id,
        &claim.recipient_id,
        &claim.condition_number,
        now,
        ids,
        channel,
        address,
        &claim.merge,
        &claim.agent_id,
        &claim.call_session_id,
        &claim.notes,
        &claim.hold,
    ]
}
