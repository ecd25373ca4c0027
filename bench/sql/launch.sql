-- The rows a launch makes, bare: codes are there beforehand, nobody looks at addresses, nobody watches.
with made as (
    insert into recipients (
        id, client_id, campaign_id, contact_id, redemption_code, purl_token, first_name, last_name, email, phone, address,
        address2, city, state, zip, country, custom_fields, imb_serial, created_at)
    select g.recipient_id, c.client_id, $1, c.id, g.redemption_code, g.purl_token, c.first_name, c.last_name, c.email,
        coalesce(c.mobile_phone, c.phone), c.address, c.address2, c.city, c.state, c.zip, c.country, c.custom_fields, g.imb_serial, now()
    from (
        select m.client_id, m.contact_id, row_number() over (order by m.contact_id) as n
        from contact_list_members m
        where m.list_id = $2) as listed
    join contacts c on c.client_id = listed.client_id and c.id = listed.contact_id
    join bench_given g on g.n = listed.n)
insert into contact_campaign_participation (
    id, client_id, contact_id, campaign_id, recipient_id, redemption_code, created_at, updated_at)
select g.participation_id, m.client_id, m.contact_id, $1, g.recipient_id, g.redemption_code, now(), now()
from (
    select client_id, contact_id, row_number() over (order by contact_id) as n
    from contact_list_members
    where list_id = $2) as m
join bench_given g on g.n = m.n
