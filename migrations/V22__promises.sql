-- Promises: credits are set aside as cards are, at the price of the launch; consent is asked before a card is taken, by
-- address; every status has a way out; a line of people that is long costs those who come no time.

-- Ways out ------------------------------------------------------------------------------------------------------------

insert into app.campaign_transitions (from_status, to_status)
values ('mailed', 'completed');

create function app.refuse_archived()
returns trigger
language plpgsql
as $$
begin
  raise exception 'what was archived does not change any more'
    using errcode = 'check_violation', constraint = tg_table_name || '_archived', table = tg_table_name;
end
$$;

comment on function app.refuse_archived() is 'An act that forgot to ask whether the thing still lives is refused here.';

create trigger refuse_archived
before update on campaigns
for each row
when (old.archived_at is not null)
execute function app.refuse_archived();


-- Credits that are set aside ------------------------------------------------------------------------------------------

alter table clients
  add column credits_reserved integer not null default 0,
  add constraint clients_credits_reserved_within check (credits_reserved between 0 and credits);

comment on column clients.credits_reserved is
  'Of credits, those promised to launched campaigns: the sum of campaigns.credits_promised and campaign_reservations.credits. '
  'Changed by triggers there and in no other way.';

alter table campaigns
  add column credits_promised integer not null default 0,
  add constraint campaigns_credits_promised_not_negative check (credits_promised >= 0);

comment on column campaigns.credits_promised is 'Credits set aside for its pieces, from launch until production charges them.';

alter table campaign_reservations
  add column price_credits integer not null default 0,
  add column credits integer not null default 0,
  add constraint campaign_reservations_price_not_negative check (price_credits >= 0),
  add constraint campaign_reservations_credits_within check (credits between 0 and reserved::bigint * price_credits);

comment on column campaign_reservations.price_credits is
  'What a reward cost at launch, set aside with each promised card; 0 for campaigns launched before there was this.';
comment on column campaign_reservations.credits is
  'Set aside for the promised cards. Less than they cost only where cards came back into a promise that had been cut.';

grant update (credits_reserved) on clients to ace_system;

create function app.move_reserved(p_client_id uuid, p_credits integer)
returns void
language sql
security definer
set search_path = public, pg_temp
as $$
  update clients
  set credits_reserved = credits_reserved + p_credits
  where id = p_client_id
    and p_credits <> 0;
$$;

create function app.free_credits(p_client_id uuid)
returns integer
language sql
security definer
set search_path = public, pg_temp
as $$
  select credits - credits_reserved
  from clients
  where id = p_client_id
  for no key update;
$$;

comment on function app.move_reserved(uuid, integer) is 'For the two triggers below: nobody else changes clients.credits_reserved.';
comment on function app.free_credits(uuid) is 'Credits promised to nobody; the client''s row is locked.';

grant create on schema app to ace_system;
alter function app.move_reserved(uuid, integer) owner to ace_system;
alter function app.free_credits(uuid) owner to ace_system;
revoke create on schema app from ace_system;

create function app.promise_piece_credits()
returns trigger
language plpgsql
security definer
set search_path = public, pg_temp
as $$
begin
  perform app.move_reserved(new.client_id, new.credits_promised - old.credits_promised);
  return new;
end
$$;

create function app.promise_reward_credits()
returns trigger
language plpgsql
security definer
set search_path = public, pg_temp
as $$
declare
  v_change integer;
begin
  -- Back go the credits of the cards that went, however they went; with cards that come, as many as are free.
  if new.reserved < old.reserved then
    v_change := -least((old.reserved - new.reserved)::bigint * new.price_credits, old.credits)::integer;
  else
    v_change := least((new.reserved - old.reserved)::bigint * new.price_credits, app.free_credits(new.client_id))::integer;
  end if;
  perform app.move_reserved(new.client_id, v_change);
  new.credits := old.credits + v_change;
  return new;
end
$$;

comment on function app.promise_piece_credits() is 'Keeps clients.credits_reserved; the check there refuses to promise more than there is.';
comment on function app.promise_reward_credits() is 'Keeps campaign_reservations.credits and clients.credits_reserved, whoever moves the promised cards.';

