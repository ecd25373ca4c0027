//! Pools and their counters.

use chrono::{DateTime, NaiveDate, Utc};
use database::{Filter, FromRow, Scope, Transaction};
use kernel::Result;
use kernel::money::Money;
use kernel::version::Expected;
use uuid::Uuid;

use crate::pools::Level;

/// A row of `gift_card_pools` with its brand.
#[derive(Debug, Clone, FromRow)]
pub struct Pool {
    /// Its id.
    pub id: Uuid,
    /// Its brand.
    pub brand_id: Uuid,
    /// The brand's name.
    pub brand_name: String,
    /// Its name, unique in the client.
    pub pool_name: String,
    /// What each card is worth.
    pub value_amount: Money,
    /// All cards ever put in.
    pub total_cards: i32,
    /// Cards to be handed out.
    pub available_cards: i32,
    /// Of those, promised to launched campaigns.
    pub reserved_cards: i32,
    /// Cards that reached somebody.
    pub delivered_cards: i32,
    /// Since when nothing new comes in.
    pub archived_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed; its cards count.
    pub updated_at: DateTime<Utc>,
}

impl Pool {
    /// How full it is.
    pub fn level(&self) -> Level {
        Level::of(self.available_cards, self.total_cards)
    }

    /// Cards that are promised to nobody.
    pub fn unreserved(&self) -> i32 {
        self.available_cards - self.reserved_cards
    }
}

/// What an upload must know of its pool.
#[derive(Debug, Clone, FromRow)]
pub struct Target {
    /// Whose pool it is; none: a master pool.
    pub client_id: Option<Uuid>,
    /// Its brand.
    pub brand_id: Uuid,
    /// The brand's name.
    pub brand_name: String,
    /// The day it is for the client.
    pub today: NaiveDate,
    /// What each card is worth.
    pub value_amount: Money,
    /// What a code must look like.
    pub code_pattern: Option<String>,
    /// What a PIN must look like.
    pub pin_pattern: Option<String>,
    /// Whether nothing comes into it any more.
    pub is_archived: bool,
}

/// Cards promised to one campaign.
#[derive(Debug, Clone, FromRow)]
pub struct Reservation {
    /// The campaign's name.
    pub campaign_name: String,
    /// The campaign's word in addresses.
    pub campaign_slug: String,
    /// Still promised.
    pub reserved: i32,
    /// Taken.
    pub claimed: i32,
}

/// What speaks against archiving a pool.
#[derive(Debug, Clone, FromRow)]
pub struct InUse {
    /// Cards promised to campaigns.
    pub reserved: i32,
    /// Rewards that wait for a card of it.
    pub waiting: i64,
    /// The names of campaigns under way whose rewards come from it.
    pub campaigns: Option<String>,
}

/// A pool with cards whose last day is over.
#[derive(Debug, Clone, FromRow)]
pub struct Overdue {
    /// The pool.
    pub id: Uuid,
    /// Whose it is; nobody's for a master pool.
    pub client_id: Option<Uuid>,
}

