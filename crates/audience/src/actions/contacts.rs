//! Making and changing contacts.

use database::{Audited, Transaction};
use kernel::version::Expected;
use kernel::{Actor, Error, Problems, Result, Who, new_id};
use serde_json::{Map, Value, json};
use uuid::Uuid;
use web::{App, Patch};

use crate::contacts::{Contact, ContactInput};
use crate::store::contacts as store;

/// Makes a contact.
///
/// # Errors
/// Names every wrong field, a taken code among them.
pub async fn create(app: &App, actor: &Actor, client_id: Uuid, input: ContactInput) -> Result<Contact> {
    let input = input.normalised(None)?;
    let (id, tx) = (new_id(), app.db.scope(actor).transaction().await?);
    store::insert(&tx, client_id, id, &input).await?;
    record_consents(&tx, (client_id, id), &ContactInput::default(), &input).await?;
    tx.audit("contact.created", "contacts", Some(id), what(client_id, None, Some(json!(input)))).await?;
    tx.commit().await?;
    store::find(&app.db.scope(actor), client_id, id).await
}

/// Changes a contact to `input`, if it is still the expected version.
///
/// # Errors
/// `NotFound`; names every wrong field; `Conflict` `precondition_failed` when somebody was faster.
pub async fn update(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    input: ContactInput,
    expected: &Expected,
) -> Result<Contact> {
    change(app, actor, (client_id, id), (expected, &CHANNELS), |_| Ok(input)).await
}

/// Changes the fields a JSON merge patch names; `null` empties a field.
///
/// # Errors
/// As [`update`], and names what is no field of a contact.
pub async fn patch(app: &App, actor: &Actor, ids: (Uuid, Uuid), patch: Patch, expected: &Expected) -> Result<Contact> {
    let told = store::find(&app.db.scope(actor), ids.0, ids.1).await?;
    let said: Vec<_> = CHANNELS.into_iter().filter(|channel| patch.names(channel)).collect();
    change(app, actor, ids, (expected, &said), |before| patch.onto(before, &told)).await
}

/// Switches do-not-contact.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn suppress(app: &App, actor: &Actor, ids: (Uuid, Uuid), do_not_contact: bool) -> Result<Contact> {
    change(app, actor, ids, (&Expected::any(), &[]), |before| Ok(ContactInput { do_not_contact, ..before.clone() }))
        .await
}

/// Switches do-not-contact on for several contacts; answers how many of them were not suppressed before.
///
/// # Errors
/// Names `contact_ids` when there are none or too many.
pub async fn suppress_all(app: &App, actor: &Actor, client_id: Uuid, ids: &[Uuid]) -> Result<usize> {
    crate::lists::some_ids(ids)?;
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    let changed = store::suppress_all(&tx, client_id, ids).await?;
    if !changed.is_empty() {
        let after = json!({ "do_not_contact": true, "contact_ids": changed });
        tx.audit("contacts.suppressed", "contacts", None, what(client_id, None, Some(after))).await?;
    }
    tx.commit().await?;
    Ok(changed.len())
}

