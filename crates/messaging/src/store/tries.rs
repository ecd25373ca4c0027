//! Tries at sending a message, and what is not known of them.

use database::{FromRow, Transaction};
use kernel::{Result, new_id};
use providers::SendError;
use uuid::Uuid;

use crate::message::PERHAPS_SENT;

database::statement! {
    /// Counts a try before it is made, so that a crash counts too; a card is not replaced while it lasts. A try before
    /// that never came to its end was cut off with its process: nobody knows what it sent.
    COUNT_TRY, app, "
        update messages m
        set attempts = m.attempts + 1,
            sending_since = $3,
            last_error_code = case when before.sending_since is null then m.last_error_code else $4 end,
            last_error = case when before.sending_since is null then m.last_error else 'the try before was cut off' end
        from messages before
        where m.client_id = $1
          and m.id = $2
          and m.status = 'pending'
          and before.client_id = m.client_id
          and before.id = m.id
        returning m.attempts, before.sending_since is not null as cut_off,
          coalesce(before.last_error_code = $4, false) as doubtful";
    /// Notes why a try came to nothing. That one may have been sent is not forgotten for what the next one came to.
    NOTE_ERROR, app, "
        update messages
        set last_error_code = case when last_error_code = $5 then $5 else $3 end, last_error = $4, sending_since = null
        where client_id = $1
          and id = $2";
    /// Tells somebody that a card may not have been sent, unless they were told already.
    DOUBT, app, "
        insert into alerts (id, client_id, kind, subject_id, message, data, created_at)
        values ($1, $2, $3, $4, $5, '{}', $6)
        on conflict (client_id, kind, subject_id) where resolved_at is null do nothing";
    /// The card was surely sent.
    NO_DOUBT, app, "
        update alerts
        set resolved_at = $4
        where client_id = $1
          and kind = $2
          and subject_id = $3
          and resolved_at is null"
}

/// A try that is counted and not yet made.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Try {
    /// Which it is, from 1.
    pub(crate) attempts: i32,
    /// The one before it never came to its end.
    pub(crate) cut_off: bool,
    /// An earlier one may have been sent.
    pub(crate) doubtful: bool,
}

/// Counts a try; `None` when the message does not wait to be sent any more.
pub(crate) async fn count(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<Option<Try>> {
    tx.query_opt(&COUNT_TRY, &[&client_id, &id, &tx.now(), &SendError::AMBIGUOUS]).await
}

/// Notes why a try came to nothing.
pub(crate) async fn note_error(tx: &Transaction, client_id: Uuid, id: Uuid, error: (&str, &str)) -> Result<()> {
    tx.execute(&NOTE_ERROR, &[&client_id, &id, &error.0, &error.1, &SendError::AMBIGUOUS]).await.map(|_| ())
}

/// Has somebody look at a card that may not have been sent.
pub(crate) async fn doubt(tx: &Transaction, client_id: Uuid, card_id: Uuid) -> Result<()> {
    let text =
        "Nobody said whether a message with a gift card was taken. Ask the person, and send it again if it is missing.";
    let params: database::Params<'_> = &[&new_id(), &client_id, &PERHAPS_SENT, &card_id, &text, &tx.now()];
    tx.execute(&DOUBT, params).await.map(|_| ())
}

/// Settles that: another message brought the card, or a callback says what became of this one.
pub(crate) async fn no_doubt(tx: &Transaction, client_id: Uuid, card_id: Uuid) -> Result<()> {
    tx.execute(&NO_DOUBT, &[&client_id, &PERHAPS_SENT, &card_id, &tx.now()]).await.map(|_| ())
}
