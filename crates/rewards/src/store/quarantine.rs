//! Cards in quarantine, as the operator sees them.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::Result;
use kernel::page::{Page, PageParams};
use uuid::Uuid;

/// A card in quarantine, and who holds the live one.
#[derive(Debug, Clone, FromRow)]
pub struct Quarantined {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub client_name: Option<String>,
    /// The client's word in addresses.
    pub client_slug: Option<String>,
    /// The pool's name.
    pub pool_name: String,
    /// The brand's name.
    pub brand_name: String,
    /// The end of its code.
    pub code_last4: String,
    /// Since when.
    pub quarantined_at: DateTime<Utc>,
    /// The live card with the same code.
    pub holder_id: Option<Uuid>,
    /// Whose that one is.
    pub holder_name: Option<String>,
    /// Their word in addresses.
    pub holder_slug: Option<String>,
}

impl Quarantined {
    /// Where its release is posted to.
    pub fn release_action(&self) -> String {
        format!("/admin/quarantine/{}/release", self.id)
    }
}

/// Where a card in quarantine belongs.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Place {
    pub(crate) client_id: Option<Uuid>,
    pub(crate) pool_id: Uuid,
}

/// A card that holds its code no more.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct GivenUp {
    pub(crate) id: Uuid,
    pub(crate) client_id: Option<Uuid>,
}

/// Somebody who runs the installation.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Admin {
    pub(crate) email: String,
}

database::statement! {
    /// Cards in quarantine, the newest first. Only the operator reaches several clients' cards at once.
    LIST, app, "
        select g.id, c.name as client_name, c.slug as client_slug, p.pool_name, b.brand_name, g.code_last4, g.quarantined_at,
          h.id as holder_id, hc.name as holder_name, hc.slug as holder_slug
        from gift_cards g
        join gift_card_pools p on p.owner_key = g.owner_key and p.id = g.pool_id
        join gift_card_brands b on b.id = p.brand_id
        left join clients c on c.id = g.client_id
        left join gift_cards h
          on h.code_fingerprint = g.code_fingerprint
          and h.quarantined_at is null
          and not (h.status = 'expired' and h.recipient_id is null and h.revealed_at is null)
        left join clients hc on hc.id = h.client_id
        where g.quarantined_at is not null
          and g.status = 'available'
          and ($1::timestamptz is null or (g.quarantined_at, g.id) < ($1, $2))
        order by g.quarantined_at desc, g.id desc
        limit $3";
    /// Where a card in quarantine belongs.
    FIND, app, "
        select client_id, pool_id
        from gift_cards
        where id = $1
          and quarantined_at is not null
          and status = 'available'";
    /// Another client's card with the code of one in quarantine, retired and given to nobody, although somebody has seen
    /// its code: it holds the code no more.
    GIVE_UP, app, "
        update gift_cards h
        set quarantined_at = $2
        from gift_cards q
        where q.id = $1
          and q.quarantined_at is not null
          and q.status = 'available'
          and h.code_fingerprint = q.code_fingerprint
          and h.quarantined_at is null
          and not (h.status = 'expired' and h.recipient_id is null and h.revealed_at is null)
          and h.status = 'expired'
          and h.recipient_id is null
        returning h.id, h.client_id";
    /// Out of quarantine.
    RELEASE, app, "
        update gift_cards
        set quarantined_at = null
        where id = $1
          and quarantined_at is not null
          and status = 'available'";
    /// How many cards wait for a look.
    COUNT, worker, "
        select count(*)
        from gift_cards
        where quarantined_at is not null
          and status = 'available'";
    /// Who runs the installation.
    ADMINS, worker, "
        select u.email
        from auth.users u
        join user_roles r on r.user_id = u.id
        where r.role = 'admin'
          and u.deactivated_at is null
        order by u.email
        limit 50"
}

/// A page of the cards in quarantine, the newest first.
///
/// # Errors
/// Names `limit` and `after` when they are none; what the database answered.
pub async fn list(scope: &Scope<'_>, page: &PageParams) -> Result<Page<Quarantined>> {
    let limit = page.limit()?;
    let (at, id): (Option<DateTime<Utc>>, Option<Uuid>) = page.after()?.unzip();
    let rows = scope.query(&LIST, &[&at, &id, &(limit + 1)]).await?;
    Ok(Page::from_rows(rows, limit, |row: &Quarantined| (row.quarantined_at, row.id)))
}

pub(crate) async fn find(tx: &Transaction, id: Uuid) -> Result<Place> {
    tx.query_one(&FIND, &[&id]).await
}

pub(crate) async fn give_up(tx: &Transaction, id: Uuid) -> Result<Option<GivenUp>> {
    tx.query_opt(&GIVE_UP, &[&id, &tx.now()]).await
}

pub(crate) async fn release(tx: &Transaction, id: Uuid) -> Result<bool> {
    tx.execute(&RELEASE, &[&id]).await.map(|rows| rows == 1)
}

pub(crate) async fn count(tx: &Transaction) -> Result<i64> {
    tx.query_scalar(&COUNT, &[]).await
}

pub(crate) async fn admins(tx: &Transaction) -> Result<Vec<Admin>> {
    tx.query(&ADMINS, &[]).await
}
