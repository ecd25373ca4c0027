//! Cards promised to campaigns. Always under the pool's lock, together with the pool's counter.

use database::{FromRow, Scope, Transaction};
use kernel::{Result, new_id};
use rewards::actions::stock::fulfil_soon_at;
use rewards::store::pools;
use uuid::Uuid;

database::statement! {
    /// The row of a promise, with what one card of it costs.
    OPEN, app, "
        insert into campaign_reservations (id, client_id, campaign_id, pool_id, price_credits, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6)
        on conflict (campaign_id, pool_id) do update
        set price_credits = excluded.price_credits";
    /// Promises cards of a pool to a campaign, when as many are free and nobody waits for them; no row when they are
    /// not. With them go the credits they cost, as far as there are free ones.
    RESERVE, app, "
        with pool as (
            update gift_card_pools
            set reserved_cards = reserved_cards + $4, updated_at = $5
            where client_id = $1
              and id = $3
              and ($4::int4 = 0
                or available_cards - reserved_cards - (app.those_ahead($1, $3, $2)).free_cards >= $4)
            returning id)
        update campaign_reservations r
        set reserved = r.reserved + $4, updated_at = $5
        from pool
        where r.client_id = $1
          and r.campaign_id = $2
          and r.pool_id = pool.id
        returning r.credits >= r.reserved::int8 * r.price_credits as covered";
    /// The pools a campaign has promises of, in the order locks are taken.
    POOLS, app, "
        select pool_id
        from campaign_reservations
        where client_id = $1
          and campaign_id = $2
        order by pool_id";
    /// Cards still promised to a campaign.
    PROMISED, app, "
        select coalesce(sum(reserved), 0)::int8 as cards
        from campaign_reservations
        where client_id = $1
          and campaign_id = $2";
    /// Gives back what is still promised.
    RELEASE, app, "
        with released as (
            update campaign_reservations r
            set reserved = 0, updated_at = $4
            from (
                select id, reserved
                from campaign_reservations
                where client_id = $1
                  and campaign_id = $2
                  and pool_id = $3
                for no key update) as before
            where r.id = before.id
            returning before.reserved)
        update gift_card_pools p
        set reserved_cards = p.reserved_cards - released.reserved, updated_at = $4
        from released
        where p.client_id = $1
          and p.id = $3"
}

#[derive(FromRow)]
struct PoolRow {
    pool_id: Uuid,
}

#[derive(FromRow)]
struct ReservedRow {
    covered: bool,
}

/// What came of a wish for cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// They are promised, with the credits they cost.
    Done,
    /// Not as many are left beside those for who waits already.
    FewCards,
    /// They are there, and the free credits do not cover them.
    FewCredits,
}

/// Promises `cards` of a pool to a campaign, each at a price in credits. Whoever promises from several pools takes their
/// turns first ([`rewards::take_turns`]), all of them: the credits' lock comes behind every pool's.
///
/// # Errors
/// What the database answered.
pub async fn reserve(
    tx: &Transaction,
    (client_id, campaign_id): (Uuid, Uuid),
    pool_id: Uuid,
    (cards, price): (i32, i32),
) -> Result<Reserved> {
    rewards::turn_at(tx, pool_id).await?;
    // so that none past its last day is promised
    pools::sweep(tx, pool_id).await?;
    tx.execute(&OPEN, &[&new_id(), &client_id, &campaign_id, &pool_id, &price, &tx.now()]).await?;
    let params: database::Params<'_> = &[&client_id, &campaign_id, &pool_id, &cards, &tx.now()];
    Ok(match tx.query_opt::<ReservedRow>(&RESERVE, params).await? {
        None => Reserved::FewCards,
        Some(ReservedRow { covered: true }) => Reserved::Done,
        Some(_) => Reserved::FewCredits,
    })
}

/// Gives back everything still promised to a campaign, and the credits set aside with it. The turns at all pools come
/// first, then what each gives back.
///
/// # Errors
/// What the database answered.
pub async fn release(tx: &Transaction, client_id: Uuid, campaign_id: Uuid) -> Result<()> {
    // A campaign has at most ten rewards, so at most ten pools.
    let pools: Vec<PoolRow> = tx.query(&POOLS, &[&client_id, &campaign_id]).await?;
    for PoolRow { pool_id } in &pools {
        rewards::turn_at(tx, *pool_id).await?;
    }
    for PoolRow { pool_id } in &pools {
        tx.execute(&RELEASE, &[&client_id, &campaign_id, pool_id, &tx.now()]).await?;
    }
    Ok(())
}

/// Asks for those to be served who wait at the pools that a campaign had promises of.
///
/// # Errors
/// What the database answered.
pub async fn serve_who_waits(tx: &Transaction, client_id: Uuid, campaign_id: Uuid) -> Result<()> {
    let pools: Vec<PoolRow> = tx.query(&POOLS, &[&client_id, &campaign_id]).await?;
    fulfil_soon_at(tx, client_id, pools.iter().map(|pool| pool.pool_id)).await
}

/// Cards still promised to a campaign, over all pools.
///
/// # Errors
/// What the database answered.
pub async fn promised(scope: &Scope<'_>, client_id: Uuid, campaign_id: Uuid) -> Result<i64> {
    scope.query_scalar(&PROMISED, &[&client_id, &campaign_id]).await
}
