//! Mail templates.

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope, Transaction};
use kernel::Result;
use kernel::version::Expected;
use serde_json::Value;
use uuid::Uuid;

/// A row of `templates`.
#[derive(Debug, Clone, FromRow)]
pub struct Template {
    /// Its id.
    pub id: Uuid,
    /// Its name, unique in the client.
    pub name: String,
    /// `4x6`, `6x9`, `6x11` or `letter`.
    pub size: String,
    /// Front and back.
    pub design_json: Value,
    /// A word to sort by.
    pub category: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

database::statement! {
    /// One template.
    FIND, app, "
        select id, name, size::text as size, design_json, category, created_at, updated_at
        from templates
        where client_id = $1
          and id = $2
          and archived_at is null";
    /// A new template.
    INSERT, app, "
        insert into templates (id, client_id, name, size, design_json, category, created_by_user_id, created_at, updated_at)
        values ($1, $2, $3, $4::text::mail_size, $5, $6, $7, $8, $8)";
    /// The version of a template, held until the transaction ends.
    LOCK, app, "
        select updated_at
        from templates
        where client_id = $1
          and id = $2
          and archived_at is null
        for update";
    /// A changed template.
    UPDATE, app, "
        update templates
        set name = $3, size = $4::text::mail_size, design_json = $5, category = $6, updated_at = $7
        where client_id = $1
          and id = $2
          and archived_at is null"
}

/// What a template is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// Its size.
    pub size: String,
    /// Front and back.
    pub design_json: Value,
    /// A word to sort by.
    pub category: Option<String>,
}

/// A page of a client's templates by name.
///
/// # Errors
/// What the database answered.
pub async fn list(
    scope: &Scope<'_>,
    client_id: Uuid,
    search: Option<String>,
    after: Option<(String, Uuid)>,
    limit: i64,
) -> Result<Vec<Template>> {
    let pattern = search.as_deref().map(database::containing);
    let (after_name, after_id) = after.unzip();
    let more = limit + 1;
    let mut filter = Filter::new(
        "templates list",
        "select id, name, size::text as size, design_json, category, created_at, updated_at from templates",
    )
    .bind("where archived_at is null and client_id =", &client_id)
    .bind_some("and name ilike", pattern.as_ref());
    if let (Some(name), Some(id)) = (&after_name, &after_id) {
        filter = filter.bind("and (name, id) > (", name).bind(",", id).push(")");
    }
    scope.query_filter(&filter.bind("order by name, id limit", &more)).await
}

/// One template.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Template> {
    scope.query_one(&FIND, &[&client_id, &id]).await
}

/// Writes a new template.
///
/// # Errors
/// Names `name` when it is taken.
pub async fn insert(tx: &Transaction, client_id: Uuid, id: Uuid, draft: &Draft) -> Result<()> {
    let by = tx.actor().user_id();
    let params: database::Params<'_> =
        &[&id, &client_id, &draft.name, &draft.size, &draft.design_json, &draft.category, &by, &tx.now()];
    tx.execute(&INSERT, params).await.map(|_| ()).map_err(name_taken)
}

/// Holds what is about to change, and tells how it is; refuses a change that is meant for another version.
///
/// # Errors
/// `NotFound`, or `Conflict` when it is not the expected version any more.
pub async fn expect(tx: &Transaction, client_id: Uuid, id: Uuid, expected: &Expected) -> Result<Template> {
    tx.expect(&LOCK, &[&client_id, &id], expected).await?;
    tx.query_one(&FIND, &[&client_id, &id]).await
}

/// Writes a changed template; false when there is none.
///
/// # Errors
/// Names `name` when it is taken.
pub async fn update(tx: &Transaction, client_id: Uuid, id: Uuid, draft: &Draft) -> Result<bool> {
    let params: database::Params<'_> =
        &[&client_id, &id, &draft.name, &draft.size, &draft.design_json, &draft.category, &tx.now()];
    tx.execute(&UPDATE, params).await.map(|rows| rows == 1).map_err(name_taken)
}

fn name_taken(error: kernel::Error) -> kernel::Error {
    error.on_constraint("templates_client_id_name_key", "name", "taken", "another mail piece has this name")
}
