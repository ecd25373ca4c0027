-- Campaigns, their conditions and rewards, and the people they were mailed to.

create type campaign_status as enum ('draft', 'ready', 'in_production', 'mailed', 'active', 'completed');
create type postage as enum ('standard', 'first_class');
create type lp_mode as enum ('bridge', 'redirect');

comment on type lp_mode is 'bridge: the link shows the campaign''s landing page; redirect: it leads on to base_lp_url.';

create table app.campaign_transitions (
  from_status campaign_status not null,
  to_status campaign_status not null,
  primary key (from_status, to_status)
);

comment on table app.campaign_transitions is 'Steps a campaign may take; the database refuses any other. Guards and effects are in crates/campaigns.';

insert into app.campaign_transitions (from_status, to_status)
values
  ('draft', 'ready'),
  ('ready', 'draft'),
  ('ready', 'in_production'),
  ('in_production', 'draft'),
  ('in_production', 'mailed'),
  ('mailed', 'active'),
  ('active', 'completed');

grant select on app.campaign_transitions to ace_app, ace_system;


create table campaigns (
  id uuid primary key,
  client_id uuid not null references clients,
  name text not null,
  slug text not null,
  status campaign_status not null default 'draft',
  size mail_size,
  postage postage,
  vendor text,
  mail_date date,
  audience_id uuid,
  contact_list_id uuid,
  template_id uuid,
  no_mail_piece boolean not null default false,
  landing_page_id uuid,
  form_id uuid,
  lp_mode lp_mode not null default 'bridge',
  base_lp_url text,
  utm_source text,
  utm_medium text,
  utm_campaign text,
  cards_per_reward integer,
  estimate jsonb,
  notes text,
  created_by_user_id uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  launched_at timestamptz,
  mailed_at timestamptz,
  activated_at timestamptz,
  completed_at timestamptz,
  archived_at timestamptz,
  constraint campaigns_client_id_slug_key unique (client_id, slug),
  constraint campaigns_slug_form check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  constraint campaigns_name_present check (btrim(name) <> ''),
  constraint campaigns_cards_per_reward_not_negative check (cards_per_reward >= 0),
  constraint campaigns_postage_offered check (size <> '4x6' or postage <> 'standard'),
  constraint campaigns_audience_id_fkey foreign key (client_id, audience_id)
    references audiences (client_id, id) on delete set null (audience_id),
  constraint campaigns_contact_list_id_fkey foreign key (client_id, contact_list_id)
    references contact_lists (client_id, id),
  constraint campaigns_template_id_fkey foreign key (client_id, template_id)
    references templates (client_id, id),
  constraint campaigns_landing_page_id_fkey foreign key (client_id, landing_page_id)
    references landing_pages (client_id, id),
  constraint campaigns_form_id_fkey foreign key (client_id, form_id)
    references ace_forms (client_id, id)
);

create index campaigns_status_idx on campaigns (status);
create index campaigns_mail_date_idx on campaigns (mail_date);
create index campaigns_contact_list_id_idx on campaigns (contact_list_id, client_id);
create index campaigns_template_id_idx on campaigns (template_id, client_id);
create index campaigns_landing_page_id_idx on campaigns (landing_page_id, client_id);
create index campaigns_form_id_idx on campaigns (form_id, client_id);

comment on table campaigns is 'One mailing: to whom, what, where its links lead, and how far it is.';
comment on column campaigns.status is 'Moves only along app.campaign_transitions; every step leaves a row in campaign_status_history.';
comment on column campaigns.no_mail_piece is 'Printed elsewhere or not at all: no template is needed.';
comment on column campaigns.form_id is 'The form shown on the recipient''s page.';
comment on column campaigns.audience_id is 'Deprecated: contact_list_id is used.';
comment on column campaigns.cards_per_reward is 'Cards to promise for each reward; null: one for every recipient.';
comment on column campaigns.estimate is 'Recipients, cards and credits as frozen when the campaign became ready.';
comment on column campaigns.launched_at is 'When recipients were generated.';
comment on column campaigns.mailed_at is 'When it was confirmed to be in the mail; the clocks of time_delay conditions start here.';

select app.tenant_table('campaigns');

