//! What strangers send to a form, checked against its config. The browser's checks are a courtesy; these count.

use std::collections::BTreeMap;

use kernel::codes::RedemptionCode;
use kernel::{FieldError, Problems};
use serde_json::{Map, Value, json};

use super::config::{Field, FieldType, FormConfig, Validation};
use super::number;
use super::shown::visible;

/// The longest answer kept, in characters.
pub(super) const MAX_ANSWER: usize = 5_000;

/// What a browser sent: every value of every name.
pub type Submitted = BTreeMap<String, Vec<String>>;

/// The answers as they are stored: normalised, only of fields that exist and are shown.
///
/// # Errors
/// Every wrong field by its id.
pub fn validate(config: &FormConfig, sent: &Submitted) -> Result<Map<String, Value>, Vec<FieldError>> {
    let mut answers = Map::new();
    let mut problems = Problems::new();
    for field in config.fields.iter().filter(|field| field.kind != FieldType::PageBreak) {
        if !visible(config, field, &answers) {
            continue;
        }
        let given: Vec<&str> = sent
            .get(&field.id)
            .into_iter()
            .flatten()
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
            .collect();
        match answer(field, &given) {
            Ok(Some(value)) => {
                answers.insert(field.id.clone(), value);
            }
            Ok(None) if field.required => {
                problems.add(&field.id, "required", required_text(field));
            }
            Ok(None) => {}
            Err(message) => {
                problems.invalid(&field.id, message);
            }
        }
    }
    match problems.finish() {
        Ok(()) => Ok(answers),
        Err(error) => Err(error.fields().to_vec()),
    }
}

fn required_text(field: &Field) -> String {
    match field.kind {
        FieldType::Consent => "please agree to go on".into(),
        FieldType::Checkbox => "please tick this".into(),
        _ => "please fill this in".into(),
    }
}

fn answer(field: &Field, given: &[&str]) -> Result<Option<Value>, String> {
    let Some(first) = given.first().copied() else { return Ok(None) };
    if given.iter().any(|value| value.chars().count() > MAX_ANSWER) {
        return Err(format!("use at most {MAX_ANSWER} characters"));
    }
    let value = match field.kind {
        FieldType::Email => json!(kernel::email::normalise(first).ok_or("enter an address such as maria@example.com")?),
        FieldType::Phone => json!(kernel::phone::normalise(first, "US").ok_or("enter a phone number of 10 digits")?),
        FieldType::Number => json!(number::parse(first)?),
        FieldType::Date => {
            json!(kernel::zone::parse_day(first).ok_or("write the day as YYYY-MM-DD")?)
        }
        FieldType::Select | FieldType::Radio => json!(option(field, first)?),
        FieldType::Multiselect => {
            json!(given.iter().map(|value| option(field, value)).collect::<Result<Vec<_>, _>>()?)
        }
        // A box that sends anything else was not ticked by a person who read it.
        FieldType::Checkbox | FieldType::Consent if given.iter().any(|value| is_yes(value)) => json!(true),
        FieldType::Checkbox | FieldType::Consent => return Ok(None),
        FieldType::GiftCardCode => {
            json!(RedemptionCode::parse(first).map_err(|_| "check the code: a character is wrong")?.to_string())
        }
        FieldType::Text | FieldType::Textarea | FieldType::Hidden | FieldType::PageBreak => json!(first),
    };
    rules(field, &value)?;
    Ok(Some(value))
}

/// Whether a box was ticked.
pub fn is_yes(value: &str) -> bool {
    ["true", "on", "1"].contains(&value)
}

fn option<'a>(field: &Field, value: &'a str) -> Result<&'a str, String> {
    if field.options.iter().any(|option| option == value) { Ok(value) } else { Err("choose one of the options".into()) }
}

