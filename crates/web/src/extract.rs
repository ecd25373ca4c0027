//! Extractors that answer in our vocabulary: a wrong body or query names the field, a wrong path is a 404.
//!
//! PostgreSQL keeps no NUL character in a text, so a text with one is refused here, where its name is known.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use kernel::{Error, FieldError};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::Failure;

/// The code of a body over the limit: answered with 413.
pub(crate) const TOO_LARGE: &str = "body_too_large";

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
        Ok(json(&body(request, state).await?).map(Self)?)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        Ok(pairs(&body(request, state).await?).map(Self)?)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(pairs(parts.uri.query().unwrap_or_default().as_bytes()).map(Self)?)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        if has_nul(parts.uri.path().as_bytes()) {
            return Err(Error::NotFound.into());
        }
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|_| Error::NotFound.into())
    }
}

async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Failure> {
    let bytes = Bytes::from_request(request, state).await;
    bytes.map_err(|rejection| {
        let error = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Error::conflict(TOO_LARGE, "The body is larger than is taken here."),
            _ => Error::invalid("", format!("the body broke off: {rejection}")),
        };
        error.into()
    })
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> kernel::Result<T> {
    if contains(bytes, b"\\u0000") {
        let whole: Value = serde_json::from_slice(bytes).map_err(|e| Error::invalid("", e.to_string()))?;
        no_nul(&whole, &mut Vec::new())?;
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json)
        .map_err(|e| wrong(e.path(), &e.inner().to_string(), e.inner().is_data()))?;
    json.end().map_err(|e| Error::invalid("", e.to_string()))?;
    Ok(parsed)
}

/// The pairs of a query or of a form.
fn pairs<T: DeserializeOwned>(bytes: &[u8]) -> kernel::Result<T> {
    if has_nul(bytes) {
        let pairs: Vec<(String, String)> =
            serde_html_form::from_bytes(bytes).map_err(|e| Error::invalid("", e.to_string()))?;
        if let Some((name, _)) = pairs.iter().find(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(nul(name));
        }
    }
    serde_path_to_error::deserialize(serde_html_form::Deserializer::from_bytes(bytes))
        .map_err(|e| wrong(e.path(), &e.inner().to_string(), true))
}

fn has_nul(encoded: &[u8]) -> bool {
    encoded.contains(&0) || contains(encoded, b"%00")
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn no_nul(value: &Value, path: &mut Vec<String>) -> kernel::Result<()> {
    match value {
        Value::String(text) if text.contains('\0') => Err(nul(&path.join("/"))),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(n, item)| within(n.to_string(), item, path)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, field)| {
            if name.contains('\0') { Err(nul(&path.join("/"))) } else { within(escaped(name), field, path) }
        }),
        _ => Ok(()),
    }
}

fn within(name: String, value: &Value, path: &mut Vec<String>) -> kernel::Result<()> {
    path.push(name);
    no_nul(value, path)?;
    path.pop();
    Ok(())
}

fn nul(field: &str) -> Error {
    Error::invalid(field.replace('\0', ""), "must not hold the character U+0000")
}

/// A name as a part of a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The error at `path`. What serde says of a field that is missing or not known names it, but not in the path.
fn wrong(path: &serde_path_to_error::Path, text: &str, of_data: bool) -> Error {
    let segments = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } | Segment::Enum { variant: key } => Some(escaped(key)),
        Segment::Unknown => None,
    });
    let mut segments: Vec<String> = if of_data { segments.collect() } else { Vec::new() };
    let named = |before: &str| text.strip_prefix(before)?.split('`').next().map(escaped);
    let missing = named("missing field `");
    if let Some(name) = missing.clone().or_else(|| named("unknown field `"))
        && segments.last() != Some(&name)
    {
        segments.push(name);
    }
    let code = if missing.is_some() { "required" } else { "invalid" };
    Error::Invalid(vec![FieldError { field: segments.join("/"), code, message: text.to_owned() }])
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read is of interest")]
    struct Input {
        name: String,
        #[serde(default)]
        rows: Vec<Row>,
        #[serde(default)]
        custom: serde_json::Map<String, Value>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only whether it can be read is of interest")]
    struct Row {
        number: i32,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Wanted {
        limit: Option<i64>,
        tag: Vec<String>,
    }

    fn field<T: std::fmt::Debug>(read: kernel::Result<T>) -> (String, &'static str) {
        match read.unwrap_err() {
            Error::Invalid(fields) => (fields[0].field.clone(), fields[0].code),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_wrong_json_body_names_the_field_and_the_root_is_the_empty_pointer() {
        let wrong = |text: &str| field(json::<Input>(text.as_bytes()));
        assert_eq!(
            wrong(r#"{"name": "a", "rows": [{"number": 1}, {"number": "x"}]}"#),
            ("rows/1/number".into(), "invalid")
        );
        assert_eq!(wrong(r#"{"name": "a", "rows": [{}]}"#), ("rows/0/number".into(), "required"));
        assert_eq!(wrong("{}"), ("name".into(), "required"));
        assert_eq!(wrong(r#"{"name": "a", "nmae": "b"}"#), ("nmae".into(), "invalid"));
        for text in ["", "[]", "7", "{", r#"{"name": "a"} trailing"#, r#"{"name": "a"}{}"#] {
            assert_eq!(wrong(text), (String::new(), "invalid"), "{text}");
        }
        assert!(json::<Input>(b" {\"name\": \"a\"}\n").is_ok());
    }

    #[test]
    fn a_nul_is_refused_by_the_name_of_its_field_and_what_only_looks_like_one_is_not() {
        let wrong = |text: &str| field(json::<Input>(text.as_bytes())).0;
        assert_eq!(wrong(r#"{"name": "a\u0000"}"#), "name");
        assert_eq!(wrong(r#"{"name": "a", "custom": {"a/b": ["\u0000"]}}"#), "custom/a~1b/0");
        assert_eq!(wrong(r#"{"name": "a", "custom": {"\u0000": 1}}"#), "custom");
        assert_eq!(json::<Input>(br#"{"name": "C:\\u0000"}"#).unwrap().name, "C:\\u0000");
        assert_eq!(field(pairs::<Wanted>(b"tag=a&tag=%00")).0, "tag");
    }

    #[test]
    fn a_wrong_parameter_of_a_query_is_named_and_so_is_one_that_is_not_known() {
        let wrong = |text: &str| field(pairs::<Wanted>(text.as_bytes())).0;
        assert_eq!(wrong("limit=abc"), "limit");
        assert_eq!(wrong("limti=5"), "limti");
        assert_eq!(pairs::<Wanted>(b"limit=5&tag=a&tag=b").unwrap().tag, ["a", "b"]);
        assert_eq!(pairs::<Wanted>(b"").unwrap().limit, None);
    }
}
