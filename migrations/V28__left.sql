-- What was left: cards that nobody can have come to promise nothing; a card that nobody can have seen comes back when its
-- person says no; a card that a page showed has arrived; the day's rewards of one address are counted one after the other.

-- Cards in quarantine -------------------------------------------------------------------------------------------------

create index gift_cards_quarantined_idx on gift_cards (pool_id)
  where quarantined_at is not null and status = 'available';

create function app.quarantined_cards(p_pool_id uuid)
returns integer
language sql
stable
as $$
  select count(*)::integer
  from gift_cards
  where pool_id = p_pool_id
    and quarantined_at is not null
    and status = 'available';
$$;

comment on function app.quarantined_cards(uuid) is
  'Cards that count as in stock and are handed out to nobody: they can be promised to nobody either.';
comment on index gift_cards_quarantined_idx is 'Nearly always empty: what of a pool''s stock is in quarantine.';

grant execute on function app.quarantined_cards(uuid) to ace_app, ace_public, ace_worker;


create or replace function app.sweep_expired(p_pool_id uuid, p_now timestamptz)
returns integer
language plpgsql
as $$
declare
  v_expired integer;
  v_aside integer;
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

  v_aside := app.quarantined_cards(p_pool_id);

  -- Promises that the remaining cards cannot keep are cut, the newest first.
  with short as (
    select greatest(reserved_cards - (available_cards - v_expired - v_aside), 0) as cards
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
      reserved_cards = least(reserved_cards, available_cards - v_expired - v_aside),
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
  select reserved_cards >= available_cards - app.quarantined_cards(id)
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
      p.available_cards - p.reserved_cards - app.quarantined_cards(p.id) as free
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


-- What every text carries ---------------------------------------------------------------------------------------------

create or replace function app.hand_out_card(
  p_met call_conditions_met,
  p_config campaign_reward_configs,
  p_merge jsonb,
  p_now timestamptz,
  p_ids uuid[]
)
returns app.claim_result
language plpgsql
as $$
declare
  v_result app.claim_result;
  v_pool gift_card_pools;
  v_card_id uuid;
  v_expires_at date;
  v_reserved boolean;
  v_set_aside integer := 0;
  v_body text;
begin
  v_result.condition_id := p_met.id;
  v_result.recipient_id := p_met.recipient_id;
  v_result.delivery_status := 'pending';
  v_result.pool_id := p_met.gift_card_pool_id;

  loop
    -- The pool's row is the lock on its cards, reservations and counters.
    select *
    into strict v_pool
    from gift_card_pools
    where client_id = p_met.client_id
      and id = p_met.gift_card_pool_id
    for no key update;

    -- A card that stands in for another one is nobody's promised card as long as there are others.
    v_reserved := exists (
      select
      from campaign_reservations
      where campaign_id = p_met.campaign_id
        and pool_id = v_pool.id
        and reserved > 0
    ) and (p_met.gift_card_id is null or v_pool.available_cards <= v_pool.reserved_cards);

    -- What is promised to other campaigns is not there for this one.
    exit when not v_reserved and v_pool.available_cards <= v_pool.reserved_cards;

    select c.id, c.expires_at
    into v_card_id, v_expires_at
    from gift_cards c
    where c.pool_id = v_pool.id
      and c.status = 'available'
      and c.quarantined_at is null
    order by coalesce(c.expires_at, 'infinity'::date), c.created_at, c.id
    limit 1
    for update skip locked;

    exit when v_expires_at is null or v_expires_at >= app.client_day(v_pool.client_id, p_now);

    -- The counters told of cards whose last day is over: count again without them.
    v_card_id := null;
    exit when app.sweep_expired(v_pool.id, p_now) = 0;
  end loop;

  if v_card_id is null then
    v_result.outcome := 'pool_empty';
    v_result.available_cards := v_pool.available_cards;
    return v_result;
  end if;

  -- With a promised card come the credits that were set aside for it.
  if v_reserved then
    select least(credits, price_credits)
    into strict v_set_aside
    from campaign_reservations
    where campaign_id = p_met.campaign_id
      and pool_id = v_pool.id;
  end if;

  if p_met.price_credits > 0 then
    perform
    from clients
    where id = p_met.client_id
      and credits - credits_reserved + v_set_aside >= p_met.price_credits
    for no key update;

    if not found then
      v_result.outcome := 'no_credits';
      v_result.available_cards := v_pool.available_cards;
      return v_result;
    end if;
  end if;

  v_result.outcome := 'claimed';
  v_result.gift_card_id := v_card_id;

  update gift_cards
  set status = 'claimed',
      recipient_id = p_met.recipient_id,
      campaign_id = p_met.campaign_id,
      claimed_at = p_now
  where id = v_card_id;

  update gift_card_pools
  set available_cards = available_cards - 1,
      reserved_cards = reserved_cards - v_reserved::integer,
      updated_at = p_now
  where client_id = p_met.client_id
    and id = v_pool.id
  returning available_cards
  into v_result.available_cards;

  update campaign_reservations
  set reserved = reserved - v_reserved::integer,
      claimed = claimed + 1,
      updated_at = p_now
  where campaign_id = p_met.campaign_id
    and pool_id = v_pool.id;

  if p_met.price_credits > 0 then
    insert into credit_ledger (id, client_id, amount, reason, campaign_id, recipient_id, gift_card_id, created_at)
    values (p_ids[1], p_met.client_id, -p_met.price_credits, 'reward', p_met.campaign_id, p_met.recipient_id, v_card_id, p_now);
  end if;

  update call_conditions_met
  set gift_card_id = v_card_id,
      delivery_channel = p_met.delivery_channel,
      delivery_address = p_met.delivery_address,
      delivery_status = 'pending'
  where client_id = p_met.client_id
    and id = p_met.id;

  update contact_campaign_participation
  set gift_card_id = case
        when gift_card_id is null or gift_card_id = p_met.gift_card_id then v_card_id
        else gift_card_id
      end,
      participation_status = 'redeemed',
      participated_at = coalesce(participated_at, p_now),
      redeemed_at = coalesce(redeemed_at, p_now),
      updated_at = p_now
  where recipient_id = p_met.recipient_id;

  if p_met.delivery_channel is not null and p_met.delivery_address is not null then
    -- A card that was earned is sent, in plain words where the campaign has none for this channel.
    v_body := coalesce(
      case p_met.delivery_channel when 'sms' then p_config.sms_template else p_config.email_template end,
      p_config.sms_template,
      'Hello {{first_name|there}}, here is your {{amount}} {{brand}} gift card from {{company}}: {{card}}'
    );

    insert into messages (
      id, client_id, campaign_id, recipient_id, contact_id, gift_card_id,
      channel, purpose, to_address, subject, body_template, merge, status, hold_reason, created_at
    )
    select
      p_ids[2], r.client_id, r.campaign_id, r.id, r.contact_id, v_card_id,
      p_met.delivery_channel, 'reward', p_met.delivery_address,
      case p_met.delivery_channel when 'email' then coalesce(p_config.email_subject, 'Your {{brand}} gift card') end,
      v_body, p_merge,
      case when p_met.hold_reason is null then 'pending' else 'held' end,
      p_met.hold_reason, p_now
    from recipients r
    where r.client_id = p_met.client_id
      and r.id = p_met.recipient_id
    returning id
    into v_result.message_id;

    if p_met.hold_reason is null then
      insert into jobs (id, kind, payload, client_id, unique_key, run_at, created_at)
      values (
        p_ids[3], 'messages.send', jsonb_build_object('message_id', v_result.message_id), p_met.client_id,
        'messages.send:' || v_result.message_id, p_now, p_now
      )
      on conflict do nothing;
    end if;
  end if;

  insert into events (id, client_id, campaign_id, recipient_id, event_type, event_data, created_at)
  values (
    p_ids[4], p_met.client_id, p_met.campaign_id, p_met.recipient_id, 'gift_card_claimed',
    jsonb_build_object('condition_number', p_met.condition_number, 'gift_card_id', v_card_id),
    p_now
  );

  return v_result;
end
$$;


-- A card that nobody can have seen -------------------------------------------------------------------------------------

create function app.is_unseen(p_client_id uuid, p_gift_card_id uuid)
returns boolean
language sql
stable
as $$
  select not exists (
      select
      from gift_cards g
      where g.client_id = p_client_id
        and g.id = p_gift_card_id
        and (g.revealed_at is not null or g.revoked_at is not null or g.replaced_by_id is not null)
    )
    and not exists (
      select
      from gift_cards old
      where old.client_id = p_client_id
        and old.replaced_by_id = p_gift_card_id
    )
    and not exists (
      select
      from call_conditions_met m
      where m.client_id = p_client_id
        and m.gift_card_id = p_gift_card_id
        and m.last_shown_at is not null
    )
    -- refused at the door, before any provider had it
    and not exists (
      select
      from messages s
      where s.client_id = p_client_id
        and s.gift_card_id = p_gift_card_id
        and (
          s.status <> 'failed'
          or s.last_error_code is distinct from 'opted_out'
          or s.attempts > 1
          or s.sent_at is not null
          or s.provider_message_id is not null
        )
    );
$$;

comment on function app.is_unseen(uuid, uuid) is
  'Whether nobody can know the code of a claimed card: it was shown and opened nowhere, and each message that was to bring it was '
  'refused before a provider had it.';

create or replace function app.refuse_card_return()
returns trigger
language plpgsql
as $$
begin
  if old.status = 'claimed'
    and num_nonnulls(new.recipient_id, new.campaign_id, new.claimed_at, new.delivered_at, new.revealed_at) = 0
    and app.is_unseen(old.client_id, old.id)
  then
    return new;
  end if;

  raise exception 'a gift card that left the shelf never returns to it'
    using errcode = 'check_violation', constraint = 'gift_cards_never_available_again', table = 'gift_cards';
end
$$;

comment on function app.refuse_card_return() is
  'A code that may have been seen is never handed out again. One that nobody can have seen may go back.';

drop trigger moves_forward on gift_cards;

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
    and (old.status || ' ' || new.status) not in ('available claimed', 'claimed available')
  )
  or (
    (new.client_id is distinct from old.client_id or new.pool_id <> old.pool_id)
    and (old.status <> 'available' or new.status <> 'available')
  )
  or (old.claimed_at is not null and new.claimed_at is distinct from old.claimed_at and new.status <> 'available')
  or (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at)
  or (old.revealed_at is not null and new.revealed_at is distinct from old.revealed_at)
  or (old.replaced_by_id is not null and new.replaced_by_id is distinct from old.replaced_by_id)
  or (old.quarantined_at is null and new.quarantined_at is not null)
)
execute function app.refuse_card_move();

