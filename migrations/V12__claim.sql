-- The money path: a condition is met, a card changes hands. One call, one transaction, no clock and no chance inside:
-- the time and every new id come from the application.

create type app.claim_result as (
  outcome text,
  condition_id uuid,
  recipient_id uuid,
  gift_card_id uuid,
  message_id uuid,
  delivery_status text,
  pool_id uuid,
  available_cards integer
);

comment on type app.claim_result is
  'What a claim came to. outcome: claimed; already_met: earlier, with what it earned then; no_reward: met, nothing is earned; '
  'pool_empty and no_credits: met, the card follows when there is one; no_condition: the campaign has no such active condition, '
  'or no such recipient.';


create function app.queue_for_pool(p_pool_id uuid)
returns void
language sql
as $$
  select pg_advisory_xact_lock(hashtextextended(p_pool_id::text, 0));
$$;

comment on function app.queue_for_pool(uuid) is
  'Waits for one''s turn at a pool before touching anything. The pool''s row is what protects it; but sixty claims waiting at one row '
  'wake each other at every commit, and drag the rows their foreign keys refer to along. Here one is woken at a time: '
  'measured at several times the claims a second.';


create function app.hand_out_card(
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
  v_reserved boolean;
  v_body text;
begin
  v_result.condition_id := p_met.id;
  v_result.recipient_id := p_met.recipient_id;
  v_result.delivery_status := 'pending';
  v_result.pool_id := p_met.gift_card_pool_id;

  -- The pool's row is the lock on its cards, reservations and counters.
  select *
  into strict v_pool
  from gift_card_pools
  where client_id = p_met.client_id
    and id = p_met.gift_card_pool_id
  for no key update;

  v_reserved := exists (
    select
    from campaign_reservations
    where campaign_id = p_met.campaign_id
      and pool_id = v_pool.id
      and reserved > 0
  );

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

  -- What is promised to other campaigns is not there for this one.
  if v_reserved or v_pool.available_cards > v_pool.reserved_cards then
    update gift_cards
    set status = 'claimed',
        recipient_id = p_met.recipient_id,
        campaign_id = p_met.campaign_id,
        claimed_at = p_now
    where id = (
      select c.id
      from gift_cards c
      where c.pool_id = v_pool.id
        and c.status = 'available'
        and coalesce(c.expires_at, 'infinity'::date) >= (p_now at time zone 'UTC')::date
      order by coalesce(c.expires_at, 'infinity'::date), c.created_at, c.id
      limit 1
      for update skip locked
    )
    returning id
    into v_result.gift_card_id;
  end if;

  if v_result.gift_card_id is null then
    v_result.outcome := 'pool_empty';
    v_result.available_cards := v_pool.available_cards;
    return v_result;
  end if;

  v_result.outcome := 'claimed';

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
    values (p_ids[1], p_met.client_id, -p_met.price_credits, 'reward', p_met.campaign_id, p_met.recipient_id, v_result.gift_card_id, p_now);
  end if;

  update call_conditions_met
  set gift_card_id = v_result.gift_card_id,
      delivery_status = 'pending'
  where client_id = p_met.client_id
    and id = p_met.id;

  update contact_campaign_participation
  set gift_card_id = coalesce(gift_card_id, v_result.gift_card_id),
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
      p_ids[2], r.client_id, r.campaign_id, r.id, r.contact_id, v_result.gift_card_id,
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
    jsonb_build_object('condition_number', p_met.condition_number, 'gift_card_id', v_result.gift_card_id),
    p_now
  );

  return v_result;
end
$$;

comment on function app.hand_out_card(call_conditions_met, campaign_reward_configs, jsonb, timestamptz, uuid[]) is
  'Gives the next card of the pool to a met condition: card, counters, reservation, credits, participation, message with its job, event. '
  'Called by the two functions below and by nobody else. p_ids: ledger row, message, job, event.';


