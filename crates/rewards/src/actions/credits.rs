//! Credits: granting them, and taking back what was granted too much.

use database::{Audited, Transaction};
use kernel::money::whole;
use kernel::version::Expected;
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
    /// Credits; negative takes back, which is the operator's to do.
    pub amount: String,
    /// The slug of the client the credits come from, one of the same organization. The operator alone books without one:
    /// everybody else passes on what there is.
    pub from: String,
    /// Why.
    pub note: String,
}

/// Books a grant, or a correction when the amount is negative, or moves credits here from another client; returns the
/// balance. The same id again, as by a second click, is the same entry.
///
/// # Errors
/// `amount`, `from`, `GC-006` when there are too few, or a conflict when the id is that of another entry or the credits
/// do not stand as expected any more.
pub async fn grant(app: &App, actor: &Actor, client_id: Uuid, input: &GrantInput, expected: &Expected) -> Result<i32> {
    let scope = app.scope(actor);
    let makes = store::makes_credits(&scope).await?;
    let from = some(&input.from);
    let mut problems = Problems::new();
    let amount = whole(&input.amount).and_then(|amount| i32::try_from(amount).ok()).unwrap_or(0);
    if amount == 0 || !(-MOST..=MOST).contains(&amount) {
        problems.invalid("amount", "enter a whole number of credits other than 0, at most 10,000,000, such as 2,500");
    } else if amount < 0 && (!makes || from.is_some()) {
        problems.invalid("amount", "only the operator takes credits back: move them to another client from there");
    }
    problems.at_most("note", &input.note, 500);
    let note = some(&input.note);
    if amount < 0 && note.is_none() {
        problems.add("note", "required", "say why credits are taken back");
    }
    if from.is_none() && !makes {
        problems.add("from", "required", "name the client the credits come from: only the operator makes new ones");
    }
    problems.finish()?;
    let giver = match &from {
        Some(slug) => Some(store::giver(&scope, client_id, slug).await?.ok_or_else(no_giver)?),
        None => None,
    };
    let id = input.id.unwrap_or_else(new_id);
    let tx = app.scope(actor).transaction().await?;
    let booked = match giver {
        Some(giver) => transfer(&tx, (giver, client_id), (id, amount), note.as_deref()).await,
        None => {
            let reason = if amount > 0 { "grant" } else { "correction" };
            store::insert(&tx, (client_id, id), amount, reason, note.as_deref()).await
        }
    };
    if matches!(&booked, Err(Error::Constraint(name)) if name == "credit_ledger_pkey") {
        drop(tx);
        return repeated(app, actor, (client_id, id), amount).await;
    }
    let balance = booked.map_err(too_few)?;
    // afterwards, when the client's row is held in its place among the locks; another version undoes it all
    if !expected.is_any() {
        expected.check(&store::standing_before(&tx, (client_id, id), amount).await?.etag()?)?;
    }
    let what = Audited {
        client_id: Some(client_id),
        before: Some(json!({ "credits": balance - amount })),
        after: Some(json!({ "credits": balance, "from": giver, "note": note })),
    };
    tx.audit("credits.granted", "credit_ledger", Some(id), what).await?;
    if let Some(giver) = giver {
        let after = Some(json!({ "credits": -amount, "to": client_id, "note": note }));
        let what = Audited { client_id: Some(giver), after, ..Audited::default() };
        tx.audit("credits.passed_on", "credit_ledger", Some(id), what).await?;
    }
    if amount > 0 {
        stock::fulfil_soon(&tx, client_id).await?;
    }
    tx.commit().await?;
    Ok(balance)
}

fn no_giver() -> Error {
    Error::invalid("from", "no other client of this organization has this name")
}

/// Two entries, in the order of the clients' ids: two transfers in opposite directions wait for each other's first row
/// and not crosswise.
async fn transfer(
    tx: &Transaction,
    (giver, taker): (Uuid, Uuid),
    (id, amount): (Uuid, i32),
    note: Option<&str>,
) -> Result<i32> {
    let give = || store::insert(tx, (giver, new_id()), -amount, "transfer", note);
    let take = || store::insert(tx, (taker, id), amount, "transfer", note);
    if giver < taker {
        give().await?;
        take().await
    } else {
        let balance = take().await?;
        give().await?;
        Ok(balance)
    }
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
        Error::Constraint(name) if name == "clients_credits_reserved_within" => Error::conflict(
            codes::NO_CREDITS,
            "campaigns were promised these credits: complete one or take it back to draft first",
        ),
        other => other,
    }
}
