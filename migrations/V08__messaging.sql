-- What ACE sends: one row per message, whatever happens to it afterwards.

create table messages (
  id uuid primary key,
  client_id uuid not null references clients,
  campaign_id uuid,
  recipient_id uuid,
  contact_id uuid,
  gift_card_id uuid,
  fallback_of_id uuid,
  channel text not null,
  purpose text not null,
  to_address text not null,
  subject text,
  body_template text not null,
  merge jsonb not null default '{}',
  status text not null default 'pending',
  hold_reason text,
  provider text,
  provider_message_id text,
  attempts integer not null default 0,
  last_error_code text,
  last_error text,
  created_at timestamptz not null,
  send_after timestamptz,
  sent_at timestamptz,
  delivered_at timestamptz,
  failed_at timestamptz,
  constraint messages_provider_provider_message_id_key unique (provider, provider_message_id),
  constraint messages_campaign_id_fkey foreign key (client_id, campaign_id)
    references campaigns (client_id, id),
  constraint messages_recipient_id_fkey foreign key (client_id, recipient_id)
    references recipients (client_id, id) on delete set null (recipient_id),
  constraint messages_contact_id_fkey foreign key (client_id, contact_id)
    references contacts (client_id, id) on delete set null (contact_id),
  constraint messages_gift_card_id_fkey foreign key (client_id, gift_card_id)
    references gift_cards (client_id, id),
  constraint messages_fallback_of_id_key unique (fallback_of_id),
  constraint messages_channel check (channel in ('sms', 'email')),
  constraint messages_purpose check (purpose in ('reward', 'reply', 'invite', 'marketing', 'notice', 'test')),
  constraint messages_status check (status in ('pending', 'sent', 'delivered', 'failed', 'held')),
  constraint messages_attempts_not_negative check (attempts >= 0)
) with (fillfactor = 80);

create index messages_client_id_created_at_idx on messages (client_id, created_at desc);
create index messages_recipient_id_idx on messages (recipient_id, client_id) where recipient_id is not null;
create index messages_contact_id_idx on messages (contact_id, client_id) where contact_id is not null;
create index messages_gift_card_id_idx on messages (gift_card_id, client_id) where gift_card_id is not null;
create index messages_campaign_id_idx on messages (campaign_id, client_id) where campaign_id is not null;
create index messages_unsent_idx on messages (client_id, status, created_at) where status in ('pending', 'held');

comment on table messages is
  'SMS and e-mail to people: the outbox and the record. The text is made from body_template at the moment of sending; '
  'a card code is opened then, and kept in neither this row nor the job.';
comment on column messages.fallback_of_id is
  'The message on the other channel that failed for good: each one falls back at most once, and a fallback never again.';
comment on column messages.merge is 'Values for the merge tags that are not in the database; never a card code or PIN.';
comment on column messages.purpose is 'reward and reply answer the person and ignore quiet hours; marketing keeps them.';
comment on column messages.status is 'Forward only: held → pending → sent → delivered | failed.';
comment on column messages.send_after is 'Waits until then: quiet hours.';
comment on column messages.provider_message_id is 'How the provider''s callbacks name it.';

select app.tenant_table('messages');

alter table messages
  add constraint messages_fallback_of_id_fkey foreign key (client_id, fallback_of_id) references messages (client_id, id);


create table message_events (
  id uuid primary key,
  client_id uuid not null,
  message_id uuid not null,
  status text not null,
  error_code text,
  payload jsonb not null default '{}',
  at timestamptz not null,
  constraint message_events_message_id_fkey foreign key (client_id, message_id)
    references messages (client_id, id) on delete cascade
);

create index message_events_message_id_idx on message_events (message_id, at);

comment on table message_events is 'Attempts and the provider''s callbacks, as they came in.';
comment on column message_events.status is 'The provider''s own word.';

select app.tenant_table('message_events', referenced => false);
revoke update on message_events from ace_app;


create table suppressed_addresses (
  id uuid primary key,
  client_id uuid not null references clients,
  channel text not null,
  address text not null,
  reason text not null,
  created_at timestamptz not null,
  constraint suppressed_addresses_client_id_channel_address_key unique (client_id, channel, address),
  constraint suppressed_addresses_channel check (channel in ('sms', 'email'))
);