create function app.check_campaign_step()
returns trigger
language plpgsql
as $$
begin
  if tg_op = 'INSERT' then
    if new.status <> 'draft' then
      raise exception 'a campaign starts as draft'
        using errcode = 'check_violation', constraint = 'campaigns_status_step', table = 'campaigns', column = 'status';
    end if;
  elsif not exists (
    select
    from app.campaign_transitions
    where from_status = old.status
      and to_status = new.status
  ) then
    raise exception 'a campaign does not go from % to %', old.status, new.status
      using errcode = 'check_violation', constraint = 'campaigns_status_step', table = 'campaigns', column = 'status';
  end if;
  return new;
end
$$;

comment on function app.check_campaign_step() is 'Refuses every step that app.campaign_transitions does not list.';

create trigger check_first_status
before insert on campaigns
for each row
execute function app.check_campaign_step();

create trigger check_status_step
before update of status on campaigns
for each row
when (old.status is distinct from new.status)
execute function app.check_campaign_step();


create table campaign_status_history (
  id uuid primary key,
  client_id uuid not null,
  campaign_id uuid not null,
  from_status campaign_status,
  to_status campaign_status not null,
  changed_by_user_id uuid references auth.users on delete set null,
  reason text,
  changed_at timestamptz not null,
  constraint campaign_status_history_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id) on delete cascade
);

create index campaign_status_history_campaign_id_idx on campaign_status_history (campaign_id, changed_at);

comment on table campaign_status_history is 'Every step of a campaign: who, when, why.';
comment on column campaign_status_history.changed_by_user_id is 'Null where the step was automatic.';

select app.tenant_table('campaign_status_history');
revoke update on campaign_status_history from ace_app;


create table campaign_conditions (
  id uuid primary key,
  client_id uuid not null,
  campaign_id uuid not null,
  condition_number integer not null,
  condition_name text not null,
  trigger_type text not null,
  crm_event_name text,
  time_delay_hours integer,
  form_id uuid,
  min_call_seconds integer,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  constraint campaign_conditions_campaign_id_condition_number_key unique (campaign_id, condition_number),
  constraint campaign_conditions_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id) on delete cascade,
  constraint campaign_conditions_form_id_fkey foreign key (client_id, form_id)
    references ace_forms (client_id, id),
  constraint campaign_conditions_number check (condition_number between 1 and 10),
  constraint campaign_conditions_trigger_type check (
    trigger_type in ('call', 'crm_event', 'time_delay', 'form_submit', 'purl_visit', 'qr_scan', 'mail_delivered')
  ),
  constraint campaign_conditions_time_delay_hours check (time_delay_hours >= 0),
  constraint campaign_conditions_min_call_seconds check (min_call_seconds >= 0)
);

create index campaign_conditions_form_id_idx on campaign_conditions (form_id, client_id);

comment on table campaign_conditions is 'What a recipient has to do, in order. What a condition still lacks is said by the check before launch.';
comment on column campaign_conditions.crm_event_name is 'For crm_event: the name of the event.';
comment on column campaign_conditions.time_delay_hours is 'For time_delay: hours after the condition before, or after delivery for the first.';
comment on column campaign_conditions.form_id is 'For form_submit: only this form counts; null: any form of the campaign.';
comment on column campaign_conditions.min_call_seconds is 'For call: a call of this length meets it by itself; null: an agent confirms.';

select app.tenant_table('campaign_conditions');


create table campaign_reward_configs (
  id uuid primary key,
  client_id uuid not null,
  campaign_id uuid not null,
  condition_number integer not null,
  gift_card_pool_id uuid not null,
  reward_description text,
  delivery_channel text not null default 'choice',
  sms_template text,
  email_subject text,
  email_template text,
  created_at timestamptz not null default now(),
  constraint campaign_reward_configs_campaign_id_condition_number_key unique (campaign_id, condition_number),
  constraint campaign_reward_configs_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id) on delete cascade,
  constraint campaign_reward_configs_gift_card_pool_id_fkey foreign key (client_id, gift_card_pool_id)
    references gift_card_pools (client_id, id),
  constraint campaign_reward_configs_condition_number check (condition_number between 1 and 10),
  constraint campaign_reward_configs_delivery_channel check (delivery_channel in ('sms', 'email', 'choice'))
);

create index campaign_reward_configs_gift_card_pool_id_idx on campaign_reward_configs (gift_card_pool_id, client_id);

comment on table campaign_reward_configs is 'What meeting a condition earns, and the words it is sent with.';
comment on column campaign_reward_configs.delivery_channel is 'choice: the recipient or the agent says; what is missing falls back to the other.';

select app.tenant_table('campaign_reward_configs');


