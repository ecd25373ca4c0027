-- Gift cards and the credits that pay for things: the money.

create table gift_card_brands (
  id uuid primary key,
  brand_name text not null,
  brand_logo_url text,
  default_value decimal(10, 2),
  code_pattern text,
  pin_pattern text,
  redemption_url text,
  support_phone text,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  constraint gift_card_brands_brand_name_key unique (brand_name),
  constraint gift_card_brands_default_value_positive check (default_value > 0)
);

comment on table gift_card_brands is 'The catalogue, one for all clients, kept by the operator.';
comment on column gift_card_brands.code_pattern is 'Regular expression a code must match as a whole; null accepts any.';
comment on column gift_card_brands.pin_pattern is 'Likewise for the PIN; null: cards of this brand need none.';
comment on column gift_card_brands.redemption_url is 'Where the brand lets people redeem; the redemption_url merge tag.';

alter table gift_card_brands enable row level security;
alter table gift_card_brands force row level security;

create policy visible on gift_card_brands
  for select to ace_app
  using (true);

create policy edited_by_admin on gift_card_brands
  to ace_app
  using ((select app.write_all()))
  with check ((select app.write_all()));

create policy system_all on gift_card_brands
  to ace_system
  using (true);

grant select, insert, update on gift_card_brands to ace_app;


create table gift_card_pools (
  id uuid primary key,
  client_id uuid references clients,
  owner_key uuid not null generated always as (coalesce(client_id, '00000000-0000-0000-0000-000000000000')) stored,
  brand_id uuid not null references gift_card_brands,
  pool_name text not null,
  value_amount decimal(10, 2) not null,
  total_cards integer not null default 0,
  available_cards integer not null default 0,
  reserved_cards integer not null default 0,
  delivered_cards integer not null default 0,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint gift_card_pools_owner_key_id_key unique (owner_key, id),
  constraint gift_card_pools_pool_name_present check (btrim(pool_name) <> ''),
  constraint gift_card_pools_value_amount_positive check (value_amount > 0),
  constraint gift_card_pools_available_not_negative check (available_cards >= 0),
  constraint gift_card_pools_reserved_within_available check (reserved_cards between 0 and available_cards),
  constraint gift_card_pools_delivered_not_negative check (delivered_cards >= 0),
  constraint gift_card_pools_total_covers check (total_cards >= available_cards + delivered_cards)
) with (fillfactor = 50);

create unique index gift_card_pools_owner_key_pool_name_key on gift_card_pools (owner_key, pool_name) where archived_at is null;
create index gift_card_pools_brand_id_idx on gift_card_pools (brand_id);

comment on table gift_card_pools is
  'Cards of one brand and value. Whoever changes its cards, reservations or counters locks this row first (for no key update) and '
  'leaves all of them true in the same transaction.';
comment on column gift_card_pools.client_id is 'Null: a master pool of the operator.';
comment on column gift_card_pools.owner_key is 'client_id, or zeros for a master pool: a key never null, so that cards always stand beside their pool.';
comment on column gift_card_pools.total_cards is 'All cards ever put in, minus those transferred out.';
comment on column gift_card_pools.available_cards is 'Cards with status available.';
comment on column gift_card_pools.reserved_cards is 'Of the available ones, those promised to launched campaigns: the sum of campaign_reservations.reserved.';
comment on column gift_card_pools.delivered_cards is 'Cards with status delivered or redeemed.';

select app.tenant_table('gift_card_pools', nullable => true);


create table gift_cards (
  id uuid primary key,
  client_id uuid,
  owner_key uuid not null generated always as (coalesce(client_id, '00000000-0000-0000-0000-000000000000')) stored,
  pool_id uuid not null,
  card_code text not null,
  pin_code text,
  code_fingerprint bytea not null,
  code_last4 text not null,
  card_number text,
  value_amount decimal(10, 2) not null,
  cost_amount decimal(10, 2),
  status text not null default 'available',
  recipient_id uuid,
  campaign_id uuid,
  claimed_at timestamptz,
  delivered_at timestamptz,
  delivery_method text,
  delivery_address text,
  redeemed_at timestamptz,
  expires_at date,
  revoked_at timestamptz,
  revoked_reason text,
  replaced_by_id uuid,
  balance_note text,
  created_at timestamptz not null default now(),
  constraint gift_cards_code_fingerprint_key unique (code_fingerprint),
  constraint gift_cards_pool_id_fkey foreign key (client_id, pool_id) references gift_card_pools (client_id, id),
  constraint gift_cards_owner_key_pool_id_fkey foreign key (owner_key, pool_id) references gift_card_pools (owner_key, id),
  constraint gift_cards_status check (status in ('available', 'claimed', 'delivered', 'redeemed', 'expired')),
  constraint gift_cards_delivery_method check (delivery_method in ('sms', 'email')),
  constraint gift_cards_value_amount_positive check (value_amount > 0),
  constraint gift_cards_claimed_by check (
    status not in ('claimed', 'delivered', 'redeemed')
    or (client_id is not null and recipient_id is not null and campaign_id is not null and claimed_at is not null)
  ),
  constraint gift_cards_available_is_fresh check (
    status <> 'available'
    or (recipient_id is null and revoked_at is null)
  )
) with (fillfactor = 80);

