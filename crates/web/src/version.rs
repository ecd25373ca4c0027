//! `ETag` on what can be changed, `If-Match` on its changes: nobody overwrites what they have not seen.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use kernel::version::Expected;
use serde::Serialize;

/// The versions an `If-Match` header names; any without one.
#[derive(Debug, Clone)]
pub struct IfMatch(pub Expected);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // a line that is no text names no version of ours
        let lines = parts.headers.get_all(header::IF_MATCH).iter().map(|line| line.to_str().unwrap_or("\"\""));
        Ok(Self(Expected::of(&lines.collect::<Vec<_>>().join(","))))
    }
}

/// JSON with its ETag.
#[derive(Debug, Clone)]
pub struct Tagged<T> {
    /// The version, see [`kernel::version::etag`].
    pub etag: String,
    /// What it is the version of.
    pub body: T,
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = axum::Json(self.body).into_response();
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }
}
