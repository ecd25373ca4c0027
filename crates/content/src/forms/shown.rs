//! When a field is shown: its condition held against the answer of an earlier field, by what kind of answer that is. The
//! number 2 is 2 however it is written, and a box that is not ticked is an answer, too.

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::config::{Condition, Field, FieldType, FormConfig};
use super::number;

/// Whether a field is shown, given the answers before it.
pub fn visible(config: &FormConfig, field: &Field, answers: &Map<String, Value>) -> bool {
    let Some(condition) = &field.show_if else { return true };
    let other = config.fields.iter().find(|other| other.id == condition.field);
    fits(other.map_or(FieldType::Text, |other| other.kind), condition, answers.get(&condition.field))
}

fn fits(kind: FieldType, condition: &Condition, answer: Option<&Value>) -> bool {
    let is_box = matches!(kind, FieldType::Checkbox | FieldType::Consent);
    let ticked = answer.is_some();
    match condition.operator.as_str() {
        "equals" | "contains" if is_box => yes_or_no(&condition.value) == Some(ticked),
        "not_equals" if is_box => yes_or_no(&condition.value) != Some(ticked),
        "equals" => answer.is_some_and(|answer| equals(kind, answer, &condition.value)),
        "not_equals" => !answer.is_some_and(|answer| equals(kind, answer, &condition.value)),
        "contains" => answer.is_some_and(|answer| contains(kind, answer, &condition.value)),
        "is_empty" => answer.is_none(),
        _ => answer.is_some(),
    }
}

/// One of several answers is enough; a condition that names several wants exactly those.
fn equals(kind: FieldType, answer: &Value, wanted: &Value) -> bool {
    match (answer.as_array(), wanted.as_array()) {
        (Some(given), Some(wanted)) => {
            given.len() == wanted.len() && wanted.iter().all(|one| given.iter().any(|answer| same(kind, answer, one)))
        }
        (Some(given), None) => given.iter().any(|answer| same(kind, answer, wanted)),
        (None, Some(wanted)) => wanted.iter().any(|one| same(kind, answer, one)),
        (None, None) => same(kind, answer, wanted),
    }
}

fn contains(kind: FieldType, answer: &Value, wanted: &Value) -> bool {
    let part = text_of(wanted);
    equals(kind, answer, wanted) || (answer.is_string() && !part.is_empty() && text_of(answer).contains(&part))
}

fn same(kind: FieldType, answer: &Value, wanted: &Value) -> bool {
    let (given, text) = (text_of(answer), text_of(wanted));
    match kind {
        FieldType::Number => match (number::value(answer), number::value(wanted)) {
            // Both were written down in decimals: what reads the same is the same.
            (Some(given), Some(wanted)) => given.total_cmp(&wanted).is_eq(),
            _ => false,
        },
        FieldType::Date => day(&given).is_some_and(|given| day(&text) == Some(given)),
        FieldType::Phone => kernel::phone::normalise(&text, "US").is_some_and(|wanted| given == wanted),
        FieldType::GiftCardCode => given.replace('-', "") == text.replace('-', ""),
        _ => given == text,
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    ["%Y-%m-%d", "%m/%d/%Y"].iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok())
}

/// Yes or no, as people and programs write it.
fn yes_or_no(value: &Value) -> Option<bool> {
    match text_of(value).as_str() {
        "true" | "yes" | "on" | "1" | "checked" | "ticked" => Some(true),
        "false" | "no" | "off" | "0" | "" | "null" | "unchecked" => Some(false),
        _ => None,
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_lowercase())
}

