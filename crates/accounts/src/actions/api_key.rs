//! API keys.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use database::{Audited, Scope};
use kernel::page::{Page, PageParams};
use kernel::version::Expected;
use kernel::{Actor, Problems, Result, System, Who};
use serde_json::json;
use uuid::Uuid;
use web::App;

use super::password::{Proof, show_proof};
use crate::api_key::{self, Mode};
use crate::store::api_key::{self as store, ApiKey, NewKey};
use crate::store::user;

/// What a new key is for.
#[derive(Debug, Clone, Default)]
pub struct NewApiKey<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Real work, or trying things out.
    pub mode: Mode,
    /// The permission keys it holds, at least one.
    pub scopes: &'a [String],
    /// Until when it is good.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key that was made.
#[derive(Debug, Clone)]
pub struct CreatedKey {
    /// Its id.
    pub id: Uuid,
    /// The key itself, shown this once.
    pub key: String,
    /// The permission keys it holds.
    pub scopes: Vec<String>,
}

/// Makes a key of a client, for somebody who shows that they are there: a key outlives the token it was asked for with.
///
/// # Errors
/// As [`create_key`]; names the proof that is wrong; `Conflict` when there is none.
pub async fn create_own_key(
    app: &App,
    caller: &Actor,
    client_id: Uuid,
    new: &NewApiKey<'_>,
    proof: Proof<'_>,
) -> Result<CreatedKey> {
    let accepted = accepted(app, &app.db.scope(caller), new).await?;
    // a key cannot make keys: whoever is nobody's person shows nothing
    let user_id = caller.user_id().ok_or(kernel::Error::NotFound)?;
    let auth = Actor::system(System::Auth).from(caller.origin.clone());
    let scope = app.db.scope(&auth);
    show_proof(app, &scope, &user::person(&scope, user_id).await?, proof).await?;
    keep(app, caller, client_id, new, accepted).await
}

/// Makes a key of a client.
///
/// # Errors
/// Names `name`, `scopes` or `expires_at`; `NotFound` when the client is out of reach.
pub async fn create_key(app: &App, actor: &Actor, client_id: Uuid, new: &NewApiKey<'_>) -> Result<CreatedKey> {
    let accepted = accepted(app, &app.db.scope(actor), new).await?;
    keep(app, actor, client_id, new, accepted).await
}

/// Its name and permissions as they are kept.
struct Accepted {
    name: String,
    scopes: Vec<String>,
}

async fn accepted(app: &App, scope: &Scope<'_>, new: &NewApiKey<'_>) -> Result<Accepted> {
    let mut problems = Problems::new();
    let name = problems.require("name", new.name);
    if name.chars().count() > 80 {
        problems.add("name", "too_long", "use at most 80 characters");
    }
    if new.expires_at.is_some_and(|at| at <= app.clock.now()) {
        problems.invalid("expires_at", "choose a day that has not passed");
    }
    let held = held_by(scope, scope.actor()).await?;
    let scopes = api_key::scopes(new.scopes, |key| held.contains(key)).unwrap_or_else(|error| {
        for error in error.fields() {
            problems.add(&error.field, error.code, &error.message);
        }
        Vec::new()
    });
    problems.finish()?;
    Ok(Accepted { name: name.to_owned(), scopes })
}

async fn keep(
    app: &App,
    actor: &Actor,
    client_id: Uuid,
    new: &NewApiKey<'_>,
    Accepted { name, scopes }: Accepted,
) -> Result<CreatedKey> {
    let (id, key) = (kernel::new_id(), api_key::generate(new.mode));
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    let mode = new.mode.as_str();
    let row = NewKey { id, client_id, name: &name, key: &key, mode, scopes: &scopes, expires_at: new.expires_at };
    let inserted = store::insert(&tx, &row).await;
    inserted.map_err(|e| if matches!(e, kernel::Error::Constraint(_)) { kernel::Error::NotFound } else { e })?;
    let after = Some(json!({ "name": name, "mode": mode, "scopes": scopes, "last_four": api_key::last_four(&key) }));
    tx.audit("api_key.created", "api_keys", Some(id), Audited { client_id: Some(client_id), before: None, after })
        .await?;
    tx.commit().await?;
    Ok(CreatedKey { id, key, scopes })
}

/// A page of a client's keys, the newest first, masked.
///
/// # Errors
/// Names `limit` and `after` when they are none; what the database answered.
pub async fn list_keys(app: &App, actor: &Actor, client_id: Uuid, page: &PageParams) -> Result<Page<ApiKey>> {
    store::list(&app.db.scope(actor), client_id, page).await
}

/// Revokes a key, at once.
///
/// # Errors
/// `NotFound` when there is none to revoke, a conflict when it is not the expected version any more.
pub async fn revoke_key(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<()> {
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    store::expect(&tx, (client_id, id), expected).await?;
    let name = store::revoke(&tx, client_id, id).await?;
    let after = Some(json!({ "name": name }));
    tx.audit("api_key.revoked", "api_keys", Some(id), Audited { client_id: Some(client_id), before: None, after })
        .await?;
    tx.commit().await
}

/// What the maker of a key holds: nobody grants what they do not hold.
pub(super) async fn held_by(scope: &Scope<'_>, actor: &Actor) -> Result<BTreeSet<String>> {
    match actor.who {
        Who::User(id) => Ok(user::own_permissions(scope, id).await?.into_iter().collect()),
        Who::System(System::Operator) => Ok(kernel::permissions::ALL.iter().map(|key| (*key).to_owned()).collect()),
        Who::Key(_) | Who::System(_) => Ok(BTreeSet::new()),
    }
}
