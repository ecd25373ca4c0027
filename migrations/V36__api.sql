-- Cards of which nobody knows whether they were sent are looked through together: one line for all of a client's.

create or replace view client_needs with (security_invoker = true) as
select a.client_id, a.kind, true as is_alert,
  case when count(*) = 1 then (array_agg(a.subject_id))[1] end as subject_id,
  count(*) as things, max(a.message) as message, min(a.created_at) as since, max(a.created_at) as latest
from alerts a
where a.resolved_at is null
  and a.acknowledged_at is null
  -- that people wait at an empty pool says that it is low
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
group by a.client_id, a.kind,
  case when a.kind not in ('delivery_failed', 'perhaps_sent', 'reward_held', 'no_credits') then a.subject_id end
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

-- Whether an earlier try may have been sent, for the next one, and what stays as it is.
grant select (last_error_code, provider, sent_at) on system_messages to ace_worker;
