//! Calls as agents handled them.

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope, Transaction};
use kernel::version::Expected;
use kernel::{Error, Result};
use serde_json::Value;
use uuid::Uuid;

/// A row of `call_sessions` with what people want to read beside it.
#[derive(Debug, Clone, FromRow)]
pub struct Call {
    /// Its id.
    pub id: Uuid,
    /// The campaign it was about.
    pub campaign_id: Option<Uuid>,
    /// That campaign's name.
    pub campaign_name: Option<String>,
    /// That campaign's word in URLs.
    pub campaign_slug: Option<String>,
    /// Who called.
    pub recipient_id: Option<Uuid>,
    /// Their name; empty where none is known.
    pub recipient_name: String,
    /// Their number, E.164.
    pub caller_phone: Option<String>,
    /// `matched` or `unmatched`.
    pub match_status: String,
    /// `in-progress`, `completed`, …
    pub call_status: String,
    /// When it began.
    pub call_started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub call_ended_at: Option<DateTime<Utc>>,
    /// How long it took.
    pub call_duration_seconds: Option<i32>,
    /// How it ended.
    pub disposition: Option<String>,
    /// Which of the two-of-three questions the caller answered.
    pub identity_checked: Option<Value>,
    /// What the agent wrote.
    pub notes: Option<String>,
    /// The agent.
    pub agent_user_id: Option<Uuid>,
    /// The agent's name, as far as the reader may see people.
    pub agent_name: Option<String>,
    /// Conditions that were confirmed in it.
    pub conditions_met: i64,
    /// When it was written down.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Call {
    /// The questions the caller answered.
    pub fn answered(&self) -> Vec<String> {
        let list = self.identity_checked.as_ref().and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
    }
}

/// The campaign a recipient belongs to, as far as the desk shows it.
#[derive(Debug, Clone, FromRow)]
pub struct CampaignName {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether conditions count: it is in the mail and not over.
    pub live: bool,
}

/// What an agent did since some moment.
#[derive(Debug, Clone, Default, FromRow)]
pub struct Tally {
    /// Calls handled.
    pub calls: i64,
    /// Conditions confirmed.
    pub confirmed: i64,
}

database::statement! {
    /// One call.
    FIND, app, "
        select s.id, s.campaign_id, c.name as campaign_name, c.slug as campaign_slug, s.recipient_id,
            concat_ws(' ', r.first_name, r.last_name) as recipient_name, s.caller_phone, s.match_status, s.call_status,
            s.call_started_at, s.call_ended_at, s.call_duration_seconds, s.disposition, s.identity_checked, s.notes,
            s.agent_user_id, p.full_name as agent_name,
            (select count(*) from call_conditions_met m where m.client_id = s.client_id and m.call_session_id = s.id) as conditions_met,
            s.created_at, s.updated_at
        from call_sessions s
        left join campaigns c on c.client_id = s.client_id and c.id = s.campaign_id
        left join recipients r on r.client_id = s.client_id and r.id = s.recipient_id
        left join profiles p on p.id = s.agent_user_id
        where s.client_id = $1
          and s.id = $2";
    /// A call that an agent typed in; the same id again is the same call.
    INSERT, app, "
        insert into call_sessions (
            id, client_id, campaign_id, recipient_id, caller_phone, match_status, call_status, call_started_at,
            call_answered_at, agent_user_id, created_at, updated_at)
        values ($1, $2, $3, $4, $5, 'matched', 'in-progress', $6, $6, $7, $8, $8)
        on conflict (id) do nothing";
    /// The version of a call, held until the transaction ends.
    LOCK, app, "
        select updated_at
        from call_sessions
        where client_id = $1
          and id = $2
        for update";
    /// What the agent knows by now; a disposition ends the call, and a later one corrects it without moving its end.
    UPDATE, app, "
        update call_sessions
        set notes = $5,
            identity_checked = $6,
            disposition = coalesce($7, disposition),
            call_status = case when $7 is null then call_status else 'completed' end,
            call_ended_at = case when $7 is null then call_ended_at else coalesce(call_ended_at, $8) end,
            call_duration_seconds = case
                when $7 is null then call_duration_seconds
                else coalesce(call_duration_seconds, greatest(0, extract(epoch from $8 - call_started_at))::int4)
            end,
            updated_at = $8
        where client_id = $1
          and id = $2
          and recipient_id = $3
          and agent_user_id is not distinct from $4";
    /// About whom a call is.
    ABOUT, app, "
        select recipient_id
        from call_sessions
        where client_id = $1
          and id = $2";
    /// Names of a few campaigns.
    CAMPAIGN_NAMES, app, "
        select id, name, status in ('mailed', 'active') as live
        from campaigns
        where client_id = $1
          and id = any ($2::uuid[])";
    /// What one agent did since some moment.
    TALLY, app, "
        select
            (select count(*) from call_sessions s
             where s.client_id = $1 and s.agent_user_id = $2 and s.created_at >= $3) as calls,
            (select count(*) from call_conditions_met m
             where m.client_id = $1 and m.met_by_agent_id = $2 and m.met_at >= $3) as confirmed"
}

/// A call to be written down.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Its id.
    pub id: Uuid,
    /// The campaign it is about.
    pub campaign_id: Uuid,
    /// Who called.
    pub recipient_id: Uuid,
    /// From which number, if known.
    pub caller_phone: Option<String>,
    /// When the agent opened the recipient.
    pub started_at: DateTime<Utc>,
}

