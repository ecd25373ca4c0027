//! What somebody should look at. One open alert per kind and subject.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::{Result, new_id};
use serde_json::Value;
use uuid::Uuid;

/// An open alert.
#[derive(Debug, Clone, FromRow)]
pub struct Alert {
    /// Its id.
    pub id: Uuid,
    /// `pool_empty`, `pool_low`, `cards_expiring`, `no_credits`, `address_missing`, `delivery_failed`, …
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
    /// The open alerts about one thing.
    ABOUT, app, "
        select id, kind, subject_id, message, data, created_at
        from alerts
        where client_id = $1
          and subject_id = $2
          and resolved_at is null
        order by created_at desc, id desc
        limit 20";
    /// Somebody should look, unless they were told already.
    RAISE, both, "
        insert into alerts (id, client_id, kind, subject_id, message, data, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (client_id, kind, subject_id) where resolved_at is null do nothing";
    /// It is settled.
    RESOLVE, both, "
        update alerts
        set resolved_at = $4
        where client_id = $1
          and kind = $2
          and subject_id = $3
          and resolved_at is null";
    /// Alerts of every pool that runs low or whose cards soon expire, and none of those that do not any more.
    WATCH_STOCK, system, "
        with pools as (
          select id, client_id, pool_name, available_cards, total_cards,
            case
              when total_cards = 0 or available_cards = 0 or available_cards * 5::bigint > total_cards then null
              when available_cards * 10::bigint > total_cards then 20
              else 10
            end as percent
          from gift_card_pools
          where client_id is not null
            and archived_at is null
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
    /// At most so many percent are left: 20 or 10.
    pub percent: i32,
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

/// Settles alerts of pools that recovered or sank further; answers those to be raised.
pub(crate) async fn watch_stock(tx: &Transaction) -> Result<Vec<LowPool>> {
    tx.query(&WATCH_STOCK, &[&tx.now()]).await
}
