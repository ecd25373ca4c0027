-- What a thief found: quarantine that told whose code it was, replacements that nobody may be sent and that paid themselves
-- back, and what smuggled-in SQL could still do with cards and credits.

-- Quarantine is nobody's business ------------------------------------------------------------------------------------
-- Whatever a tenant sees or is refused by counts a card in quarantine as stock: a count without it would tell which of the
-- codes that somebody uploads are another tenant's. Who is to be given such a card waits, and the operator knows of it.

create or replace function app.sweep_expired(p_pool_id uuid, p_now timestamptz)
returns integer
language plpgsql
as $$
declare
  v_expired integer;
begin
  update gift_cards g
  set status = 'expired'
  from gift_card_pools p
  where p.id = p_pool_id
    and g.owner_key = p.owner_key
    and g.pool_id = p_pool_id
    and g.status = 'available'
    and g.expires_at < app.client_day(p.client_id, p_now);
  get diagnostics v_expired = row_count;

  if v_expired = 0 then
    return 0;
  end if;

  -- Promises that the remaining cards cannot keep are cut, the newest first.
  with short as (
    select greatest(reserved_cards - (available_cards - v_expired), 0) as cards
    from gift_card_pools
    where id = p_pool_id
  ), promised as (
    select id, reserved, sum(reserved) over (order by created_at desc, id desc) as up_to
    from campaign_reservations
    where pool_id = p_pool_id
      and reserved > 0
  )
  update campaign_reservations r
  set reserved = r.reserved - least(p.reserved, greatest(s.cards - (p.up_to - p.reserved), 0))::integer,
      updated_at = p_now
  from promised p, short s
  where r.id = p.id
    and s.cards > p.up_to - p.reserved;

  update gift_card_pools
  set available_cards = available_cards - v_expired,
      reserved_cards = least(reserved_cards, available_cards - v_expired),
      updated_at = p_now
  where id = p_pool_id;

  return v_expired;
end
$$;


create or replace function app.take_off_shelf(p_pool_id uuid, p_now timestamptz)
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


create or replace function app.mend_promises(p_pool_id uuid, p_now timestamptz)
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


drop function app.quarantined_cards(uuid);


-- Replacing a card ----------------------------------------------------------------------------------------------------

create or replace function app.replace_card(
  p_client_id uuid,
  p_card_id uuid,
  p_reason text,
  p_now timestamptz,
  p_ids uuid[],
  p_channel text default null,
  p_to_address text default null
)
returns app.claim_result
language plpgsql
as $$
declare
  v_result app.claim_result;
  v_met call_conditions_met;
  v_config campaign_reward_configs;
  v_pool_id uuid;
  v_archived boolean;
begin
  select g.pool_id, p.archived_at is not null
  into v_pool_id, v_archived
  from gift_cards g
  join gift_card_pools p on p.id = g.pool_id
  where g.client_id = p_client_id
    and g.id = p_card_id;

  if not found then
    v_result.outcome := 'no_card';
    return v_result;
  end if;

  if v_archived then
    v_result.outcome := 'pool_archived';
    return v_result;
  end if;

  perform app.queue_for_pool(v_pool_id);

  select *
  into v_met
  from call_conditions_met
  where client_id = p_client_id
    and gift_card_id = p_card_id
  for no key update;

  if not found then
    v_result.outcome := 'no_card';
    return v_result;
  end if;

  select *
  into v_config
  from campaign_reward_configs
  where client_id = v_met.client_id
    and campaign_id = v_met.campaign_id
    and condition_number = v_met.condition_number;

  -- It was paid for when it was earned, unless those credits came back; the way it goes may be another one this time.
  if v_met.refunded_at is null then
    v_met.price_credits := 0;
  end if;

  v_met.hold_reason := null;
  v_met.delivery_channel := coalesce(p_channel, v_met.delivery_channel);
  v_met.delivery_address := coalesce(p_to_address, v_met.delivery_address);

  if v_met.delivery_address is null then
    v_result.outcome := 'address_missing';
    return v_result;
  end if;

  -- Before a card is taken: one that nobody may send would be lost.
  if (
    select app.contact_refusal(r.client_id, r.contact_id, v_met.delivery_channel, v_met.delivery_address) is not null
    from recipients r
    where r.client_id = v_met.client_id
      and r.id = v_met.recipient_id
  ) then
    v_result.outcome := 'consent_needed';
    return v_result;
  end if;

  v_result := app.hand_out_card(v_met, v_config, '{}', p_now, p_ids);

  if v_result.outcome = 'claimed' then
    update gift_cards
    set revoked_at = coalesce(revoked_at, p_now),
        revoked_reason = coalesce(revoked_reason, p_reason),
        replaced_by_id = v_result.gift_card_id
    where client_id = p_client_id
      and id = p_card_id;

    update call_conditions_met
    set refunded_at = null
    where client_id = p_client_id
      and id = v_met.id
      and refunded_at is not null;
  end if;

  return v_result;
