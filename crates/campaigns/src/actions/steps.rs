//! The life of a campaign after launch: one table of steps, their guards and who may take them.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use database::{Audited, FromRow, Scope, Transaction};
use kernel::version::{Expected, etag};
use kernel::{Actor, Error, Result, new_id};
use serde_json::json;
use uuid::Uuid;
use web::{App, Caller};

use super::{clear, delays};
use crate::store::campaigns::Campaign;
use crate::store::life::{self, Held, Stepped};
use crate::store::reservations;

/// A step people can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The status before.
    pub from: &'static str,
    /// The status after.
    pub to: &'static str,
    /// The permission it takes.
    pub permission: &'static str,
    /// The button.
    pub label: &'static str,
    /// What has happened, said after.
    pub done: &'static str,
    /// What will happen, said before.
    pub means: &'static str,
    /// Whether and how it can be undone, said before.
    pub undo: &'static str,
}

/// Every step people can take, draft → ready apart (that is a launch). `mailed → active` goes by itself, at the first
/// delivery or engagement. The database holds the same table in `app.campaign_transitions`.
pub const STEPS: [Step; 6] = [
    Step {
        from: "ready",
        to: "in_production",
        permission: "campaigns.submit",
        label: "Send to production",
        done: "Sent to production",
        means: "Freezes artwork and recipients and charges the credits.",
        undo: "Until the pieces are mailed you can cancel the order: the credits come back.",
    },
    Step {
        from: "ready",
        to: "draft",
        permission: "campaigns.launch",
        label: "Back to draft",
        done: "Back to draft. You can change it and launch it again.",
        means: "Deletes the recipients with their codes and links, and frees the promised cards.",
        undo: "This cannot be undone: launching again makes new codes and links.",
    },
    Step {
        from: "in_production",
        to: "mailed",
        permission: "campaigns.submit",
        label: "Confirm mailed",
        done: "Mailed. Visits count from now on.",
        means: "Says that the pieces are in the mail: visits count from now on.",
        undo: "This cannot be undone.",
    },
    Step {
        from: "in_production",
        to: "draft",
        permission: "campaigns.launch",
        label: "Cancel order",
        done: "Cancelled and back to draft",
        means: "Takes the order back, deletes the recipients with their codes and links, frees the cards and refunds the credits.",
        undo: "This cannot be undone: launching again makes new codes and links.",
    },
    Step {
        from: "mailed",
        to: "completed",
        permission: "campaigns.complete",
        label: "Complete campaign",
        done: "Completed",
        means: "Nobody has answered so far. Frees the unused cards. Links show the closing page from now on.",
        undo: "This cannot be undone.",
    },
    Step {
        from: "active",
        to: "completed",
        permission: "campaigns.complete",
        label: "Complete campaign",
        done: "Completed",
        means: "Ends the campaign for good. Frees the unused cards. Links show the closing page.",
        undo: "This cannot be undone.",
    },
];

/// The step from one status to another, if people can take it.
pub fn find(from: &str, to: &str) -> Option<&'static Step> {
    STEPS.iter().find(|step| step.from == from && step.to == to)
}

/// The steps people can take from a status.
pub fn from(status: &str) -> impl Iterator<Item = &'static Step> {
    STEPS.iter().filter(move |step| step.from == status)
}

/// What a person says with a step.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The status wanted.
    pub to: String,
    /// Why.
    pub reason: Option<String>,
    /// With `mailed`: the day the pieces went out; today when absent.
    pub mail_date: Option<NaiveDate>,
}

database::statement! {
    /// Charges or refunds credits; the ledger's trigger keeps the balance and refuses a negative one.
    LEDGER, app, "
        insert into credit_ledger (id, client_id, amount, reason, campaign_id, created_at)
        values ($1, $2, $3, $4, $5, $6)";
    /// What a campaign was charged so far, refunds taken off.
    CHARGED, app, "
        select coalesce(-sum(amount), 0)::int4 as credits
        from credit_ledger
        where client_id = $1
          and campaign_id = $2
          and reason in ('piece', 'refund')";
    /// Whether the organization wants a second person to approve.
    APPROVAL, app, "
        select coalesce((o.settings_json ->> 'require_approval')::boolean, false) as required
        from clients c
        join organizations o on o.id = c.org_id
        where c.id = $1"
}

