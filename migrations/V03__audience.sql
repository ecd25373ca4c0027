-- Contacts, the lists and tags that group them, what they agreed to, and the imports that bring them in.

create table audiences (
  id uuid primary key,
  client_id uuid not null references clients,
  name text not null,
  created_at timestamptz not null default now()
);

comment on table audiences is 'Deprecated: superseded by contact_lists. Kept because campaigns and recipients may still point here.';


create table contacts (
  id uuid primary key,
  client_id uuid not null references clients,
  customer_code text not null,
  first_name text,
  last_name text,
  email text,
  phone text,
  mobile_phone text,
  company text,
  job_title text,
  address text,
  address2 text,
  city text,
  state text,
  zip text,
  country text,
  lifecycle_stage text not null default 'lead',
  lead_score integer not null default 0,
  engagement_score integer not null default 0,
  lead_source text,
  do_not_contact boolean not null default false,
  email_opt_out boolean not null default false,
  sms_opt_out boolean not null default false,
  custom_fields jsonb not null default '{}',
  notes text,
  last_activity_date timestamptz,
  match_key text,
  created_by_user_id uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint contacts_customer_code_key unique (customer_code, client_id),
  constraint contacts_customer_code_form check (customer_code ~ '^[A-Z0-9][A-Z0-9_-]{2,49}$'),
  constraint contacts_lifecycle_stage check (lifecycle_stage in ('lead', 'mql', 'sql', 'opportunity', 'customer', 'evangelist')),
  constraint contacts_lead_score check (lead_score between 0 and 100),
  constraint contacts_engagement_score check (engagement_score between 0 and 100),
  constraint contacts_custom_fields_object check (jsonb_typeof(custom_fields) = 'object')
);

-- Look-ups name the value and the client, so one index serves both orders.
create index contacts_email_idx on contacts (email, client_id) where email is not null;
create index contacts_phone_idx on contacts (phone, client_id) where phone is not null;
create index contacts_match_key_idx on contacts (match_key, client_id) where match_key is not null;
create index contacts_lifecycle_stage_idx on contacts (lifecycle_stage, client_id);
create index contacts_lead_score_idx on contacts (lead_score, client_id);
create index contacts_created_by_user_id_idx on contacts (created_by_user_id) where created_by_user_id is not null;

comment on table contacts is 'The people a client may write to.';
comment on column contacts.customer_code is 'The client''s own code for the person, upper case, unique per client; generated when absent.';
comment on column contacts.email is 'Lower case. What cannot be normalised is kept as given.';
comment on column contacts.phone is 'E.164. What cannot be normalised is kept as given.';
comment on column contacts.match_key is 'Name and normalised address in one string, by which duplicates are found; null where either is missing.';
comment on column contacts.engagement_score is 'Recency, frequency and campaigns, 0 to 100; behaviour.md section 2 has the sum.';
comment on column contacts.do_not_contact is 'Stops everything, mail included; the two opt-outs stop their channel.';

select app.tenant_table('audiences');
select app.tenant_table('contacts');


create table contact_lists (
  id uuid primary key,
  client_id uuid not null references clients,
  name text not null,
  description text,
  list_type text not null default 'static',
  filter_rules jsonb,
  contact_count integer not null default 0,
  created_by_user_id uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_sync_at timestamptz,
  constraint contact_lists_client_id_name_key unique (client_id, name),
  constraint contact_lists_name_present check (btrim(name) <> ''),
  constraint contact_lists_list_type check (list_type in ('static', 'dynamic')),
  constraint contact_lists_filter_rules check ((list_type = 'dynamic') = (filter_rules is not null)),
  constraint contact_lists_contact_count_not_negative check (contact_count >= 0)
) with (fillfactor = 80);

create index contact_lists_list_type_idx on contact_lists (list_type);

comment on table contact_lists is 'Named groups of contacts: static ones are picked or imported, dynamic ones follow filter_rules.';
comment on column contact_lists.contact_count is 'Exact: kept by triggers on contact_list_members.';
comment on column contact_lists.last_sync_at is 'When the members of a dynamic list were last brought up to date.';

select app.tenant_table('contact_lists');


create table contact_list_members (
  id uuid primary key,
  client_id uuid not null,
  list_id uuid not null,
  contact_id uuid not null,
  added_by_user_id uuid references auth.users on delete set null,
  added_at timestamptz not null default now(),
  constraint contact_list_members_list_id_contact_id_key unique (list_id, contact_id),
  constraint contact_list_members_list_id_fkey foreign key (client_id, list_id)
    references contact_lists (client_id, id) on delete cascade,
  constraint contact_list_members_contact_id_fkey foreign key (client_id, contact_id)
    references contacts (client_id, id) on delete cascade
);

create index contact_list_members_contact_id_idx on contact_list_members (contact_id, client_id);

comment on table contact_list_members is
  'Who is in which list. Its client exists because its list does: no third foreign key is checked for every row.';