end
$$;

comment on function app.replace_card(uuid, uuid, text, timestamptz, uuid[], text, text) is
  'Retires a card that was handed out, unless it is retired already, and gives the same condition another one, free of credits '
  '(unless they came back) and of the campaign''s promised cards as long as there are others. The old card keeps its status: it was '
  'handed out. p_ids: as for app.hand_out_card(). Outcome no_card: there is none that a condition earned; pool_archived: no card leaves '
  'it any more; address_missing: it was shown by a form, and nobody says where the new one goes; consent_needed: nobody may write there.';

create function app.may_have_seen_one(p_client_id uuid, p_gift_card_id uuid)
returns boolean
language sql
stable
as $$
  with recursive earlier as (
    select id, revealed_at
    from gift_cards
    where client_id = p_client_id
      and replaced_by_id = p_gift_card_id
    union all
    select g.id, g.revealed_at
    from earlier e
    join gift_cards g on g.client_id = p_client_id and g.replaced_by_id = e.id
  )
  select exists (
    select
    from earlier e
    where e.revealed_at is not null
      or exists (
        select
        from messages s
        where s.client_id = p_client_id
          and s.gift_card_id = e.id
          and s.status <> 'failed'
      )
  );
$$;

comment on function app.may_have_seen_one(uuid, uuid) is
  'Whether an earlier card that this one stands in for was sent or opened: then the reward was had, and no credits come back for it.';

grant execute on function app.may_have_seen_one(uuid, uuid) to ace_app;


-- Cards, by whatever statement ------------------------------------------------------------------------------------------

create trigger stays_itself
before update of card_code, pin_code, card_number, code_fingerprint, code_last4, value_amount, expires_at, delivered_at, redeemed_at
on gift_cards
for each row
when (
  old.status <> 'available'
  and (
    new.code_fingerprint is distinct from old.code_fingerprint
    or new.card_code <> old.card_code
    or new.pin_code is distinct from old.pin_code
    or new.card_number is distinct from old.card_number
    or new.code_last4 <> old.code_last4
    or new.value_amount <> old.value_amount
    -- it may end earlier, never later
    or coalesce(new.expires_at, 'infinity') > coalesce(old.expires_at, 'infinity')
    or (old.delivered_at is not null and new.delivered_at is distinct from old.delivered_at)
    or (old.redeemed_at is not null and new.redeemed_at is distinct from old.redeemed_at)
  )
)
execute function app.refuse_card_move();

-- What app.is_unseen() believes may not be rewritten first.
create function app.refuse_unseeing()
returns trigger
language plpgsql
as $$
begin
  raise exception 'what was sent or shown stays sent and shown'
    using errcode = 'insufficient_privilege';
end
$$;

comment on function app.refuse_unseeing() is
  'A message keeps its card, and what says that it left; a met condition keeps when its card was shown. A card taken back from the door '
  'is in stock again before its messages let it go.';

create trigger stays_sent
before update of sent_at, provider_message_id, attempts
on messages
for each row
when (
  (old.sent_at is not null and new.sent_at is null)
  or (old.provider_message_id is not null and new.provider_message_id is null)
  or new.attempts < old.attempts
)
execute function app.refuse_unseeing();

create trigger stays_shown
before update of last_shown_at on call_conditions_met
for each row
-- two pages may show it at once, each with the moment it began in
when (old.last_shown_at is not null and new.last_shown_at is null)
execute function app.refuse_unseeing();