create table campaign_reservations (
  id uuid primary key,
  client_id uuid not null,
  campaign_id uuid not null,
  pool_id uuid not null,
  reserved integer not null default 0,
  claimed integer not null default 0,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint campaign_reservations_campaign_id_pool_id_key unique (campaign_id, pool_id),
  constraint campaign_reservations_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id) on delete cascade,
  constraint campaign_reservations_pool_id_fkey foreign key (client_id, pool_id)
    references gift_card_pools (client_id, id),
  constraint campaign_reservations_reserved_not_negative check (reserved >= 0),
  constraint campaign_reservations_claimed_not_negative check (claimed >= 0)
) with (fillfactor = 50);

create index campaign_reservations_pool_id_idx on campaign_reservations (pool_id, client_id);

comment on table campaign_reservations is
  'Cards of a pool promised to a campaign. No other campaign can claim them. Changed only under the pool''s lock, together with gift_card_pools.reserved_cards.';
comment on column campaign_reservations.reserved is 'Still promised; the sum over campaigns is the pool''s reserved_cards.';
comment on column campaign_reservations.claimed is 'Cards the campaign took, from its reservation or beyond it.';

select app.tenant_table('campaign_reservations');


create table recipients (
  id uuid primary key,
  client_id uuid not null,
  campaign_id uuid not null,
  audience_id uuid,
  contact_id uuid,
  redemption_code text not null,
  purl_token text not null,
  first_name text,
  last_name text,
  email text,
  phone text,
  address text,
  address2 text,
  city text,
  state text,
  zip text,
  country text,
  custom_fields jsonb not null default '{}',
  imb_serial text,
  status text not null default 'active',
  delivered_at timestamptz,
  last_visited_at timestamptz,
  total_visits integer not null default 0,
  created_at timestamptz not null default now(),
  constraint recipients_redemption_code_key unique (redemption_code),
  constraint recipients_purl_token_key unique (purl_token),
  constraint recipients_campaign_id_contact_id_key unique (campaign_id, contact_id),
  constraint recipients_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id) on delete cascade,
  constraint recipients_audience_id_fkey foreign key (client_id, audience_id)
    references audiences (client_id, id) on delete set null (audience_id),
  constraint recipients_contact_id_fkey foreign key (client_id, contact_id)
    references contacts (client_id, id) on delete set null (contact_id),
  constraint recipients_redemption_code_form check (redemption_code ~ '^[0-9A-HJKMNP-TV-Z]{12}$'),
  constraint recipients_purl_token_form check (purl_token ~ '^[0-9A-HJKMNP-TV-Z]{10}$'),
  constraint recipients_status check (status in ('active', 'delivered', 'bounced')),
  constraint recipients_total_visits_not_negative check (total_visits >= 0)
) with (fillfactor = 80);

create index recipients_client_id_campaign_id_id_idx on recipients (client_id, campaign_id, id);
create index recipients_contact_id_idx on recipients (contact_id, client_id) where contact_id is not null;
create index recipients_campaign_id_phone_idx on recipients (campaign_id, phone) where phone is not null;
create index recipients_imb_serial_idx on recipients (imb_serial) where imb_serial is not null;

comment on table recipients is
  'One person of one campaign, as they were when it was launched: the copy is what was printed. A visit updates the row in place, '
  'which the room left in every page (fillfactor) keeps cheap.';
comment on column recipients.redemption_code is 'Printed and read over the phone: Crockford base32, 11 characters and one check character, stored without dashes.';
comment on column recipients.purl_token is 'The end of /r/… and /q/…: 10 characters of the same alphabet.';
comment on column recipients.imb_serial is 'Serial number inside the postal barcode.';
comment on column recipients.total_visits is 'Visits and scans by people; bots are counted in events only.';

select app.tenant_table('recipients');


create sequence app.imb_serials as bigint;

comment on sequence app.imb_serials is
  'Serial numbers of postal barcodes, nine digits: a number comes back after a billion pieces, far later than the 45 days that are asked for.';

grant usage on sequence app.imb_serials to ace_app;


create table campaign_launches (
  id uuid primary key,
  client_id uuid not null,
  campaign_id uuid not null,
  state text not null default 'running',
  contacts_total integer not null default 0,
  contacts_done integer not null default 0,
  error text,
  started_at timestamptz not null,
  finished_at timestamptz,
  started_by_user_id uuid references auth.users on delete set null,
  constraint campaign_launches_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id) on delete cascade,
  constraint campaign_launches_state check (state in ('running', 'finished', 'failed'))
);

