//! Addresses and codes as others may see them: enough for their owner, too little for anybody else.

use std::sync::LazyLock;

use content::forms::{FieldType, FormConfig};
use kernel::codes::RedemptionCode;
use regex::Regex;
use serde_json::Value;

/// A personal link, or what is printed as one.
static LINK: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)(/[rq]/)[0-9a-z]{6,}"));
/// Twelve letters and digits as one word, or as three words of four.
static LIKE_A_CODE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:[0-9A-Za-z]{12}|[0-9A-Za-z]{4}(?:[^0-9A-Za-z]{1,3}[0-9A-Za-z]{4}){2})\b"));

#[expect(clippy::expect_used, reason = "patterns of ours, which the tests below compile")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of ours")
}

/// `+16145550123` → `•••• 0123`, `ada@example.com` → `a•••@example.com`.
pub fn address(address: &str) -> String {
    if let Some((name, host)) = address.split_once('@') {
        let first: String = name.chars().take(1).collect();
        return format!("{first}•••@{host}");
    }
    kernel::phone::mask(address)
}

/// Answers without the redemption codes and personal links in them, whatever the fields are today: what a form asks for can be changed after
/// it was answered.
pub fn codes(config: &FormConfig, mut answers: Value) -> Value {
    let is_code =
        |name: &str| config.fields.iter().any(|field| field.id == name && field.kind == FieldType::GiftCardCode);
    for (name, answer) in answers.as_object_mut().into_iter().flatten() {
        let Some(text) = answer.as_str() else { continue };
        let shown = if is_code(name) { RedemptionCode::masked(text) } else { without_codes(text) };
        *answer = LINK.replace_all(&shown, "$1••••").into();
    }
    answers
}

/// A text without the codes in it.
fn without_codes(text: &str) -> String {
    if RedemptionCode::parse(text).is_ok() {
        return RedemptionCode::masked(text);
    }
    let (mut masked, mut kept, mut from) = (String::with_capacity(text.len()), 0, 0);
    while let Some(found) = LIKE_A_CODE.find_at(text, from) {
        if RedemptionCode::parse(found.as_str()).is_ok() {
            masked.push_str(&text[kept..found.start()]);
            masked.push_str(&RedemptionCode::masked(found.as_str()));
            (kept, from) = (found.end(), found.end());
        } else {
            // the words before a code may look like its beginning: on from the next of them
            let word = found.as_str().find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(found.len());
            from = found.start() + word;
        }
    }
    masked + &text[kept..]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn codes_in_answers_are_masked_whatever_the_form_asks_today() {
        let code = RedemptionCode::generate(&mut kernel::random::generator()).to_string();
        let config: FormConfig = serde_json::from_value(json!({ "fields": [
            { "id": "code", "type": "gift_card_code", "label": "Code" }, { "id": "note", "type": "text", "label": "Note" }
        ] }))
        .unwrap();
        let spaced = code.replace('-', " ");
        let answers = codes(
            &config,
            json!({
                "code": code, "old_code": code, "note": "twelve words", "age": 3,
                "told": format!("Code seen: {spaced}, or {}.", code.replace('-', "")),
            }),
        );
        let text = answers.to_string();
        assert!(!text.contains(&code[..9]) && !text.contains(&spaced[..9]), "{text}");
        assert!(!text.contains(&code.replace('-', "")) && text.matches(&code[10..]).count() == 4, "{text}");
        assert!(text.contains("twelve words") && text.contains("Code seen: ••••"), "{text}");
        let link = codes(&config, json!({ "note": "https://mail.example/r/7K2M9QRX4T?x" })).to_string();
        assert!(link.contains("/r/••••?x"), "{link}");
        // a field that was a code's when it was answered
        assert!(!codes(&config, json!({ "note": code })).to_string().contains(&code[..9]));
    }

    #[test]
    fn only_the_end_of_a_number_and_the_first_letter_of_a_name_are_shown() {
        assert_eq!(address("+16145550123"), "•••• 0123");
        assert_eq!(address("ada@example.com"), "a•••@example.com");
        assert_eq!(address(""), "•••• ");
    }
}
