-- Organizations, clients, people, what they may do, how they sign in, and the record of what they did.

create type app_role as enum (
  'admin',
  'tech_support',
  'agency_owner',
  'company_owner',
  'developer',
  'call_center'
);

create type industry as enum (
  'roofing',
  'rei',
  'auto_service',
  'auto_dealership',
  'dental',
  'healthcare',
  'legal',
  'real_estate',
  'restaurant',
  'retail',
  'fitness',
  'home_services',
  'financial',
  'insurance',
  'nonprofit',
  'other'
);

comment on type industry is 'rei: real-estate investing.';


-- People ---------------------------------------------------------------------------------------------------------

create table auth.users (
  id uuid primary key,
  email text not null,
  encrypted_password text,
  email_confirmed_at timestamptz,
  deactivated_at timestamptz,
  totp_secret_sealed bytea,
  totp_confirmed_at timestamptz,
  totp_last_step bigint,
  last_sign_in_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint users_email_key unique (email),
  constraint users_email_lower check (email = lower(email))
);

comment on table auth.users is 'One row per person who may sign in.';
comment on column auth.users.encrypted_password is 'argon2id PHC string; null until an invitation or reset set one. Readable by ace_system only.';
comment on column auth.users.deactivated_at is 'From this moment the person reaches nothing, whatever sessions are open.';
comment on column auth.users.totp_secret_sealed is 'Sealed with the keyring; in force once totp_confirmed_at is set.';
comment on column auth.users.totp_last_step is 'The time step of the last code accepted: a code works once.';

create table auth.failed_sign_ins (
  email_hash bytea primary key,
  attempts integer not null,
  last_at timestamptz not null,
  locked_until timestamptz
);

create index failed_sign_ins_last_at_idx on auth.failed_sign_ins (last_at);

comment on table auth.failed_sign_ins is
  'Wrong passwords and codes since the last right one; five start a lock that grows. Kept by address, whether or not '
  'anybody has it, so that a lock does not tell who exists. Forgotten after a day.';
comment on column auth.failed_sign_ins.email_hash is 'Keyed hash of the address: people type passwords into the wrong field.';

create table auth.sessions (
  id uuid primary key,
  user_id uuid not null references auth.users on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  last_seen_at timestamptz,
  revoked_at timestamptz,
  cookie_token_hash bytea,
  aal text not null default 'aal1',
  ip inet,
  user_agent text,
  constraint sessions_cookie_token_hash_key unique (cookie_token_hash),
  constraint sessions_aal check (aal in ('aal1', 'aal2'))
);

create index sessions_user_id_idx on auth.sessions (user_id);

comment on table auth.sessions is 'One row per sign-in, by console or /auth/v1. Revoking it ends its cookies and tokens at once.';
comment on column auth.sessions.cookie_token_hash is 'SHA-256 of the console''s cookie; null for sessions of /auth/v1.';
comment on column auth.sessions.aal is 'Assurance level as Supabase Auth names it: aal1 password, aal2 password and one-time code.';

create table auth.refresh_tokens (
  id uuid primary key,
  session_id uuid not null references auth.sessions on delete cascade,
  token_hash bytea not null,
  parent uuid references auth.refresh_tokens on delete set null,
  used_at timestamptz,
  revoked boolean not null default false,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  constraint refresh_tokens_token_hash_key unique (token_hash)
);

create index refresh_tokens_session_id_idx on auth.refresh_tokens (session_id);
create index refresh_tokens_parent_idx on auth.refresh_tokens (parent);

comment on table auth.refresh_tokens is 'Rotated at every use; presenting a spent one revokes the session, and with it the family.';
comment on column auth.refresh_tokens.parent is 'The token this one was exchanged for.';

create table auth.one_time_tokens (
  id uuid primary key,
  purpose text not null,
  token_hash bytea not null,
  user_id uuid references auth.users on delete cascade,
  email text not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  created_at timestamptz not null default now(),
  constraint one_time_tokens_token_hash_key unique (token_hash),
  constraint one_time_tokens_purpose check (purpose in ('recover', 'change_email', 'second_factor'))
);

create index one_time_tokens_user_id_idx on auth.one_time_tokens (user_id);

comment on table auth.one_time_tokens is 'Links sent by mail and steps of signing in: stored hashed, used once, short-lived. Invitations have a table of their own.';

create table auth.recovery_codes (
  id uuid primary key,
  user_id uuid not null references auth.users on delete cascade,
  code_hash bytea not null,
  used_at timestamptz,
  created_at timestamptz not null default now(),
  constraint recovery_codes_user_id_code_hash_key unique (user_id, code_hash)
);

