//! `/v1/forms/{id}/submissions`.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use content::forms::FormConfig;
use content::store::forms;
use kernel::Error;
use kernel::page::{Page, PageParams};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, Path, Query, Result};

use crate::masked;
use crate::store::submissions::{self, Submission};

/// A page of the list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct ListParams {
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// A submission of a form.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormSubmission)]
pub struct SubmissionOut {
    id: Uuid,
    form_id: Uuid,
    /// The campaign, when it came from a recipient.
    campaign_id: Option<Uuid>,
    /// The recipient, when it was one.
    recipient_id: Option<Uuid>,
    /// The contact it was matched to or made.
    contact_id: Option<Uuid>,
    /// The answers by field; redemption codes are masked.
    #[schema(value_type = Object)]
    submission_data: Value,
    /// E-mail and phone that were given for a contact who is known by others, and that nobody has confirmed: they are
    /// kept here and reach nobody.
    #[schema(value_type = Option<Object>)]
    unconfirmed: Option<Value>,
    /// The card it earned.
    gift_card_id: Option<Uuid>,
    submitted_at: DateTime<Utc>,
}

impl SubmissionOut {
    fn new(config: &FormConfig, row: Submission) -> Self {
        Self {
            id: row.id,
            form_id: row.form_id,
            campaign_id: row.campaign_id,
            recipient_id: row.recipient_id,
            contact_id: row.contact_id,
            submission_data: masked::codes(config, row.submission_data),
            unconfirmed: row.unconfirmed,
            gift_card_id: row.gift_card_id,
            submitted_at: row.submitted_at,
        }
    }
}

/// `GET /v1/forms/{id}/submissions`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(params): Query<ListParams>,
) -> Result<Json<Page<SubmissionOut>>> {
    let (scope, client_id) = (caller.scope(&app), caller.client_id()?);
    let form = forms::find(&scope, client_id, id).await?;
    let asked = PageParams { limit: params.limit, after: params.after };
    let limit = asked.limit()?;
    let rows = submissions::list(&scope, client_id, form.id, asked.after()?, limit).await?;
    let page = Page::from_rows(rows, limit, |row| (row.submitted_at, row.id));
    let config: FormConfig = serde_json::from_value(form.form_config).map_err(Error::internal)?;
    Ok(Json(page.map(|row| SubmissionOut::new(&config, row))))
}
