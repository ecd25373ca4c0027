//! What surrounds the whole router: log lines, compression, security headers, access from other origins.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header, request};
use axum::middleware::{self, Next};
use axum::response::Response;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::contract::UNSUPPORTED_MEDIA_TYPE;
use crate::extract::TOO_LARGE;
use crate::failure::Code;
use crate::routes::METHOD_NOT_ALLOWED;
use crate::{App, hosts};

/// What our own pages may load and where they may be shown. A page that needs more sets its own header.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Headers of every answer that does not say otherwise itself.
const HEADERS: [(&str, &str); 5] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=()"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// A body that stands still for so long is given up.
const IDLE_BODY: Duration = Duration::from_secs(30);

/// The router with everything that surrounds it. The binary serves this, and so do the tests.
pub fn stack(router: Router, app: &App) -> Router {
    let https = app.settings.server.public_url.starts_with("https://");
    router
        .layer(middleware::from_fn_with_state(app.clone(), hosts::keep_apart))
        .layer(middleware::from_fn_with_state(https, add_headers))
        .layer(middleware::from_fn(log))
        .layer(other_origins())
        .layer(CompressionLayer::new())
        .layer(RequestBodyTimeoutLayer::new(IDLE_BODY))
}

async fn add_headers(State(https): State<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    if https {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    response
}

/// The header that ties an answer to its log lines and audit rows.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

fn new_request_id() -> HeaderValue {
    HeaderValue::from_str(&kernel::new_id().to_string()).unwrap_or(HeaderValue::from_static("-"))
}

/// One line a request: the route rather than the address, for addresses hold tokens.
async fn log(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = Instant::now();
    let mut response = next.run(request).await;
    let route = route.as_ref().map_or("no route", MatchedPath::as_str);
    // what is refused in front of the guard has none yet
    let id = response.headers_mut().entry(REQUEST_ID).or_insert_with(new_request_id).clone();
    let request_id = id.to_str().unwrap_or_default();
    let code = response.extensions().get::<Code>().map_or_else(|| code_of(response.status()), |code| code.0);
    let (status, ms) = (response.status().as_u16(), began.elapsed().as_millis());
    if ms > 1000 {
        tracing::warn!(%method, route, status, ms, request_id, code, "slow request");
    } else if response.status().is_client_error() {
        // whoever was refused names this id
        tracing::info!(%method, route, status, ms, request_id, code, "refused");
    } else {
        tracing::debug!(%method, route, status, ms, request_id, "request");
    }
    response
}

/// The code of a refusal that says none itself, such as a form that is drawn again with its mistakes.
fn code_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "unauthenticated",
        403 => "forbidden",
        404 | 410 => "not_found",
        405 => METHOD_NOT_ALLOWED,
        409 => "conflict",
        412 => "precondition_failed",
        413 => TOO_LARGE,
        415 => UNSUPPORTED_MEDIA_TYPE,
        429 => "too_many_requests",
        400..=499 => "invalid",
        _ => "",
    }
}

/// Browsers on other origins may use the API with a token of their own; never with our cookies.
fn other_origins() -> CorsLayer {
    let is_api = |_: &HeaderValue, parts: &request::Parts| {
        let path = parts.uri.path();
        path.starts_with("/v1/") || path.starts_with("/auth/v1/")
    };
    let exposed = [
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "x-request-id",
        "etag",
        "location",
        "idempotent-replayed",
        "www-authenticate",
    ];
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_api))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("apikey"),
            HeaderName::from_static("ace-client"),
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("x-client-info"),
            HeaderName::from_static("x-supabase-api-version"),
        ])
        .expose_headers(exposed.map(HeaderName::from_static))
        .max_age(Duration::from_secs(3600))
}
