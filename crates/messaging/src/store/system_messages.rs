//! E-mail of ACE itself.

use database::{FromRow, Transaction};
use kernel::Result;
use providers::SendError;
use uuid::Uuid;

use crate::message::Status;

database::statement! {
    /// A mail, written once however often its job runs.
    INSERT, worker, "
        insert into system_messages (id, purpose, to_address, subject, body_sealed, created_at)
        values ($1, 'notice', $2, $3, $4, $5)
        on conflict (id) do nothing";
    /// Counts a try before it is made.
    COUNT_TRY, worker, "
        update system_messages
        set attempts = attempts + 1
        where id = $1
          and status = 'pending'
        returning attempts, coalesce(last_error_code = $2, false) as doubtful";
    /// The provider took it.
    SENT, worker, "
        update system_messages
        set status = 'sent', provider = $2, provider_message_id = $3, sent_at = $4
        where id = $1";
    /// A try was not taken; $2 is what the mail is now. That one may have been sent is not forgotten for what the next one came to.
    NOT_TAKEN, worker, "
        update system_messages
        set status = $2,
            failed_at = case when $2 = 'failed' then $5 else failed_at end,
            sent_at = case when $2 = 'sent' then $5 else sent_at end,
            provider = case when $2 = 'sent' then $7 else provider end,
            last_error_code = case when $2 = 'pending' and last_error_code = $6 then $6 else $3 end,
            last_error = $4
        where id = $1"
}

/// A mail as it is written first.
pub(crate) struct NewSystemMessage<'a> {
    pub(crate) id: Uuid,
    pub(crate) to: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) body_sealed: Vec<u8>,
}

pub(crate) async fn insert(tx: &Transaction, new: &NewSystemMessage<'_>) -> Result<()> {
    tx.execute(&INSERT, &[&new.id, &new.to, &new.subject, &new.body_sealed, &tx.now()]).await.map(|_| ())
}

/// A try that is counted and not yet made.
#[derive(FromRow)]
pub(crate) struct Try {
    pub(crate) attempts: i32,
    /// An earlier one may have been sent.
    pub(crate) doubtful: bool,
}

pub(crate) async fn count_try(tx: &Transaction, id: Uuid) -> Result<Option<Try>> {
    tx.query_opt(&COUNT_TRY, &[&id, &SendError::AMBIGUOUS]).await
}

pub(crate) async fn sent(tx: &Transaction, id: Uuid, provider: &str, name: &str) -> Result<()> {
    tx.execute(&SENT, &[&id, &provider, &name, &tx.now()]).await.map(|_| ())
}

/// Notes that a try was not taken: through whom, and what the mail is now.
pub(crate) async fn not_taken(
    tx: &Transaction,
    id: Uuid,
    (provider, status): (&str, Status),
    error: (&str, &str),
) -> Result<()> {
    let params: database::Params<'_> =
        &[&id, &status.as_str(), &error.0, &error.1, &tx.now(), &SendError::AMBIGUOUS, &provider];
    tx.execute(&NOT_TAKEN, params).await.map(|_| ())
}
