//! Campaigns: the row. How it goes from status to status is in [`super::life`].

use chrono::{DateTime, NaiveDate, Utc};
use database::{Filter, FromRow, Scope, Transaction};
use kernel::{Error, Problems, Result};
use serde_json::Value;
use uuid::Uuid;

use super::life;

/// A row of `campaigns`.
#[derive(Debug, Clone, FromRow)]
pub struct Campaign {
    /// Its id.
    pub id: Uuid,
    /// The client it belongs to.
    pub client_id: Uuid,
    /// The name people know.
    pub name: String,
    /// The word in URLs.
    pub slug: String,
    /// How far it is: `draft`, `ready`, `in_production`, `mailed`, `active`, `completed`.
    pub status: String,
    /// `4x6`, `6x9`, `6x11` or `letter`.
    pub size: Option<String>,
    /// `standard` or `first_class`.
    pub postage: Option<String>,
    /// When the pieces are mailed.
    pub mail_date: Option<NaiveDate>,
    /// To whom.
    pub contact_list_id: Option<Uuid>,
    /// What is printed.
    pub template_id: Option<Uuid>,
    /// Printed elsewhere or not at all.
    pub no_mail_piece: bool,
    /// What recipients see.
    pub landing_page_id: Option<Uuid>,
    /// The form on it; the landing page's own when absent.
    pub form_id: Option<Uuid>,
    /// `bridge` or `redirect`.
    pub lp_mode: String,
    /// Where `redirect` leads.
    pub base_lp_url: Option<String>,
    /// Added to `base_lp_url`.
    pub utm_source: Option<String>,
    /// Added to `base_lp_url`.
    pub utm_medium: Option<String>,
    /// Added to `base_lp_url`.
    pub utm_campaign: Option<String>,
    /// Cards to promise for each reward; one for every recipient when absent.
    pub cards_per_reward: Option<i32>,
    /// Recipients, cards and credits as frozen when it became ready.
    pub estimate: Option<Value>,
    /// Who made it.
    pub created_by_user_id: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed; the ETag is made of it.
    pub updated_at: DateTime<Utc>,
    /// When recipients were generated.
    pub launched_at: Option<DateTime<Utc>>,
    /// When it was confirmed to be in the mail.
    pub mailed_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it was put out of sight: nothing is done with it any more.
    pub archived_at: Option<DateTime<Utc>>,
}

impl Campaign {
    /// A number of the frozen estimate: `recipients`, `skipped`, `cards_per_reward`, `credits`, `price_piece`.
    pub fn estimated(&self, what: &str) -> Option<i64> {
        self.estimate.as_ref()?.get(what)?.as_i64()
    }
}

/// What a person decides about a campaign.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// The name people know.
    pub name: String,
    /// `4x6`, `6x9`, `6x11` or `letter`.
    pub size: Option<String>,
    /// `standard` or `first_class`.
    pub postage: Option<String>,
    /// When the pieces are mailed.
    pub mail_date: Option<NaiveDate>,
    /// To whom.
    pub contact_list_id: Option<Uuid>,
    /// What is printed.
    pub template_id: Option<Uuid>,
    /// Printed elsewhere or not at all.
    pub no_mail_piece: bool,
    /// What recipients see.
    pub landing_page_id: Option<Uuid>,
    /// The form on it.
    pub form_id: Option<Uuid>,
    /// `bridge` or `redirect`.
    pub lp_mode: String,
    /// Where `redirect` leads.
    pub base_lp_url: Option<String>,
    /// Added to `base_lp_url`.
    pub utm_source: Option<String>,
    /// Added to `base_lp_url`.
    pub utm_medium: Option<String>,
    /// Added to `base_lp_url`.
    pub utm_campaign: Option<String>,
    /// Cards to promise for each reward.
    pub cards_per_reward: Option<i32>,
}

