-- Who is asking can no longer be claimed from inside.
--
-- Until now `set app.operator` was enough to be the operator, for whoever runs SQL as ace_app: an injected statement too.
-- Now a transaction is entered: app.enter() takes the actor with a MAC that only the application can make, for this one
-- connection, and leaves a seal that holds for this one transaction. The functions that say what an actor reaches believe
-- the actor only with its seal. Settings are still where both lie; writing them gains nothing without the key, which only
-- ace_owner reads.
--
--   app.actor   user:ID, key:ID, client:ID or operator
--   app.seal    proof of it, good on this connection until the transaction ends

-- The keys -------------------------------------------------------------------------------------------------------------

create table app.actor_key (
  one boolean primary key default true,
  inner_pad bytea not null,
  outer_pad bytea not null,
  constraint actor_key_one check (one),
  constraint actor_key_block check (octet_length(inner_pad) = 64 and octet_length(outer_pad) = 64)
);

comment on table app.actor_key is
  'The key of the actor''s MAC, derived from the keyring and written at start; readable by ace_owner only. Already combined with '
  'the two paddings of HMAC, so that a MAC costs two hashes.';

create table app.known_keys (
  number integer primary key,
  mark bytea not null,
  first_seen_at timestamptz not null default now()
);

comment on table app.known_keys is
  'By which the keys are recognised that this database was written with: a process with others, or without one of them, is refused at start.';
comment on column app.known_keys.number is 'The number of the sealing key; 0 for the root.';
comment on column app.known_keys.mark is 'A MAC of a constant text under that key: it says nothing about the key.';


-- Entering ---------------------------------------------------------------------------------------------------------------

-- Two sequences nobody counts with. What a session has set a sequence to is remembered by that session alone (currval), for
-- whoever holds a right on it, which ace_app does not: the cheapest secret a connection can keep from its own user. Read from
-- a table instead, the seal would cost every policy a query.
create sequence app.secret_one;
create sequence app.secret_two;

comment on sequence app.secret_one is 'A half of the secret of each connection; see app.new_secret().';
comment on sequence app.secret_two is 'The other half.';

create function app.new_secret()
returns void
language plpgsql
security definer
set search_path = app, pg_catalog, pg_temp
as $$
declare
  v_random text := encode(uuid_send(gen_random_uuid()), 'hex');
begin
  perform
    setval('app.secret_one', 1 + ('x' || substr(v_random, 1, 15))::bit(60)::bigint),
    setval('app.secret_two', 1 + ('x' || substr(v_random, 18, 15))::bit(60)::bigint);
end
$$;

comment on function app.new_secret() is
  'Gives this connection a secret that its own user cannot read. Called when the connection is made; called again, it only ends '
  'what was sealed before.';


create function app.seal(p_actor text)
returns text
language plpgsql
stable
parallel restricted
as $$
begin
  -- hashed twice, as HMAC does it; the time at which the transaction began is in no notation a setting could change
  return encode(
    sha256(
      int8send(currval('app.secret_two')) || int8send(currval('app.secret_one'))
      || sha256(
        int8send(currval('app.secret_one')) || int8send(currval('app.secret_two'))
        || timestamptz_send(now()) || convert_to(p_actor, 'UTF8'))),
    'hex');
end
$$;

comment on function app.seal(text) is 'Proof of an actor that holds on this connection in this transaction. Granted to nobody.';


create function app.proof(p_pid integer, p_actor text)
returns bytea
language plpgsql
stable
as $$
declare
  v_key app.actor_key;
begin
  select * into strict v_key from app.actor_key;
  return sha256(v_key.outer_pad || sha256(v_key.inner_pad || '\x65'::bytea || int4send(p_pid) || convert_to(p_actor, 'UTF8')));
end
$$;

comment on function app.proof(integer, text) is
  'HMAC-SHA256 of an actor for one connection, under the key the application has from the keyring. Granted to nobody.';


create function app.enter(p_actor text, p_proof bytea)
returns void
language plpgsql
security definer
set search_path = app, pg_catalog, pg_temp
as $$
begin
  if p_proof is distinct from app.proof(pg_backend_pid(), p_actor) then
    raise exception 'this actor may not enter' using errcode = 'insufficient_privilege';
  end if;
  perform set_config('app.actor', p_actor, true), set_config('app.seal', app.seal(p_actor), true);