comment on table suppressed_addresses is 'Numbers and addresses that must not be written to, whoever they belong to: STOP, hard bounces, complaints.';
comment on column suppressed_addresses.reason is 'stop, bounce, complaint, manual.';

select app.tenant_table('suppressed_addresses', referenced => false);


create table system_messages (
  id uuid primary key,
  purpose text not null,
  to_address text not null,
  subject text not null,
  body_sealed bytea not null,
  status text not null default 'pending',
  provider text,
  provider_message_id text,
  attempts integer not null default 0,
  last_error_code text,
  last_error text,
  created_at timestamptz not null,
  sent_at timestamptz,
  failed_at timestamptz,
  constraint system_messages_purpose check (purpose in ('invitation', 'recover', 'confirm_email', 'security_notice', 'notice', 'test')),
  constraint system_messages_status check (status in ('pending', 'sent', 'delivered', 'failed', 'held'))
);

create index system_messages_created_at_idx on system_messages (created_at);

comment on table system_messages is 'E-mail of ACE itself to its own people: it belongs to no client.';
comment on column system_messages.body_sealed is 'Sealed with the keyring: it holds links that let people in.';

alter table system_messages enable row level security;
alter table system_messages force row level security;

-- Whoever invites writes the mail; nobody reads it afterwards but the worker that sends it.
create policy written_by_anybody on system_messages
  for insert to ace_app
  with check (status = 'pending');

create policy system_all on system_messages
  to ace_system
  using (true)
  with check (true);

grant insert on system_messages to ace_app;


create table sandbox_messages (
  id uuid primary key,
  client_id uuid references clients,
  message_id uuid,
  system_message_id uuid references system_messages on delete cascade,
  channel text not null,
  direction text not null,
  person_address text not null,
  our_address text not null,
  subject text,
  body_sealed bytea not null,
  status text not null,
  status_callback_url text,
  callback_stage text,
  callback_due_at timestamptz,
  callback_attempts integer not null default 0,
  created_at timestamptz not null,
  read_at timestamptz,
  constraint sandbox_messages_message_id_fkey foreign key (client_id, message_id)
    references messages (client_id, id) on delete cascade,
  constraint sandbox_messages_channel check (channel in ('sms', 'email')),
  constraint sandbox_messages_direction check (direction in ('outbound', 'inbound')),
  constraint sandbox_messages_status check (status in ('accepted', 'sent', 'delivered', 'undelivered', 'received')),
  constraint sandbox_messages_callback_stage check (callback_stage in ('sent', 'delivered', 'undelivered')),
  constraint sandbox_messages_callback_attempts_not_negative check (callback_attempts >= 0)
);

create index sandbox_messages_message_id_idx on sandbox_messages (message_id, client_id);
create index sandbox_messages_system_message_id_idx on sandbox_messages (system_message_id);
create index sandbox_messages_person_address_idx on sandbox_messages (channel, person_address, created_at desc, id desc);
create index sandbox_messages_created_at_idx on sandbox_messages (channel, created_at desc, id desc);
create index sandbox_messages_callback_due_at_idx on sandbox_messages (callback_due_at) where callback_due_at is not null;

comment on table sandbox_messages is 'What the sandbox provider was asked to deliver: the phone and the inbox at /sandbox.';
comment on column sandbox_messages.client_id is 'Null for mail of ACE itself.';
comment on column sandbox_messages.direction is 'inbound: what the person at the sandbox''s phone answered.';
comment on column sandbox_messages.body_sealed is 'Sealed with the keyring: it may hold a card code.';
comment on column sandbox_messages.status is 'What the last acknowledged callback reported; received for inbound ones.';
comment on column sandbox_messages.callback_stage is
  'The status the next signed callback will report; null when all was reported, or nobody asked.';
comment on column sandbox_messages.callback_due_at is
  'When that callback is posted. Whoever posts it moves this ahead first, so that after a crash it is posted again. '
  'Null with a stage left: given up after too many tries.';

select app.tenant_table('sandbox_messages', nullable => true, referenced => false);


-- ace_system: callbacks know the provider's id only; the sandbox plays the provider for everybody; clocks send what falls due.
grant select, insert, update on messages to ace_system;
grant select, insert on message_events to ace_system;
grant select, insert, delete on suppressed_addresses to ace_system;
grant select, insert, update on system_messages to ace_system;
grant select, insert, update, delete on sandbox_messages to ace_system;
