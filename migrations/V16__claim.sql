-- The claim once more: nobody overtakes those who wait, a card that nobody could send is not taken, and cards whose last
-- day is over count for nobody. Still one call, one transaction, no clock and no chance inside.

comment on type app.claim_result is
  'What a claim came to. outcome: claimed; already_met: earlier, with what it earned then; no_reward: met, nothing is earned; '
  'pool_empty and no_credits: met, the card follows when there is one; address_missing: met, the card follows when somebody says '
  'where to send it; no_condition: the campaign has no such active condition, or no such recipient.';

comment on column call_conditions_met.delivery_address is
  'Where the card goes. Null: a form showed it on the spot, or it is not known yet and no card is taken.';

comment on column alerts.kind is
  'pool_empty, pool_low, cards_expiring, no_credits, address_missing, reward_held, delivery_failed, …';
comment on column alerts.subject_id is
  'What it is about: the pool, the client, the message, the met condition; for address_missing the recipient.';


drop index call_conditions_met_waiting_idx;

create index call_conditions_met_waiting_idx on call_conditions_met (gift_card_pool_id, met_at, id)
  where gift_card_id is null
    and delivery_status = 'pending'
    and delivery_address is not null;

comment on index call_conditions_met_waiting_idx is
  'The queue at a pool, first met first served. Who cannot be sent a card does not stand in it.';

-- A form filled in through a public link, or a CRM, may say where a card goes that waits for an address.
grant update (delivery_channel, delivery_address) on call_conditions_met to ace_system;


create function app.sweep_expired(p_pool_id uuid, p_now timestamptz)
returns integer
language plpgsql
as $$
declare
  v_expired integer;
begin
  update gift_cards
  set status = 'expired'
  where pool_id = p_pool_id
    and status = 'available'
    and expires_at < (p_now at time zone 'UTC')::date;
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

comment on function app.sweep_expired(uuid, timestamptz) is
  'Takes the cards whose last day is over (UTC) off the shelf of a pool that the caller has locked; answers how many.';


create function app.those_ahead(
  p_client_id uuid,
  p_pool_id uuid,
  p_campaign_id uuid,
  p_met_at timestamptz default 'infinity',
  p_id uuid default null,
  out own_people bigint,
  out free_cards bigint,
  out credits bigint
)
language sql
stable
as $$
  select
    coalesce(sum(w.people) filter (where w.campaign_id = p_campaign_id), 0)::bigint,
    coalesce(sum(greatest(w.people - coalesce(r.reserved, 0), 0)), 0)::bigint,
    coalesce(sum(w.credits), 0)::bigint
  from (
    select campaign_id, count(*) as people, sum(price_credits) as credits
    from call_conditions_met
    where client_id = p_client_id
      and gift_card_pool_id = p_pool_id
      and gift_card_id is null
      and delivery_status = 'pending'
      and delivery_address is not null
      and (met_at < p_met_at or met_at = p_met_at and id < p_id)
      and price_credits <= (select c.credits from clients c where c.id = p_client_id)
    group by campaign_id
  ) w
  left join campaign_reservations r on r.campaign_id = w.campaign_id and r.pool_id = p_pool_id;
$$;

comment on function app.those_ahead(uuid, uuid, uuid, timestamptz, uuid) is
  'Who waits at a pool since before somebody met a condition, those aside whom the credits do not cover: own_people, of the same '
  'campaign; free_cards, the cards promised to nobody that go to them (what is promised to their own campaigns goes first); '
  'credits, what all of them cost. For one who has the pool''s turn.';


create function app.has_to_wait(p_met call_conditions_met, p_now timestamptz)
returns boolean
language plpgsql
as $$
declare
  v_ahead record;
  v_pool gift_card_pools;
  v_reserved integer;
begin
  -- Nearly always nobody waits, and nothing else is looked at.
  if not exists (
    select
    from call_conditions_met
    where gift_card_pool_id = p_met.gift_card_pool_id
      and gift_card_id is null
      and delivery_status = 'pending'
      and delivery_address is not null
      and id <> p_met.id
  ) then
    return false;
  end if;

  perform app.sweep_expired(p_met.gift_card_pool_id, p_now);

  select *
  into v_ahead
  from app.those_ahead(p_met.client_id, p_met.gift_card_pool_id, p_met.campaign_id, p_met.met_at, p_met.id);

  if p_met.price_credits > 0 and exists (
    select
    from clients
    where id = p_met.client_id
      and credits < v_ahead.credits + p_met.price_credits
  ) then
    return v_ahead.credits > 0;
  end if;

  select *
  into strict v_pool
  from gift_card_pools
  where client_id = p_met.client_id
    and id = p_met.gift_card_pool_id;

  select coalesce(max(reserved), 0)
  into v_reserved
  from campaign_reservations
  where campaign_id = p_met.campaign_id
    and pool_id = p_met.gift_card_pool_id;

  return v_ahead.own_people >= v_reserved
    and v_ahead.free_cards >= v_pool.available_cards - v_pool.reserved_cards;
