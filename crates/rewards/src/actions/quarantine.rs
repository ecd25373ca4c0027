//! Cards that came in although another client holds one with the same code. They count as in stock, so that their
//! uploader learns nothing of the other one, and are handed out to nobody until the operator has looked.

use accounts::mail::SystemMail;
use chrono::Duration;
use database::{Audited, Transaction};
use jobs::NewJob;
use kernel::{Actor, Error, Result, System};
use serde_json::json;
use uuid::Uuid;
use web::App;

use super::found;
use super::stock::fulfil_job;
use crate::store::quarantine as store;

/// The job that writes to the operator.
pub const TELL_JOB: &str = "rewards.quarantined";

/// Uploads that are told of in one mail.
const GATHERED: Duration = Duration::minutes(10);

/// Notes, for the operator's eyes only, that an upload brought codes which another client holds.
pub(crate) async fn tell(tx: &Transaction, (pool_id, client_id): (Uuid, Option<Uuid>), cards: usize) -> Result<()> {
    if cards == 0 {
        return Ok(());
    }
    // without the client: the uploader's own people read their client's record
    let what = Audited { after: Some(json!({ "cards": cards, "for": client_id })), ..Audited::default() };
    tx.audit("cards.quarantined", "gift_card_pools", Some(pool_id), what).await?;
    let Some(client_id) = client_id else { return Ok(()) };
    let job = NewJob::new(TELL_JOB, json!({})).client(client_id).unique(TELL_JOB).run_at(tx.now() + GATHERED);
    jobs::enqueue(tx, &job).await.map(|_| ())
}

/// Writes to every admin that cards wait for a look.
///
/// # Errors
/// What the database answered.
pub async fn write_to_operator(app: &App) -> Result<()> {
    let actor = Actor::system(System::Worker);
    let tx = app.scope(&actor).transaction().await?;
    let cards = store::count(&tx).await?;
    if cards > 0 {
        let link = app.link("/admin/quarantine");
        for admin in store::admins(&tx).await? {
            let mail = SystemMail {
                to: admin.email,
                subject: "Gift cards wait for your look".into(),
                text: format!(
                    "Cards were uploaded with codes that another client holds already ({cards} at present).\n\
                     They are handed out to nobody until you have looked:\n\n{link}\n"
                ),
            };
            mail.send(&tx, &app.keyring).await?;
        }
    }
    tx.commit().await
}

/// Takes a card out of quarantine: it is handed out like any other. The operator decides who holds a code: a card of
/// another client that was retired and given to nobody gives it up, also when somebody has seen it.
///
/// # Errors
/// `NotFound`, or a conflict while another client's card with this code is in stock or was handed out.
pub async fn release(app: &App, actor: &Actor, id: Uuid) -> Result<()> {
    let tx = app.scope(actor).transaction().await?;
    let card = store::find(&tx, id).await?;
    if let Some(other) = store::give_up(&tx, id).await? {
        // as in `tell`: the other client's own people read their client's record
        let after = Some(json!({ "for": card.client_id, "of": other.client_id, "released": id }));
        let what = Audited { after, ..Audited::default() };
        tx.audit("gift_card.given_up", "gift_cards", Some(other.id), what).await?;
    }
    let released = store::release(&tx, id).await.map_err(held_elsewhere)?;
    found(released)?;
    if let Some(client_id) = card.client_id {
        jobs::enqueue(&tx, &fulfil_job(client_id, card.pool_id)).await?;
    }
    let what = Audited { client_id: card.client_id, ..Audited::default() };
    tx.audit("gift_card.released", "gift_cards", Some(id), what).await?;
    tx.commit().await
}

fn held_elsewhere(error: Error) -> Error {
    match error {
        Error::Constraint(name) if name == "gift_cards_code_fingerprint_key" => {
            let text = "another card with this code is in stock or was handed out: revoke that one if nobody was given it, \
                        or leave this one here";
            Error::conflict("held_elsewhere", text)
        }
        other => other,
    }
}
