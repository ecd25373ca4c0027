-- What every later migration stands on: the schemas, and the function that turns a table into a tenant table.
--
-- Who is asking is told once per transaction by the only door to the data (crates/database):
--   app.user_id     a signed-in person
--   app.key_id      an API key
--   app.client_id   background work for exactly one client
--   app.operator    'on': the command line on the machine itself
--   app.now         the application's clock, where it is not the wall clock (tests, the demo)
-- Nothing set reaches nothing.

create schema auth;
create schema app;

comment on schema auth is
  'Who people are: users, sessions, tokens. Read by ace_system while somebody signs in, hardly by anybody else.';
comment on schema app is
  'Functions and small tables that guard the data: who reaches what, which step follows which.';

grant usage on schema public, auth, app to ace_app, ace_system;

-- Functions are granted one by one.
alter default privileges revoke execute on functions from public;


create function app.setting_uuid(p_name text)
returns uuid
language sql
stable
parallel safe
return nullif(current_setting(p_name, true), '')::uuid;

comment on function app.setting_uuid(text) is
  'A transaction setting as uuid; null where it is not set or empty.';


create function app.is_operator()
returns boolean
language sql
stable
parallel safe
return coalesce(current_setting('app.operator', true), '') = 'on';

comment on function app.is_operator() is
  'True for the command line on the machine itself, which reaches and writes everything.';


create function app.clock()
returns timestamptz
language sql
stable
parallel safe
return coalesce(nullif(current_setting('app.now', true), '')::timestamptz, now());

comment on function app.clock() is
  'The time expiry dates are held against: the application''s clock where it told us, the wall clock otherwise.';

grant execute on function app.setting_uuid(text), app.is_operator(), app.clock() to ace_app, ace_system;


create function app.tenant_table(
  p_table regclass,
  nullable boolean default false,
  referenced boolean default true
)
returns void
language plpgsql
as $$
declare
  v_name text := (select relname from pg_class where oid = p_table);
  -- Sub-selects without outer references are init-plans: evaluated once a statement, never once a row.
  v_read text := '(select app.read_all()) or client_id = any ((select app.client_ids())::uuid[])';
  v_write text := '(select app.write_all()) or client_id = any ((select app.client_ids())::uuid[])';
begin
  if not nullable then
    execute format('alter table %s alter column client_id set not null', p_table);
  end if;

  if referenced then
    execute format(
      'alter table %s add constraint %I unique (client_id, id)',
      p_table, v_name || '_client_id_id_key');
  end if;

  if not exists (
    select
    from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indrelid = p_table
      and a.attname = 'client_id'
      and i.indpred is null
  ) then
    execute format('create index %I on %s (client_id)', v_name || '_client_id_idx', p_table);
  end if;

  execute format('alter table %s enable row level security', p_table);
  execute format('alter table %s force row level security', p_table);

  execute format('create policy tenant_select on %s for select to ace_app using (%s)', p_table, v_read);
  execute format('create policy tenant_insert on %s for insert to ace_app with check (%s)', p_table, v_write);
  execute format('create policy tenant_update on %s for update to ace_app using (%s) with check (%s)', p_table, v_write, v_write);
  execute format('create policy tenant_delete on %s for delete to ace_app using (%s)', p_table, v_write);
  execute format('create policy system_all on %s to ace_system using (true) with check (true)', p_table);

  execute format('grant select, insert, update, delete on %s to ace_app', p_table);
end
$$;

comment on function app.tenant_table(regclass, boolean, boolean) is
  'Turns a table with client_id into a tenant table: (client_id, id) for its children to refer to, an index, '
  'forced row-level security, one policy per command for ace_app, one for ace_system, grants for ace_app. '
  'nullable: rows without client belong to the operator. referenced => false: no child will ever refer to it. '
  'What ace_system may do with the table is granted by the migration itself, with the reason. '
  'Indexes behind foreign keys are (x_id, client_id): with x_id alone the planner, before its first statistics, may take '
  'the client''s index instead, and deleting a campaign''s recipients becomes quadratic.';


create function app.refuse_change()
returns trigger
language plpgsql
as $$
begin
  raise exception '% is append-only', tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;

comment on function app.refuse_change() is
  'Trigger of append-only tables: refuses update, delete and truncate whoever asks.';


create view app.tenant_tables as
select
  c.oid::regclass as table_name,
  not a.attnotnull as nullable
from pg_class c
join pg_policy p on p.polrelid = c.oid and p.polname = 'tenant_select'
join pg_attribute a on a.attrelid = c.oid and a.attname = 'client_id'
where c.relkind in ('r', 'p');

comment on view app.tenant_tables is
  'Every table that app.tenant_table() made a tenant table: what the tenant tests walk.';

grant select on app.tenant_tables to ace_app, ace_system;