#[derive(FromRow)]
struct Charged {
    credits: i32,
}

#[derive(FromRow)]
struct Approval {
    required: bool,
}

/// Takes a step for somebody: what they may is checked here, which is why the route asks for no more than to see.
///
/// # Errors
/// `Forbidden` naming the missing permission, and what [`take`] answers.
pub async fn take_as(
    app: &App,
    caller: &Caller,
    campaign: &Campaign,
    wish: &Wish,
    expected: &Expected,
) -> Result<&'static Step> {
    expected.check(&etag(campaign.updated_at))?;
    let step = find(&campaign.status, &wish.to).ok_or_else(|| refused(&campaign.status, &wish.to))?;
    for permission in permissions(&caller.scope(app), campaign.client_id, step).await? {
        caller.require(permission)?;
    }
    take(app, &caller.actor, (campaign.client_id, campaign.id), wish, expected).await?;
    Ok(step)
}

/// Takes a step. That the caller may is checked before, with [`permissions`].
///
/// # Errors
/// `Conflict` when the campaign does not go there, is not the expected version any more, or credits or an approval are
/// missing.
pub async fn take(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    wish: &Wish,
    expected: &Expected,
) -> Result<()> {
    let tx = app.scope(actor).transaction().await?;
    let held = life::expect(&tx, client_id, id, expected).await?;
    let from = held.status.clone();
    let step = find(&from, &wish.to).ok_or_else(|| refused(&from, &wish.to))?;
    match (step.from, step.to) {
        ("ready", "in_production") => {
            second_person(&tx, client_id, id, actor).await?;
            charge(&tx, (client_id, id), &held).await?;
        }
        ("ready" | "in_production", "draft") => take_back(&tx, client_id, id).await?,
        ("in_production", "mailed") => {
            let day = mail_date(wish.mail_date, (tx.now(), &life::zone(&tx, client_id).await?))?;
            life::freeze(&tx, client_id, id, Some(day), None).await?;
        }
        ("mailed" | "active", "completed") => release(&tx, client_id, id).await?,
        _ => return Err(refused(&from, &wish.to)),
    }
    let reason = wish.reason.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let stepped = Stepped { from: Some(step.from), to: step.to, reason, by: actor.user_id() };
    life::step(&tx, client_id, id, &stepped).await?;
    let what = Audited {
        client_id: Some(client_id),
        before: Some(json!({ "status": step.from })),
        after: Some(json!({ "status": step.to })),
    };
    tx.audit("campaign.stepped", "campaigns", Some(id), what).await?;
    follow_up(&tx, client_id, id, step).await?;
    tx.commit().await
}

/// The jobs that a step leaves, their keys last of all locks.
async fn follow_up(tx: &Transaction, client_id: Uuid, id: Uuid, step: &Step) -> Result<()> {
    match step.to {
        "mailed" => delays::start(tx, client_id, id).await,
        "draft" => {
            reservations::serve_who_waits(tx, client_id, id).await?;
            clear::enqueue(tx, client_id, id).await
        }
        "completed" => reservations::serve_who_waits(tx, client_id, id).await,
        _ => Ok(()),
    }
}

fn refused(from: &str, to: &str) -> Error {
    Error::conflict("no_such_step", format!("a campaign does not go from {from} to {to}"))
}

/// The day the pieces went out: the client's today unless said, and never one to come (a day's grace for time zones).
fn mail_date(given: Option<NaiveDate>, (now, zone): (DateTime<Utc>, &str)) -> Result<NaiveDate> {
    let today = kernel::zone::day(now, zone);
    match given {
        Some(day) if !kernel::zone::is_sensible(day) => {
            Err(Error::invalid("mail_date", "enter a day of the years 1900 to 2200"))
        }
        Some(day) if day > today + Duration::days(1) => Err(Error::invalid("mail_date", "choose a day that has come")),
        given => Ok(given.unwrap_or(today)),
    }
}

