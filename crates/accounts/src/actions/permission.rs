//! Editing which role holds which permission.

use std::collections::BTreeSet;

use database::Audited;
use kernel::role::Role;
use kernel::{Actor, Error, Result, permissions};
use serde_json::json;
use web::App;

use crate::store::permission::{self as store, Grant};

/// Makes `wanted` the grants of every role below admin, who always holds every key; returns how many changed.
///
/// # Errors
/// Names a key that does not exist; `NotFound` when the actor may not edit them.
pub async fn set_grants(app: &App, actor: &Actor, wanted: &[Grant]) -> Result<usize> {
    if let Some(unknown) = wanted.iter().find(|grant| !permissions::is_known(&grant.permission_key)) {
        return Err(Error::invalid("grant", format!("{} is not a permission", unknown.permission_key)));
    }
    if wanted.is_empty() {
        return Err(Error::invalid("grant", "this would take every permission from everybody"));
    }
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    let below = |grant: &&Grant| grant.role != Role::Admin;
    let now: BTreeSet<Grant> = store::list_in(&tx).await?.iter().filter(below).cloned().collect();
    let wanted: BTreeSet<Grant> = wanted.iter().filter(below).cloned().collect();
    let (added, removed): (Vec<&Grant>, Vec<&Grant>) =
        (wanted.difference(&now).collect(), now.difference(&wanted).collect());
    for grant in &added {
        store::insert(&tx, grant).await?;
    }
    for grant in &removed {
        store::delete(&tx, grant).await?;
    }
    let words = |grants: &[&Grant]| {
        grants.iter().map(|grant| format!("{}: {}", grant.role, grant.permission_key)).collect::<Vec<_>>()
    };
    if !(added.is_empty() && removed.is_empty()) {
        let what = Audited {
            before: Some(json!({ "taken": words(&removed) })),
            after: Some(json!({ "given": words(&added) })),
            ..Audited::default()
        };
        tx.audit("permissions.changed", "role_permissions", None, what).await?;
    }
    tx.commit().await?;
    Ok(added.len() + removed.len())
}
