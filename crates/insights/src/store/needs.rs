//! What waits for a person: the lines behind the bell, Home and All clients. All of them read the view `client_needs`.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope};
use kernel::Result;
use uuid::Uuid;

/// A line: an alert, alerts of one kind, or other things that are counted together.
#[derive(Debug, Clone, FromRow)]
pub struct Need {
    /// Whose it is.
    pub client_id: Uuid,
    /// `pool_empty`, `delivery_failed`, `failed_imports`, …
    pub kind: String,
    /// Whether it is of alerts, which can be acknowledged.
    pub is_alert: bool,
    /// What it is about, where that is one thing.
    pub subject_id: Option<Uuid>,
    /// The name of that: of a pool or a person.
    pub subject: Option<String>,
    /// How many.
    pub things: i64,
    /// What an alert says.
    pub message: Option<String>,
    /// The first of them.
    pub since: Option<DateTime<Utc>>,
    /// The last of them.
    pub latest: Option<DateTime<Utc>>,
    /// How many lines the client has.
    pub lines: i64,
}

/// An open alert that somebody has seen.
#[derive(Debug, Clone, FromRow)]
pub struct Acknowledged {
    /// Its kind.
    pub kind: String,
    /// What it is about.
    pub subject_id: Uuid,
    /// What it says.
    pub message: String,
    /// Who has seen it; none when the person is gone.
    pub by: Option<String>,
    /// When they said so.
    pub acknowledged_at: DateTime<Utc>,
}

database::statement! {
    /// The first lines of a client, the newest first.
    OF_CLIENT, app, "
        select n.client_id, n.kind, n.is_alert, n.subject_id,
            coalesce(s.pool_name, nullif(btrim(concat(r.first_name, ' ', r.last_name)), '')) as subject,
            n.things, n.message, n.since, n.latest, n.lines
        from (
            select client_id, kind, is_alert, subject_id, things, message, since, latest, count(*) over () as lines
            from client_needs
            where client_id = $1
            order by latest desc nulls last, kind, subject_id
            limit $2) as n
        left join gift_card_pools s on s.client_id = n.client_id and s.id = n.subject_id
        left join recipients r on r.client_id = n.client_id and r.id = n.subject_id
        order by n.latest desc nulls last, n.kind, n.subject_id";
    /// The first line of each of several clients, with how many there are.
    OF_CLIENTS, app, "
        select n.client_id, n.kind, n.is_alert, n.subject_id,
            coalesce(s.pool_name, nullif(btrim(concat(r.first_name, ' ', r.last_name)), '')) as subject,
            n.things, n.message, n.since, n.latest, n.lines
        from (
            select distinct on (client_id) client_id, kind, is_alert, subject_id, things, message, since, latest,
                count(*) over (partition by client_id) as lines
            from client_needs
            where client_id = any ($1)
            order by client_id, latest desc nulls last, kind, subject_id) as n
        left join gift_card_pools s on s.client_id = n.client_id and s.id = n.subject_id
        left join recipients r on r.client_id = n.client_id and r.id = n.subject_id";
    /// Open alerts that somebody has seen, the last seen first.
    ACKNOWLEDGED, app, "
        select a.kind, a.subject_id, a.message, coalesce(p.full_name, p.email) as by, a.acknowledged_at
        from alerts a
        left join profiles p on p.id = a.acknowledged_by_user_id
        where a.client_id = $1
          and a.resolved_at is null
          and a.acknowledged_at is not null
        order by a.acknowledged_at desc, a.id desc
        limit $2"
}

/// A client's lines, the newest first, at most `limit`.
///
/// # Errors
/// What the database answered.
pub async fn of_client(scope: &Scope<'_>, client_id: Uuid, limit: i64) -> Result<Vec<Need>> {
    scope.query(&OF_CLIENT, &[&client_id, &limit]).await
}

/// The newest line of each client that has one.
///
/// # Errors
/// What the database answered.
pub async fn of_clients(scope: &Scope<'_>, client_ids: &[Uuid]) -> Result<Vec<Need>> {
    scope.query(&OF_CLIENTS, &[&client_ids]).await
}

/// A client's open alerts that somebody has seen, at most `limit`.
///
/// # Errors
/// What the database answered.
pub async fn acknowledged(scope: &Scope<'_>, client_id: Uuid, limit: i64) -> Result<Vec<Acknowledged>> {
    scope.query(&ACKNOWLEDGED, &[&client_id, &limit]).await
}
