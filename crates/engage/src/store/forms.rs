//! Forms as strangers get them, and how often they were shown and sent.

use database::{FromRow, Scope, Transaction};
use kernel::Result;
use serde_json::Value;
use uuid::Uuid;

/// An open form with its client's brand.
#[derive(Debug, Clone, FromRow)]
pub struct PublicForm {
    /// Its id.
    pub id: Uuid,
    /// The client it belongs to.
    pub client_id: Uuid,
    /// Fields, settings, reveal.
    pub form_config: Value,
    /// The client's name.
    pub client_name: String,
    /// The client's logo.
    pub logo_url: Option<String>,
    /// The client's colours.
    pub brand_colors_json: Option<Value>,
    /// Whether a reward of it goes where the person says.
    pub offers_choice: bool,
}

database::statement! {
    /// An open form by its id.
    FIND, public, "
        select f.id, f.client_id, f.form_config, cl.name as client_name, cl.logo_url, cl.brand_colors_json,
            exists (
              select
              from campaign_conditions cc
              join campaign_reward_configs w
                on w.client_id = cc.client_id
                and w.campaign_id = cc.campaign_id
                and w.condition_number = cc.condition_number
              join campaigns c on c.client_id = cc.client_id and c.id = cc.campaign_id
              left join landing_pages lp on lp.client_id = c.client_id and lp.id = c.landing_page_id
              left join landing_page_versions v on v.client_id = lp.client_id and v.id = lp.published_version_id
              where cc.client_id = f.client_id
                and cc.trigger_type = 'form_submit'
                and cc.is_active
                and w.delivery_channel = 'choice'
                and c.status <> 'completed'
                and coalesce(cc.form_id, c.form_id, (v.content_json ->> 'form_id')::uuid) = f.id) as offers_choice
        from ace_forms f
        join clients cl on cl.id = f.client_id
        where f.id = $1
          and f.is_active
          and f.archived_at is null
          and cl.archived_at is null";
    /// Counts how often a form was shown.
    ADD_VIEWS, public, "
        update ace_forms
        set total_views = total_views + $2
        where id = $1";
    /// Counts a submission; the last statement of its transaction, for everybody's submissions wait at this row.
    ADD_SUBMISSION, app, "
        update ace_forms
        set total_submissions = total_submissions + 1
        where client_id = $1
          and id = $2"
}

/// An open form.
///
/// # Errors
/// What the database answered.
pub async fn find(scope: &Scope<'_>, id: Uuid) -> Result<Option<PublicForm>> {
    scope.query_opt(&FIND, &[&id]).await
}

/// Counts `views` more.
///
/// # Errors
/// What the database answered.
pub async fn add_views(scope: &Scope<'_>, id: Uuid, views: i32) -> Result<()> {
    scope.execute(&ADD_VIEWS, &[&id, &views]).await.map(|_| ())
}

/// Counts a submission.
///
/// # Errors
/// What the database answered.
pub async fn add_submission(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<()> {
    tx.execute(&ADD_SUBMISSION, &[&client_id, &id]).await.map(|_| ())
}
