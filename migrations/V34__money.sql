-- What an enemy of the money found.

-- Quarantine ----------------------------------------------------------------------------------------------------------

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
)
execute function app.refuse_card_move();

create function app.refuse_quarantine_move()
returns trigger
language plpgsql
as $$
begin
  if (app.write_all() or current_user <> 'ace_app')
    and (new.quarantined_at is null or (old.status = 'expired' and old.recipient_id is null))
  then
    return new;
  end if;

  raise exception 'the operator decides who holds a code'
    using errcode = 'insufficient_privilege';
end
$$;

comment on function app.refuse_quarantine_move() is
  'Only the operator takes a card out of quarantine, and retires for it the one that stands in its way: a retired card that nobody '
  'was given, although somebody looked at its code.';

create trigger leaves_quarantine
before update of quarantined_at on gift_cards
for each row
when ((old.quarantined_at is null) <> (new.quarantined_at is null))
execute function app.refuse_quarantine_move();


-- An address that is gone -----------------------------------------------------------------------------------------------

grant update (delivery_channel) on call_conditions_met to ace_system;
grant update (phone, email) on recipients to ace_system;
grant select, insert on alerts to ace_system;

create or replace function app.follow_contact()
returns trigger
language plpgsql
security definer
set search_path = public, pg_temp
as $$
declare
  v_phone text := coalesce(new.mobile_phone, new.phone);
  v_email text := case when new.email like '%@%' then new.email end;
  v_gone text[] := array_remove(array[old.mobile_phone, old.phone, old.email], null);
begin
  if v_phone !~ '^\+[0-9]{8,15}$' then
    v_phone := null;
  end if;

  select coalesce(array_agg(gone), '{}')
  into v_gone
  from unnest(v_gone) as gone
  where gone <> all (array_remove(array[new.mobile_phone, new.phone, new.email], null));

  update messages m
  set to_address = coalesce(case m.channel when 'sms' then v_phone else v_email end, m.to_address),
      -- refused at the door then, and sent the other way
      last_error_code = case
        when case m.channel when 'sms' then v_phone else v_email end is null then 'address_gone'
        else m.last_error_code
      end
  where m.client_id = new.client_id
    and m.contact_id = new.id
    and m.status in ('pending', 'held')
    and m.to_address = any (v_gone);

  -- What the launch copied is an address as long as the contact has one. Whoever holds a recipient now may wait for this contact.
  update recipients
  set phone = case when v_phone is null and phone = any (v_gone) then null else phone end,
      email = case when v_email is null and email = any (v_gone) then null else email end
  where id in (
    select id
    from recipients
    where client_id = new.client_id
      and contact_id = new.id
      and (v_phone is null and phone = any (v_gone) or v_email is null and email = any (v_gone))
    for no key update skip locked
  );

  with moved as (
    update call_conditions_met m
    set delivery_channel = case
          when m.delivery_channel = 'sms' and (v_phone is not null or v_email is null) then 'sms'
          when m.delivery_channel = 'email' and v_email is null and v_phone is not null then 'sms'
          else 'email'
        end,
        delivery_address =
          case m.delivery_channel when 'sms' then coalesce(v_phone, v_email) else coalesce(v_email, v_phone) end
    from recipients r
    where r.client_id = new.client_id
      and r.contact_id = new.id
      and m.recipient_id = r.id
      and m.gift_card_id is null
      and m.delivery_status = 'pending'
      and m.delivery_address = any (v_gone)
    returning m.campaign_id, m.recipient_id, m.delivery_address
  )
  insert into alerts (id, client_id, kind, subject_id, message, data, created_at)
  select distinct on (recipient_id) gen_random_uuid(), new.client_id, 'address_missing', recipient_id,
    'A reward is due, and there is no phone number and no e-mail address to send it to.',
    jsonb_build_object('campaign_id', campaign_id, 'recipient_id', recipient_id, 'code', 'GC-012'), now()
  from moved
  where delivery_address is null
  on conflict (client_id, kind, subject_id) where resolved_at is null do nothing;

  return null;
end
$$;

comment on function app.follow_contact() is
  'Who has another number or address now gets there what still waits: messages that have not left, and rewards that wait for a card. '
  'What goes to an address that was taken away goes the other way, or waits until somebody says where to send it; nothing that is '
  'earned from then on goes there.';


-- Cards, messages and credits, by whatever statement --------------------------------------------------------------------

create trigger keeps_worth
before update of code_fingerprint, case_folded, value_amount on gift_cards
for each row
when (
  new.code_fingerprint <> old.code_fingerprint
  or new.case_folded <> old.case_folded
  or new.value_amount <> old.value_amount
)
execute function app.refuse_card_move();

create function app.refuse_other_address()
returns trigger
language plpgsql
as $$
begin
  if tg_op = 'INSERT' then
    perform
    from messages
    where client_id = new.client_id
      and gift_card_id = new.gift_card_id
      and status = 'delivered'
      and to_address <> new.to_address;

    if not found then
      return new;
    end if;
  end if;

  raise exception 'a card that arrived goes to no other address'
    using errcode = 'insufficient_privilege';
end
$$;

comment on function app.refuse_other_address() is 'A message that left went where it went, and a card that arrived is sent nowhere else.';

create trigger stays_addressed
before update of to_address on messages
for each row
when (new.to_address <> old.to_address and old.status not in ('pending', 'held'))
execute function app.refuse_other_address();

create trigger brings_to_one
after insert on messages
for each row
when (new.gift_card_id is not null and new.status in ('pending', 'held'))
execute function app.refuse_other_address();

create function app.refuse_refund_of_printed()
returns trigger
language plpgsql
as $$
begin
  if exists (
    select
    from campaigns
    where client_id = new.client_id
      and id = new.campaign_id
      and status = 'draft'
  ) then
    return null;
  end if;

  raise exception 'the credits of pieces come back with their campaign'
    using errcode = 'insufficient_privilege';
end
$$;

comment on function app.refuse_refund_of_printed() is
  'Looked at when the transaction ends: the credits of a campaign''s pieces come back when it is a draft again.';

create constraint trigger refunds_a_draft
after insert on credit_ledger
deferrable initially deferred
for each row
when (new.reason = 'refund' and new.recipient_id is null)
execute function app.refuse_refund_of_printed();

create function app.refuse_reserved_credits()
returns trigger
language plpgsql
as $$
begin
  raise exception 'credits are set aside with the cards they pay for, and come free with them'
    using errcode = 'insufficient_privilege';
end
$$;

comment on function app.refuse_reserved_credits() is
  'campaign_reservations.credits moves with the promised cards only (app.promise_reward_credits()), so that clients.credits_reserved '
  'is the sum of what is set aside. A promise keeps its price.';

create trigger credits_follow_cards
before update of credits, price_credits on campaign_reservations
for each row
when (new.credits <> old.credits or (new.price_credits <> old.price_credits and (old.reserved > 0 or old.credits > 0)))
execute function app.refuse_reserved_credits();

create trigger begins_without_credits
before insert on campaign_reservations
for each row
when (new.credits <> 0)
execute function app.refuse_reserved_credits();

-- Emptied, never removed: what is set aside would stay so for ever.
revoke delete on campaign_reservations from ace_app;