/// Writes a call down unless it is there already; whether it is new.
///
/// # Errors
/// What the database answered.
pub async fn insert(tx: &Transaction, client_id: Uuid, call: &Begun) -> Result<bool> {
    let agent = tx.actor().user_id();
    let params: database::Params<'_> = &[
        &call.id,
        &client_id,
        &call.campaign_id,
        &call.recipient_id,
        &call.caller_phone,
        &call.started_at,
        &agent,
        &tx.now(),
    ];
    Ok(tx.execute(&INSERT, params).await? == 1)
}

/// What an agent says about a call.
#[derive(Debug, Clone)]
pub struct Said {
    /// What was written.
    pub notes: Option<String>,
    /// Which questions were answered.
    pub identity: Vec<String>,
    /// How it ended, once it has.
    pub disposition: Option<String>,
}

/// Holds a call that is about to change, and tells how it is; refuses a change that is meant for another version.
///
/// # Errors
/// `NotFound`, or `Conflict` when it is not the expected version any more.
pub async fn expect(tx: &Transaction, client_id: Uuid, id: Uuid, expected: &Expected) -> Result<Call> {
    tx.expect(&LOCK, &[&client_id, &id], expected).await?;
    tx.query_one(&FIND, &[&client_id, &id]).await
}

/// Writes down what the agent knows by now.
///
/// # Errors
/// `NotFound`; `Conflict` `not_your_call` when it is another agent's; names `recipient_id` when it is about somebody else.
pub async fn update(tx: &Transaction, client_id: Uuid, id: Uuid, recipient_id: Uuid, said: &Said) -> Result<()> {
    let identity = Value::from(said.identity.clone());
    let agent = tx.actor().user_id();
    let params: database::Params<'_> =
        &[&client_id, &id, &recipient_id, &agent, &said.notes, &identity, &said.disposition, &tx.now()];
    if tx.execute(&UPDATE, params).await? > 0 {
        return Ok(());
    }
    let about: Option<Uuid> = tx.query_scalar(&ABOUT, &[&client_id, &id]).await?;
    if about != Some(recipient_id) {
        return Err(Error::invalid("recipient_id", "leave the recipient whom the call is about"));
    }
    Err(Error::conflict("not_your_call", "another agent took this call: only they change what it says"))
}

/// One call.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Call> {
    scope.query_one(&FIND, &[&client_id, &id]).await
}

/// Names of the campaigns of a few recipients.
///
/// # Errors
/// What the database answered.
pub async fn campaign_names(scope: &Scope<'_>, client_id: Uuid, ids: &[Uuid]) -> Result<Vec<CampaignName>> {
    scope.query(&CAMPAIGN_NAMES, &[&client_id, &ids]).await
}

/// What an agent did since some moment.
///
/// # Errors
/// What the database answered.
pub async fn tally(scope: &Scope<'_>, client_id: Uuid, agent: Uuid, since: DateTime<Utc>) -> Result<Tally> {
    scope.query_one(&TALLY, &[&client_id, &agent, &since]).await
}

/// Which calls are listed.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// Part of the caller's name, or a phone number.
    pub search: Option<String>,
    /// Only calls that ended so; `open` for those that have not.
    pub disposition: Option<String>,
    /// Only this agent's.
    pub agent: Option<Uuid>,
    /// Only this recipient's.
    pub recipient_id: Option<Uuid>,
    /// The last row of the page before: when it was written down, and its id.
    pub after: Option<(DateTime<Utc>, Uuid)>,
}

/// A page of a client's calls, newest first.
///
/// # Errors
/// What the database answered.
pub async fn list(scope: &Scope<'_>, client_id: Uuid, wanted: &ListFilter, limit: i64) -> Result<Vec<Call>> {
    let search = wanted.search.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let phone = search.and_then(|text| kernel::phone::normalise(text, kernel::phone::DEFAULT_REGION));
    let pattern = search.map(database::containing);
    let open = wanted.disposition.as_deref() == Some("open");
    let disposition = wanted.disposition.as_ref().filter(|_| !open);
    let (after_at, after_id) = wanted.after.unzip();
    let more = limit + 1;
    let mut filter = Filter::new(
        "calls list",
        "select s.id, s.campaign_id, c.name as campaign_name, c.slug as campaign_slug, s.recipient_id,
            concat_ws(' ', r.first_name, r.last_name) as recipient_name, s.caller_phone, s.match_status, s.call_status,
            s.call_started_at, s.call_ended_at, s.call_duration_seconds, s.disposition, s.identity_checked, s.notes,
            s.agent_user_id, p.full_name as agent_name,
            (select count(*) from call_conditions_met m where m.client_id = s.client_id and m.call_session_id = s.id) as conditions_met,
            s.created_at, s.updated_at
        from call_sessions s
        left join campaigns c on c.client_id = s.client_id and c.id = s.campaign_id
        left join recipients r on r.client_id = s.client_id and r.id = s.recipient_id
        left join profiles p on p.id = s.agent_user_id",
    )
    .bind("where s.client_id =", &client_id)
    .bind_some("and s.disposition =", disposition)
    .bind_some("and s.agent_user_id =", wanted.agent.as_ref())
    .bind_some("and s.recipient_id =", wanted.recipient_id.as_ref());
    if open {
        filter = filter.push("and s.disposition is null");
    }
    if let Some(phone) = &phone {
        filter = filter.bind("and s.caller_phone =", phone);
    } else if let Some(pattern) = &pattern {
        filter =
            filter.bind("and app.fold(concat_ws(' ', r.first_name, r.last_name)) like app.fold(", pattern).push(")");
    }
    if let (Some(at), Some(id)) = (&after_at, &after_id) {
        filter = filter.bind("and (s.created_at, s.id) < (", at).bind(",", id).push(")");
    }
    scope.query_filter(&filter.bind("order by s.created_at desc, s.id desc limit", &more)).await
}
