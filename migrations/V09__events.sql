-- What recipients do: form submissions, and the stream of events everything else is counted from.

create table ace_form_submissions (
  id uuid primary key,
  client_id uuid not null,
  form_id uuid not null,
  campaign_id uuid,
  recipient_id uuid,
  contact_id uuid,
  submission_data jsonb not null default '{}',
  submission_token uuid,
  redemption_token text,
  gift_card_id uuid,
  enrichment_status text,
  ip_address text,
  user_agent text,
  submitted_at timestamptz not null,
  constraint ace_form_submissions_submission_token_key unique (form_id, submission_token),
  constraint ace_form_submissions_form_id_fkey foreign key (client_id, form_id)
    references ace_forms (client_id, id),
  constraint ace_form_submissions_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id),
  constraint ace_form_submissions_recipient_id_fkey foreign key (client_id, recipient_id)
    references recipients (client_id, id) on delete set null (recipient_id),
  constraint ace_form_submissions_contact_id_fkey foreign key (client_id, contact_id)
    references contacts (client_id, id) on delete set null (contact_id),
  constraint ace_form_submissions_gift_card_id_fkey foreign key (client_id, gift_card_id)
    references gift_cards (client_id, id)
);

create index ace_form_submissions_form_id_idx on ace_form_submissions (form_id, submitted_at desc);
create index ace_form_submissions_recipient_id_idx on ace_form_submissions (recipient_id, client_id);
create index ace_form_submissions_submitted_at_idx on ace_form_submissions (submitted_at);
create index ace_form_submissions_campaign_id_idx on ace_form_submissions (campaign_id, client_id);
create index ace_form_submissions_contact_id_idx on ace_form_submissions (contact_id, client_id);
create index ace_form_submissions_gift_card_id_idx on ace_form_submissions (gift_card_id, client_id) where gift_card_id is not null;

comment on table ace_form_submissions is 'Answers to forms.';
comment on column ace_form_submissions.submission_token is 'Made with the page: sending the same page twice is one submission.';
comment on column ace_form_submissions.redemption_token is 'The redemption code as the person typed it, normalised; never a card code.';
comment on column ace_form_submissions.enrichment_status is 'Reserved for data enrichment; null: none was asked for.';

select app.tenant_table('ace_form_submissions');


create table events (
  id uuid not null,
  client_id uuid not null,
  campaign_id uuid,
  recipient_id uuid,
  event_type text not null,
  event_data jsonb not null default '{}',
  ip_address text,
  user_agent text,
  referrer text,
  created_at timestamptz not null,
  primary key (id, created_at),
  constraint events_client_id_fkey foreign key (client_id) references clients,
  constraint events_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id) on delete cascade,
  constraint events_recipient_id_fkey foreign key (client_id, recipient_id)
    references recipients (client_id, id) on delete cascade
) partition by range (created_at);

create index events_campaign_id_event_type_idx on events (campaign_id, event_type, created_at);
create index events_recipient_id_idx on events (recipient_id, client_id);
create index events_created_at_idx on events (created_at);
create index events_client_id_created_at_idx on events (client_id, created_at);

comment on table events is
  'Everything that happened, one row each, in monthly partitions that are made ahead and dropped after the retention. '
  'The closed list of event types is in crates/events.';
comment on column events.event_data is 'What belongs to the type; bot: true marks machines, which are served but not counted.';

select app.tenant_table('events', referenced => false);


-- Partitions are made for as long as ACE lives, also in a copy of the database that has another owner.
grant usage, create on schema public to ace_owner;

create function app.ensure_event_partitions(p_from date, p_months integer)
returns integer
language plpgsql
security definer
set search_path = public, pg_temp
as $$
declare
  v_first date;
  v_next date;
  v_name text;
  v_made integer := 0;
begin
  perform pg_advisory_xact_lock(hashtext('app.ensure_event_partitions'));

  for i in 0 .. p_months - 1
  loop
    v_first := (date_trunc('month', p_from::timestamp) + make_interval(months => i))::date;
    v_next := (v_first + interval '1 month')::date;
    v_name := 'events_' || to_char(v_first, 'YYYY_MM');
    continue when to_regclass('public.' || v_name) is not null;

    -- Made beside the table and attached: what had to go to the default partition meanwhile moves along,
    -- and nobody who writes waits longer than that takes.
    execute format('create table %I (like events including defaults including constraints)', v_name);
    execute format(
      'with strays as (delete from events_default where created_at >= %L and created_at < %L returning *) '
      'insert into %I select * from strays',
      v_first::timestamp at time zone 'UTC', v_next::timestamp at time zone 'UTC', v_name);
    execute format(
      'alter table events attach partition %I for values from (%L) to (%L)',
      v_name, v_first::timestamp at time zone 'UTC', v_next::timestamp at time zone 'UTC');
    execute format('alter table %I enable row level security', v_name);
    v_made := v_made + 1;
  end loop;

  return v_made;
end
$$;

comment on function app.ensure_event_partitions(date, integer) is
  'Makes the monthly partitions (UTC) from the month of p_from on, where they do not exist; answers how many. '
  'Nobody has rights on a partition itself: events are reached through the parent and its policies.';


create function app.drop_event_partitions(p_before date)
returns integer
language plpgsql
security definer
set search_path = public, pg_temp
as $$
declare
  v_partition regclass;
  v_dropped integer := 0;
begin
  perform pg_advisory_xact_lock(hashtext('app.ensure_event_partitions'));

  for v_partition in
    select c.oid::regclass
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'events'::regclass
      and c.relname ~ '^events_[0-9]{4}_[0-9]{2}$'
      and to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= p_before
  loop
    execute format('drop table %s', v_partition);
    v_dropped := v_dropped + 1;
  end loop;

  -- What fell between the partitions is kept no longer either.
  delete from events_default where created_at < p_before::timestamp at time zone 'UTC';

  return v_dropped;
end
$$;

comment on function app.drop_event_partitions(date) is
  'Drops the partitions that end on p_before or earlier; answers how many. The scheduler calls it with the end of the retention.';

create table events_default partition of events default;

alter table events_default enable row level security;

comment on table events_default is 'Catches events of months nobody made a partition for, so that no insert ever fails.';

-- The only clock the migrations look at: which months exist beforehand changes no answer.
select app.ensure_event_partitions((current_date - interval '24 months')::date, 28);

grant execute on function
  app.ensure_event_partitions(date, integer),
  app.drop_event_partitions(date)
to ace_system;


-- ace_system: visits and submissions by strangers; clocks and counts of workers.
grant select, insert on events to ace_system;
grant select, insert, update (contact_id, gift_card_id, redemption_token) on ace_form_submissions to ace_system;
