//! Addresses and codes as others may see them: enough for their owner, too little for anybody else.

use content::forms::{FieldType, FormConfig};
use kernel::codes::RedemptionCode;
use serde_json::Value;

/// `+16145550123` → `•••• 0123`, `ada@example.com` → `a•••@example.com`.
pub fn address(address: &str) -> String {
    if let Some((name, host)) = address.split_once('@') {
        let first: String = name.chars().take(1).collect();
        return format!("{first}•••@{host}");
    }
    kernel::phone::mask(address)
}

/// Answers without the redemption codes in them: those of the form's own fields, and what an older form asked that looks
/// like one.
pub fn codes(config: &FormConfig, mut answers: Value) -> Value {
    let asks = |name: &str| config.fields.iter().find(|field| field.id == name).map(|field| field.kind);
    for (name, answer) in answers.as_object_mut().into_iter().flatten() {
        let Some(text) = answer.as_str() else { continue };
        let is_code = match asks(name) {
            Some(kind) => kind == FieldType::GiftCardCode,
            None => RedemptionCode::parse(text).is_ok(),
        };
        if is_code {
            *answer = RedemptionCode::masked(text).into();
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn codes_in_answers_are_masked_also_those_an_older_form_asked_for() {
        let code = RedemptionCode::generate(&mut kernel::random::generator()).to_string();
        let config: FormConfig = serde_json::from_value(json!({ "fields": [
            { "id": "code", "type": "gift_card_code", "label": "Code" }, { "id": "note", "type": "text", "label": "Note" }
        ] }))
        .unwrap();
        let answers = codes(&config, json!({ "code": code, "old_code": code, "note": "twelve words", "age": 3 }));
        let text = answers.to_string();
        assert!(!text.contains(&code[..9]) && text.contains(&code[10..]) && text.contains("twelve words"), "{text}");
    }

    #[test]
    fn only_the_end_of_a_number_and_the_first_letter_of_a_name_are_shown() {
        assert_eq!(address("+16145550123"), "•••• 0123");
        assert_eq!(address("ada@example.com"), "a•••@example.com");
        assert_eq!(address(""), "•••• ");
    }
}
