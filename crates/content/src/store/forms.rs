//! Forms.

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope, Transaction};
use kernel::Result;
use kernel::version::Expected;
use serde_json::Value;
use uuid::Uuid;

/// A row of `ace_forms`.
#[derive(Debug, Clone, FromRow)]
pub struct Form {
    /// Its id, which is also its public address `/f/{id}`.
    pub id: Uuid,
    /// The client it belongs to.
    pub client_id: Uuid,
    /// Its name, unique in the client.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Fields, settings, reveal.
    pub form_config: Value,
    /// Whether strangers can use it.
    pub is_active: bool,
    /// How often it was shown.
    pub total_views: i32,
    /// How often it was sent.
    pub total_submissions: i32,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

database::statement! {
    /// One form.
    FIND, app, "
        select id, client_id, name, description, form_config, is_active, total_views, total_submissions, updated_at
        from ace_forms
        where client_id = $1
          and id = $2
          and archived_at is null";
    /// A new form, a draft.
    INSERT, app, "
        insert into ace_forms (id, client_id, name, description, form_config, created_by, created_at, updated_at, last_auto_save)
        values ($1, $2, $3, $4, $5, $6, $7, $7, $7)";
    /// The version of a form, held until the transaction ends.
    LOCK, app, "
        select updated_at
        from ace_forms
        where client_id = $1
          and id = $2
          and archived_at is null
        for update";
    /// A changed form.
    UPDATE, app, "
        update ace_forms
        set name = $3, description = $4, form_config = $5, updated_at = $6, last_auto_save = $6
        where client_id = $1
          and id = $2
          and archived_at is null";
    /// Opens a form to strangers, or closes it.
    SET_ACTIVE, app, "
        update ace_forms
        set is_active = $3, is_draft = not $3, updated_at = $4
        where client_id = $1
          and id = $2
          and archived_at is null"
}

/// What a form is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Fields, settings, reveal.
    pub form_config: Value,
}

/// A page of a client's forms by name.
///
/// # Errors
/// What the database answered.
pub async fn list(
    scope: &Scope<'_>,
    client_id: Uuid,
    search: Option<String>,
    after: Option<(String, Uuid)>,
    limit: i64,
) -> Result<Vec<Form>> {
    let pattern = search.as_deref().map(database::containing);
    let (after_name, after_id) = after.unzip();
    let more = limit + 1;
    let mut filter = Filter::new("forms list", "select id, client_id, name, description, form_config, is_active, total_views, total_submissions, updated_at from ace_forms")
        .bind("where archived_at is null and client_id =", &client_id)
        .bind_some("and name ilike", pattern.as_ref());
    if let (Some(name), Some(id)) = (&after_name, &after_id) {
        filter = filter.bind("and (name, id) > (", name).bind(",", id).push(")");
    }
    scope.query_filter(&filter.bind("order by name, id limit", &more)).await
}

/// One form.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Form> {
    scope.query_one(&FIND, &[&client_id, &id]).await
}

/// Writes a new form.
///
/// # Errors
/// Names `name` when it is taken.
pub async fn insert(tx: &Transaction, client_id: Uuid, id: Uuid, draft: &Draft) -> Result<()> {
    let by = tx.actor().user_id();
    let params: database::Params<'_> =
        &[&id, &client_id, &draft.name, &draft.description, &draft.form_config, &by, &tx.now()];
    tx.execute(&INSERT, params).await.map(|_| ()).map_err(name_taken)
}

/// Holds what is about to change, and tells how it is; refuses a change that is meant for another version.
///
/// # Errors
/// `NotFound`, or `Conflict` when it is not the expected version any more.
pub async fn expect(tx: &Transaction, client_id: Uuid, id: Uuid, expected: &Expected) -> Result<Form> {
    tx.expect(&LOCK, &[&client_id, &id], expected).await?;
    tx.query_one(&FIND, &[&client_id, &id]).await
}

/// Writes a changed form; false when there is none.
///
/// # Errors
/// Names `name` when it is taken.
pub async fn update(tx: &Transaction, client_id: Uuid, id: Uuid, draft: &Draft) -> Result<bool> {
    let params: database::Params<'_> =
        &[&client_id, &id, &draft.name, &draft.description, &draft.form_config, &tx.now()];
    tx.execute(&UPDATE, params).await.map(|rows| rows == 1).map_err(name_taken)
}

/// Opens a form to strangers or closes it; false when there is none.
///
/// # Errors
/// What the database answered.
pub async fn set_active(tx: &Transaction, client_id: Uuid, id: Uuid, active: bool) -> Result<bool> {
    tx.execute(&SET_ACTIVE, &[&client_id, &id, &active, &tx.now()]).await.map(|rows| rows == 1)
}

fn name_taken(error: kernel::Error) -> kernel::Error {
    error.on_constraint("ace_forms_client_id_name_key", "name", "taken", "another form has this name")
}
