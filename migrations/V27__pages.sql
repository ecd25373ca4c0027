-- Pictures that clients upload.

create table client_logos (
  id uuid primary key,
  client_id uuid not null references clients,
  content_type text not null,
  picture bytea not null,
  created_at timestamptz not null default now(),
  constraint client_logos_content_type check (content_type in ('image/png', 'image/jpeg')),
  constraint client_logos_picture_size check (octet_length(picture) between 1 and 204800)
);

comment on table client_logos is
  'The logo a client uploaded, served to everybody under /p/logo-{id}: recipients and mail programs see it. A new one has a new id.';

select app.tenant_table('client_logos', referenced => false);

-- Pages for strangers show it.
grant select on client_logos to ace_public;