database::statement! {
    /// One campaign by id.
    FIND, app, "
        select id, client_id, name, slug, status::text as status, size::text as size, postage::text as postage,
            mail_date, contact_list_id, template_id, no_mail_piece, landing_page_id, form_id, lp_mode::text as lp_mode,
            base_lp_url, utm_source, utm_medium, utm_campaign, cards_per_reward, estimate, created_by_user_id,
            created_at, updated_at, launched_at, mailed_at, completed_at, archived_at
        from campaigns
        where client_id = $1
          and id = $2";
    /// One campaign by the word in its URL.
    FIND_BY_SLUG, app, "
        select id, client_id, name, slug, status::text as status, size::text as size, postage::text as postage,
            mail_date, contact_list_id, template_id, no_mail_piece, landing_page_id, form_id, lp_mode::text as lp_mode,
            base_lp_url, utm_source, utm_medium, utm_campaign, cards_per_reward, estimate, created_by_user_id,
            created_at, updated_at, launched_at, mailed_at, completed_at, archived_at
        from campaigns
        where client_id = $1
          and slug = $2";
    /// A new draft; the first free slug of the candidates is taken.
    INSERT, app, "
        insert into campaigns (
            id, client_id, name, slug, size, postage, mail_date, contact_list_id, template_id, no_mail_piece,
            landing_page_id, form_id, lp_mode, base_lp_url, utm_source, utm_medium, utm_campaign, cards_per_reward,
            created_by_user_id, created_at, updated_at)
        select $1, $2, $3, free.slug,
            coalesce($5::text::mail_size, (select t.size from templates t where t.client_id = $2 and t.id = $9)), $6::text::postage, $7, $8, $9, $10,
            $11, $12, $13::text::lp_mode, $14, $15, $16, $17, $18, $19, $20, $20
        from (
            select candidate.slug
            from unnest($4::text[]) with ordinality as candidate (slug, n)
            where not exists (
                select
                from campaigns c
                where c.client_id = $2
                  and c.slug = candidate.slug)
            order by candidate.n
            limit 1) as free
        returning slug";
    /// A changed draft; nothing but a draft changes.
    UPDATE, app, "
        update campaigns
        set name = $3,
            size = coalesce($4::text::mail_size, (select t.size from templates t where t.client_id = $1 and t.id = $8)), postage = $5::text::postage, mail_date = $6, contact_list_id = $7,
            template_id = $8, no_mail_piece = $9, landing_page_id = $10, form_id = $11, lp_mode = $12::text::lp_mode,
            base_lp_url = $13, utm_source = $14, utm_medium = $15, utm_campaign = $16, cards_per_reward = $17,
            updated_at = $18
        where client_id = $1
          and id = $2
          and status = 'draft'
          and archived_at is null
          and updated_at = $19";
    /// Which of the parts a draft names are archived; those it had before may stay, and the check list says so.
    GONE, app, "
        select 'template_id' as field
        from templates t
        where t.client_id = $1
          and t.id = $3
          and t.archived_at is not null
          and not exists (select from campaigns c where c.client_id = $1 and c.id = $2 and c.template_id = t.id)
        union all
        select 'landing_page_id'
        from landing_pages p
        where p.client_id = $1
          and p.id = $4
          and p.archived_at is not null
          and not exists (select from campaigns c where c.client_id = $1 and c.id = $2 and c.landing_page_id = p.id)
        union all
        select 'form_id'
        from ace_forms f
        where f.client_id = $1
          and f.id = $5
          and f.archived_at is not null
          and not exists (select from campaigns c where c.client_id = $1 and c.id = $2 and c.form_id = f.id)";
    /// Puts a campaign out of sight.
    ARCHIVE, app, "
        update campaigns
        set archived_at = $3, updated_at = $4
        where client_id = $1
          and id = $2"
}

/// Which campaigns are listed.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// Part of the name.
    pub search: Option<String>,
    /// Only this status.
    pub status: Option<String>,
    /// The last row of the page before: when it was made, and its id.
    pub after: Option<(DateTime<Utc>, Uuid)>,
}

/// A page of a client's campaigns, newest first.
///
/// # Errors
/// What the database answered.
pub async fn list(scope: &Scope<'_>, client_id: Uuid, filter: &ListFilter, limit: i64) -> Result<Vec<Campaign>> {
    let pattern = filter.search.as_deref().map(database::containing);
    let (after_at, after_id) = filter.after.unzip();
    let more = limit + 1;
    let mut sql = Filter::new(
        "campaigns list",
        "select id, client_id, name, slug, status::text as status, size::text as size, postage::text as postage,
            mail_date, contact_list_id, template_id, no_mail_piece, landing_page_id, form_id, lp_mode::text as lp_mode,
            base_lp_url, utm_source, utm_medium, utm_campaign, cards_per_reward, estimate, created_by_user_id,
            created_at, updated_at, launched_at, mailed_at, completed_at, archived_at from campaigns",
    )
    .bind("where archived_at is null and client_id =", &client_id)
    .bind_some("and name ilike", pattern.as_ref())
    .bind_some("and status::text =", filter.status.as_ref());
    if let (Some(at), Some(id)) = (&after_at, &after_id) {
        sql = sql.bind("and (created_at, id) < (", at).bind(",", id).push(")");
    }
    scope.query_filter(&sql.bind("order by created_at desc, id desc limit", &more)).await
}

