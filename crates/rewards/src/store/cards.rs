//! Cards. What leaves this file is masked, but for the sealed code that `sealed` hands to a reveal.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use database::{Filter, FromRow, Scope, Transaction};
use kernel::money::Money;
use kernel::version::{Expected, etag_of};
use kernel::{Error, Result};
use serde::Serialize;
use uuid::Uuid;

/// A row of `gift_cards` as lists and pages show it.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct Card {
    /// Its id.
    pub id: Uuid,
    /// Its pool.
    pub pool_id: Uuid,
    /// The pool's name.
    pub pool_name: String,
    /// Its brand's name.
    pub brand_name: String,
    /// The end of its code.
    pub code_last4: String,
    /// What it is worth.
    pub value_amount: Money,
    /// `available`, `claimed`, `delivered`, `redeemed` or `expired`.
    pub status: String,
    /// Who has it.
    pub recipient_id: Option<Uuid>,
    /// Their name, as far as it is known.
    pub person: Option<String>,
    /// In which campaign they earned it.
    pub campaign_id: Option<Uuid>,
    /// The campaign's name.
    pub campaign_name: Option<String>,
    /// The word in the campaign's URL.
    pub campaign_slug: Option<String>,
    /// When it was earned.
    pub claimed_at: Option<DateTime<Utc>>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
    /// `sms` or `email`.
    pub delivery_method: Option<String>,
    /// Where it arrived.
    pub delivery_address: Option<String>,
    /// When it was used.
    pub redeemed_at: Option<DateTime<Utc>>,
    /// The last day it can be used.
    pub expires_at: Option<NaiveDate>,
    /// When it was retired.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Why.
    pub revoked_reason: Option<String>,
    /// The card that was issued instead.
    pub replaced_by_id: Option<Uuid>,
    /// What somebody noted about what is left on it.
    pub balance_note: Option<String>,
    /// When it came in.
    pub created_at: DateTime<Utc>,
}

impl Card {
    /// Its version, for `ETag` and `If-Match`.
    ///
    /// # Errors
    /// None that a row can cause.
    pub fn etag(&self) -> Result<String> {
        etag_of(self)
    }

    /// The status as people see it: a retired card is revoked, whatever it was before.
    pub fn shown_status(&self) -> &str {
        if self.revoked_at.is_some() { "revoked" } else { &self.status }
    }
}

/// What a reveal opens.
#[derive(FromRow)]
pub struct Sealed {
    /// Whose card it is.
    pub client_id: Option<Uuid>,
    /// Its status.
    pub status: String,
    /// The sealed code.
    pub card_code: String,
    /// The sealed PIN.
    pub pin_code: Option<String>,
    /// What it is worth.
    pub value_amount: Money,
    /// The last day it can be used.
    pub expires_at: Option<NaiveDate>,
    /// Its brand's name.
    pub brand_name: String,
    /// Where the brand's logo is.
    pub brand_logo_url: Option<String>,
    /// Where people redeem.
    pub redemption_url: Option<String>,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealed").field("brand_name", &self.brand_name).finish_non_exhaustive()
    }
}

/// A card that is about to change.
#[derive(Debug, Clone, FromRow)]
pub struct Held {
    /// Its pool.
    pub pool_id: Uuid,
    /// The pool's name.
    pub pool_name: String,
    /// Its status.
    pub status: String,
    /// Whether it was retired.
    pub revoked: bool,
    /// Who has it.
    pub recipient_id: Option<Uuid>,
    /// In which campaign they earned it.
    pub campaign_id: Option<Uuid>,
    /// Where it was to go.
    pub sent_to: Option<String>,
}

/// A try that began longer ago is over: its process was killed. A mail server may take five minutes for each step and ten for
/// its answer (RFC 5321, 4.5.3.2).
const LONGEST_TRY: Duration = Duration::minutes(40);

const COLUMNS: &str = "
    select g.id, g.pool_id, p.pool_name, b.brand_name, g.code_last4, g.value_amount, g.status, g.recipient_id,
      btrim(coalesce(r.first_name, '') || ' ' || coalesce(r.last_name, '')) as person,
      g.campaign_id, c.name as campaign_name, c.slug as campaign_slug, g.claimed_at, g.delivered_at, g.delivery_method, g.delivery_address,
      g.redeemed_at, g.expires_at, g.revoked_at, g.revoked_reason, g.replaced_by_id, g.balance_note, g.created_at
    from gift_cards g
    join gift_card_pools p on p.client_id = g.client_id and p.id = g.pool_id
    join gift_card_brands b on b.id = p.brand_id
    left join recipients r on r.client_id = g.client_id and r.id = g.recipient_id
    left join campaigns c on c.client_id = g.client_id and c.id = g.campaign_id";

