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

/// A logo that a client uploaded.
#[derive(Debug, Clone, FromRow)]
pub struct Logo {
    /// `image/png` or `image/jpeg`, as it was found to be.
    pub content_type: String,
    /// Its bytes.
    pub picture: Vec<u8>,
}

database::statement! {
    /// A logo by its id, for everybody.
    LOGO, public, "
        select content_type, picture
        from client_logos
        where id = $1";
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

/// A logo that a client uploaded.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn logo(scope: &Scope<'_>, id: Uuid) -> Result<Logo> {
    scope.query_one(&LOGO, &[&id]).await
}