/// The permissions that taking a step needs: its own and, where the organization wants a second person for
/// production, the one to approve.
///
/// # Errors
/// What the database answered.
pub async fn permissions(scope: &Scope<'_>, client_id: Uuid, step: &Step) -> Result<Vec<&'static str>> {
    let mut needed = vec![step.permission];
    if step.to == "in_production" {
        let approval: Approval = scope.query_one(&APPROVAL, &[&client_id]).await?;
        needed.extend(approval.required.then_some("campaigns.approve"));
    }
    Ok(needed)
}

async fn second_person(tx: &Transaction, client_id: Uuid, id: Uuid, actor: &Actor) -> Result<()> {
    let approval: Approval = tx.query_one(&APPROVAL, &[&client_id]).await?;
    if !approval.required {
        return Ok(());
    }
    let first = life::made_ready_by(tx, client_id, id).await?;
    if actor.user_id().is_some() && actor.user_id() != first {
        return Ok(());
    }
    Err(Error::conflict(
        "approval_needed",
        "your organization wants a second person to send this to production: somebody other than the one who launched it",
    ))
}

/// Charges the pieces at the price of the launch, from the credits that were set aside for them.
async fn charge(tx: &Transaction, (client_id, id): (Uuid, Uuid), held: &Held) -> Result<()> {
    life::promise(tx, client_id, id, 0).await?;
    let number = |name: &str| held.estimate.as_ref().and_then(|e| e[name].as_i64()).unwrap_or(0);
    let credits = i32::try_from(number("recipients") * number("price_piece")).unwrap_or(i32::MAX);
    if credits == 0 {
        return Ok(());
    }
    let params: database::Params<'_> = &[&new_id(), &client_id, &-credits, &"piece", &id, &tx.now()];
    tx.execute(&LEDGER, params).await.map(|_| ()).map_err(|error| match error {
        Error::Constraint(_) => Error::conflict(
            "GC-006",
            format!("the pieces cost {}, more than you have", web::view::count(credits, "credit")),
        ),
        other => other,
    })
}

/// Takes a campaign back: the cards are free and the credits are there at once, its recipients go in the background.
///
/// Pools before credits, as every claim: the ledger's trigger locks the client's row, which a claim asks for while it
/// holds its pool.
async fn take_back(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<()> {
    release(tx, client_id, id).await?;
    let Charged { credits } = tx.query_one(&CHARGED, &[&client_id, &id]).await?;
    if credits > 0 {
        tx.execute(&LEDGER, &[&new_id(), &client_id, &credits, &"refund", &id, &tx.now()]).await?;
    }
    Ok(())
}

/// Gives back every promise: cards with the credits set aside for them, and the credits for the pieces.
async fn release(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<()> {
    reservations::release(tx, client_id, id).await?;
    life::promise(tx, client_id, id, 0).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_skips_a_status_or_leaves_the_end() {
        assert!(find("ready", "mailed").is_none());
        assert!(find("draft", "ready").is_none(), "draft to ready is a launch");
        assert!(find("mailed", "active").is_none(), "that one goes by itself");
        assert_eq!(from("completed").count(), 0);
        assert_eq!(from("ready").count(), 2);
    }

    #[test]
    fn every_status_a_campaign_can_be_in_has_a_way_out() {
        for status in ["ready", "in_production", "mailed", "active"] {
            let mut reached = vec![status];
            while let Some(next) = reached.iter().flat_map(|at| from(at)).find(|step| !reached.contains(&step.to)) {
                reached.push(next.to);
            }
            assert!(reached.contains(&"draft") || reached.contains(&"completed"), "{status} leads only to {reached:?}");
            assert!(from(status).count() > 0, "{status}");
        }
    }
}