grant create on schema app to ace_system;
alter function app.promise_piece_credits() owner to ace_system;
alter function app.promise_reward_credits() owner to ace_system;
revoke create on schema app from ace_system;

revoke all on function app.move_reserved(uuid, integer), app.free_credits(uuid) from public;

create trigger promise_credits
before update of credits_promised on campaigns
for each row
when (new.credits_promised <> old.credits_promised)
execute function app.promise_piece_credits();

create trigger promise_credits
before update of reserved on campaign_reservations
for each row
when (new.reserved <> old.reserved and (new.price_credits > 0 or old.credits > 0))
execute function app.promise_reward_credits();


-- Consent, by address -------------------------------------------------------------------------------------------------

alter table call_conditions_met
  add column refusal text,
  add column refunded_at timestamptz,
  add constraint call_conditions_met_refusal check (refusal in ('do_not_contact', 'opted_out', 'suppressed'));

-- A form filled in through a public link may say by which way the person may be written to after all.
grant update (refusal) on call_conditions_met to ace_system;

comment on column call_conditions_met.refusal is
  'Why the person may not be written to: no card was taken for it and no credits were charged. Null when somebody said another way.';
comment on column call_conditions_met.refunded_at is 'When the credits came back, because the card could not be delivered at all.';
comment on column suppressed_addresses.reason is
  'stop, bounce, complaint, manual; opted_out: said by a contact who is gone, or has another number or address now.';

create function app.contact_refusal(p_client_id uuid, p_contact_id uuid, p_channel text, p_address text)
returns text
language sql
stable
as $$
  select case
    when coalesce(bool_or(c.do_not_contact), false) then 'do_not_contact'
    when coalesce(bool_or(case p_channel when 'sms' then c.sms_opt_out else c.email_opt_out end), false) then 'opted_out'
    when exists (
      select
      from suppressed_addresses s
      where s.client_id = p_client_id
        and s.channel = p_channel
        and s.address = p_address
    ) then 'suppressed'
  end
  from (
    select do_not_contact, sms_opt_out, email_opt_out
    from contacts
    where client_id = p_client_id
      and id = p_contact_id
    union all
    select do_not_contact, sms_opt_out, email_opt_out
    from contacts
    where client_id = p_client_id
      and p_channel = 'sms'
      and phone = p_address
    union all
    select do_not_contact, sms_opt_out, email_opt_out
    from contacts
    where client_id = p_client_id
      and p_channel = 'sms'
      and mobile_phone = p_address
    union all
    select do_not_contact, sms_opt_out, email_opt_out
    from contacts
    where client_id = p_client_id
      and p_channel = 'email'
      and email = p_address
  ) c;
$$;

comment on function app.contact_refusal(uuid, uuid, text, text) is
  'Why a person must not be written to at a number or address: what the contact said, what every other contact with that address '
  'said, and what the address itself is known for; null when they may be. Asked before a card is taken and again at the door.';

grant execute on function app.contact_refusal(uuid, uuid, text, text) to ace_app, ace_system;


grant insert, delete on suppressed_addresses to ace_system; -- the contacts' trigger

create function app.keep_opt_out()
returns trigger
language plpgsql
security definer
set search_path = public, pg_temp
as $$
declare
  v_kept text[] := '{}';
begin
  if tg_op = 'UPDATE' then
    v_kept := array[new.phone, new.mobile_phone, new.email];

    -- Somebody said yes where the same contact had said no.
    delete from suppressed_addresses
    where client_id = new.client_id
      and reason = 'opted_out'
      and address = any (v_kept)
      and case channel
        when 'sms' then (old.sms_opt_out or old.do_not_contact) and not (new.sms_opt_out or new.do_not_contact)
        else (old.email_opt_out or old.do_not_contact) and not (new.email_opt_out or new.do_not_contact)
      end;
  end if;

  insert into suppressed_addresses (id, client_id, channel, address, reason, created_at)
  select gen_random_uuid(), old.client_id, gone.channel, gone.address, 'opted_out', now()
  from (
    values
      ('email', old.email, old.email_opt_out),
      ('sms', old.mobile_phone, old.sms_opt_out),
      ('sms', old.phone, old.sms_opt_out)
  ) gone (channel, address, refused)
  where gone.address <> ''
    and (gone.refused or old.do_not_contact)
    and (gone.address = any (v_kept)) is not true
  order by gone.channel, gone.address
  on conflict (client_id, channel, address) do nothing;

  return null;
