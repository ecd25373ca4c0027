//! An error on its way to the visitor. Handlers return it bare; the guard of the route dresses it as
//! problem+json or as a page, because only the route knows which of the two is wanted.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use kernel::{Error, FieldError};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::ClientRef;
use crate::contract::UNSUPPORTED_MEDIA_TYPE;
use crate::extract::TOO_LARGE;
use crate::idempotency::{KEY_IN_USE, KEY_REUSED};
use crate::respond::{in_header, redirect};
use crate::routes::{Kind, METHOD_NOT_ALLOWED, RouteSpec};
use crate::view::capitalised;
use crate::{App, Caller, guard};

/// When something that is out of reach is worth asking for again.
const UNAVAILABLE_SECONDS: u64 = 5;

/// What a handler's `?` turns an error into.
#[derive(Debug)]
pub struct Failure(pub Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// The error, kept in the bare response until the guard dresses it.
#[derive(Clone)]
struct Undressed(Error);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = status(&self.0).into_response();
        response.extensions_mut().insert(Undressed(self.0));
        response
    }
}

/// The error that a response carries to the guard, if it does.
pub(crate) fn error_of(response: &Response) -> Option<&Error> {
    response.extensions().get::<Undressed>().map(|undressed| &undressed.0)
}

/// The HTTP status of an error.
pub fn status(error: &Error) -> StatusCode {
    match error {
        Error::NotFound => StatusCode::NOT_FOUND,
        Error::Unauthenticated => StatusCode::UNAUTHORIZED,
        Error::Forbidden { .. } => StatusCode::FORBIDDEN,
        Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        // `If-Match` named a version that is not the latest any more
        Error::Conflict { code: "precondition_failed", .. } => StatusCode::PRECONDITION_FAILED,
        Error::Conflict { code: METHOD_NOT_ALLOWED, .. } => StatusCode::METHOD_NOT_ALLOWED,
        Error::Conflict { code: TOO_LARGE, .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::Conflict { code: UNSUPPORTED_MEDIA_TYPE, .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::Conflict { code: KEY_REUSED, .. } => StatusCode::UNPROCESSABLE_ENTITY,
        // the caller sees it and holds the permission, and it is somebody else's all the same
        Error::Conflict { code: "not_your_call", .. } => StatusCode::FORBIDDEN,
        Error::Conflict { .. } | Error::Constraint(_) => StatusCode::CONFLICT,
        Error::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Status and word of an error in the vocabulary of Supabase Auth, whose clients ask under `/auth/v1`.
pub fn auth_code(error: &Error) -> (StatusCode, &'static str) {
    let wrong = |name: &str| error.fields().iter().any(|field| field.field == name);
    match error {
        Error::Unauthenticated => (StatusCode::UNAUTHORIZED, "bad_jwt"),
        Error::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "over_request_rate_limit"),
        Error::Invalid(_) if wrong("password") => (StatusCode::UNPROCESSABLE_ENTITY, "weak_password"),
        Error::Invalid(_) if wrong("code") => (StatusCode::UNPROCESSABLE_ENTITY, "mfa_verification_failed"),
        Error::Invalid(_) => (StatusCode::BAD_REQUEST, "validation_failed"),
        Error::Conflict { code: code @ "reauthentication_needed", .. } => (StatusCode::UNAUTHORIZED, code),
        Error::Conflict { code: code @ "reauthentication_not_valid", .. } => (StatusCode::UNPROCESSABLE_ENTITY, code),
        Error::Conflict { code: METHOD_NOT_ALLOWED | TOO_LARGE, .. } => (status(error), error.code()),
        Error::Conflict { code, .. } => (StatusCode::BAD_REQUEST, code),
        Error::NotFound | Error::Forbidden { .. } => (status(error), error.code()),
        Error::Constraint(_) | Error::Unavailable(_) | Error::Internal(_) => (status(error), "unexpected_failure"),
    }
}

/// An error in the shape of Supabase Auth.
fn auth_error(error: &Error) -> Response {
    let (status, code) = auth_code(error);
    let body = json!({ "code": status.as_u16(), "error_code": code, "msg": detail(error) });
    (status, Json(body)).into_response()
}

/// A problem as RFC 9457 wants it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A link to what this code means.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A stable word for programs.
    pub code: String,
    /// What happened, for people.
    pub detail: String,
    /// The id that finds this request in the log.
    pub request_id: Uuid,
    /// The wrong fields, each with a JSON pointer.
    pub errors: Vec<ProblemField>,
}

/// One wrong field of a problem.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// A JSON pointer into the request's body, `#` for the whole of it; or `#/` and the name of a query parameter or
    /// header.
    pub pointer: String,
    /// A stable word for programs.
    pub code: String,
    /// What is wrong and what to do.
    pub detail: String,
}

impl Problem {
    /// The problem that `error` is.
    pub fn new(error: &Error, request_id: Uuid) -> Self {
        let status = status(error);
        Self {
            kind: link(error.code()),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            code: error.code().to_owned(),
            detail: detail(error),
            request_id,
            errors: error.fields().iter().map(ProblemField::from).collect(),
        }
    }
}

impl From<&FieldError> for ProblemField {
    fn from(error: &FieldError) -> Self {
        let pointer = if error.field.is_empty() { "#".to_owned() } else { format!("#/{}", error.field) };
        Self { pointer, code: error.code.to_owned(), detail: error.message.clone() }
    }
}

/// What a visitor may read of an error: the inside of a bug stays in the log.
pub fn detail(error: &Error) -> String {
    match error {
        Error::Internal(_) => "Something went wrong on our side. The request id finds it in the log.".to_owned(),
        Error::NotFound => "There is nothing here, or not for you.".to_owned(),
        Error::Unauthenticated => "Sign in, or send a valid API key or access token.".to_owned(),
        Error::Invalid(fields) => {
            let sentences: Vec<String> = fields.iter().map(sentence).collect();
            sentences.join("; ")
        }
        // what the database says of itself is for the log: also strangers read this
        Error::Unavailable(said) if said.contains("database") => {
            "The database cannot do this just now: try again in a moment.".to_owned()
        }
        other => other.to_string(),
    }
}

/// What is wrong with a field, with its name as people know it: `Mobile phone: enter 10 digits`.
fn sentence(error: &FieldError) -> String {
    // lines of a file are counted as people count them already
    let (counted, field) = match error.field.strip_prefix("lines/") {
        Some(rest) => (0, format!("line/{rest}")),
        None => (1, error.field.clone()),
    };
    let places = field.split('/').map(|part| match part.parse::<usize>() {
        Ok(index) => (index + counted).to_string(),
        Err(_) => part.replace('_', " "),
    });
    let label = capitalised(&places.collect::<Vec<_>>().join(" "));
    let message = capitalised(&error.message);
    if label.is_empty() || message.starts_with(&label) { message } else { format!("{label}: {}", error.message) }
}

/// Where it stands what a code means.
pub(crate) fn link(code: &str) -> String {
    format!("/help/errors#{code}")
}

/// What was asked when an error came out.
pub(crate) struct Asked<'a> {
    pub spec: &'a RouteSpec,
    pub uri: &'a Uri,
    /// The page that a form was sent from.
    pub from: Option<String>,
    pub htmx: bool,
    pub request_id: Uuid,
    pub caller: Option<Caller>,
}