create function app.claim_reward(
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

  select *
  into v_config
  from campaign_reward_configs
  where client_id = p_client_id
    and campaign_id = p_campaign_id
    and condition_number = p_condition_number;

  if v_config.gift_card_pool_id is not null and not exists (
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

  if v_met.gift_card_pool_id is null then
    v_result.outcome := 'no_reward';
    v_result.condition_id := v_met.id;
    return v_result;
  end if;

  v_result := app.hand_out_card(v_met, v_config, p_merge, p_now, p_ids[4:7]);

  if v_result.outcome <> 'claimed' then
    insert into alerts (id, client_id, kind, subject_id, message, data, created_at)
    values (
      p_ids[3], p_client_id, v_result.outcome, v_met.gift_card_pool_id,
      case v_result.outcome
        when 'pool_empty' then 'A reward is due and the pool has no card left for it.'
        else 'A reward is due and the credits do not cover it.'
      end,
      jsonb_build_object('campaign_id', p_campaign_id),
      p_now
    )
    on conflict (client_id, kind, subject_id) where resolved_at is null do nothing;
  end if;

  return v_result;
end
$$;

comment on function app.claim_reward(
  uuid, uuid, uuid, integer, timestamptz, uuid[], text, text, integer, jsonb, uuid, uuid, text, text
) is
  'Records that a recipient met a condition, and hands out what it earns, once however often and from wherever it is called. '
  'p_ids: seven new ids: condition row, its event, alert, ledger row, message, job, event of the card. '
  'p_channel and p_to_address: where the card goes; without them it is claimed and nothing is sent. '
  'p_price: credits the reward costs. p_hold: why a person has to look before anything is sent.';


create function app.fulfil_pending(
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
  v_done integer := 0;
  v_missed integer := 0;
begin
  -- In the order of every claim: the pool first, then what waits for it.
  perform app.queue_for_pool(p_pool_id);
  perform
  from gift_card_pools
  where client_id = p_client_id
    and id = p_pool_id
  for no key update;

  for v_met in
    select *
    from call_conditions_met
    where client_id = p_client_id
      and gift_card_pool_id = p_pool_id
      and gift_card_id is null
      and delivery_status = 'pending'
    order by met_at, id
    for no key update skip locked
  loop
    exit when (v_done + 1) * 4 > cardinality(p_ids);

    select *
    into v_config
    from campaign_reward_configs
    where client_id = v_met.client_id
      and campaign_id = v_met.campaign_id
      and condition_number = v_met.condition_number;

    v_result := app.hand_out_card(v_met, v_config, p_merge, p_now, p_ids[v_done * 4 + 1 : v_done * 4 + 4]);

    if v_result.outcome = 'claimed' then
      v_done := v_done + 1;
      return next v_result;
    else
      -- Further back may wait a cheaper one, or one of a campaign with cards of its own; not far back, though.
      v_missed := v_missed + 1;
      exit when v_result.available_cards = 0 or v_missed = 100;
    end if;
  end loop;

  update alerts
  set resolved_at = p_now
  where client_id = p_client_id
    and kind in ('pool_empty', 'no_credits')
    and subject_id = p_pool_id
    and resolved_at is null
    and not exists (
      select
      from call_conditions_met
      where client_id = p_client_id
        and gift_card_pool_id = p_pool_id
        and gift_card_id is null
        and delivery_status = 'pending'
    );
end
$$;

comment on function app.fulfil_pending(uuid, uuid, timestamptz, uuid[], jsonb) is
  'Gives cards to the conditions that wait for this pool, first met first, as far as cards, credits and ids reach, and closes its alert '
  'when nobody waits any more. Answers one row per card. p_ids: four for each card: ledger row, message, job, event.';


create function app.replace_card(
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
  'Retires a card that was handed out and gives the same condition another one, free of credits. The old card keeps its status: it was '
  'handed out. p_ids: as for app.hand_out_card(). Outcome no_card: there is none that a condition earned.';


create function app.price(p_client_id uuid, p_what text)
returns integer
language sql
stable
security definer
set search_path = public, pg_temp
as $$
  select coalesce((
    select greatest((o.settings_json #>> array['prices', p_what])::integer, 0)
    from clients c
    join organizations o on o.id = c.org_id
    where c.id = p_client_id
  ), 0);
$$;

comment on function app.price(uuid, text) is
  'Credits that a piece or a reward costs a client: its organization''s settings_json.prices. Whoever claims need not see the organization.';

grant create on schema app to ace_system;
alter function app.price(uuid, text) owner to ace_system;
revoke create on schema app from ace_system;


grant execute on function
  app.queue_for_pool(uuid),
  app.hand_out_card(call_conditions_met, campaign_reward_configs, jsonb, timestamptz, uuid[]),
  app.claim_reward(uuid, uuid, uuid, integer, timestamptz, uuid[], text, text, integer, jsonb, uuid, uuid, text, text),
  app.fulfil_pending(uuid, uuid, timestamptz, uuid[], jsonb),
  app.replace_card(uuid, uuid, text, timestamptz, uuid[], text, text),
  app.price(uuid, text)
to ace_app, ace_system;
