//! What an interrupted load left behind, found again by name: nothing is made twice.

use database::{FromRow, Params, Scope, Statement};
use kernel::Result;
use uuid::Uuid;

database::statement! {
    /// An organization.
    pub ORGANIZATION, app, "
        select id
        from organizations
        where slug = $1";
    /// A client of an organization.
    pub CLIENT, app, "
        select id
        from clients
        where org_id = $1
          and name = $2";
    /// Somebody who signs in.
    pub PERSON, app, "
        select id
        from auth.users
        where email = $1";
    /// A brand.
    pub BRAND, app, "
        select id
        from gift_card_brands
        where brand_name = $1";
    /// A pool.
    pub POOL, app, "
        select id
        from gift_card_pools
        where client_id = $1
          and pool_name = $2";
    /// A list that holds at least so many contacts.
    pub FULL_LIST, app, "
        select l.id
        from contact_lists l
        where l.client_id = $1
          and l.name = $2
          and $3 <= (
            select count(*)
            from contact_list_members m
            where m.client_id = l.client_id
              and m.list_id = l.id)";
    /// A mail template.
    pub TEMPLATE, app, "
        select id
        from templates
        where client_id = $1
          and name = $2";
    /// A form.
    pub FORM, app, "
        select id
        from ace_forms
        where client_id = $1
          and name = $2";
    /// A landing page that is published.
    pub PUBLISHED_PAGE, app, "
        select id
        from landing_pages
        where client_id = $1
          and name = $2
          and is_published";
    /// A landing page.
    pub PAGE, app, "
        select id
        from landing_pages
        where client_id = $1
          and name = $2";
    /// A campaign.
    pub CAMPAIGN, app, "
        select id
        from campaigns
        where client_id = $1
          and name = $2";
    /// A tracked number.
    pub NUMBER, app, "
        select id
        from tracked_phone_numbers
        where client_id = $1
          and phone_number = $2";
    /// A grant of credits.
    pub GRANT, app, "
        select id
        from credit_ledger
        where client_id = $1
          and reason = 'grant'
        limit 1"
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
}

/// The id of what is there already.
///
/// # Errors
/// What the database answered.
pub async fn id(scope: &Scope<'_>, statement: &Statement, params: Params<'_>) -> Result<Option<Uuid>> {
    let row: Option<Row> = scope.query_opt(statement, params).await?;
    Ok(row.map(|row| row.id))
}
