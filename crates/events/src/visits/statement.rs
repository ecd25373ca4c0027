//! The statement that records many visits at once.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use database::{FromRow, Scope};
use kernel::{Result, new_id};
use serde_json::Value;
use uuid::Uuid;

use super::{Visit, VisitKind};
use crate::clean::clean;

/// Whom a visit was, with everything their page needs.
#[derive(Debug, Clone, FromRow)]
pub struct Visited {
    n: i64,
    /// The recipient.
    pub recipient_id: Uuid,
    /// Their client.
    pub client_id: Uuid,
    /// Their campaign.
    pub campaign_id: Uuid,
    /// 12 characters, without dashes.
    pub redemption_code: String,
    /// As it was printed.
    pub first_name: Option<String>,
    /// As it was printed.
    pub last_name: Option<String>,
    /// As it was at launch.
    pub email: Option<String>,
    /// E.164, as it was at launch.
    pub phone: Option<String>,
    /// As it was printed.
    pub address: Option<String>,
    /// As it was printed.
    pub address2: Option<String>,
    /// As it was printed.
    pub city: Option<String>,
    /// As it was printed.
    pub state: Option<String>,
    /// As it was printed.
    pub zip: Option<String>,
    /// As it was printed.
    pub country: Option<String>,
    /// As it was at launch.
    pub custom_fields: Value,
    /// How far the campaign is: only `mailed` and `active` count visits.
    pub status: String,
    /// The campaign's name.
    pub campaign_name: String,
    /// `bridge` or `redirect`.
    pub lp_mode: String,
    /// Where `redirect` leads.
    pub base_lp_url: Option<String>,
    /// Added to `base_lp_url`.
    pub utm_source: Option<String>,
    /// Added to `base_lp_url`.
    pub utm_medium: Option<String>,
    /// Added to `base_lp_url`.
    pub utm_campaign: Option<String>,
    /// The form of the campaign; the landing page's own when absent.
    pub form_id: Option<Uuid>,
    /// The version of the landing page strangers get.
    pub page_version_id: Option<Uuid>,
    /// The client's name.
    pub client_name: String,
    /// The client's logo.
    pub logo_url: Option<String>,
    /// The client's colours.
    pub brand_colors_json: Option<Value>,
    /// E.164.
    pub support_phone: Option<String>,
    /// Whether the campaign rewards such a visit, so that the page has to say that a person sees it.
    pub wants_sign: bool,
    /// Whether the recipient earned a reward: from then on their address is the proof of who they are.
    pub earned: bool,
}

