//! The part of JSON Schema that our document uses, with messages a person can act on.

use chrono::DateTime;
use kernel::{Problems, zone};
use serde_json::{Map, Value};
use uuid::Uuid;

/// A value under check: where schemas are found and faults are noted.
pub(super) struct Check<'a> {
    pub(super) schemas: &'a Map<String, Value>,
    pub(super) problems: &'a mut Problems,
}

impl Check<'_> {
    /// Notes every fault of `value`, which stands at `path`.
    pub(super) fn value(&mut self, schema: &Value, value: &Value, path: &mut Vec<String>) {
        let schema = resolved(self.schemas, schema);
        if let Some(all) = schema["allOf"].as_array() {
            all.iter().for_each(|part| self.value(part, value, path));
        }
        if let Some(one) = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array()) {
            return self.one_of(one, value, path);
        }
        if let Some(words) = schema["enum"].as_array() {
            return self.word(words, value, path);
        }
        let kinds = kinds(schema);
        if !kinds.is_empty() && !kinds.iter().any(|kind| fits(kind, value)) {
            return self.note(path, "invalid", wanted(&kinds, schema));
        }
        match value {
            Value::String(text) => self.text(schema, text, path),
            Value::Number(_) => self.number(schema, value, path),
            Value::Array(items) => self.items(schema, items, path),
            Value::Object(fields) => self.fields(schema, fields, path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// One of several shapes: the only one that is not null is checked in full; of more, one must fit.
    fn one_of(&mut self, shapes: &[Value], value: &Value, path: &mut Vec<String>) {
        let (nulls, others): (Vec<_>, Vec<_>) = shapes.iter().partition(|shape| shape["type"] == "null");
        if value.is_null() && !nulls.is_empty() {
            return;
        }
        if let [only] = others.as_slice() {
            return self.value(only, value, path);
        }
        let fits = others.iter().any(|shape| {
            let mut problems = Problems::new();
            Check { schemas: self.schemas, problems: &mut problems }.value(shape, value, path);
            problems.is_empty()
        });
        if !fits {
            let words: Vec<Value> = others.iter().filter_map(|shape| shape.get("const").cloned()).collect();
            if words.is_empty() {
                self.note(path, "invalid", "has none of the shapes that are taken here");
            } else {
                self.word(&words, value, path);
            }
        }
    }

    fn word(&mut self, words: &[Value], value: &Value, path: &[String]) {
        if !words.contains(value) {
            let known: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            self.note(path, "invalid", format!("must be one of {}", known.join(", ")));
        }
    }

    fn text(&mut self, schema: &Value, text: &str, path: &[String]) {
        let length = || text.chars().count() as u64;
        let fault = match schema["format"].as_str() {
            Some("uuid") if Uuid::parse_str(text).is_err() => "must be an id (a UUID)",
            Some("date") if zone::parse_day(text).is_none() => {
                "must be a day such as 2026-05-04, of the years 1900 to 2200"
            }
            Some("date-time") if !is_moment(text) => {
                "must be a time such as 2026-05-04T15:30:00Z, of the years 1900 to 2200"
            }
            _ => "",
        };
        if !fault.is_empty() {
            self.note(path, "invalid", fault);
        } else if let Some(most) = schema["maxLength"].as_u64().filter(|most| length() > *most) {
            self.note(path, "too_long", format!("use at most {most} characters"));
        } else if let Some(least) = schema["minLength"].as_u64().filter(|least| length() < *least) {
            self.note(path, "too_short", format!("at least {least} characters"));
        }
    }

    fn number(&mut self, schema: &Value, value: &Value, path: &[String]) {
        let (least, most) = bounds(schema);
        let number = value.as_f64().unwrap_or_default();
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            let text = match (least, most) {
                (Some(least), Some(most)) => format!("must be {least} to {most}"),
                (Some(least), None) => format!("must be {least} or more"),
                (_, most) => format!("must be {} or less", most.unwrap_or_default()),
            };
            self.note(path, "out_of_range", text);
        }
    }

    fn items(&mut self, schema: &Value, items: &[Value], path: &mut Vec<String>) {
        if let Some(most) = schema["maxItems"].as_u64().filter(|most| items.len() as u64 > *most) {
            return self.note(path, "too_many", format!("at most {most}"));
        }
        if let Some(least) = schema["minItems"].as_u64().filter(|least| (items.len() as u64) < *least) {
            return self.note(path, "required", format!("at least {least}"));
        }
        for (index, item) in items.iter().enumerate() {
            self.within(index.to_string(), &schema["items"], item, path);
        }
    }

    fn fields(&mut self, schema: &Value, fields: &Map<String, Value>, path: &mut Vec<String>) {
        for (name, value) in fields {
            match (schema["properties"].get(name), &schema["additionalProperties"]) {
                (Some(of), _) => self.within(escaped(name), of, value, path),
                (None, Value::Bool(false)) => {
                    path.push(escaped(name));
                    self.note(path, "unknown", "there is no such field here");
                    path.pop();
                }
                (None, of) => self.within(escaped(name), of, value, path),
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                path.push(escaped(name));
                self.note(path, "required", format!("{} is required", name.replace('_', " ")));
                path.pop();
            }
        }
    }

    fn within(&mut self, name: String, schema: &Value, value: &Value, path: &mut Vec<String>) {
        path.push(name);
        self.value(schema, value, path);
        path.pop();
    }

    fn note(&mut self, path: &[String], code: &'static str, message: impl Into<String>) {
        self.problems.add(path.join("/"), code, message);
    }
}

