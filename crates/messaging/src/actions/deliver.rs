//! One try to send one message. Repeating it is safe: the same row, the same code, the same person, the same Message-ID.
//!
//! A try of which nobody knows what it came to is repeated once, so that a card is not lost with a connection. After that the
//! message counts as sent, whatever the later tries came to: a code that may be out goes nowhere else, and is not paid back.

use std::time::Duration;

use jobs::Policy;
use kernel::{Actor, Result};
use providers::{Accepted, Drivers, OutgoingEmail, OutgoingSms, SendError};
use serde_json::json;
use uuid::Uuid;
use web::App;

use super::status::{self, Change};
use crate::compose::{self, Composed, Uncomposed};
use crate::consent::{Addressee, Refusal, refusal};
use crate::message::{Channel, MOST_ATTEMPTS, PERHAPS_SENT, Status};
use crate::store::composing::{self, Material};
use crate::store::messages::{self as store, Happened};
use crate::store::tries::{self, Try};

/// The number of the sandbox's messages when the settings name none.
const SANDBOX_NUMBER: &str = "+18005550199";

/// The longest that a provider can make us wait.
const LONGEST: Duration = Duration::from_secs(86_400);

/// What a try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// Nothing is left to do: taken, refused for good, or not waiting any more.
    Done,
    /// To be tried again.
    Again {
        /// Why it did not work.
        why: String,
        /// After just this time, where the provider asked for more than our own delays.
        after: Option<Duration>,
    },
}

/// What goes out.
enum Outgoing {
    Sms(OutgoingSms),
    Email(Box<OutgoingEmail>),
}

/// Tries to send a message.
///
/// # Errors
/// When the database fails; nothing was sent then, or it is sent once more.
pub async fn deliver(app: &App, drivers: &Drivers, client_id: Uuid, message_id: Uuid) -> Result<Tried> {
    let Some((tried, material)) = take(app, drivers, client_id, message_id).await? else { return Ok(Tried::Done) };
    let trial = Trial { message: (client_id, message_id), provider: provider(drivers, &material), tried };
    let outgoing = match prepare(app, client_id, message_id, &material) {
        Ok(outgoing) => outgoing,
        Err(error) => return trial.failed(app, &error).await,
    };
    let sent = match &outgoing {
        Outgoing::Sms(sms) => drivers.sms.send(sms).await,
        Outgoing::Email(email) => drivers.email.send(email).await,
    };
    match sent {
        Ok(accepted) => {
            record_accepted(app, client_id, message_id, &accepted).await?;
            Ok(Tried::Done)
        }
        Err(error) => trial.failed(app, &error).await,
    }
}

fn provider(drivers: &Drivers, material: &Material) -> &'static str {
    match channel(material) {
        Channel::Sms => drivers.sms.name(),
        Channel::Email => drivers.email.name(),
    }
}

/// Counts the try and reads what is to be sent; `None` when there is nothing to do, or the person opted out.
async fn take(app: &App, drivers: &Drivers, client_id: Uuid, message_id: Uuid) -> Result<Option<(Try, Material)>> {
    let actor = Actor::client(client_id);
    let tx = app.scope(&actor).transaction().await?;
    let Some(tried) = tries::count(&tx, client_id, message_id).await? else { return Ok(None) };
    let material = composing::find(&tx, client_id, message_id).await?;
    let refused = if tried.cut_off && tried.doubtful {
        Some((PERHAPS_SENT, "tries were cut off, and nobody knows what they sent"))
    } else if let Some(spent) = spent(&material) {
        Some(spent)
    } else {
        let to = Addressee {
            client_id,
            contact_id: material.contact_id,
            channel: channel(&material),
            address: &material.to_address,
        };
        refusal(&tx, &to).await?.map(|refusal| (Refusal::CODE, refusal.sentence()))
    };
    if let Some(error) = refused {
        let change = if tried.cut_off || tried.doubtful {
            Change::perhaps_sent(provider(drivers, &material), error.1)
        } else {
            Change { status: Status::Failed, word: "refused", error: Some(error), name: None }
        };
        status::change(&tx, message_id, &change).await?;
    }
    tx.commit().await?;
    Ok(refused.is_none().then_some((tried, material)))
}

/// Why the card would be of no use to anybody, or goes nowhere any more.
fn spent(material: &Material) -> Option<(&'static str, &'static str)> {
    match material {
        Material { revoked: true, .. } => Some(("card_revoked", "the card was revoked before it was sent")),
        Material { redeemed: true, .. } => Some(("card_redeemed", "the card was used before it was sent")),
        Material { expired: true, .. } => Some(("card_expired", "the card's last day was over before it was sent")),
        // the word that app.follow_contact() leaves
        Material { address_gone: true, .. } => {
            Some(("address_gone", "the number or address was taken off the contact before it was sent"))
        }
        _ => None,
    }
}

fn channel(material: &Material) -> Channel {
    Channel::parse(&material.channel).unwrap_or(Channel::Email)
}

fn prepare(
    app: &App,
    client_id: Uuid,
    message_id: Uuid,
    material: &Material,
) -> std::result::Result<Outgoing, SendError> {
    let Composed { subject, text } = compose::compose(&app.keyring, client_id, material).map_err(uncomposed)?;
    let to = material.to_address.clone();
    let status_callback_url = Some(app.link(&status::callback_path(message_id)));
    Ok(match channel(material) {
        Channel::Sms => {
            let from = &app.settings.sms.from_number;
            let from = if from.is_empty() { SANDBOX_NUMBER.to_owned() } else { from.clone() };
            Outgoing::Sms(OutgoingSms { message_id, client_id, to, from, body: text, status_callback_url })
        }
        Channel::Email => Outgoing::Email(Box::new(OutgoingEmail {
            message_id,
            client_id: Some(client_id),
            to,
            from: app.settings.email.from.clone(),
            reply_to: None,
            subject,
            html: Some(compose::html(&text)),
            text,
            unsubscribe_url: None,
            status_callback_url,
        })),
    })
}

