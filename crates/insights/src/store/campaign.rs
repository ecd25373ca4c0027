//! What became of one campaign.

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope};
use kernel::Result;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// The funnel in distinct recipients.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow, Serialize, ToSchema)]
pub struct Funnel {
    /// Recipients whose piece is in the mail.
    pub mailed: i64,
    /// Of those, delivered.
    pub delivered: i64,
    /// Recipients who followed their link or scanned their QR.
    pub visited: i64,
    /// Recipients who submitted a form.
    pub submitted: i64,
    /// Recipients with a confirmed call.
    pub called: i64,
    /// Recipients who were given a card.
    pub rewarded: i64,
}

/// What became of the rewards.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow, Serialize, ToSchema)]
pub struct Deliveries {
    /// Met, the card or the message is still on its way.
    pub pending: i64,
    /// Handed to the provider.
    pub sent: i64,
    /// Arrived.
    pub delivered: i64,
    /// Not to be delivered.
    pub failed: i64,
}

/// One point of the time line.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, ToSchema)]
pub struct Point {
    /// The day or hour it begins with.
    pub at: DateTime<Utc>,
    /// Visits and scans by people.
    pub visits: i64,
    /// Forms submitted.
    pub submissions: i64,
    /// Cards handed out.
    pub rewards: i64,
}

/// One event, as feeds show it.
#[derive(Debug, Clone, FromRow, Serialize, ToSchema)]
pub struct EventRow {
    /// Its id.
    pub id: Uuid,
    /// What kind of event.
    pub event_type: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// The campaign.
    pub campaign_id: Option<Uuid>,
    /// The recipient.
    pub recipient_id: Option<Uuid>,
    /// The recipient's name.
    pub recipient: Option<String>,
    /// What belongs to the type.
    #[schema(value_type = Object)]
    pub event_data: Value,
}

database::statement! {
    /// The funnel of a campaign; only of those whose piece is in the mail.
    FUNNEL, app, "
        with people as (
            select
                count(*) as mailed,
                count(*) filter (where status = 'delivered') as delivered,
                count(*) filter (where total_visits > 0) as visited
            from recipients
            where client_id = $1
              and campaign_id = $2),
        met as (
            select
                count(distinct recipient_id) filter (where trigger_type = 'call') as called,
                count(distinct recipient_id) filter (where gift_card_id is not null) as rewarded
            from call_conditions_met
            where client_id = $1
              and campaign_id = $2),
        forms as (
            select count(distinct recipient_id) as submitted
            from events
            where client_id = $1
              and campaign_id = $2
              and event_type = 'form_submit')
        select
            case when c.status in ('mailed', 'active', 'completed') then people.mailed else 0 end as mailed,
            people.delivered, people.visited, forms.submitted, met.called, met.rewarded
        from campaigns c, people, met, forms
        where c.client_id = $1
          and c.id = $2";
    /// What became of a campaign's rewards.
    DELIVERIES, app, "
        select
            count(*) filter (where delivery_status = 'pending') as pending,
            count(*) filter (where delivery_status = 'sent') as sent,
            count(*) filter (where delivery_status = 'delivered') as delivered,
            count(*) filter (where delivery_status = 'failed') as failed
        from call_conditions_met
        where client_id = $1
          and campaign_id = $2";
    /// Visits, submissions and rewards of a campaign, one row for each `hour` or `day` between two times, zeros
    /// included. $6 is the zone that days begin in.
    TIMELINE, app, "
        with slots as (
            select slot at time zone $6 as at
            from generate_series(
                date_trunc($3, $4::timestamptz at time zone $6),
                date_trunc($3, $5::timestamptz at time zone $6),
                ('1 ' || $3)::interval) as slot),
        counted as (
            select date_trunc($3, created_at at time zone $6) at time zone $6 as at,
                count(*) filter (
                    where event_type in ('purl_visit', 'qr_scan')
                      and not (event_data @> '{\"bot\": true}')) as visits,
                count(*) filter (where event_type = 'form_submit') as submissions,
                count(*) filter (where event_type = 'gift_card_claimed') as rewards
            from events
            where client_id = $1
              and campaign_id = $2
              and created_at >= $4
              and created_at <= $5
            group by 1)
        select slots.at, coalesce(c.visits, 0) as visits, coalesce(c.submissions, 0) as submissions,
            coalesce(c.rewards, 0) as rewards
        from slots
        left join counted c on c.at = slots.at
        order by slots.at
        limit 800"
}

