-- Cards: fingerprints that hold the brand, quarantine, steps and owners that the database refuses, promises that a
-- retired card breaks, days in the client's own zone, credits from nowhere, and addresses that ask not to be written to.

-- Fingerprints --------------------------------------------------------------------------------------------------------

alter table gift_cards
  add column case_folded boolean not null default true,
  add column revealed_at timestamptz,
  add column quarantined_at timestamptz;

alter table gift_cards alter column case_folded set default false;

-- What stood here was the keyed hash of the code alone; with the brand around it nothing has to be opened.
update gift_cards g
set code_fingerprint = sha256(uuid_send(p.brand_id) || g.code_fingerprint)
from gift_card_pools p
where p.owner_key = g.owner_key
  and p.id = g.pool_id;

update gift_cards g
set revealed_at = a.at
from (
  select row_id, min(at) as at
  from audit_log
  where action = 'gift_card.revealed'
  group by row_id
) a
where a.row_id = g.id;

alter table gift_cards
  drop constraint gift_cards_code_fingerprint_key,
  add constraint gift_cards_quarantined_is_in_stock check (quarantined_at is null or status in ('available', 'expired'));

-- A code is live once in the whole installation. A card that was retired before anybody saw its code does not stand in
-- the way of a correct upload, and one in quarantine is not live.
create unique index gift_cards_code_fingerprint_key on gift_cards (code_fingerprint)
  where quarantined_at is null and not (status = 'expired' and recipient_id is null and revealed_at is null);
create unique index gift_cards_quarantined_fingerprint_key on gift_cards (owner_key, code_fingerprint)
  where quarantined_at is not null and not (status = 'expired' and recipient_id is null and revealed_at is null);
create index gift_cards_retired_fingerprint_idx on gift_cards (code_fingerprint)
  where status = 'expired' and recipient_id is null and revealed_at is null;

comment on column gift_cards.code_fingerprint is
  'SHA-256 over the brand and the keyed hash of the code: finds a card and tells a duplicate without opening anything.';
comment on column gift_cards.case_folded is 'The fingerprint is of the code in upper case: case does not matter to its brand.';
comment on column gift_cards.revealed_at is 'When a person first opened the code.';
comment on column gift_cards.quarantined_at is
  'Another client holds a card with this code. It counts as in stock, so that the uploader learns nothing, and is never handed out.';


-- What the database refuses -------------------------------------------------------------------------------------------

create function app.refuse_card_move()
returns trigger
language plpgsql
as $$
begin
  raise exception 'a gift card goes from stock to one recipient, forward only'
    using errcode = 'insufficient_privilege';
end
$$;

comment on function app.refuse_card_move() is 'For the triggers that say which steps of a card, and of what it was earned by, there are.';

create trigger moves_forward
before update on gift_cards
for each row
when (
  (
    new.status <> old.status
    and (old.status || ' ' || new.status) not in (
      'available claimed', 'available expired', 'claimed delivered', 'claimed redeemed', 'delivered redeemed'
    )
    -- told by a trigger of its own
    and new.status <> 'available'
  )
  or (
    (new.recipient_id is distinct from old.recipient_id or new.campaign_id is distinct from old.campaign_id)
    and not (old.status = 'available' and new.status = 'claimed')
  )
  or (
    (new.client_id is distinct from old.client_id or new.pool_id <> old.pool_id)
    and (old.status <> 'available' or new.status <> 'available')
  )
  or (old.claimed_at is not null and new.claimed_at is distinct from old.claimed_at)
  or (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at)
  or (old.revealed_at is not null and new.revealed_at is distinct from old.revealed_at)
  or (old.replaced_by_id is not null and new.replaced_by_id is distinct from old.replaced_by_id)
  or (old.quarantined_at is null and new.quarantined_at is not null)
)
execute function app.refuse_card_move();