end
$$;

comment on function app.enter(text, bytea) is
  'Makes this transaction the actor''s. The proof comes as a bound value, which neither pg_stat_activity nor any setting shows, '
  'and holds on this connection only.';


create function app.entered()
returns text
language plpgsql
stable
parallel restricted
security definer
set search_path = app, pg_catalog, pg_temp
as $$
declare
  v_actor text := current_setting('app.actor', true);
  v_seal text := current_setting('app.seal', true);
begin
  -- without a seal nothing is asked of the connection's secret, which a connection made by hand does not have
  if coalesce(v_actor, '') = '' or coalesce(v_seal, '') = '' then
    return null;
  end if;
  -- app.seal(), written out: every policy asks
  return case
    when v_seal = encode(
      sha256(
        int8send(currval('app.secret_two')) || int8send(currval('app.secret_one'))
        || sha256(
          int8send(currval('app.secret_one')) || int8send(currval('app.secret_two'))
          || timestamptz_send(now()) || convert_to(v_actor, 'UTF8'))),
      'hex')
    then v_actor
  end;
end
$$;

comment on function app.entered() is
  'In whose name this transaction was entered; null where nobody''s, or where the seal is not its own. Like everything that asks '
  'it, restricted to the leader of a parallel query: a worker does not know the connection''s secret.';


create function app.entered_as(p_kind text)
returns uuid
language plpgsql
stable
parallel restricted
as $$
declare
  v_actor text := app.entered();
begin
  if v_actor is null or split_part(v_actor, ':', 1) <> p_kind then
    return null;
  end if;
  return nullif(split_part(v_actor, ':', 2), '')::uuid;
end
$$;

comment on function app.entered_as(text) is 'The id of the actor when it is of this kind (user, key, client).';

grant execute on function app.enter(text, bytea), app.new_secret() to ace_app;
grant execute on function app.entered(), app.entered_as(text) to ace_app, ace_system;


-- Who reaches what ---------------------------------------------------------------------------------------------------------

create or replace function app.is_operator()
returns boolean
language plpgsql
stable
parallel restricted
as $$
begin
  return coalesce(app.entered() = 'operator', false);
end
$$;

create or replace function app.clock()
returns timestamptz
language sql
stable
parallel safe
return now();

comment on function app.clock() is 'The time expiry dates are held against.';

create or replace function app.actor_user_id()
returns uuid
language plpgsql
stable
parallel restricted
security definer
set search_path = public, pg_temp
as $$
declare
  v_user_id uuid := app.entered_as('user');
begin
  if v_user_id is null then
    return null;
  end if;
  return (
    select id
    from auth.users
    where id = v_user_id
      and deactivated_at is null
  );
end
$$;

create or replace function app.actor_key_client_id()
returns uuid
language plpgsql
stable
parallel restricted
security definer
set search_path = public, pg_temp
as $$
declare
  v_key_id uuid := app.entered_as('key');
begin
  if v_key_id is null then
    return null;
  end if;
  return (
    select k.client_id
    from api_keys k
    join clients c on c.id = k.client_id
    where k.id = v_key_id
      and k.revoked_at is null
      and (k.expires_at is null or k.expires_at > app.clock())
      and c.archived_at is null
  );
end
$$;

-- One look at the seal, and none into a table for work that is done for one client.
create or replace function app.client_ids()
returns uuid[]
language plpgsql
stable
parallel restricted
as $$
declare
  v_actor text := app.entered();
begin
  if v_actor is null or v_actor = 'operator' then
    return '{}';
  elsif starts_with(v_actor, 'client:') then
    return array[split_part(v_actor, ':', 2)::uuid];
  end if;
  return app.reached_client_ids();
end
$$;

create or replace function app.read_all()
returns boolean
language plpgsql
stable
parallel restricted
as $$
declare
  v_actor text := app.entered();
begin
  if v_actor is null then
    return false;
  elsif starts_with(v_actor, 'user:') then
    return app.actor_has_role('admin', 'tech_support');
  end if;
  return v_actor = 'operator';
end
$$;

create or replace function app.write_all()
returns boolean
language plpgsql
stable
parallel restricted
as $$
declare
  v_actor text := app.entered();
begin
  if v_actor is null then
    return false;
  elsif starts_with(v_actor, 'user:') then
    return app.actor_has_role('admin');
  end if;
  return v_actor = 'operator';
