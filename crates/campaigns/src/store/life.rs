//! The life of a campaign: its status, the lock of a step, and the history.

use chrono::{DateTime, NaiveDate, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::version::{Expected, etag};
use kernel::{Error, Result, new_id};
use serde_json::Value;
use uuid::Uuid;

/// One step of a campaign's history.
#[derive(Debug, Clone, FromRow)]
pub struct HistoryRow {
    /// The status before; absent for the first.
    pub from_status: Option<String>,
    /// The status after.
    pub to_status: String,
    /// Who; absent where it went by itself.
    pub changed_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// One step to be written.
#[derive(Debug, Clone, Copy)]
pub struct Stepped<'a> {
    /// The status before; absent for the first.
    pub from: Option<&'a str>,
    /// The status after.
    pub to: &'a str,
    /// Why.
    pub reason: Option<&'a str>,
    /// Who; absent where it went by itself.
    pub by: Option<Uuid>,
}

/// A campaign in which nothing happens any more.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct Quiet {
    /// The client it belongs to.
    pub client_id: Uuid,
    /// Its id.
    pub id: Uuid,
}

/// A campaign that a step holds.
#[derive(Debug, Clone, FromRow)]
pub struct Held {
    /// How far it is.
    pub status: String,
    /// Recipients, cards and credits as frozen at launch.
    pub estimate: Option<Value>,
    /// Whether it, or its client, was archived.
    pub archived: bool,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct ReadyRow {
    changed_by_user_id: Option<Uuid>,
}

database::statement! {
    /// Locks a campaign for a step of its life; how it is then, and whether it still lives.
    LOCK, app, "
        select c.status::text as status, c.estimate, c.archived_at is not null or cl.archived_at is not null as archived,
            c.updated_at
        from campaigns c
        join clients cl on cl.id = c.client_id
        where c.client_id = $1
          and c.id = $2
        for no key update of c";
    /// Sets credits aside for the pieces, or gives them back.
    PROMISE, app, "
        update campaigns
        set credits_promised = $3
        where client_id = $1
          and id = $2
          and credits_promised <> $3";
    /// The client's time zone.
    ZONE, app, "
        select time_zone
        from clients
        where id = $1";
    /// Takes a step; the database refuses one that is not in the table of transitions.
    SET_STATUS, app, "
        update campaigns
        set status = $3::text::campaign_status,
            launched_at = case when $3 = 'ready' then $4 when $3 = 'draft' then null else launched_at end,
            mailed_at = case when $3 = 'mailed' then $4 else mailed_at end,
            activated_at = case when $3 = 'active' then $4 else activated_at end,
            completed_at = case when $3 = 'completed' then $4 else completed_at end,
            updated_at = $4
        where client_id = $1
          and id = $2";
    /// First engagement: only a mailed campaign becomes active, and only once.
    ACTIVATE, app, "
        update campaigns
        set status = 'active', activated_at = $3, updated_at = $3
        where client_id = $1
          and id = $2
          and status = 'mailed'";
    /// The mail date as it was confirmed, and the estimate as it was frozen.
    FREEZE, app, "
        update campaigns
        set mail_date = coalesce($3, mail_date), estimate = coalesce($4, estimate)
        where client_id = $1
          and id = $2";
    /// A row of history.
    INSERT_HISTORY, app, "
        insert into campaign_status_history (
            id, client_id, campaign_id, from_status, to_status, changed_by_user_id, reason, changed_at)
        values ($1, $2, $3, $4::text::campaign_status, $5::text::campaign_status, $6, $7, $8)";
    /// A campaign's history, newest first; a campaign has a handful of steps, 100 is a bound and not a page.
    HISTORY, app, "
        select h.from_status::text as from_status, h.to_status::text as to_status,
            coalesce(p.full_name, p.email) as changed_by, h.reason, h.changed_at
        from campaign_status_history h
        left join profiles p on p.id = h.changed_by_user_id
        where h.client_id = $1
          and h.campaign_id = $2
        order by h.changed_at desc, h.id desc
        limit 100";
    /// Whether a campaign, or its client, was archived.
    IS_ARCHIVED, app, "
        select c.archived_at is not null or cl.archived_at is not null
        from campaigns c
        join clients cl on cl.id = c.client_id
        where c.client_id = $1
          and c.id = $2";
    /// Who made a campaign ready last.
    MADE_READY_BY, app, "
        select changed_by_user_id
        from campaign_status_history
        where client_id = $1
          and campaign_id = $2
          and to_status = 'ready'
        order by changed_at desc, id desc
        limit 1";
    /// Campaigns in the mail in which no person did anything for a long time; a hundred at a time.
    QUIET, worker, "
        select c.client_id, c.id
        from campaigns c
        where c.status in ('mailed', 'active')
          and coalesce(c.activated_at, c.mailed_at) < $1
          and not exists (
            select
            from events e
            where e.campaign_id = c.id
              and e.client_id = c.client_id
              and e.created_at >= $1
              and e.event_data -> 'bot' is distinct from 'true'::jsonb)
        order by c.id
        limit 100"
}

/// Locks a campaign that still lives: every act on one comes through here.
///
/// # Errors
/// `NotFound`, `Conflict` `archived`, or what the database answered.
pub async fn hold(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<Held> {
    expect(tx, client_id, id, &Expected::any()).await
}

/// Locks a campaign that still lives; refuses what is meant for another version.
///
/// # Errors
/// As [`hold`], and `Conflict` when it is not the expected version any more.
pub async fn expect(tx: &Transaction, client_id: Uuid, id: Uuid, expected: &Expected) -> Result<Held> {
    let held: Held = tx.query_one(&LOCK, &[&client_id, &id]).await?;
    expected.check(&etag(held.updated_at))?;
    if held.archived { Err(archived()) } else { Ok(held) }
}

/// Refuses what is done for a recipient of a campaign that was archived. Without its lock, which comes before those that
/// a reward takes.
///
/// # Errors
/// `NotFound`, `Conflict` `archived`, or what the database answered.
pub async fn expect_living(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<()> {
    if tx.query_scalar(&IS_ARCHIVED, &[&client_id, &id]).await? { Err(archived()) } else { Ok(()) }
}

/// Locks a campaign that still lives and tells its status.
///
/// # Errors
/// As [`hold`].
pub async fn lock(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<String> {
    hold(tx, client_id, id).await.map(|held| held.status)
}

/// Locks a campaign, archived or not, and tells its status: for clearing up behind it.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn lock_any(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<String> {
    tx.query_one::<Held>(&LOCK, &[&client_id, &id]).await.map(|held| held.status)
}

/// The answer to every act on a campaign that was archived.
pub(crate) fn archived() -> Error {
    Error::conflict("archived", "this campaign was archived: make a new one")
}

/// Sets credits aside for a campaign's pieces; 0 gives them back.
///
/// # Errors
/// A `Constraint` when there are not as many free credits.
pub async fn promise(tx: &Transaction, client_id: Uuid, id: Uuid, credits: i32) -> Result<()> {
    tx.execute(&PROMISE, &[&client_id, &id, &credits]).await.map(|_| ())
}

/// Takes a step and writes its history.
///
/// # Errors
/// What the database answered; it refuses steps that are not in the table of transitions.
pub async fn step(tx: &Transaction, client_id: Uuid, id: Uuid, stepped: &Stepped<'_>) -> Result<()> {
    tx.execute(&SET_STATUS, &[&client_id, &id, &stepped.to, &tx.now()]).await?;
    history(tx, client_id, id, stepped).await
}

/// Makes a mailed campaign active; false when it was not mailed, or somebody was earlier.
///
/// # Errors
/// What the database answered.
pub async fn activate(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<bool> {
    let done = tx.execute(&ACTIVATE, &[&client_id, &id, &tx.now()]).await? == 1;
    if done {
        let reason = Some("first delivery or engagement");
        history(tx, client_id, id, &Stepped { from: Some("mailed"), to: "active", reason, by: None }).await?;
    }
    Ok(done)
}

/// Freezes what was confirmed.
///
/// # Errors
/// What the database answered.
pub async fn freeze(
    tx: &Transaction,
    client_id: Uuid,
    id: Uuid,
    mail_date: Option<NaiveDate>,
    estimate: Option<Value>,
) -> Result<()> {
    tx.execute(&FREEZE, &[&client_id, &id, &mail_date, &estimate]).await.map(|_| ())
}

/// Writes one step of history.
///
/// # Errors
/// What the database answered.
pub async fn history(tx: &Transaction, client_id: Uuid, id: Uuid, stepped: &Stepped<'_>) -> Result<()> {
    let Stepped { from, to, reason, by } = *stepped;
    let params: database::Params<'_> = &[&new_id(), &client_id, &id, &from, &to, &by, &reason, &tx.now()];
    tx.execute(&INSERT_HISTORY, params).await.map(|_| ())
}

/// The steps a campaign took, newest first.
///
/// # Errors
/// What the database answered.
pub async fn steps(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Vec<HistoryRow>> {
    scope.query(&HISTORY, &[&client_id, &id]).await
}

/// Who made a campaign ready last, if a person did.
///
/// # Errors
/// What the database answered.
pub async fn made_ready_by(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<Option<Uuid>> {
    let row: Option<ReadyRow> = tx.query_opt(&MADE_READY_BY, &[&client_id, &id]).await?;
    Ok(row.and_then(|row| row.changed_by_user_id))
}

/// Campaigns in the mail, of any client, in which nothing has happened since `since`.
///
/// # Errors
/// What the database answered.
pub async fn quiet_since(scope: &Scope<'_>, since: DateTime<Utc>) -> Result<Vec<Quiet>> {
    scope.query(&QUIET, &[&since]).await
}

/// The client's time zone, by which its days are counted.
///
/// # Errors
/// What the database answered.
pub async fn zone(tx: &Transaction, client_id: Uuid) -> Result<String> {
    tx.query_scalar(&ZONE, &[&client_id]).await
}
