//! How each of several clients is doing.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope};
use kernel::Result;
use uuid::Uuid;

/// How one client is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
pub struct Standing {
    /// Which client.
    pub client_id: Uuid,
    /// Campaigns from `ready` to `active`.
    pub running: i64,
    /// Visits and scans by people in the last thirty days.
    pub visits: i64,
    /// The same, thirty days earlier.
    pub visits_before: i64,
    /// Cards handed out in the last thirty days.
    pub rewards: i64,
    /// The same, thirty days earlier.
    pub rewards_before: i64,
}

database::statement! {
    /// How the clients $1 are doing at $2. The policies leave out who is not within reach.
    STANDINGS, app, "
        select c.id as client_id, r.running, e.visits, e.visits_before, e.rewards, e.rewards_before
        from clients c
        cross join lateral (
            select count(*) as running
            from campaigns x
            where x.client_id = c.id
              and x.status in ('ready', 'in_production', 'mailed', 'active')
              and x.archived_at is null) as r
        cross join lateral (
            select
                count(*) filter (where visit and recent) as visits,
                count(*) filter (where visit and not recent) as visits_before,
                count(*) filter (where not visit and recent) as rewards,
                count(*) filter (where not visit and not recent) as rewards_before
            from (
                select event_type <> 'gift_card_claimed' as visit,
                    created_at >= $2::timestamptz - interval '30 days' as recent
                from events
                where client_id = c.id
                  and created_at >= $2::timestamptz - interval '60 days'
                  and created_at <= $2
                  and (event_type = 'gift_card_claimed'
                    or (event_type in ('purl_visit', 'qr_scan') and not (event_data @> '{\"bot\": true}')))) as happened) as e
        where c.id = any ($1)"
}

/// How the clients with these ids are doing, in no order; those out of reach are missing.
///
/// # Errors
/// What the database answered.
pub async fn standings(scope: &Scope<'_>, client_ids: &[Uuid], now: DateTime<Utc>) -> Result<Vec<Standing>> {
    scope.query(&STANDINGS, &[&client_ids, &now]).await
}
