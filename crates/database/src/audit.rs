//! The audit trail is written in the transaction it records, so there is no act without its row and no row
//! without its act.

use kernel::{Result, Who, new_id};
use serde_json::Value;
use uuid::Uuid;

use crate::Transaction;

crate::statement! {
    /// Appends one row.
    INSERT_AUDIT, app | signin | worker, "
        insert into audit_log (
            id, at, actor_kind, actor_user_id, actor_key_id, actor_label, action, table_name, row_id, client_id,
            org_id, before, after, ip, user_agent, request_id)
        values (
            $1, $2, $3, $4, $5,
            coalesce((select u.email from auth.users u where u.id = $4), (select k.name from api_keys k where k.id = $5)),
            $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
}

/// What happened to which row.
#[derive(Debug, Clone, Default)]
pub struct Audited {
    /// The client whose row it is, if it is one's.
    pub client_id: Option<Uuid>,
    /// The row before, secrets left out.
    pub before: Option<Value>,
    /// The row after, secrets left out.
    pub after: Option<Value>,
}

impl Transaction {
    /// Records `action` (`noun.verb`) on row `row_id` of `table` with what it was and what it became.
    ///
    /// # Errors
    /// What the database answered; the act must then not be committed.
    pub async fn audit(&self, action: &str, table: &str, row_id: Option<Uuid>, what: Audited) -> Result<()> {
        self.record((action, table, row_id), None, what).await
    }

    /// The same for a row that belongs to an organization rather than to a client.
    ///
    /// # Errors
    /// What the database answered; the act must then not be committed.
    pub async fn audit_of_org(&self, org_id: Uuid, act: (&str, &str, Option<Uuid>), what: Audited) -> Result<()> {
        self.record(act, Some(org_id), what).await
    }

    async fn record(&self, act: (&str, &str, Option<Uuid>), org_id: Option<Uuid>, what: Audited) -> Result<()> {
        let (action, table, row_id) = act;
        let (user_id, key_id) = match self.actor().who {
            Who::User(id) => (Some(id), None),
            Who::Key(id) => (None, Some(id)),
            Who::System(_) => (None, None),
        };
        let origin = &self.actor().origin;
        self.execute(
            &INSERT_AUDIT,
            &[
                &new_id(),
                &self.now(),
                &self.actor().kind(),
                &user_id,
                &key_id,
                &action,
                &table,
                &row_id,
                &what.client_id,
                &org_id,
                &what.before,
                &what.after,
                &origin.ip,
                &origin.user_agent,
                &origin.request_id,
            ],
        )
        .await
        .map(|_| ())
    }
}
