//! Reading the audit trail.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope};
use kernel::Result;
use kernel::page::{Page, PageParams};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// One act.
#[derive(Debug, Clone, Serialize, FromRow, ToSchema)]
pub struct AuditEntry {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// `user`, `key`, `operator`, `client`, `public_link`, `worker` or `auth`.
    pub actor_kind: String,
    /// The person.
    pub actor_user_id: Option<Uuid>,
    /// The API key.
    pub actor_key_id: Option<Uuid>,
    /// What the actor was called then.
    pub actor_label: Option<String>,
    /// What was done: `noun.verb`.
    pub action: String,
    /// On which table.
    pub table_name: Option<String>,
    /// On which row.
    pub row_id: Option<Uuid>,
    /// Whose row it is.
    pub client_id: Option<Uuid>,
    /// The client's name.
    pub client_name: Option<String>,
    /// The word in the client's URL.
    #[serde(skip)]
    pub client_slug: Option<String>,
    /// The person it is about, where it is about one.
    pub subject: Option<String>,
    /// The row before, secrets left out.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// The row after, secrets left out.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
    /// From where.
    #[schema(value_type = Option<String>)]
    pub ip: Option<IpAddr>,
    /// The request's id, which the log knows too.
    pub request_id: Option<Uuid>,
}

/// Which acts are wanted.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter<'a> {
    /// Part of the action, the actor's name, or a whole row id.
    pub search: &'a str,
    /// Of one client.
    pub client_id: Option<Uuid>,
    /// From this moment on.
    pub from: Option<DateTime<Utc>>,
    /// Until before this moment.
    pub to: Option<DateTime<Utc>>,
}

/// Acts within reach, the latest first.
pub async fn list(scope: &Scope<'_>, wanted: &AuditFilter<'_>, page: &PageParams) -> Result<Page<AuditEntry>> {
    let (limit, after) = (page.limit()?, page.after::<(DateTime<Utc>, Uuid)>()?);
    let (like, row_id, take) =
        (database::containing(wanted.search), Uuid::parse_str(wanted.search.trim()).ok(), limit + 1);
    let mut filter = Filter::new(
        "accounts::audit",
        "select a.id, a.at, a.actor_kind, a.actor_user_id, a.actor_key_id, a.actor_label, a.action, a.table_name, a.row_id,
            a.client_id, c.name as client_name, c.slug as client_slug,
            (select u.email
             from auth.users u
             where u.id = case when a.table_name = 'auth.users' then a.row_id
                               when a.table_name = 'auth.sessions' then (a.after ->> 'user')::uuid end) as subject,
            a.before, a.after, a.ip, a.request_id
        from audit_log a
        left join clients c on c.id = a.client_id",
    )
    .bind("where (a.action ilike", &like)
    .bind("or translate(a.action, '._', '  ') ilike", &like)
    .bind("or a.actor_label ilike", &like)
    .bind("or a.row_id =", &row_id)
    .push(")")
    .bind_some("and a.client_id =", wanted.client_id.as_ref())
    .bind_some("and a.at >=", wanted.from.as_ref())
    .bind_some("and a.at <", wanted.to.as_ref());
    if let Some((at, id)) = &after {
        filter = filter.bind("and (a.at, a.id) < (", at).bind(",", id).push(")");
    }
    let rows: Vec<AuditEntry> =
        scope.query_filter(&filter.push("order by a.at desc, a.id desc").bind("limit", &take)).await?;
    Ok(Page::from_rows(rows, limit, |row| (row.at, row.id)))
}
