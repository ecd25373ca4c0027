//! Merge patches (RFC 7396) of what was read before: what GET answered can be sent back whole.

use kernel::{Problems, Result};
use serde_json::{Map, Value};

use super::schema::{escaped, shape};

/// Takes out of a patch what an input does not have and what is as it was told: ids, times, counts.
pub(super) fn drop_unchanged(schemas: &Map<String, Value>, schema: &Value, patch: &mut Value, answered: &Value) {
    let schema = shape(schemas, schema);
    match patch {
        Value::Object(fields) if schema["properties"].is_object() => {
            let known = &schema["properties"];
            fields.retain(|name, value| known.get(name).is_some() || answered.get(name) != Some(value));
            for (name, value) in fields.iter_mut() {
                drop_unchanged(schemas, &known[name.as_str()], value, &answered[name.as_str()]);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                drop_unchanged(schemas, &schema["items"], item, &answered[index]);
            }
        }
        _ => {}
    }
}

/// Refuses to change what was told of a thing but is no part of its input.
///
/// # Errors
/// `Invalid`, naming every such field.
pub(super) fn refuse_read_only(whole: &Value, patch: &Value, answered: &Value) -> Result<()> {
    let mut problems = Problems::new();
    for name in patch.as_object().into_iter().flatten().map(|(name, _)| name) {
        if whole["properties"].get(name).is_none() && answered.get(name).is_some() {
            problems.add(escaped(name), "read_only", "cannot be changed here");
        }
    }
    problems.finish()
}

/// RFC 7396: objects are merged field by field, null takes a field away, anything else replaces.
pub(super) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(fields) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_merges_as_rfc_7396_says() {
        // of its appendix A
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = target;
            merge(&mut merged, patch);
            assert_eq!(merged, result);
        }
    }

    #[test]
    fn what_was_told_can_be_sent_back_and_what_cannot_be_changed_is_refused_by_name() {
        let whole = json!({ "properties": { "name": {}, "rows": { "items": { "properties": { "word": {} } } } } });
        let told = json!({ "id": 7, "name": "a", "rows": [{ "word": "x", "number": 1 }] });
        let mut patch = told.clone();
        patch["name"] = json!("b");
        drop_unchanged(&Map::new(), &whole, &mut patch, &told);
        assert_eq!(patch, json!({ "name": "b", "rows": [{ "word": "x" }] }));
        let mut patch = json!({ "id": 8 });
        drop_unchanged(&Map::new(), &whole, &mut patch, &told);
        let refused = refuse_read_only(&whole, &patch, &told).unwrap_err();
        assert_eq!((refused.fields()[0].field.as_str(), refused.fields()[0].code), ("id", "read_only"));
    }
}