/// The schema that a reference leads to; any other is itself.
pub(super) fn resolved<'a>(schemas: &'a Map<String, Value>, schema: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    name.and_then(|name| schemas.get(name)).unwrap_or(schema)
}

/// The types that a schema allows; none for any.
pub(super) fn kinds(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(kind) => vec![kind],
        kinds => kinds.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    }
}

/// Takes away the fields of `value` whose null means that nothing was given, and writes whole numbers as such: `5.0` is one.
pub(super) fn drop_nulls(schemas: &Map<String, Value>, schema: &Value, value: &mut Value) {
    let schema = shape(schemas, schema);
    match value {
        Value::Number(_) if kinds(schema).contains(&"integer") => {
            if let Some(whole) = whole(value) {
                *value = Value::from(whole);
            }
        }
        Value::Object(fields) => {
            let known = &schema["properties"];
            fields.retain(|name, field| !(field.is_null() && known.get(name).is_some()));
            fields.iter_mut().for_each(|(name, field)| drop_nulls(schemas, &known[name.as_str()], field));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_nulls(schemas, &schema["items"], item)),
        _ => {}
    }
}

/// What a schema says of a value that is not null.
pub(super) fn shape<'a>(schemas: &'a Map<String, Value>, schema: &'a Value) -> &'a Value {
    let schema = resolved(schemas, schema);
    let shapes = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array());
    let other = shapes.and_then(|shapes| shapes.iter().find(|shape| shape["type"] != "null"));
    other.map_or(schema, |other| resolved(schemas, other))
}

/// A text of a query as the value that its schema wants, or as it is when it is no such value.
pub(super) fn read(schema: &Value, text: &str) -> Value {
    let text_itself = || Value::from(text);
    match kinds(schema).iter().find(|kind| **kind != "null").copied() {
        Some("integer") => text.parse::<i64>().map_or_else(|_| text_itself(), Value::from),
        Some("number") => text.parse::<f64>().map_or_else(|_| text_itself(), Value::from),
        Some("boolean") => text.parse::<bool>().map_or_else(|_| text_itself(), Value::from),
        _ => text_itself(),
    }
}