database::statement! {
    /// One card.
    FIND, app, "
        select g.id, g.pool_id, p.pool_name, b.brand_name, g.code_last4, g.value_amount, g.status, g.recipient_id,
          btrim(coalesce(r.first_name, '') || ' ' || coalesce(r.last_name, '')) as person,
          g.campaign_id, c.name as campaign_name, c.slug as campaign_slug, g.claimed_at, g.delivered_at, g.delivery_method, g.delivery_address,
          g.redeemed_at, g.expires_at, g.revoked_at, g.revoked_reason, g.replaced_by_id, g.balance_note, g.created_at
        from gift_cards g
        join gift_card_pools p on p.client_id = g.client_id and p.id = g.pool_id
        join gift_card_brands b on b.id = p.brand_id
        left join recipients r on r.client_id = g.client_id and r.id = g.recipient_id
        left join campaigns c on c.client_id = g.client_id and c.id = g.campaign_id
        where g.client_id = $1
          and g.id = $2";
    /// The sealed code of a card.
    SEALED, app, "
        select g.client_id, g.status, g.card_code, g.pin_code, g.value_amount, g.expires_at, b.brand_name, b.brand_logo_url,
          b.redemption_url
        from gift_cards g
        join gift_card_pools p on p.client_id = g.client_id and p.id = g.pool_id
        join gift_card_brands b on b.id = p.brand_id
        where g.client_id = $1
          and g.id = $2";
    /// A card's pool, so that it can be locked first.
    POOL_OF, app, "
        select pool_id
        from gift_cards
        where client_id = $1
          and id = $2";
    /// A card that is about to change; its pool is locked.
    HOLD, app, "
        select g.pool_id, p.pool_name, g.status, g.revoked_at is not null as revoked, g.recipient_id, g.campaign_id,
            m.delivery_address as sent_to
        from gift_cards g
        join gift_card_pools p on p.client_id = g.client_id and p.id = g.pool_id
        left join call_conditions_met m on m.client_id = g.client_id and m.gift_card_id = g.id
        where g.client_id = $1
          and g.id = $2
        for no key update of g";
    /// Somebody opened the code.
    REVEALED, app, "
        update gift_cards
        set revealed_at = $3
        where client_id = $1
          and id = $2
          and revealed_at is null";
    /// Whether the code of a retired card nobody has seen came in again.
    UPLOADED_AGAIN, app, "
        select exists (
          select
          from gift_cards g
          join gift_cards n on n.client_id = g.client_id and n.code_fingerprint = g.code_fingerprint and n.id <> g.id
          where g.client_id = $1
            and g.id = $2
            and g.status = 'expired'
            and g.recipient_id is null
            and n.quarantined_at is null
            and not (n.status = 'expired' and n.recipient_id is null and n.revealed_at is null)
        )";
    /// It was used.
    REDEEM, app, "
        update gift_cards
        set status = 'redeemed', redeemed_at = $3, balance_note = coalesce($4, balance_note)
        where client_id = $1
          and id = $2";
    /// It is retired. One that nobody had goes off the shelf.
    REVOKE, app, "
        update gift_cards
        set status = case when status = 'available' then 'expired' else status end,
            revoked_at = $3, revoked_reason = $4
        where client_id = $1
          and id = $2";
    /// It arrived.
    DELIVERED, app, "
        update gift_cards
        set status = 'delivered', delivered_at = $3, delivery_method = $4, delivery_address = $5
        where client_id = $1
          and id = $2
          and status = 'claimed'";
    /// Cards by the keyed hash of a code, whatever their brand: what is live first.
    BY_FINGERPRINT, app, "
        with prints as (
          select sha256(uuid_send(b.brand_id) || f.print) as print, f.nth
          from (select distinct brand_id from gift_card_pools where client_id = $1) b,
            unnest($2::bytea[]) with ordinality as f (print, nth)
        )
        select id
        from (
          select g.id, g.created_at, p.nth, 1 as place
          from prints p
          join gift_cards g on g.code_fingerprint = p.print
          where g.client_id = $1
            and g.quarantined_at is null
            and not (g.status = 'expired' and g.recipient_id is null and g.revealed_at is null)
          union all
          select g.id, g.created_at, p.nth, 2
          from prints p
          join gift_cards g on g.code_fingerprint = p.print
          where g.client_id = $1
            and g.quarantined_at is not null
            and not (g.status = 'expired' and g.recipient_id is null and g.revealed_at is null)
          union all
          select g.id, g.created_at, p.nth, 3
          from prints p
          join gift_cards g on g.code_fingerprint = p.print
          where g.client_id = $1
            and g.status = 'expired'
            and g.recipient_id is null
            and g.revealed_at is null
        ) found
        order by place, nth, created_at desc, id
        limit 1";
    /// Whether a message that brings a card is at the provider at this moment; none begins to be sent meanwhile.
    UNDER_WAY, app, "
        select coalesce(sending_since > $3, false) as under_way
        from messages
        where client_id = $1
          and gift_card_id = $2
          and status = 'pending'
        order by id
        for no key update";
    /// Retires a card and hands out another one.
    REPLACE, app, "
        select outcome, condition_id, recipient_id, gift_card_id, message_id, delivery_status, pool_id, available_cards
        from app.replace_card($1, $2, $3, $4, $5, p_channel => $6, p_to_address => $7)"
}

/// What narrows a list of cards.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// Only of this pool.
    pub pool_id: Option<Uuid>,
    /// Only with this status.
    pub status: Option<String>,
    /// Only whose code ends like this.
    pub last4: Option<String>,
    /// Only of this recipient.
    pub recipient_id: Option<Uuid>,
}

