-- What people design: mail pieces, landing pages, forms.

create type mail_size as enum ('4x6', '6x9', '6x11', 'letter');

comment on type mail_size is 'Trim in inches, height by width; bleed and zones are in mail.md.';

create table templates (
  id uuid primary key,
  client_id uuid not null references clients,
  name text not null,
  size mail_size not null,
  design_json jsonb not null default '{}',
  thumbnail_url text,
  is_favorite boolean not null default false,
  category text,
  archived_at timestamptz,
  created_by_user_id uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint templates_name_present check (btrim(name) <> '')
);

create index templates_is_favorite_idx on templates (is_favorite);

comment on table templates is 'Designs of mail pieces.';
comment on column templates.design_json is 'GrapesJS project, front and back.';

create unique index templates_client_id_name_key on templates (client_id, name) where archived_at is null;

select app.tenant_table('templates');


create table landing_pages (
  id uuid primary key,
  client_id uuid not null references clients,
  name text not null,
  editor_type text not null default 'grapesjs',
  content_json jsonb not null default '{}',
  is_published boolean not null default false,
  published_at timestamptz,
  published_version_id uuid,
  archived_at timestamptz,
  created_by_user_id uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint landing_pages_name_present check (btrim(name) <> ''),
  constraint landing_pages_editor_type check (editor_type in ('grapesjs', 'custom', 'ai')),
  constraint landing_pages_published check (not is_published or (published_at is not null and published_version_id is not null))
);

create index landing_pages_is_published_idx on landing_pages (is_published);

comment on table landing_pages is 'Pages a recipient''s link leads to; this row is the draft, landing_page_versions is what strangers get.';
comment on column landing_pages.content_json is 'The editor''s project together with the HTML and CSS compiled from it.';

create unique index landing_pages_client_id_name_key on landing_pages (client_id, name) where archived_at is null;

select app.tenant_table('landing_pages');

create table landing_page_versions (
  id uuid primary key,
  client_id uuid not null,
  landing_page_id uuid not null,
  version integer not null,
  html text not null,
  css text not null default '',
  content_json jsonb not null default '{}',
  published_by_user_id uuid references auth.users on delete set null,
  published_at timestamptz not null,
  constraint landing_page_versions_landing_page_id_version_key unique (landing_page_id, version),
  constraint landing_page_versions_landing_page_id_fkey foreign key (client_id, landing_page_id)
    references landing_pages (client_id, id) on delete cascade
);

comment on table landing_page_versions is 'What was published, as it was published: never changed, so that a page can be served, compared and taken back.';

select app.tenant_table('landing_page_versions');
revoke update on landing_page_versions from ace_app;

alter table landing_pages
  add constraint landing_pages_published_version_id_fkey foreign key (client_id, published_version_id)
  references landing_page_versions (client_id, id);


create table ace_forms (
  id uuid primary key,
  client_id uuid not null references clients,
  name text not null,
  description text,
  form_config jsonb not null default '{"fields": []}',
  is_active boolean not null default false,
  is_draft boolean not null default true,
  total_views integer not null default 0,
  total_submissions integer not null default 0,
  archived_at timestamptz,
  created_by uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_auto_save timestamptz,
  constraint ace_forms_name_present check (btrim(name) <> ''),
  constraint ace_forms_total_views_not_negative check (total_views >= 0),
  constraint ace_forms_total_submissions_not_negative check (total_submissions >= 0)
) with (fillfactor = 80);

create index ace_forms_is_active_idx on ace_forms (is_active);

comment on table ace_forms is 'Forms strangers fill in at /f/{id}: its id is its public address.';
comment on column ace_forms.form_config is 'fields, settings, reveal; checked against the published JSON Schema by builder and server alike.';

create unique index ace_forms_client_id_name_key on ace_forms (client_id, name) where archived_at is null;

select app.tenant_table('ace_forms');


-- ace_system: public links serve pages and forms of every client.
grant select on templates, landing_pages, landing_page_versions to ace_system;
grant select, update (total_views, total_submissions) on ace_forms to ace_system;
