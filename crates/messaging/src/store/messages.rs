//! Messages and what happened to them.

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope, Transaction};
use kernel::version::{Expected, etag_of};
use kernel::{Result, new_id};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::message::{NewMessage, PERHAPS_SENT, Status};

/// A row of `messages`, as lists and pages show it: never with a text that could hold a code.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct Message {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub client_id: Uuid,
    /// The campaign it belongs to.
    pub campaign_id: Option<Uuid>,
    /// The campaign's name.
    pub campaign_name: Option<String>,
    /// The word in the campaign's URL.
    pub campaign_slug: Option<String>,
    /// The recipient it is for.
    pub recipient_id: Option<Uuid>,
    /// The contact it is for.
    pub contact_id: Option<Uuid>,
    /// The person's name, as far as it is known.
    pub person: String,
    /// The card it brings.
    pub gift_card_id: Option<Uuid>,
    /// The end of the card's code.
    pub code_last4: Option<String>,
    /// The card's brand.
    pub brand_name: Option<String>,
    /// `sms` or `email`.
    pub channel: String,
    /// Why it was sent.
    pub purpose: String,
    /// The number or address.
    pub to_address: String,
    /// `held`, `pending`, `sent`, `delivered` or `failed`.
    pub status: String,
    /// How far the reward is that it brings, by whichever message: `pending`, `sent`, `delivered` or `failed`.
    pub reward_status: Option<String>,
    /// Which provider took it.
    pub provider: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// The last error's code.
    pub last_error_code: Option<String>,
    /// The last error.
    pub last_error: Option<String>,
    /// When it was wanted.
    pub created_at: DateTime<Utc>,
    /// When the provider took it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it failed for good.
    pub failed_at: Option<DateTime<Utc>>,
}

impl Message {
    /// Its version, for `ETag` and `If-Match`.
    ///
    /// # Errors
    /// None that a row can cause.
    pub fn etag(&self) -> Result<String> {
        etag_of(self)
    }

    /// Whether something is to be said of its last error: it failed, or nobody knows whether it was taken.
    pub fn is_in_trouble(&self) -> bool {
        self.status == "failed" || (self.status == "sent" && self.last_error_code.as_deref() == Some(PERHAPS_SENT))
    }
}

