//! The table `sandbox_messages`, written as the provider that it plays.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, statement};
use kernel::Result;
use uuid::Uuid;

use super::{Channel, Item};

statement! {
    /// Takes a message; a callback is due at once where somebody wants one.
    INSERT, worker, "
        insert into sandbox_messages (
            id, client_id, message_id, system_message_id, channel, direction, person_address, our_address, subject,
            body_sealed, status, status_callback_url, callback_stage, callback_due_at, created_at)
        values (
            $1, $2, case when $2::uuid is null then null else $3::uuid end,
            case when $2::uuid is null then $3::uuid end, $4, 'outbound', $5, $6, $7,
            $8, 'accepted', $9::text, case when $9 is null then null else 'sent' end,
            case when $9 is null then null else $10::timestamptz end, $10)";

    /// Keeps what the person at the phone answered.
    INSERT_REPLY, worker, "
        insert into sandbox_messages (
            id, client_id, channel, direction, person_address, our_address, body_sealed, status, created_at)
        values ($1, $2, 'sms', 'inbound', $3, $4, $5, 'received', $6)";

    /// Takes callbacks that are due, oldest first, and puts them off: if whoever took them dies, they come again.
    TAKE_DUE, worker, "
        with due as (
            select id
            from sandbox_messages
            where callback_due_at <= $1
            order by callback_due_at
            limit $3
            for update skip locked
        )
        update sandbox_messages m
        set callback_due_at = $2, callback_attempts = m.callback_attempts + 1
        from due
        where m.id = due.id
        returning m.id, m.channel, m.person_address, m.our_address, m.status_callback_url, m.callback_stage,
            m.callback_attempts";

    /// The receiver acknowledged stage $2: on to $3, if there is one.
    ADVANCE, worker, "
        update sandbox_messages
        set status = callback_stage, callback_stage = $3::text, callback_due_at = $4::timestamptz, callback_attempts = 0
        where id = $1 and callback_stage = $2";

    /// The receiver did not acknowledge stage $2: again at $3, or never.
    POSTPONE, worker, "
        update sandbox_messages
        set callback_due_at = $3::timestamptz
        where id = $1 and callback_stage = $2";
}

/// A message whose next callback is due.
#[derive(Debug, FromRow)]
pub(super) struct Due {
    pub(super) id: Uuid,
    pub(super) channel: String,
    pub(super) person_address: String,
    pub(super) our_address: String,
    pub(super) status_callback_url: Option<String>,
    pub(super) callback_stage: Option<String>,
    pub(super) callback_attempts: i32,
}

pub(super) async fn insert(
    scope: &Scope<'_>,
    id: Uuid,
    item: &Item<'_>,
    body_sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<()> {
    scope
        .execute(
            &INSERT,
            &[
                &id,
                &item.client_id,
                &item.message_id,
                &item.channel.as_str(),
                &item.person,
                &item.ours,
                &item.subject,
                &body_sealed,
                &item.status_callback_url,
                &now,
            ],
        )
        .await
        .map(|_| ())
}

/// An answer typed at the phone, sealed.
pub(super) struct SealedReply<'a> {
    pub(super) id: Uuid,
    pub(super) client_id: Uuid,
    pub(super) person: &'a str,
    pub(super) ours: &'a str,
    pub(super) body_sealed: &'a [u8],
}

pub(super) async fn insert_reply(scope: &Scope<'_>, reply: &SealedReply<'_>, now: DateTime<Utc>) -> Result<()> {
    let SealedReply { id, client_id, person, ours, body_sealed } = reply;
    scope.execute(&INSERT_REPLY, &[id, client_id, person, ours, body_sealed, &now]).await.map(|_| ())
}

pub(super) async fn take_due(
    scope: &Scope<'_>,
    now: DateTime<Utc>,
    again: DateTime<Utc>,
    most: i64,
) -> Result<Vec<Due>> {
    scope.query(&TAKE_DUE, &[&now, &again, &most]).await
}

pub(super) async fn advance(
    scope: &Scope<'_>,
    id: Uuid,
    stage: &str,
    next: Option<(&str, DateTime<Utc>)>,
) -> Result<()> {
    let (stage_after, due) = next.unzip();
    scope.execute(&ADVANCE, &[&id, &stage, &stage_after, &due]).await.map(|_| ())
}

pub(super) async fn postpone(scope: &Scope<'_>, id: Uuid, stage: &str, again: Option<DateTime<Utc>>) -> Result<()> {
    scope.execute(&POSTPONE, &[&id, &stage, &again]).await.map(|_| ())
}

impl Channel {
    /// The channel of a row.
    pub(super) fn of_row(word: &str) -> Self {
        if word == Self::Email.as_str() { Self::Email } else { Self::Sms }
    }
}
