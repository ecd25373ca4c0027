//! The sandbox's callbacks: signed like Twilio's, posted to ACE itself, and posted again until they are acknowledged.
//!
//! A callback is put off in the database before it is posted and moved on after its acknowledgement, so a server that
//! is killed in between posts it once more: receivers must take repetitions, as with every provider.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use database::Database;
use futures_util::{StreamExt, TryStreamExt, stream};
use kernel::keyring::Keyring;
use kernel::settings::Secret;
use kernel::{Error, Result, new_id};
use reqwest::Client;
use uuid::Uuid;

use super::store::{self, Due, SealedReply};
use super::{Body, Channel, Fate, fate, provider_id, worker};
use crate::{http, twilio_signature};

/// The most callbacks of one run.
const MOST: i64 = 100;
/// How many are posted at the same time.
const AT_ONCE: usize = 10;
/// How long ACE has to acknowledge one.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a run keeps what it took: longer than `MOST / AT_ONCE` answers that all come late.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How long a message seems to travel.
const TRAVEL: TimeDelta = TimeDelta::seconds(2);
/// Tries before a callback is given up; with the delays below, after about half a day.
const MOST_TRIES: i32 = 20;
/// The longest delay between two tries.
const LONGEST_DELAY: i64 = 3600;

/// Posts what the sandbox has to report.
#[derive(Clone)]
pub struct Courier {
    db: Database,
    keyring: Arc<Keyring>,
    http: Client,
    public_url: String,
    token: Secret,
}

/// One callback that is due.
#[derive(Debug, Clone)]
pub struct Callback {
    /// The row it reports on.
    pub id: Uuid,
    /// Where it goes.
    pub url: String,
    /// What it says: Twilio's parameters.
    pub form: Vec<(String, String)>,
    /// Its `X-Twilio-Signature`.
    pub signature: String,
    channel: Channel,
    person: String,
    stage: String,
    attempts: i32,
}

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivered {
    /// Callbacks that were acknowledged.
    pub acknowledged: usize,
    /// Callbacks that will be posted again.
    pub postponed: usize,
}

/// What the person at the sandbox's phone types.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Whose conversation it is.
    pub client_id: Uuid,
    /// The phone's number.
    pub person: String,
    /// The number they answer to.
    pub ours: String,
    /// What they type.
    pub text: String,
    /// Our webhook for incoming messages.
    pub webhook_url: String,
}

