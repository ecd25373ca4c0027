-- One visit, the statement a careful person would write for one: the recipient by token with what the page needs, the
-- event, the counter.
\set n random(1, :people)
with found as (
    select r.id as recipient_id, r.client_id, r.campaign_id, r.redemption_code, r.first_name, r.last_name, r.email, r.phone,
        r.address, r.address2, r.city, r.state, r.zip, r.custom_fields, c.status, c.name, c.lp_mode, c.base_lp_url,
        c.form_id, c.landing_page_id
    from recipients r
    join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
    where r.purl_token = (select token from bench_people where n = :n)),
recorded as (
    insert into events (id, client_id, campaign_id, recipient_id, event_type, event_data, ip_address, user_agent, referrer, created_at)
    select gen_random_uuid(), client_id, campaign_id, recipient_id, 'purl_visit', '{}', '127.0.0.1', 'pgbench', null, now()
    from found),
bumped as (
    update recipients r
    set total_visits = r.total_visits + 1,
        last_visited_at = greatest(r.last_visited_at, now())
    from found f
    where r.client_id = f.client_id
      and r.id = f.recipient_id)
select f.*, lp.published_version_id, cl.name, cl.logo_url, cl.brand_colors_json, cl.support_phone
from found f
join clients cl on cl.id = f.client_id
left join landing_pages lp on lp.client_id = f.client_id and lp.id = f.landing_page_id;
