//! How far a new client has come: what there must be before a first campaign can be launched.

use database::{FromRow, Scope};
use kernel::Result;
use uuid::Uuid;

/// What a client has.
#[derive(Debug, Clone, FromRow)]
pub struct Progress {
    /// Anybody to mail.
    pub contacts: bool,
    /// A card in stock.
    pub cards: bool,
    /// A published form.
    pub form: bool,
    /// A published landing page.
    pub page: bool,
    /// A mail piece, or a campaign that needs none.
    pub piece: bool,
    /// The newest pool, which may be empty.
    pub pool: Option<Uuid>,
    /// The newest form that is not open.
    pub draft_form: Option<Uuid>,
    /// The newest landing page that is not published.
    pub draft_page: Option<Uuid>,
    /// The word in the URL of the newest campaign.
    pub campaign: Option<String>,
    /// A campaign was launched once.
    pub launched: bool,
}

database::statement! {
    /// What the client $1 has.
    PROGRESS, app, "
        select
            exists (select from contacts x where x.client_id = $1) as contacts,
            exists (
                select
                from gift_card_pools x
                where x.client_id = $1
                  and x.total_cards > 0
                  and x.archived_at is null) as cards,
            exists (
                select
                from ace_forms x
                where x.client_id = $1
                  and x.is_active
                  and x.archived_at is null) as form,
            exists (
                select
                from landing_pages x
                where x.client_id = $1
                  and x.is_published
                  and x.archived_at is null) as page,
            exists (
                select
                from templates x
                where x.client_id = $1
                  and x.archived_at is null)
            or exists (
                select
                from campaigns x
                where x.client_id = $1
                  and x.no_mail_piece
                  and x.archived_at is null) as piece,
            (
                select x.id
                from gift_card_pools x
                where x.client_id = $1
                  and x.archived_at is null
                order by x.id desc
                limit 1) as pool,
            (
                select x.id
                from ace_forms x
                where x.client_id = $1
                  and not x.is_active
                  and x.archived_at is null
                order by x.id desc
                limit 1) as draft_form,
            (
                select x.id
                from landing_pages x
                where x.client_id = $1
                  and not x.is_published
                  and x.archived_at is null
                order by x.id desc
                limit 1) as draft_page,
            (
                select x.slug
                from campaigns x
                where x.client_id = $1
                  and x.archived_at is null
                order by x.id desc
                limit 1) as campaign,
            exists (
                select
                from campaigns x
                where x.client_id = $1
                  and x.launched_at is not null) as launched"
}

/// How far a client has come.
///
/// # Errors
/// What the database answered.
pub async fn of_client(scope: &Scope<'_>, client_id: Uuid) -> Result<Progress> {
    scope.query_one(&PROGRESS, &[&client_id]).await
}
