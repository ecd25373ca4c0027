//! Running campaigns, and how the last thirty days went.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope};
use kernel::Result;
use uuid::Uuid;

/// A campaign under way.
#[derive(Debug, Clone, FromRow)]
pub struct Running {
    /// Its name.
    pub name: String,
    /// The word in its URL.
    pub slug: String,
    /// How far it is.
    pub status: String,
    /// Recipients.
    pub recipients: i64,
    /// Recipients who came.
    pub visited: i64,
    /// Recipients who were given a card.
    pub rewarded: i64,
}

/// Figures of a client over thirty days, and over the thirty before.
#[derive(Debug, Clone, FromRow)]
pub struct Month {
    /// Visits and scans by people.
    pub visits: i64,
    /// The same, thirty days earlier.
    pub visits_before: i64,
    /// Forms submitted.
    pub submissions: i64,
    /// The same, thirty days earlier.
    pub submissions_before: i64,
    /// Cards handed out.
    pub rewards: i64,
    /// The same, thirty days earlier.
    pub rewards_before: i64,
}

/// One day.
#[derive(Debug, Clone, FromRow)]
pub struct Day {
    /// Its beginning.
    pub at: DateTime<Utc>,
    /// Visits and scans by people.
    pub visits: i64,
    /// Forms submitted.
    pub submissions: i64,
    /// Cards handed out.
    pub rewards: i64,
}

database::statement! {
    /// Campaigns under way, the newest first.
    RUNNING, app, "
        select c.name, c.slug, c.status::text as status, p.recipients, p.visited, m.rewarded
        from (
            select id, client_id, name, slug, status, created_at
            from campaigns
            where client_id = $1
              and status in ('ready', 'in_production', 'mailed', 'active')
              and archived_at is null
            order by created_at desc, id desc
            limit 8) as c
        cross join lateral (
            select count(*) as recipients, count(*) filter (where r.total_visits > 0) as visited
            from recipients r
            where r.client_id = c.client_id
              and r.campaign_id = c.id) as p
        cross join lateral (
            select count(distinct x.recipient_id) filter (where x.gift_card_id is not null) as rewarded
            from call_conditions_met x
            where x.client_id = c.client_id
              and x.campaign_id = c.id) as m
        order by c.created_at desc, c.id desc";
    /// Thirty days and the thirty before; $2 is now.
    MONTH, app, "
        with counted as (
            select
                count(*) filter (where recent and visit) as visits,
                count(*) filter (where not recent and visit) as visits_before,
                count(*) filter (where recent and event_type = 'form_submit') as submissions,
                count(*) filter (where not recent and event_type = 'form_submit') as submissions_before,
                count(*) filter (where recent and event_type = 'gift_card_claimed') as rewards,
                count(*) filter (where not recent and event_type = 'gift_card_claimed') as rewards_before
            from (
                select event_type, created_at >= $2::timestamptz - interval '30 days' as recent,
                    event_type in ('purl_visit', 'qr_scan') and not (event_data @> '{\"bot\": true}') as visit
                from events
                where client_id = $1
                  and created_at >= $2::timestamptz - interval '60 days'
                  and created_at <= $2) as e)
        select visits, visits_before, submissions, submissions_before, rewards, rewards_before
        from counted";
    /// The last thirty days, one row each; $3 is the zone that days begin in.
    DAYS, app, "
        with slots as (
            select slot at time zone $3 as at
            from generate_series(
                date_trunc('day', ($2::timestamptz - interval '29 days') at time zone $3),
                date_trunc('day', $2::timestamptz at time zone $3),
                interval '1 day') as slot),
        counted as (
            select date_trunc('day', created_at at time zone $3) at time zone $3 as at,
                count(*) filter (
                    where event_type in ('purl_visit', 'qr_scan')
                      and not (event_data @> '{\"bot\": true}')) as visits,
                count(*) filter (where event_type = 'form_submit') as submissions,
                count(*) filter (where event_type = 'gift_card_claimed') as rewards
            from events
            where client_id = $1
              and created_at >= $2 - interval '31 days'
              and created_at <= $2
            group by 1)
        select slots.at, coalesce(c.visits, 0) as visits, coalesce(c.submissions, 0) as submissions,
            coalesce(c.rewards, 0) as rewards
        from slots
        left join counted c on c.at = slots.at
        order by slots.at"
}

/// Campaigns under way, at most eight.
///
/// # Errors
/// What the database answered.
pub async fn running(scope: &Scope<'_>, client_id: Uuid) -> Result<Vec<Running>> {
    scope.query(&RUNNING, &[&client_id]).await
}

/// Thirty days and the thirty before.
///
/// # Errors
/// What the database answered.
pub async fn month(scope: &Scope<'_>, client_id: Uuid, now: DateTime<Utc>) -> Result<Month> {
    scope.query_one(&MONTH, &[&client_id, &now]).await
}

/// The last thirty days.
///
/// # Errors
/// What the database answered.
pub async fn days(scope: &Scope<'_>, client_id: Uuid, now: DateTime<Utc>, zone: &str) -> Result<Vec<Day>> {
    scope.query(&DAYS, &[&client_id, &now, &zone]).await
}