drop trigger met_once on call_conditions_met;

create trigger met_once
before update on call_conditions_met
for each row
when (
  new.client_id <> old.client_id
  or new.campaign_id <> old.campaign_id
  or new.recipient_id <> old.recipient_id
  or new.condition_number <> old.condition_number
  or new.met_at <> old.met_at
  -- the card of somebody stays with them until another one stands in for it
  or (
    old.delivery_status = 'delivered'
    and new.delivery_status is distinct from 'delivered'
    and new.gift_card_id is not distinct from old.gift_card_id
  )
)
execute function app.refuse_card_move();

create function app.refuse_card_loss()
returns trigger
language plpgsql
as $$
begin
  if exists (
    select
    from gift_cards
    where client_id = old.client_id
      and id = old.gift_card_id
      and status = 'available'
  ) then
    return new;
  end if;

  raise exception 'what somebody earned is not taken from them'
    using errcode = 'insufficient_privilege';
end
$$;

comment on function app.refuse_card_loss() is 'A met condition keeps its card, unless the card is back in stock.';

create trigger keeps_card
before update of gift_card_id on call_conditions_met
for each row
when (old.gift_card_id is not null and new.gift_card_id is null)
execute function app.refuse_card_loss();

create function app.take_back_unseen(
  p_client_id uuid,
  p_gift_card_id uuid,
  p_refusal text,
  p_now timestamptz,
  p_id uuid
)
returns boolean
language plpgsql
as $$
declare
  v_card gift_cards;
  v_met call_conditions_met;
