//! Recipients as strangers reach them: by link or by redemption code, never by id.

use database::Scope;
use kernel::Result;
use uuid::Uuid;

use crate::person::Person;

database::statement! {
    /// Whether anybody has this link.
    TOKEN_EXISTS, system, "
        select exists (
            select
            from recipients
            where purl_token = $1)";
    /// The recipient with this link, when the form is one of their campaign's.
    BY_TOKEN, system, "
        select r.id as recipient_id, r.client_id, r.campaign_id, r.contact_id, c.status::text as status, c.completed_at,
            r.purl_token, r.redemption_code, r.first_name, r.last_name, r.email, r.phone, r.address, r.address2,
            r.city, r.state, r.zip, r.country, r.custom_fields
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
    BY_CODE, system, "
        select r.id as recipient_id, r.client_id, r.campaign_id, r.contact_id, c.status::text as status, c.completed_at,
            r.purl_token, r.redemption_code, r.first_name, r.last_name, r.email, r.phone, r.address, r.address2,
            r.city, r.state, r.zip, r.country, r.custom_fields
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
