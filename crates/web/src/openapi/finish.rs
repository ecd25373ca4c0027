//! What every schema and parameter gets besides what its Rust type says: descriptions and word lists that many share,
//! and what holds for all inputs and all answers.

use serde_json::{Map, Value, json};
use utoipa::openapi::path::Parameter;

use super::words;

/// The most characters of a text that an input does not say more of.
const LONGEST: u64 = 500;
/// The same of a parameter of the query.
const LONGEST_PARAMETER: u64 = 200;

/// The schema `name`. An input takes no other fields, and null as nothing given; an answer has all its fields.
pub(super) fn schema(name: &str, mut schema: Value, taken: bool) -> Value {
    let required: Vec<Value> = schema["required"].as_array().cloned().unwrap_or_default();
    if schema["description"].is_null() && schema["type"] == "object" {
        schema["description"] = json!(words::of_type(name));
    }
    let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return schema };
    for (field, of) in fields.iter_mut() {
        words::add(name, field, of);
        let default = of.as_object_mut().and_then(|of| of.remove("default"));
        if taken {
            limit(of, LONGEST);
            tell_default(of, default.as_ref());
            if !required.iter().any(|known| known == field.as_str()) {
                allow_null(of);
            }
        }
    }
    let all: Vec<Value> = fields.keys().map(|field| json!(field)).collect();
    if taken {
        if schema.get("additionalProperties").is_none() {
            schema["additionalProperties"] = json!(false);
        }
    } else {
        schema["required"] = json!(all);
    }
    schema
}

/// A parameter of the query, its default beside its limits.
pub(super) fn parameter(parameter: &Parameter) -> serde_json::Result<Value> {
    let mut parameter = serde_json::to_value(parameter)?;
    let name = parameter["name"].as_str().unwrap_or_default().to_owned();
    // a parameter is given or not: there is no null in a query
    if let Some(kinds) = parameter["schema"]["type"].as_array() {
        let kind = kinds.iter().find(|kind| *kind != "null").cloned();
        parameter["schema"]["type"] = kind.unwrap_or_default();
    }
    if let Some(shapes) = parameter["schema"]["oneOf"].as_array() {
        let shape = shapes.iter().find(|shape| shape["type"] != "null").cloned();
        parameter["schema"] = shape.unwrap_or_default();
    }
    match name.as_str() {
        "limit" => parameter["schema"] = json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }),
        _ => limit(&mut parameter["schema"], LONGEST_PARAMETER),
    }
    Ok(parameter)
}

/// Every text has a limit: its own, that of its list of words or its format, or this one.
fn limit(of: &mut Value, most: u64) {
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = of.get_mut(key).filter(|inner| inner.is_object()) {
            limit(inner, most);
        }
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        let shapes = of.get_mut(key).and_then(Value::as_array_mut);
        shapes.into_iter().flatten().for_each(|shape| limit(shape, most));
    }
    let is_text = of["type"] == "string" || of["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("string")));
    let fixed = ["uuid", "date", "date-time"].iter().any(|format| of["format"] == *format);
    if is_text && !fixed && ["enum", "const", "maxLength"].iter().all(|key| of.get(*key).is_none()) {
        of["maxLength"] = json!(most);
    }
}

/// The name of the patch of what has `name`.
pub(super) fn patch_name(name: &str) -> String {
    format!("{}Patch", name.trim_end_matches("Input"))
}

/// The patch of what `whole` describes: nothing is required, null empties.
pub(super) fn patch(whole: &Value) -> Value {
    let fields = whole["properties"].as_object().into_iter().flatten();
    let fields: Map<String, Value> = fields
        .map(|(name, of)| {
            let mut of = of.clone();
            allow_null(&mut of);
            (name.clone(), of)
        })
        .collect();
    json!({
        "type": "object",
        "description": "What to change (RFC 7396): what is absent stays, null empties a field. What GET answered may be \
            sent back whole: what cannot be changed must then be as it is.",
        "additionalProperties": false,
        "properties": fields,
    })
}

/// Beside the schema of a field in a component a default would make clients ask for it: it is told in words.
fn tell_default(of: &mut Value, default: Option<&Value>) {
    let Some(default) = default.filter(|default| !matches!(default, Value::Null | Value::Object(_))) else { return };
    if *default == json!("") || *default == json!([]) {
        return;
    }
    let text = of["description"].as_str().unwrap_or_default();
    of["description"] = json!(
        format!("{text} `{}` when absent.", default.as_str().map_or_else(|| default.to_string(), str::to_owned)).trim()
    );
}

fn allow_null(of: &mut Value) {
    if let Some(reference) = of.get("$ref").cloned() {
        let description = of["description"].clone();
        *of = json!({ "oneOf": [{ "type": "null" }, { "$ref": reference }], "description": description });
        return;
    }
    if let Some(shapes) = of.get_mut("oneOf").and_then(Value::as_array_mut) {
        if !shapes.iter().any(|shape| shape["type"] == "null") {
            shapes.insert(0, json!({ "type": "null" }));
        }
        return;
    }
    match of["type"].clone() {
        Value::String(kind) => of["type"] = json!([kind, "null"]),
        Value::Array(kinds) if !kinds.contains(&json!("null")) => {
            of["type"] = [kinds, vec![json!("null")]].concat().into();
        }
        _ => {}
    }
    if let Some(words) = of.get_mut("enum").and_then(Value::as_array_mut)
        && !words.contains(&Value::Null)
    {
        words.push(Value::Null);
    }
}