/// What is wrong with a condition's value, for the field it looks at; such a condition would never fit.
pub fn misfit(kind: FieldType, condition: &Condition) -> Option<&'static str> {
    if !["equals", "not_equals"].contains(&condition.operator.as_str()) {
        return None;
    }
    let values = condition.value.as_array().map_or(std::slice::from_ref(&condition.value), Vec::as_slice);
    let all = |fits: fn(&Value) -> bool| values.iter().all(fits);
    match kind {
        FieldType::Number if !all(|value| number::value(value).is_some()) => {
            Some("the other field is a number: give one")
        }
        FieldType::Date if !all(|value| day(&text_of(value)).is_some()) => {
            Some("the other field is a day: write YYYY-MM-DD")
        }
        FieldType::Checkbox | FieldType::Consent if !all(|value| yes_or_no(value).is_some()) => {
            Some("the other field is a box: true or false")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(kind: &str, operator: &str, value: Value, answer: Option<Value>) -> bool {
        let config: FormConfig = serde_json::from_value(json!({ "fields": [
            { "id": "a", "type": kind, "label": "A", "options": ["Mon", "Tue"] },
            { "id": "b", "type": "text", "label": "B", "show_if": { "field": "a", "operator": operator, "value": value } }
        ] }))
        .unwrap();
        let answers = answer.map(|answer| ("a".to_owned(), answer)).into_iter().collect();
        visible(&config, &config.fields[1], &answers)
    }

    #[test]
    fn conditions_compare_by_the_kind_of_answer() {
        for (kind, value, answer, fits) in [
            ("number", json!(2), json!(2.0), true),
            ("number", json!("2"), json!(2.0), true),
            ("number", json!("2.0"), json!(2.0), true),
            ("number", json!("1,500"), json!(1500.0), true),
            ("number", json!(0), json!(0.0), true),
            ("number", json!(2), json!(3.0), false),
            ("number", json!("two"), json!(2.0), false),
            ("number", json!([1, 2]), json!(2.0), true),
            ("date", json!("2026-03-01"), json!("2026-03-01"), true),
            ("date", json!("3/1/2026"), json!("2026-03-01"), true),
            ("date", json!("2026-03-02"), json!("2026-03-01"), false),
            ("checkbox", json!(true), json!(true), true),
            ("checkbox", json!("yes"), json!(true), true),
            ("checkbox", json!(false), json!(true), false),
            ("consent", json!("on"), json!(true), true),
            ("multiselect", json!("Mon"), json!(["Mon", "Tue"]), true),
            ("multiselect", json!("mon"), json!(["Mon"]), true),
            ("multiselect", json!(["Tue", "Mon"]), json!(["Mon", "Tue"]), true),
            ("multiselect", json!(["Mon"]), json!(["Mon", "Tue"]), false),
            ("select", json!("mon "), json!("Mon"), true),
            ("select", json!(["Mon", "Tue"]), json!("Tue"), true),
            ("phone", json!("(614) 555-0123"), json!("+16145550123"), true),
            ("gift_card_code", json!("7k2m9qrx4tvb"), json!("7K2M-9QRX-4TVB"), true),
            ("email", json!("ADA@example.com"), json!("ada@example.com"), true),
            ("text", json!("Blue"), json!("blue"), true),
            ("text", json!(7), json!("7"), true),
        ] {
            assert_eq!(shown(kind, "equals", value.clone(), Some(answer.clone())), fits, "{kind} {value} {answer}");
            assert_eq!(
                shown(kind, "not_equals", value.clone(), Some(answer.clone())),
                !fits,
                "{kind} not {value} {answer}"
            );
        }
    }

    #[test]
    fn a_box_that_is_not_ticked_says_no_and_other_fields_say_nothing() {
        for kind in ["checkbox", "consent"] {
            assert!(shown(kind, "equals", json!(false), None) && !shown(kind, "equals", json!(true), None), "{kind}");
            assert!(shown(kind, "not_equals", json!(true), None) && shown(kind, "is_empty", Value::Null, None));
            assert!(shown(kind, "is_not_empty", Value::Null, Some(json!(true))));
        }
        assert!(!shown("number", "equals", json!(0), None) && shown("number", "not_equals", json!(0), None));
        assert!(shown("text", "contains", json!("LUE"), Some(json!("blue"))));
        assert!(!shown("text", "contains", json!(""), Some(json!("blue"))), "nothing is in everything");
    }

    #[test]
    fn a_condition_that_could_never_fit_is_told() {
        let condition = |value: Value| Condition { field: "a".into(), operator: "equals".into(), value };
        assert!(misfit(FieldType::Number, &condition(json!("two"))).is_some());
        assert!(misfit(FieldType::Date, &condition(json!("March"))).is_some());
        assert!(misfit(FieldType::Checkbox, &condition(json!("maybe"))).is_some());
        assert_eq!(misfit(FieldType::Number, &condition(json!(["1", 2]))), None);
        assert_eq!(misfit(FieldType::Text, &condition(json!("two"))), None);
    }
}
