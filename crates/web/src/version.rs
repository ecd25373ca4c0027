//! `ETag` on what can be changed, `If-Match` on its changes: nobody overwrites what they have not seen.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::Error;
use kernel::version::{Expected, etag_of, etag_of_answer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Failure;
use crate::contract::Contract;
use crate::extract::{body, object, read};

/// The versions an `If-Match` header names; any without one.
#[derive(Debug, Clone)]
pub struct IfMatch(pub Expected);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // a line that is no text names no version of ours, and an empty one names none at all
        let lines = parts.headers.get_all(header::IF_MATCH).iter().map(|line| line.to_str().unwrap_or("\"\""));
        let lines: Vec<&str> = lines.collect();
        Ok(Self(if lines.is_empty() { Expected::any() } else { Expected::of(&lines.join(",")) }))
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

impl<T: Serialize> Tagged<T> {
    /// What keeps no time of its last change, see [`kernel::version::etag_of`].
    ///
    /// # Errors
    /// `Internal` for what is no JSON.
    pub fn of(body: T) -> kernel::Result<Self> {
        Ok(Self { etag: etag_of(&body)?, body })
    }
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        tagged(Some(&self.etag), &self.body)
    }
}

/// JSON with the ETag of just this answer, if what it tells of has a version.
fn tagged(etag: Option<&str>, body: &impl Serialize) -> Response {
    let json = match serde_json::to_vec(body) {
        Ok(json) => json,
        Err(error) => return Failure(Error::internal(error)).into_response(),
    };
    let etag = etag.and_then(|etag| HeaderValue::from_str(&etag_of_answer(etag, &json)).ok());
    let mut response = ([(header::CONTENT_TYPE, "application/json")], json).into_response();
    if let Some(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// Something that was made: 201 with the whole of it, where it is, and its version if it has one.
#[derive(Debug, Clone)]
pub struct Made<T> {
    /// Its path, for `Location`.
    pub location: String,
    /// The version, see [`kernel::version::etag`].
    pub etag: Option<String>,
    /// The thing itself.
    pub body: T,
}

impl<T> Made<T> {
    /// What has a version, at `path`.
    pub fn at(location: String, made: Tagged<T>) -> Self {
        Self { location, etag: Some(made.etag), body: made.body }
    }

    /// What has none, at `path`.
    pub fn plain(location: String, body: T) -> Self {
        Self { location, etag: None, body }
    }
}

impl<T: Serialize> IntoResponse for Made<T> {
    fn into_response(self) -> Response {
        let mut response = tagged(self.etag.as_deref(), &self.body);
        // a body that could not be written is a failure already
        if response.status().is_success() {
            *response.status_mut() = StatusCode::CREATED;
        }
        if let Ok(location) = HeaderValue::from_str(&self.location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// A JSON merge patch (RFC 7396) of what `Doc::patch` names.
#[derive(Debug, Clone)]
pub struct Patch {
    fields: Value,
    contract: Arc<Contract>,
}

impl Patch {
    /// Whether it says something of this field.
    pub fn names(&self, field: &str) -> bool {
        self.fields.get(field).is_some()
    }

    /// What `present` becomes; `answered` is what GET tells of it. A field that is only told may be sent back as it is.
    ///
    /// # Errors
    /// Names every wrong field.
    pub fn onto<T: Serialize + DeserializeOwned>(self, present: &T, answered: &impl Serialize) -> kernel::Result<T> {
        let json = |value: serde_json::Result<Value>| value.map_err(Error::internal);
        let (present, answered) = (json(serde_json::to_value(present))?, json(serde_json::to_value(answered))?);
        read(self.contract.merge(present, &answered, self.fields)?)
    }
}

impl<S: Send + Sync> FromRequest<S> for Patch {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let contract = request.extensions().get::<Arc<Contract>>().cloned();
        let contract = contract.ok_or_else(|| Error::internal("a patch on a route without a document"))?;
        Ok(Self { fields: object(&body(request, state).await?)?, contract })
    }
}
