//! Organizations and their clients.

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope};
use kernel::Result;
use kernel::page::{Page, PageParams};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

database::statement! {
    /// A new organization.
    pub INSERT_ORGANIZATION, app, "
        insert into organizations (id, name, slug, type, settings_json, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6)";
    /// An organization.
    pub FIND_ORGANIZATION, app, "
        select o.id, o.name, o.slug, o.type as kind, o.settings_json, o.archived_at, o.created_at, o.updated_at,
            (select count(*) from clients c where c.org_id = o.id and c.archived_at is null) as clients
        from organizations o
        where o.id = $1";
    /// An organization by the word in URLs.
    pub FIND_ORGANIZATION_BY_SLUG, app, "
        select o.id, o.name, o.slug, o.type as kind, o.settings_json, o.archived_at, o.created_at, o.updated_at,
            (select count(*) from clients c where c.org_id = o.id and c.archived_at is null) as clients
        from organizations o
        where o.slug = $1";
    /// The version of an organization, held until the transaction ends.
    pub LOCK_ORGANIZATION, app, "
        select updated_at
        from organizations
        where id = $1
        for update";
    /// An organization's name and settings.
    pub UPDATE_ORGANIZATION, app, "
        update organizations
        set name = $2,
            settings_json = $3,
            updated_at = $4
        where id = $1";
    /// A new client.
    pub INSERT_CLIENT, app, "
        insert into clients (id, org_id, name, slug, industry, website_url, time_zone, created_at, updated_at)
        values ($1, $2, $3, $4, $5::text::industry, $6, $7, $8, $8)";
    /// A client.
    pub FIND_CLIENT, app, "
        select c.id, c.org_id, o.name as org_name, o.slug as org_slug, c.name, c.slug, c.industry::text as industry, c.logo_url,
            c.brand_colors_json, c.website_url, c.support_phone, c.time_zone, c.credits, c.archived_at, c.created_at, c.updated_at
        from clients c
        join organizations o on o.id = c.org_id
        where c.id = $1";
    /// The version of a client, held until the transaction ends.
    pub LOCK_CLIENT, app, "
        select updated_at
        from clients
        where id = $1
        for update";
    /// A client by the word in URLs.
    pub FIND_CLIENT_BY_SLUG, app, "
        select c.id, c.org_id, o.name as org_name, o.slug as org_slug, c.name, c.slug, c.industry::text as industry, c.logo_url,
            c.brand_colors_json, c.website_url, c.support_phone, c.time_zone, c.credits, c.archived_at, c.created_at, c.updated_at
        from clients c
        join organizations o on o.id = c.org_id
        where c.slug = $1";
    /// What can be set of a client.
    pub UPDATE_CLIENT, app, "
        update clients
        set name = $2,
            industry = $3::text::industry,
            logo_url = $4,
            website_url = $5,
            support_phone = $6,
            time_zone = $7,
            brand_colors_json = $8,
            updated_at = $9
        where id = $1";
    /// Puts a client away, or takes it out again.
    pub ARCHIVE_CLIENT, app, "
        update clients
        set archived_at = $2,
            updated_at = $3
        where id = $1"
}

/// An organization.
#[derive(Debug, Clone, Serialize, FromRow, ToSchema)]
pub struct Organization {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its word in URLs.
    pub slug: String,
    /// `internal`, `agency` or `direct`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Second factor required, approval by a second person, and the like.
    #[schema(value_type = Object)]
    pub settings_json: Value,
    /// Since when it is put away.
    pub archived_at: Option<DateTime<Utc>>,
    /// Since when it is here.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// How many clients it has that the caller reaches.
    pub clients: i64,
}

