//! What must always hold, for `ace doctor`: each statement counts the rows that break it.

use database::Statement;

database::statement! {
    /// Messages that wait although no job will send them.
    STUCK, app, "
        select count(*)
        from messages m
        where m.status = 'pending'
          and not exists (
            select
            from jobs j
            where j.unique_key = 'messages.send:' || m.id
              and j.state in ('ready', 'running')
          )";
    /// Messages that were sent or arrived and do not say through whom.
    UNNAMED, app, "
        select count(*)
        from messages
        where status in ('sent', 'delivered')
          and (provider is null or sent_at is null)";
    /// Messages that bring a card that belongs to somebody else.
    WRONG_CARD, app, "
        select count(*)
        from messages m
        join gift_cards g on g.client_id = m.client_id and g.id = m.gift_card_id
        where g.recipient_id is distinct from m.recipient_id"
}

/// Name and statement of each.
pub static INVARIANTS: &[(&str, &Statement)] = &[
    ("no message is stuck", &STUCK),
    ("every sent message names its provider", &UNNAMED),
    ("every message brings a card of its own recipient", &WRONG_CARD),
];
