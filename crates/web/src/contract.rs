//! The OpenAPI document is held against every request: what it does not allow is refused before the handler runs, every
//! fault at once and in our words. So the document cannot promise what the program does not do.
//!
//! Belongs here: media types, unknown parameters, shapes of values. Does not belong here: what only the data can tell.

mod patch;
mod schema;

pub(crate) use schema::escaped;

use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use kernel::{Error, Problems, Result};
use serde_json::{Map, Value};

use crate::openapi::{Doc, JSON, MERGE_PATCH};
use crate::routes::RouteSpec;

/// The code of a body whose media type or encoding is not taken: answered with 415.
pub(crate) const UNSUPPORTED_MEDIA_TYPE: &str = "unsupported_media_type";

/// What one route takes.
#[derive(Debug)]
pub(crate) struct Contract {
    media_types: Vec<&'static str>,
    body: Option<Value>,
    parameters: Vec<Value>,
    schemas: Map<String, Value>,
    versioned: bool,
    patched: Option<String>,
}

impl Contract {
    /// What `doc` says that the route takes.
    pub(crate) fn new(spec: &RouteSpec, doc: &Doc) -> Self {
        let mut media_types = doc.media_types();
        if spec.method == Method::PATCH && media_types.contains(&JSON) {
            media_types.push(MERGE_PATCH);
        }
        Self {
            media_types,
            body: doc.json_body(),
            parameters: doc.query_parameters(),
            schemas: doc.input_schemas(),
            versioned: doc.is_versioned(spec.path),
            patched: doc.patched().map(str::to_owned),
        }
    }

    /// Refuses a request whose headers or query the document does not allow.
    ///
    /// # Errors
    /// `unsupported_media_type`, `precondition_failed`, or every wrong parameter.
    pub(crate) fn admit(&self, request: &Request) -> Result<()> {
        let headers = request.headers();
        if !self.media_types.is_empty() && !is_empty(request) {
            media_type(headers, &self.media_types)?;
        }
        if request.method() != Method::GET && !self.versioned {
            no_version(headers)?;
        }
        self.query(request.uri().query().unwrap_or_default())
    }

    /// Refuses a JSON body that is not as documented, naming every fault.
    ///
    /// # Errors
    /// `Invalid`.
    pub(crate) fn body(&self, value: &Value) -> Result<()> {
        let mut problems = Problems::new();
        if let Some(schema) = &self.body {
            schema::Check { schemas: &self.schemas, problems: &mut problems }.value(schema, value, &mut Vec::new());
        }
        problems.finish()
    }

    /// Takes away the fields whose null means that nothing was given.
    pub(crate) fn without_nulls(&self, value: &mut Value) {
        if let Some(schema) = &self.body {
            schema::drop_nulls(&self.schemas, schema, value);
        }
    }

    /// What `present` becomes by a merge patch (RFC 7396); `answered` is what was told of it, some of which cannot be
    /// changed and must then be as it is.
    ///
    /// # Errors
    /// `Invalid`, with every fault of what the patch touches.
    pub(crate) fn merge(&self, mut present: Value, answered: &Value, mut patch: Value) -> Result<Value> {
        let whole = self.patched.as_ref().and_then(|name| self.schemas.get(name)).unwrap_or(&Value::Null);
        patch::drop_unchanged(&self.schemas, whole, &mut patch, answered);
        let touched: Vec<String> = patch.as_object().into_iter().flatten().map(|(name, _)| escaped(name)).collect();
        patch::refuse_read_only(whole, &patch, answered)?;
        patch::merge(&mut present, patch);
        let mut problems = Problems::new();
        schema::Check { schemas: &self.schemas, problems: &mut problems }.value(whole, &present, &mut Vec::new());
        if let Err(Error::Invalid(mut fields)) = problems.finish() {
            // what was there before and is not touched is not this caller's fault
            fields.retain(|field| touched.iter().any(|name| field.field.split('/').next() == Some(name)));
            if !fields.is_empty() {
                return Err(Error::Invalid(fields));
            }
        }
        schema::drop_nulls(&self.schemas, whole, &mut present);
        Ok(present)
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        schema::resolved(&self.schemas, schema)
    }

    fn query(&self, query: &str) -> Result<()> {
        let pairs: Vec<(String, String)> = serde_html_form::from_str(query)
            .map_err(|_| Error::invalid("", "The query of the address is not readable."))?;
        let mut problems = Problems::new();
        let mut seen: Vec<&str> = Vec::new();
        for (name, text) in &pairs {
            let Some(parameter) = self.parameters.iter().find(|parameter| parameter["name"] == name.as_str()) else {
                problems.add(name.as_str(), "unknown", "there is no such parameter here");
                continue;
            };
            let schema = self.resolved(&parameter["schema"]);
            let list = schema::kinds(schema).contains(&"array");
            if seen.contains(&name.as_str()) && !list {
                problems.invalid(name.as_str(), "was given more than once");
                continue;
            }
            seen.push(name);
            let schema = if list { &schema["items"] } else { schema };
            let value = schema::read(self.resolved(schema), text);
            let mut check = schema::Check { schemas: &self.schemas, problems: &mut problems };
            check.value(schema, &value, &mut vec![name.clone()]);
        }
        for parameter in self.parameters.iter().filter(|parameter| parameter["required"] == true) {
            let name = parameter["name"].as_str().unwrap_or_default();
            if !seen.contains(&name) {
                problems.add(name, "required", format!("{} is required", name.replace('_', " ")));
            }
        }
        problems.finish()
    }
}

fn is_empty(request: &Request) -> bool {
    use axum::body::HttpBody;
    request.body().is_end_stream()
}

/// Refuses a body of another media type than `taken`.
///
/// # Errors
/// `unsupported_media_type`.
pub(crate) fn media_type(headers: &HeaderMap, taken: &[&str]) -> Result<()> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if taken.contains(&essence.as_str()) {
        return charset(given, &essence);
    }
    let given = if essence.is_empty() { "none was given".to_owned() } else { format!("not {essence}") };
    let message = format!("The Content-Type must be {}; {given}.", taken.join(" or "));
    Err(Error::conflict(UNSUPPORTED_MEDIA_TYPE, message))
}

/// JSON is UTF-8 (RFC 8259, 8.1), and forms come as the pages that hold them; files of text may say otherwise.
fn charset(given: &str, essence: &str) -> Result<()> {
    let named = given.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut named = named.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let other = named.find(|(_, value)| !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8"));
    match other {
        Some((_, value)) if essence.starts_with("application/") => {
            let message = format!("Send it in UTF-8; not in {}.", value.trim());
            Err(Error::conflict(UNSUPPORTED_MEDIA_TYPE, message))
        }
        _ => Ok(()),
    }
}

/// Refuses a body that is compressed or otherwise encoded.
///
/// # Errors
/// `unsupported_media_type`.
pub(crate) fn encoding(headers: &HeaderMap) -> Result<()> {
    match headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim()) {
        None | Some("" | "identity") => Ok(()),
        Some(_) => {
            let message = "Send the body as it is, without a Content-Encoding.";
            Err(Error::conflict(UNSUPPORTED_MEDIA_TYPE, message))
        }
    }
}

/// What has no version is no version that `If-Match` could name (RFC 9110, 13.1.1).
fn no_version(headers: &HeaderMap) -> Result<()> {
    let mut lines = headers.get_all(header::IF_MATCH).iter().filter_map(|line| line.to_str().ok());
    match lines.find(|line| line.trim() != "*") {
        Some(_) => Err(Error::conflict("precondition_failed", "This has no version that If-Match could name.")),
        None => Ok(()),
    }
}
