//! Making, changing and filling lists.

use database::{Audited, Transaction};
use kernel::version::Expected;
use kernel::{Actor, Error, Result};
use serde_json::{Value, json};
use uuid::Uuid;
use web::App;

use crate::lists::{List, ListInput, some_ids};
use crate::store::lists as store;

/// Makes a static list.
///
/// # Errors
/// Names the wrong fields, a taken name among them.
pub async fn create(app: &App, actor: &Actor, client_id: Uuid, input: ListInput) -> Result<List> {
    let input = input.normalised()?;
    let tx = app.db.scope(actor).transaction().await?;
    let list = store::insert(&tx, client_id, &input).await?;
    tx.audit("list.created", "contact_lists", Some(list.id), what(client_id, None, Some(json!({ "name": list.name }))))
        .await?;
    tx.commit().await?;
    Ok(list)
}

/// The static list of this name, made when there is none.
///
/// # Errors
/// Names `list_name` when the list of this name is dynamic.
pub async fn find_or_create(tx: &Transaction, client_id: Uuid, name: &str) -> Result<Uuid> {
    if store::insert_once(tx, client_id, name).await? > 0 {
        tx.audit("list.created", "contact_lists", None, what(client_id, None, Some(json!({ "name": name })))).await?;
    }
    let list = store::find_by_name(tx, client_id, name).await?.ok_or(Error::NotFound)?;
    if list.list_type != "static" {
        return Err(Error::invalid(
            "list_name",
            "a dynamic list of this name exists; contacts can only be imported into a static one",
        ));
    }
    Ok(list.id)
}

/// Changes a list's name and description. One that stays as it was keeps its version.
///
/// # Errors
/// `NotFound`, `Conflict` when it is not the expected version any more, or the wrong fields.
pub async fn update(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    input: ListInput,
    expected: &Expected,
) -> Result<List> {
    let input = input.normalised()?;
    let tx = app.db.scope(actor).transaction().await?;
    let before = store::expect(&tx, (client_id, id), expected).await?;
    if input.is_of(&before) {
        return Ok(before);
    }
    let list = store::update(&tx, (client_id, id), &input).await?;
    let names = (json!({ "name": before.name }), json!({ "name": list.name }));
    tx.audit("list.updated", "contact_lists", Some(id), what(client_id, Some(names.0), Some(names.1))).await?;
    tx.commit().await?;
    Ok(list)
}

/// Takes a list away; its contacts stay.
///
/// # Errors
/// `NotFound`; `Conflict` while a campaign uses it, or when it is not the expected version any more.
pub async fn delete(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<()> {
    let tx = app.db.scope(actor).transaction().await?;
    let before = store::expect(&tx, (client_id, id), expected).await?;
    store::delete(&tx, client_id, id).await.map_err(|error| match error {
        Error::Constraint(_) => Error::conflict("list_in_use", "a campaign uses this list"),
        other => other,
    })?;
    let before = json!({ "name": before.name, "contact_count": before.contact_count });
    tx.audit("list.deleted", "contact_lists", Some(id), what(client_id, Some(before), None)).await?;
    tx.commit().await
}

/// Puts contacts on a static list; answers how many were not on it before. Ids of other clients do not exist here.
///
/// # Errors
/// `NotFound`; `Conflict` when the list is dynamic; names `contact_ids` when there are none or too many.
pub async fn add_members(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), contact_ids: &[Uuid]) -> Result<u64> {
    let tx = change_members(app, actor, (client_id, id), contact_ids).await?;
    let added = store::add_members(&tx, (client_id, id), contact_ids).await?;
    tx.audit("list.members_added", "contact_lists", Some(id), what(client_id, None, Some(json!({ "added": added }))))
        .await?;
    tx.commit().await?;
    Ok(added)
}

/// Takes contacts off a static list; answers how many were on it.
///
/// # Errors
/// `NotFound`; `Conflict` when the list is dynamic; names `contact_ids` when there are none or too many.
pub async fn remove_members(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    contact_ids: &[Uuid],
) -> Result<u64> {
    let tx = change_members(app, actor, (client_id, id), contact_ids).await?;
    let removed = store::remove_members(&tx, (client_id, id), contact_ids).await?;
    tx.audit(
        "list.members_removed",
        "contact_lists",
        Some(id),
        what(client_id, None, Some(json!({ "removed": removed }))),
    )
    .await?;
    tx.commit().await?;
    Ok(removed)
}

async fn change_members(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    contact_ids: &[Uuid],
) -> Result<Transaction> {
    some_ids(contact_ids)?;
    let list = store::find(&app.db.scope(actor), client_id, id).await?;
    if list.list_type != "static" {
        return Err(Error::conflict("list_is_dynamic", "a dynamic list follows its rules; contacts cannot be picked"));
    }
    app.db.scope(actor).transaction().await
}

fn what(client_id: Uuid, before: Option<Value>, after: Option<Value>) -> Audited {
    Audited { client_id: Some(client_id), before, after }
}