database::statement! {
    /// One pool.
    FIND, app, "
        select p.id, p.brand_id, b.brand_name, p.pool_name, p.value_amount, p.total_cards, p.available_cards,
          p.reserved_cards, p.delivered_cards, p.archived_at, p.created_at, p.updated_at
        from gift_card_pools p
        join gift_card_brands b on b.id = p.brand_id
        where p.client_id = $1
          and p.id = $2";
    /// What an upload must know; row-level security leaves out what is not within reach.
    TARGET, app, "
        select p.client_id, p.brand_id, b.brand_name, app.client_day(p.client_id, $2) as today, p.value_amount,
          b.code_pattern, b.pin_pattern, p.archived_at is not null as is_archived
        from gift_card_pools p
        join gift_card_brands b on b.id = p.brand_id
        where p.id = $1";
    /// A new pool.
    INSERT, app, "
        insert into gift_card_pools (id, client_id, brand_id, pool_name, value_amount, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6)";
    /// The version of a pool, held until the transaction ends.
    LOCK_VERSION, app, "
        select updated_at
        from gift_card_pools
        where client_id = $1
          and id = $2
        for update";
    /// Another name.
    RENAME, app, "
        update gift_card_pools
        set pool_name = $3, updated_at = $4
        where client_id = $1
          and id = $2
          and archived_at is null";
    /// Nothing new comes in; what is in it stays.
    ARCHIVE, app, "
        update gift_card_pools
        set archived_at = $3, updated_at = $3
        where client_id = $1
          and id = $2
          and archived_at is null";
    /// What speaks against archiving a pool.
    USE, app, "
        select p.reserved_cards as reserved,
          (
            select count(*)
            from call_conditions_met m
            where m.client_id = p.client_id
              and m.gift_card_pool_id = p.id
              and m.gift_card_id is null
              and m.delivery_status = 'pending') as waiting,
          (
            select string_agg(distinct c.name, ', ')
            from campaign_reward_configs w
            join campaigns c on c.client_id = w.client_id and c.id = w.campaign_id
            where w.client_id = p.client_id
              and w.gift_card_pool_id = p.id
              and c.status in ('ready', 'in_production', 'mailed', 'active')) as campaigns
        from gift_card_pools p
        where p.client_id = $1
          and p.id = $2";
    /// One's turn at a pool, as every claim takes it.
    QUEUE, app, "
        select app.queue_for_pool($1)";
    /// The lock on a pool's cards, reservations and counters.
    LOCK, app, "
        select id
        from gift_card_pools
        where id = $1
        for no key update";
    /// It takes cards and is chosen again.
    RESTORE, app, "
        update gift_card_pools
        set archived_at = null, updated_at = $3
        where client_id = $1
          and id = $2
          and archived_at is not null";
    /// Cards came in; not into a pool that was archived while they were read.
    ADD, app, "
        update gift_card_pools
        set total_cards = total_cards + $2, available_cards = available_cards + $2, updated_at = $3
        where id = $1
          and archived_at is null";
    /// Campaigns whose promises were cut get the new cards promised first.
    MEND, app, "
        select app.mend_promises($1, $2)";
    /// A card reached somebody.
    ADD_DELIVERED, app, "
        update gift_card_pools
        set delivered_cards = delivered_cards + 1, updated_at = $2
        where id = $1";
    /// An available card was retired; whether that broke a promise.
    TAKE_OFF, app, "
        select app.take_off_shelf($1, $2)";
    /// Cards promised to campaigns.
    RESERVATIONS, app, "
        select c.name as campaign_name, c.slug as campaign_slug, r.reserved, r.claimed
        from campaign_reservations r
        join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
        where r.client_id = $1
          and r.pool_id = $2
        order by r.created_at desc, r.campaign_id desc
        limit 100";
    /// Pools with cards whose last day is over, behind a given one.
    OVERDUE, worker, "
        select distinct g.pool_id as id, g.client_id
        from gift_cards g
        left join clients c on c.id = g.client_id
        where g.status = 'available'
          and g.expires_at < ($1::timestamptz at time zone coalesce(c.time_zone, 'UTC'))::date
          and g.pool_id > $2
        order by g.pool_id
        limit 200";
    /// Takes the cards whose last day is over off the shelf of a locked pool.
    SWEEP, app, "
        select app.sweep_expired($1, $2)"
}

/// A page of a client's pools by name; archived ones come only when asked for.
///
/// # Errors
/// What the database answered.
pub async fn list(
    scope: &Scope<'_>,
    client_id: Uuid,
    (search, archived): (Option<String>, bool),
    after: Option<(String, Uuid)>,
    limit: i64,
) -> Result<Vec<Pool>> {
    let pattern = search.as_deref().map(database::containing);
    let (after_name, after_id) = after.unzip();
    let more = limit + 1;
    let mut filter = Filter::new(
        "pools list",
        "select p.id, p.brand_id, b.brand_name, p.pool_name, p.value_amount, p.total_cards, p.available_cards,
          p.reserved_cards, p.delivered_cards, p.archived_at, p.created_at, p.updated_at
        from gift_card_pools p
        join gift_card_brands b on b.id = p.brand_id",
    )
    .bind("where p.client_id =", &client_id)
    .bind_some("and p.pool_name ilike", pattern.as_ref())
    .push(if archived { "and p.archived_at is not null" } else { "and p.archived_at is null" });
    if let (Some(name), Some(id)) = (&after_name, &after_id) {
        filter = filter.bind("and (p.pool_name, p.id) > (", name).bind(",", id).push(")");
    }
    scope.query_filter(&filter.bind("order by p.pool_name, p.id limit", &more)).await
}

