//! What somebody should look at. One open alert per kind and subject.

use chrono::{DateTime, NaiveDate, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::{Result, new_id};
use serde_json::Value;
use uuid::Uuid;

use crate::actions::alerts::Seen;

/// An open alert.
#[derive(Debug, Clone, FromRow)]
pub struct Alert {
    /// Its id.
    pub id: Uuid,
    /// `pool_empty`, `pool_low`, `cards_expiring`, `promise_cut`, `no_credits`, `address_missing`, `delivery_failed`, …
    pub kind: String,
    /// The pool, the condition row, the message, the recipient.
    pub subject_id: Uuid,
    /// A sentence for people.
    pub message: String,
    /// What belongs to the kind.
    pub data: Value,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

database::statement! {
    /// A client's open alerts.
    OPEN, app, "
        select id, kind, subject_id, message, data, created_at
        from alerts
        where client_id = $1
          and resolved_at is null
        order by created_at desc, id desc
        limit $2";
    /// The open alerts about one thing. That people wait at an empty pool says that it is low.
    ABOUT, app, "
        select a.id, a.kind, a.subject_id, a.message, a.data, a.created_at
        from alerts a
        where a.client_id = $1
          and a.subject_id = $2
          and a.resolved_at is null
          and not (
            a.kind = 'pool_low'
            and exists (
              select
              from alerts e
              where e.client_id = a.client_id
                and e.kind = 'pool_empty'
                and e.subject_id = a.subject_id
                and e.resolved_at is null
            )
          )
        order by created_at desc, id desc
        limit 20";
    /// Somebody should look, unless they were told already.
    RAISE, app | worker, "
        insert into alerts (id, client_id, kind, subject_id, message, data, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (client_id, kind, subject_id) where resolved_at is null do nothing";
    /// It is settled.
    RESOLVE, app, "
        update alerts
        set resolved_at = $4
        where client_id = $1
          and kind = $2
          and subject_id = $3
          and resolved_at is null";
    /// Somebody has seen those of a kind up to $4, about one thing or about all.
    ACKNOWLEDGE, app, "
        update alerts
        set acknowledged_at = $5, acknowledged_by_user_id = $6
        where client_id = $1
          and kind = $2
          and ($3::uuid is null or subject_id = $3)
          and created_at <= $4
          and resolved_at is null
          and acknowledged_at is null";
    /// Settles alerts of pools that are not low any more, or lower; answers those to be raised. An archived pool, and
    /// one that never had a card, is not low.
    WATCH_STOCK, worker, "
        with pools as (
          select id, client_id, pool_name, available_cards, total_cards,
            case
              when archived_at is not null or total_cards = 0 or available_cards * 5::bigint > total_cards then null
              when available_cards * 10::bigint > total_cards then 20
              when available_cards = 0 then 0
              else 10
            end as percent
          from gift_card_pools
          where client_id is not null
        ), settled as (
          update alerts a
          set resolved_at = $1
          from pools p
          where a.client_id = p.client_id
            and a.kind = 'pool_low'
            and a.subject_id = p.id
            and a.resolved_at is null
            and (p.percent is null or (a.data ->> 'percent')::integer <> p.percent)
          returning a.subject_id
        )
        select p.id, p.client_id, p.pool_name, p.available_cards, p.percent
        from pools p
        where p.percent is not null
          and not exists (
            select
            from alerts a
            where a.client_id = p.client_id
              and a.kind = 'pool_low'
              and a.subject_id = p.id
              and a.resolved_at is null
              and (a.data ->> 'percent')::integer = p.percent
          )";
    /// The same for cards whose last day comes within so many days, by the day it is where the client is.
    WATCH_EXPIRING, worker, "
        with pools as materialized (
          select p.id, p.client_id, p.pool_name, app.client_day(p.client_id, $1) as today
          from gift_card_pools p
          where p.client_id is not null
            and p.archived_at is null
        ), soon as (
          select p.id, p.client_id, p.pool_name, count(*) as cards, min(g.expires_at) as first_day
          from pools p
          join gift_cards g on g.client_id = p.client_id and g.pool_id = p.id
          where g.status = 'available'
            and g.expires_at between p.today and p.today + $2::int4
          group by p.id, p.client_id, p.pool_name
        ), settled as (
          update alerts a
          set resolved_at = $1
          where a.kind = 'cards_expiring'
            and a.resolved_at is null
            and not exists (
              select
              from soon s
              where s.id = a.subject_id
                and s.first_day::text = a.data ->> 'first_day'
            )
          returning a.subject_id
        )
        select s.id, s.client_id, s.pool_name, s.cards, s.first_day
        from soon s
        where not exists (
          select
          from alerts a
          where a.client_id = s.client_id
            and a.kind = 'cards_expiring'
            and a.subject_id = s.id
            and a.resolved_at is null
            and s.first_day::text = a.data ->> 'first_day'
        )";
    /// The same for pools that cannot give the campaigns under way what they were promised at launch: cards that
    /// expired took promises along, and nothing free is left to make up for it.
    WATCH_PROMISES, worker, "
        with broken as (
          select r.client_id, r.pool_id,
            sum(greatest(w.rewards * (c.estimate ->> 'cards_per_reward')::bigint - r.claimed - r.reserved, 0)) as cards
          from campaign_reservations r
          join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
          cross join lateral (
            select count(*) as rewards
            from campaign_reward_configs w
            join campaign_conditions k
              on k.client_id = w.client_id
              and k.campaign_id = w.campaign_id
              and k.condition_number = w.condition_number
            where w.client_id = r.client_id
              and w.campaign_id = r.campaign_id
              and w.gift_card_pool_id = r.pool_id
              and k.is_active
          ) w
          where c.status in ('ready', 'in_production', 'mailed', 'active')
          group by r.client_id, r.pool_id
        ), short as (
          select p.id, p.client_id, p.pool_name, (b.cards - (p.available_cards - p.reserved_cards))::bigint as cards
          from broken b
          join gift_card_pools p on p.client_id = b.client_id and p.id = b.pool_id
          where b.cards > p.available_cards - p.reserved_cards
        ), settled as (
          update alerts a
          set resolved_at = $1
          where a.kind = 'promise_cut'
            and a.resolved_at is null
            and not exists (
              select
              from short s
              where s.id = a.subject_id
                and s.cards <= (a.data ->> 'cards')::bigint
            )
          returning a.subject_id
        )
        select s.id, s.client_id, s.pool_name, s.cards
        from short s
        where not exists (
          select
          from alerts a
          where a.client_id = s.client_id
            and a.kind = 'promise_cut'
            and a.subject_id = s.id
            and a.resolved_at is null
            and s.cards <= (a.data ->> 'cards')::bigint
        )"
}

/// A pool that has just become low.
#[derive(Debug, Clone, FromRow)]
pub struct LowPool {
    /// The pool.
    pub id: Uuid,
    /// Whose it is.
    pub client_id: Uuid,
    /// Its name.
    pub pool_name: String,
    /// Cards left.
    pub available_cards: i32,
    /// At most so many percent are left: 20, 10, or 0.
    pub percent: i32,
}

/// A pool whose cards have just come close to their last day.
#[derive(Debug, Clone, FromRow)]
pub struct ExpiringPool {
    /// The pool.
    pub id: Uuid,
    /// Whose it is.
    pub client_id: Uuid,
    /// Its name.
    pub pool_name: String,
    /// Cards in stock that expire.
    pub cards: i64,
    /// The last day of the first of them.
    pub first_day: NaiveDate,
}

/// A pool that has just become unable to keep its promises.
#[derive(Debug, Clone, FromRow)]
pub struct ShortPool {
    /// The pool.
    pub id: Uuid,
    /// Whose it is.
    pub client_id: Uuid,
    /// Its name.
    pub pool_name: String,
    /// Cards that are missing.
    pub cards: i64,
}

/// A client's open alerts, the newest first.
///
/// # Errors
/// What the database answered.
pub async fn open(scope: &Scope<'_>, client_id: Uuid, limit: i64) -> Result<Vec<Alert>> {
    scope.query(&OPEN, &[&client_id, &limit]).await
}

/// The open alerts about one thing.
///
/// # Errors
/// What the database answered.
pub async fn about(scope: &Scope<'_>, client_id: Uuid, subject_id: Uuid) -> Result<Vec<Alert>> {
    scope.query(&ABOUT, &[&client_id, &subject_id]).await
}

/// Tells somebody to look, unless they were told already.
///
/// # Errors
/// What the database answered.
pub async fn raise(
    tx: &Transaction,
    client_id: Uuid,
    (kind, subject_id): (&str, Uuid),
    message: &str,
    data: &Value,
) -> Result<()> {
    let params: database::Params<'_> = &[&new_id(), &client_id, &kind, &subject_id, &message, data, &tx.now()];
    tx.execute(&RAISE, params).await.map(|_| ())
}

/// Settles an alert, if it is open.
///
/// # Errors
/// What the database answered.
pub async fn resolve(tx: &Transaction, client_id: Uuid, kind: &str, subject_id: Uuid) -> Result<()> {
    tx.execute(&RESOLVE, &[&client_id, &kind, &subject_id, &tx.now()]).await.map(|_| ())
}

/// Notes that the actor has seen open alerts; answers how many.
pub(crate) async fn acknowledge(tx: &Transaction, client_id: Uuid, seen: &Seen) -> Result<u64> {
    let who = tx.actor().user_id();
    tx.execute(&ACKNOWLEDGE, &[&client_id, &seen.kind, &seen.subject_id, &seen.until, &tx.now(), &who]).await
}

/// Settles alerts of pools that recovered or sank further; answers those to be raised.
pub(crate) async fn watch_stock(tx: &Transaction) -> Result<Vec<LowPool>> {
    tx.query(&WATCH_STOCK, &[&tx.now()]).await
}

/// Settles alerts of pools without cards that expire within so many days; answers those to be raised.
pub(crate) async fn watch_expiring(tx: &Transaction, days: i32) -> Result<Vec<ExpiringPool>> {
    tx.query(&WATCH_EXPIRING, &[&tx.now(), &days]).await
}

/// Settles alerts of pools that can keep their promises again; answers those to be raised.
pub(crate) async fn watch_promises(tx: &Transaction) -> Result<Vec<ShortPool>> {
    tx.query(&WATCH_PROMISES, &[&tx.now()]).await
}
