//! One search over what people look for: contacts, campaigns, codes.

use database::{FromRow, Scope};
use kernel::Result;
use uuid::Uuid;

/// Something found.
#[derive(Debug, Clone, FromRow)]
pub struct Found {
    /// `contact`, `campaign` or `recipient`.
    pub kind: String,
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub label: String,
    /// What else helps to tell it.
    pub detail: String,
    /// The word in the URL of its campaign, where it has one.
    pub slug: Option<String>,
}

database::statement! {
    /// At most twenty things a text may mean: a campaign's name, a contact's name, e-mail or code, a redemption code.
    SEARCH, app, "
        (select 'campaign' as kind, c.id, c.name as label, c.status::text as detail, c.slug
         from campaigns c
         where c.client_id = $1
           and c.name ilike $2
           and c.archived_at is null
         order by c.created_at desc
         limit 5)
        union all
        (select 'recipient', r.id, coalesce(nullif(btrim(concat(r.first_name, ' ', r.last_name)), ''), 'No name'), c.name,
            c.slug
         from recipients r
         join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
         where r.client_id = $1
           and r.redemption_code = $3
         limit 5)
        union all
        (select 'contact', p.id, coalesce(nullif(btrim(concat(p.first_name, ' ', p.last_name)), ''), p.customer_code),
            coalesce(p.email, p.phone, p.customer_code), null
         from contacts p
         where p.client_id = $1
           and (concat_ws(' ', p.first_name, p.last_name, p.email, p.customer_code) ilike $2 or p.phone = $4)
         limit 10)"
}

/// What `text` may mean for a client.
///
/// # Errors
/// What the database answered.
pub async fn search(scope: &Scope<'_>, client_id: Uuid, text: &str) -> Result<Vec<Found>> {
    let pattern = database::containing(text);
    let code = kernel::codes::RedemptionCode::parse(text).ok().map(|code| code.as_str().to_owned());
    let phone = kernel::phone::normalise(text, kernel::phone::DEFAULT_REGION);
    scope.query(&SEARCH, &[&client_id, &pattern, &code, &phone]).await
}
