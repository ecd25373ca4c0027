//! Named groups of contacts. Static lists are picked or imported; dynamic ones, which follow rules, come later.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope};
use kernel::{Error, Problems, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A list as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, ToSchema)]
pub struct List {
    /// The list's id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// static or dynamic.
    pub list_type: String,
    /// How many contacts are in it, exactly.
    pub contact_count: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When a dynamic list was last brought up to date.
    pub last_sync_at: Option<DateTime<Utc>>,
}

/// What people and programs may say about a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ListInput {
    /// Its name, unique within the client.
    #[schema(required = true, max_length = 200)]
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// static; dynamic lists are not offered yet.
    pub list_type: Option<String>,
    /// Rules of a dynamic list.
    #[schema(value_type = Option<Object>, example = json!(null))]
    pub filter_rules: Option<Value>,
}

impl ListInput {
    /// A list as the input that would make it.
    pub fn of(list: &List) -> Self {
        Self {
            name: list.name.clone(),
            description: list.description.clone(),
            list_type: Some(list.list_type.clone()),
            filter_rules: None,
        }
    }

    /// Whether a list is just this already, so that nothing changes.
    pub fn is_of(&self, list: &List) -> bool {
        self.name == list.name && self.description == list.description
    }

    /// Fit to be kept.
    ///
    /// # Errors
    /// Names the wrong fields.
    pub fn normalised(mut self) -> Result<Self> {
        let mut problems = Problems::new();
        self.name = problems.require("name", &self.name).to_owned();
        if self.name.chars().count() > 200 {
            problems.add("name", "too_long", "use at most 200 characters");
        }
        problems.at_most("description", self.description.as_deref().unwrap_or_default(), 1_000);
        self.description = self.description.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        match self.list_type.as_deref() {
            None | Some("static") => {}
            Some("dynamic") => drop(problems.add(
                "list_type",
                "not_offered",
                "dynamic lists are not offered yet; create a static list",
            )),
            Some(_) => drop(problems.invalid("list_type", "must be static")),
        }
        if self.filter_rules.is_some() {
            problems.add("filter_rules", "not_offered", "rules belong to dynamic lists, which are not offered yet");
        }
        problems.finish()?;
        Ok(self)
    }
}

/// Whom of a list a mail piece can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, FromRow, Serialize, ToSchema)]
pub struct Mailable {
    /// Contacts with a deliverable address who may be contacted.
    pub mailable: i64,
    /// Contacts who must not be contacted.
    pub suppressed: i64,
    /// Contacts without a deliverable address.
    pub undeliverable: i64,
}

/// Whom of a list a mail piece can reach, counted in one statement.
///
/// # Errors
/// `NotFound` when there is no such list.
pub async fn mailable(scope: &Scope<'_>, client_id: Uuid, list_id: Uuid) -> Result<Mailable> {
    crate::store::lists::mailable(scope, client_id, list_id).await
}

/// The ids of a form or a request, at most a thousand at a time.
///
/// # Errors
/// Names `contact_ids` when there are none or too many.
pub fn some_ids(ids: &[Uuid]) -> Result<()> {
    match ids.len() {
        0 => Err(Error::required("contact_ids")),
        1..=1000 => Ok(()),
        _ => Err(Error::invalid("contact_ids", "send at most 1,000 at a time")),
    }
}