/// One thing that happened to a message.
#[derive(Debug, Clone, FromRow)]
pub struct MessageEvent {
    /// The provider's own word.
    pub status: String,
    /// Its code, when something went wrong.
    pub error_code: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What a callback needs to know of a message.
#[derive(Debug, Clone, FromRow)]
pub struct Tracked {
    /// Whose it is.
    pub client_id: Uuid,
    /// The campaign it belongs to.
    pub campaign_id: Option<Uuid>,
    /// The recipient it is for.
    pub recipient_id: Option<Uuid>,
    /// The card it brings.
    pub gift_card_id: Option<Uuid>,
    /// `sms` or `email`.
    pub channel: String,
    /// The number or address.
    pub to_address: String,
    /// How far it is.
    pub status: String,
    /// How the provider names it.
    pub provider_message_id: Option<String>,
}

const COLUMNS: &str = "
    select m.id, m.client_id, m.campaign_id, ca.name as campaign_name, ca.slug as campaign_slug, m.recipient_id, m.contact_id,
      btrim(coalesce(r.first_name, c.first_name, '') || ' ' || coalesce(r.last_name, c.last_name, '')) as person,
      m.gift_card_id, g.code_last4, b.brand_name, m.channel, m.purpose, m.to_address, m.status,
      w.delivery_status as reward_status, m.provider,
      m.attempts, m.last_error_code, m.last_error, m.created_at, m.sent_at, m.delivered_at, m.failed_at
    from messages m
    left join campaigns ca on ca.client_id = m.client_id and ca.id = m.campaign_id
    left join recipients r on r.client_id = m.client_id and r.id = m.recipient_id
    left join contacts c on c.client_id = m.client_id and c.id = m.contact_id
    left join gift_cards g on g.client_id = m.client_id and g.id = m.gift_card_id
    left join gift_card_pools p on p.client_id = g.client_id and p.id = g.pool_id
    left join gift_card_brands b on b.id = p.brand_id
    left join call_conditions_met w on w.client_id = m.client_id and w.gift_card_id = m.gift_card_id";

database::statement! {
    /// One message.
    FIND, app, "
        select m.id, m.client_id, m.campaign_id, ca.name as campaign_name, ca.slug as campaign_slug, m.recipient_id, m.contact_id,
          btrim(coalesce(r.first_name, c.first_name, '') || ' ' || coalesce(r.last_name, c.last_name, '')) as person,
          m.gift_card_id, g.code_last4, b.brand_name, m.channel, m.purpose, m.to_address, m.status,
          w.delivery_status as reward_status, m.provider,
          m.attempts, m.last_error_code, m.last_error, m.created_at, m.sent_at, m.delivered_at, m.failed_at
        from messages m
        left join campaigns ca on ca.client_id = m.client_id and ca.id = m.campaign_id
        left join recipients r on r.client_id = m.client_id and r.id = m.recipient_id
        left join contacts c on c.client_id = m.client_id and c.id = m.contact_id
        left join gift_cards g on g.client_id = m.client_id and g.id = m.gift_card_id
        left join gift_card_pools p on p.client_id = g.client_id and p.id = g.pool_id
        left join gift_card_brands b on b.id = p.brand_id
        left join call_conditions_met w on w.client_id = m.client_id and w.gift_card_id = m.gift_card_id
        where m.client_id = $1
          and m.id = $2";
    /// A message that somebody acts on, held.
    HOLD, app, "
        select id
        from messages
        where client_id = $1
          and id = $2
        for no key update";
    /// What happened to a message.
    EVENTS, app, "
        select status, error_code, at
        from message_events
        where client_id = $1
          and message_id = $2
        order by at, id
        limit 100";
    /// A new message.
    INSERT, app, "
        insert into messages (
          id, client_id, campaign_id, recipient_id, contact_id, gift_card_id, fallback_of_id, channel, purpose,
          to_address, subject, body_template, merge, status, last_error_code, last_error, failed_at, send_after, created_at)
        values (
          $1, $2, $3, $4, $5, $6, $7, $8, $9,
          $10, $11, $12, $13, $14, $15, $16, case when $14 = 'failed' then $18::timestamptz end, $17, $18)
        on conflict (fallback_of_id) do nothing";
    /// The same message once more to another address: everything else is as it was.
    COPY, app, "
        insert into messages (
          id, client_id, campaign_id, recipient_id, contact_id, gift_card_id, channel, purpose, to_address, subject,
          body_template, merge, status, last_error_code, last_error, failed_at, created_at, given_address)
        select $3, client_id, campaign_id, recipient_id, contact_id, gift_card_id, channel, purpose, $4, subject,
          body_template, merge, $5, $6, $7, case when $5 = 'failed' then $8::timestamptz end, $8, $4 <> to_address
        from messages
        where client_id = $1
          and id = $2";
    /// Whose message it is.
    CLIENT_OF, worker, "
        select client_id
        from messages
        where id = $1";
    /// What a callback is about; nobody else moves it meanwhile.
    LOCK, app, "
        select client_id, campaign_id, recipient_id, gift_card_id, channel, to_address, status, provider_message_id
        from messages
        where id = $1
        for no key update";
    /// Moves a message on.
    MOVE, app, "
        update messages
        set status = $3,
            sent_at = case when $3 in ('sent', 'delivered') then coalesce(sent_at, $4) else sent_at end,
            delivered_at = case when $3 = 'delivered' then $4 else delivered_at end,
            failed_at = case when $3 = 'failed' then $4 else failed_at end,
            last_error_code = coalesce($5, last_error_code),
            last_error = coalesce($6, last_error)
        where client_id = $1
          and id = $2";
    /// Notes who took a message and under which name.
    NAME, app, "
        update messages
        set provider = $3, provider_message_id = $4
        where client_id = $1
          and id = $2";
    /// Keeps what happened, once however often it is told.
    INSERT_EVENT, app, "
        insert into message_events (id, client_id, message_id, status, error_code, payload, at)
        select $1, $2, $3, $4, $5, $6, $7
        where not exists (
          select
          from message_events
          where message_id = $3
            and status = $4
            and payload = $6
        )";
    /// Messages that wait and that no job would ever send.
    STRANDED, worker, "
        select m.id, m.client_id
        from messages m
        where m.status = 'pending'
          and not exists (
            select
            from jobs j
            where j.unique_key = 'messages.send:' || m.id
              and j.state in ('ready', 'running')
          )
        limit 500"
}

/// A message that no job would send.
#[derive(Debug, Clone, FromRow)]
pub struct Stranded {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub client_id: Uuid,
}

/// What narrows a list of messages.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// Only those that bring a card.
    pub with_card: bool,
    /// One for each reward: the message by which it is as far as it is. `status` is the reward's then.
    pub rewards: bool,
    /// Only with this status.
    pub status: Option<String>,
    /// Only on this channel.
    pub channel: Option<String>,
    /// Only to this number or address.
    pub to: Option<String>,
    /// Only of this campaign.
    pub campaign_id: Option<Uuid>,
}

