//! What the pages at `/sandbox` show, in the name of the person who looks.

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope, statement};
use kernel::keyring::Keyring;
use kernel::page::{Page, PageParams};
use kernel::{Error, Result};
use serde::Serialize;
use uuid::Uuid;

use super::{Body, Channel};

statement! {
    /// One message.
    FIND, app, "
        select id, client_id, message_id, channel, direction, person_address, our_address, subject, body_sealed,
            status, created_at, read_at
        from sandbox_messages
        where id = $1";

    /// Somebody looked at the conversation or mail.
    MARK_READ, app, "
        update sandbox_messages
        set read_at = $3
        where channel = $1 and person_address = $2 and read_at is null and status <> 'undelivered'";
}

/// Which messages are wanted.
#[derive(Debug, Clone)]
pub struct Which {
    /// One client's, or those of every client the actor reaches.
    pub client_id: Option<Uuid>,
    /// Phone or inbox.
    pub channel: Channel,
    /// One person's number or address, or everybody's.
    pub person: Option<String>,
}

/// A message as the phone or the inbox shows it. It may hold a card code: for the page, never for a log.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct SandboxMessage {
    /// The row.
    pub id: Uuid,
    /// Whose message it is; `None` for mail of ACE itself.
    pub client_id: Option<Uuid>,
    /// The row in `messages`; `None` for mail of ACE itself and for answers.
    pub message_id: Option<Uuid>,
    /// Phone or inbox.
    pub channel: Channel,
    /// Whether the person wrote it.
    pub from_person: bool,
    /// The person's number or address.
    pub person: String,
    /// Our number or address.
    pub ours: String,
    /// An e-mail's subject.
    pub subject: Option<String>,
    /// The text.
    pub text: String,
    /// An e-mail's HTML part, as it was sent: show it in a sandboxed frame only.
    pub html: Option<String>,
    /// `accepted`, `sent`, `delivered`, `undelivered`, or `received` when the person wrote it.
    pub status: String,
    /// When it was taken.
    pub created_at: DateTime<Utc>,
    /// When somebody first looked at it.
    pub read_at: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for SandboxMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SandboxMessage").field("id", &self.id).field("status", &self.status).finish_non_exhaustive()
    }
}

/// One phone or inbox in the overview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Thread {
    /// The person's number or address.
    pub person: String,
    /// How many messages there are.
    pub messages: i64,
    /// How many nobody has looked at.
    pub unread: i64,
    /// When the newest was taken.
    pub last_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    client_id: Option<Uuid>,
    message_id: Option<Uuid>,
    channel: String,
    direction: String,
    person_address: String,
    our_address: String,
    subject: Option<String>,
    body_sealed: Vec<u8>,
    status: String,
    created_at: DateTime<Utc>,
    read_at: Option<DateTime<Utc>>,
}

impl Row {
    fn opened(self, keyring: &Keyring) -> Result<SandboxMessage> {
        let Body { text, html } = Body::open(keyring, self.id, &self.body_sealed)?;
        Ok(SandboxMessage {
            id: self.id,
            client_id: self.client_id,
            message_id: self.message_id,
            channel: Channel::of_row(&self.channel),
            from_person: self.direction == "inbound",
            person: self.person_address,
            ours: self.our_address,
            subject: self.subject,
            text,
            html,
            status: self.status,
            created_at: self.created_at,
            read_at: self.read_at,
        })
    }
}

/// The newest messages first, a page at a time.
///
/// # Errors
/// `Invalid` for a wrong page, or what the database answered.
pub async fn list(
    scope: &Scope<'_>,
    keyring: &Keyring,
    which: &Which,
    page: &PageParams,
) -> Result<Page<SandboxMessage>> {
    let (limit, after) = (page.limit()?, page.after::<(DateTime<Utc>, Uuid)>()?);
    let (channel, wanted) = (which.channel.as_str(), limit + 1);
    let mut filter = Filter::new(
        "sandbox list",
        "select id, client_id, message_id, channel, direction, person_address, our_address, subject, body_sealed,
            status, created_at, read_at
        from sandbox_messages",
    )
    .bind("where channel =", &channel)
    .bind_some("and client_id =", which.client_id.as_ref())
    .bind_some("and person_address =", which.person.as_ref());
    if let Some((at, id)) = &after {
        filter = filter.bind("and (created_at, id) < (", at).bind(",", id).push(")");
    }
    let filter = filter.push("order by created_at desc, id desc").bind("limit", &wanted);
    let rows = scope.query_filter::<Row>(&filter).await?;
    let page = Page::from_rows(rows, limit, |row| (row.created_at, row.id));
    let next = page.next;
    let data = page.data.into_iter().map(|row| row.opened(keyring)).collect::<Result<Vec<_>>>()?;
    Ok(Page { data, next })
}

/// One message.
///
/// # Errors
/// `NotFound` when the actor does not reach it.
pub async fn find(scope: &Scope<'_>, keyring: &Keyring, id: Uuid) -> Result<SandboxMessage> {
    scope.query_one::<Row>(&FIND, &[&id]).await?.opened(keyring)
}

/// The phones or inboxes with messages, the latest first.
///
/// # Errors
/// `Invalid` for a limit below 1, or what the database answered.
pub async fn threads(scope: &Scope<'_>, channel: Channel, client_id: Option<Uuid>, limit: i64) -> Result<Vec<Thread>> {
    if limit < 1 {
        return Err(Error::invalid("limit", "must be 1 or more"));
    }
    let word = channel.as_str();
    let filter = Filter::new(
        "sandbox threads",
        "select person_address as person, count(*) as messages,
            count(*) filter (where read_at is null and direction = 'outbound' and status <> 'undelivered') as unread,
            max(created_at) as last_at
        from sandbox_messages",
    )
    .bind("where channel =", &word)
    .bind_some("and client_id =", client_id.as_ref())
    .push("group by person_address order by last_at desc, person")
    .bind("limit", &limit);
    scope.query_filter(&filter).await
}

/// Marks what one phone or inbox shows as read.
///
/// # Errors
/// What the database answered.
pub async fn mark_read(scope: &Scope<'_>, channel: Channel, person: &str, at: DateTime<Utc>) -> Result<()> {
    scope.execute(&MARK_READ, &[&channel.as_str(), &person, &at]).await.map(|_| ())
}
