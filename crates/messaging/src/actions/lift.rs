//! Taking a number or an address off the suppressed ones, when the person says so and a program cannot know it.

use database::{Audited, FromRow, statement};
use kernel::version::Expected;
use kernel::{Actor, Error, Problems, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use crate::message::Channel;

/// The longest reason, in characters.
const LONGEST: usize = 500;

/// What may be written to again, and why.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftInput {
    /// The way that is opened.
    pub channel: String,
    /// How it is known that the person wants it; it is recorded.
    pub reason: String,
}

statement! {
    /// Where a contact is written to, held.
    WHERE_TO, app, "
        select coalesce(mobile_phone, phone) as number, email, updated_at
        from contacts
        where client_id = $1
          and id = $2
        for no key update";
    /// Takes an address off.
    LIFT, app, "
        delete from suppressed_addresses
        where client_id = $1
          and channel = $2
          and address = $3
        returning reason";
    /// What a contact tells has changed.
    TOUCH, app, "
        update contacts
        set updated_at = $3
        where client_id = $1
          and id = $2"
}

#[derive(FromRow)]
struct WhereTo {
    number: Option<String>,
    email: Option<String>,
    updated_at: chrono::DateTime<chrono::Utc>,
}

/// Takes the number or address of a contact off the suppressed ones. What the contact itself said stays: an opt-out is
/// taken back on its own.
///
/// # Errors
/// `NotFound`; names the wrong fields; `Conflict` `not_suppressed` when nothing is suppressed there, or when it is not
/// the expected version any more.
pub async fn lift(
    app: &App,
    actor: &Actor,
    (client_id, contact_id): (Uuid, Uuid),
    input: &LiftInput,
    expected: &Expected,
) -> Result<()> {
    let mut problems = Problems::new();
    let channel = Channel::parse(&input.channel);
    if channel.is_none() {
        problems.invalid("channel", "choose SMS or E-mail");
    }
    let reason = problems.require("reason", &input.reason);
    problems.at_most("reason", reason, LONGEST);
    problems.finish()?;
    let tx = app.scope(actor).transaction().await?;
    let to: WhereTo = tx.query_one(&WHERE_TO, &[&client_id, &contact_id]).await?;
    expected.check(&kernel::version::etag(to.updated_at))?;
    let address = if channel == Some(Channel::Sms) { to.number } else { to.email };
    let was: String = match tx.query_scalar(&LIFT, &[&client_id, &input.channel, &address]).await {
        Err(Error::NotFound) => return Err(Error::conflict("not_suppressed", "Nothing is suppressed there.")),
        lifted => lifted?,
    };
    tx.execute(&TOUCH, &[&client_id, &contact_id, &tx.now()]).await?;
    let what = Audited {
        client_id: Some(client_id),
        before: Some(json!({ "channel": input.channel, "suppressed": was })),
        after: Some(json!({ "channel": input.channel, "reason": reason })),
    };
    tx.audit("contact.suppression_lifted", "contacts", Some(contact_id), what).await?;
    tx.commit().await
}
