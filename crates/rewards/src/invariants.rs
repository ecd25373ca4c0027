//! What must always hold, for `ace doctor`: each statement counts the rows that break it.

use database::Statement;

database::statement! {
    /// Pools whose counters are not what a recount says.
    COUNTERS, app, "
        select count(*)
        from gift_card_pools p
        left join (
          select pool_id, count(*) as total,
            count(*) filter (where status = 'available') as available,
            count(*) filter (where status in ('delivered', 'redeemed')) as delivered
          from gift_cards
          group by pool_id
        ) g on g.pool_id = p.id
        left join (
          select pool_id, sum(reserved) as reserved
          from campaign_reservations
          group by pool_id
        ) r on r.pool_id = p.id
        where p.total_cards <> coalesce(g.total, 0)
          or p.available_cards <> coalesce(g.available, 0)
          or p.delivered_cards <> coalesce(g.delivered, 0)
          or p.reserved_cards <> coalesce(r.reserved, 0)";
    /// Pools that promised more than they have.
    OVERPROMISED, app, "
        select count(*)
        from gift_card_pools
        where reserved_cards > available_cards";
    /// Recipients and conditions with more than one row, and cards that two conditions earned.
    TWICE, app, "
        select (
          select count(*)
          from (
            select recipient_id
            from call_conditions_met
            group by recipient_id, condition_number
            having count(*) > 1
          ) c
        ) + (
          select count(*)
          from (
            select gift_card_id
            from call_conditions_met
            where gift_card_id is not null
            group by gift_card_id
            having count(*) > 1
          ) c
        )";
    /// Cards somebody has that no condition earned, unless they were retired.
    UNEARNED, app, "
        select count(*)
        from gift_cards g
        where g.status in ('claimed', 'delivered', 'redeemed')
          and g.revoked_at is null
          and not exists (
            select
            from call_conditions_met m
            where m.gift_card_id = g.id
              and m.recipient_id = g.recipient_id
          )";
    /// Clients whose credits are not the sum of their ledger.
    CREDITS, app, "
        select count(*)
        from clients c
        left join (
          select client_id, sum(amount) as amount
          from credit_ledger
          group by client_id
        ) l on l.client_id = c.id
        where c.credits <> coalesce(l.amount, 0)";
    /// Clients whose promised credits are not the sum of what is set aside.
    PROMISED_CREDITS, app, "
        select count(*)
        from clients c
        left join (
          select client_id, sum(credits) as credits
          from campaign_reservations
          group by client_id
        ) r on r.client_id = c.id
        left join (
          select client_id, sum(credits_promised) as credits
          from campaigns
          group by client_id
        ) p on p.client_id = c.id
        where c.credits_reserved <> coalesce(r.credits, 0) + coalesce(p.credits, 0)";
    /// Cards and credits taken for somebody who may not be written to and to whom no form showed it.
    REFUSED, app, "
        select count(*)
        from call_conditions_met
        where refusal is not null
          and gift_card_id is not null
          and trigger_type <> 'form_submit'";
    /// Conditions whose delivery is further than every message that brings their card. What a form showed has arrived,
    /// with or without a message.
    DELIVERY, app, "
        select count(*)
        from call_conditions_met m
        join lateral (
          select bool_or(s.status = 'delivered') as delivered
          from messages s
          where s.client_id = m.client_id
            and s.gift_card_id = m.gift_card_id
        ) s on true
        where m.gift_card_id is not null
          and m.delivery_status = 'delivered'
          and m.last_shown_at is null
          and not coalesce(s.delivered, false)";
    /// Conditions that are not as far as the messages that bring their card, although no job will see to it.
    BEHIND, app, "
        select count(*)
        from (
          select client_id, gift_card_id, array_agg('rewards.message_moved:' || id || ':' || status) as job_keys,
            app.reward_status(array_agg(status)) as furthest
          from messages
          where gift_card_id is not null
          group by client_id, gift_card_id
        ) f
        join call_conditions_met m on m.client_id = f.client_id and m.gift_card_id = f.gift_card_id
        where m.delivery_status <> f.furthest
          and not exists (
            select
            from jobs j
            where j.unique_key = any (f.job_keys)
              and j.state in ('ready', 'running')
          )";
    /// Cards that were taken, not by a form that shows them, and sent nowhere.
    SENT_NOWHERE, app, "
        select count(*)
        from call_conditions_met m
        where m.gift_card_id is not null
          and m.delivery_address is null
          and m.trigger_type <> 'form_submit'
          and not exists (
            select
            from messages s
            where s.client_id = m.client_id
              and s.gift_card_id = m.gift_card_id
          )";
    /// Contacts whose history names a card that another one stands in for.
    REPLACED, app, "
        select count(*)
        from contact_campaign_participation p
        join gift_cards g on g.client_id = p.client_id and g.id = p.gift_card_id
        where g.replaced_by_id is not null"
}

/// Name and statement of each.
pub static INVARIANTS: &[(&str, &Statement)] = &[
    ("pool counters equal a recount", &COUNTERS),
    ("no pool promised more than it has", &OVERPROMISED),
    ("one card per recipient and condition", &TWICE),
    ("every card somebody has was earned", &UNEARNED),
    ("credits equal the sum of their ledger", &CREDITS),
    ("promised credits equal what is set aside", &PROMISED_CREDITS),
    ("nobody who may not be written to cost a card", &REFUSED),
    ("a delivery that is called delivered was", &DELIVERY),
    ("a delivery is as far as its messages", &BEHIND),
    ("every card that was taken was sent or shown", &SENT_NOWHERE),
    ("a contact's history names the card they have", &REPLACED),
];
