-- What needs a person, told once: alerts can be acknowledged, and one view is behind every place that lists or counts it.

alter table alerts
  add column acknowledged_at timestamptz,
  add column acknowledged_by_user_id uuid references auth.users on delete set null,
  add constraint alerts_acknowledged check (acknowledged_at is not null or acknowledged_by_user_id is null);

comment on column alerts.acknowledged_at is
  'Somebody has seen it and takes care of it: it is not counted any more. It stays open until what it tells of is settled.';
comment on column alerts.acknowledged_by_user_id is 'Who has seen it; null too when that person is gone.';

insert into role_permissions (id, role, permission_key)
select gen_random_uuid(), r.role::app_role, 'alerts.acknowledge'
from unnest('{admin, agency_owner, company_owner}'::text[]) as r (role)
on conflict do nothing;


create view client_needs with (security_invoker = true) as
select a.client_id, a.kind, true as is_alert,
  case when count(*) = 1 then (array_agg(a.subject_id))[1] end as subject_id,
  count(*) as things, max(a.message) as message, min(a.created_at) as since, max(a.created_at) as latest
from alerts a
where a.resolved_at is null
  and a.acknowledged_at is null
group by a.client_id, a.kind,
  case when a.kind not in ('delivery_failed', 'reward_held', 'no_credits') then a.subject_id end
union all
select i.client_id, 'failed_imports', false, null, count(*), null, min(i.created_at), max(i.created_at)
from imports i
where i.status = 'failed'
group by i.client_id
union all
select c.client_id, 'to_approve', false, null, count(*), null, min(c.launched_at), max(c.launched_at)
from campaigns c
join clients k on k.id = c.client_id
join organizations o on o.id = k.org_id
where c.status = 'ready'
  and c.archived_at is null
  and (o.settings_json ->> 'require_approval')::boolean
group by c.client_id;

comment on view client_needs is
  'What waits for a person, one row for each line that people read: alerts that are dealt with in one place '
  'together, others by themselves. A reward that failed or waits has an alert, so it is not counted again. Behind the bell, Home, and All clients.';

grant select on client_needs to ace_app;