/// A page of a client's messages, the newest first.
///
/// # Errors
/// What the database answered.
pub async fn list(
    scope: &Scope<'_>,
    client_id: Uuid,
    which: &Which,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Message>> {
    let more = limit + 1;
    let mut filter = Filter::new("messages list", COLUMNS)
        .bind("where m.client_id =", &client_id)
        .bind_some(status_filter(which), which.status.as_ref())
        .bind_some("and m.channel =", which.channel.as_ref())
        .bind_some(if which.rewards { SENT_TO } else { "and m.to_address =" }, which.to.as_ref())
        .push(if which.rewards && which.to.is_some() { ")" } else { "" })
        .bind_some("and m.campaign_id =", which.campaign_id.as_ref());
    if which.rewards {
        filter = filter.push("and w.id is not null and m.id = app.furthest_message(m.client_id, m.gift_card_id)");
    }
    if which.with_card {
        filter = filter.push("and m.gift_card_id is not null");
    }
    if let Some((at, id)) = &after {
        filter = filter.bind("and (m.created_at, m.id) < (", at).bind(",", id).push(")");
    }
    scope.query_filter(&filter.push("order by m.created_at desc, m.id desc").bind("limit", &more)).await
}

/// A reward is found by every address it was sent to.
const SENT_TO: &str = "and exists (
      select
      from messages x
      where x.client_id = m.client_id
        and x.gift_card_id = m.gift_card_id
        and x.to_address =";

/// A reward whose message waits for a look is pending, and found as held.
fn status_filter(which: &Which) -> &'static str {
    let is_held = which.status.as_deref() == Some("held");
    if which.rewards && !is_held { "and w.delivery_status =" } else { "and m.status =" }
}

/// One message.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Message> {
    scope.query_one(&FIND, &[&client_id, &id]).await
}

/// Refuses what is meant for another version of a message, which is held until the transaction ends.
///
/// # Errors
/// `NotFound`, or `Conflict` when it is not the expected version any more.
pub async fn expect(tx: &Transaction, client_id: Uuid, id: Uuid, expected: &Expected) -> Result<()> {
    if expected.is_any() {
        return Ok(());
    }
    tx.execute(&HOLD, &[&client_id, &id]).await?;
    expected.check(&tx.query_one::<Message>(&FIND, &[&client_id, &id]).await?.etag()?)
}