end
$$;

comment on function app.keep_opt_out() is
  'A no outlives the row it was said in: when a contact goes, or has another number or address, the old one stays suppressed. '
  'A yes from the same contact lifts it.';

create function app.follow_contact()
returns trigger
language plpgsql
security definer
set search_path = public, pg_temp
as $$
declare
  v_phone text := coalesce(new.mobile_phone, new.phone);
  v_old text[] := array_remove(array[old.mobile_phone, old.phone], null);
  v_new text[] := array_remove(array[new.mobile_phone, new.phone], null);
begin
  if v_phone !~ '^\+[0-9]{8,15}$' then
    v_phone := null;
  end if;

  update messages m
  set to_address = case m.channel when 'sms' then v_phone else new.email end
  where m.client_id = new.client_id
    and m.contact_id = new.id
    and m.status in ('pending', 'held')
    and case m.channel
      when 'sms' then v_phone is not null and m.to_address = any (v_old) and m.to_address <> all (v_new)
      else new.email like '%@%' and m.to_address = old.email and m.to_address <> new.email
    end;

  update call_conditions_met m
  set delivery_address = case m.delivery_channel when 'sms' then v_phone else new.email end
  from recipients r
  where r.client_id = new.client_id
    and r.contact_id = new.id
    and m.recipient_id = r.id
    and m.gift_card_id is null
    and m.delivery_status = 'pending'
    and case m.delivery_channel
      when 'sms' then v_phone is not null and m.delivery_address = any (v_old) and m.delivery_address <> all (v_new)
      else new.email like '%@%' and m.delivery_address = old.email and m.delivery_address <> new.email
    end;

  return null;
end
$$;

comment on function app.follow_contact() is
  'Who has another number or address now gets there what still waits: messages that have not left, and rewards that wait for a card.';

grant create on schema app to ace_system;
alter function app.keep_opt_out() owner to ace_system;
alter function app.follow_contact() owner to ace_system;
revoke create on schema app from ace_system;

create trigger keep_opt_out_of_deleted
after delete on contacts
for each row
when (old.do_not_contact or old.sms_opt_out or old.email_opt_out)
execute function app.keep_opt_out();

create trigger keep_opt_out_of_changed
after update of phone, mobile_phone, email, do_not_contact, sms_opt_out, email_opt_out on contacts
for each row
when (
  (old.do_not_contact or old.sms_opt_out or old.email_opt_out)
  and (old.phone, old.mobile_phone, old.email, old.do_not_contact, old.sms_opt_out, old.email_opt_out)
    is distinct from (new.phone, new.mobile_phone, new.email, new.do_not_contact, new.sms_opt_out, new.email_opt_out)
)
execute function app.keep_opt_out();

create trigger follow_contact
after update of phone, mobile_phone, email on contacts
for each row
when ((old.phone, old.mobile_phone, old.email) is distinct from (new.phone, new.mobile_phone, new.email))
execute function app.follow_contact();


-- The line at a pool --------------------------------------------------------------------------------------------------

create index call_conditions_met_waiting_of_idx on call_conditions_met (gift_card_pool_id, campaign_id)
  where gift_card_id is null
    and delivery_status = 'pending'
    and delivery_address is not null;

comment on index call_conditions_met_waiting_of_idx is 'Who waits at a pool, campaign by campaign.';

comment on type app.claim_result is
  'What a claim came to. outcome: claimed; already_met: earlier, with what it earned then; no_reward: met, nothing is earned; '
  'pool_empty and no_credits: met, the card follows when there is one; address_missing: met, the card follows when somebody says '
  'where to send it; consent_needed: met, no card is taken because the person may not be written to; no_condition: the campaign has '
  'no such active condition, or no such recipient, or is over. available_cards: null with pool_empty where '
  'there are cards and people ahead who have not been served yet: the caller enqueues rewards.fulfil, after everything else.';