end
$$;

create or replace function app.actor_kind()
returns text
language plpgsql
stable
parallel restricted
as $$
begin
  return split_part(app.entered(), ':', 1);
end
$$;

alter policy written_in_own_name on audit_log
  with check (
    actor_kind = (select app.actor_kind())
    and actor_user_id is not distinct from (select app.actor_user_id())
    and actor_key_id is not distinct from (select app.entered_as('key'))
    and (
      (select app.read_all())
      or (
        (client_id is null or client_id = any ((select app.client_ids())::uuid[]))
        and (org_id is null or org_id = any ((select app.org_ids())::uuid[]))
      )
    )
  );

alter policy own on idempotency_keys
  using (caller_id = coalesce((select app.actor_user_id()), (select app.entered_as('key'))))
  with check (caller_id = coalesce((select app.actor_user_id()), (select app.entered_as('key'))));

drop function app.setting_uuid(text);

alter function app.actor_has_role(app_role[]) parallel restricted;
alter function app.managed_org_ids() parallel restricted;
alter function app.reached_client_ids() parallel restricted;
alter function app.org_ids() parallel restricted;
alter function app.visible_user_ids() parallel restricted;
alter function app.managed_user_ids() parallel restricted;
alter function app.removable_user_ids() parallel restricted;
alter function app.grantable_roles() parallel restricted;


-- What answers about one's own tenants only --------------------------------------------------------------------------------