/// What happened to a message, in order.
///
/// # Errors
/// What the database answered.
pub async fn events(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Vec<MessageEvent>> {
    scope.query(&EVENTS, &[&client_id, &id]).await
}

/// How a message begins: to be sent, or refused.
#[derive(Debug, Clone)]
pub(crate) struct Beginning {
    pub(crate) status: Status,
    pub(crate) error: Option<(&'static str, &'static str)>,
    pub(crate) send_after: Option<DateTime<Utc>>,
}

/// Writes a new message; false when the failed message has a fallback already.
pub(crate) async fn insert(tx: &Transaction, id: Uuid, new: &NewMessage, begins: &Beginning) -> Result<bool> {
    let (code, sentence) = begins.error.unzip();
    let params: database::Params<'_> = &[
        &id,
        &new.client_id,
        &new.campaign_id,
        &new.recipient_id,
        &new.contact_id,
        &new.gift_card_id,
        &new.fallback_of_id,
        &new.channel.as_str(),
        &new.purpose.as_str(),
        &new.to,
        &new.subject,
        &new.body_template,
        &new.merge,
        &begins.status.as_str(),
        &code,
        &sentence,
        &begins.send_after,
        &tx.now(),
    ];
    tx.execute(&INSERT, params).await.map(|rows| rows == 1)
}

/// Writes the message `of` once more, to `address`.
pub(crate) async fn copy(tx: &Transaction, of: &Message, id: Uuid, address: &str, begins: &Beginning) -> Result<()> {
    let (code, sentence) = begins.error.unzip();
    let params: database::Params<'_> =
        &[&of.client_id, &of.id, &id, &address, &begins.status.as_str(), &code, &sentence, &tx.now()];
    tx.execute(&COPY, params).await.map(|_| ())
}

/// Whose message it is.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub(crate) async fn client_of(scope: &Scope<'_>, id: Uuid) -> Result<Uuid> {
    scope.query_scalar(&CLIENT_OF, &[&id]).await
}

/// What a callback is about, locked; `None` when there is no such message.
pub(crate) async fn lock(tx: &Transaction, id: Uuid) -> Result<Option<Tracked>> {
    tx.query_opt(&LOCK, &[&id]).await
}

/// Moves a message on; `error` is its code and sentence.
pub(crate) async fn advance(
    tx: &Transaction,
    client_id: Uuid,
    id: Uuid,
    status: Status,
    error: Option<(&str, &str)>,
) -> Result<()> {
    let (code, sentence) = error.unzip();
    let params: database::Params<'_> = &[&client_id, &id, &status.as_str(), &tx.now(), &code, &sentence];
    tx.execute(&MOVE, params).await.map(|_| ())
}

/// Notes who took a message and under which name.
pub(crate) async fn name(
    tx: &Transaction,
    client_id: Uuid,
    id: Uuid,
    (provider, name): (&str, Option<&str>),
) -> Result<()> {
    tx.execute(&NAME, &[&client_id, &id, &provider, &name]).await.map(|_| ())
}

/// Something that happened to a message.
pub(crate) struct Happened<'a> {
    /// The provider's own word, or ours.
    pub(crate) status: &'a str,
    pub(crate) error_code: Option<&'a str>,
    /// What tells it from the same thing happening again.
    pub(crate) payload: Value,
}

/// Keeps what happened.
pub(crate) async fn note_event(tx: &Transaction, client_id: Uuid, id: Uuid, what: &Happened<'_>) -> Result<()> {
    let Happened { status, error_code, payload } = what;
    let params: database::Params<'_> = &[&new_id(), &client_id, &id, status, error_code, payload, &tx.now()];
    tx.execute(&INSERT_EVENT, params).await.map(|_| ())
}

/// Messages that wait and that no job would send.
///
/// # Errors
/// What the database answered.
pub async fn stranded(scope: &Scope<'_>) -> Result<Vec<Stranded>> {
    scope.query(&STRANDED, &[]).await
}