-- The columns and indexes are there: the functions that use them follow.

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

comment on function app.sweep_expired(uuid, timestamptz) is
  'Takes the cards whose last day is over where the client is off the shelf of a pool that the caller has locked; answers how many.';


drop function app.those_ahead(uuid, uuid, uuid, timestamptz, uuid);

create function app.those_ahead(
  p_client_id uuid,
  p_pool_id uuid,
  p_campaign_id uuid,
  p_met_at timestamptz default 'infinity',
  p_id uuid default null,
  p_most integer default null,
  out own_people bigint,
  out free_cards bigint,
  out credits bigint,
  out looked_at bigint
)
language sql
stable
as $$
  select
    coalesce(sum(w.people) filter (where w.campaign_id = p_campaign_id), 0)::bigint,
    coalesce(sum(greatest(w.people - coalesce(r.reserved, 0), 0)), 0)::bigint,
    coalesce(sum(greatest(w.credits - coalesce(r.credits, 0), 0)), 0)::bigint,
    coalesce(sum(w.all_people), 0)::bigint
  from (
    select
      l.campaign_id,
      count(*) as all_people,
      count(*) filter (where l.price_credits <= c.free or p.credits >= l.price_credits) as people,
      sum(l.price_credits) filter (where l.price_credits <= c.free or p.credits >= l.price_credits) as credits
    from (
      select campaign_id, price_credits
      from call_conditions_met
      where client_id = p_client_id
        and gift_card_pool_id = p_pool_id
        and gift_card_id is null
        and delivery_status = 'pending'
        and delivery_address is not null
        and (met_at < p_met_at or met_at = p_met_at and id < p_id)
      order by met_at, id
      limit p_most
    ) l
    cross join (select c.credits - c.credits_reserved as free from clients c where c.id = p_client_id) c
    left join campaign_reservations p on p.campaign_id = l.campaign_id and p.pool_id = p_pool_id
    group by l.campaign_id
  ) w
  left join campaign_reservations r on r.campaign_id = w.campaign_id and r.pool_id = p_pool_id;
$$;

comment on function app.those_ahead(uuid, uuid, uuid, timestamptz, uuid, integer) is
  'Who waits at a pool since before somebody met a condition, those aside whom the credits do not cover: own_people, of the same '
  'campaign; free_cards, the cards promised to nobody that go to them (what is promised to their own campaigns goes first); '
  'credits, what all of them cost beyond what is set aside. p_most: no more than so many are looked at, and looked_at says how many were. '
  'For one who has the pool''s turn.';


create or replace function app.has_to_wait(p_met call_conditions_met, p_now timestamptz)
returns boolean
language plpgsql
as $$
declare
  -- So many are counted; who comes behind more of them joins the line, and the line is served in turn.
  v_most constant integer := 500;
  v_ahead record;
  v_pool gift_card_pools;
  v_promise campaign_reservations;
  v_credits integer;
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

  select *
  into strict v_pool
  from gift_card_pools
  where client_id = p_met.client_id
    and id = p_met.gift_card_pool_id;

  select *
  into v_promise
  from campaign_reservations
  where campaign_id = p_met.campaign_id
    and pool_id = p_met.gift_card_pool_id
    and reserved > 0;

  -- Where there is nothing to be had, nobody is counted: the others are as many as they are.
  if v_promise.id is null and v_pool.available_cards <= v_pool.reserved_cards then
    return false;
  end if;

  if p_met.price_credits > 0 then
    select credits - credits_reserved + least(coalesce(v_promise.credits, 0), p_met.price_credits)
    into strict v_credits
    from clients
    where id = p_met.client_id;

    if v_credits < p_met.price_credits then
      return false;
    end if;
  end if;

  perform app.sweep_expired(p_met.gift_card_pool_id, p_now);

  select *
  into strict v_pool
  from gift_card_pools
  where client_id = p_met.client_id
    and id = p_met.gift_card_pool_id;

  select *
  into v_promise
  from campaign_reservations
  where campaign_id = p_met.campaign_id
    and pool_id = p_met.gift_card_pool_id
    and reserved > 0;

  select *
  into v_ahead
  from app.those_ahead(p_met.client_id, p_met.gift_card_pool_id, p_met.campaign_id, p_met.met_at, p_met.id, v_most);

  if v_ahead.looked_at = v_most then
    return true;
  end if;

  if p_met.price_credits > 0 and v_credits < v_ahead.credits + p_met.price_credits and v_ahead.credits > 0 then
    return true;
  end if;

  return v_ahead.own_people >= coalesce(v_promise.reserved, 0)
    and v_ahead.free_cards >= v_pool.available_cards - v_pool.reserved_cards;