/// A page of a client's cards, the newest first.
///
/// # Errors
/// What the database answered.
pub async fn list(
    scope: &Scope<'_>,
    client_id: Uuid,
    which: &Which,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Card>> {
    let more = limit + 1;
    let mut filter = Filter::new("cards list", COLUMNS)
        .bind("where g.client_id =", &client_id)
        .bind_some("and g.pool_id =", which.pool_id.as_ref())
        .bind_some("and g.status =", which.status.as_ref())
        .bind_some("and g.code_last4 =", which.last4.as_ref())
        .bind_some("and g.recipient_id =", which.recipient_id.as_ref());
    if let Some((at, id)) = &after {
        filter = filter.bind("and (g.created_at, g.id) < (", at).bind(",", id).push(")");
    }
    scope.query_filter(&filter.push("order by g.created_at desc, g.id desc").bind("limit", &more)).await
}

/// One card.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Card> {
    scope.query_one(&FIND, &[&client_id, &id]).await
}

/// The card with a code, without opening any; `fingerprints` are those of the code before the brand, the best first.
///
/// # Errors
/// What the database answered.
pub async fn by_fingerprint(scope: &Scope<'_>, client_id: Uuid, fingerprints: &[[u8; 32]]) -> Result<Option<Uuid>> {
    #[derive(FromRow)]
    struct Found {
        id: Uuid,
    }
    let prints: Vec<&[u8]> = fingerprints.iter().map(<[u8; 32]>::as_slice).collect();
    let found = scope.query_opt::<Found>(&BY_FINGERPRINT, &[&client_id, &prints]).await?;
    Ok(found.map(|row| row.id))
}

/// The sealed code of a card.
pub(crate) async fn sealed(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<Sealed> {
    tx.query_one(&SEALED, &[&client_id, &id]).await
}

/// Locks a card's pool, in which no card is past its last day then, and the card; refuses what is meant for another
/// version of it.
pub(crate) async fn hold(tx: &Transaction, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<Held> {
    let pool_id: Uuid = tx.query_scalar(&POOL_OF, &[&client_id, &id]).await?;
    super::pools::lock(tx, pool_id).await?;
    super::pools::sweep(tx, pool_id).await?;
    let held = tx.query_one(&HOLD, &[&client_id, &id]).await?;
    if !expected.is_any() {
        expected.check(&tx.query_one::<Card>(&FIND, &[&client_id, &id]).await?.etag()?)?;
    }
    Ok(held)
}

/// Notes that a person opens the code of a card.
///
/// # Errors
/// A conflict when the card was retired unseen and its code came in again: it may be in stock.
pub(crate) async fn revealed(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<()> {
    let again = || Error::conflict("uploaded_again", "this code was uploaded again: look at the other card");
    if tx.query_scalar::<bool>(&UPLOADED_AGAIN, &[&client_id, &id]).await? {
        return Err(again());
    }
    match tx.execute(&REVEALED, &[&client_id, &id, &tx.now()]).await {
        Err(Error::Constraint(name)) if name == "gift_cards_code_fingerprint_key" => Err(again()),
        done => done.map(|_| ()),
    }
}

/// Whether a card is being sent at this moment. Its messages are locked: no try begins before the transaction ends.
pub(crate) async fn is_under_way(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<bool> {
    #[derive(FromRow)]
    struct Waiting {
        under_way: bool,
    }
    let since = tx.now() - LONGEST_TRY;
    let waiting = tx.query::<Waiting>(&UNDER_WAY, &[&client_id, &id, &since]).await?;
    Ok(waiting.iter().any(|message| message.under_way))
}

pub(crate) async fn redeem(tx: &Transaction, client_id: Uuid, id: Uuid, note: Option<&str>) -> Result<()> {
    tx.execute(&REDEEM, &[&client_id, &id, &tx.now(), &note]).await.map(|_| ())
}

pub(crate) async fn revoke(tx: &Transaction, client_id: Uuid, id: Uuid, reason: &str) -> Result<()> {
    tx.execute(&REVOKE, &[&client_id, &id, &tx.now(), &reason]).await.map(|_| ())
}

/// Marks a claimed card as delivered; false when it was already.
pub(crate) async fn delivered(
    tx: &Transaction,
    client_id: Uuid,
    id: Uuid,
    (at, channel, address): (DateTime<Utc>, &str, &str),
) -> Result<bool> {
    tx.execute(&DELIVERED, &[&client_id, &id, &at, &channel, &address]).await.map(|rows| rows == 1)
}

/// Retires a card and hands out another one.
pub(crate) async fn replace(
    tx: &Transaction,
    (client_id, id): (Uuid, Uuid),
    reason: &str,
    to: (Option<&str>, Option<&str>),
) -> Result<crate::claim::ClaimRow> {
    let ids: Vec<Uuid> = std::iter::repeat_with(kernel::new_id).take(4).collect();
    tx.query_one(&REPLACE, &[&client_id, &id, &reason, &tx.now(), &ids, &to.0, &to.1]).await
}
