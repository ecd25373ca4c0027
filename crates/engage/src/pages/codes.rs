//! `/r/{token}/qr.svg` and `.png`: the QR that is printed, so that a scan is told from a typed link.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use web::{App, Path, Result, Visitor};

use super::unknown;
use crate::store::people;
use crate::tokens;

/// The picture of a link never changes.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=86400, immutable");

/// `GET /r/{token}/qr.svg`
pub async fn svg(State(app): State<App>, visitor: Visitor, Path(token): Path<String>) -> Result<Response> {
    match link(&app, &visitor, &token).await? {
        Some(link) => Ok((headers("image/svg+xml"), drawn(&app, move || crate::qr::svg(&link)).await?).into_response()),
        None => unknown(&app, &visitor),
    }
}

/// `GET /r/{token}/qr.png`
pub async fn png(State(app): State<App>, visitor: Visitor, Path(token): Path<String>) -> Result<Response> {
    match link(&app, &visitor, &token).await? {
        Some(link) => Ok((headers("image/png"), drawn(&app, move || crate::qr::png(&link)).await?).into_response()),
        None => unknown(&app, &visitor),
    }
}

/// A picture, drawn off the threads that answer everybody.
async fn drawn<T: Send + 'static>(app: &App, draw: impl FnOnce() -> kernel::Result<T> + Send + 'static) -> Result<T> {
    Ok(app.work.run("this picture", draw).await??)
}

/// What the QR holds; `None` when nobody has that link.
async fn link(app: &App, visitor: &Visitor, token: &str) -> Result<Option<String>> {
    let Some(token) = tokens::purl(token) else { return Ok(None) };
    let exists = people::token_exists(&app.scope(&visitor.actor()), token.as_str()).await?;
    Ok(exists.then(|| app.link(&format!("/q/{token}"))))
}

fn headers(media_type: &'static str) -> HeaderMap {
    let media_type = HeaderValue::from_static(media_type);
    HeaderMap::from_iter([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, CACHE)])
}