/// A client.
#[derive(Debug, Clone, Serialize, FromRow, ToSchema)]
pub struct Client {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub org_id: Uuid,
    /// Its organization's name.
    pub org_name: String,
    /// Its organization's word in URLs.
    pub org_slug: String,
    /// Its name.
    pub name: String,
    /// Its word in URLs.
    pub slug: String,
    /// Its trade.
    pub industry: String,
    /// Its logo.
    pub logo_url: Option<String>,
    /// `primary` and `secondary`.
    #[schema(value_type = Object)]
    pub brand_colors_json: Value,
    /// Its website.
    pub website_url: Option<String>,
    /// The number recipients may call.
    pub support_phone: Option<String>,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Credits left.
    pub credits: i32,
    /// Since when it is put away.
    pub archived_at: Option<DateTime<Utc>>,
    /// Since when it is here.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Organization {
    /// Whether nobody gets in without a second factor.
    pub fn requires_second_factor(&self) -> bool {
        self.settings_json["require_second_factor"].as_bool().unwrap_or(false)
    }

    /// What a `piece` or a `reward` costs its clients, in credits.
    pub fn price(&self, what: &str) -> i32 {
        self.settings_json["prices"][what]
            .as_i64()
            .and_then(|price| i32::try_from(price).ok())
            .unwrap_or_default()
            .max(0)
    }
}

/// Organizations within reach, by name.
pub async fn list_organizations(scope: &Scope<'_>, search: &str, page: &PageParams) -> Result<Page<Organization>> {
    let (limit, after) = (page.limit()?, page.after::<(String, Uuid)>()?.unwrap_or_default());
    let (like, take) = (database::containing(search), limit + 1);
    let filter = Filter::new(
        "accounts::organizations",
        "select o.id, o.name, o.slug, o.type as kind, o.settings_json, o.archived_at, o.created_at, o.updated_at,
            (select count(*) from clients c where c.org_id = o.id and c.archived_at is null) as clients
        from organizations o",
    )
    .bind("where o.name ilike", &like)
    // folded by the same hand as the column: Rust and PostgreSQL differ about letters beyond ASCII
    .bind("and (lower(o.name), o.id) > (lower(", &after.0)
    .bind("),", &after.1)
    .push(") order by lower(o.name), o.id")
    .bind("limit", &take);
    let rows: Vec<Organization> = scope.query_filter(&filter).await?;
    Ok(Page::from_rows(rows, limit, |row| (row.name.clone(), row.id)))
}

/// Which clients of a list are wanted.
#[derive(Debug, Clone, Default)]
pub struct ClientFilter<'a> {
    /// Part of the name.
    pub search: &'a str,
    /// Those of one organization.
    pub org_id: Option<Uuid>,
    /// Those put away, too.
    pub archived: bool,
}

/// Clients within reach, by name.
pub async fn list_clients(scope: &Scope<'_>, wanted: &ClientFilter<'_>, page: &PageParams) -> Result<Page<Client>> {
    let (limit, after) = (page.limit()?, page.after::<(String, Uuid)>()?.unwrap_or_default());
    let (like, take) = (database::containing(wanted.search), limit + 1);
    let filter = Filter::new(
        "accounts::clients",
        "select c.id, c.org_id, o.name as org_name, o.slug as org_slug, c.name, c.slug, c.industry::text as industry, c.logo_url,
            c.brand_colors_json, c.website_url, c.support_phone, c.time_zone, c.credits, c.archived_at, c.created_at, c.updated_at
        from clients c
        join organizations o on o.id = c.org_id",
    )
    .bind("where c.name ilike", &like)
    .bind_some("and c.org_id =", wanted.org_id.as_ref())
    .push(if wanted.archived { "" } else { "and c.archived_at is null" })
    // folded by the same hand as the column: Rust and PostgreSQL differ about letters beyond ASCII
    .bind("and (lower(c.name), c.id) > (lower(", &after.0)
    .bind("),", &after.1)
    .push(") order by lower(c.name), c.id")
    .bind("limit", &take);
    let rows: Vec<Client> = scope.query_filter(&filter).await?;
    Ok(Page::from_rows(rows, limit, |row| (row.name.clone(), row.id)))
}
