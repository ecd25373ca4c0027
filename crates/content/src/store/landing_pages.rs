//! Landing pages: the draft people edit, and the immutable versions strangers get.

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope, Transaction};
use kernel::Result;
use kernel::version::{Expected, etag};
use serde_json::Value;
use uuid::Uuid;

/// A row of `landing_pages`.
#[derive(Debug, Clone, FromRow)]
pub struct LandingPage {
    /// Its id.
    pub id: Uuid,
    /// Its name, unique in the client.
    pub name: String,
    /// `grapesjs`, `custom` or `ai`.
    pub editor_type: String,
    /// The draft: `{html, css, form_id}`.
    pub content_json: Value,
    /// Whether strangers get a version of it.
    pub is_published: bool,
    /// When it was last published.
    pub published_at: Option<DateTime<Utc>>,
    /// The version strangers get.
    pub published_version_id: Option<Uuid>,
    /// When the draft was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What was published, as it was published.
#[derive(Debug, Clone, FromRow)]
pub struct Version {
    /// Its id: it never changes, so that what is compiled from it may be kept.
    pub id: Uuid,
    /// The page it is a version of.
    pub landing_page_id: Uuid,
    /// The client it belongs to.
    pub client_id: Uuid,
    /// Sanitised HTML with merge tags.
    pub html: String,
    /// Checked CSS.
    pub css: String,
    /// The draft it was made from; holds `form_id`.
    pub content_json: Value,
}

impl LandingPage {
    /// Its version: publishing moves it, too, and is no change of the draft.
    pub fn etag(&self) -> String {
        etag(self.published_at.map_or(self.updated_at, |at| at.max(self.updated_at)))
    }
}

database::statement! {
    /// One landing page.
    FIND, app, "
        select id, name, editor_type, content_json, is_published, published_at, published_version_id, updated_at
        from landing_pages
        where client_id = $1
          and id = $2
          and archived_at is null";
    /// A new landing page, not published.
    INSERT, app, "
        insert into landing_pages (id, client_id, name, editor_type, content_json, created_by_user_id, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $7)";
    /// The version of a landing page, held until the transaction ends.
    LOCK, app, "
        select greatest(updated_at, published_at)
        from landing_pages
        where client_id = $1
          and id = $2
          and archived_at is null
        for update";
    /// A changed draft.
    UPDATE, app, "
        update landing_pages
        set name = $3, editor_type = $4, content_json = $5, updated_at = $6
        where client_id = $1
          and id = $2
          and archived_at is null";
    /// The next version of a page.
    INSERT_VERSION, app, "
        insert into landing_page_versions (
            id, client_id, landing_page_id, version, html, css, content_json, published_by_user_id, published_at)
        select $1, $2, $3, coalesce(max(version), 0) + 1, $4, $5, $6, $7, $8
        from landing_page_versions
        where client_id = $2
          and landing_page_id = $3";
    /// Makes a version the one strangers get.
    PUBLISH, app, "
        update landing_pages
        set is_published = true, published_at = $4, published_version_id = $3
        where client_id = $1
          and id = $2
          and archived_at is null";
    /// A published version by id, for serving.
    FIND_VERSION, app | public, "
        select id, landing_page_id, client_id, html, css, content_json
        from landing_page_versions
        where id = $1"
}

/// What a draft is made of.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// Which editor made it.
    pub editor_type: String,
    /// `{html, css, form_id}`.
    pub content_json: Value,
}

/// A page of a client's landing pages by name.
///
/// # Errors
/// What the database answered.
pub async fn list(
    scope: &Scope<'_>,
    client_id: Uuid,
    search: Option<String>,
    after: Option<(String, Uuid)>,
    limit: i64,
) -> Result<Vec<LandingPage>> {
    let pattern = search.as_deref().map(database::containing);
    let (after_name, after_id) = after.unzip();
    let more = limit + 1;
    let mut filter = Filter::new("landing pages list", "select id, name, editor_type, content_json, is_published, published_at, published_version_id, updated_at from landing_pages")
        .bind("where archived_at is null and client_id =", &client_id)
        .bind_some("and name ilike", pattern.as_ref());
    if let (Some(name), Some(id)) = (&after_name, &after_id) {
        filter = filter.bind("and (name, id) > (", name).bind(",", id).push(")");
    }
    scope.query_filter(&filter.bind("order by name, id limit", &more)).await
}

/// One landing page.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<LandingPage> {
    scope.query_one(&FIND, &[&client_id, &id]).await
}

/// Writes a new landing page.
///
/// # Errors
/// Names `name` when it is taken.
pub async fn insert(tx: &Transaction, client_id: Uuid, id: Uuid, draft: &Draft) -> Result<()> {
    let by = tx.actor().user_id();
    let params: database::Params<'_> =
        &[&id, &client_id, &draft.name, &draft.editor_type, &draft.content_json, &by, &tx.now()];
    tx.execute(&INSERT, params).await.map(|_| ()).map_err(name_taken)
}

/// Holds what is about to change, and tells how it is; refuses a change that is meant for another version.
///
/// # Errors
/// `NotFound`, or `Conflict` when it is not the expected version any more.
pub async fn expect(tx: &Transaction, client_id: Uuid, id: Uuid, expected: &Expected) -> Result<LandingPage> {
    tx.expect(&LOCK, &[&client_id, &id], expected).await?;
    tx.query_one(&FIND, &[&client_id, &id]).await
}

/// Writes a changed draft; false when there is none. What strangers get stays as it was published.
///
/// # Errors
/// Names `name` when it is taken.
pub async fn update(tx: &Transaction, client_id: Uuid, id: Uuid, draft: &Draft) -> Result<bool> {
    let params: database::Params<'_> =
        &[&client_id, &id, &draft.name, &draft.editor_type, &draft.content_json, &tx.now()];
    tx.execute(&UPDATE, params).await.map(|rows| rows == 1).map_err(name_taken)
}

/// Publishes `html` and `css`, already sanitised, as the next version; returns its id.
///
/// # Errors
/// `NotFound` when there is no such page.
pub async fn publish(tx: &Transaction, client_id: Uuid, page: &LandingPage, html: &str, css: &str) -> Result<Uuid> {
    let version_id = kernel::new_id();
    let by = tx.actor().user_id();
    let params: database::Params<'_> =
        &[&version_id, &client_id, &page.id, &html, &css, &page.content_json, &by, &tx.now()];
    tx.execute(&INSERT_VERSION, params).await?;
    let rows = tx.execute(&PUBLISH, &[&client_id, &page.id, &version_id, &tx.now()]).await?;
    if rows == 1 { Ok(version_id) } else { Err(kernel::Error::NotFound) }
}

/// A published version, for serving it.
///
/// # Errors
/// What the database answered.
pub async fn find_version(scope: &Scope<'_>, version_id: Uuid) -> Result<Option<Version>> {
    scope.query_opt(&FIND_VERSION, &[&version_id]).await
}

fn name_taken(error: kernel::Error) -> kernel::Error {
    error.on_constraint("landing_pages_client_id_name_key", "name", "taken", "another landing page has this name")
}
