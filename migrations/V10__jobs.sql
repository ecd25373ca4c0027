-- Background work: a queue, and the ticks of recurring work.

create table jobs (
  id uuid primary key,
  kind text not null,
  payload jsonb not null default '{}',
  client_id uuid references clients on delete cascade,
  unique_key text,
  priority integer not null default 0,
  run_at timestamptz not null,
  state text not null default 'ready',
  attempts integer not null default 0,
  max_attempts integer not null default 10,
  leased_until timestamptz,
  leased_by text,
  last_error text,
  created_at timestamptz not null,
  finished_at timestamptz,
  lane uuid not null generated always as (coalesce(client_id, '00000000-0000-0000-0000-000000000000'::uuid)) stored,
  constraint jobs_state check (state in ('ready', 'running', 'done', 'dead')),
  constraint jobs_attempts_not_negative check (attempts >= 0),
  constraint jobs_max_attempts_positive check (max_attempts > 0),
  constraint jobs_lease check ((state = 'running') = (leased_until is not null))
) with (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0.05
);

-- Read group by group: which lanes have work of which priority, then what is due in each.
create index jobs_ready_idx on jobs (priority, lane, run_at, id) where state = 'ready';
create index jobs_leased_idx on jobs (leased_until, lane) where state = 'running';
create index jobs_ended_idx on jobs (state, finished_at) where state in ('done', 'dead');
create index jobs_client_id_idx on jobs (client_id, created_at) where client_id is not null;
create unique index jobs_unique_key on jobs (unique_key) where state in ('ready', 'running');

comment on table jobs is
  'The queue. A job is inserted in the transaction that makes it necessary, claimed with skip locked under a lease, and kept for a while after it ended.';
comment on column jobs.payload is 'Ids, never secrets.';
comment on column jobs.client_id is 'Whose work it is: the worker acts for this client alone; null: work for all.';
comment on column jobs.unique_key is 'At most one unfinished job has it: insert with "on conflict do nothing", without naming columns (ace_app need not read the queue to fill it).';
comment on column jobs.priority is 'Lower runs first.';
comment on column jobs.max_attempts is 'As the worker''s policy for this kind says; written when it is claimed.';
comment on column jobs.lane is 'Clients take turns, and work for all has its turn too.';
comment on column jobs.state is 'ready → running → done; back to ready for another try; dead after the last one, until somebody retries it.';
comment on column jobs.leased_until is 'A worker that has not renewed its lease by then is taken for lost.';
comment on column jobs.leased_by is 'The worker; with attempts it says whose note of the outcome still counts.';

alter table jobs enable row level security;
alter table jobs force row level security;

create policy system_all on jobs
  to ace_system
  using (true)
  with check (true);

create policy enqueued_within_reach on jobs
  for insert to ace_app
  with check (
    state = 'ready'
    and (
      client_id is null
      or (select app.read_all())
      or client_id = any ((select app.client_ids())::uuid[])
    )
  );

-- The queue's page: staff see all, others the work of their own clients; retrying is for those who write all.
create policy visible on jobs
  for select to ace_app
  using ((select app.read_all()) or client_id = any ((select app.client_ids())::uuid[]));

create policy retried_by_admin on jobs
  for update to ace_app
  using ((select app.write_all()))
  with check ((select app.write_all()));

grant
  select,
  insert,
  update (state, run_at, attempts, max_attempts, last_error, finished_at, leased_until, leased_by)
on jobs to ace_app;

grant select, insert, update, delete on jobs to ace_system; -- workers


create table cron_ticks (
  name text primary key,
  last_run_at timestamptz not null
);

comment on table cron_ticks is 'The last tick of each piece of recurring work: the worker that moves it forward enqueues the work, so it runs once.';
comment on column cron_ticks.last_run_at is 'When that tick began: ticks are whole multiples of the period.';

alter table cron_ticks enable row level security;
alter table cron_ticks force row level security;

create policy system_all on cron_ticks
  to ace_system
  using (true)
  with check (true);

create policy visible on cron_ticks
  for select to ace_app
  using ((select app.read_all()));

grant select on cron_ticks to ace_app;
grant select, insert, update on cron_ticks to ace_system;