create trigger met_once
before update on call_conditions_met
for each row
when (
  new.client_id <> old.client_id
  or new.campaign_id <> old.campaign_id
  or new.recipient_id <> old.recipient_id
  or new.condition_number <> old.condition_number
  or new.met_at <> old.met_at
  or (old.gift_card_id is not null and new.gift_card_id is null)
  -- the card of somebody stays with them until another one stands in for it
  or (
    old.delivery_status = 'delivered'
    and new.delivery_status is distinct from 'delivered'
    and new.gift_card_id is not distinct from old.gift_card_id
  )
)
execute function app.refuse_card_move();

create trigger messages_move_forward
before update on messages
for each row
when (
  new.status <> old.status
  and (
    old.status in ('delivered', 'failed')
    or (old.status = 'sent' and new.status not in ('delivered', 'failed'))
    or (old.status = 'pending' and new.status = 'held')
  )
)
execute function app.refuse_card_move();

-- Retired, never removed: whoever had a code must be found for as long as it can be used.
revoke delete on gift_cards, call_conditions_met, messages, alerts from ace_app;


-- Promises ------------------------------------------------------------------------------------------------------------

create function app.take_off_shelf(p_pool_id uuid, p_now timestamptz)
returns boolean
language plpgsql
as $$
declare
  v_short boolean;
begin
  select reserved_cards >= available_cards
  into strict v_short
  from gift_card_pools
  where id = p_pool_id;

  if v_short then
    update campaign_reservations
    set reserved = reserved - 1,
        updated_at = p_now
    where id = (
      select id
      from campaign_reservations
      where pool_id = p_pool_id
        and reserved > 0
      order by created_at desc, id desc
      limit 1
    );
  end if;

  update gift_card_pools
  set available_cards = available_cards - 1,
      reserved_cards = reserved_cards - v_short::integer,
      updated_at = p_now
  where id = p_pool_id;

  return v_short;
end
$$;

comment on function app.take_off_shelf(uuid, timestamptz) is
  'One available card of a pool that the caller has locked was retired. Answers whether that broke a promise: the newest one then.';


create function app.mend_promises(p_pool_id uuid, p_now timestamptz)
returns integer
language plpgsql
as $$
declare
  v_mended integer;
begin
  with short as (
    select r.id, r.created_at,
      greatest(w.rewards * (c.estimate ->> 'cards_per_reward')::bigint - r.claimed - r.reserved, 0) as cards
    from campaign_reservations r
    join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
    cross join lateral (
      select count(*) as rewards
      from campaign_reward_configs w
      join campaign_conditions k
        on k.client_id = w.client_id
        and k.campaign_id = w.campaign_id
        and k.condition_number = w.condition_number
      where w.client_id = r.client_id
        and w.campaign_id = r.campaign_id
        and w.gift_card_pool_id = r.pool_id
        and k.is_active
    ) w
    where r.pool_id = p_pool_id
      and c.status in ('ready', 'in_production', 'mailed', 'active')
  ), lined as (
    select s.id, s.cards, sum(s.cards) over (order by s.created_at, s.id) - s.cards as before,
      p.available_cards - p.reserved_cards as free
    from short s, gift_card_pools p
    where s.cards > 0
      and p.id = p_pool_id
  ), mended as (
    update campaign_reservations r
    set reserved = r.reserved + least(l.cards, l.free - l.before)::integer,
        updated_at = p_now
    from lined l
    where r.id = l.id
      and l.before < l.free
    returning least(l.cards, l.free - l.before) as cards
  )
  select coalesce(sum(cards), 0)
  into v_mended
  from mended;

  if v_mended > 0 then
    update gift_card_pools
    set reserved_cards = reserved_cards + v_mended,
        updated_at = p_now
    where id = p_pool_id;
  end if;

  return v_mended;
end
$$;

comment on function app.mend_promises(uuid, timestamptz) is
  'Cards came into a pool that the caller has locked: campaigns under way whose promise was cut are the first to have them, the '
  'oldest promise first.';