/// One pool.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Pool> {
    scope.query_one(&FIND, &[&client_id, &id]).await
}

/// What an upload must know of its pool.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn target(scope: &Scope<'_>, id: Uuid, now: DateTime<Utc>) -> Result<Target> {
    scope.query_one(&TARGET, &[&id, &now]).await
}

/// Cards promised to campaigns.
///
/// # Errors
/// What the database answered.
pub async fn reservations(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Vec<Reservation>> {
    scope.query(&RESERVATIONS, &[&client_id, &id]).await
}

/// Waits for one's turn and locks the pool: whoever changes its cards or counters comes through here.
pub(crate) async fn lock(tx: &Transaction, id: Uuid) -> Result<()> {
    tx.execute(&QUEUE, &[&id]).await?;
    tx.execute(&LOCK, &[&id]).await.map(|_| ())
}

pub(crate) async fn insert(
    tx: &Transaction,
    client_id: Uuid,
    id: Uuid,
    (brand_id, name, value): (Uuid, &str, Money),
) -> Result<()> {
    let done = tx.execute(&INSERT, &[&id, &client_id, &brand_id, &name, &value, &tx.now()]).await;
    done.map(|_| ()).map_err(name_taken)
}

pub(crate) async fn rename(tx: &Transaction, client_id: Uuid, id: Uuid, name: &str) -> Result<bool> {
    tx.execute(&RENAME, &[&client_id, &id, &name, &tx.now()]).await.map(|rows| rows == 1).map_err(name_taken)
}

/// What speaks against archiving a pool; it is locked.
pub(crate) async fn in_use(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<InUse> {
    tx.query_one(&USE, &[&client_id, &id]).await
}

/// Holds a pool that is about to change, and tells how it is; refuses a change that is meant for another version.
pub(crate) async fn expect(tx: &Transaction, client_id: Uuid, id: Uuid, expected: &Expected) -> Result<Pool> {
    tx.expect(&LOCK_VERSION, &[&client_id, &id], expected).await?;
    tx.query_one(&FIND, &[&client_id, &id]).await
}

pub(crate) async fn archive(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<bool> {
    tx.execute(&ARCHIVE, &[&client_id, &id, &tx.now()]).await.map(|rows| rows == 1)
}

/// Brings an archived pool back; false when it is not archived.
pub(crate) async fn restore(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<bool> {
    tx.execute(&RESTORE, &[&client_id, &id, &tx.now()]).await.map(|rows| rows == 1).map_err(name_taken)
}

/// Counts new cards of a locked pool; false when it was archived meanwhile.
pub(crate) async fn add(tx: &Transaction, id: Uuid, cards: i32) -> Result<bool> {
    tx.execute(&ADD, &[&id, &cards, &tx.now()]).await.map(|rows| rows == 1)
}

/// Promises free cards of a locked pool to the campaigns whose promise was cut.
pub(crate) async fn mend_promises(tx: &Transaction, id: Uuid) -> Result<()> {
    tx.execute(&MEND, &[&id, &tx.now()]).await.map(|_| ())
}

pub(crate) async fn add_delivered(tx: &Transaction, id: Uuid) -> Result<()> {
    tx.execute(&ADD_DELIVERED, &[&id, &tx.now()]).await.map(|_| ())
}

/// Takes one retired card off the shelf of a locked pool; answers whether that broke a promise.
pub(crate) async fn take_off(tx: &Transaction, id: Uuid) -> Result<bool> {
    tx.query_scalar(&TAKE_OFF, &[&id, &tx.now()]).await
}

/// The next pools with cards whose last day is over, in the order of their ids.
pub(crate) async fn overdue(scope: &Scope<'_>, now: DateTime<Utc>, after: Uuid) -> Result<Vec<Overdue>> {
    scope.query(&OVERDUE, &[&now, &after]).await
}

/// Takes the cards whose last day is over off the shelf of a locked pool.
///
/// # Errors
/// What the database answered.
pub async fn sweep(tx: &Transaction, id: Uuid) -> Result<()> {
    tx.execute(&SWEEP, &[&id, &tx.now()]).await.map(|_| ())
}

fn name_taken(error: kernel::Error) -> kernel::Error {
    error.on_constraint("gift_card_pools_owner_key_pool_name_key", "pool_name", "taken", "another pool has this name")
}
