//! The catalogue of brands, one for all clients.

use database::{FromRow, Scope, Transaction};
use kernel::Result;
use kernel::money::Money;
use kernel::page::{Page, PageParams};
use kernel::version::Expected;
use uuid::Uuid;

/// A row of `gift_card_brands`.
#[derive(Debug, Clone, FromRow)]
pub struct Brand {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub brand_name: String,
    /// Where its logo is.
    pub brand_logo_url: Option<String>,
    /// What a card is mostly worth.
    pub default_value: Option<Money>,
    /// What a code must look like.
    pub code_pattern: Option<String>,
    /// What a PIN must look like; none: cards of this brand need none.
    pub pin_pattern: Option<String>,
    /// Where people redeem.
    pub redemption_url: Option<String>,
    /// Whom people ask.
    pub support_phone: Option<String>,
    /// Whether new pools can have it.
    pub is_active: bool,
    /// The transaction that wrote it last: it has no time of its last change.
    pub version: String,
}

impl Brand {
    /// Its ETag.
    pub fn etag(&self) -> String {
        etag(&self.version)
    }
}

fn etag(version: &str) -> String {
    format!("\"{version}\"")
}

database::statement! {
    /// A page of brands.
    LIST, app, "
        select id, brand_name, brand_logo_url, default_value, code_pattern, pin_pattern, redemption_url, support_phone, is_active,
            xmin::text as version, lower(brand_name) as sort_name
        from gift_card_brands
        where ($1::text is null or (lower(brand_name), id) > ($1, $2))
          and (is_active or not $3)
        order by lower(brand_name), id
        limit $4";
    /// One brand.
    FIND, app, "
        select id, brand_name, brand_logo_url, default_value, code_pattern, pin_pattern, redemption_url, support_phone, is_active,
            xmin::text as version
        from gift_card_brands
        where id = $1";
    /// A new brand.
    INSERT, app, "
        insert into gift_card_brands (
          id, brand_name, brand_logo_url, default_value, code_pattern, pin_pattern, redemption_url, support_phone, is_active, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    /// A brand that ships with ACE, unless there is one of that name.
    INSERT_SHIPPED, app, "
        insert into gift_card_brands (id, brand_name, default_value, redemption_url, created_at, code_pattern)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (brand_name) do nothing";
    /// The version of a brand, held until the transaction ends.
    LOCK, app, "
        select xmin::text as version
        from gift_card_brands
        where id = $1
        for update";
    /// A changed brand.
    UPDATE, app, "
        update gift_card_brands
        set brand_name = $2, brand_logo_url = $3, default_value = $4, code_pattern = $5, pin_pattern = $6,
            redemption_url = $7, support_phone = $8, is_active = $9
        where id = $1"
}

/// What a brand is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its name.
    pub brand_name: String,
    /// Where its logo is.
    pub brand_logo_url: Option<String>,
    /// What a card is mostly worth.
    pub default_value: Option<Money>,
    /// What a code must look like.
    pub code_pattern: Option<String>,
    /// What a PIN must look like.
    pub pin_pattern: Option<String>,
    /// Where people redeem.
    pub redemption_url: Option<String>,
    /// Whom people ask.
    pub support_phone: Option<String>,
    /// Whether new pools can have it.
    pub is_active: bool,
}

/// A brand with what the list is sorted by.
#[derive(FromRow)]
struct Listed {
    #[from_row(flatten)]
    brand: Brand,
    sort_name: String,
}

/// A page of brands by name, or of those that new pools can have.
///
/// # Errors
/// Names `limit` and `after` when they are none; what the database answered.
pub async fn list(scope: &Scope<'_>, active_only: bool, page: &PageParams) -> Result<Page<Brand>> {
    let limit = page.limit()?;
    let (name, id): (Option<String>, Option<Uuid>) = page.after()?.unzip();
    let rows = scope.query(&LIST, &[&name, &id, &active_only, &(limit + 1)]).await?;
    let listed = Page::from_rows(rows, limit, |row: &Listed| (row.sort_name.clone(), row.brand.id));
    Ok(listed.map(|row| row.brand))
}

/// One brand.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, id: Uuid) -> Result<Brand> {
    scope.query_one(&FIND, &[&id]).await
}

pub(crate) async fn insert(tx: &Transaction, id: Uuid, draft: &Draft) -> Result<()> {
    let params: database::Params<'_> = &[
        &id,
        &draft.brand_name,
        &draft.brand_logo_url,
        &draft.default_value,
        &draft.code_pattern,
        &draft.pin_pattern,
        &draft.redemption_url,
        &draft.support_phone,
        &draft.is_active,
        &tx.now(),
    ];
    tx.execute(&INSERT, params).await.map(|_| ()).map_err(name_taken)
}

pub(crate) async fn insert_shipped(
    tx: &Transaction,
    id: Uuid,
    (name, url): (&str, &str),
    value: Money,
    code_pattern: Option<&str>,
) -> Result<bool> {
    let params: database::Params<'_> = &[&id, &name, &value, &url, &tx.now(), &code_pattern];
    tx.execute(&INSERT_SHIPPED, params).await.map(|rows| rows == 1)
}

/// Holds a brand that is about to change, and tells how it is; refuses a change that is meant for another version.
pub(crate) async fn expect(tx: &Transaction, id: Uuid, expected: &Expected) -> Result<Brand> {
    let version: String = tx.query_scalar(&LOCK, &[&id]).await?;
    expected.check(&etag(&version))?;
    tx.query_one(&FIND, &[&id]).await
}

pub(crate) async fn update(tx: &Transaction, id: Uuid, draft: &Draft) -> Result<bool> {
    let params: database::Params<'_> = &[
        &id,
        &draft.brand_name,
        &draft.brand_logo_url,
        &draft.default_value,
        &draft.code_pattern,
        &draft.pin_pattern,
        &draft.redemption_url,
        &draft.support_phone,
        &draft.is_active,
    ];
    tx.execute(&UPDATE, params).await.map(|rows| rows == 1).map_err(name_taken)
}

fn name_taken(error: kernel::Error) -> kernel::Error {
    error.on_constraint("gift_card_brands_brand_name_key", "brand_name", "taken", "another brand has this name")
}
