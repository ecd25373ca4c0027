//! `/v1/forms`.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use kernel::Error;
use kernel::page::Page;
use kernel::version::{Expected, etag};
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, Patch, Path, Query, Result, Tagged};

use super::ListParams;
use crate::actions::forms::{self as actions, FormInput};
use crate::forms::FormConfig;
use crate::store::forms as store;

/// A form.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Form)]
pub struct FormOut {
    id: Uuid,
    name: String,
    description: Option<String>,
    form_config: FormConfig,
    is_active: bool,
    total_views: i32,
    total_submissions: i32,
    /// Where strangers find it.
    url: String,
    updated_at: DateTime<Utc>,
}

impl FormOut {
    fn new(app: &App, row: store::Form) -> Result<Self> {
        Ok(Self {
            url: app.link(&format!("/f/{}", row.id)),
            form_config: serde_json::from_value(row.form_config).map_err(Error::internal)?,
            id: row.id,
            name: row.name,
            description: row.description,
            is_active: row.is_active,
            total_views: row.total_views,
            total_submissions: row.total_submissions,
            updated_at: row.updated_at,
        })
    }
}

/// `GET /v1/forms`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Json<Page<FormOut>>> {
    let limit = params.page().limit()?;
    let rows =
        store::list(&caller.scope(&app), caller.client_id()?, params.q.clone(), params.page().after()?, limit).await?;
    let page = Page::from_rows(rows, limit, |row| (row.name.clone(), row.id));
    let data = page.data.into_iter().map(|row| FormOut::new(&app, row)).collect::<Result<Vec<_>>>()?;
    Ok(Json(Page { data, next: page.next }))
}

/// `GET /v1/forms/{id}`
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Tagged<FormOut>> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    Ok(Tagged { etag: etag(row.updated_at), body: FormOut::new(&app, row)? })
}

/// `POST /v1/forms`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    web::Json(input): web::Json<FormInput>,
) -> Result<Made<FormOut>> {
    let id = actions::create(&app, &caller.actor, caller.client_id()?, &input).await?;
    Ok(Made::at(format!("/v1/forms/{id}"), get(State(app), caller, Path(id)).await?))
}

/// `PATCH /v1/forms/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    patch: Patch,
) -> Result<Tagged<FormOut>> {
    let row = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    expected.check(&etag(row.updated_at))?;
    // of the version that was read and no other, or half of somebody else's change would be lost
    let (read, present) = (Expected::of(&etag(row.updated_at)), actions::input_of(&row)?);
    let told = FormOut::new(&app, row)?;
    let input = patch.onto(&present, &told)?;
    actions::update(&app, &caller.actor, (caller.client_id()?, id), &input, &read).await?;
    get(State(app), caller, Path(id)).await
}

/// `POST /v1/forms/{id}/publish`
pub async fn publish(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Tagged<FormOut>> {
    actions::set_active(&app, &caller.actor, (caller.client_id()?, id), true, &expected).await?;
    get(State(app), caller, Path(id)).await
}

/// `POST /v1/forms/{id}/close`
pub async fn close(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Tagged<FormOut>> {
    actions::set_active(&app, &caller.actor, (caller.client_id()?, id), false, &expected).await?;
    get(State(app), caller, Path(id)).await
}

/// `GET /v1/form-config.schema.json`: the JSON Schema (2020-12) that builder and server share.
pub async fn schema() -> Result<Json<serde_json::Value>> {
    let mut nested: Vec<(String, RefOr<Schema>)> = Vec::new();
    FormConfig::schemas(&mut nested);
    let text = serde_json::to_string(&serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "form_config",
        "allOf": [FormConfig::schema()],
        "$defs": nested.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
    }))
    .map_err(Error::internal)?;
    let text = text.replace("#/components/schemas/", "#/$defs/");
    Ok(Json(serde_json::from_str(&text).map_err(Error::internal)?))
}
