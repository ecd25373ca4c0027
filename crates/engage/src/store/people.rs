//! Recipients as strangers reach them: by link or by redemption code, never by id.

use database::{FromRow, Scope};
use kernel::Result;
use serde_json::Value;
use uuid::Uuid;

use crate::person::Person;

/// Which page and form a campaign's recipients get.
#[derive(Debug, Clone, FromRow)]
pub struct PageOf {
    /// The campaign's name.
    pub campaign_name: String,
    /// `bridge` or `redirect`.
    pub lp_mode: String,
    /// Where `redirect` leads.
    pub base_lp_url: Option<String>,
    /// The form.
    pub form_id: Option<Uuid>,
    /// The published version of the page.
    pub version_id: Option<Uuid>,
}

/// The page around a form, for a recipient who is known.
#[derive(Debug, Clone, FromRow)]
pub struct Around {
    /// The campaign's name.
    pub campaign_name: String,
    /// The published version of the page.
    pub version_id: Option<Uuid>,
    /// The client's name.
    pub client_name: String,
    /// The client's logo.
    pub logo_url: Option<String>,
    /// The client's colours.
    pub brand_colors_json: Option<Value>,
    /// E.164.
    pub support_phone: Option<String>,
}

database::statement! {
    /// The page around a form that a recipient sent from there.
    AROUND, public, "
        select c.name as campaign_name, lp.published_version_id as version_id, cl.name as client_name, cl.logo_url,
            cl.brand_colors_json, cl.support_phone
        from campaigns c
        join clients cl on cl.id = c.client_id
        left join landing_pages lp on lp.client_id = c.client_id and lp.id = c.landing_page_id
        where c.client_id = $1
          and c.id = $2";
    /// Whether anybody has this link.
    TOKEN_EXISTS, public, "
        select exists (
            select
            from recipients
            where purl_token = $1)";
    /// A recipient for the preview of their page: without the link and the code, which are their own.
    PREVIEWED, app, "
        select r.id as recipient_id, r.client_id, r.campaign_id, r.contact_id, c.status::text as status, c.completed_at,
            '0000000000' as purl_token, '000000000000' as redemption_code, r.first_name, r.last_name, r.email, r.phone,
            r.address, r.address2, r.city, r.state, r.zip, r.country, r.custom_fields, false as earned
        from recipients r
        join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
        where r.client_id = $1
          and r.id = $2";
    /// Which page and form a campaign's recipients get.
    PAGE_OF, app, "
        select c.name as campaign_name, c.lp_mode::text as lp_mode, c.base_lp_url,
            coalesce(c.form_id, (v.content_json ->> 'form_id')::uuid) as form_id, v.id as version_id
        from campaigns c
        left join landing_pages lp on lp.client_id = c.client_id and lp.id = c.landing_page_id
        left join landing_page_versions v on v.client_id = lp.client_id and v.id = lp.published_version_id
        where c.client_id = $1
          and c.id = $2";
    /// The recipient with this link, when the form is one of their campaign's.
    BY_TOKEN, public, "
        select r.id as recipient_id, r.client_id, r.campaign_id, r.contact_id, c.status::text as status, c.completed_at,
            r.purl_token, r.redemption_code, r.first_name, r.last_name, r.email, r.phone, r.address, r.address2,
            r.city, r.state, r.zip, r.country, r.custom_fields,
            exists (
              select
              from call_conditions_met m
              where m.client_id = r.client_id
                and m.recipient_id = r.id
                and m.gift_card_pool_id is not null) as earned
        from recipients r
        join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
        left join landing_pages lp on lp.client_id = c.client_id and lp.id = c.landing_page_id
        left join landing_page_versions v on v.client_id = lp.client_id and v.id = lp.published_version_id
        where r.purl_token = $3
          and r.client_id = $1
          and (
            coalesce(c.form_id, (v.content_json ->> 'form_id')::uuid) = $2
            or exists (
              select
              from campaign_conditions cc
              where cc.client_id = c.client_id
                and cc.campaign_id = c.id
                and cc.form_id = $2))";
    /// The recipient with this redemption code, when the form is one of their campaign's.
    BY_CODE, public, "
        select r.id as recipient_id, r.client_id, r.campaign_id, r.contact_id, c.status::text as status, c.completed_at,
            r.purl_token, r.redemption_code, r.first_name, r.last_name, r.email, r.phone, r.address, r.address2,
            r.city, r.state, r.zip, r.country, r.custom_fields,
            exists (
              select
              from call_conditions_met m
              where m.client_id = r.client_id
                and m.recipient_id = r.id
                and m.gift_card_pool_id is not null) as earned
        from recipients r
        join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
        left join landing_pages lp on lp.client_id = c.client_id and lp.id = c.landing_page_id
        left join landing_page_versions v on v.client_id = lp.client_id and v.id = lp.published_version_id
        where r.redemption_code = $3
          and r.client_id = $1
          and (
            coalesce(c.form_id, (v.content_json ->> 'form_id')::uuid) = $2
            or exists (
              select
              from campaign_conditions cc
              where cc.client_id = c.client_id
                and cc.campaign_id = c.id
                and cc.form_id = $2))"
}

/// Whether anybody has this link (as `kernel::codes::PurlToken` normalises it).
///
/// # Errors
/// What the database answered.
pub async fn token_exists(scope: &Scope<'_>, token: &str) -> Result<bool> {
    scope.query_scalar(&TOKEN_EXISTS, &[&token]).await
}

/// A recipient for the preview of their page, without link and code.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn previewed(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Person> {
    scope.query_one(&PREVIEWED, &[&client_id, &id]).await
}

/// Which page and form a campaign's recipients get.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn page_of(scope: &Scope<'_>, client_id: Uuid, campaign_id: Uuid) -> Result<PageOf> {
    scope.query_one(&PAGE_OF, &[&client_id, &campaign_id]).await
}

/// The recipient with this link, when the form is of their client and one of their campaign's.
///
/// # Errors
/// What the database answered.
pub async fn by_token(scope: &Scope<'_>, client_id: Uuid, form_id: Uuid, token: &str) -> Result<Option<Person>> {
    scope.query_opt(&BY_TOKEN, &[&client_id, &form_id, &token]).await
}

/// The recipient with this redemption code (12 characters), when the form is of their client and one of their
/// campaign's.
///
/// # Errors
/// What the database answered.
pub async fn by_code(scope: &Scope<'_>, client_id: Uuid, form_id: Uuid, code: &str) -> Result<Option<Person>> {
    scope.query_opt(&BY_CODE, &[&client_id, &form_id, &code]).await
}

/// The page around a form that a recipient sent from there.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn around(scope: &Scope<'_>, person: &Person) -> Result<Around> {
    scope.query_one(&AROUND, &[&person.client_id, &person.campaign_id]).await
}