/// Takes a contact away. What campaigns counted stays.
///
/// # Errors
/// `NotFound`; `Conflict` when records that must stay refer to it, or when it is not the expected version any more.
pub async fn delete(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<()> {
    let tx = app.db.scope(actor).transaction().await?;
    let before = store::hold(&tx, client_id, id).await?;
    expected.check(&before.etag())?;
    store::delete(&tx, client_id, id).await.map_err(|error| match error {
        Error::Constraint(_) => {
            Error::conflict("contact_in_use", "records that must be kept refer to this contact; suppress it instead")
        }
        other => other,
    })?;
    tx.audit(
        "contact.deleted",
        "contacts",
        Some(id),
        what(client_id, Some(json!({ "customer_code": before.customer_code })), None),
    )
    .await?;
    tx.commit().await
}

/// What a stranger may have given for a contact, and staff confirms by saying it.
const CHANNELS: [&str; 3] = ["email", "phone", "mobile_phone"];

/// Those of the addresses that are named.
fn named(input: &ContactInput, said: &[&str]) -> Vec<String> {
    let channels = CHANNELS.into_iter().zip([&input.email, &input.phone, &input.mobile_phone]);
    channels.filter(|(name, _)| said.contains(name)).filter_map(|(_, value)| value.clone()).collect()
}

/// What is `said` of the contact's addresses is confirmed with it, also where it stays as it is.
async fn change(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    (expected, said): (&Expected, &[&str]),
    wish: impl FnOnce(&ContactInput) -> Result<ContactInput>,
) -> Result<Contact> {
    let tx = app.db.scope(actor).transaction().await?;
    let stored = store::lock(&tx, client_id, id).await?;
    expected.check(&stored.etag())?;
    let before = stored.input();
    let after = wish(&before)?.normalised(Some(&before))?;
    let said = named(&after, said);
    let confirmed = !said.is_empty() && store::confirm(&tx, (client_id, id), &said).await?;
    if after == before && !confirmed {
        return Ok(stored);
    }
    store::update(&tx, (client_id, id), &after).await?;
    not_suppressed(&tx, (client_id, id), &before, &after).await?;
    record_consents(&tx, (client_id, id), &before, &after).await?;
    let (old, mut new) = difference(&before, &after);
    if confirmed {
        new["confirmed"] = json!(said);
    }
    tx.audit("contact.updated", "contacts", Some(id), what(client_id, Some(old), Some(new))).await?;
    tx.commit().await?;
    store::find(&app.db.scope(actor), client_id, id).await
}

/// Refuses a yes to what goes on being refused: the address itself is suppressed, and that is lifted on its own.
async fn not_suppressed(
    tx: &Transaction,
    (client_id, id): (Uuid, Uuid),
    before: &ContactInput,
    after: &ContactInput,
) -> Result<()> {
    let allowed = [(before.sms_opt_out, after.sms_opt_out), (before.email_opt_out, after.email_opt_out)];
    if !allowed.contains(&(true, false)) {
        return Ok(());
    }
    // as it is now: the yes itself has lifted what only repeated the no
    let now = store::lock(tx, client_id, id).await?;
    let mut problems = Problems::new();
    let flags = [("sms_opt_out", &now.sms_suppressed), ("email_opt_out", &now.email_suppressed)];
    for ((field, suppressed), was) in flags.into_iter().zip(allowed) {
        if let (Some(suppressed), (true, false)) = (suppressed, was) {
            let (what, why) = (if field == "sms_opt_out" { "number" } else { "address" }, suppressed.sentence());
            let since = suppressed.since.format("%Y-%m-%d");
            let text = format!(
                "lift the suppression of the {what} first, on the contact’s page or with lift-suppression: {why} ({since})"
            );
            problems.add(field, "suppressed", text);
        }
    }
    problems.finish()
}

/// Only what changed, before and after.
fn difference(before: &ContactInput, after: &ContactInput) -> (Value, Value) {
    let (mut old, mut new) = (Map::new(), Map::new());
    if let (Value::Object(before), Value::Object(after)) = (json!(before), json!(after)) {
        for (key, value) in after {
            let was = before.get(&key).cloned().unwrap_or_default();
            if was != value {
                old.insert(key.clone(), was);
                new.insert(key, value);
            }
        }
    }
    (Value::Object(old), Value::Object(new))
}

/// A flag that changed is a yes or a no somebody gave.
async fn record_consents(
    tx: &Transaction,
    ids: (Uuid, Uuid),
    before: &ContactInput,
    after: &ContactInput,
) -> Result<()> {
    let source = match tx.actor().who {
        Who::User(_) => "console",
        Who::Key(_) => "api",
        Who::System(_) => "system",
    };
    let flags = [
        ("all", before.do_not_contact, after.do_not_contact),
        ("email", before.email_opt_out, after.email_opt_out),
        ("sms", before.sms_opt_out, after.sms_opt_out),
    ];
    for (channel, was, stops) in flags {
        if was != stops {
            store::insert_consent(tx, ids, channel, !stops, source).await?;
        }
    }
    Ok(())
}

fn what(client_id: Uuid, before: Option<Value>, after: Option<Value>) -> Audited {
    Audited { client_id: Some(client_id), before, after }
}
