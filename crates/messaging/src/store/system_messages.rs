//! E-mail of ACE itself.

use database::{FromRow, Transaction};
use kernel::Result;
use uuid::Uuid;

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
        returning attempts";
    /// The provider took it.
    SENT, worker, "
        update system_messages
        set status = 'sent', provider = $2, provider_message_id = $3, sent_at = $4
        where id = $1";
    /// A try came to nothing; with $2 it was the last.
    FAILED, worker, "
        update system_messages
        set status = case when $2 then 'failed' else status end,
            failed_at = case when $2 then $5 else failed_at end,
            last_error_code = $3,
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

pub(crate) async fn count_try(tx: &Transaction, id: Uuid) -> Result<Option<i32>> {
    #[derive(FromRow)]
    struct Counted {
        attempts: i32,
    }
    Ok(tx.query_opt::<Counted>(&COUNT_TRY, &[&id]).await?.map(|row| row.attempts))
}

pub(crate) async fn sent(tx: &Transaction, id: Uuid, provider: &str, name: &str) -> Result<()> {
    tx.execute(&SENT, &[&id, &provider, &name, &tx.now()]).await.map(|_| ())
}

pub(crate) async fn failed(tx: &Transaction, id: Uuid, last: bool, error: (&str, &str)) -> Result<()> {
    tx.execute(&FAILED, &[&id, &last, &error.0, &error.1, &tx.now()]).await.map(|_| ())
}
