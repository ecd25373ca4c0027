-- What the planner and the policies cost. No table and no right changes.

-- Who works for one client is told apart without a look into any table: the claim alone asks thirty times.

create function app.reached_client_ids()
returns uuid[]
language plpgsql
stable
parallel safe
security definer
set search_path = public, pg_temp
as $$
declare
  v_client_id uuid := app.actor_key_client_id();
  v_user_id uuid;
begin
  if v_client_id is not null then
    return array[v_client_id];
  end if;

  v_user_id := app.actor_user_id();
  if v_user_id is null then
    return '{}';
  end if;

  return array(
    select c.id
    from org_members m
    join clients c on c.org_id = m.org_id
    where m.user_id = v_user_id
      and exists (select from user_roles r where r.user_id = v_user_id and r.role = 'agency_owner')
    union
    select u.client_id
    from client_users u
    where u.user_id = v_user_id
      and exists (select from user_roles r where r.user_id = v_user_id and r.role in ('company_owner', 'developer', 'call_center'))
  );
end
$$;

comment on function app.reached_client_ids() is 'What app.client_ids() looks up: the client of a key, the clients of a person.';

create or replace function app.client_ids()
returns uuid[]
language plpgsql
stable
parallel safe
as $$
declare
  v_client_id uuid := app.setting_uuid('app.client_id');
begin
  if v_client_id is not null then
    return array[v_client_id];
  end if;
  return app.reached_client_ids();
end
$$;

grant create on schema app to ace_system;
alter function app.reached_client_ids() owner to ace_system;
revoke create on schema app from ace_system;

grant execute on function app.reached_client_ids() to ace_app, ace_system;


-- The clients by name come first: where they decide, nobody asks for the roles.

create or replace function app.tenant_table(
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
  v_read text := 'client_id = any ((select app.client_ids())::uuid[]) or (select app.read_all())';
  v_write text := 'client_id = any ((select app.client_ids())::uuid[]) or (select app.write_all())';
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

-- Policies that a migration made narrower stay as they are.
do $$
declare
  v_policy record;
begin
  for v_policy in
    select p.polrelid::regclass as table_name, p.polname as name, p.polqual is not null as uses, p.polwithcheck is not null as checks,
      'client_id = any ((select app.client_ids())::uuid[]) or (select app.' || r.name || '())' as condition
    from pg_policy p
    cross join lateral (
      select case p.polname when 'tenant_select' then 'read_all' else 'write_all' end as name
    ) r
    where p.polname in ('tenant_select', 'tenant_insert', 'tenant_update', 'tenant_delete')
      and format(
        '(( SELECT app.%1$s() AS %1$s) OR (client_id = ANY (( SELECT app.client_ids() AS client_ids)::uuid[])))', r.name
      ) = all (array_remove(array[pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)], null))
  loop
    execute format('alter policy %I on %s', v_policy.name, v_policy.table_name)
      || case when v_policy.uses then format(' using (%s)', v_policy.condition) else '' end
      || case when v_policy.checks then format(' with check (%s)', v_policy.condition) else '' end;
  end loop;
end
$$;


create function app.plan_for_any_client()
returns void
language plpgsql
as $$
begin
  perform set_config('plan_cache_mode', 'force_generic_plan', true);
end
$$;

comment on function app.plan_for_any_client() is
  'For transactions that write thousands of rows of one client. Statistics know nothing of a client that is new: told its id, '
  'the planner takes it for empty and reads all that the client has for each row. A plan for any client takes the index on what '
  'is looked for.';

grant execute on function app.plan_for_any_client() to ace_app;


create or replace function app.stage_import_rows()
returns void
language plpgsql
as $$
begin
  create temporary table import_rows (like public.import_rows including defaults) on commit drop;

  perform app.plan_for_any_client();

  -- What a crash takes of the last chunks it takes whole, and the import goes on before them.
  perform set_config('synchronous_commit', 'off', true);
end
$$;

comment on function app.stage_import_rows() is
  'Makes this transaction''s own import_rows, which vanishes with it, and sets the transaction up for merging from there.';
