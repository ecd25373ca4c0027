//! The pools that a campaign's rewards come from, as they stand.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::Result;
use uuid::Uuid;

/// A pool that rewards of a campaign come from.
#[derive(Debug, Clone, FromRow)]
pub struct PoolStock {
    /// The first condition that it rewards.
    pub condition_number: i32,
    /// Its id.
    pub pool_id: Uuid,
    /// Its name.
    pub pool_name: String,
    /// Cards the campaign can have, as its client sees them: neither promised, nor past their last day, nor for those who wait at the pool.
    pub free_cards: i64,
    /// Rewards of the campaign that come from it.
    pub rewards: i64,
    /// Whether it is archived.
    pub archived: bool,
    /// The cards' brand.
    pub brand_name: String,
    /// Whether the brand is switched on.
    pub brand_active: bool,
    /// Whether a card in stock has a PIN.
    pub with_pin: bool,
    /// Whether a card in stock has a number besides its code.
    pub with_number: bool,
    /// Whether a card in stock has a last day.
    pub with_expiry: bool,
}

database::statement! {
    /// A campaign's pools, in the order of its conditions; there are at most ten.
    LIST, app, "
        select w.condition_number, p.id as pool_id, p.pool_name, w.rewards, p.archived_at is not null as archived, b.brand_name,
            b.is_active as brand_active, coalesce(has.pin, false) as with_pin, coalesce(has.number, false) as with_number,
            coalesce(has.expiry, false) as with_expiry,
            greatest(
                p.available_cards - p.reserved_cards - (app.those_ahead($1, p.id, $2)).free_cards - (
                    select count(*)
                    from gift_cards g
                    where g.pool_id = p.id
                      and g.status = 'available'
                      and coalesce(g.expires_at, 'infinity') < app.client_day($1, $3)),
                0) as free_cards
        from (
            select gift_card_pool_id, min(condition_number) as condition_number, count(*) as rewards
            from campaign_reward_configs
            where client_id = $1
              and campaign_id = $2
            group by gift_card_pool_id) as w
        join gift_card_pools p on p.client_id = $1 and p.id = w.gift_card_pool_id
        join gift_card_brands b on b.id = p.brand_id
        left join lateral (
            select bool_or(g.pin_code is not null) as pin, bool_or(g.card_number is not null) as number,
                bool_or(g.expires_at is not null) as expiry
            from (
                select pin_code, card_number, expires_at
                from gift_cards
                where pool_id = p.id
                  and status = 'available'
                limit 1000) as g) as has on true
        order by w.condition_number"
}

/// A campaign's pools, in the order of its conditions.
///
/// # Errors
/// What the database answered.
pub async fn list(scope: &Scope<'_>, client_id: Uuid, campaign_id: Uuid, now: DateTime<Utc>) -> Result<Vec<PoolStock>> {
    scope.query(&LIST, &[&client_id, &campaign_id, &now]).await
}

/// The same inside a transaction.
///
/// # Errors
/// What the database answered.
pub async fn list_in(tx: &Transaction, client_id: Uuid, campaign_id: Uuid) -> Result<Vec<PoolStock>> {
    tx.query(&LIST, &[&client_id, &campaign_id, &tx.now()]).await
}