/// The client that a request was about.
pub(crate) fn client_of<'a>(asked: &'a Asked<'_>) -> Option<&'a ClientRef> {
    let of_page = asked.spec.kind == Kind::Page && !asked.htmx;
    asked.caller.as_ref().filter(|_| of_page).and_then(|caller| caller.client.as_ref())
}

/// Dresses a bare error; leaves every other response as it is, but for the request id.
pub(crate) fn dress(app: &App, asked: Asked<'_>, mut response: Response) -> Response {
    let (request_id, asked_kind) = (asked.request_id, asked.spec.kind);
    if let Some(Undressed(error)) = response.extensions_mut().remove::<Undressed>() {
        log(&error, &asked);
        response = match asked.spec.kind {
            Kind::Api if format!("{}/", asked.uri.path()).starts_with("/auth/v1/") => auth_error(&error),
            // a program is told where the addresses are listed
            Kind::Api if asked.spec.is_unlisted() && error == Error::NotFound => {
                let detail = "There is no such address: GET /v1/openapi.json lists those of the API.".to_owned();
                answer(&Problem { detail, ..Problem::new(&error, request_id) })
            }
            Kind::Api => problem(&error, request_id),
            Kind::Page => page(app, &error, asked),
        };
        tell_when(&error, response.headers_mut());
        response.extensions_mut().insert(Code(error.code()));
    }
    // whatever the words of the refusal are, a program is told what to come back with
    if response.status() == StatusCode::UNAUTHORIZED && asked_kind == Kind::Api {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"ace\""));
    }
    if let Ok(id) = HeaderValue::from_str(&request_id.to_string()) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

/// When asking again can succeed, in seconds, where that is only a matter of time.
pub fn retry_after(error: &Error) -> Option<u64> {
    match error {
        Error::TooMany { retry_after } => Some(*retry_after),
        Error::Unavailable(_) => Some(UNAVAILABLE_SECONDS),
        Error::Conflict { code: KEY_IN_USE, .. } => Some(1),
        _ => None,
    }
}

/// When to come back.
fn tell_when(error: &Error, headers: &mut HeaderMap) {
    if let Some(seconds) = retry_after(error) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// Why a request was refused, for its line in the log.
#[derive(Debug, Clone, Copy)]
pub struct Code(pub &'static str);

fn log(error: &Error, asked: &Asked<'_>) {
    // the route rather than the address, for addresses hold tokens
    let (path, request_id) = (asked.spec.path, asked.request_id);
    match error {
        Error::Internal(detail) => tracing::error!(%request_id, path, detail, "internal error"),
        Error::Unavailable(detail) => tracing::warn!(%request_id, path, detail, "unavailable"),
        _ => {}
    }
}

/// The error as problem+json.
pub(crate) fn problem(error: &Error, request_id: Uuid) -> Response {
    answer(&Problem::new(error, request_id))
}

fn answer(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(problem)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

fn page(app: &App, error: &Error, asked: Asked<'_>) -> Response {
    if *error == Error::Unauthenticated {
        return to_sign_in(&asked);
    }
    if error.code() == guard::SECOND_FACTOR_REQUIRED {
        return elsewhere(&asked, "/account/second-factor".to_owned());
    }
    crate::error_page::render(app, error, asked)
}

fn to_sign_in(asked: &Asked<'_>) -> Response {
    let here = asked.uri.path_and_query().map_or("/", |path| path.as_str());
    // who was about to send something comes back to where it was typed, and is told why
    let query = match &asked.from {
        Some(page) => serde_html_form::to_string([("next", page.as_str()), ("ended", "true")]),
        None => serde_html_form::to_string([("next", here)]),
    };
    let query = query.unwrap_or_default();
    let target = if here == "/" && asked.from.is_none() { "/sign-in".to_owned() } else { format!("/sign-in?{query}") };
    elsewhere(asked, target)
}

/// To another page; htmx follows its own header, since it would swap a redirect's page into the fragment.
fn elsewhere(asked: &Asked<'_>, target: String) -> Response {
    if asked.htmx {
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", in_header(&target).into_owned())]).into_response();
    }
    redirect(&target)
}