create function app.refuse_card_swap()
returns trigger
language plpgsql
as $$
begin
  if new.gift_card_id is null then
    -- let go only when it is back in stock
    perform
    from gift_cards
    where client_id = old.client_id
      and id = old.gift_card_id
      and status = 'available';
  else
    perform
    from gift_cards
    where client_id = new.client_id
      and id = new.gift_card_id
      and recipient_id = new.recipient_id
      and status <> 'available';
  end if;

  if found then
    return new;
  end if;

  raise exception 'what somebody earned is not taken from them, and nobody is given the card of somebody else'
    using errcode = 'insufficient_privilege';
end
$$;

comment on function app.refuse_card_swap() is
  'A met condition and a message are about a card that their own recipient has, and let it go only when it is back in stock.';

drop trigger keeps_card on call_conditions_met;
drop function app.refuse_card_loss();

create trigger keeps_card
before update of gift_card_id on call_conditions_met
for each row
when (new.gift_card_id is distinct from old.gift_card_id)
execute function app.refuse_card_swap();

create trigger keeps_card
before update of gift_card_id on messages
for each row
when (new.gift_card_id is distinct from old.gift_card_id)
execute function app.refuse_card_swap();

-- After the foreign keys have said whose card it is.
create trigger brings_own_card
after insert on call_conditions_met
for each row
when (new.gift_card_id is not null)
execute function app.refuse_card_swap();

create trigger brings_own_card
after insert on messages
for each row
when (new.gift_card_id is not null)
execute function app.refuse_card_swap();

create function app.refuse_new_code()
returns trigger
language plpgsql
as $$
begin
  raise exception 'what is printed on a piece stays as it was printed'
    using errcode = 'insufficient_privilege';
end
$$;

comment on function app.refuse_new_code() is 'A recipient keeps code and link: whoever could set them could be the recipient.';

create trigger stays_printed
before update of purl_token, redemption_code on recipients
for each row
when (new.purl_token <> old.purl_token or new.redemption_code <> old.redemption_code)
execute function app.refuse_new_code();


-- Credits, by whatever statement ----------------------------------------------------------------------------------------

alter table credit_ledger
  add constraint credit_ledger_sign check (
    case
      when reason in ('piece', 'reward') then amount < 0
      when reason = 'refund' then amount > 0
      else true
    end
  );

create function app.refuse_refund_of_nothing()
returns trigger
language plpgsql
as $$
declare
  v_charged bigint;
begin
  if new.recipient_id is null then
    -- the pieces of a campaign that is taken back
    select -coalesce(sum(amount), 0)
    into v_charged
    from credit_ledger
    where client_id = new.client_id
      and campaign_id = new.campaign_id
      and recipient_id is null
      and reason in ('piece', 'refund');
  else
    select -coalesce(sum(amount), 0)
    into v_charged
    from credit_ledger
    where client_id = new.client_id
      and campaign_id = new.campaign_id
      and recipient_id = new.recipient_id
      and reason in ('reward', 'refund');
  end if;

  if new.amount <= v_charged then
    return new;
  end if;

  raise exception 'only what was charged comes back, once'
    using errcode = 'insufficient_privilege';
end
$$;

comment on function app.refuse_refund_of_nothing() is 'The credits that come back for a recipient, or for a campaign''s pieces, are at most those that were taken for them.';

create trigger refunds_a_charge
before insert on credit_ledger
for each row
when (new.reason = 'refund')
execute function app.refuse_refund_of_nothing();

create index credit_ledger_transfer_idx on credit_ledger (created_at)
  where reason = 'transfer';

create function app.refuse_lopsided_transfer()
returns trigger
language plpgsql
security definer
set search_path = public, pg_temp
as $$
begin
  if (
    select sum(amount) = 0
    from credit_ledger
    where reason = 'transfer'
      and created_at = new.created_at
  ) then
    return null;
  end if;

  raise exception 'what one client is given another one gives'
    using errcode = 'insufficient_privilege';
end
$$;

comment on function app.refuse_lopsided_transfer() is
  'Looked at when the transaction ends: the entries of its moment take as much as they give.';

grant create on schema app to ace_system;
alter function app.refuse_lopsided_transfer() owner to ace_system;
revoke create on schema app from ace_system;
grant select on credit_ledger to ace_system;

create constraint trigger transfers_balance
after insert on credit_ledger
deferrable initially deferred
for each row
when (new.reason = 'transfer')
execute function app.refuse_lopsided_transfer();
