//! Extractors that answer in our vocabulary: a wrong body or query names the field, a wrong path is a 404.
//!
//! PostgreSQL keeps no NUL character in a text, so a text with one is refused here, where its name is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use kernel::{Error, FieldError};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use serde_path_to_error::Segment;

use crate::Failure;
use crate::contract::{self, Contract, escaped};
use crate::openapi::JSON;

/// The code of a body over the limit: answered with 413.
pub(crate) const TOO_LARGE: &str = "body_too_large";

/// The most values of a query or a form: twice what the largest form of the console sends.
const MOST_PAIRS: usize = 2_000;

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
        let contract = request.extensions().get::<Arc<Contract>>().cloned();
        if contract.is_none() {
            contract::media_type(request.headers(), &[JSON])?;
        }
        let value = object(&body(request, state).await?)?;
        Ok(checked(value, contract.as_deref()).map(Self)?)
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

pub(crate) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Failure> {
    let bytes = Bytes::from_request(request, state).await;
    bytes.map_err(|rejection| {
        let error = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            _ => Error::invalid("", format!("the body broke off: {rejection}")),
        };
        error.into()
    })
}

/// The answer to a body over the limit.
pub(crate) fn too_large() -> Error {
    Error::conflict(TOO_LARGE, "The body is larger than is taken here.")
}

/// The JSON object that a body holds, with nothing lost of it.
pub(crate) fn object(bytes: &[u8]) -> kernel::Result<Value> {
    let whole: Value = serde_json::from_slice(bytes).map_err(|error| not_json(&error))?;
    if contains(bytes, b"\\u0000") {
        no_nul(&whole, &mut Vec::new())?;
    }
    exact(bytes)?;
    if whole.is_object() {
        Ok(whole)
    } else {
        Err(Error::invalid("", "The body must be a JSON object with named fields: { … }."))
    }
}

/// The input that a JSON object stands for, once the document allows it.
fn checked<T: DeserializeOwned>(mut value: Value, contract: Option<&Contract>) -> kernel::Result<T> {
    if let Some(contract) = contract {
        contract.body(&value)?;
        contract.without_nulls(&mut value);
    }
    read(value)
}

/// The input that a JSON value stands for.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> kernel::Result<T> {
    serde_path_to_error::deserialize(value).map_err(|e| wrong(e.path(), &e.inner().to_string()))
}

fn not_json(error: &serde_json::Error) -> Error {
    let at = format!("line {}, column {}", error.line(), error.column());
    Error::invalid("", format!("The body is not JSON that can be read: look at {at}."))
}

/// Refuses a number that would be rounded: what is kept is what was sent.
fn exact(bytes: &[u8]) -> kernel::Result<()> {
    if !bytes
        .chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit())
        .any(|run| run.len() > 15 && run[0].is_ascii_digit())
    {
        return Ok(());
    }
    let whole: Box<RawValue> = serde_json::from_slice(bytes).map_err(|error| not_json(&error))?;
    exact_within(&whole, &mut Vec::new())
}

fn exact_within(raw: &RawValue, path: &mut Vec<String>) -> kernel::Result<()> {
    let text = raw.get();
    let within = |name: String, part: &RawValue, path: &mut Vec<String>| {
        path.push(name);
        let kept = exact_within(part, path);
        path.pop();
        kept
    };
    match text.as_bytes().first() {
        Some(b'{') => {
            let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).map_err(|e| not_json(&e))?;
            fields.iter().try_for_each(|(name, part)| within(escaped(name), part, path))
        }
        Some(b'[') => {
            let items: Vec<Box<RawValue>> = serde_json::from_str(text).map_err(|e| not_json(&e))?;
            items.iter().enumerate().try_for_each(|(n, part)| within(n.to_string(), part, path))
        }
        Some(b'-' | b'0'..=b'9') if !is_exact(text) => {
            let message = "has more digits than a number keeps: send it as a text in quotes";
            Err(Error::invalid(path.join("/"), message))
        }
        _ => Ok(()),
    }
}

fn is_exact(number: &str) -> bool {
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return true;
    }
    kernel::number::significant_digits(number) <= kernel::number::MOST_DIGITS
}