/// One campaign by id.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Campaign> {
    scope.query_one(&FIND, &[&client_id, &id]).await
}

/// One campaign by the word in its URL.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find_by_slug(scope: &Scope<'_>, client_id: Uuid, slug: &str) -> Result<Campaign> {
    scope.query_one(&FIND_BY_SLUG, &[&client_id, &slug]).await
}

#[derive(FromRow)]
struct Gone {
    field: String,
}

/// Refuses parts that were archived, unless the campaign had them before.
async fn refuse_gone(tx: &Transaction, client_id: Uuid, id: Uuid, draft: &Draft) -> Result<()> {
    let params: database::Params<'_> = &[&client_id, &id, &draft.template_id, &draft.landing_page_id, &draft.form_id];
    let gone: Vec<Gone> = tx.query(&GONE, params).await?;
    let mut problems = Problems::new();
    for Gone { field } in gone {
        problems.invalid(field, "this was archived: choose another one");
    }
    problems.finish()
}

/// Writes a new draft; returns its slug.
///
/// # Errors
/// Names the wrong field.
pub async fn insert(tx: &Transaction, client_id: Uuid, id: Uuid, draft: &Draft) -> Result<String> {
    refuse_gone(tx, client_id, id, draft).await?;
    let base = kernel::slug::slugify(&draft.name);
    let candidates: Vec<String> = (1..=200).map(|n| kernel::slug::numbered(&base, n)).collect();
    let by = tx.actor().user_id();
    let params: database::Params<'_> = &[
        &id,
        &client_id,
        &draft.name,
        &candidates,
        &draft.size,
        &draft.postage,
        &draft.mail_date,
        &draft.contact_list_id,
        &draft.template_id,
        &draft.no_mail_piece,
        &draft.landing_page_id,
        &draft.form_id,
        &draft.lp_mode,
        &draft.base_lp_url,
        &draft.utm_source,
        &draft.utm_medium,
        &draft.utm_campaign,
        &draft.cards_per_reward,
        &by,
        &tx.now(),
    ];
    tx.query_scalar(&INSERT, params).await.map_err(wrong_field)
}

/// Writes a changed draft, which was last changed at `read_at` when the person read it.
///
/// # Errors
/// `Conflict` when it is no draft any more or was changed since; names the wrong field.
pub async fn update(tx: &Transaction, client_id: Uuid, id: Uuid, draft: &Draft, read_at: DateTime<Utc>) -> Result<()> {
    refuse_gone(tx, client_id, id, draft).await?;
    let params: database::Params<'_> = &[
        &client_id,
        &id,
        &draft.name,
        &draft.size,
        &draft.postage,
        &draft.mail_date,
        &draft.contact_list_id,
        &draft.template_id,
        &draft.no_mail_piece,
        &draft.landing_page_id,
        &draft.form_id,
        &draft.lp_mode,
        &draft.base_lp_url,
        &draft.utm_source,
        &draft.utm_medium,
        &draft.utm_campaign,
        &draft.cards_per_reward,
        &tx.now(),
        &read_at,
    ];
    if tx.execute(&UPDATE, params).await.map_err(wrong_field)? == 1 {
        return Ok(());
    }
    if life::lock(tx, client_id, id).await? == "draft" {
        return Err(kernel::version::changed_meanwhile());
    }
    Err(Error::conflict("not_a_draft", "only a draft can be changed: take the campaign back to draft first"))
}

/// Puts a campaign out of sight; false when there is none.
///
/// # Errors
/// What the database answered.
pub async fn archive(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<bool> {
    let at = Some(tx.now());
    tx.execute(&ARCHIVE, &[&client_id, &id, &at, &tx.now()]).await.map(|rows| rows == 1)
}

fn wrong_field(error: Error) -> Error {
    error
        .on_constraint("campaigns_contact_list_id_fkey", "contact_list_id", "invalid", "there is no such list")
        .on_constraint("campaigns_template_id_fkey", "template_id", "invalid", "there is no such mail piece")
        .on_constraint("campaigns_landing_page_id_fkey", "landing_page_id", "invalid", "there is no such landing page")
        .on_constraint("campaigns_form_id_fkey", "form_id", "invalid", "choose one of the forms")
        .on_constraint(
            "campaigns_postage_offered",
            "postage",
            "invalid",
            "standard postage is not offered for 4x6: choose first class or another size",
        )
}