comment on table auth.recovery_codes is 'Stand-ins for a lost second factor, each good once.';

create table profiles (
  id uuid primary key references auth.users on delete cascade,
  email text not null,
  full_name text,
  avatar_url text,
  phone text,
  timezone text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

comment on table profiles is 'What people show of themselves.';
comment on column profiles.email is 'Copy of auth.users.email, kept by a trigger there.';
comment on column profiles.timezone is 'IANA name, for example America/Chicago; null shows times in the client''s zone.';

create function app.copy_email_to_profile()
returns trigger
language plpgsql
security definer
set search_path = public, pg_temp
as $$
begin
  update profiles
  set email = new.email,
      updated_at = new.updated_at
  where id = new.id;
  return null;
end
$$;

comment on function app.copy_email_to_profile() is 'Keeps profiles.email the same as auth.users.email.';

create trigger copy_email_to_profile
after update of email on auth.users
for each row
when (old.email is distinct from new.email)
execute function app.copy_email_to_profile();

create function app.end_sessions_of_deactivated()
returns trigger
language plpgsql
security definer
set search_path = public, pg_temp
as $$
begin
  update auth.sessions
  set revoked_at = new.deactivated_at
  where user_id = new.id
    and revoked_at is null;
  return null;
end
$$;

comment on function app.end_sessions_of_deactivated() is
  'Somebody who comes back later signs in anew: no session outlives a deactivation.';

create trigger end_sessions_of_deactivated
after update of deactivated_at on auth.users
for each row
when (old.deactivated_at is null and new.deactivated_at is not null)
execute function app.end_sessions_of_deactivated();


-- Organizations and clients --------------------------------------------------------------------------------------

create table organizations (
  id uuid primary key,
  name text not null,
  slug text not null,
  type text not null,
  settings_json jsonb not null default '{}',
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint organizations_slug_key unique (slug),
  constraint organizations_slug_form check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  constraint organizations_name_present check (btrim(name) <> ''),
  constraint organizations_type check (type in ('internal', 'agency', 'direct'))
);

comment on table organizations is 'The top of the tenancy: who runs ACE, an agency with many clients, or a business on its own.';
comment on column organizations.type is 'internal: the operator; agency: many clients; direct: one client, itself.';
comment on column organizations.settings_json is 'Price list, second factor required, approval by a second person, and the like.';

create table clients (
  id uuid primary key,
  org_id uuid not null references organizations,
  name text not null,
  slug text not null,
  industry industry not null default 'other',
  logo_url text,
  brand_colors_json jsonb not null default '{}',
  website_url text,
  support_phone text,
  time_zone text not null default 'America/New_York',
  settings_json jsonb not null default '{}',
  api_key_hash text,
  credits integer not null default 0,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint clients_slug_key unique (slug),
  constraint clients_slug_form check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  constraint clients_name_present check (btrim(name) <> ''),
  constraint clients_org_id_id_key unique (org_id, id),
  constraint clients_credits_not_negative check (credits >= 0)
);

create unique index clients_api_key_hash_idx on clients (api_key_hash);

comment on table clients is 'A business that mails. The tenant: every row of a tenant table names one.';
comment on column clients.slug is 'The client''s part of console addresses: /{slug}/contacts.';
comment on column clients.api_key_hash is 'SHA-256, in hex, of the client''s primary API key; the named ones are in api_keys.';
comment on column clients.credits is 'Sum of the client''s credit_ledger; changed by inserting there and in no other way.';
comment on column clients.time_zone is 'IANA name; days, calendars and quiet hours of the client follow it.';

create table user_roles (
  id uuid primary key,
  user_id uuid not null references auth.users on delete cascade,
  role app_role not null,
  created_at timestamptz not null default now(),
  constraint user_roles_user_id_role_key unique (user_id, role)
);

create index user_roles_role_idx on user_roles (role);

comment on table user_roles is 'The roles of a person. Several roles add up: reach and rights are their union.';

create table role_permissions (
  id uuid primary key,
  role app_role not null,
  permission_key text not null,
  created_at timestamptz not null default now(),
  constraint role_permissions_role_permission_key_key unique (role, permission_key),
  constraint role_permissions_key_form check (permission_key ~ '^[a-z_]+\.[a-z_]+$')
);

comment on table role_permissions is 'Which role holds which permission key (area.action). Seeded below, editable by admins.';

create table org_members (
  id uuid primary key,
  org_id uuid not null references organizations,
  user_id uuid not null references auth.users on delete cascade,
  created_at timestamptz not null default now(),
  constraint org_members_org_id_user_id_key unique (org_id, user_id)
);

create index org_members_user_id_idx on org_members (user_id);

comment on table org_members is 'People of an organization. With the role agency_owner: reach to every client of it.';

create table client_users (
  id uuid primary key,
  client_id uuid not null references clients,
  user_id uuid not null references auth.users on delete cascade,
  created_at timestamptz not null default now(),
  constraint client_users_client_id_user_id_key unique (client_id, user_id)
);

create index client_users_user_id_idx on client_users (user_id);

comment on table client_users is 'People of a client. With the role company_owner, developer or call_center: reach to it.';

create table api_keys (
  id uuid primary key,
  client_id uuid not null references clients,
  name text not null,
  key_hash bytea not null,
  last_four text not null,
  mode text not null default 'live',
  scopes text[] not null default '{}',
  created_by_user_id uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  constraint api_keys_key_hash_key unique (key_hash),
  constraint api_keys_name_present check (btrim(name) <> ''),
  constraint api_keys_mode check (mode in ('live', 'test'))
);

comment on table api_keys is 'Keys of programs that act for one client. Shown once; only the SHA-256 is kept.';
comment on column api_keys.last_four is 'The end of the key, so that people can tell keys apart.';
comment on column api_keys.scopes is 'The permission keys it holds: at most those of the person who made it.';

create table invitations (
  id uuid primary key,
  org_id uuid not null references organizations,
  client_id uuid,
  email text not null,
  role app_role not null,
  token_hash bytea not null,
  status text not null default 'pending',
  invited_by uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  accepted_user_id uuid references auth.users on delete set null,
  constraint invitations_token_hash_key unique (token_hash),
  constraint invitations_org_id_client_id_fkey foreign key (org_id, client_id) references clients (org_id, id),
  constraint invitations_status check (status in ('pending', 'accepted', 'expired', 'revoked')),
  constraint invitations_email_lower check (email = lower(email)),
  constraint invitations_client_for_role check ((role in ('company_owner', 'developer', 'call_center')) = (client_id is not null))
);

create index invitations_client_id_idx on invitations (client_id);
create unique index invitations_pending_key on invitations (org_id, email, role, client_id) where status = 'pending';

comment on table invitations is 'Links by which people join: stored hashed, seven days, single use.';
comment on column invitations.client_id is 'The client the person will belong to; null where the role is about the organization.';

create table audit_log (
  id uuid primary key,
  at timestamptz not null,
  actor_kind text not null,
  actor_user_id uuid,
  actor_key_id uuid,
  actor_label text,
  action text not null,
  table_name text,
  row_id uuid,
  client_id uuid,
  org_id uuid,
  before jsonb,
  after jsonb,
  ip inet,
  user_agent text,
  request_id uuid,
  constraint audit_log_actor_kind check (actor_kind in ('user', 'key', 'operator', 'client', 'public_link', 'worker', 'auth'))
);

create index audit_log_client_id_at_idx on audit_log (client_id, at desc);
create index audit_log_org_id_at_idx on audit_log (org_id, at desc);
create index audit_log_at_idx on audit_log (at desc);
create index audit_log_row_id_idx on audit_log (row_id);

create trigger refuse_change
before update or delete or truncate on audit_log
for each statement
execute function app.refuse_change();

comment on table audit_log is
  'Who did what to which row, before and after, from where. Append-only; written in the transaction it records. '
  'It refers to nothing by foreign key: the record outlives what it is about.';
comment on column audit_log.actor_label is 'The name at that time: e-mail of the person, name of the key, purpose of the process.';
comment on column audit_log.before is 'What changed, as it was; secrets masked.';
comment on column audit_log.after is 'What changed, as it is; secrets masked.';

create table idempotency_keys (
  caller_id uuid not null,
  key text not null,
  client_id uuid references clients,
  method text not null,
  path text not null,
  request_hash bytea not null,
  status integer,
  response_headers jsonb,
  response_body_sealed bytea,
  created_at timestamptz not null,
  primary key (caller_id, key),
  constraint idempotency_keys_length check (char_length(key) between 1 and 255)
);

create index idempotency_keys_created_at_idx on idempotency_keys (created_at);
create index idempotency_keys_client_id_idx on idempotency_keys (client_id);

comment on table idempotency_keys is 'Answers to POSTs with an Idempotency-Key, for 24 hours: the same request again is answered from here.';
comment on column idempotency_keys.caller_id is 'The API key or the person.';
comment on column idempotency_keys.status is 'Null while the first request is still at work.';
comment on column idempotency_keys.response_body_sealed is 'Sealed with the keyring: an answer may hold a secret that is shown once.';


-- Who reaches what -----------------------------------------------------------------------------------------------
-- plpgsql rather than sql: its plans are kept for the life of the connection. Owned by ace_system, which the policies
-- let read these tables; used in policies only as (select app.x()), once a statement.

create function app.actor_user_id()
returns uuid
language plpgsql
stable
parallel safe
security definer
set search_path = public, pg_temp
as $$
declare
  v_user_id uuid := app.setting_uuid('app.user_id');
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

comment on function app.actor_user_id() is 'The person asking; null for everybody else and for the deactivated.';


create function app.actor_key_client_id()
returns uuid
language plpgsql
stable
parallel safe
security definer
set search_path = public, pg_temp
as $$
declare
  v_key_id uuid := app.setting_uuid('app.key_id');
begin
  if v_key_id is null then
    return null;
  end if;
  return (
    select client_id
    from api_keys
    where id = v_key_id
      and revoked_at is null
      and (expires_at is null or expires_at > app.clock())
  );
end
$$;

comment on function app.actor_key_client_id() is 'The client of the API key asking; null where the key is revoked or expired.';


create function app.actor_has_role(variadic p_roles app_role[])
returns boolean
language plpgsql
stable
parallel safe
security definer
set search_path = public, pg_temp
as $$
declare
  v_user_id uuid := app.actor_user_id();
begin
  if v_user_id is null then
    return false;
  end if;
  return exists (
    select
    from user_roles
    where user_id = v_user_id
      and role = any (p_roles)
  );
end
$$;

comment on function app.actor_has_role(app_role[]) is 'Whether the person asking has one of the roles.';


create function app.read_all()
returns boolean
language plpgsql
stable
parallel safe
as $$
begin
  return app.is_operator() or app.actor_has_role('admin', 'tech_support');
end
$$;

comment on function app.read_all() is 'Reads every tenant: the operator, admin, tech_support.';


create function app.write_all()
returns boolean
language plpgsql
stable
parallel safe
as $$
begin
  return app.is_operator() or app.actor_has_role('admin');
end
$$;

comment on function app.write_all() is 'Writes every tenant: the operator, admin.';


create function app.managed_org_ids()
returns uuid[]
language plpgsql
stable
parallel safe
security definer
set search_path = public, pg_temp
as $$
begin
  if not app.actor_has_role('agency_owner') then
    return '{}';
  end if;
  return array(
    select org_id
    from org_members
    where user_id = app.actor_user_id()
  );
end
$$;

comment on function app.managed_org_ids() is 'Organizations that are the actor''s to run: those an agency_owner is a member of.';


create function app.client_ids()
returns uuid[]
language plpgsql
stable
parallel safe
security definer
set search_path = public, pg_temp
as $$
declare
  v_client_id uuid := coalesce(app.setting_uuid('app.client_id'), app.actor_key_client_id());
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

comment on function app.client_ids() is
  'Clients the actor reads and writes by name. People who reach every client pass by read_all() and write_all() instead: '
  'a tech_support who also is company_owner of X reads all and writes X.';


create function app.org_ids()
returns uuid[]
language plpgsql
stable
parallel safe
security definer
set search_path = public, pg_temp
as $$
begin
  return array(
    select org_id
    from org_members
    where user_id = app.actor_user_id()
    union
    select org_id
    from clients
    where id = any (app.client_ids())
  );
end
$$;

comment on function app.org_ids() is 'Organizations the actor may see: their own, and those of the clients they reach.';


create function app.visible_user_ids()
returns uuid[]
language plpgsql
stable
parallel safe
security definer
set search_path = public, pg_temp
as $$
declare
  v_client_ids uuid[] := app.client_ids();
  v_org_ids uuid[] := app.org_ids();
begin
  return array(
    select app.actor_user_id()
    where app.actor_user_id() is not null
    union
    select user_id
    from client_users
    where client_id = any (v_client_ids)
    union
    select user_id
    from org_members
    where org_id = any (v_org_ids)
  );
end
$$;

comment on function app.visible_user_ids() is 'The actor and the people who share a client or an organization with them.';


create function app.grantable_roles()
returns app_role[]
language plpgsql
stable
parallel safe
as $$
begin
  if app.write_all() then
    return enum_range(null::app_role);
  elsif app.actor_has_role('agency_owner') then
    return array['company_owner', 'developer', 'call_center']::app_role[];
  elsif app.actor_has_role('company_owner') then
    return array['developer', 'call_center']::app_role[];
  end if;
  return '{}';
end
$$;

comment on function app.grantable_roles() is 'Roles the actor may give or take through the database. The application also asks for the permission.';


create function app.managed_user_ids()
returns uuid[]
language plpgsql
stable
parallel safe
security definer
set search_path = public, pg_temp
as $$
declare
  v_client_ids uuid[] := app.client_ids();
  v_org_ids uuid[] := app.managed_org_ids();
  v_roles app_role[] := app.grantable_roles();
begin
  return array(
    select u.id
    from auth.users u
    where u.id in (
        select user_id from client_users where client_id = any (v_client_ids)
        union
        select user_id from org_members where org_id = any (v_org_ids)
      )
      and not exists (
        select from client_users c where c.user_id = u.id and c.client_id <> all (v_client_ids)
      )
      and not exists (
        select from org_members m where m.user_id = u.id and m.org_id <> all (v_org_ids)
      )
      and not exists (
        select from user_roles r where r.user_id = u.id and r.role <> all (v_roles)
      )
  );
end
$$;

comment on function app.managed_user_ids() is
  'People whose roles are the actor''s to change: a role counts everywhere, so only those who belong to nobody else '
  'and hold nothing the actor could not have granted.';


create function app.second_factor_required(p_user_id uuid)
returns boolean
language plpgsql
stable
parallel safe
security definer
set search_path = public, pg_temp
as $$
begin
  return exists (
    select
    from organizations o
    where coalesce((o.settings_json ->> 'require_second_factor')::boolean, false)
      and (
        o.id in (select m.org_id from org_members m where m.user_id = p_user_id)
        or o.id in (
          select c.org_id
          from client_users u
          join clients c on c.id = u.client_id
          where u.user_id = p_user_id
        )
      )
  );
end
$$;

comment on function app.second_factor_required(uuid) is
  'Whether an organization of the person, or of a client of theirs, requires a second factor (settings_json.require_second_factor).';


grant create on schema app to ace_system;

alter function app.actor_user_id() owner to ace_system;
alter function app.actor_key_client_id() owner to ace_system;
alter function app.actor_has_role(app_role[]) owner to ace_system;
alter function app.managed_org_ids() owner to ace_system;
alter function app.client_ids() owner to ace_system;
alter function app.org_ids() owner to ace_system;
alter function app.visible_user_ids() owner to ace_system;
alter function app.managed_user_ids() owner to ace_system;
alter function app.copy_email_to_profile() owner to ace_system;
alter function app.end_sessions_of_deactivated() owner to ace_system;
alter function app.second_factor_required(uuid) owner to ace_system;

revoke create on schema app from ace_system;

grant execute on all functions in schema app to ace_app, ace_system;
revoke execute on function app.tenant_table(regclass, boolean, boolean) from ace_app, ace_system;


-- Policies -------------------------------------------------------------------------------------------------------

select app.tenant_table('api_keys');

-- Sign-in runs as ace_system. ace_app sees people, never their secrets.
do $$
declare
  v_table text;
begin
  foreach v_table in array array[
    'auth.users', 'auth.failed_sign_ins', 'auth.sessions', 'auth.refresh_tokens', 'auth.one_time_tokens', 'auth.recovery_codes',
    'profiles', 'organizations', 'clients', 'user_roles', 'role_permissions', 'org_members', 'client_users',
    'invitations', 'audit_log', 'idempotency_keys'
  ]
  loop
    execute format('alter table %s enable row level security', v_table);
    execute format('alter table %s force row level security', v_table);
    execute format('create policy system_all on %s to ace_system using (true) with check (true)', v_table);
  end loop;
end
$$;

create policy visible on auth.users
  for select to ace_app
  using ((select app.read_all()) or id = any ((select app.visible_user_ids())::uuid[]));

create policy created_by_admin on auth.users
  for insert to ace_app
  with check ((select app.write_all()));

create policy managed on auth.users
  for update to ace_app
  using ((select app.write_all()) or id = any ((select app.managed_user_ids())::uuid[]))
  with check ((select app.write_all()) or id = any ((select app.managed_user_ids())::uuid[]));

grant
  select (id, email, email_confirmed_at, deactivated_at, totp_confirmed_at, last_sign_in_at, created_at, updated_at),
  insert (id, email, encrypted_password, email_confirmed_at, created_at, updated_at),
  update (deactivated_at, updated_at) -- whoever could set the address could take the account over
on auth.users to ace_app;

create policy visible on profiles
  for select to ace_app
  using ((select app.read_all()) or id = any ((select app.visible_user_ids())::uuid[]));

create policy created_by_admin on profiles
  for insert to ace_app
  with check ((select app.write_all()));

create policy own_or_managed on profiles
  for update to ace_app
  using (
    (select app.write_all())
    or id = (select app.actor_user_id())
    or id = any ((select app.managed_user_ids())::uuid[])
  );

grant
  select,
  insert,
  update (full_name, avatar_url, phone, timezone, updated_at)
on profiles to ace_app;

create policy visible on organizations
  for select to ace_app
  using ((select app.read_all()) or id = any ((select app.org_ids())::uuid[]));

create policy created_by_admin on organizations
  for insert to ace_app
  with check ((select app.write_all()));

create policy managed on organizations
  for update to ace_app
  using ((select app.write_all()) or id = any ((select app.managed_org_ids())::uuid[]));

grant select, insert, update on organizations to ace_app;

-- The second half of the condition makes a client visible in the statement that creates it.
create policy visible on clients
  for select to ace_app
  using (
    (select app.read_all())
    or id = any ((select app.client_ids())::uuid[])
    or org_id = any ((select app.managed_org_ids())::uuid[])
  );

create policy created_in_managed_org on clients
  for insert to ace_app
  with check ((select app.write_all()) or org_id = any ((select app.managed_org_ids())::uuid[]));

create policy reached on clients
  for update to ace_app
  using ((select app.write_all()) or id = any ((select app.client_ids())::uuid[]))
  with check ((select app.write_all()) or id = any ((select app.client_ids())::uuid[]));

-- credits is missing on purpose: only the ledger changes it. Nor does a client move to another organization.
grant
  select,
  insert (id, org_id, name, slug, industry, logo_url, brand_colors_json, website_url, support_phone, time_zone, settings_json, created_at, updated_at),
  update (name, slug, industry, logo_url, brand_colors_json, website_url, support_phone, time_zone, settings_json, api_key_hash, archived_at, updated_at)
on clients to ace_app;

create policy visible on user_roles
  for select to ace_app
  using ((select app.read_all()) or user_id = any ((select app.visible_user_ids())::uuid[]));

create policy granted_by_manager on user_roles
  for insert to ace_app
  with check (
    (select app.write_all())
    or (
      user_id = any ((select app.managed_user_ids())::uuid[])
      and role = any ((select app.grantable_roles())::app_role[])
    )
  );

create policy taken_by_manager on user_roles
  for delete to ace_app
  using (
    (select app.write_all())
    or (
      user_id = any ((select app.managed_user_ids())::uuid[])
      and role = any ((select app.grantable_roles())::app_role[])
    )
  );

grant select, insert, delete on user_roles to ace_app;

create policy visible on role_permissions
  for select to ace_app
  using (true);

create policy edited_by_admin on role_permissions
  to ace_app
  using ((select app.write_all()))
  with check ((select app.write_all()));

grant select, insert, delete on role_permissions to ace_app;

create policy visible on org_members
  for select to ace_app
  using (
    (select app.read_all())
    or user_id = (select app.actor_user_id())
    or org_id = any ((select app.org_ids())::uuid[])
  );

create policy managed on org_members
  to ace_app
  using ((select app.write_all()) or org_id = any ((select app.managed_org_ids())::uuid[]))
  with check ((select app.write_all()) or org_id = any ((select app.managed_org_ids())::uuid[]));

grant select, insert, delete on org_members to ace_app;

create policy visible on client_users
  for select to ace_app
  using (
    (select app.read_all())
    or user_id = (select app.actor_user_id())
    or client_id = any ((select app.client_ids())::uuid[])
  );

create policy reached on client_users
  to ace_app
  using ((select app.write_all()) or client_id = any ((select app.client_ids())::uuid[]))
  with check ((select app.write_all()) or client_id = any ((select app.client_ids())::uuid[]));

grant select, insert, delete on client_users to ace_app;

create policy visible on invitations
  for select to ace_app
  using (
    (select app.read_all())
    or client_id = any ((select app.client_ids())::uuid[])
    or org_id = any ((select app.managed_org_ids())::uuid[])
  );

create policy reached on invitations
  to ace_app
  using (
    (select app.write_all())
    or client_id = any ((select app.client_ids())::uuid[])
    or org_id = any ((select app.managed_org_ids())::uuid[])
  )
  with check (
    (
      (select app.write_all())
      or client_id = any ((select app.client_ids())::uuid[])
      or org_id = any ((select app.managed_org_ids())::uuid[])
    )
    and role = any ((select app.grantable_roles())::app_role[])
  );

grant select, insert, update on invitations to ace_app;

create policy visible on audit_log
  for select to ace_app
  using (
    (select app.read_all())
    or client_id = any ((select app.client_ids())::uuid[])
    or org_id = any ((select app.managed_org_ids())::uuid[])
  );

-- Reading is audited too (exports, reveals), so whoever reads a client may write its record; in their own name only.
create policy written_in_own_name on audit_log
  for insert to ace_app
  with check (
    actor_user_id is not distinct from (select app.actor_user_id())
    and (
      client_id is null
      or (select app.read_all())
      or client_id = any ((select app.client_ids())::uuid[])
    )
  );

grant select, insert on audit_log to ace_app;

create policy own on idempotency_keys
  to ace_app
  using (caller_id = coalesce((select app.actor_user_id()), (select app.setting_uuid('app.key_id'))))
  with check (caller_id = coalesce((select app.actor_user_id()), (select app.setting_uuid('app.key_id'))));

grant select, insert, update, delete on idempotency_keys to ace_app;


-- ace_system: signing in, accepting invitations, knowing a key by its hash, auditing all of it.
grant select, insert, update, delete on
  auth.users, auth.failed_sign_ins, auth.sessions, auth.refresh_tokens, auth.one_time_tokens, auth.recovery_codes
to ace_system;

grant select, insert, update on profiles to ace_system;
grant select on organizations, role_permissions to ace_system;
grant select, insert on user_roles, org_members, client_users to ace_system; -- joining by invitation
grant select, update (status, accepted_at, accepted_user_id) on invitations to ace_system;
grant select, update (credits) on clients to ace_system; -- the ledger's trigger
grant select, update (last_used_at) on api_keys to ace_system;
grant select, insert on audit_log to ace_system;
grant select, delete on idempotency_keys to ace_system; -- swept after 24 hours


-- Default grants ---------------------------------------------------------------------------------------------------
-- One line per area and key: which roles hold it. admin holds every key.

insert into role_permissions (id, role, permission_key)
select gen_random_uuid(), r.role::app_role, g.area || '.' || g.action
from (values
  ('dashboard', 'view', '{admin, tech_support, agency_owner, company_owner, developer, call_center}'::text[]),
  ('organizations', 'view', '{admin, tech_support, agency_owner}'::text[]),
  ('organizations', 'create', '{admin}'::text[]),
  ('organizations', 'edit', '{admin, agency_owner}'::text[]),
  ('organizations', 'archive', '{admin}'::text[]),
  ('clients', 'view', '{admin, tech_support, agency_owner, company_owner, developer}'::text[]),
  ('clients', 'create', '{admin, agency_owner}'::text[]),
  ('clients', 'edit', '{admin, agency_owner, company_owner}'::text[]),
  ('clients', 'archive', '{admin, agency_owner}'::text[]),
  ('users', 'view', '{admin, tech_support, agency_owner, company_owner}'::text[]),
  ('users', 'invite', '{admin, agency_owner, company_owner}'::text[]),
  ('users', 'edit', '{admin, agency_owner, company_owner}'::text[]),
  ('users', 'deactivate', '{admin, agency_owner}'::text[]),
  ('contacts', 'view', '{admin, tech_support, agency_owner, company_owner, developer}'::text[]),
  ('contacts', 'create', '{admin, agency_owner, company_owner}'::text[]),
  ('contacts', 'edit', '{admin, agency_owner, company_owner}'::text[]),
  ('contacts', 'delete', '{admin, agency_owner, company_owner}'::text[]),
  ('contacts', 'import', '{admin, agency_owner, company_owner}'::text[]),
  ('contacts', 'export', '{admin, agency_owner, company_owner}'::text[]),
  ('contacts', 'erase', '{admin, agency_owner, company_owner}'::text[]),
  ('lists', 'view', '{admin, tech_support, agency_owner, company_owner, developer}'::text[]),
  ('lists', 'create', '{admin, agency_owner, company_owner}'::text[]),
  ('lists', 'edit', '{admin, agency_owner, company_owner}'::text[]),
  ('lists', 'delete', '{admin, agency_owner, company_owner}'::text[]),
  ('campaigns', 'view', '{admin, tech_support, agency_owner, company_owner, developer, call_center}'::text[]),
  ('campaigns', 'create', '{admin, agency_owner, company_owner}'::text[]),
  ('campaigns', 'edit', '{admin, agency_owner, company_owner}'::text[]),
  ('campaigns', 'delete', '{admin, agency_owner, company_owner}'::text[]),
  ('campaigns', 'launch', '{admin, agency_owner, company_owner}'::text[]),
  ('campaigns', 'approve', '{admin, agency_owner}'::text[]),
  ('campaigns', 'submit', '{admin, agency_owner, company_owner}'::text[]),
  ('campaigns', 'complete', '{admin, agency_owner, company_owner}'::text[]),
  ('campaigns', 'analytics', '{admin, tech_support, agency_owner, company_owner}'::text[]),
  ('templates', 'view', '{admin, tech_support, agency_owner, company_owner, developer}'::text[]),
  ('templates', 'create', '{admin, agency_owner, company_owner}'::text[]),
  ('templates', 'edit', '{admin, agency_owner, company_owner}'::text[]),
  ('templates', 'delete', '{admin, agency_owner, company_owner}'::text[]),
  ('landing_pages', 'view', '{admin, tech_support, agency_owner, company_owner, developer}'::text[]),
  ('landing_pages', 'create', '{admin, agency_owner, company_owner}'::text[]),
  ('landing_pages', 'edit', '{admin, agency_owner, company_owner}'::text[]),
  ('landing_pages', 'delete', '{admin, agency_owner, company_owner}'::text[]),
  ('landing_pages', 'publish', '{admin, agency_owner, company_owner}'::text[]),
  ('forms', 'view', '{admin, tech_support, agency_owner, company_owner, developer}'::text[]),
  ('forms', 'create', '{admin, agency_owner, company_owner}'::text[]),
  ('forms', 'edit', '{admin, agency_owner, company_owner}'::text[]),
  ('forms', 'delete', '{admin, agency_owner, company_owner}'::text[]),
  ('forms', 'publish', '{admin, agency_owner, company_owner}'::text[]),
  ('forms', 'submissions', '{admin, agency_owner, company_owner}'::text[]),
  ('gift_cards', 'view', '{admin, tech_support, agency_owner, company_owner, call_center}'::text[]),
  ('gift_cards', 'manage_pools', '{admin, agency_owner}'::text[]),
  ('gift_cards', 'upload', '{admin, agency_owner}'::text[]),
  ('gift_cards', 'transfer', '{admin}'::text[]),
  ('gift_cards', 'provision', '{admin, agency_owner, company_owner, call_center}'::text[]),
  ('gift_cards', 'reveal', '{admin, agency_owner}'::text[]),
  ('gift_cards', 'revoke', '{admin, agency_owner}'::text[]),
  ('gift_cards', 'export', '{admin, agency_owner}'::text[]),
  ('credits', 'view', '{admin, tech_support, agency_owner, company_owner}'::text[]),
  ('credits', 'grant', '{admin, agency_owner}'::text[]),
  ('calls', 'view', '{admin, tech_support, agency_owner, company_owner, call_center}'::text[]),
  ('calls', 'handle', '{admin, agency_owner, company_owner, call_center}'::text[]),
  ('calls', 'confirm_condition', '{admin, agency_owner, company_owner, call_center}'::text[]),
  ('calls', 'numbers', '{admin, agency_owner, company_owner}'::text[]),
  ('calls', 'recordings', '{admin, agency_owner, company_owner}'::text[]),
  ('messages', 'view', '{admin, tech_support, agency_owner, company_owner, call_center}'::text[]),
  ('messages', 'resend', '{admin, agency_owner, company_owner, call_center}'::text[]),
  ('analytics', 'view', '{admin, tech_support, agency_owner, company_owner, developer}'::text[]),
  ('analytics', 'export', '{admin, agency_owner, company_owner}'::text[]),
  ('webhooks', 'view', '{admin, tech_support, agency_owner, company_owner, developer}'::text[]),
  ('webhooks', 'manage', '{admin, agency_owner, company_owner, developer}'::text[]),
  ('webhooks', 'replay', '{admin, agency_owner, company_owner, developer}'::text[]),
  ('api_keys', 'view', '{admin, tech_support, agency_owner, company_owner, developer}'::text[]),
  ('api_keys', 'manage', '{admin, agency_owner, company_owner, developer}'::text[]),
  ('docs', 'view', '{admin, tech_support, agency_owner, company_owner, developer, call_center}'::text[]),
  ('docs', 'manage', '{admin}'::text[]),
  ('audit', 'view', '{admin, tech_support, agency_owner}'::text[]),
  ('audit', 'export', '{admin}'::text[]),
  ('platform', 'pools', '{admin}'::text[]),
  ('platform', 'brands', '{admin}'::text[]),
  ('platform', 'permissions', '{admin}'::text[]),
  ('platform', 'jobs', '{admin, tech_support}'::text[]),
  ('platform', 'health', '{admin, tech_support}'::text[]),
  ('platform', 'settings', '{admin}'::text[])
) as g (area, action, roles)
cross join lateral unnest(g.roles) as r (role);
