//! How far a launch is. Written beside the transaction that generates recipients, never inside it, so that people
//! can watch.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::{Error, Result, new_id};
use uuid::Uuid;

/// A row of `campaign_launches`.
#[derive(Debug, Clone, FromRow)]
pub struct Launch {
    /// Its id.
    pub id: Uuid,
    /// `running`, `finished` or `failed`.
    pub state: String,
    /// Contacts on the list when it began.
    pub contacts_total: i32,
    /// Contacts looked at so far.
    pub contacts_done: i32,
    /// Why it failed.
    pub error: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Who began it.
    pub started_by_user_id: Option<Uuid>,
}

impl Launch {
    /// Whether it is under way.
    pub fn is_running(&self) -> bool {
        self.state == "running"
    }
}

database::statement! {
    /// Begins a launch; a campaign has one running at most.
    INSERT, app, "
        insert into campaign_launches (id, client_id, campaign_id, contacts_total, started_at, started_by_user_id)
        select $1, $2, $3, l.contact_count, $4, $5
        from campaigns c
        join contact_lists l on l.client_id = c.client_id and l.id = c.contact_list_id
        where c.client_id = $2
          and c.id = $3";
    /// Says how far it is.
    PROGRESS, app, "
        update campaign_launches
        set contacts_done = $3
        where client_id = $1
          and id = $2
          and state = 'running'";
    /// Ends it.
    FINISH, app, "
        update campaign_launches
        set state = $3, error = $4, finished_at = $5,
            contacts_done = case when $3 = 'finished' then contacts_total else contacts_done end
        where client_id = $1
          and campaign_id = $2
          and state = 'running'";
    /// Ends a campaign's launch that no job works on any more; its key is that of `actions::launch::JOB`.
    FAIL_DEAD, app, "
        update campaign_launches l
        set state = 'failed', error = $3, finished_at = $4
        where l.client_id = $1
          and l.campaign_id = $2
          and l.state = 'running'
          and not exists (
            select
            from jobs j
            where j.unique_key = 'campaigns.launch:' || l.campaign_id
              and j.state in ('ready', 'running'))";
    /// The same for every campaign.
    FAIL_ABANDONED, worker, "
        update campaign_launches l
        set state = 'failed', error = $1, finished_at = $2
        where l.state = 'running'
          and not exists (
            select
            from jobs j
            where j.unique_key = 'campaigns.launch:' || l.campaign_id
              and j.state in ('ready', 'running'))";
    /// The last launch of a campaign.
    LATEST, app, "
        select id, state, contacts_total, contacts_done, error, started_at, finished_at, started_by_user_id
        from campaign_launches
        where client_id = $1
          and campaign_id = $2
        order by started_at desc, id desc
        limit 1"
}

/// What people read about a launch whose job died.
const ABANDONED: &str = "it was interrupted, and nothing was made: launch again";

/// Begins a launch; returns its id. One whose job died makes way.
///
/// # Errors
/// `Conflict` when one is running.
pub async fn begin(tx: &Transaction, client_id: Uuid, campaign_id: Uuid) -> Result<Uuid> {
    tx.execute(&FAIL_DEAD, &[&client_id, &campaign_id, &ABANDONED, &tx.now()]).await?;
    let id = new_id();
    let by = tx.actor().user_id();
    let done = tx.execute(&INSERT, &[&id, &client_id, &campaign_id, &tx.now(), &by]).await;
    match done {
        Err(Error::Constraint(name)) if name == "campaign_launches_running_key" => {
            Err(Error::conflict("launch_running", "this campaign is being launched already"))
        }
        other => other.map(|_| id),
    }
}

/// Says how far the running launch is.
///
/// # Errors
/// What the database answered.
pub async fn progress(scope: &Scope<'_>, client_id: Uuid, launch_id: Uuid, contacts_done: i32) -> Result<()> {
    scope.execute(&PROGRESS, &[&client_id, &launch_id, &contacts_done]).await.map(|_| ())
}

/// Ends the running launch inside the transaction that did the work.
///
/// # Errors
/// What the database answered.
pub async fn finish(tx: &Transaction, client_id: Uuid, campaign_id: Uuid, error: Option<&str>) -> Result<()> {
    let state = if error.is_some() { "failed" } else { "finished" };
    tx.execute(&FINISH, &[&client_id, &campaign_id, &state, &error, &tx.now()]).await.map(|_| ())
}

/// Ends every launch that no job works on any more; answers how many.
///
/// # Errors
/// What the database answered.
pub async fn fail_abandoned(tx: &Transaction) -> Result<u64> {
    tx.execute(&FAIL_ABANDONED, &[&ABANDONED, &tx.now()]).await
}

/// The last launch of a campaign, if there was one.
///
/// # Errors
/// What the database answered.
pub async fn latest(scope: &Scope<'_>, client_id: Uuid, campaign_id: Uuid) -> Result<Option<Launch>> {
    scope.query_opt(&LATEST, &[&client_id, &campaign_id]).await
}
