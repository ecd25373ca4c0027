-- What strangers decide: an address with a plus or other dots is the same mailbox, and what a form without a link says of
-- somebody new is nobody's address yet.

-- One mailbox ----------------------------------------------------------------------------------------------------------

create function app.mailbox(p_address text)
returns text
language sql
immutable
strict
parallel safe
as $$
  select case
    -- a phone, or nothing that is one mailbox of several names
    when strpos(p_address, '@') < 2 then p_address
    when split_part(lower(p_address), '@', 2) in ('gmail.com', 'googlemail.com')
      then replace(split_part(split_part(lower(p_address), '@', 1), '+', 1), '.', '') || '@gmail.com'
    else split_part(split_part(lower(p_address), '@', 1), '+', 1) || '@' || split_part(lower(p_address), '@', 2)
  end;
$$;

comment on function app.mailbox(text) is
  'The mailbox behind an address, by which rewards are counted: what stands behind a plus is left out, at Gmail the dots too. Nothing is '
  'ever sent there.';

grant execute on function app.mailbox(text) to ace_app, ace_system;

-- A column of its own, because policies keep the planner from asking an index of an expression.
alter table call_conditions_met
  add column delivery_mailbox text generated always as (app.mailbox(delivery_address)) stored;

comment on column call_conditions_met.delivery_mailbox is 'The mailbox or phone of delivery_address, by which rewards are counted.';

drop index call_conditions_met_delivery_address_idx;

create index call_conditions_met_delivery_mailbox_idx on call_conditions_met (client_id, delivery_mailbox, met_at)
  where delivery_mailbox is not null;

comment on index call_conditions_met_delivery_mailbox_idx is 'How many rewards one mailbox or phone got lately.';

create or replace function app.count_rewards_to(p_client_id uuid, p_address text, p_since timestamptz)
returns bigint
language sql
stable
as $$
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
    and m.gift_card_pool_id is not null;
$$;

comment on function app.count_rewards_to(uuid, text, timestamptz) is
  'How many rewards went to a number, or to the mailbox of an address, since then.';

create or replace function app.rewards_to(p_client_id uuid, p_address text, p_since timestamptz, p_counted boolean)
returns bigint
language plpgsql
as $$
begin
  if p_address is null or not p_counted then
    return 0;
  end if;

  perform pg_advisory_xact_lock(hashtextextended('rewards to ' || p_client_id || ' ' || app.mailbox(p_address), 0));
  return app.count_rewards_to(p_client_id, p_address, p_since);
end
$$;


-- Whom nobody knew -----------------------------------------------------------------------------------------------------

alter table contacts
  add column unconfirmed text[] not null default '{}';

comment on column contacts.unconfirmed is
  'E-mail addresses and phones that only a form without a link has given for this contact. They are on file for nobody, also where they stand in '
  'email or phone, until the contact''s own link or code, an import or staff says so.';

create index contacts_unconfirmed_idx on contacts (client_id) where unconfirmed <> '{}';

comment on index contacts_unconfirmed_idx is 'Contacts that strangers made: an import fills them.';

create function app.on_file(p_unconfirmed text[], variadic p_addresses text[])
returns text[]
language sql
immutable
parallel safe
as $$
  select array(
    select address
    from unnest(p_addresses) address
    where address is not null
      and address <> all (coalesce(p_unconfirmed, '{}'))
  );
$$;

comment on function app.on_file(text[], text[]) is 'Those of the addresses that somebody who knows has given.';

grant execute on function app.on_file(text[], text[]) to ace_app;


-- What a key may -------------------------------------------------------------------------------------------------------

-- Its maker, and where they reach: a key holds what its maker holds now.
grant select (created_by_user_id) on api_keys to ace_signin;
grant select (org_id) on clients to ace_signin;


-- The end of a code in the palette -------------------------------------------------------------------------------------

create index gift_cards_code_last4_idx on gift_cards (client_id, code_last4) where code_last4 <> '';

comment on index gift_cards_code_last4_idx is 'A card that somebody reads the end of.';