create unique index campaign_launches_running_key on campaign_launches (campaign_id) where state = 'running';
create index campaign_launches_campaign_id_idx on campaign_launches (campaign_id, started_at);

comment on table campaign_launches is
  'Generating a campaign''s recipients, as far as it is: written beside the one transaction that generates them, so that people can watch.';

select app.tenant_table('campaign_launches');


create table recipient_skips (
  id uuid primary key,
  client_id uuid not null,
  campaign_id uuid not null,
  contact_id uuid not null,
  reason text not null,
  created_at timestamptz not null,
  constraint recipient_skips_campaign_id_contact_id_key unique (campaign_id, contact_id),
  constraint recipient_skips_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id) on delete cascade,
  constraint recipient_skips_contact_id_fkey foreign key (client_id, contact_id)
    references contacts (client_id, id) on delete cascade,
  constraint recipient_skips_reason check (reason in ('do_not_contact', 'no_address', 'undeliverable_address', 'duplicate'))
);

create index recipient_skips_contact_id_idx on recipient_skips (contact_id, client_id);

comment on table recipient_skips is 'Contacts of the list that the launch left out, and why.';

select app.tenant_table('recipient_skips');


create table contact_campaign_participation (
  id uuid primary key,
  client_id uuid not null,
  contact_id uuid not null,
  campaign_id uuid not null,
  recipient_id uuid,
  participation_status text not null default 'sent',
  redemption_code text,
  gift_card_id uuid,
  delivered_at timestamptz,
  participated_at timestamptz,
  redeemed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint contact_campaign_participation_contact_id_campaign_id_key unique (contact_id, campaign_id),
  constraint contact_campaign_participation_contact_id_fkey foreign key (client_id, contact_id)
    references contacts (client_id, id) on delete cascade,
  constraint contact_campaign_participation_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id) on delete cascade,
  constraint contact_campaign_participation_recipient_id_fkey foreign key (client_id, recipient_id)
    references recipients (client_id, id) on delete cascade,
  constraint contact_campaign_participation_gift_card_id_fkey foreign key (client_id, gift_card_id)
    references gift_cards (client_id, id),
  constraint contact_campaign_participation_status check (
    participation_status in ('sent', 'delivered', 'bounced', 'redeemed', 'expired')
  )
) with (fillfactor = 80);

create index contact_campaign_participation_recipient_id_idx on contact_campaign_participation (recipient_id, client_id);
create index contact_campaign_participation_campaign_id_idx on contact_campaign_participation (campaign_id, client_id);
create index contact_campaign_participation_gift_card_id_idx on contact_campaign_participation (gift_card_id, client_id)
  where gift_card_id is not null;

comment on table contact_campaign_participation is 'A contact''s history with campaigns: what segments, scores and the timeline read.';
comment on column contact_campaign_participation.redeemed_at is 'When the contact first earned a card in this campaign.';

select app.tenant_table('contact_campaign_participation');


-- Money refers to campaigns and recipients, campaigns to money: the circle is closed here.
alter table gift_cards
  add constraint gift_cards_recipient_id_fkey foreign key (client_id, recipient_id) references recipients (client_id, id),
  add constraint gift_cards_campaign_id_fkey foreign key (client_id, campaign_id) references campaigns (client_id, id);

alter table credit_ledger
  add constraint credit_ledger_campaign_id_fkey foreign key (client_id, campaign_id) references campaigns (client_id, id),
  add constraint credit_ledger_recipient_id_fkey foreign key (client_id, recipient_id) references recipients (client_id, id);

create index credit_ledger_campaign_id_idx on credit_ledger (campaign_id, client_id) where campaign_id is not null;
create index credit_ledger_recipient_id_idx on credit_ledger (recipient_id, client_id) where recipient_id is not null;


-- ace_system: a link or a code says which recipient, and so which campaign and client; visits are counted; the first
-- engagement makes a mailed campaign active; conditions are met by clocks, calls and deliveries.
grant select, update (status, activated_at, completed_at, updated_at) on campaigns to ace_system;
grant select, insert on campaign_status_history to ace_system;
grant select on campaign_conditions, campaign_reward_configs to ace_system;
grant select, update (reserved, claimed, updated_at) on campaign_reservations to ace_system;
grant select, update (status, delivered_at, last_visited_at, total_visits) on recipients to ace_system;
grant select, update (participation_status, gift_card_id, delivered_at, participated_at, redeemed_at, updated_at)
  on contact_campaign_participation to ace_system;
