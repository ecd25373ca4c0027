//! The ledger of credits: append-only, its sum is `clients.credits`.

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope, Transaction};
use kernel::Result;
use kernel::version::etag_of;
use serde::Serialize;
use uuid::Uuid;

/// A row of `credit_ledger`.
#[derive(Debug, Clone, FromRow)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// What came (positive) or went.
    pub amount: i32,
    /// `grant`, `transfer`, `piece`, `reward`, `refund` or `correction`.
    pub reason: String,
    /// The campaign it was for.
    pub campaign_name: Option<String>,
    /// That campaign's word in addresses.
    pub campaign_slug: Option<String>,
    /// What somebody noted.
    pub note: Option<String>,
    /// Who did it, if a person did.
    pub by: Option<String>,
    /// The balance after it.
    pub balance_after: i32,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// How a client's credits stand; nothing of the ledger changes without it.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct Standing {
    /// The balance.
    pub balance: i32,
    /// Of it, the credits that campaigns were promised.
    pub promised: i32,
    /// The latest entry of the ledger.
    pub latest: Option<Uuid>,
}

impl Standing {
    /// Its version, for `ETag` and `If-Match`.
    ///
    /// # Errors
    /// None that a row can cause.
    pub fn etag(&self) -> Result<String> {
        etag_of(self)
    }
}

database::statement! {
    /// The balance.
    BALANCE, app, "
        select credits
        from clients
        where id = $1";
    /// How a client's credits stand, but for one entry that was booked just now.
    STANDING, app, "
        select c.credits as balance, c.credits_reserved as promised,
            (
                select l.id
                from credit_ledger l
                where l.client_id = c.id
                  and l.id is distinct from $2
                order by l.created_at desc, l.id desc
                limit 1) as latest
        from clients c
        where c.id = $1";
    /// Whether who asks makes credits: the operator.
    MAKES, app, "
        select app.write_all()";
    /// Another client of the same organization, by its slug, which may give credits.
    GIVER, app, "
        select g.id
        from clients c
        join clients g on g.org_id = c.org_id and g.id <> c.id
        where c.id = $1
          and g.slug = $2
          and g.archived_at is null";
    /// The other clients of the same organization that have credits, the richest first.
    GIVERS, app, "
        select g.slug, g.name, g.credits
        from clients c
        join clients g on g.org_id = c.org_id and g.id <> c.id
        where c.id = $1
          and g.archived_at is null
          and g.credits > 0
        order by g.credits desc, g.name
        limit 200";
    /// The amount of an entry.
    AMOUNT, app, "
        select amount
        from credit_ledger
        where client_id = $1
          and id = $2";
    /// What a piece or a reward costs.
    PRICE, app, "
        select app.price($1, $2)";
    /// Something came or went.
    INSERT, app, "
        insert into credit_ledger (id, client_id, amount, reason, note, created_by_user_id, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        returning balance_after"
}

/// A page of the ledger, the newest first.
///
/// # Errors
/// What the database answered.
pub async fn list(
    scope: &Scope<'_>,
    client_id: Uuid,
    reason: Option<String>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Entry>> {
    let more = limit + 1;
    let mut filter = Filter::new(
        "credits list",
        "select l.id, l.amount, l.reason, c.name as campaign_name, c.slug as campaign_slug, l.note, p.full_name as by, l.balance_after, l.created_at
        from credit_ledger l
        left join campaigns c on c.client_id = l.client_id and c.id = l.campaign_id
        left join profiles p on p.id = l.created_by_user_id",
    )
    .bind("where l.client_id =", &client_id)
    .bind_some("and l.reason =", reason.as_ref());
    if let Some((at, id)) = &after {
        filter = filter.bind("and (l.created_at, l.id) < (", at).bind(",", id).push(")");
    }
    scope.query_filter(&filter.push("order by l.created_at desc, l.id desc").bind("limit", &more)).await
}

/// A client that has credits to pass on.
#[derive(Debug, Clone, FromRow)]
pub struct Giver {
    /// Its word in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What it has.
    pub credits: i32,
}

/// Whether who asks makes credits.
///
/// # Errors
/// What the database answered.
pub async fn makes_credits(scope: &Scope<'_>) -> Result<bool> {
    scope.query_scalar(&MAKES, &[]).await
}

/// The other clients of the same organization that have credits to pass on.
///
/// # Errors
/// What the database answered.
pub async fn givers(scope: &Scope<'_>, client_id: Uuid) -> Result<Vec<Giver>> {
    scope.query(&GIVERS, &[&client_id]).await
}

/// Another client of the same organization, by its slug.
pub(crate) async fn giver(scope: &Scope<'_>, client_id: Uuid, slug: &str) -> Result<Option<Uuid>> {
    #[derive(FromRow)]
    struct Found {
        id: Uuid,
    }
    Ok(scope.query_opt::<Found>(&GIVER, &[&client_id, &slug]).await?.map(|row| row.id))
}

/// The balance of a client.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn balance(scope: &Scope<'_>, client_id: Uuid) -> Result<i32> {
    scope.query_scalar(&BALANCE, &[&client_id]).await
}

/// How a client's credits stand.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn standing(scope: &Scope<'_>, client_id: Uuid) -> Result<Standing> {
    let no_entry: Option<Uuid> = None;
    scope.query_one(&STANDING, &[&client_id, &no_entry]).await
}

/// How a client's credits stood before `id` was booked, which moved them by `amount` and holds the client's row.
pub(crate) async fn standing_before(tx: &Transaction, (client_id, id): (Uuid, Uuid), amount: i32) -> Result<Standing> {
    let now: Standing = tx.query_one(&STANDING, &[&client_id, &Some(id)]).await?;
    Ok(Standing { balance: now.balance - amount, ..now })
}

/// Credits that one `piece` or one `reward` costs a client.
///
/// # Errors
/// What the database answered.
pub async fn price(scope: &Scope<'_>, client_id: Uuid, what: &str) -> Result<i32> {
    scope.query_scalar(&PRICE, &[&client_id, &what]).await
}

/// The amount of an entry, if there is one with this id.
pub(crate) async fn amount(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Option<i32>> {
    #[derive(FromRow)]
    struct Booked {
        amount: i32,
    }
    Ok(scope.query_opt::<Booked>(&AMOUNT, &[&client_id, &id]).await?.map(|row| row.amount))
}

/// Books `amount`; answers the balance after it.
pub(crate) async fn insert(
    tx: &Transaction,
    (client_id, id): (Uuid, Uuid),
    amount: i32,
    reason: &str,
    note: Option<&str>,
) -> Result<i32> {
    let by = tx.actor().user_id();
    tx.query_scalar(&INSERT, &[&id, &client_id, &amount, &reason, &note, &by, &tx.now()]).await
}