select app.tenant_table('contact_list_members', referenced => false);

create function app.count_list_members()
returns trigger
language plpgsql
security definer
set search_path = public, pg_temp
as $$
begin
  -- Locked in one order, so that two imports into the same lists cannot wait for each other.
  perform l.id
  from contact_lists l
  where l.id in (select c.list_id from changed c)
  order by l.id
  for no key update;

  update contact_lists l
  set contact_count = l.contact_count + case tg_op when 'INSERT' then c.n else -c.n end
  from (select list_id, count(*)::integer as n from changed group by list_id) c
  where l.id = c.list_id;

  return null;
end
$$;

comment on function app.count_list_members() is 'Keeps contact_lists.contact_count exact: once a statement, not once a row.';

grant create on schema app to ace_system;
alter function app.count_list_members() owner to ace_system;
revoke create on schema app from ace_system;

create trigger count_inserted
after insert on contact_list_members
referencing new table as changed
for each statement
execute function app.count_list_members();

create trigger count_deleted
after delete on contact_list_members
referencing old table as changed
for each statement
execute function app.count_list_members();

-- Membership is added and taken away, never changed.
revoke update on contact_list_members from ace_app;
grant update (contact_id) on contact_list_members to ace_app; -- merging two contacts


create table contact_tags (
  id uuid primary key,
  client_id uuid not null,
  contact_id uuid not null,
  tag text not null,
  tag_category text,
  created_by_user_id uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  constraint contact_tags_contact_id_tag_key unique (contact_id, tag),
  constraint contact_tags_contact_id_fkey foreign key (client_id, contact_id)
    references contacts (client_id, id) on delete cascade,
  constraint contact_tags_tag_present check (btrim(tag) <> '')
);

create index contact_tags_tag_idx on contact_tags (tag, client_id);

comment on table contact_tags is 'Words attached to contacts, one row each.';
comment on column contact_tags.tag_category is 'interest, behavior, source, status, geographic, or free.';

select app.tenant_table('contact_tags');


create table contact_consents (
  id uuid primary key,
  client_id uuid not null,
  contact_id uuid not null,
  channel text not null,
  granted boolean not null,
  source text not null,
  wording text,
  recorded_by_user_id uuid references auth.users on delete set null,
  recorded_at timestamptz not null,
  constraint contact_consents_contact_id_fkey foreign key (client_id, contact_id)
    references contacts (client_id, id) on delete cascade,
  constraint contact_consents_channel check (channel in ('all', 'mail', 'email', 'sms', 'call'))
);

create index contact_consents_contact_id_idx on contact_consents (contact_id, recorded_at);

comment on table contact_consents is 'Every yes and no a contact gave: who recorded it, when, from where, in which words. The flags on contacts are the latest.';
comment on column contact_consents.source is 'form, import, sms_reply, agent, api, …';
comment on column contact_consents.wording is 'What the person read or wrote, word for word.';

select app.tenant_table('contact_consents');
revoke update on contact_consents from ace_app;


-- Imports --------------------------------------------------------------------------------------------------------

create table imports (
  id uuid primary key,
  client_id uuid not null references clients,
  list_id uuid,
  filename text not null,
  status text not null default 'uploaded',
  options jsonb not null default '{}',
  total_bytes bigint,
  bytes_read bigint not null default 0,
  rows_read bigint not null default 0,
  rows_created bigint not null default 0,
  rows_updated bigint not null default 0,
  rows_skipped bigint not null default 0,
  rows_refused bigint not null default 0,
  rows_flagged bigint not null default 0,
  last_line bigint not null default 0,
  error text,
  created_by_user_id uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  progressed_at timestamptz,
  finished_at timestamptz,
  constraint imports_list_id_fkey foreign key (client_id, list_id)
    references contact_lists (client_id, id) on delete set null (list_id),
  constraint imports_status check (status in ('uploaded', 'mapping', 'running', 'finished', 'cancelled', 'failed'))
);

create index imports_list_id_idx on imports (list_id, client_id);

comment on table imports is 'One row per file of contacts: how it is read, how far it is, what came of it.';
comment on column imports.options is 'Encoding, delimiter, column mapping, how duplicates are matched and what happens to them.';
comment on column imports.last_line is 'Everything up to this line is committed; an interrupted import goes on after it.';
comment on column imports.progressed_at is 'When the last chunk was committed: whoever finds an import that stands still takes it over.';
comment on column imports.rows_flagged is 'Rows kept although a value could not be normalised.';

select app.tenant_table('imports');

create table import_files (
  id uuid primary key,
  client_id uuid not null,
  import_id uuid not null,
  seq integer not null,
  data bytea not null,
  constraint import_files_import_id_seq_key unique (import_id, seq),
  constraint import_files_import_id_fkey foreign key (client_id, import_id)
    references imports (client_id, id) on delete cascade
);

alter table import_files alter column data set storage external;

comment on table import_files is 'The uploaded file in chunks, so that any worker can read it and start again; deleted when the import is done.';