begin
  -- In the order of every claim: the pool, then the card, then what it was earned by.
  select *
  into v_card
  from gift_cards
  where client_id = p_client_id
    and id = p_gift_card_id;

  perform app.queue_for_pool(v_card.pool_id);
  perform
  from gift_card_pools
  where client_id = p_client_id
    and id = v_card.pool_id
  for no key update;

  select *
  into v_card
  from gift_cards
  where client_id = p_client_id
    and id = p_gift_card_id
  for no key update;

  select *
  into v_met
  from call_conditions_met
  where client_id = p_client_id
    and gift_card_id = p_gift_card_id
  for no key update;

  if v_card.status <> 'claimed' or v_met.id is null or not app.is_unseen(p_client_id, p_gift_card_id) then
    return false;
  end if;

  update gift_cards
  set status = 'available',
      recipient_id = null,
      campaign_id = null,
      claimed_at = null
  where client_id = p_client_id
    and id = p_gift_card_id;

  update messages
  set gift_card_id = null
  where client_id = p_client_id
    and gift_card_id = p_gift_card_id;

  update call_conditions_met
  set gift_card_id = null,
      delivery_status = 'pending',
      delivery_channel = null,
      delivery_address = null,
      refusal = p_refusal,
      refunded_at = null
  where client_id = p_client_id
    and id = v_met.id;

  update contact_campaign_participation
  set gift_card_id = null,
      participation_status = case when delivered_at is null then 'sent' else 'delivered' end,
      redeemed_at = null,
      updated_at = p_now
  where client_id = p_client_id
    and gift_card_id = p_gift_card_id;

  update gift_card_pools
  set available_cards = available_cards + 1,
      updated_at = p_now
  where client_id = p_client_id
    and id = v_card.pool_id;

  update campaign_reservations
  set claimed = claimed - 1,
      updated_at = p_now
  where client_id = p_client_id
    and campaign_id = v_met.campaign_id
    and pool_id = v_card.pool_id
    and claimed > 0;

  if v_met.price_credits > 0 and v_met.refunded_at is null then
    insert into credit_ledger (id, client_id, amount, reason, campaign_id, recipient_id, gift_card_id, note, created_at)
    values (
      p_id, p_client_id, v_met.price_credits, 'refund', v_met.campaign_id, v_met.recipient_id, p_gift_card_id,
      'The person may not be written to: the card is back in stock', p_now
    );
  end if;

  perform app.mend_promises(v_card.pool_id, p_now);
  return true;
