//! The part of JSON Schema that the document uses, for tests.

use serde_json::Value;

pub fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
        None => value,
    }
}

pub fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// What is wrong with `value` under `schema`, if anything.
pub fn fault(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let schema = resolved(document, schema);
    let wrong = |what: &str| Some(format!("{at}: {what}: {value}"));
    for key in ["oneOf", "anyOf"] {
        if let Some(all) = schema[key].as_array() {
            let fits = all.iter().any(|one| fault(document, one, value, at).is_none());
            return if fits { None } else { wrong("none of its shapes") };
        }
    }
    if let Some(all) = schema["allOf"].as_array() {
        return all.iter().find_map(|part| fault(document, part, value, at));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return wrong("not a word of its list");
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        kinds => kinds.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = kinds.contains(&kind) || kind == "integer" && kinds.contains(&"number");
    if !kinds.is_empty() && !fits {
        return wrong("not its type");
    }
    // a format says something of texts only, not of a null beside them
    let text = value.as_str().unwrap_or_default();
    match schema["format"].as_str().filter(|_| value.is_string()) {
        Some("uuid") if text.parse::<uuid::Uuid>().is_err() => return wrong("no UUID"),
        Some("date-time") if chrono::DateTime::parse_from_rfc3339(text).is_err() => return wrong("no time"),
        Some("date") if text.parse::<chrono::NaiveDate>().is_err() => return wrong("no day"),
        _ => {}
    }
    let items = value.as_array().into_iter().flatten().enumerate();
    let mut faults = items.filter_map(|(n, item)| fault(document, &schema["items"], item, &format!("{at}/{n}")));
    faults.next().or_else(|| fields_fault(document, schema, value, at))
}

fn fields_fault(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let fields = value.as_object()?;
    let mut required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = required.find(|name| !fields.contains_key(*name)) {
        return Some(format!("{at}: {missing} is missing"));
    }
    let of = |name: &str| schema["properties"].get(name);
    fields.iter().find_map(|(name, field)| fault(document, of(name)?, field, &format!("{at}/{name}")))
}