fn uncomposed(why: Uncomposed) -> SendError {
    match why {
        Uncomposed::Malformed(malformed) => SendError::permanent("template", malformed.message),
        Uncomposed::TooLong => SendError::permanent("too_long", "filled in, the text is longer than can be sent"),
        // perhaps a key is missing that somebody can bring back; the text names no code
        Uncomposed::Sealed(error) => SendError::temporary("card_unreadable", error.to_string()),
    }
}

async fn record_accepted(app: &App, client_id: Uuid, message_id: Uuid, accepted: &Accepted) -> Result<()> {
    let actor = Actor::client(client_id);
    let tx = app.scope(&actor).transaction().await?;
    let name = Some((accepted.provider, Some(accepted.provider_message_id.as_str())));
    status::change(&tx, message_id, &Change { status: Status::Sent, word: "accepted", error: None, name }).await?;
    tx.commit().await
}

/// A try that is under way.
struct Trial {
    /// Client and id.
    message: (Uuid, Uuid),
    provider: &'static str,
    tried: Try,
}

impl Trial {
    /// Notes a try that was not taken: until the next one, or for good.
    async fn failed(&self, app: &App, error: &SendError) -> Result<Tried> {
        let ((client_id, message_id), attempts) = (self.message, self.tried.attempts);
        let actor = Actor::client(client_id);
        let tx = app.scope(&actor).transaction().await?;
        let what = (error.code(), error.message());
        let end = end(attempts, self.tried.cut_off || self.tried.doubtful, error);
        // no address: the row has it
        tracing::warn!(%message_id, code = what.0, attempts, ?end, "a message was not taken");
        match end {
            End::No => {
                tries::note_error(&tx, client_id, message_id, what).await?;
                let payload = json!({ "attempt": attempts });
                let what = Happened { status: "tried", error_code: Some(error.code()), payload };
                store::note_event(&tx, client_id, message_id, &what).await?;
            }
            End::PerhapsSent => {
                status::change(&tx, message_id, &Change::perhaps_sent(self.provider, error.message())).await?;
            }
            End::Failed => {
                let change = Change { status: Status::Failed, word: "failed", error: Some(what), name: None };
                status::change(&tx, message_id, &change).await?;
            }
        }
        tx.commit().await?;
        if end == End::No { Ok(again(attempts, error)) } else { Ok(Tried::Done) }
    }
}

/// Whether a message is at its end with a try that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It is tried again.
    No,
    /// Nobody knows whether it was taken.
    PerhapsSent,
    /// It was surely not.
    Failed,
}

/// What a try comes to that was not taken; `doubtful` when an earlier one may have been.
pub(crate) fn end(attempts: i32, doubtful: bool, error: &SendError) -> End {
    let ambiguous = matches!(error, SendError::Ambiguous { .. });
    let last = matches!(error, SendError::Permanent { .. }) || attempts >= MOST_ATTEMPTS || (ambiguous && doubtful);
    match (last, ambiguous || doubtful) {
        (false, _) => End::No,
        (true, true) => End::PerhapsSent,
        (true, false) => End::Failed,
    }
}

/// The next try comes after our own delay, or after the provider's when that is longer; never after more than a day.
pub(crate) fn again(attempts: i32, error: &SendError) -> Tried {
    let index = usize::try_from(attempts.max(1) - 1).unwrap_or(0);
    let ours = Policy::GROWING.delays.get(index).copied().unwrap_or(LONGEST);
    let theirs = match error {
        SendError::Temporary { retry_after_seconds: Some(seconds), .. } => Duration::from_secs(*seconds).min(LONGEST),
        _ => Duration::ZERO,
    };
    Tried::Again { why: error.to_string(), after: (theirs > ours).then_some(theirs) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_may_ask_for_more_time_than_we_give_but_not_for_a_week() {
        let busy =
            |wait| SendError::Temporary { code: "429".into(), message: String::new(), retry_after_seconds: Some(wait) };
        let after = |attempts, error: &SendError| match again(attempts, error) {
            Tried::Again { after, .. } => after.map(|delay| delay.as_secs()),
            Tried::Done => panic!("not done"),
        };
        assert_eq!(after(1, &busy(60)), Some(60));
        assert_eq!(after(3, &busy(60)), None, "our own two minutes are longer");
        assert_eq!(after(1, &busy(604_800)), Some(86_400));
        assert_eq!(after(1, &SendError::ambiguous("lost")), None);
    }

    #[test]
    fn what_may_have_been_sent_is_tried_once_more_and_never_counts_as_failed() {
        let (no, never, lost) =
            (SendError::temporary("451", "later"), SendError::permanent("550", "no"), SendError::ambiguous("lost"));
        let ends = |error| {
            [(1, false), (2, true), (MOST_ATTEMPTS, false), (MOST_ATTEMPTS, true)]
                .map(|(n, doubt)| end(n, doubt, error))
        };
        assert_eq!(ends(&no), [End::No, End::No, End::Failed, End::PerhapsSent]);
        assert_eq!(ends(&never), [End::Failed, End::PerhapsSent, End::Failed, End::PerhapsSent]);
        assert_eq!(ends(&lost), [End::No, End::PerhapsSent, End::PerhapsSent, End::PerhapsSent]);
    }
}