/// The funnel of a campaign.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn funnel(scope: &Scope<'_>, client_id: Uuid, campaign_id: Uuid) -> Result<Funnel> {
    scope.query_one(&FUNNEL, &[&client_id, &campaign_id]).await
}

/// What became of a campaign's rewards.
///
/// # Errors
/// What the database answered.
pub async fn deliveries(scope: &Scope<'_>, client_id: Uuid, campaign_id: Uuid) -> Result<Deliveries> {
    scope.query_one(&DELIVERIES, &[&client_id, &campaign_id]).await
}

/// A stretch of time, cut into hours or days.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// From.
    pub from: DateTime<Utc>,
    /// To, inclusive.
    pub to: DateTime<Utc>,
    /// `hour` or `day`.
    pub step: &'static str,
    /// The IANA zone that days begin in.
    pub zone: String,
}

impl Stretch {
    /// The last days of a campaign up to now: by the hour when it is younger than two days, else by the day, at most 60.
    pub fn of(since: DateTime<Utc>, now: DateTime<Utc>, zone: &str) -> Self {
        let age = now - since;
        let step = if age < chrono::Duration::days(2) { "hour" } else { "day" };
        let from = since.max(now - chrono::Duration::days(60));
        Self { from, to: now, step, zone: zone.to_owned() }
    }
}

/// Visits, submissions and rewards over time.
///
/// # Errors
/// What the database answered.
pub async fn timeline(scope: &Scope<'_>, client_id: Uuid, campaign_id: Uuid, stretch: &Stretch) -> Result<Vec<Point>> {
    let params: database::Params<'_> =
        &[&client_id, &campaign_id, &stretch.step, &stretch.from, &stretch.to, &stretch.zone];
    scope.query(&TIMELINE, params).await
}

/// Which events are listed.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only of this campaign.
    pub campaign_id: Option<Uuid>,
    /// Only of this recipient.
    pub recipient_id: Option<Uuid>,
    /// Only of this kind.
    pub event_type: Option<String>,
    /// Without what programs did.
    pub people_only: bool,
    /// The last row of the page before.
    pub after: Option<(DateTime<Utc>, Uuid)>,
}

/// A page of a client's events, newest first.
///
/// # Errors
/// What the database answered.
pub async fn events(scope: &Scope<'_>, client_id: Uuid, filter: &EventFilter, limit: i64) -> Result<Vec<EventRow>> {
    let (after_at, after_id) = filter.after.unzip();
    let more = limit + 1;
    let mut sql = Filter::new(
        "events list",
        "select e.id, e.event_type, e.created_at, e.campaign_id, e.recipient_id,
            nullif(btrim(concat(r.first_name, ' ', r.last_name)), '') as recipient, e.event_data
        from events e
        left join recipients r on r.client_id = e.client_id and r.id = e.recipient_id",
    )
    .bind("where e.client_id =", &client_id)
    .bind_some("and e.campaign_id =", filter.campaign_id.as_ref())
    .bind_some("and e.recipient_id =", filter.recipient_id.as_ref())
    .bind_some("and e.event_type =", filter.event_type.as_ref());
    if filter.people_only {
        sql = sql.push("and not (e.event_data @> '{\"bot\": true}')");
    }
    if let (Some(at), Some(id)) = (&after_at, &after_id) {
        sql = sql.bind("and (e.created_at, e.id) < (", at).bind(",", id).push(")");
    }
    scope.query_filter(&sql.bind("order by e.created_at desc, e.id desc limit", &more)).await
}
