-- Telephone numbers, the calls that come in on them, and the conditions recipients met, by call or otherwise.

create table tracked_phone_numbers (
  id uuid primary key,
  client_id uuid not null references clients,
  campaign_id uuid,
  phone_number text not null,
  forward_to_number text,
  friendly_name text,
  provider text not null default 'twilio',
  provider_sid text,
  is_active boolean not null default true,
  held_until date,
  released_at timestamptz,
  created_at timestamptz not null default now(),
  constraint tracked_phone_numbers_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id) on delete set null (campaign_id),
  constraint tracked_phone_numbers_phone_number_form check (phone_number ~ '^\+[1-9][0-9]{6,14}$'),
  constraint tracked_phone_numbers_provider check (provider in ('twilio', 'manual', 'sandbox'))
);

create unique index tracked_phone_numbers_phone_number_key on tracked_phone_numbers (phone_number) where released_at is null;
create index tracked_phone_numbers_campaign_id_idx on tracked_phone_numbers (campaign_id, client_id);

comment on table tracked_phone_numbers is 'Numbers printed on pieces. A number is one campaign''s at a time.';
comment on column tracked_phone_numbers.held_until is 'Not given to another campaign before: 90 days after the last mail date.';
comment on column tracked_phone_numbers.released_at is 'Given back to the provider; somebody else may own it now.';

select app.tenant_table('tracked_phone_numbers');


create table call_sessions (
  id uuid primary key,
  client_id uuid not null references clients,
  campaign_id uuid,
  tracked_number_id uuid,
  recipient_id uuid,
  caller_phone text,
  match_status text not null default 'unmatched',
  match_candidates jsonb,
  call_status text not null default 'initiated',
  call_started_at timestamptz,
  call_answered_at timestamptz,
  call_ended_at timestamptz,
  call_duration_seconds integer,
  recording_url text,
  recording_sid text,
  recording_duration integer,
  twilio_call_sid text,
  agent_user_id uuid references auth.users on delete set null,
  forward_to_number text,
  disposition text,
  identity_checked jsonb,
  notes text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint call_sessions_twilio_call_sid_key unique (twilio_call_sid),
  constraint call_sessions_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id),
  constraint call_sessions_tracked_number_id_fkey foreign key (client_id, tracked_number_id)
    references tracked_phone_numbers (client_id, id) on delete set null (tracked_number_id),
  constraint call_sessions_recipient_id_fkey foreign key (client_id, recipient_id)
    references recipients (client_id, id) on delete set null (recipient_id),
  constraint call_sessions_match_status check (match_status in ('matched', 'unmatched')),
  constraint call_sessions_call_status check (
    call_status in ('initiated', 'ringing', 'in-progress', 'completed', 'busy', 'no-answer', 'failed')
  ),
  constraint call_sessions_disposition check (
    disposition in (
      'qualified', 'not_qualified', 'callback', 'wrong_number', 'no_answer', 'voicemail', 'escalated', 'do_not_call'
    )
  ),
  constraint call_sessions_duration_not_negative check (call_duration_seconds >= 0)
);

create index call_sessions_campaign_id_idx on call_sessions (campaign_id, client_id);
create index call_sessions_recipient_id_idx on call_sessions (recipient_id, client_id);
create index call_sessions_call_started_at_idx on call_sessions (call_started_at);
create index call_sessions_client_id_created_at_idx on call_sessions (client_id, created_at desc);
create index call_sessions_tracked_number_id_idx on call_sessions (tracked_number_id, client_id);

comment on table call_sessions is 'One row per call, however often the provider tells us of it. A person who was not called but typed in by an agent has one too.';
comment on column call_sessions.twilio_call_sid is 'A retry of a webhook is the same call.';
comment on column call_sessions.match_candidates is 'Recipients who share the caller''s number, where there are several.';
comment on column call_sessions.identity_checked is 'Which of the two-of-three questions the caller answered.';
comment on column call_sessions.recording_url is 'Where the provider keeps it; played through ACE, deleted after the retention.';

select app.tenant_table('call_sessions');


create table call_conditions_met (
  id uuid primary key,
  client_id uuid not null,
  call_session_id uuid,
  campaign_id uuid not null,
  recipient_id uuid not null,
  condition_number integer not null,
  trigger_type text not null,
  met_at timestamptz not null,
  met_by_agent_id uuid references auth.users on delete set null,
  gift_card_pool_id uuid,
  gift_card_id uuid,
  price_credits integer not null default 0,
  delivery_channel text,
  delivery_address text,
  hold_reason text,
  delivery_status text,
  notes text,
  created_at timestamptz not null default now(),
  constraint call_conditions_met_recipient_id_condition_number_key unique (recipient_id, condition_number),
  constraint call_conditions_met_gift_card_id_key unique (gift_card_id),
  constraint call_conditions_met_call_session_id_fkey foreign key (client_id, call_session_id)
    references call_sessions (client_id, id) on delete set null (call_session_id),
  constraint call_conditions_met_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id),
  constraint call_conditions_met_recipient_id_fkey foreign key (client_id, recipient_id)
    references recipients (client_id, id),
  constraint call_conditions_met_gift_card_pool_id_fkey foreign key (client_id, gift_card_pool_id)
    references gift_card_pools (client_id, id),
  constraint call_conditions_met_gift_card_id_fkey foreign key (client_id, gift_card_id)
    references gift_cards (client_id, id),
  constraint call_conditions_met_condition_number check (condition_number between 1 and 10),
  constraint call_conditions_met_delivery_channel check (delivery_channel in ('sms', 'email')),
  constraint call_conditions_met_delivery_status check (delivery_status in ('pending', 'sent', 'delivered', 'failed')),
  constraint call_conditions_met_price_not_negative check (price_credits >= 0)
) with (fillfactor = 80);

create index call_conditions_met_call_session_id_idx on call_conditions_met (call_session_id, client_id);
create index call_conditions_met_campaign_id_met_at_idx on call_conditions_met (campaign_id, met_at);
create index call_conditions_met_pending_idx on call_conditions_met (client_id, delivery_status)
  where delivery_status = 'pending';
create index call_conditions_met_waiting_idx on call_conditions_met (gift_card_pool_id, met_at, id)
  where gift_card_id is null and delivery_status = 'pending';

comment on table call_conditions_met is
  'Which recipient met which condition, at most once each, by call or otherwise. Written by app.claim_reward(), which hands out the card in the same transaction.';
comment on column call_conditions_met.call_session_id is 'Null where no call was involved.';
comment on column call_conditions_met.gift_card_pool_id is 'The pool the reward comes from; null where the condition earns nothing.';
comment on column call_conditions_met.gift_card_id is 'Null while the pool is empty, or where nothing is earned.';
comment on column call_conditions_met.delivery_channel is 'Chosen when the condition was met, so that a card that comes later goes the same way.';
comment on column call_conditions_met.hold_reason is 'A fraud rule asks a person to look before anything is sent.';
comment on column call_conditions_met.delivery_status is 'Null where nothing is earned; otherwise pending → sent → delivered | failed.';
comment on index call_conditions_met_waiting_idx is 'The queue at an empty pool, first met first served.';

select app.tenant_table('call_conditions_met');


-- ace_system: provider webhooks know a number or a call id and nothing else; conditions are met by strangers and by clocks.
grant select on tracked_phone_numbers to ace_system;
grant select, insert, update on call_sessions to ace_system;
grant select, insert, update (gift_card_id, delivery_status) on call_conditions_met to ace_system;
