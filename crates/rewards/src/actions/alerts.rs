//! Acknowledging alerts: somebody has seen them and takes care.

use chrono::{DateTime, Utc};
use database::Audited;
use kernel::{Actor, Result};
use serde_json::json;
use uuid::Uuid;
use web::App;

use crate::store::alerts as store;

/// Which open alerts somebody has seen.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Their kind, such as `pool_low`.
    pub kind: String,
    /// What they are about; none for all of the kind.
    pub subject_id: Option<Uuid>,
    /// The newest one that was shown: what came later was not seen.
    pub until: DateTime<Utc>,
}

/// Notes who has seen open alerts and when; answers how many there were. They are not counted any more, and stay open
/// until what they tell of is settled.
///
/// # Errors
/// What the database answered.
pub async fn acknowledge(app: &App, actor: &Actor, client_id: Uuid, seen: &Seen) -> Result<u64> {
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    let count = store::acknowledge(&tx, client_id, seen).await?;
    if count > 0 {
        let after = json!({ "kind": seen.kind, "subject_id": seen.subject_id, "count": count });
        let what = Audited { client_id: Some(client_id), after: Some(after), before: None };
        tx.audit("alert.acknowledged", "alerts", None, what).await?;
    }
    tx.commit().await?;
    Ok(count)
}
