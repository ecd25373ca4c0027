//! `/v1/brands`.

use axum::Json;
use axum::extract::State;
use kernel::money::Money;
use kernel::page::Page;
use kernel::version::Expected;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, PageQuery, Patch, Path, Query, Result, Tagged};

use crate::actions::brands::{self as actions, BrandInput};
use crate::store::brands as store;

/// A brand of gift cards.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Brand)]
pub struct BrandOut {
    id: Uuid,
    brand_name: String,
    brand_logo_url: Option<String>,
    #[schema(value_type = Option<String>)]
    default_value: Option<Money>,
    redemption_url: Option<String>,
    support_phone: Option<String>,
    needs_pin: bool,
    is_active: bool,
}

impl From<store::Brand> for BrandOut {
    fn from(row: store::Brand) -> Self {
        Self {
            id: row.id,
            brand_name: row.brand_name,
            brand_logo_url: row.brand_logo_url,
            default_value: row.default_value,
            redemption_url: row.redemption_url,
            support_phone: row.support_phone,
            needs_pin: row.pin_pattern.is_some(),
            is_active: row.is_active,
        }
    }
}

/// `GET /v1/brands`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<BrandOut>>> {
    Ok(Json(store::list(&caller.scope(&app), false, &page.into()).await?.map(BrandOut::from)))
}

/// `GET /v1/brands/{id}`
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Tagged<BrandOut>> {
    let row = store::find(&caller.scope(&app), id).await?;
    Ok(Tagged { etag: row.etag(), body: row.into() })
}

/// `POST /v1/brands`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    web::Json(input): web::Json<BrandInput>,
) -> Result<Made<BrandOut>> {
    let id = actions::create(&app, &caller.actor, &input).await?;
    Ok(Made::at(format!("/v1/brands/{id}"), get(State(app), caller, Path(id)).await?))
}

/// `PATCH /v1/brands/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    patch: Patch,
) -> Result<Tagged<BrandOut>> {
    let row = store::find(&caller.scope(&app), id).await?;
    expected.check(&row.etag())?;
    let (read, present) = (Expected::of(&row.etag()), actions::input_of(&row));
    let input = patch.onto(&present, &BrandOut::from(row))?;
    actions::update(&app, &caller.actor, id, &input, &read).await?;
    get(State(app), caller, Path(id)).await
}
