//! Cards promised to campaigns. Always under the pool's lock, together with the pool's counter.

use database::{FromRow, Scope, Transaction};
use kernel::{Result, new_id};
use rewards::actions::stock::fulfil_job;
use rewards::store::pools;
use uuid::Uuid;

database::statement! {
    /// Waits for one's turn at a pool.
    QUEUE, app, "
        select app.queue_for_pool($1)";
    /// Promises cards of a pool to a campaign, when as many are free and nobody waits for them; no row when they are
    /// not.
    RESERVE, app, "
        with pool as (
            update gift_card_pools
            set reserved_cards = reserved_cards + $5, updated_at = $6
            where client_id = $2
              and id = $4
              and available_cards - reserved_cards - (app.those_ahead($2, $4, $3)).free_cards >= $5::int4
            returning id)
        insert into campaign_reservations (id, client_id, campaign_id, pool_id, reserved, created_at, updated_at)
        select $1, $2, $3, pool.id, $5, $6, $6
        from pool
        on conflict (campaign_id, pool_id) do update
        set reserved = campaign_reservations.reserved + excluded.reserved, updated_at = excluded.updated_at";
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

/// Promises `cards` of a pool to a campaign; false when not as many are left beside those for who waits already.
///
/// # Errors
/// What the database answered.
pub async fn reserve(tx: &Transaction, client_id: Uuid, campaign_id: Uuid, pool_id: Uuid, cards: i32) -> Result<bool> {
    tx.execute(&QUEUE, &[&pool_id]).await?;
    // so that none past its last day is promised
    pools::sweep(tx, pool_id).await?;
    let params: database::Params<'_> = &[&new_id(), &client_id, &campaign_id, &pool_id, &cards, &tx.now()];
    Ok(tx.execute(&RESERVE, params).await? == 1)
}

/// Gives back everything still promised to a campaign; who waits for cards of these pools is served soon.
///
/// # Errors
/// What the database answered.
pub async fn release(tx: &Transaction, client_id: Uuid, campaign_id: Uuid) -> Result<()> {
    // A campaign has at most ten rewards, so at most ten pools.
    let pools: Vec<PoolRow> = tx.query(&POOLS, &[&client_id, &campaign_id]).await?;
    for PoolRow { pool_id } in &pools {
        tx.execute(&QUEUE, &[pool_id]).await?;
        tx.execute(&RELEASE, &[&client_id, &campaign_id, pool_id, &tx.now()]).await?;
    }
    let due: Vec<_> = pools.iter().map(|pool| fulfil_job(client_id, pool.pool_id)).collect();
    jobs::enqueue_many(tx, &due).await.map(|_| ())
}

/// Cards still promised to a campaign, over all pools.
///
/// # Errors
/// What the database answered.
pub async fn promised(scope: &Scope<'_>, client_id: Uuid, campaign_id: Uuid) -> Result<i64> {
    scope.query_scalar(&PROMISED, &[&client_id, &campaign_id]).await
}