end
$$;

comment on function app.has_to_wait(call_conditions_met, timestamptz) is
  'Whether the cards and credits that are there belong to those who met a condition earlier and still wait for app.fulfil_pending().';


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
    order by coalesce(c.expires_at, 'infinity'::date), c.created_at, c.id
    limit 1
    for update skip locked;

    exit when v_expires_at is null or v_expires_at >= (p_now at time zone 'UTC')::date;

    -- The counters told of cards whose last day is over: count again without them.
    v_card_id := null;
    exit when app.sweep_expired(v_pool.id, p_now) = 0;
  end loop;

  if p_met.price_credits > 0 then
    perform
    from clients
    where id = p_met.client_id
      and credits >= p_met.price_credits
    for no key update;

    if not found then
      v_result.outcome := 'no_credits';
      v_result.available_cards := v_pool.available_cards;
      return v_result;
    end if;
  end if;

  if v_card_id is null then
    v_result.outcome := 'pool_empty';
    v_result.available_cards := v_pool.available_cards;
    return v_result;
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
      'Hello {{first_name|there}}, here is your {{amount}} {{brand}} gift card from {{company}}: {{code}} {{pin|}}'
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

comment on function app.hand_out_card(call_conditions_met, campaign_reward_configs, jsonb, timestamptz, uuid[]) is
  'Gives the next card of the pool to a met condition: card, counters, reservation, credits, participation, message with its job, event. '
  'With a gift_card_id in p_met, in place of that card. Called by the functions below and by nobody else. '
  'p_ids: ledger row, message, job, event.';


create or replace function app.claim_reward(
  p_client_id uuid,
  p_campaign_id uuid,
  p_recipient_id uuid,
  p_condition_number integer,
  p_now timestamptz,
  p_ids uuid[],
  p_channel text default null,
  p_to_address text default null,
  p_price integer default 0,
  p_merge jsonb default '{}',
  p_agent_id uuid default null,
  p_call_session_id uuid default null,
  p_notes text default null,
  p_hold text default null
)
returns app.claim_result
language plpgsql
as $$
declare
  v_result app.claim_result;
  v_met call_conditions_met;
  v_config campaign_reward_configs;
  v_trigger_type text;
  v_reaches boolean;
