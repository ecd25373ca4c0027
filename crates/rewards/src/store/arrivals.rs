//! Cards that come in.

use std::collections::HashSet;

use chrono::NaiveDate;
use database::{FromRow, Transaction};
use kernel::Result;
use kernel::money::Money;
use uuid::Uuid;

database::statement! {
    /// New cards, live, or in quarantine since $14. Left out of the answer are those whose code the client holds, and, of
    /// live ones, those that anybody holds. A card that was retired unseen holds nothing.
    INSERT_MANY, app, "
        insert into gift_cards (
          id, client_id, pool_id, card_code, pin_code, code_fingerprint, code_last4, card_number, value_amount,
          cost_amount, expires_at, created_at, case_folded, quarantined_at)
        select u.id, $1::uuid, $2, u.card_code, u.pin_code, u.fingerprint, u.last4, u.card_number, $3::numeric,
          u.cost, u.expires_at, $4, $15::boolean, $14::timestamptz
        from unnest(
            $5::uuid[], $6::text[], $7::text[], $8::bytea[], $9::text[], $10::text[], $11::numeric[], $12::date[], $13::bytea[])
          as u (id, card_code, pin_code, fingerprint, last4, card_number, cost, expires_at, folded)
        where not exists (
            select
            from gift_cards g
            where g.owner_key = coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
              and g.code_fingerprint = u.folded
              and g.case_folded
              and g.quarantined_at is null
              and not (g.status = 'expired' and g.recipient_id is null and g.revealed_at is null)
          )
          and not exists (
            select
            from gift_cards g
            where g.owner_key = coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
              and g.code_fingerprint = u.fingerprint
              and g.quarantined_at is not null
              and not (g.status = 'expired' and g.recipient_id is null and g.revealed_at is null)
          )
          and ($14::timestamptz is null or not exists (
            select
            from gift_cards g
            where g.owner_key = coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
              and g.code_fingerprint = u.fingerprint
              and g.quarantined_at is null
              and not (g.status = 'expired' and g.recipient_id is null and g.revealed_at is null)
          ))
        on conflict do nothing
        returning id"
}

/// New cards, column by column as PostgreSQL's `unnest` wants them.
#[derive(Default)]
pub(crate) struct Columns {
    pub(crate) ids: Vec<Uuid>,
    pub(crate) codes: Vec<String>,
    pub(crate) pins: Vec<Option<String>>,
    pub(crate) fingerprints: Vec<Vec<u8>>,
    pub(crate) last4: Vec<String>,
    pub(crate) numbers: Vec<Option<String>>,
    pub(crate) costs: Vec<Option<Money>>,
    pub(crate) expiries: Vec<Option<NaiveDate>>,
    /// The fingerprints of the codes in upper case: cards of a time when case never mattered are found by them.
    pub(crate) folded: Vec<Vec<u8>>,
}

/// How new cards come in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// What each is worth.
    pub(crate) value: Money,
    /// Whether the fingerprints are of codes in upper case.
    pub(crate) case_folded: bool,
    /// Whether another client may hold the code: such a card counts as in stock and is handed out to nobody.
    pub(crate) quarantined: bool,
}

/// Writes new cards; answers the ids of those that were taken.
pub(crate) async fn insert_many(
    tx: &Transaction,
    (client_id, pool_id): (Option<Uuid>, Uuid),
    arrival: Arrival,
    columns: &Columns,
) -> Result<HashSet<Uuid>> {
    #[derive(FromRow)]
    struct Written {
        id: Uuid,
    }
    let quarantined_at = arrival.quarantined.then(|| tx.now());
    let params: database::Params<'_> = &[
        &client_id,
        &pool_id,
        &arrival.value,
        &tx.now(),
        &columns.ids,
        &columns.codes,
        &columns.pins,
        &columns.fingerprints,
        &columns.last4,
        &columns.numbers,
        &columns.costs,
        &columns.expiries,
        &columns.folded,
        &quarantined_at,
        &arrival.case_folded,
    ];
    Ok(tx.query::<Written>(&INSERT_MANY, params).await?.into_iter().map(|row| row.id).collect())
}
