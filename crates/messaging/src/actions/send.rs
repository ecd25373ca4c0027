//! The one choke point: whoever wants a message sent comes through here, inside their own transaction.

use chrono::{DateTime, Days, NaiveTime, Utc};
use database::Transaction;
use jobs::NewJob;
use kernel::{Error, Result, new_id, zone};
use serde_json::json;
use uuid::Uuid;

use crate::consent::{Addressee, Refusal, refusal};
use crate::message::{NewMessage, Status};
use crate::store::messages::{self as store, Beginning};

/// The job that sends one message.
pub const SEND_JOB: &str = "messages.send";

/// The first hour of the evening, and of the morning, between which nobody is bothered.
const QUIET: (u32, u32) = (21, 8);

database::statement! {
    /// The zone whose quiet hours count.
    TIME_ZONE, app, "
        select time_zone
        from clients
        where id = $1"
}

/// What became of the wish to send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// The row in `messages`; there also when it was refused.
    pub message_id: Uuid,
    /// Why it will not be sent, when it will not.
    pub refused: Option<Refusal>,
}

/// Writes a message and the job that sends it, in the caller's transaction. Somebody who must not be written to gets
/// a row that says so, and no job.
///
/// # Errors
/// `Conflict` when the failed message has a fallback already, or what the database answered.
pub async fn send(tx: &Transaction, new: &NewMessage) -> Result<Queued> {
    let to = Addressee { client_id: new.client_id, contact_id: new.contact_id, channel: new.channel, address: &new.to };
    let refused = refusal(tx, &to).await?;
    let mut begins = beginning(refused);
    if new.purpose.keeps_quiet_hours() {
        let time_zone: String = tx.query_scalar(&TIME_ZONE, &[&new.client_id]).await?;
        begins.send_after = after_quiet_hours(tx.now(), &time_zone);
    }
    let id = new_id();
    if !store::insert(tx, id, new, &begins).await? {
        return Err(Error::conflict("already_fell_back", "this message was sent on the other channel already"));
    }
    if refused.is_none() {
        enqueue(tx, new.client_id, id, begins.send_after).await?;
    }
    Ok(Queued { message_id: id, refused })
}

pub(crate) fn beginning(refused: Option<Refusal>) -> Beginning {
    Beginning {
        status: if refused.is_some() { Status::Failed } else { Status::Pending },
        error: refused.map(|refusal| (Refusal::CODE, refusal.sentence())),
        send_after: None,
    }
}

/// Enqueues the job that sends a message, unless there is one. The claim's SQL writes the same job.
///
/// # Errors
/// What the database answered.
pub async fn enqueue(tx: &Transaction, client_id: Uuid, id: Uuid, at: Option<DateTime<Utc>>) -> Result<()> {
    let job = job(client_id, id);
    let job = match at {
        Some(at) => job.run_at(at),
        None => job,
    };
    jobs::enqueue(tx, &job).await.map(|_| ())
}

pub(super) fn job(client_id: Uuid, id: Uuid) -> NewJob {
    NewJob::new(SEND_JOB, json!({ "message_id": id })).client(client_id).unique(format!("{SEND_JOB}:{id}"))
}

/// The end of the quiet hours when `now` lies in them.
fn after_quiet_hours(now: DateTime<Utc>, time_zone: &str) -> Option<DateTime<Utc>> {
    let (evening, morning) = QUIET;
    let hour = zone::hour(now, time_zone);
    let today = zone::day(now, time_zone);
    let day = match hour {
        hour if hour < morning => today,
        hour if hour >= evening => today.checked_add_days(Days::new(1))?,
        _ => return None,
    };
    Some(zone::instant(day, NaiveTime::from_hms_opt(morning, 0, 0)?, time_zone))
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn what_nobody_asked_for_waits_until_eight_in_the_morning() {
        let at = |day, hour, minute| Utc.with_ymd_and_hms(2026, 7, day, hour, minute, 0).single().unwrap();
        let zone = "America/New_York"; // four hours behind in July
        assert_eq!(after_quiet_hours(at(2, 0, 59), zone), None, "20:59");
        assert_eq!(after_quiet_hours(at(2, 1, 0), zone), Some(at(2, 12, 0)), "21:00");
        assert_eq!(after_quiet_hours(at(2, 11, 59), zone), Some(at(2, 12, 0)), "07:59");
        assert_eq!(after_quiet_hours(at(2, 12, 0), zone), None, "08:00");
    }
}
