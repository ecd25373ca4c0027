-- The documentation portal.

create table documentation_pages (
  id uuid primary key,
  category text not null,
  title text not null,
  slug text not null,
  file_path text,
  content text not null default '',
  order_index integer not null default 0,
  is_admin_only boolean not null default false,
  search_keywords text[] not null default '{}',
  last_updated timestamptz not null default now(),
  created_at timestamptz not null default now(),
  constraint documentation_pages_category_slug_key unique (category, slug)
);

create index documentation_pages_category_order_index_idx on documentation_pages (category, order_index);
create index documentation_pages_search_keywords_idx on documentation_pages using gin (search_keywords);

comment on table documentation_pages is 'User documentation: shipped from docs/, editable by admins.';
comment on column documentation_pages.file_path is 'The file it was shipped from; null: written here.';

create table documentation_views (
  id uuid primary key,
  page_id uuid not null references documentation_pages on delete cascade,
  user_id uuid references auth.users on delete cascade,
  time_spent_seconds integer not null default 0,
  viewed_at timestamptz not null default now(),
  constraint documentation_views_time_not_negative check (time_spent_seconds >= 0)
);

create index documentation_views_page_id_idx on documentation_views (page_id);
create index documentation_views_user_id_viewed_at_idx on documentation_views (user_id, viewed_at);

comment on table documentation_views is 'One row per person, page and visit.';

create table documentation_feedback (
  id uuid primary key,
  page_id uuid not null references documentation_pages on delete cascade,
  user_id uuid not null references auth.users on delete cascade,
  is_helpful boolean not null,
  feedback_text text,
  created_at timestamptz not null default now(),
  constraint documentation_feedback_page_id_user_id_key unique (page_id, user_id)
);

create index documentation_feedback_user_id_idx on documentation_feedback (user_id);

comment on table documentation_feedback is 'One thumb per person and page.';

create table documentation_searches (
  id uuid primary key,
  user_id uuid references auth.users on delete cascade,
  query text not null,
  results integer not null,
  searched_at timestamptz not null
);

create index documentation_searches_user_id_idx on documentation_searches (user_id);
create index documentation_searches_searched_at_idx on documentation_searches (searched_at);

comment on table documentation_searches is 'What people look for; results = 0: what they do not find.';

do $$
declare
  v_table text;
begin
  foreach v_table in array array[
    'documentation_pages', 'documentation_views', 'documentation_feedback', 'documentation_searches'
  ]
  loop
    execute format('alter table %s enable row level security', v_table);
    execute format('alter table %s force row level security', v_table);
  end loop;
end
$$;

create policy visible on documentation_pages
  for select to ace_app
  using (not is_admin_only or (select app.write_all()));

create policy edited_by_admin on documentation_pages
  to ace_app
  using ((select app.write_all()))
  with check ((select app.write_all()));

grant select, insert, update, delete on documentation_pages to ace_app;

create policy own on documentation_views
  to ace_app
  using (user_id = (select app.actor_user_id()))
  with check (user_id = (select app.actor_user_id()));

create policy own on documentation_feedback
  to ace_app
  using (user_id = (select app.actor_user_id()))
  with check (user_id = (select app.actor_user_id()));

create policy own on documentation_searches
  to ace_app
  using (user_id = (select app.actor_user_id()))
  with check (user_id = (select app.actor_user_id()));

create policy read_by_staff on documentation_views
  for select to ace_app
  using ((select app.read_all()));

create policy read_by_staff on documentation_feedback
  for select to ace_app
  using ((select app.read_all()));

create policy read_by_staff on documentation_searches
  for select to ace_app
  using ((select app.read_all()));

grant select, insert, update on documentation_views, documentation_feedback to ace_app;
grant select, insert on documentation_searches to ace_app;
