//! How far the demo is, kept with its first organization: an interrupted load goes on where it stopped.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope};
use kernel::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

database::statement! {
    /// An organization of the story with the settings that hold the marker.
    FIND, app, "
        select id, settings_json
        from organizations
        where slug = $1
          and settings_json ? 'demo'";
    /// Whether nobody works here: no people and no organizations but the demo's own.
    UNUSED, app, "
        select not exists (select from organizations where not settings_json ? 'demo')
          and (
            exists (select from organizations where settings_json ? 'demo')
            or not exists (select from auth.users))";
    /// Adds to an organization's settings.
    SET, app, "
        update organizations
        set settings_json = settings_json || $2,
            updated_at = $3
        where id = $1"
}

/// How far the demo is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// When the story ends: the moment it was first loaded.
    pub ends_at: DateTime<Utc>,
    /// How many contacts it has.
    pub contacts: usize,
    /// Everything up to here happened.
    pub through: Option<DateTime<Utc>>,
    /// Everything happened.
    pub finished: bool,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    settings_json: Value,
}

/// The marker of the organization with this slug, if it is the demo's.
///
/// # Errors
/// What the database answered.
pub async fn find(scope: &Scope<'_>, slug: &str) -> Result<Option<(Uuid, Marker)>> {
    let row: Option<Row> = scope.query_opt(&FIND, &[&slug]).await?;
    Ok(row.and_then(|row| Some((row.id, serde_json::from_value(row.settings_json["demo"].clone()).ok()?))))
}

/// Whether nobody works here yet but, perhaps, the demo's people.
///
/// # Errors
/// What the database answered.
pub async fn is_unused(scope: &Scope<'_>) -> Result<bool> {
    scope.query_scalar(&UNUSED, &[]).await
}

/// Writes the marker.
///
/// # Errors
/// What the database answered.
pub async fn write(scope: &Scope<'_>, org_id: Uuid, marker: &Marker, now: DateTime<Utc>) -> Result<()> {
    set(scope, org_id, &json!({ "demo": marker }), now).await
}

/// Adds to an organization's settings, such as its price list, for which there is no page yet.
///
/// # Errors
/// What the database answered.
pub async fn set(scope: &Scope<'_>, org_id: Uuid, settings: &Value, now: DateTime<Utc>) -> Result<()> {
    scope.execute(&SET, &[&org_id, settings, &now]).await.map(drop)
}
