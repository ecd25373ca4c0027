//! What a submission earned, read back from the met conditions: the first answer and every repetition show the same.

use chrono::{DateTime, NaiveDate, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::Result;
use kernel::money::Money;
use rust_decimal::Decimal;
use uuid::Uuid;

/// A condition that a submission met, and its card as far as there is one.
#[derive(Debug, Clone, FromRow)]
pub struct Earned {
    /// Where it comes from; absent when nothing is earned.
    pub pool_id: Option<Uuid>,
    /// Where it was sent.
    pub delivery_address: Option<String>,
    /// Why a person has to look first.
    pub hold_reason: Option<String>,
    /// The card; absent while none is there.
    pub card_id: Option<Uuid>,
    /// The sealed code.
    pub card_code: Option<String>,
    /// The sealed PIN.
    pub pin_code: Option<String>,
    /// The number printed on the card.
    pub card_number: Option<String>,
    /// The last day it can be used.
    pub expires_at: Option<NaiveDate>,
    /// Retired meanwhile.
    pub revoked_at: Option<DateTime<Utc>>,
    /// What it is worth.
    pub value_amount: Option<Decimal>,
    /// The brand.
    pub brand_name: Option<String>,
    /// Its logo.
    pub brand_logo_url: Option<String>,
    /// Where the brand lets people redeem.
    pub redemption_url: Option<String>,
}

/// What a campaign's form earns, as its landing page may promise it.
#[derive(Debug, Clone, FromRow)]
pub struct Offer {
    /// What it is worth.
    pub value_amount: Decimal,
    /// The brand.
    pub brand_name: String,
}

impl Offer {
    /// What it is worth, as people write it.
    pub fn amount(&self) -> Option<String> {
        Money::from_decimal(self.value_amount).map(|money| money.to_string())
    }
}

database::statement! {
    /// What a recipient's submission met: the conditions carry the very time of its transaction; without a time, what
    /// any of them met. Not a card that was
    /// retired, nor one that was issued instead of another: that one went to whom staff sent it, and the page may be
    /// in other hands.
    EARNED, app, "
        select m.gift_card_pool_id as pool_id, m.delivery_address, m.hold_reason, g.id as card_id, g.card_code, g.pin_code, g.card_number,
            g.expires_at, g.revoked_at, p.value_amount, b.brand_name, b.brand_logo_url,
            b.redemption_url
        from call_conditions_met m
        left join gift_cards g on g.client_id = m.client_id and g.id = m.gift_card_id
        left join gift_card_pools p on p.client_id = m.client_id and p.id = m.gift_card_pool_id
        left join gift_card_brands b on b.id = p.brand_id
        where m.client_id = $1
          and m.recipient_id = $2
          and m.trigger_type = 'form_submit'
          and ($3::timestamptz is null or m.met_at = $3)
          and g.revoked_at is null
          and not exists (
            select
            from gift_cards old
            where old.replaced_by_id = g.id
              and old.client_id = g.client_id)
        order by m.condition_number";
    /// Cards that a page showed and no message brings have arrived; those whose credits came back are charged again.
    SHOW_CARDS, app, "
        select app.show_cards($1, $2, $3, $4)";
    /// Notes that cards were shown on the recipient's page.
    NOTE_SHOWN, app, "
        update call_conditions_met
        set last_shown_at = $4
        where client_id = $1
          and recipient_id = $2
          and gift_card_id = any ($3)";
    /// Whether a recipient's earlier submission, or what it earned, carries this e-mail address or phone.
    GAVE_BEFORE, app, "
        select exists (
            select
            from call_conditions_met m
            where m.client_id = $1
              and m.recipient_id = $2
              and m.trigger_type = 'form_submit'
              and m.delivery_address = any ($3))
          or exists (
            select
            from ace_form_submissions s
            cross join lateral jsonb_each_text(s.submission_data) as answer (field, value)
            where s.client_id = $1
              and s.recipient_id = $2
              and s.submitted_at < $4
              and answer.value = any ($3)
              and exists (
                select
                from call_conditions_met m
                where m.client_id = s.client_id
                  and m.recipient_id = s.recipient_id
                  and m.met_at = s.submitted_at))";
    /// Where a card went that was issued instead of one that a recipient's submission earned.
    REPLACED, app, "
        select m.delivery_address
        from call_conditions_met m
        join gift_cards g on g.client_id = m.client_id and g.id = m.gift_card_id
        join gift_cards old on old.client_id = g.client_id and old.replaced_by_id = g.id
        where m.client_id = $1
          and m.recipient_id = $2
          and m.trigger_type = 'form_submit'
          and m.met_at = $3
          and g.revoked_at is null
        order by m.condition_number
        limit 1";
    /// The reward of a campaign's first condition that a form meets.
    OFFER, public, "
        select p.value_amount, b.brand_name
        from campaign_conditions cc
        join campaign_reward_configs w
          on w.client_id = cc.client_id
          and w.campaign_id = cc.campaign_id
          and w.condition_number = cc.condition_number
        join gift_card_pools p on p.client_id = w.client_id and p.id = w.gift_card_pool_id
        join gift_card_brands b on b.id = p.brand_id
        where cc.client_id = $1
          and cc.campaign_id = $2
          and cc.trigger_type = 'form_submit'
          and cc.is_active
        order by cc.condition_number
        limit 1";
    /// Where a reward that forms earned earlier was sent.
    SENT_TO, app, "
        select m.delivery_address
        from call_conditions_met m
        where m.client_id = $1
          and m.recipient_id = $2
          and m.trigger_type = 'form_submit'
          and m.gift_card_pool_id is not null
        order by m.met_at, m.id
        limit 1"
}

/// What a campaign's form earns.
///
/// # Errors
/// What the database answered.
pub async fn offer(scope: &Scope<'_>, client_id: Uuid, campaign_id: Uuid) -> Result<Option<Offer>> {
    scope.query_opt(&OFFER, &[&client_id, &campaign_id]).await
}

/// Notes that these cards were shown on the recipient's page now; those that no message brings have arrived with it.
///
/// # Errors
/// What the database answered.
pub async fn note_shown(tx: &Transaction, client_id: Uuid, recipient_id: Uuid, card_ids: &[Uuid]) -> Result<()> {
    tx.execute(&SHOW_CARDS, &[&client_id, &recipient_id, &card_ids, &tx.now()]).await?;
    tx.execute(&NOTE_SHOWN, &[&client_id, &recipient_id, &card_ids, &tx.now()]).await.map(|_| ())
}

/// Whether one of these addresses was given with the submission that earned a recipient's card, or is where it went.
///
/// # Errors
/// What the database answered.
pub async fn gave_before(tx: &Transaction, client_id: Uuid, recipient_id: Uuid, given: &[&str]) -> Result<bool> {
    tx.query_scalar(&GAVE_BEFORE, &[&client_id, &recipient_id, &given, &tx.now()]).await
}

/// What the submission of that time met, or all of them, but for cards that were retired or replaced since.
///
/// # Errors
/// What the database answered.
pub async fn earned(
    tx: &Transaction,
    client_id: Uuid,
    recipient_id: Uuid,
    at: Option<DateTime<Utc>>,
) -> Result<Vec<Earned>> {
    tx.query(&EARNED, &[&client_id, &recipient_id, &at]).await
}

#[derive(FromRow)]
struct SentTo {
    delivery_address: Option<String>,
}

/// Where a card went that was issued instead of one of that submission's; `None` when there was none, the address may
/// be unknown.
///
/// # Errors
/// What the database answered.
pub async fn replaced(
    tx: &Transaction,
    client_id: Uuid,
    recipient_id: Uuid,
    at: DateTime<Utc>,
) -> Result<Option<Option<String>>> {
    let row: Option<SentTo> = tx.query_opt(&REPLACED, &[&client_id, &recipient_id, &at]).await?;
    Ok(row.map(|row| row.delivery_address))
}

/// Where an earlier reward was sent; `None` when there was none, the address may be unknown.
///
/// # Errors
/// What the database answered.
pub async fn sent_to(tx: &Transaction, client_id: Uuid, recipient_id: Uuid) -> Result<Option<Option<String>>> {
    let row: Option<SentTo> = tx.query_opt(&SENT_TO, &[&client_id, &recipient_id]).await?;
    Ok(row.map(|row| row.delivery_address))
}