-- As whoever asks: the policies say whose organization it is.
create or replace function app.price(p_client_id uuid, p_what text)
returns integer
language plpgsql
stable
as $$
begin
  return coalesce((
    select greatest((o.settings_json #>> array['prices', p_what])::integer, 0)
    from clients c
    join organizations o on o.id = c.org_id
    where c.id = p_client_id
  ), 0);
end
$$;

comment on function app.price(uuid, text) is
  'Credits that a piece or a reward costs a client: its organization''s settings_json.prices. 0 for a client out of reach.';

-- Signing in asks it, before anybody is known.
revoke execute on function app.second_factor_required(uuid) from ace_app;


-- Requests that are repeated -----------------------------------------------------------------------------------------------

alter table idempotency_keys
  add column holder uuid,
  add column acted_at timestamptz;

comment on column idempotency_keys.holder is 'The request that holds the key: an act of another one is not committed under it.';
comment on column idempotency_keys.acted_at is
  'Written in the transaction of the act itself: from then on the same request is never carried out again, also when its answer was lost.';


-- Chunks of imports --------------------------------------------------------------------------------------------------------
-- ace_app makes no temporary objects any more (see crates/database/src/bootstrap.sql): one that is named like a table of ours
-- would be read in its place by whoever has the connection next. The chunk's table is made for it.

create or replace function app.stage_import_rows()
returns void
language plpgsql
security definer
set search_path = public, pg_temp
as $$
begin
  create temporary table import_rows (like public.import_rows including defaults) on commit drop;
  grant select, insert, update, delete on pg_temp.import_rows to ace_app;

  perform app.plan_for_any_client();

  -- What a crash takes of the last chunks it takes whole, and the import goes on before them.
  perform set_config('synchronous_commit', 'off', true);
end
$$;


-- The queue ----------------------------------------------------------------------------------------------------------------
-- Work that is asked for while the same work is under way is not lost: it waits for its turn. A key is had by one waiting
-- and one running job at most.

drop index jobs_unique_key;
create unique index jobs_unique_key on jobs (unique_key) where state = 'ready';
create unique index jobs_unique_key_running on jobs (unique_key) where state = 'running';

comment on column jobs.unique_key is
  'At most one waiting and one running job have it, and a waiting one is not claimed while the other runs: insert with '
  '"on conflict do nothing", without naming columns (ace_app need not read the queue to fill it).';

create function app.waits(p_unique_key text)
returns boolean
language sql
stable
as $$
  select exists (select from jobs where unique_key = p_unique_key and state = 'ready')
$$;

comment on function app.waits(text) is 'Whether the same work waits already: then a job that is given back has nothing left to do.';

grant execute on function app.waits(text) to ace_system;


-- ACE itself, by what it does ------------------------------------------------------------------------------------------------
-- Strangers' pages, signing in and background work are roles of their own: what is wrong in one of them reaches no further.
-- Each holds what its statements ask for (crates/ace/tests/statements.rs compares); ace_system owns the functions that look past
-- the policies, holds what those ask for, and is nobody's login any more.

grant usage on schema public, auth, app to ace_public, ace_signin, ace_worker;

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
  execute format('create policy system_all on %s to ace_system, ace_public, ace_signin, ace_worker using (true) with check (true)', p_table);

  execute format('grant select, insert, update, delete on %s to ace_app', p_table);
end
$$;

do $$
declare
  v_table text;
begin
  for v_table in select polrelid::regclass::text from pg_policy where polname = 'system_all'
  loop
    execute format('alter policy system_all on %s to ace_system, ace_public, ace_signin, ace_worker', v_table);
  end loop;

  for v_table in
    select c.oid::regclass::text
    from pg_class c
    where c.relkind in ('r', 'p', 'v')
      and c.relnamespace in ('public'::regnamespace, 'auth'::regnamespace, 'app'::regnamespace)
      and c.relname <> 'refinery_schema_history'
  loop
    execute format('revoke all on %s from ace_system', v_table);
  end loop;
end
$$;


-- Links and forms: visits, submissions, the claim, the message that follows. Of people only the name for the record.
grant select on
  ace_forms,
  app.campaign_transitions,
  campaign_conditions,
  campaign_reservations,
  campaign_reward_configs,
  campaigns,
  clients,
  contact_campaign_participation,
  contacts,
  gift_card_brands,
  gift_card_pools,
  gift_cards,
  landing_page_versions,
  landing_pages,
  organizations,
  recipients,
  suppressed_addresses
to ace_public;

grant select, insert on
  alerts,
  audit_log,
  call_conditions_met,
  campaign_status_history,
  credit_ledger,
  events,
  message_events
to ace_public;

grant select, insert, update on
  jobs,
  messages
to ace_public;

grant update (total_views, total_submissions) on ace_forms to ace_public;
grant update (resolved_at) on alerts to ace_public;
grant select (id, name) on api_keys to ace_public;
grant select (id, email) on auth.users to ace_public;
grant update (gift_card_id, delivery_channel, delivery_address, delivery_status, refusal, given_address) on call_conditions_met to ace_public;
grant update (reserved, claimed, updated_at) on campaign_reservations to ace_public;
grant update (status, updated_at, activated_at, completed_at) on campaigns to ace_public;
grant update (credits) on clients to ace_public;
grant update (participation_status, gift_card_id, delivered_at, participated_at, redeemed_at, updated_at) on contact_campaign_participation to ace_public;
grant update (available_cards, reserved_cards, delivered_cards, updated_at) on gift_card_pools to ace_public;
grant update (status, recipient_id, campaign_id, claimed_at, delivered_at, delivery_method, delivery_address, redeemed_at) on gift_cards to ace_public;
grant update (status, delivered_at, last_visited_at, total_visits) on recipients to ace_public;

-- Who somebody is: accounts, sessions, joining by invitation.
grant select on
  api_keys,
  clients,
  invitations,
  organizations,
  role_permissions
to ace_signin;

grant select, insert on
  audit_log,
  client_users,
  jobs,
  org_members,
  profiles,
  user_roles
to ace_signin;

grant select, insert, update, delete on
  auth.failed_sign_ins,
  auth.recovery_codes
to ace_signin;

grant select, insert, update on
  auth.one_time_tokens,
  auth.refresh_tokens,
  auth.sessions,
  auth.users
to ace_signin;

grant update (last_used_at) on api_keys to ace_signin;
grant update (status, accepted_at, accepted_user_id, mail_token_hash) on invitations to ace_signin;

-- The queue, what follows a claim, what is swept.
grant select, insert on
  alerts,
  audit_log,
  call_conditions_met,
  campaign_status_history,
  credit_ledger,
  events,
  message_events,
  suppressed_addresses
to ace_worker;

grant select on
  app.campaign_transitions,
  campaign_conditions,
  campaign_launches,
  campaign_reservations,
  campaign_reward_configs,
  campaigns,
  clients,
  contact_campaign_participation,
  contacts,
  gift_card_brands,
  gift_card_pools,
  gift_cards,
  imports,
  invitations,
  organizations,
  recipients,
  user_roles
to ace_worker;

grant select, delete on
  auth.failed_sign_ins,
  auth.one_time_tokens,
  auth.sessions,
  idempotency_keys
to ace_worker;

grant select, insert, update on
  cron_ticks,
  messages,
  sandbox_messages,
  system_messages
to ace_worker;

grant select, insert, update, delete on
  jobs
to ace_worker;

grant update (resolved_at) on alerts to ace_worker;
grant select (id, name) on api_keys to ace_worker;
grant select (id, email) on auth.users to ace_worker;
grant update (gift_card_id, delivery_channel, delivery_address, delivery_status, refusal, given_address) on call_conditions_met to ace_worker;
grant update (state, error, finished_at) on campaign_launches to ace_worker;
grant update (reserved, claimed, updated_at) on campaign_reservations to ace_worker;
grant update (status, updated_at, activated_at, completed_at) on campaigns to ace_worker;
grant update (credits) on clients to ace_worker;
grant update (participation_status, gift_card_id, delivered_at, participated_at, redeemed_at, updated_at) on contact_campaign_participation to ace_worker;
grant update (email_opt_out, sms_opt_out, updated_at) on contacts to ace_worker;
grant update (available_cards, reserved_cards, delivered_cards, updated_at) on gift_card_pools to ace_worker;
grant update (status, recipient_id, campaign_id, claimed_at, delivered_at, delivery_method, delivery_address, redeemed_at) on gift_cards to ace_worker;
grant update (status) on invitations to ace_worker;
grant update (status, delivered_at, last_visited_at, total_visits) on recipients to ace_worker;

-- What the functions that look past the policies ask for.
grant select on
  api_keys,
  call_conditions_met,
  client_users,
  clients,
  contact_lists,
  imports,
  org_members,
  organizations,
  recipients,
  user_roles
to ace_system;

grant select, delete on
  auth.recovery_codes
to ace_system;

grant select, update on
  auth.sessions,
  auth.users,
  messages,
  profiles
to ace_system;

grant select, insert, delete on
  suppressed_addresses
to ace_system;

grant update (revoked_at) on api_keys to ace_system;
grant update (delivery_address) on call_conditions_met to ace_system;
grant update (api_key_hash, credits, credits_reserved) on clients to ace_system;
grant update (contact_count, updated_at, last_sync_at) on contact_lists to ace_system;


grant execute on function
  app.queue_for_pool(uuid),
  app.hand_out_card(call_conditions_met,campaign_reward_configs,jsonb,timestamp with time zone,uuid[]),
  app.claim_reward(uuid,uuid,uuid,integer,timestamp with time zone,uuid[],text,text,integer,jsonb,uuid,uuid,text,text),
  app.price(uuid,text),
  app.sweep_expired(uuid,timestamp with time zone),
  app.has_to_wait(call_conditions_met,timestamp with time zone),
  app.client_day(uuid,timestamp with time zone),
  app.contact_refusal(uuid,uuid,text,text),
  app.those_ahead(uuid,uuid,uuid,timestamp with time zone,uuid,integer)
to ace_public;

grant execute on function
  app.second_factor_required(uuid)
to ace_signin;

grant execute on function
  app.ensure_event_partitions(date,integer),
  app.drop_event_partitions(date),
  app.queue_for_pool(uuid),
  app.hand_out_card(call_conditions_met,campaign_reward_configs,jsonb,timestamp with time zone,uuid[]),
  app.claim_reward(uuid,uuid,uuid,integer,timestamp with time zone,uuid[],text,text,integer,jsonb,uuid,uuid,text,text),
  app.price(uuid,text),
  app.sweep_expired(uuid,timestamp with time zone),
  app.has_to_wait(call_conditions_met,timestamp with time zone),
  app.client_day(uuid,timestamp with time zone),
  app.suppress_address(uuid,uuid,text,text,text,timestamp with time zone),
  app.reward_status(text[]),
  app.contact_refusal(uuid,uuid,text,text),
  app.those_ahead(uuid,uuid,uuid,timestamp with time zone,uuid,integer),
  app.waits(text)
to ace_worker;

-- Cards in quarantine are told to those who run the installation.
grant select (deactivated_at) on auth.users to ace_worker;

-- Whether the database is ready is asked with a function of the kind that every policy calls.
grant execute on function app.entered() to ace_worker;