end
$$;

comment on function app.has_to_wait(call_conditions_met, timestamptz) is
  'Whether the cards and credits that are there belong to those who met a condition earlier and still wait for app.fulfil_pending(). '
  'Where no card or no credits are to be had at all it answers no, without counting: app.hand_out_card() says so.';


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
  v_contact_id uuid;
  v_refusal text;
  v_to_address text := p_to_address;
  v_reaches boolean;
  v_price integer;
begin
  v_result.recipient_id := p_recipient_id;

  -- The recipient before the pool: whoever deletes their contact waits for this claim, or this claim for them.
  select c.trigger_type, r.contact_id
  into v_trigger_type, v_contact_id
  from campaign_conditions c
  join recipients r on r.client_id = c.client_id and r.campaign_id = c.campaign_id
  where c.client_id = p_client_id
    and c.campaign_id = p_campaign_id
    and c.condition_number = p_condition_number
    and c.is_active
    and r.client_id = p_client_id
    and r.id = p_recipient_id
  for key share of r;

  if not found then
    v_result.outcome := 'no_condition';
    return v_result;
  end if;

  if v_to_address is not null then
    v_refusal := app.contact_refusal(p_client_id, v_contact_id, p_channel, v_to_address);
    if v_refusal is not null then
      v_to_address := null;
    end if;
  end if;

  -- A form shows the card on the spot; everything else has to send it somewhere.
  v_reaches := v_to_address is not null or v_trigger_type = 'form_submit';

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

  -- Asked when it is this one's turn: a campaign that ends gives its promises back under the same turn, and from the mail
  -- there is no other way than to the end.
  select coalesce((c.estimate ->> 'price_reward')::integer, p_price)
  into v_price
  from campaigns c
  join clients cl on cl.id = c.client_id
  where c.client_id = p_client_id
    and c.id = p_campaign_id
    and c.status <> 'completed'
    and c.archived_at is null
    and cl.archived_at is null;

  if not found then
    v_result.outcome := 'no_condition';
    return v_result;
  end if;

  insert into call_conditions_met (
    id, client_id, call_session_id, campaign_id, recipient_id, condition_number, trigger_type, met_at, met_by_agent_id,
    gift_card_pool_id, price_credits, delivery_channel, delivery_address, hold_reason, refusal, delivery_status, notes, created_at
  )
  values (
    p_ids[1], p_client_id, p_call_session_id, p_campaign_id, p_recipient_id, p_condition_number, v_trigger_type, p_now, p_agent_id,
    v_config.gift_card_pool_id, v_price, case when v_to_address is not null then p_channel end, v_to_address, p_hold,
    case when v_config.gift_card_pool_id is not null then v_refusal end,
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
    -- Those ahead have not been served yet, though there are cards: the caller sees to it that they are.
    v_result.outcome := 'pool_empty';
  else
    v_result := app.hand_out_card(v_met, v_config, p_merge, p_now, p_ids[4:7]);
  end if;

  if v_result.outcome = 'claimed' then
    return v_result;
  end if;

  -- Nor does one wait at a pool whose card could then not be sent.
  if v_refusal is not null then
    v_result.outcome := 'consent_needed';
  elsif v_to_address is null then
    v_result.outcome := 'address_missing';
  end if;

  insert into alerts (id, client_id, kind, subject_id, message, data, created_at)
  values (
    p_ids[3], p_client_id, v_result.outcome,
    case when v_result.outcome in ('address_missing', 'consent_needed') then p_recipient_id else v_met.gift_card_pool_id end,
    case v_result.outcome
      when 'address_missing' then 'A reward is due, and there is no phone number and no e-mail address to send it to.'
      when 'consent_needed' then 'A reward is due, and the person may not be written to: no card was taken.'
      when 'pool_empty' then 'A reward is due and the pool has no card left for it.'
      else 'A reward is due and the credits do not cover it.'
    end,
    jsonb_build_object('campaign_id', p_campaign_id)
      || case v_result.outcome
        when 'address_missing' then jsonb_build_object('recipient_id', p_recipient_id, 'code', 'GC-012')
        when 'consent_needed' then jsonb_build_object('recipient_id', p_recipient_id, 'code', 'GC-009')
        else '{}'
      end,
    p_now
  )
  on conflict (client_id, kind, subject_id) where resolved_at is null do nothing;

  return v_result;
end
$$;


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
  v_available integer;
  v_credits integer;
  v_promised uuid[];
  v_covered uuid[];
  v_refusal text;
  v_refused boolean;
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
    v_refused := false;

    select p.available_cards - p.reserved_cards, p.available_cards, c.credits - c.credits_reserved
    into v_free, v_available, v_credits
    from gift_card_pools p
    join clients c on c.id = p.client_id
    where p.client_id = p_client_id
      and p.id = p_pool_id;

    select
      coalesce(array_agg(r.campaign_id), '{}'),
      coalesce(array_agg(r.campaign_id) filter (where r.credits >= r.price_credits), '{}')
    into v_promised, v_covered
    from campaign_reservations r
    where r.pool_id = p_pool_id
      and r.reserved > 0;

    -- However long the line is, there is nothing to hand out.
    exit when coalesce(v_available, 0) = 0;

    -- Only those who can be served as things stand: however many others wait before them, they are not looked at.
    for v_met in
      select m.*
      from call_conditions_met m
      where m.client_id = p_client_id
        and m.gift_card_pool_id = p_pool_id
        and m.gift_card_id is null
        and m.delivery_status = 'pending'
        and m.delivery_address is not null
        and (m.price_credits <= v_credits or m.campaign_id = any (v_covered))
        and (v_free > 0 or m.campaign_id = any (v_promised))
      order by m.met_at, m.id
      limit v_most - v_done
      for no key update of m skip locked
    loop
      -- Who said no while they waited leaves the line.
      v_refusal := app.contact_refusal(
        v_met.client_id,
        (select r.contact_id from recipients r where r.client_id = v_met.client_id and r.id = v_met.recipient_id),
        v_met.delivery_channel,
        v_met.delivery_address
      );
      if v_refusal is not null then
        update call_conditions_met
        set delivery_channel = null,
            delivery_address = null,
            refusal = v_refusal
        where client_id = v_met.client_id
          and id = v_met.id;
        v_refused := true;
        continue;
      end if;

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

    exit when v_done = v_before and not v_refused or v_done = v_most;
  end loop;

  if v_done = v_most then
    return;
  end if;

  -- What people still wait for is told, and nothing else. The last ids were not needed for a card.
  with waiting as (
    (
      select 'no_credits' as kind, m.campaign_id
      from call_conditions_met m
      where m.client_id = p_client_id
        and m.gift_card_pool_id = p_pool_id
        and m.gift_card_id is null
        and m.delivery_status = 'pending'
        and m.delivery_address is not null
        and m.price_credits > v_credits
        and m.campaign_id <> all (v_covered)
      order by m.met_at, m.id
      limit 1
    )
    union all
    (
      select 'pool_empty', m.campaign_id
      from call_conditions_met m
      where m.client_id = p_client_id
        and m.gift_card_pool_id = p_pool_id
        and m.gift_card_id is null
        and m.delivery_status = 'pending'
        and m.delivery_address is not null
        and (m.price_credits <= v_credits or m.campaign_id = any (v_covered))
      order by m.met_at, m.id
      limit 1
    )
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


grant execute on function
  app.those_ahead(uuid, uuid, uuid, timestamptz, uuid, integer)
to ace_app, ace_system;
