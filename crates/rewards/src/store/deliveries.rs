//! A card on its way: the messages that bring it, and the condition that earned it.

use chrono::{DateTime, Utc};
use database::{FromRow, Transaction};
use kernel::Result;
use messaging::consent::Refusal;
use uuid::Uuid;

/// A message that moved, with what belongs to it.
#[derive(Debug, Clone, FromRow)]
pub struct Moved {
    /// How far it is.
    pub status: String,
    /// `sms` or `email`.
    pub channel: String,
    /// Why it was sent.
    pub purpose: String,
    /// Where it went.
    pub to_address: String,
    /// Through whom.
    pub provider: Option<String>,
    /// When the provider took it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
    /// Whether it stands in for another one.
    pub is_fallback: bool,
    /// Its subject and text, with merge tags.
    pub subject: Option<String>,
    /// Likewise.
    pub body_template: String,
    /// The campaign.
    pub campaign_id: Option<Uuid>,
    /// Who earned the card.
    pub recipient_id: Option<Uuid>,
    /// The same person among the contacts.
    pub contact_id: Option<Uuid>,
    /// The card.
    pub gift_card_id: Uuid,
    /// The card's pool.
    pub pool_id: Uuid,
    /// An address by the other channel, given together with this one.
    pub other_way: Option<String>,
    /// Whether the card was retired.
    pub revoked: bool,
    /// Why it failed.
    pub last_error_code: Option<String>,
    /// Why the person may not be written to there, as things stand.
    pub refusal: Option<String>,
}

/// A condition's row, locked.
#[derive(Debug, Clone, FromRow)]
pub struct Condition {
    /// Its id.
    pub id: Uuid,
    /// `pending`, `sent`, `delivered` or `failed`.
    pub delivery_status: Option<String>,
}

/// The other way to reach somebody.
#[derive(Debug, Clone, FromRow)]
pub struct OtherWay {
    /// Their number.
    pub phone: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// The campaign's words for an SMS.
    pub sms_template: Option<String>,
    /// The campaign's subject of an e-mail.
    pub email_subject: Option<String>,
    /// The campaign's words for an e-mail.
    pub email_template: Option<String>,
}

/// A message whose card is not as far as it.
#[derive(Debug, Clone, FromRow)]
pub struct Behind {
    /// Whose it is.
    pub client_id: Uuid,
    /// The message.
    pub id: Uuid,
    /// How far it is.
    pub status: String,
}

/// A pool where somebody waits for a card.
#[derive(Debug, Clone, FromRow)]
pub struct Waiting {
    /// Whose pool it is.
    pub client_id: Uuid,
    /// The pool.
    pub pool_id: Uuid,
}

database::statement! {
    /// A message that moved, with what belongs to it.
    MOVED, app, "
        select m.status, m.channel, m.purpose, m.to_address, m.provider, m.sent_at, m.delivered_at,
          m.fallback_of_id is not null as is_fallback, m.subject, m.body_template, m.campaign_id, m.recipient_id,
          m.contact_id, g.id as gift_card_id, g.pool_id, g.revoked_at is not null as revoked,
          m.merge ->> $3 as other_way, m.last_error_code,
          case when m.last_error_code = $4
            then app.contact_refusal(m.client_id, m.contact_id, m.channel, m.to_address) end as refusal
        from messages m
        join gift_cards g on g.client_id = m.client_id and g.id = m.gift_card_id
        where m.client_id = $1
          and m.id = $2";
    /// The condition that earned a card.
    CONDITION, app, "
        select id, delivery_status
        from call_conditions_met
        where client_id = $1
          and gift_card_id = $2
        for no key update";
    /// How far a card is: as far as the furthest of its messages.
    FURTHEST, app, "
        select app.reward_status(array_agg(status))
        from messages
        where client_id = $1
          and gift_card_id = $2";
    /// Messages of cards whose condition is not as far as the furthest of them; one that was delivered is at the end.
    BEHIND, worker, "
        select s.client_id, s.id, s.status
        from (
          select client_id, gift_card_id, app.reward_status(array_agg(status)) as furthest
          from messages
          where gift_card_id is not null
          group by client_id, gift_card_id
        ) f
        join call_conditions_met m on m.client_id = f.client_id and m.gift_card_id = f.gift_card_id
        join messages s on s.client_id = f.client_id and s.gift_card_id = f.gift_card_id
        where m.delivery_status <> 'delivered'
          and m.delivery_status <> f.furthest
        limit 500";
    /// Moves a condition's delivery on.
    SET_DELIVERY, app, "
        update call_conditions_met
        set delivery_status = $3
        where client_id = $1
          and id = $2";
    /// The credits of a card that could not be delivered at all come back, once. Not of one that a page showed or somebody
    /// read out, nor of one that stands in for a card that its person had.
    REFUND, app, "
        with undelivered as (
          update call_conditions_met m
          set refunded_at = $3
          where client_id = $1
            and id = $2
            and refunded_at is null
            and price_credits > 0
            and last_shown_at is null
            and not exists (
              select
              from gift_cards g
              where g.client_id = m.client_id
                and g.id = m.gift_card_id
                and g.revealed_at is not null
            )
            and not app.may_have_seen_one(m.client_id, m.gift_card_id)
          returning campaign_id, recipient_id, gift_card_id, price_credits
        )
        insert into credit_ledger (id, client_id, amount, reason, campaign_id, recipient_id, gift_card_id, note, created_at)
        select $4, $1, price_credits, 'refund', campaign_id, recipient_id, gift_card_id, 'The card could not be delivered', $3
        from undelivered";
    /// A card that nobody can have seen goes back to stock, with its credits; whether it did.
    TAKE_BACK, app, "
        select app.take_back_unseen($1, $2, $3, $4, $5)";
    /// Charges a card again whose credits came back; false when the free ones do not cover it.
    CHARGE_AGAIN, app, "
        select app.charge_again($1, $2, $3, $4)";
    /// The other way to reach somebody: what is on file, not what only a stranger gave.
    OTHER_WAY, app, "
        select (app.on_file(c.unconfirmed, c.mobile_phone, c.phone, r.phone))[1] as phone,
          (app.on_file(c.unconfirmed, c.email, r.email))[1] as email,
          rc.sms_template, rc.email_subject, rc.email_template
        from recipients r
        left join contacts c on c.client_id = r.client_id and c.id = r.contact_id
        left join call_conditions_met m on m.client_id = r.client_id and m.gift_card_id = $3
        left join campaign_reward_configs rc
          on rc.client_id = r.client_id and rc.campaign_id = r.campaign_id and rc.condition_number = m.condition_number
        where r.client_id = $1
          and r.id = $2";
    /// Pools where somebody waits, behind a given one.
    WAITING, worker, "
        select distinct gift_card_pool_id as pool_id, client_id
        from call_conditions_met
        where gift_card_id is null
          and delivery_status = 'pending'
          and delivery_address is not null
          and gift_card_pool_id > $1
        order by gift_card_pool_id
        limit 500";
    /// Pools of a client where somebody waits.
    WAITING_OF, app, "
        select distinct gift_card_pool_id as pool_id, client_id
        from call_conditions_met
        where client_id = $1
          and gift_card_id is null
          and delivery_status = 'pending'
          and delivery_address is not null
          and gift_card_pool_id is not null";
    /// Gives cards to those who wait, first met first.
    FULFIL, app, "
        select outcome, condition_id, recipient_id, gift_card_id, message_id, delivery_status, pool_id, available_cards
        from app.fulfil_pending($1, $2, $3, $4)"
}