select app.tenant_table('import_files', referenced => false);

create table import_refusals (
  id uuid primary key,
  client_id uuid not null,
  import_id uuid not null,
  line_number bigint not null,
  column_name text,
  reason text not null,
  raw text,
  refused boolean not null default true,
  constraint import_refusals_import_id_fkey foreign key (client_id, import_id)
    references imports (client_id, id) on delete cascade
);

create index import_refusals_import_id_line_number_idx on import_refusals (import_id, line_number);

comment on table import_refusals is 'Lines of an import that were refused, or kept with a remark, and why.';
comment on column import_refusals.raw is 'The line as it stood in the file, for the downloadable report.';
comment on column import_refusals.refused is 'False: the row was kept, the value as given.';

select app.tenant_table('import_refusals');

-- COPY does not work on a table with row-level security. A chunk is therefore copied into a temporary table of this
-- shape, which nobody but its own transaction can see, and merged from there. A temporary table hides the permanent
-- one, which only lends its shape (and lets statements be checked) and stays empty.
create unlogged table import_rows (
  client_id uuid not null,
  line_number bigint not null,
  contact_id uuid not null,
  member_id uuid not null,
  dedupe_key text,
  check_code boolean not null,
  known boolean not null default false,
  customer_code text not null,
  first_name text,
  last_name text,
  email text,
  phone text,
  mobile_phone text,
  company text,
  job_title text,
  address text,
  address2 text,
  city text,
  state text,
  zip text,
  country text,
  lead_source text,
  notes text,
  do_not_contact boolean,
  email_opt_out boolean,
  sms_opt_out boolean,
  lifecycle_stage text,
  lead_score integer,
  custom_fields jsonb,
  match_key text,
  tags text[]
);

comment on table import_rows is 'The shape of a chunk of an import between COPY and merge. Always empty: see the temporary tables of the same name.';
comment on column import_rows.contact_id is 'The id the contact gets if it is new; the id it has once it is known.';
comment on column import_rows.member_id is 'The id of its membership in the import''s list, if it is not yet a member.';
comment on column import_rows.dedupe_key is 'The e-mail, phone or match_key by which the contact is looked for; null: by its code alone.';
comment on column import_rows.check_code is 'False: the code was made by chance and need not be looked for.';
comment on column import_rows.known is 'The contact is already there.';

select app.tenant_table('import_rows', referenced => false);

create function app.stage_import_rows()
returns void
language plpgsql
as $$
begin
  create temporary table import_rows (like public.import_rows including defaults) on commit drop;
end
$$;

comment on function app.stage_import_rows() is
  'Makes this transaction''s own import_rows, which vanishes with it.';

grant execute on function app.stage_import_rows() to ace_app;

create function app.undeliverable(p_address text, p_city text, p_state text, p_zip text, p_country text)
returns text
language sql
immutable
parallel safe
return case
  when btrim(coalesce(p_address, '')) = '' then 'no_address'
  when btrim(coalesce(p_city, '')) = '' or btrim(coalesce(p_state, '')) = '' or btrim(coalesce(p_zip, '')) = '' then 'undeliverable_address'
  when coalesce(nullif(btrim(p_country), ''), 'US') <> 'US' then null
  when p_state not in (
    'AL', 'AK', 'AZ', 'AR', 'CA', 'CO', 'CT', 'DE', 'DC', 'FL', 'GA', 'HI', 'ID', 'IL', 'IN', 'IA', 'KS', 'KY', 'LA', 'ME',
    'MD', 'MA', 'MI', 'MN', 'MS', 'MO', 'MT', 'NE', 'NV', 'NH', 'NJ', 'NM', 'NY', 'NC', 'ND', 'OH', 'OK', 'OR', 'PA', 'RI',
    'SC', 'SD', 'TN', 'TX', 'UT', 'VT', 'VA', 'WA', 'WV', 'WI', 'WY', 'AS', 'GU', 'MP', 'PR', 'VI', 'FM', 'MH', 'PW', 'AA',
    'AE', 'AP') then 'undeliverable_address'
  when p_zip !~ '^[0-9]{5}(-[0-9]{4})?$' then 'undeliverable_address'
end;

comment on function app.undeliverable(text, text, text, text, text) is
  'Why a mail piece could not be delivered to a stored address, in the words of recipient_skips.reason; null: it could. '
  'Says of normalised values what kernel::postal::deliverable says; a test holds them together.';

grant execute on function app.undeliverable(text, text, text, text, text) to ace_app, ace_system;


-- ace_system: forms answered through a public link find or make the contact; STOP opts out; lists are counted.
grant select, insert, update on contacts to ace_system;
grant select, update (contact_count, last_sync_at, updated_at) on contact_lists to ace_system;
grant select, insert on contact_list_members, contact_tags, contact_consents to ace_system;
-- A worker that lost its lease is found by looking at every client's unfinished imports.
grant select on imports to ace_system;
