//! Tracked phone numbers.

use chrono::{DateTime, NaiveDate, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::page::{Page, PageParams};
use kernel::version::{Expected, etag_of};
use kernel::{Error, Result};
use serde::Serialize;
use uuid::Uuid;

/// A row of `tracked_phone_numbers`.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct Number {
    /// Its id.
    pub id: Uuid,
    /// E.164.
    pub phone_number: String,
    /// Where calls go.
    pub forward_to_number: Option<String>,
    /// What people call it.
    pub friendly_name: Option<String>,
    /// The campaign whose pieces show it.
    pub campaign_id: Option<Uuid>,
    /// That campaign's name.
    pub campaign_name: Option<String>,
    /// The word in the campaign's URL.
    pub campaign_slug: Option<String>,
    /// Whether it takes calls.
    pub is_active: bool,
    /// Not another campaign's before this day.
    pub held_until: Option<NaiveDate>,
    /// When it was entered.
    pub created_at: DateTime<Utc>,
}

impl Number {
    /// Its version, for `ETag` and `If-Match`.
    ///
    /// # Errors
    /// None that a row can cause.
    pub fn etag(&self) -> Result<String> {
        etag_of(self)
    }
}

/// A number as a person enters it, checked.
#[derive(Debug, Clone)]
pub struct Draft {
    /// E.164.
    pub phone_number: String,
    /// Where calls go.
    pub forward_to_number: Option<String>,
    /// What people call it.
    pub friendly_name: Option<String>,
    /// The campaign whose pieces show it.
    pub campaign_id: Option<Uuid>,
}

database::statement! {
    /// A client's numbers; a client has a handful, 200 is a bound and not a page.
    LIST, app, "
        select n.id, n.phone_number, n.forward_to_number, n.friendly_name, n.campaign_id, c.name as campaign_name, c.slug as campaign_slug,
            n.is_active, n.held_until, n.created_at
        from tracked_phone_numbers n
        left join campaigns c on c.client_id = n.client_id and c.id = n.campaign_id
        where n.client_id = $1
          and n.released_at is null
          and ($2::timestamptz is null or (n.created_at, n.id) < ($2, $3))
        order by n.created_at desc, n.id desc
        limit $4";
    /// One number that was not given back.
    FIND, app, "
        select n.id, n.phone_number, n.forward_to_number, n.friendly_name, n.campaign_id, c.name as campaign_name, c.slug as campaign_slug,
            n.is_active, n.held_until, n.created_at
        from tracked_phone_numbers n
        left join campaigns c on c.client_id = n.client_id and c.id = n.campaign_id
        where n.client_id = $1
          and n.id = $2
          and n.released_at is null";
    /// A number that is about to be given back, held.
    HOLD, app, "
        select id
        from tracked_phone_numbers
        where client_id = $1
          and id = $2
        for no key update";
    /// A number entered by hand.
    INSERT, app, "
        insert into tracked_phone_numbers (
            id, client_id, campaign_id, phone_number, forward_to_number, friendly_name, provider, created_at)
        values ($1, $2, $3, $4, $5, $6, 'manual', $7)";
    /// Whether a campaign is there and was not archived: nothing is printed for one that was.
    CAMPAIGN_STANDS, app, "
        select exists (
            select
            from campaigns
            where client_id = $1
              and id = $2
              and archived_at is null)";
    /// Until when this client's number is still on another campaign's pieces.
    HELD_UNTIL, app, "
        select max(held_until) as held_until
        from tracked_phone_numbers
        where client_id = $1
          and phone_number = $2
          and campaign_id is distinct from $3::uuid
          and held_until > app.client_day($1, $4)";
    /// Gives a number back; pieces that show it are answered for 90 days more before another campaign may use it.
    RELEASE, app, "
        update tracked_phone_numbers n
        set released_at = $3,
            is_active = false,
            held_until = (
                select c.mail_date + 90
                from campaigns c
                where c.client_id = n.client_id
                  and c.id = n.campaign_id)
        where n.client_id = $1
          and n.id = $2
          and n.released_at is null"
}

#[derive(FromRow)]
struct Held {
    held_until: Option<NaiveDate>,
}

/// A page of a client's numbers, newest first.
///
/// # Errors
/// Names `limit` and `after` when they are none; what the database answered.
pub async fn list(scope: &Scope<'_>, client_id: Uuid, page: &PageParams) -> Result<Page<Number>> {
    let limit = page.limit()?;
    let (at, id): (Option<DateTime<Utc>>, Option<Uuid>) = page.after()?.unzip();
    let rows = scope.query(&LIST, &[&client_id, &at, &id, &(limit + 1)]).await?;
    Ok(Page::from_rows(rows, limit, |number: &Number| (number.created_at, number.id)))
}

/// One number.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Number> {
    scope.query_one(&FIND, &[&client_id, &id]).await
}

/// Until when a number is still printed on another campaign's pieces.
///
/// # Errors
/// What the database answered.
pub async fn held_until(tx: &Transaction, client_id: Uuid, draft: &Draft) -> Result<Option<NaiveDate>> {
    let held: Held =
        tx.query_one(&HELD_UNTIL, &[&client_id, &draft.phone_number, &draft.campaign_id, &tx.now()]).await?;
    Ok(held.held_until)
}

/// Whether the client has this campaign and has not archived it.
///
/// # Errors
/// What the database answered.
pub async fn campaign_stands(tx: &Transaction, client_id: Uuid, campaign_id: Uuid) -> Result<bool> {
    tx.query_scalar(&CAMPAIGN_STANDS, &[&client_id, &campaign_id]).await
}

/// Writes a number.
///
/// # Errors
/// Names `phone_number` when it is in use, `campaign_id` when there is no such campaign.
pub async fn insert(tx: &Transaction, client_id: Uuid, id: Uuid, draft: &Draft) -> Result<()> {
    let params: database::Params<'_> = &[
        &id,
        &client_id,
        &draft.campaign_id,
        &draft.phone_number,
        &draft.forward_to_number,
        &draft.friendly_name,
        &tx.now(),
    ];
    tx.execute(&INSERT, params).await.map(|_| ()).map_err(|error: Error| {
        error
            .on_constraint("tracked_phone_numbers_phone_number_key", "phone_number", "taken", "this number is in use")
            .on_constraint(
                "tracked_phone_numbers_campaign_id_fkey",
                "campaign_id",
                "invalid",
                "choose one of the campaigns",
            )
    })
}

/// Holds a number that is about to be given back; refuses what is meant for another version.
///
/// # Errors
/// `NotFound`, or `Conflict` when it is not the expected version any more.
pub async fn expect(tx: &Transaction, client_id: Uuid, id: Uuid, expected: &Expected) -> Result<()> {
    tx.execute(&HOLD, &[&client_id, &id]).await?;
    expected.check(&tx.query_one::<Number>(&FIND, &[&client_id, &id]).await?.etag()?)
}

/// Gives a number back.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn release(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<()> {
    match tx.execute(&RELEASE, &[&client_id, &id, &tx.now()]).await? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}