/// A name as a part of a JSON pointer (RFC 6901).
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn fits(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64() || whole(value).is_some(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

/// The whole number that is written with a point or an exponent, such as `5.0`, as far as a double keeps it exactly.
fn whole(value: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = value.as_f64().filter(|number| value.is_f64() && number.fract() == 0.0 && number.abs() <= EXACT)?;
    format!("{number:.0}").parse().ok()
}

fn wanted(kinds: &[&str], schema: &Value) -> &'static str {
    match kinds.iter().find(|kind| **kind != "null").copied() {
        Some("string") => match schema["format"].as_str() {
            Some("uuid") => "must be an id (a UUID) in quotes",
            Some("date") => "must be a day such as \"2026-05-04\"",
            Some("date-time") => "must be a time such as \"2026-05-04T15:30:00Z\"",
            _ => "must be a text in quotes",
        },
        Some("integer") => "must be a whole number",
        Some("number") => "must be a number",
        Some("boolean") => "must be true or false",
        Some("array") => "must be a list: [ … ]",
        Some("object") => "must be an object with named fields: { … }",
        _ => "must be null",
    }
}

/// What a number must lie between: what is said, and what fits into 32 bits where that is the format.
fn bounds(schema: &Value) -> (Option<f64>, Option<f64>) {
    let narrow = schema["format"] == "int32";
    let least = schema["minimum"].as_f64().or(narrow.then_some(f64::from(i32::MIN)));
    let most = schema["maximum"].as_f64().or(narrow.then_some(f64::from(i32::MAX)));
    (least, most)
}

/// A day, `T`, the time with its seconds, and `Z` or how far it is from that (RFC 3339).
fn is_moment(text: &str) -> bool {
    let day = text.get(..10).and_then(zone::parse_day);
    let time = text.as_bytes().get(10..19).is_some_and(|time| time[0] == b'T' && time[3] == b':' && time[6] == b':');
    day.is_some() && time && DateTime::parse_from_rfc3339(text).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(schema: Value, value: Value) -> Vec<(String, &'static str)> {
        let schemas = json!({ "Size": { "type": "string", "enum": ["small", "large"] } });
        let mut problems = Problems::new();
        let mut check = Check { schemas: schemas.as_object().unwrap(), problems: &mut problems };
        check.value(&schema, &value, &mut Vec::new());
        let error = problems.finish().err();
        error.iter().flat_map(|error| error.fields()).map(|field| (field.field.clone(), field.code)).collect()
    }

    fn thing() -> Value {
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["name"],
            "properties": {
                "name": { "type": "string", "maxLength": 3 },
                "size": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Size" }] },
                "day": { "type": ["string", "null"], "format": "date" },
                "count": { "type": "integer", "format": "int32", "minimum": 0 },
                "tags": { "type": "array", "maxItems": 2, "items": { "type": "string" } },
                "free": { "type": "object" },
            },
        })
    }

    #[test]
    fn every_fault_is_named_at_once_and_by_its_pointer() {
        let wrong = json!({ "size": "huge", "day": "+10000-01-01", "count": -1, "tags": ["a", 7], "nmae": 1 });
        let expected = [
            ("count", "out_of_range"),
            ("day", "invalid"),
            ("nmae", "unknown"),
            ("size", "invalid"),
            ("tags/1", "invalid"),
            ("name", "required"),
        ];
        assert_eq!(faults(thing(), wrong), expected.map(|(field, code)| (field.to_owned(), code)));
    }

    #[test]
    fn a_day_and_a_time_are_written_in_one_way() {
        let is =
            |format: &str, text: &str| faults(json!({ "type": "string", "format": format }), json!(text)).is_empty();
        for text in ["2026-05-04T15:30:00Z", "2026-05-04T15:30:00.123456Z", "2026-05-04T15:30:00-05:00"] {
            assert!(is("date-time", text), "{text}");
        }
        for text in [
            "2026-5-4T15:30:00Z",
            "2026-05-04 15:30:00Z",
            "2026-05-04T5:30:00Z",
            "2026-05-04T15:30:00",
            "2026-05-04T15:30Z",
            "2026-05-04",
            "+12026-05-04T15:30:00Z",
        ] {
            assert!(!is("date-time", text), "{text}");
        }
        assert!(is("date", "2026-05-04") && !is("date", "2026-5-4") && !is("date", "2026-05-04T15:30:00Z"));
    }

    #[test]
    fn what_is_allowed_passes_and_a_list_is_no_object() {
        let right =
            json!({ "name": "äöü", "size": null, "day": "2026-05-04", "count": 7, "tags": [], "free": { "x": [1] } });
        assert_eq!(faults(thing(), right), []);
        for list in [json!([]), json!(["a", null]), json!("a"), json!(null)] {
            assert_eq!(faults(thing(), list.clone()), [(String::new(), "invalid")], "{list}");
        }
        assert_eq!(faults(thing(), json!({ "name": "a", "free": [] })), [("free".to_owned(), "invalid")]);
        assert_eq!(faults(thing(), json!({ "name": "abcd" })), [("name".to_owned(), "too_long")]);
        let whole = |n: Value| faults(json!({ "type": "integer", "minimum": 0 }), n).len();
        assert_eq!([json!(5.0), json!(1e1), json!(5.5), json!(1e300), json!(-1.0)].map(whole), [0, 0, 1, 1, 1]);
        let count = |n: i64| faults(json!({ "type": "integer", "format": "int32" }), json!(n)).len();
        assert_eq!((count(2_147_483_647), count(2_147_483_648)), (0, 1));
    }
}