impl Courier {
    /// Prepares the courier; `token` signs as Twilio's auth token does, and only addresses under `public_url` are
    /// posted to.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(db: Database, keyring: Arc<Keyring>, public_url: &str, token: Secret) -> Result<Self> {
        let public_url = public_url.trim_end_matches('/').to_owned();
        Ok(Self { db, keyring, http: http::client(ANSWER)?, public_url, token })
    }

    /// One run: takes what is due at `now`, posts it, and moves on what was acknowledged.
    ///
    /// # Errors
    /// When the database fails; what was taken is posted again a minute later then.
    pub async fn deliver_callbacks(&self, now: DateTime<Utc>) -> Result<Delivered> {
        let callbacks = self.due(now).await?;
        stream::iter(callbacks)
            .map(|callback| async move {
                let acknowledged = self.post(&callback).await;
                self.settle(&callback, acknowledged, now).await?;
                Ok(acknowledged)
            })
            .buffer_unordered(AT_ONCE)
            .try_fold(Delivered::default(), |mut done, acknowledged| async move {
                if acknowledged {
                    done.acknowledged += 1
                } else {
                    done.postponed += 1
                }
                Ok(done)
            })
            .await
    }

    /// Takes the callbacks due at `now`, at most a hundred; each must be handed to [`Courier::settle`], else it comes
    /// again a minute later. For whoever posts them by other means, such as the demo, which runs without a server.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due(&self, now: DateTime<Utc>) -> Result<Vec<Callback>> {
        let due = store::take_due(&self.db.scope(&worker()), now, now + LEASE, MOST).await?;
        let mut callbacks = Vec::with_capacity(due.len());
        for row in due {
            match self.callback(&row) {
                Some(callback) => callbacks.push(callback),
                None => self.give_up(&row).await?,
            }
        }
        Ok(callbacks)
    }

    /// Moves a message on whose callback was acknowledged, and puts off one whose was not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&self, callback: &Callback, acknowledged: bool, now: DateTime<Utc>) -> Result<()> {
        let worker = worker();
        let scope = self.db.scope(&worker);
        if acknowledged {
            let next = next_stage(callback).map(|stage| (stage, now + TRAVEL));
            return store::advance(&scope, callback.id, &callback.stage, next).await;
        }
        let again = (callback.attempts < MOST_TRIES).then(|| now + delay(callback.attempts));
        if again.is_none() {
            tracing::warn!(sandbox_message = %callback.id, stage = callback.stage, "gave up a callback nobody acknowledges");
        }
        store::postpone(&scope, callback.id, &callback.stage, again).await
    }

    /// Plays the person at the phone: keeps what they typed and posts it to our webhook for incoming messages.
    ///
    /// # Errors
    /// `Invalid` for a webhook that is not ours, `Unavailable` when it does not acknowledge.
    pub async fn reply(&self, reply: &Reply, now: DateTime<Utc>) -> Result<()> {
        if !self.is_ours(&reply.webhook_url) {
            return Err(Error::invalid("webhook_url", "must be an address of this ACE"));
        }
        let id = new_id();
        let sealed = Body { text: reply.text.clone(), html: None }.seal(&self.keyring, id)?;
        let form = pairs(&[
            ("MessageSid", &provider_id(Channel::Sms, id)),
            ("From", &reply.person),
            ("To", &reply.ours),
            ("Body", &reply.text),
            ("NumMedia", "0"),
        ]);
        let signature = self.sign(&reply.webhook_url, &form);
        let kept = SealedReply {
            id,
            client_id: reply.client_id,
            person: &reply.person,
            ours: &reply.ours,
            body_sealed: &sealed,
        };
        store::insert_reply(&self.db.scope(&worker()), &kept, now).await?;
        if self.post_form(&reply.webhook_url, &form, &signature).await {
            Ok(())
        } else {
            Err(Error::Unavailable("the webhook did not take the answer".into()))
        }
    }

    fn callback(&self, row: &Due) -> Option<Callback> {
        let url = row.status_callback_url.clone().filter(|url| self.is_ours(url))?;
        let stage = row.callback_stage.clone()?;
        let channel = Channel::of_row(&row.channel);
        let id = provider_id(channel, row.id);
        let mut form = pairs(&[
            ("MessageSid", &id),
            ("SmsSid", &id),
            ("MessageStatus", &stage),
            ("SmsStatus", &stage),
            ("To", &row.person_address),
            ("From", &row.our_address),
            ("AccountSid", "sandbox"),
            ("ApiVersion", "2010-04-01"),
        ]);
        if let (Fate::Bounces(code), "undelivered") = (fate(channel, &row.person_address), stage.as_str()) {
            form.push(("ErrorCode".into(), code.into()));
        }
        let signature = self.sign(&url, &form);
        let (person, attempts) = (row.person_address.clone(), row.callback_attempts);
        Some(Callback { id: row.id, url, form, signature, channel, person, stage, attempts })
    }

    async fn give_up(&self, row: &Due) -> Result<()> {
        tracing::warn!(sandbox_message = %row.id, "gave up a callback whose address is not under server.public_url");
        let stage = row.callback_stage.as_deref().unwrap_or_default();
        store::postpone(&self.db.scope(&worker()), row.id, stage, None).await
    }

    async fn post(&self, callback: &Callback) -> bool {
        self.post_form(&callback.url, &callback.form, &callback.signature).await
    }

    async fn post_form(&self, url: &str, form: &[(String, String)], signature: &str) -> bool {
        let request = self.http.post(url).header(twilio_signature::HEADER, signature).form(form);
        match request.send().await {
            Ok(response) if response.status().is_success() => true,
            Ok(response) => {
                tracing::warn!(status = %response.status(), "a sandbox callback was not acknowledged");
                false
            }
            Err(error) => {
                tracing::warn!(error = http::describe(error), "a sandbox callback was not acknowledged");
                false
            }
        }
    }

    fn sign(&self, url: &str, form: &[(String, String)]) -> String {
        twilio_signature::of_form(self.token.expose(), url, form)
    }

    /// Only ACE itself is posted to: a callback address is no way into the network.
    fn is_ours(&self, url: &str) -> bool {
        url.strip_prefix(&self.public_url).is_some_and(|rest| rest.starts_with('/'))
    }
}

fn next_stage(callback: &Callback) -> Option<&'static str> {
    match (callback.stage.as_str(), fate(callback.channel, &callback.person)) {
        ("sent", Fate::Bounces(_)) => Some("undelivered"),
        ("sent", _) => Some("delivered"),
        _ => None,
    }
}

/// 5 s, 10 s, 20 s, … at most an hour.
fn delay(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts.clamp(1, 12) - 1).unwrap_or(0);
    TimeDelta::seconds((5_i64 << doublings).min(LONGEST_DELAY))
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_an_hour() {
        let seconds: Vec<i64> = [0, 1, 2, 3, 10, 11, 20, i32::MAX].map(|n| delay(n).num_seconds()).to_vec();
        assert_eq!(seconds, [5, 5, 10, 20, 2560, 3600, 3600, 3600]);
    }
}
