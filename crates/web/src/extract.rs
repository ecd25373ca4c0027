//! Extractors that answer in our vocabulary: a wrong body names the field, a wrong path is a 404.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use kernel::Error;
use serde::de::DeserializeOwned;

use crate::Failure;

/// A JSON body.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

/// The query of the URL.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

/// A form sent by a browser.
#[derive(Debug, Clone)]
pub struct Form<T>(pub T);

/// The parameters of the path.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = body(request, state).await?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        serde_path_to_error::deserialize(&mut json).map(Self).map_err(|e| wrong(&e))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = body(request, state).await?;
        serde_html_form::from_bytes(&bytes).map(Self).map_err(|e| Error::invalid("form", e.to_string()).into())
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        let parsed = serde_html_form::from_str(query);
        parsed.map(Self).map_err(|e| Error::invalid("query", e.to_string()).into())
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|_| Error::NotFound.into())
    }
}

async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Failure> {
    let bytes = Bytes::from_request(request, state).await;
    bytes.map_err(|e| Error::invalid("body", e.to_string()).into())
}

fn wrong(error: &serde_path_to_error::Error<serde_json::Error>) -> Failure {
    let path = error.path().to_string().replace(['.', '['], "/").replace(']', "");
    let field = if path == "/" || path.is_empty() { "body".to_owned() } else { path };
    Error::invalid(field, error.inner().to_string()).into()
}