pub(crate) async fn behind(scope: &database::Scope<'_>) -> Result<Vec<Behind>> {
    scope.query(&BEHIND, &[]).await
}

pub(crate) async fn moved(tx: &Transaction, client_id: Uuid, message_id: Uuid) -> Result<Option<Moved>> {
    tx.query_opt(&MOVED, &[&client_id, &message_id, &crate::address::OTHER_WAY, &Refusal::CODE]).await
}

pub(crate) async fn condition(tx: &Transaction, client_id: Uuid, card_id: Uuid) -> Result<Option<Condition>> {
    tx.query_opt(&CONDITION, &[&client_id, &card_id]).await
}

pub(crate) async fn furthest(tx: &Transaction, client_id: Uuid, card_id: Uuid) -> Result<String> {
    tx.query_scalar(&FURTHEST, &[&client_id, &card_id]).await
}

pub(crate) async fn set_delivery(tx: &Transaction, client_id: Uuid, condition_id: Uuid, status: &str) -> Result<()> {
    tx.execute(&SET_DELIVERY, &[&client_id, &condition_id, &status]).await.map(|_| ())
}

/// Gives back what a card cost that could not be delivered at all; false when nothing was to be given back.
pub(crate) async fn refund(tx: &Transaction, client_id: Uuid, condition_id: Uuid) -> Result<bool> {
    tx.execute(&REFUND, &[&client_id, &condition_id, &tx.now(), &kernel::new_id()]).await.map(|rows| rows == 1)
}

/// Takes back the card of somebody who may not be written to and has not seen it; false when the code may have been seen.
pub(crate) async fn take_back(tx: &Transaction, client_id: Uuid, card_id: Uuid, refusal: &str) -> Result<bool> {
    tx.query_scalar(&TAKE_BACK, &[&client_id, &card_id, &refusal, &tx.now(), &kernel::new_id()]).await
}

/// Charges a card again whose credits came back; false when the free ones do not cover it, true when nothing came back.
pub(crate) async fn charge_again(tx: &Transaction, client_id: Uuid, card_id: Uuid) -> Result<bool> {
    tx.query_scalar(&CHARGE_AGAIN, &[&client_id, &card_id, &kernel::new_id(), &tx.now()]).await
}

pub(crate) async fn other_way(
    tx: &Transaction,
    client_id: Uuid,
    recipient_id: Uuid,
    card_id: Uuid,
) -> Result<Option<OtherWay>> {
    tx.query_opt(&OTHER_WAY, &[&client_id, &recipient_id, &card_id]).await
}

/// The next pools where somebody waits, in the order of their ids.
pub(crate) async fn waiting(tx: &Transaction, after: Uuid) -> Result<Vec<Waiting>> {
    tx.query(&WAITING, &[&after]).await
}

pub(crate) async fn waiting_of(tx: &Transaction, client_id: Uuid) -> Result<Vec<Waiting>> {
    tx.query(&WAITING_OF, &[&client_id]).await
}

/// Hands out up to `most` cards; answers how many.
pub(crate) async fn fulfil(tx: &Transaction, client_id: Uuid, pool_id: Uuid, most: usize) -> Result<usize> {
    let ids: Vec<Uuid> = std::iter::repeat_with(kernel::new_id).take(most * 4).collect();
    let rows = tx.query::<crate::claim::ClaimRow>(&FULFIL, &[&client_id, &pool_id, &tx.now(), &ids]).await?;
    Ok(rows.len())
}