begin
  v_result.recipient_id := p_recipient_id;

  select c.trigger_type
  into v_trigger_type
  from campaign_conditions c
  join recipients r on r.client_id = c.client_id and r.campaign_id = c.campaign_id
  where c.client_id = p_client_id
    and c.campaign_id = p_campaign_id
    and c.condition_number = p_condition_number
    and c.is_active
    and r.client_id = p_client_id
    and r.id = p_recipient_id;

  if not found then
    v_result.outcome := 'no_condition';
    return v_result;
  end if;

  -- A form shows the card on the spot; everything else has to send it somewhere.
  v_reaches := p_to_address is not null or v_trigger_type = 'form_submit';

  select *
  into v_config
  from campaign_reward_configs
  where client_id = p_client_id
    and campaign_id = p_campaign_id
    and condition_number = p_condition_number;

  if v_config.gift_card_pool_id is not null and v_reaches and not exists (
    select
    from call_conditions_met
    where recipient_id = p_recipient_id
      and condition_number = p_condition_number
  ) then
    perform app.queue_for_pool(v_config.gift_card_pool_id);
  end if;

  insert into call_conditions_met (
    id, client_id, call_session_id, campaign_id, recipient_id, condition_number, trigger_type, met_at, met_by_agent_id,
    gift_card_pool_id, price_credits, delivery_channel, delivery_address, hold_reason, delivery_status, notes, created_at
  )
  values (
    p_ids[1], p_client_id, p_call_session_id, p_campaign_id, p_recipient_id, p_condition_number, v_trigger_type, p_now, p_agent_id,
    v_config.gift_card_pool_id, p_price, p_channel, p_to_address, p_hold,
    case when v_config.gift_card_pool_id is not null then 'pending' end,
    p_notes, p_now
  )
  on conflict (recipient_id, condition_number) do nothing
  returning *
  into v_met;

  -- Somebody was earlier, perhaps by a moment: this answer waited for their commit.
  if v_met.id is null then
    select 'already_met', m.id, m.recipient_id, m.gift_card_id,
      (
        select s.id
        from messages s
        where s.gift_card_id = m.gift_card_id
        order by s.created_at desc, s.id desc
        limit 1
      ),
      m.delivery_status, m.gift_card_pool_id, null
    into v_result
    from call_conditions_met m
    where m.recipient_id = p_recipient_id
      and m.condition_number = p_condition_number;
    return v_result;
  end if;

  insert into events (id, client_id, campaign_id, recipient_id, event_type, event_data, created_at)
  values (
    p_ids[2], p_client_id, p_campaign_id, p_recipient_id, 'condition_met',
    jsonb_build_object('condition_number', p_condition_number, 'trigger_type', v_trigger_type),
    p_now
  );

  v_result.condition_id := v_met.id;

  if v_met.gift_card_pool_id is null then
    v_result.outcome := 'no_reward';
    return v_result;
  end if;

  v_result.delivery_status := 'pending';
  v_result.pool_id := v_met.gift_card_pool_id;

  if not v_reaches then
    v_result.outcome := 'address_missing';
  elsif app.has_to_wait(v_met, p_now) then
    v_result.outcome := 'pool_empty';

    -- Those ahead have not been served yet: see to it that they are, and this one after them.
    insert into jobs (id, kind, payload, client_id, unique_key, run_at, created_at)
    values (
      p_ids[6], 'rewards.fulfil', jsonb_build_object('pool_id', v_met.gift_card_pool_id), p_client_id,
      'rewards.fulfil:' || v_met.gift_card_pool_id, p_now, p_now
    )
    on conflict do nothing;
  else
    v_result := app.hand_out_card(v_met, v_config, p_merge, p_now, p_ids[4:7]);
  end if;

  if v_result.outcome = 'claimed' then
    return v_result;
  end if;

  -- Nor does one wait at a pool whose card could then not be sent.
  if p_to_address is null then
    v_result.outcome := 'address_missing';
  end if;

  insert into alerts (id, client_id, kind, subject_id, message, data, created_at)
  values (
    p_ids[3], p_client_id, v_result.outcome,
    case v_result.outcome when 'address_missing' then p_recipient_id else v_met.gift_card_pool_id end,
    case v_result.outcome
      when 'address_missing' then 'A reward is due, and there is no phone number and no e-mail address to send it to.'
      when 'pool_empty' then 'A reward is due and the pool has no card left for it.'
      else 'A reward is due and the credits do not cover it.'
    end,
    jsonb_build_object('campaign_id', p_campaign_id)
      || case v_result.outcome
        when 'address_missing' then jsonb_build_object('recipient_id', p_recipient_id, 'code', 'GC-012')
        else '{}'
      end,
    p_now
  )
  on conflict (client_id, kind, subject_id) where resolved_at is null do nothing;

  return v_result;
end
$$;

comment on function app.claim_reward(
  uuid, uuid, uuid, integer, timestamptz, uuid[], text, text, integer, jsonb, uuid, uuid, text, text
) is
  'Records that a recipient met a condition, and hands out what it earns, once however often and from wherever it is called. '
  'p_ids: seven new ids: condition row, its event, alert, ledger row, message, job, event of the card. '
  'p_channel and p_to_address: where the card goes; without them only a form, which shows it, is given one. '
  'p_price: credits the reward costs. p_hold: why a person has to look before anything is sent.';


create or replace function app.fulfil_pending(
  p_client_id uuid,
  p_pool_id uuid,
  p_now timestamptz,
  p_ids uuid[],
  p_merge jsonb default '{}'
)
returns setof app.claim_result
language plpgsql
as $$
declare
  v_met call_conditions_met;
  v_config campaign_reward_configs;
  v_result app.claim_result;
  v_most integer := cardinality(p_ids) / 4;
  v_done integer := 0;
  v_before integer;
  v_free integer;
  v_credits integer;
