//! Organizations.

use database::{Audited, Transaction};
use kernel::version::Expected;
use kernel::{Actor, Error, Problems, Result, slug};
use serde_json::{Value, json};
use uuid::Uuid;
use web::App;

use crate::store::organization::{self as store, Organization};

/// What a new organization is.
#[derive(Debug, Clone)]
pub struct NewOrganization<'a> {
    /// Its name.
    pub name: &'a str,
    /// `internal`, `agency` or `direct`.
    pub kind: &'a str,
}

/// What can be changed of one; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct OrganizationChange<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// Whether everybody of it and of its clients needs a second factor.
    pub require_second_factor: Option<bool>,
    /// What its clients pay.
    pub prices: PriceChange,
    /// The version the change was made on.
    pub expected: Expected,
}

/// What an organization's clients pay, in credits; what is absent stays. Whoever offers this asks for `platform.settings`
/// first: prices are the operator's, and the database refuses them from everybody else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PriceChange {
    /// For a mail piece.
    pub piece: Option<i32>,
    /// For a reward.
    pub reward: Option<i32>,
}

impl PriceChange {
    /// The dearest anything can be.
    pub const MOST: i32 = 100_000;

    fn named(self) -> impl Iterator<Item = (&'static str, i32)> {
        [("piece", self.piece), ("reward", self.reward)].into_iter().filter_map(|(name, price)| Some((name, price?)))
    }
}

/// Creates an organization.
///
/// # Errors
/// Names `name` or `type`; `NotFound` when the actor may not create any.
pub async fn create_organization(app: &App, actor: &Actor, new: &NewOrganization<'_>) -> Result<Organization> {
    let mut problems = Problems::new();
    let name = checked_name(&mut problems, new.name);
    if !["internal", "agency", "direct"].contains(&new.kind) {
        problems.invalid("type", "type must be one of internal, agency, direct");
    }
    problems.finish()?;
    let scope = app.db.scope(actor);
    let base = slug::slugify(name);
    for n in 1..=50 {
        let tx = scope.transaction().await?;
        let (id, slug) = (kernel::new_id(), slug::numbered(&base, n));
        let settings = json!({});
        match tx.execute(&store::INSERT_ORGANIZATION, &[&id, &name, &slug, &new.kind, &settings, &tx.now()]).await {
            Err(Error::Constraint(rule)) if rule == "organizations_slug_key" => continue,
            other => other?,
        };
        let after = Some(json!({ "name": name, "type": new.kind, "slug": slug }));
        let what = Audited { after, ..Audited::default() };
        tx.audit_of_org(id, ("organization.created", "organizations", Some(id)), what).await?;
        let created = tx.query_one(&store::FIND_ORGANIZATION, &[&id]).await?;
        tx.commit().await?;
        return Ok(created);
    }
    Err(Error::invalid("name", "there are many organizations of this name; add something to tell it apart"))
}

/// Changes an organization; one that stays as it was keeps its version.
///
/// # Errors
/// `NotFound` when it is out of reach; names `name`; `Conflict` when somebody else changed it meanwhile.
pub async fn update_organization(
    app: &App,
    actor: &Actor,
    id: Uuid,
    change: &OrganizationChange<'_>,
) -> Result<Organization> {
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    tx.expect(&store::LOCK_ORGANIZATION, &[&id], &change.expected).await?;
    let before: Organization = tx.query_one(&store::FIND_ORGANIZATION, &[&id]).await?;
    let mut problems = Problems::new();
    let name = change.name.map_or(before.name.as_str(), |name| checked_name(&mut problems, name));
    for (name, price) in change.prices.named() {
        if !(0..=PriceChange::MOST).contains(&price) {
            problems.invalid(format!("prices/{name}"), format!("a price is 0 to {} credits", PriceChange::MOST));
        }
    }
    problems.finish()?;
    let mut settings = before.settings_json.clone();
    for (name, price) in change.prices.named() {
        settings["prices"][name] = price.into();
    }
    if let Some(required) = change.require_second_factor {
        settings["require_second_factor"] = Value::Bool(required);
    }
    if name == before.name && settings == before.settings_json {
        return Ok(before);
    }
    tx.execute(&store::UPDATE_ORGANIZATION, &[&id, &name, &settings, &tx.now()]).await?;
    let what = Audited {
        before: Some(json!({ "name": before.name, "settings": before.settings_json })),
        after: Some(json!({ "name": name, "settings": settings })),
        ..Audited::default()
    };
    tx.audit_of_org(id, ("organization.updated", "organizations", Some(id)), what).await?;
    reread(tx, id).await
}

async fn reread(tx: Transaction, id: Uuid) -> Result<Organization> {
    let updated = tx.query_one(&store::FIND_ORGANIZATION, &[&id]).await?;
    tx.commit().await?;
    Ok(updated)
}

/// A name that is there and not endless.
pub(super) fn checked_name<'a>(problems: &mut Problems, name: &'a str) -> &'a str {
    let name = problems.require("name", name);
    if name.chars().count() > 120 {
        problems.add("name", "too_long", "use at most 120 characters");
    }
    name
}