grant execute on function app.take_off_shelf(uuid, timestamptz), app.mend_promises(uuid, timestamptz) to ace_app;


-- Days ----------------------------------------------------------------------------------------------------------------

create function app.client_day(p_client_id uuid, p_now timestamptz)
returns date
language sql
stable
as $$
  select (p_now at time zone coalesce((select time_zone from clients where id = p_client_id), 'UTC'))::date;
$$;

comment on function app.client_day(uuid, timestamptz) is
  'The day it is for a client: a card is good until its last day is over there. The operator''s master pools count in UTC.';

grant execute on function app.client_day(uuid, timestamptz) to ace_app, ace_system;


-- Credits -------------------------------------------------------------------------------------------------------------

create function app.refuse_credits_from_nowhere()
returns trigger
language plpgsql
as $$
begin
  if not (app.write_all() or current_user <> 'ace_app') then
    raise exception 'only the operator makes credits and takes them back'
      using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;

comment on function app.refuse_credits_from_nowhere() is
  'An agency passes on what its clients have, as two entries of a transfer; it makes no credits.';

create trigger made_by_operator
before insert on credit_ledger
for each row
when (new.reason in ('grant', 'correction'))
execute function app.refuse_credits_from_nowhere();


-- Messages ------------------------------------------------------------------------------------------------------------

alter table messages add column sending_since timestamptz;

comment on column messages.sending_since is
  'Since when a try is under way: the provider has it or is about to. Null between tries.';

create function app.suppress_address(
  p_id uuid,
  p_client_id uuid,
  p_channel text,
  p_address text,
  p_reason text,
  p_now timestamptz
)
returns void
language sql
as $$
  insert into suppressed_addresses (id, client_id, channel, address, reason, created_at)
  values (p_id, p_client_id, p_channel, p_address, p_reason, p_now)
  on conflict (client_id, channel, address) do nothing;

  update contacts
  set sms_opt_out = sms_opt_out or p_channel = 'sms',
      email_opt_out = email_opt_out or p_channel = 'email',
      updated_at = p_now
  where p_reason <> 'bounce'
    and client_id = p_client_id
    and (p_channel = 'sms' and (phone = p_address or mobile_phone = p_address) or p_channel = 'email' and email = p_address);
$$;

comment on function app.suppress_address(uuid, uuid, text, text, text, timestamptz) is
  'A provider says that a number or an address must not be written to any more (stop, complaint), which its contacts are noted '
  'for, or that nobody is there (bounce). Kept by address, whoever has it.';

grant execute on function app.suppress_address(uuid, uuid, text, text, text, timestamptz) to ace_app, ace_system;
grant insert on suppressed_addresses to ace_system;
grant update (sms_opt_out, email_opt_out, updated_at) on contacts to ace_system;


-- One status of a reward ----------------------------------------------------------------------------------------------

create function app.reward_status(p_messages text[])
returns text
language sql
immutable
parallel safe
as $$
  select case
    when 'delivered' = any (p_messages) then 'delivered'
    when 'sent' = any (p_messages) then 'sent'
    when 'pending' = any (p_messages) or 'held' = any (p_messages) then 'pending'
    else 'failed'
  end;
$$;

comment on function app.reward_status(text[]) is
  'How far a reward is: as far as the furthest of the messages that bring its card. What failed by SMS and arrived by e-mail is '
  'delivered. Kept in call_conditions_met.delivery_status, which is what every page and the API show.';

create function app.furthest_message(p_client_id uuid, p_gift_card_id uuid)
returns uuid
language sql
stable
as $$
  select id
  from messages
  where client_id = p_client_id
    and gift_card_id = p_gift_card_id
  order by array_position(array['delivered', 'sent', 'pending', 'held', 'failed'], status), created_at desc, id desc
  limit 1;
$$;

comment on function app.furthest_message(uuid, uuid) is 'The message by which a card is as far as it is.';

grant execute on function app.reward_status(text[]), app.furthest_message(uuid, uuid) to ace_app, ace_system;
