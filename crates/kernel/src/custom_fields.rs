//! What a client keeps about a contact beyond ACE's own fields: how many, how named, how long. Held wherever one is
//! written: by people, programs, imports and forms.

use serde_json::{Map, Value};

use crate::Problems;

/// The most of them a contact has.
pub const MAX_FIELDS: usize = 200;
/// The longest name, in characters.
pub const MAX_NAME: usize = 100;
/// The longest value, in characters; of a number, a list or an object as JSON writes it.
pub const MAX_VALUE: usize = 1_000;
/// The most bytes of all names and values of one contact.
pub const MAX_BYTES: usize = 32_000;

/// Why a value is not kept.
pub fn refuse_value(value: &Value) -> Option<String> {
    let long = match value {
        Value::String(text) => text.chars().nth(MAX_VALUE).is_some(),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        other => other.to_string().chars().nth(MAX_VALUE).is_some(),
    };
    long.then(|| format!("use at most {MAX_VALUE} characters"))
}

/// Notes everything that is too much, each with its field. What was there before may stay as it was, so that a contact
/// from before the limits can still be changed otherwise.
pub fn check(fields: &Map<String, Value>, before: &Map<String, Value>, problems: &mut Problems) {
    if fields.len() > MAX_FIELDS.max(before.len()) {
        problems.add("custom_fields", "too_many", format!("a contact has at most {MAX_FIELDS} custom fields"));
        return;
    }
    for (name, value) in fields.iter().filter(|(name, value)| before.get(*name) != Some(value)) {
        let path = || format!("custom_fields/{}", name.chars().take(MAX_NAME).collect::<String>());
        if name.trim().is_empty() || name.chars().nth(MAX_NAME).is_some() {
            problems.invalid(path(), format!("the name of a custom field has 1 to {MAX_NAME} characters"));
        } else if let Some(why) = refuse_value(value) {
            problems.add(path(), "too_long", why);
        }
    }
    let bytes = |fields: &Map<String, Value>| {
        fields
            .iter()
            .map(|(name, value)| name.len() + value.as_str().map_or_else(|| value.to_string().len(), str::len))
            .sum::<usize>()
    };
    let (now, then) = (bytes(fields), bytes(before));
    if now > MAX_BYTES.max(then) {
        problems.add(
            "custom_fields",
            "too_long",
            format!("the custom fields of a contact have at most {MAX_BYTES} bytes together"),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(fields: Value, before: Value) -> Vec<(String, &'static str)> {
        let mut problems = Problems::new();
        check(fields.as_object().unwrap(), before.as_object().unwrap(), &mut problems);
        let error = problems.finish().err();
        error.iter().flat_map(|error| error.fields()).map(|error| (error.field.clone(), error.code)).collect()
    }

    #[test]
    fn names_values_number_and_sum_have_limits_and_each_is_named() {
        let long = "x".repeat(MAX_VALUE + 1);
        assert_eq!(refused(json!({ "roof": "é".repeat(MAX_VALUE), "age": 12, "none": null }), json!({})), []);
        assert_eq!(refused(json!({ "note": long }), json!({})), [("custom_fields/note".into(), "too_long")]);
        assert_eq!(refused(json!({ "list": vec![1; 1_000] }), json!({})), [("custom_fields/list".into(), "too_long")]);
        assert_eq!(refused(json!({ " ": "x" }), json!({})), [("custom_fields/ ".into(), "invalid")]);
        let many: Map<String, Value> = (0..=MAX_FIELDS).map(|n| (n.to_string(), json!(n))).collect();
        assert_eq!(refused(json!(many), json!({})), [("custom_fields".into(), "too_many")]);
        let large: Map<String, Value> = (0..40).map(|n| (n.to_string(), json!("x".repeat(MAX_VALUE)))).collect();
        assert_eq!(refused(json!(large), json!({})), [("custom_fields".into(), "too_long")]);
        assert_eq!(refused(json!({ "note": long, "new": 1 }), json!({ "note": long })), [], "what was there may stay");
    }
}
