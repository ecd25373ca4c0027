//! What must hold of campaigns at every commit; `ace doctor` recounts it.

use database::Statement;

database::statement! {
    /// Recipients of campaigns that are drafts, but for those that are being deleted.
    RECIPIENTS_OF_DRAFTS, app, "
        select count(*)
        from recipients r
        join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
        where c.status = 'draft'
          and not exists (
            select
            from jobs j
            where j.unique_key = 'campaigns.clear:' || c.id
              and j.state in ('ready', 'running'))";
    /// Met conditions that the campaign does not have.
    MET_WITHOUT_CONDITION, app, "
        select count(*)
        from call_conditions_met m
        where not exists (
            select
            from campaign_conditions c
            where c.client_id = m.client_id
              and c.campaign_id = m.campaign_id
              and c.condition_number = m.condition_number)";
    /// Promises to campaigns that are over or were taken back, and credits for pieces that were charged.
    PROMISES_OF_ENDED, app, "
        select (
            select count(*)
            from campaign_reservations r
            join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
            where c.status in ('draft', 'completed')
              and (r.reserved > 0 or r.credits > 0)
        ) + (
            select count(*)
            from campaigns c
            where c.status <> 'ready'
              and c.credits_promised > 0
        )";
    /// Campaigns that took another number of a pool's cards than the pool knows of.
    CLAIMED_CARDS, app, "
        select count(*)
        from campaign_reservations r
        where r.claimed <> (
            select count(*)
            from gift_cards g
            where g.campaign_id = r.campaign_id
              and g.client_id = r.client_id
              and g.pool_id = r.pool_id
              and g.claimed_at is not null)";
    /// Launches that no job works on any more.
    ABANDONED_LAUNCHES, app, "
        select count(*)
        from campaign_launches l
        where l.state = 'running'
          and not exists (
            select
            from jobs j
            where j.unique_key = 'campaigns.launch:' || l.campaign_id
              and j.state in ('ready', 'running'))";
    /// Recipients that are not in their contact's history.
    WITHOUT_PARTICIPATION, app, "
        select count(*)
        from recipients r
        where r.contact_id is not null
          and not exists (
            select
            from contact_campaign_participation p
            where p.recipient_id = r.id
              and p.client_id = r.client_id)"
}

/// Each rule with the statement that counts the rows that break it.
pub static INVARIANTS: &[(&str, &Statement)] = &[
    ("a draft has no recipients", &RECIPIENTS_OF_DRAFTS),
    ("a met condition is one of its campaign's", &MET_WITHOUT_CONDITION),
    ("only campaigns under way have promised cards and credits", &PROMISES_OF_ENDED),
    ("a campaign took as many cards as its pools gave", &CLAIMED_CARDS),
    ("every launch under way has a worker", &ABANDONED_LAUNCHES),
    ("every recipient is in the contact's history", &WITHOUT_PARTICIPATION),
];
