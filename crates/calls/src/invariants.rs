//! What must hold between calls and what they led to; `ace doctor` counts the rows that break it.

use database::Statement;

database::statement! {
    /// A condition that was met in a call belongs to the recipient of that call.
    FOREIGN_CONDITIONS, app, "
        select count(*)
        from call_conditions_met m
        join call_sessions s on s.client_id = m.client_id and s.id = m.call_session_id
        where s.recipient_id is not null
          and s.recipient_id <> m.recipient_id";
    /// A call with a disposition is over.
    UNFINISHED_CALLS, app, "
        select count(*)
        from call_sessions
        where disposition is not null
          and call_ended_at is null"
}

/// The rules of this room, each with the statement that counts the rows that break it.
pub static INVARIANTS: &[(&str, &Statement)] = &[
    ("a condition met in a call belongs to the recipient of that call", &FOREIGN_CONDITIONS),
    ("a call with a disposition has ended", &UNFINISHED_CALLS),
];