create index gift_cards_pool_id_idx on gift_cards (pool_id, status);
create index gift_cards_status_idx on gift_cards (status, expires_at);
create index gift_cards_recipient_id_idx on gift_cards (recipient_id, client_id) where recipient_id is not null;
create index gift_cards_campaign_id_idx on gift_cards (campaign_id, client_id) where campaign_id is not null;
create index gift_cards_next_idx on gift_cards (pool_id, coalesce(expires_at, 'infinity'::date), created_at, id)
  where status = 'available';

comment on table gift_cards is 'One row per card: claimed by at most one recipient, once.';
comment on column gift_cards.owner_key is 'As in gift_card_pools: puts a card beside its pool where both belong to the operator.';
comment on column gift_cards.card_code is 'Base64 of the sealed code; never a code in the clear.';
comment on column gift_cards.pin_code is 'Base64 of the sealed PIN.';
comment on column gift_cards.code_fingerprint is 'Keyed hash of the code: finds a card, refuses a duplicate anywhere in the system, without opening anything.';
comment on column gift_cards.code_last4 is 'What lists show of the code.';
comment on column gift_cards.card_number is 'The number printed on the card where it is not the code.';
comment on column gift_cards.cost_amount is 'What the card cost, where the upload said so.';
comment on column gift_cards.expires_at is 'The last day it can be used; null where it does not expire.';
comment on column gift_cards.revoked_at is 'Retired: its code may have been seen, so it never becomes available again.';
comment on index gift_cards_next_idx is 'The card the next claim takes: oldest expiry first.';

select app.tenant_table('gift_cards', nullable => true);

alter table gift_cards
  add constraint gift_cards_replaced_by_id_fkey foreign key (client_id, replaced_by_id) references gift_cards (client_id, id);

create function app.refuse_card_return()
returns trigger
language plpgsql
as $$
begin
  raise exception 'a gift card that left the shelf never returns to it'
    using errcode = 'check_violation', constraint = 'gift_cards_never_available_again', table = 'gift_cards';
end
$$;

comment on function app.refuse_card_return() is 'A code that may have been seen is never handed out again.';

create trigger never_available_again
before update of status on gift_cards
for each row
when (new.status = 'available' and old.status <> 'available')
execute function app.refuse_card_return();


create table credit_ledger (
  id uuid primary key,
  client_id uuid not null references clients,
  amount integer not null,
  reason text not null,
  campaign_id uuid,
  recipient_id uuid,
  gift_card_id uuid,
  note text,
  created_by_user_id uuid references auth.users on delete set null,
  balance_after integer not null,
  created_at timestamptz not null,
  constraint credit_ledger_amount_not_zero check (amount <> 0),
  constraint credit_ledger_reason check (reason in ('grant', 'transfer', 'piece', 'reward', 'refund', 'correction')),
  constraint credit_ledger_gift_card_id_fkey foreign key (client_id, gift_card_id) references gift_cards (client_id, id)
);

create index credit_ledger_client_id_created_at_idx on credit_ledger (client_id, created_at);
create index credit_ledger_gift_card_id_idx on credit_ledger (gift_card_id, client_id) where gift_card_id is not null;

comment on table credit_ledger is 'Every credit that came or went. Append-only; its sum is clients.credits, and never negative.';
comment on column credit_ledger.amount is 'Positive: granted or refunded; negative: spent.';
comment on column credit_ledger.balance_after is 'clients.credits after this row; filled in by a trigger.';

select app.tenant_table('credit_ledger');
revoke update, delete on credit_ledger from ace_app;

create function app.book_credits()
returns trigger
language plpgsql
security definer
set search_path = public, pg_temp
as $$
begin
  update clients
  set credits = credits + new.amount
  where id = new.client_id
  returning credits into new.balance_after;
  return new;
end
$$;

comment on function app.book_credits() is 'The only thing that changes clients.credits; the check there refuses to go below zero.';

grant create on schema app to ace_system;
alter function app.book_credits() owner to ace_system;
revoke create on schema app from ace_system;

create trigger book_credits
before insert on credit_ledger
for each row
execute function app.book_credits();

create trigger refuse_change
before update or delete or truncate on credit_ledger
for each statement
execute function app.refuse_change();


create table alerts (
  id uuid primary key,
  client_id uuid not null references clients,
  kind text not null,
  subject_id uuid not null,
  message text not null,
  data jsonb not null default '{}',
  created_at timestamptz not null,
  resolved_at timestamptz,
  resolved_by_user_id uuid references auth.users on delete set null
);

create unique index alerts_open_key on alerts (client_id, kind, subject_id) where resolved_at is null;

comment on table alerts is 'What somebody should look at: empty pools, low stock, rewards held. One open alert per kind and subject.';
comment on column alerts.kind is 'pool_empty, pool_low, cards_expiring, no_credits, reward_held, delivery_failed, …';
comment on column alerts.subject_id is 'What it is about: the pool, the client, the message.';

select app.tenant_table('alerts');


-- ace_system: a reward can fall due through a public link, a webhook or a worker's clock: the claim path, and nothing beside it.
grant select on gift_card_brands to ace_system;
grant select, update (available_cards, reserved_cards, delivered_cards, updated_at) on gift_card_pools to ace_system;
grant select, update (status, recipient_id, campaign_id, claimed_at, delivered_at, delivery_method, delivery_address, redeemed_at)
  on gift_cards to ace_system;
grant select, insert on credit_ledger to ace_system;
grant select, insert, update (resolved_at) on alerts to ace_system;