/// The pairs of a query or of a form.
pub(crate) fn pairs<T: DeserializeOwned>(bytes: &[u8]) -> kernel::Result<T> {
    // before any of it is read: what is done for each of them adds up
    if bytes.iter().filter(|byte| **byte == b'&').count() >= MOST_PAIRS {
        return Err(Error::Invalid(vec![FieldError {
            field: String::new(),
            code: "too_many",
            message: format!("send at most {MOST_PAIRS} values at once"),
        }]));
    }
    if has_nul(bytes) {
        let pairs: Vec<(String, String)> =
            serde_html_form::from_bytes(bytes).map_err(|e| Error::invalid("", e.to_string()))?;
        if let Some((name, _)) = pairs.iter().find(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(nul(name));
        }
    }
    serde_path_to_error::deserialize(serde_html_form::Deserializer::from_bytes(bytes))
        .map_err(|e| wrong(e.path(), &e.inner().to_string()))
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

/// The error at `path`. What serde says of a field that is missing or not known names it, but not in the path; the rest
/// of what it says is for programmers.
fn wrong(path: &serde_path_to_error::Path, text: &str) -> Error {
    let segments = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } | Segment::Enum { variant: key } => Some(escaped(key)),
        Segment::Unknown => None,
    });
    let mut segments: Vec<String> = segments.collect();
    let named = |before: &str| text.strip_prefix(before)?.split('`').next().map(escaped);
    let (missing, unknown) = (named("missing field `"), named("unknown field `"));
    if let Some(name) = missing.clone().or_else(|| unknown.clone())
        && segments.last() != Some(&name)
    {
        segments.push(name);
    }
    let name = segments.last().map(|name| name.replace('_', " ")).unwrap_or_default();
    let (code, message) = match text.split(',').next() {
        _ if missing.is_some() => ("required", format!("{name} is required")),
        _ if unknown.is_some() => ("unknown", "there is no such field here".to_owned()),
        Some(said) if said.starts_with("duplicate field") => ("invalid", "was given more than once".to_owned()),
        Some(said) if said.starts_with("unknown variant") => ("invalid", one_of(text)),
        _ => ("invalid", "is not a value that is taken here".to_owned()),
    };
    Error::Invalid(vec![FieldError { field: segments.join("/"), code, message }])
}

/// The words that serde would have taken.
fn one_of(text: &str) -> String {
    let words: Vec<&str> = text.split('`').skip(3).step_by(2).collect();
    if words.is_empty() {
        "is not a word that is taken here".to_owned()
    } else {
        format!("must be one of {}", words.join(", "))
    }
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

    fn json<T: DeserializeOwned>(text: &str) -> kernel::Result<T> {
        checked(object(text.as_bytes())?, None)
    }

    fn field<T: std::fmt::Debug>(read: kernel::Result<T>) -> (String, &'static str) {
        match read.unwrap_err() {
            Error::Invalid(fields) => (fields[0].field.clone(), fields[0].code),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_wrong_json_body_names_the_field_and_the_root_is_the_empty_pointer() {
        let wrong = |text: &str| field(json::<Input>(text));
        assert_eq!(
            wrong(r#"{"name": "a", "rows": [{"number": 1}, {"number": "x"}]}"#),
            ("rows/1/number".into(), "invalid")
        );
        assert_eq!(wrong(r#"{"name": "a", "rows": [{}]}"#), ("rows/0/number".into(), "required"));
        assert_eq!(wrong("{}"), ("name".into(), "required"));
        assert_eq!(wrong(r#"{"name": "a", "nmae": "b"}"#), ("nmae".into(), "unknown"));
        for text in ["", "[]", "7", "{", r#"{"name": "a"} trailing"#, r#"{"name": "a"}{}"#] {
            assert_eq!(wrong(text), (String::new(), "invalid"), "{text}");
        }
        assert!(json::<Input>(" {\"name\": \"a\"}\n").is_ok());
    }

    #[test]
    fn a_nul_is_refused_by_the_name_of_its_field_and_what_only_looks_like_one_is_not() {
        let wrong = |text: &str| field(json::<Input>(text)).0;
        assert_eq!(wrong(r#"{"name": "a\u0000"}"#), "name");
        assert_eq!(wrong(r#"{"name": "a", "custom": {"a/b": ["\u0000"]}}"#), "custom/a~1b/0");
        assert_eq!(wrong(r#"{"name": "a", "custom": {"\u0000": 1}}"#), "custom");
        assert_eq!(json::<Input>(r#"{"name": "C:\\u0000"}"#).unwrap().name, "C:\\u0000");
        assert_eq!(field(pairs::<Wanted>(b"tag=a&tag=%00")).0, "tag");
    }

    #[test]
    fn a_number_is_kept_as_it_was_sent_or_refused_by_name() {
        let custom = |number: &str| object(format!(r#"{{"name": "a", "custom": {{"n": [{number}]}}}}"#).as_bytes());
        for number in
            ["9007199254740993", "-9223372036854775808", "18446744073709551615", "0.1", "1e3", "12345678901234.5"]
        {
            assert!(custom(number).is_ok(), "{number}");
        }
        for number in ["12345678901234567890123", "0.12345678901234567", "-9223372036854775809"] {
            assert_eq!(field(custom(number)).0, "custom/n/0", "{number}");
        }
        assert!(object(br#"{"a": "12345678901234567890123"}"#).is_ok());
    }

    #[test]
    fn a_wrong_parameter_of_a_query_is_named_and_so_is_one_that_is_not_known() {
        let wrong = |text: &str| field(pairs::<Wanted>(text.as_bytes())).0;
        assert_eq!(wrong("limit=abc"), "limit");
        assert_eq!(wrong("limti=5"), "limti");
        assert_eq!(pairs::<Wanted>(b"limit=5&tag=a&tag=b").unwrap().tag, ["a", "b"]);
        assert_eq!(pairs::<Wanted>(b"").unwrap().limit, None);
    }

    #[test]
    fn a_form_of_thousands_of_values_is_refused_before_it_is_read() {
        let many = |count: usize| vec!["tag=a"; count].join("&");
        assert_eq!(pairs::<Wanted>(many(MOST_PAIRS).as_bytes()).unwrap().tag.len(), MOST_PAIRS);
        assert_eq!(field(pairs::<Wanted>(many(MOST_PAIRS + 1).as_bytes())), (String::new(), "too_many"));
    }
}
