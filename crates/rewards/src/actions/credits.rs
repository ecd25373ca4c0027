//! Credits: granting them, and taking back what was granted too much.

use database::Audited;
use kernel::{Actor, Error, Problems, Result, new_id};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use super::{some, stock};
use crate::codes;
use crate::store::credits as store;

/// The most credits of one grant.
const MOST: i32 = 10_000_000;

/// A grant.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GrantInput {
    /// The id the entry gets, a UUID of your own making: the same id again books nothing more. Absent: a new one.
    pub id: Option<Uuid>,
    /// Credits; negative takes back.
    pub amount: String,
    /// Why.
    pub note: String,
}

/// Books a grant, or a correction when the amount is negative; returns the balance. The same id again, as by a second
/// click, is the same grant.
///
/// # Errors
/// `amount`, `GC-006` when more is taken back than there is, or a conflict when the id is that of another entry.
pub async fn grant(app: &App, actor: &Actor, client_id: Uuid, input: &GrantInput) -> Result<i32> {
    let mut problems = Problems::new();
    let amount = input.amount.trim().replace(',', "").parse::<i32>().unwrap_or(0);
    if amount == 0 || !(-MOST..=MOST).contains(&amount) {
        problems.invalid("amount", "a whole number of credits other than 0, at most 10,000,000");
    }
    let note = some(&input.note);
    if amount < 0 && note.is_none() {
        problems.add("note", "required", "say why credits are taken back");
    }
    problems.finish()?;
    let reason = if amount > 0 { "grant" } else { "correction" };
    let tx = app.scope(actor).transaction().await?;
    let id = input.id.unwrap_or_else(new_id);
    let booked = store::insert(&tx, (client_id, id), amount, reason, note.as_deref()).await;
    if matches!(&booked, Err(Error::Constraint(name)) if name == "credit_ledger_pkey") {
        drop(tx);
        return repeated(app, actor, (client_id, id), amount).await;
    }
    let balance = booked.map_err(too_few)?;
    if amount > 0 {
        stock::fulfil_soon(&tx, client_id).await?;
    }
    let what = Audited {
        client_id: Some(client_id),
        before: Some(json!({ "credits": balance - amount })),
        after: Some(json!({ "credits": balance, "note": note })),
    };
    tx.audit("credits.granted", "credit_ledger", Some(id), what).await?;
    tx.commit().await?;
    Ok(balance)
}

async fn repeated(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), amount: i32) -> Result<i32> {
    let scope = app.scope(actor);
    match store::amount(&scope, client_id, id).await? {
        Some(booked) if booked == amount => store::balance(&scope, client_id).await,
        _ => Err(Error::conflict("already_booked", "another entry has this id: open the page again to book a new one")),
    }
}

fn too_few(error: Error) -> Error {
    match error {
        Error::Constraint(name) if name == "clients_credits_not_negative" => codes::no_credits(),
        other => other,
    }
}
