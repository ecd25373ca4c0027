//! How a client's pages look.

use database::{FromRow, Scope};
use kernel::Result;
use serde_json::Value;
use uuid::Uuid;

/// A client's brand.
#[derive(Debug, Clone, FromRow)]
pub struct Brand {
    /// Its logo.
    pub logo_url: Option<String>,
    /// Its colours.
    pub brand_colors_json: Option<Value>,
    /// E.164.
    pub support_phone: Option<String>,
}

database::statement! {
    /// A client's brand.
    FIND, app, "
        select logo_url, brand_colors_json, support_phone
        from clients
        where id = $1"
}

/// A client's brand.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid) -> Result<Brand> {
    scope.query_one(&FIND, &[&client_id]).await
}