begin
  -- In the order of every claim: the pool first, then what waits for it.
  perform app.queue_for_pool(p_pool_id);
  perform
  from gift_card_pools
  where client_id = p_client_id
    and id = p_pool_id
  for no key update;
  perform app.sweep_expired(p_pool_id, p_now);

  loop
    v_before := v_done;

    select p.available_cards - p.reserved_cards, c.credits
    into v_free, v_credits
    from gift_card_pools p
    join clients c on c.id = p.client_id
    where p.client_id = p_client_id
      and p.id = p_pool_id;

    -- Only those who can be served as things stand: however many others wait before them, they are not looked at.
    for v_met in
      select m.*
      from call_conditions_met m
      where m.client_id = p_client_id
        and m.gift_card_pool_id = p_pool_id
        and m.gift_card_id is null
        and m.delivery_status = 'pending'
        and m.delivery_address is not null
        and m.price_credits <= v_credits
        and (v_free > 0 or exists (
          select
          from campaign_reservations r
          where r.campaign_id = m.campaign_id
            and r.pool_id = p_pool_id
            and r.reserved > 0
        ))
      order by m.met_at, m.id
      limit v_most - v_done
      for no key update of m skip locked
    loop
      select *
      into v_config
      from campaign_reward_configs
      where client_id = v_met.client_id
        and campaign_id = v_met.campaign_id
        and condition_number = v_met.condition_number;

      v_result := app.hand_out_card(v_met, v_config, p_merge, p_now, p_ids[v_done * 4 + 1 : v_done * 4 + 4]);
      -- Things stand otherwise now: look again who can be served.
      exit when v_result.outcome <> 'claimed';
      v_done := v_done + 1;
      return next v_result;
    end loop;

    exit when v_done = v_before or v_done = v_most;
  end loop;

  if v_done = v_most then
    return;
  end if;

  -- What people still wait for is told, and nothing else. The last ids were not needed for a card.
  with waiting as (
    select
      case when price_credits > v_credits then 'no_credits' else 'pool_empty' end as kind,
      (array_agg(campaign_id order by met_at, id))[1] as campaign_id
    from call_conditions_met
    where client_id = p_client_id
      and gift_card_pool_id = p_pool_id
      and gift_card_id is null
      and delivery_status = 'pending'
      and delivery_address is not null
    group by 1
  ), settled as (
    update alerts
    set resolved_at = p_now
    where client_id = p_client_id
      and kind in ('pool_empty', 'no_credits')
      and kind not in (select w.kind from waiting w)
      and subject_id = p_pool_id
      and resolved_at is null
  )
  insert into alerts (id, client_id, kind, subject_id, message, data, created_at)
  select
    p_ids[cardinality(p_ids) + 1 - (row_number() over ())::integer], p_client_id, w.kind, p_pool_id,
    case w.kind
      when 'pool_empty' then 'A reward is due and the pool has no card left for it.'
      else 'A reward is due and the credits do not cover it.'
    end,
    jsonb_build_object('campaign_id', w.campaign_id),
    p_now
  from waiting w
  on conflict (client_id, kind, subject_id) where resolved_at is null do nothing;
end
$$;

comment on function app.fulfil_pending(uuid, uuid, timestamptz, uuid[], jsonb) is
  'Gives cards to the conditions that wait for this pool, first met first, as far as cards, credits and ids reach. Who still waits '
  'is told of by the pool''s alerts, which are closed when nobody does. Answers one row per card. '
  'p_ids: four for each card: ledger row, message, job, event; alerts take the last, when not all were needed.';


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
begin
  select pool_id
  into v_pool_id
  from gift_cards
  where client_id = p_client_id
    and id = p_card_id;

  if not found then
    v_result.outcome := 'no_card';
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

  -- It was paid for when it was earned; the way it goes may be another one this time.
  v_met.price_credits := 0;
  v_met.hold_reason := null;
  v_met.delivery_channel := coalesce(p_channel, v_met.delivery_channel);
  v_met.delivery_address := coalesce(p_to_address, v_met.delivery_address);

  if v_met.delivery_address is null then
    v_result.outcome := 'address_missing';
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
  end if;

  return v_result;
end
$$;

comment on function app.replace_card(uuid, uuid, text, timestamptz, uuid[], text, text) is
  'Retires a card that was handed out, unless it is retired already, and gives the same condition another one, free of credits and of '
  'the campaign''s promised cards as long as there are others. The old card keeps its status: it was handed out. '
  'p_ids: as for app.hand_out_card(). Outcome no_card: there is none that a condition earned; address_missing: it was shown by a '
  'form, and nobody says where the new one goes.';


grant execute on function
  app.sweep_expired(uuid, timestamptz),
  app.those_ahead(uuid, uuid, uuid, timestamptz, uuid),
  app.has_to_wait(call_conditions_met, timestamptz)
to ace_app, ace_system;