end
$$;

comment on function app.take_back_unseen(uuid, uuid, text, timestamptz, uuid) is
  'A person said no between the claim and the door: the card nobody saw goes back to stock, its credits come back, and the reward '
  'stands as if consent had been asked for only now. False when the code may have been seen: then it stays where it is.';


-- A card that a page showed -------------------------------------------------------------------------------------------

create function app.settle_shown(p_client_id uuid, p_recipient_id uuid, p_cards uuid[], p_now timestamptz)
returns void
language plpgsql
as $$
declare
  v_cards uuid[];
begin
  -- What a message brings has the status of the message.
  select coalesce(array_agg(g.id), '{}')
  into v_cards
  from gift_cards g
  where g.client_id = p_client_id
    and g.recipient_id = p_recipient_id
    and g.id = any (p_cards)
    and g.status = 'claimed'
    and not exists (
      select
      from messages s
      where s.client_id = g.client_id
        and s.gift_card_id = g.id
    );

  if cardinality(v_cards) = 0 then
    return;
  end if;

  perform
  from gift_card_pools
  where client_id = p_client_id
    and id in (select pool_id from gift_cards where client_id = p_client_id and id = any (v_cards))
  order by id
  for no key update;

  with arrived as (
    update gift_cards
    set status = 'delivered',
        delivered_at = p_now
    where client_id = p_client_id
      and id = any (v_cards)
      and status = 'claimed'
    returning id, pool_id, campaign_id
  ), counted as (
    update gift_card_pools p
    set delivered_cards = p.delivered_cards + a.cards,
        updated_at = p_now
    from (
      select pool_id, count(*)::integer as cards
      from arrived
      group by pool_id
    ) a
    where p.client_id = p_client_id
      and p.id = a.pool_id
  ), told as (
    insert into events (id, client_id, campaign_id, recipient_id, event_type, event_data, created_at)
    select gen_random_uuid(), p_client_id, a.campaign_id, p_recipient_id, 'gift_card_delivered',
      jsonb_build_object('gift_card_id', a.id, 'channel', 'form'), p_now
    from arrived a
  )
  update call_conditions_met m
  set delivery_status = 'delivered'
  from arrived a
  where m.client_id = p_client_id
    and m.gift_card_id = a.id;
end
$$;

comment on function app.settle_shown(uuid, uuid, uuid[], timestamptz) is
  'Cards that a page has shown and that no message brings have arrived: there is nothing more to wait for.';


-- Rewards to one address ----------------------------------------------------------------------------------------------

create function app.count_rewards_to(p_client_id uuid, p_address text, p_since timestamptz)
returns bigint
language sql
stable
as $$
  select count(*)
  from call_conditions_met m
  where m.client_id = p_client_id
    and m.delivery_address = p_address
    -- an address that somebody gave later counts from when the card was taken, not from when it was earned
    and (
      m.met_at > p_since
      or (
        m.given_address
        and not exists (
          select
          from gift_cards g
          where g.client_id = m.client_id
            and g.id = m.gift_card_id
            and g.claimed_at <= p_since)))
    and m.gift_card_pool_id is not null;
$$;

comment on function app.count_rewards_to(uuid, text, timestamptz) is 'How many rewards went to a number or address since then.';

create function app.rewards_to(p_client_id uuid, p_address text, p_since timestamptz, p_counted boolean)
returns bigint
language plpgsql
as $$
begin
  if p_address is null or not p_counted then
    return 0;
  end if;

  perform pg_advisory_xact_lock(hashtextextended('rewards to ' || p_client_id || ' ' || p_address, 0));
  return app.count_rewards_to(p_client_id, p_address, p_since);
end
$$;

comment on function app.rewards_to(uuid, text, timestamptz, boolean) is
  'The same for a claim: whoever asks has the address to themselves until their transaction ends, '
  'so that two at once do not both pass the limit. Volatile: it counts what was committed while it waited.';

grant execute on function
  app.is_unseen(uuid, uuid),
  app.take_back_unseen(uuid, uuid, text, timestamptz, uuid),
  app.settle_shown(uuid, uuid, uuid[], timestamptz)
to ace_app;
grant execute on function
  app.count_rewards_to(uuid, text, timestamptz),
  app.rewards_to(uuid, text, timestamptz, boolean)
to ace_app, ace_public, ace_worker;
