-- What the second round of enemies found.


-- A card that is sent once more, elsewhere -----------------------------------------------------------------------------

alter table messages
  add column given_address boolean not null default false;

comment on column messages.given_address is
  'Whether somebody gave its address when the card was sent once more: it counts among the rewards of that address.';

create index messages_given_address_idx on messages (client_id, created_at) where given_address;

comment on index messages_given_address_idx is 'Cards that were lately sent somewhere else: few.';

create or replace function app.count_rewards_to(p_client_id uuid, p_address text, p_since timestamptz)
returns bigint
language sql
stable
as $$
  select (
    select count(*)
    from call_conditions_met m
    where m.client_id = p_client_id
      and m.delivery_mailbox = app.mailbox(p_address)
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
      and m.gift_card_pool_id is not null
  ) + (
    select count(distinct s.gift_card_id)
    from messages s
    where s.client_id = p_client_id
      and s.given_address
      and s.created_at > p_since
      and app.mailbox(s.to_address) = app.mailbox(p_address));
$$;

comment on function app.count_rewards_to(uuid, text, timestamptz) is
  'How many rewards went to a number, or to the mailbox of an address, since then; cards sent there once more included.';


-- A card whose credits came back ---------------------------------------------------------------------------------------

create function app.charge_again(p_client_id uuid, p_card_id uuid, p_entry_id uuid, p_now timestamptz)
returns boolean
language plpgsql
as $$
declare
  v_met record;
begin
  select id, campaign_id, recipient_id, price_credits
  into v_met
  from call_conditions_met
  where client_id = p_client_id
    and gift_card_id = p_card_id
    and refunded_at is not null
  for no key update;

  if not found then
    return true;
  end if;

  perform
  from clients
  where id = p_client_id
    and credits - credits_reserved >= v_met.price_credits
  for no key update;

  if not found then
    return false;
  end if;

  update call_conditions_met
  set refunded_at = null
  where client_id = p_client_id
    and id = v_met.id;

  insert into credit_ledger (id, client_id, amount, reason, campaign_id, recipient_id, gift_card_id, created_at)
  values (
    p_entry_id, p_client_id, -v_met.price_credits, 'reward', v_met.campaign_id, v_met.recipient_id, p_card_id, p_now);

  return true;
end
$$;

comment on function app.charge_again(uuid, uuid, uuid, timestamptz) is
  'Charges a card again whose credits came back because it could not be delivered: whoever sends it once more or opens it asks here first. '
  'False when the free credits do not cover it; true also when nothing came back.';

grant execute on function app.charge_again(uuid, uuid, uuid, timestamptz) to ace_app;

create function app.show_cards(p_client_id uuid, p_recipient_id uuid, p_cards uuid[], p_now timestamptz)
returns void
language plpgsql
as $$
begin
  perform app.settle_shown(p_client_id, p_recipient_id, p_cards, p_now);

  perform app.charge_again(p_client_id, card_id, gen_random_uuid(), p_now)
  from unnest(p_cards) card_id;
end
$$;

comment on function app.show_cards(uuid, uuid, uuid[], timestamptz) is
  'Cards that a page has shown: those that no message brings have arrived, and those whose credits came back are charged again, as far as '
  'there are free credits.';

grant execute on function app.show_cards(uuid, uuid, uuid[], timestamptz) to ace_app;