database::statement! {
    /// Records visits, counts those of people once per visit, and answers whom each visit was. Visits to campaigns that
    /// are not in the mail yet are previews, and the numbers of those that are over, as all of an archived client are, are final:
    /// answered, not recorded. A campaign that is `mailed` is told by a job, to become active. No condition is met by a visit alone: see [`SEEN`].
    RECORD, public, "
        with visit as (
            select *
            from unnest(
                $1::text[], $2::text[], $3::bool[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::uuid[])
                with ordinality as v (token, kind, bot, ip, user_agent, referrer, at, event_id, n)),
        found as (
            select v.n, v.kind, v.bot, v.ip, v.user_agent, v.referrer, v.at, v.event_id,
                r.id as recipient_id, r.client_id, r.campaign_id, r.redemption_code, r.first_name, r.last_name,
                r.email, r.phone, r.address, r.address2, r.city, r.state, r.zip, r.country, r.custom_fields,
                case when cl.archived_at is null then c.status::text else 'completed' end as status,
                c.name as campaign_name, c.lp_mode, c.base_lp_url, c.utm_source, c.utm_medium, c.utm_campaign, c.form_id, c.landing_page_id,
                c.status in ('mailed', 'active') and cl.archived_at is null as counts
            from visit v
            join recipients r on r.purl_token = v.token
            join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
            join clients cl on cl.id = r.client_id),
        recorded as (
            insert into events (
                id, client_id, campaign_id, recipient_id, event_type, event_data, ip_address, user_agent, referrer, created_at)
            select event_id, client_id, campaign_id, recipient_id, kind,
                case when bot then '{\"bot\": true}'::jsonb else '{}'::jsonb end, ip, user_agent, referrer, at
            from found
            where counts),
        bumped as (
            update recipients r
            set total_visits = r.total_visits + b.visits,
                last_visited_at = greatest(r.last_visited_at, b.at)
            from (
                select client_id, recipient_id, count(*)::int4 as visits, max(at) as at
                from found
                where counts and not bot
                group by client_id, recipient_id) as b
            where r.client_id = b.client_id
              and r.id = b.recipient_id),
        woken as (
            insert into jobs (id, kind, payload, client_id, unique_key, run_at, created_at)
            select distinct on (campaign_id, kind) event_id, 'campaigns.engaged',
                jsonb_build_object('campaign_id', campaign_id, 'recipient_id', recipient_id, 'event_type', kind),
                client_id, 'campaigns.engaged:' || campaign_id || ':' || kind, at, at
            from found
            where status = 'mailed'
              and not bot
            order by campaign_id, kind
            on conflict do nothing)
        select f.n, f.recipient_id, f.client_id, f.campaign_id, f.redemption_code, f.first_name, f.last_name, f.email,
            f.phone, f.address, f.address2, f.city, f.state, f.zip, f.country, f.custom_fields,
            f.status, f.campaign_name, f.lp_mode::text as lp_mode, f.base_lp_url, f.utm_source, f.utm_medium, f.utm_campaign,
            f.form_id, lp.published_version_id as page_version_id, cl.name as client_name, cl.logo_url,
            cl.brand_colors_json, cl.support_phone,
            exists (
                select
                from campaign_conditions cc
                where cc.client_id = f.client_id
                  and cc.campaign_id = f.campaign_id
                  and cc.trigger_type = f.kind
                  and cc.is_active) as wants_sign,
            exists (
                select
                from call_conditions_met m
                where m.client_id = f.client_id
                  and m.recipient_id = f.recipient_id
                  and m.gift_card_pool_id is not null) as earned
        from found f
        join clients cl on cl.id = f.client_id
        left join landing_pages lp on lp.client_id = f.client_id and lp.id = f.landing_page_id"
}

database::statement! {
    /// A person saw the page: their campaign is told by a job, when a condition may be met by it. A link that leads away
    /// at once has no page that could say so.
    SEEN, public, "
        insert into jobs (id, kind, payload, client_id, unique_key, run_at, created_at)
        select $1, 'campaigns.engaged',
            jsonb_build_object(
                'campaign_id', r.campaign_id, 'recipient_id', r.id, 'event_type', $3::text, 'person', true),
            r.client_id, 'campaigns.engaged:' || r.id || ':' || $3::text || ':person', $4, $4
        from recipients r
        join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
        join clients cl on cl.id = r.client_id
        where r.purl_token = $2
          and c.status in ('mailed', 'active')
          and cl.archived_at is null
          and c.lp_mode = 'bridge'
          and r.total_visits > 0
          and exists (
            select
            from campaign_conditions cc
            where cc.campaign_id = r.campaign_id
              and cc.client_id = r.client_id
              and cc.trigger_type = $3::text
              and cc.is_active
              and not exists (
                select
                from call_conditions_met m
                where m.recipient_id = r.id
                  and m.condition_number = cc.condition_number))
        on conflict do nothing"
}

/// A person saw the page of this token, which they reached that way.
///
/// # Errors
/// What the database answered.
pub async fn seen(scope: &Scope<'_>, token: &str, kind: VisitKind, at: DateTime<Utc>) -> Result<()> {
    scope.execute(&SEEN, &[&new_id(), &token, &kind.event_type().word(), &at]).await.map(|_| ())
}

/// Records visits; answers one entry for each, in their order.
pub(super) async fn record(scope: &Scope<'_>, visits: &[Visit]) -> Result<Vec<Option<Visited>>> {
    let tokens: Vec<&str> = visits.iter().map(|visit| visit.token.as_str()).collect();
    let kinds: Vec<&str> = visits.iter().map(|visit| visit.kind.event_type().word()).collect();
    let bots: Vec<bool> = visits.iter().map(|visit| visit.bot).collect();
    let ips: Vec<Option<String>> = visits.iter().map(|visit| visit.ip.map(|ip| ip.to_string())).collect();
    let agents: Vec<Option<Cow<'_, str>>> = visits.iter().map(|visit| clean(visit.user_agent.as_deref())).collect();
    let referrers: Vec<Option<Cow<'_, str>>> = visits.iter().map(|visit| clean(visit.referrer.as_deref())).collect();
    let times: Vec<DateTime<Utc>> = visits.iter().map(|visit| visit.at).collect();
    let ids: Vec<Uuid> = visits.iter().map(|_| new_id()).collect();
    let params: database::Params<'_> = &[&tokens, &kinds, &bots, &ips, &agents, &referrers, &times, &ids];
    let rows: Vec<Visited> = scope.query(&RECORD, params).await?;
    let mut answers = vec![None; visits.len()];
    for row in rows {
        let place = usize::try_from(row.n - 1).ok().and_then(|place| answers.get_mut(place));
        if let Some(answer) = place {
            *answer = Some(row);
        }
    }
    Ok(answers)
}