fn rules(field: &Field, value: &Value) -> Result<(), String> {
    let length = value.as_str().map_or(0, |text| text.chars().count());
    for rule in &field.validation {
        match rule {
            Validation::MinLength { value } if length < *value => return Err(format!("at least {value} characters")),
            Validation::MaxLength { value } if length > *value => {
                return Err(format!("use at most {value} characters"));
            }
            Validation::Min { value: least } if value.as_f64().is_some_and(|n| n < *least) => {
                return Err(format!("{least} or more"));
            }
            Validation::Max { value: most } if value.as_f64().is_some_and(|n| n > *most) => {
                return Err(format!("{most} or less"));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> FormConfig {
        serde_json::from_value(json!({"fields": [
            {"id": "email", "type": "email", "label": "E-mail", "required": true},
            {"id": "owner", "type": "radio", "label": "Do you own the house?", "options": ["Yes", "No"], "required": true},
            {"id": "roof_age", "type": "number", "label": "Age of the roof", "required": true,
             "validation": [{"rule": "min", "value": 0.0}, {"rule": "max", "value": 150.0}],
             "show_if": {"field": "owner", "operator": "equals", "value": "Yes"}},
            {"id": "step2", "type": "page_break"},
            {"id": "ok", "type": "consent", "label": "You may text me"}
        ]}))
        .unwrap()
    }

    fn sent(pairs: &[(&str, &str)]) -> Submitted {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect()
    }

    #[test]
    fn answers_are_normalised_and_unknown_names_left_out() {
        let sent = sent(&[
            ("email", " Ada@Example.COM "),
            ("owner", "Yes"),
            ("roof_age", "12"),
            ("admin", "true"),
            ("ok", "on"),
        ]);
        let answers = validate(&form(), &sent).unwrap();
        assert_eq!(
            Value::Object(answers),
            json!({"email": "ada@example.com", "owner": "Yes", "roof_age": 12.0, "ok": true})
        );
    }

    #[test]
    fn a_hidden_field_is_neither_required_nor_kept() {
        let answers =
            validate(&form(), &sent(&[("email", "a@b.example"), ("owner", "No"), ("roof_age", "7")])).unwrap();
        assert!(!answers.contains_key("roof_age"));
    }

    #[test]
    fn a_required_field_that_a_number_shows_is_asked_for_and_kept() {
        let form: FormConfig = serde_json::from_value(json!({"fields": [
            {"id": "roofs", "type": "number", "label": "How many roofs?", "required": true},
            {"id": "second", "type": "text", "label": "Where is the second?", "required": true,
             "show_if": {"field": "roofs", "operator": "equals", "value": 2}}
        ]}))
        .unwrap();
        assert_eq!(validate(&form, &sent(&[("roofs", "2")])).unwrap_err()[0].field, "second");
        let answers = validate(&form, &sent(&[("roofs", "2"), ("second", "Behind")])).unwrap();
        assert_eq!(Value::Object(answers), json!({"roofs": 2.0, "second": "Behind"}));
        assert!(validate(&form, &sent(&[("roofs", "1"), ("second", "Behind")])).unwrap().get("second").is_none());
        assert_eq!(validate(&form, &sent(&[("roofs", "1,5")])).unwrap_err()[0].field, "roofs");
    }

    #[test]
    fn only_a_ticked_box_is_agreement() {
        let with = |ok: &[&str]| {
            let mut sent = sent(&[("email", "a@b.example"), ("owner", "No")]);
            sent.insert("ok".into(), ok.iter().map(|value| (*value).to_owned()).collect());
            validate(&form(), &sent).unwrap().get("ok").cloned()
        };
        for yes in ["true", "on", "1"] {
            assert_eq!(with(&[yes]), Some(json!(true)), "{yes}");
        }
        assert_eq!(with(&["false", "true"]), Some(json!(true)), "as some forms send a ticked box");
        for no in ["false", "off", "0", "no", "null", "yes, but"] {
            assert_eq!(with(&[no]), None, "{no}");
        }
        let mut required = form();
        required.fields[4].required = true;
        let sent = sent(&[("email", "a@b.example"), ("owner", "No"), ("ok", "false")]);
        assert_eq!(validate(&required, &sent).unwrap_err()[0].message, "please agree to go on");
    }

    #[test]
    fn every_wrong_field_is_named() {
        let errors = validate(&form(), &sent(&[("email", "nope"), ("owner", "Perhaps")])).unwrap_err();
        assert_eq!(errors.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), ["email", "owner"]);
        let errors =
            validate(&form(), &sent(&[("email", "a@b.example"), ("owner", "Yes"), ("roof_age", "999")])).unwrap_err();
        assert_eq!(errors[0].message, "150 or less");
    }
}
