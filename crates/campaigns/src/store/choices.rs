//! What a campaign can be made of: the names the wizard offers. Two hundred of each are offered, newest first.

use database::{FromRow, Scope, Statement};
use kernel::Result;
use rust_decimal::Decimal;
use uuid::Uuid;

/// Something to choose.
#[derive(Debug, Clone, FromRow)]
pub struct Named {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What tells it from others of that name: the size of a list, `draft`, the size of a mail piece.
    pub detail: String,
}

/// A pool to choose.
#[derive(Debug, Clone, FromRow)]
pub struct PoolChoice {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub pool_name: String,
    /// The card's brand.
    pub brand_name: String,
    /// The card's value.
    pub value_amount: Decimal,
    /// Cards that are promised to nobody.
    pub free_cards: i32,
}

/// The names of what a campaign is made of.
#[derive(Debug, Clone, FromRow)]
pub struct Names {
    /// To whom.
    pub list_name: Option<String>,
    /// What is printed.
    pub template_name: Option<String>,
    /// What recipients see.
    pub landing_page_name: Option<String>,
    /// The form they get.
    pub form_name: Option<String>,
    /// Its id.
    pub form_id: Option<Uuid>,
}

database::statement! {
    /// Contact lists.
    pub LISTS, app, "
        select id, name, contact_count || case contact_count when 1 then ' contact' else ' contacts' end as detail
        from contact_lists
        where client_id = $1
        order by created_at desc, id desc
        limit 200";
    /// Mail pieces.
    pub TEMPLATES, app, "
        select id, name, size::text as detail
        from templates
        where client_id = $1
          and archived_at is null
        order by created_at desc, id desc
        limit 200";
    /// Landing pages.
    pub LANDING_PAGES, app, "
        select id, name, case when is_published then 'published' else 'draft' end as detail
        from landing_pages
        where client_id = $1
          and archived_at is null
        order by created_at desc, id desc
        limit 200";
    /// Forms.
    pub FORMS, app, "
        select id, name, case when is_active then 'open' else 'closed' end as detail
        from ace_forms
        where client_id = $1
          and archived_at is null
        order by created_at desc, id desc
        limit 200";
    /// The names of what a campaign is made of.
    NAMES, app, "
        select l.name as list_name, t.name as template_name, p.name as landing_page_name, f.name as form_name,
            f.id as form_id
        from campaigns c
        left join contact_lists l on l.client_id = c.client_id and l.id = c.contact_list_id
        left join templates t on t.client_id = c.client_id and t.id = c.template_id
        left join landing_pages p on p.client_id = c.client_id and p.id = c.landing_page_id
        left join ace_forms f
            on f.client_id = c.client_id
            and f.id = coalesce(c.form_id, (p.content_json ->> 'form_id')::uuid)
        where c.client_id = $1
          and c.id = $2";
    /// Pools of the client.
    POOLS, app, "
        select p.id, p.pool_name, b.brand_name, p.value_amount, p.available_cards - p.reserved_cards as free_cards
        from gift_card_pools p
        join gift_card_brands b on b.id = p.brand_id
        where p.client_id = $1
          and p.archived_at is null
        order by p.created_at desc, p.id desc
        limit 200"
}

/// The client's things of one kind.
///
/// # Errors
/// What the database answered.
pub async fn named(scope: &Scope<'_>, client_id: Uuid, which: &Statement) -> Result<Vec<Named>> {
    scope.query(which, &[&client_id]).await
}

/// The client's pools.
///
/// # Errors
/// What the database answered.
pub async fn pools(scope: &Scope<'_>, client_id: Uuid) -> Result<Vec<PoolChoice>> {
    scope.query(&POOLS, &[&client_id]).await
}

/// The names of what a campaign is made of.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn names(scope: &Scope<'_>, client_id: Uuid, campaign_id: Uuid) -> Result<Names> {
    scope.query_one(&NAMES, &[&client_id, &campaign_id]).await
}
