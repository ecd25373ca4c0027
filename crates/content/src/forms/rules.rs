//! What a `form_config` must be before it is saved.

use std::collections::HashSet;

use kernel::Problems;

use super::config::{Field, FieldType, FormConfig};
use super::{shown, size};
use crate::lookalike::asks_for_password;

const NO_PASSWORDS: &str = "a form cannot ask for a password";

/// The most fields a form can have.
pub const MAX_FIELDS: usize = 100;

/// The looks of a reward's card.
pub const CARD_STYLES: [&str; 3] = ["plain", "ticket", "filled"];

/// The ways a reward appears.
pub const ANIMATIONS: [&str; 5] = ["fade", "slide", "flip", "confetti", "none"];

/// Notes everything that is wrong with `config`, each with its path.
pub fn check(config: &FormConfig, problems: &mut Problems) {
    if config.fields.len() > MAX_FIELDS {
        problems.add("form_config/fields", "too_many", format!("a form has at most {MAX_FIELDS} fields"));
        // nothing is looked at that there may be any number of
        return;
    }
    for (path, text) in [("title", &config.settings.title), ("description", &config.settings.description)] {
        if text.len() < 5_000 && asks_for_password(text) {
            problems.invalid(format!("form_config/settings/{path}"), NO_PASSWORDS);
        }
    }
    let mut seen = HashSet::new();
    for (index, field) in config.fields.iter().enumerate() {
        check_condition(config, field, &format!("form_config/fields/{index}"), problems);
        check_field(field, &format!("form_config/fields/{index}"), &seen, problems);
        if !seen.insert(field.id.as_str()) {
            problems.add(format!("form_config/fields/{index}/id"), "taken", format!("{} is used twice", field.id));
        }
    }
    for (path, colour) in [
        ("form_config/settings/colours/accent", &config.settings.colours.accent),
        ("form_config/settings/colours/background", &config.settings.colours.background),
    ] {
        if !colour.is_empty() && !is_colour(colour) {
            problems.invalid(path, "enter a colour such as #0f766e");
        }
    }
    for (path, word, words) in [
        ("form_config/reveal/animation", &config.reveal.animation, &ANIMATIONS[..]),
        ("form_config/reveal/card_style", &config.reveal.card_style, &CARD_STYLES[..]),
    ] {
        if !words.contains(&word.as_str()) {
            problems.invalid(path, format!("choose one of {}", words.join(", ")));
        }
    }
    size::check(config, problems);
}

/// A value that the other field cannot answer: the field would never be shown.
fn check_condition(config: &FormConfig, field: &Field, path: &str, problems: &mut Problems) {
    let Some(condition) = &field.show_if else { return };
    let other = config.fields.iter().find(|other| other.id == condition.field);
    if let Some(message) = other.and_then(|other| shown::misfit(other.kind, condition)) {
        problems.invalid(format!("{path}/show_if/value"), message);
    }
}

fn check_field(field: &Field, path: &str, earlier: &HashSet<&str>, problems: &mut Problems) {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if field.id.is_empty() || field.id.len() > 60 || !field.id.chars().all(fits) {
        problems.invalid(format!("{path}/id"), "an id is 1 to 60 letters, digits or _");
    }
    if field.label.trim().is_empty() && !field.kind.is_silent() {
        problems.add(format!("{path}/label"), "required", "a field needs a label");
    }
    if field.kind.has_options() && field.options.is_empty() {
        problems.add(format!("{path}/options"), "required", "give at least one option");
    }
    // an answer to choose from stands above the next field like its label
    for (n, option) in field.options.iter().enumerate().take(200) {
        if option.len() < 5_000 && asks_for_password(option) {
            problems.invalid(format!("{path}/options/{n}"), NO_PASSWORDS);
        }
    }
    if is_typed(field.kind) {
        let texts = [
            ("id", field.id.as_str()),
            ("label", &field.label),
            ("placeholder", field.placeholder.as_deref().unwrap_or_default()),
            ("help", field.help.as_deref().unwrap_or_default()),
        ];
        // long texts are refused for their length
        let asks = |text: &str| text.len() < 5_000 && asks_for_password(text);
        for (part, _) in texts.iter().filter(|(_, text)| asks(text)) {
            problems.invalid(format!("{path}/{part}"), NO_PASSWORDS);
        }
        // what stands inside a field, or below it, goes on from its label
        let apart = texts.iter().all(|(_, text)| !asks(text));
        for (part, text) in texts.iter().skip(2).filter(|(_, text)| apart && !text.is_empty()) {
            if asks(&format!("{}{text}", field.label)) || asks(&format!("{text}{}", field.label)) {
                problems.invalid(format!("{path}/{part}"), NO_PASSWORDS);
            }
        }
    }
    if field.channel.is_some() && field.kind != FieldType::Consent {
        problems.invalid(format!("{path}/channel"), "only a consent has a channel");
    }
    if let Some(condition) = &field.show_if {
        if !earlier.contains(condition.field.as_str()) {
            problems.invalid(format!("{path}/show_if/field"), "show_if names a field further up");
        }
        let operators = ["equals", "not_equals", "contains", "is_empty", "is_not_empty"];
        if !operators.contains(&condition.operator.as_str()) {
            problems.invalid(format!("{path}/show_if/operator"), format!("choose one of {}", operators.join(", ")));
        }
    }
}

/// Whether people type what they like into it.
pub(super) fn is_typed(kind: FieldType) -> bool {
    use FieldType::{Email, GiftCardCode, Hidden, Number, Phone, Text, Textarea};
    matches!(kind, Text | Email | Phone | Number | Textarea | Hidden | GiftCardCode)
}

/// Whether `text` is `#rrggbb`: it goes into a style sheet.
pub fn is_colour(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_asks_for_no_password_and_thousands_of_fields_are_refused_unread() {
        let refused = |fields: serde_json::Value| {
            let config: FormConfig = serde_json::from_value(json!({ "fields": fields })).unwrap();
            let mut problems = Problems::new();
            check(&config, &mut problems);
            let error = problems.finish().err();
            error.iter().flat_map(|error| error.fields()).map(|e| e.field.clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            refused(json!([
                {"id": "password", "type": "text", "label": "Sign in"},
                {"id": "b", "type": "email", "label": "Раsswоrd"},
                {"id": "c", "type": "number", "label": "Next", "placeholder": "p a s s w o r d"},
                {"id": "d", "type": "textarea", "label": "Next", "help": "Your P@ssword"},
                {"id": "f", "type": "text", "label": "Pass", "placeholder": "word"},
                {"id": "g", "type": "radio", "label": "Sign in", "options": ["Name", "Password"]},
                {"id": "e", "type": "consent", "label": "We never ask for your password"}
            ])),
            [
                "form_config/fields/0/id",
                "form_config/fields/1/label",
                "form_config/fields/2/placeholder",
                "form_config/fields/3/help",
                "form_config/fields/4/placeholder",
                "form_config/fields/5/options/1"
            ]
        );
        let conditional =
            json!({"id": "a", "type": "text", "label": "A", "show_if": {"field": "b", "operator": "equals"}});
        assert_eq!(refused(json!(vec![conditional; 60_000])), ["form_config/fields"]);
    }

    #[test]
    fn wrong_configs_are_refused_with_their_path() {
        let config: FormConfig = serde_json::from_value(json!({
            "fields": [
                {"id": "email", "type": "email", "label": "E-mail"},
                {"id": "email", "type": "select", "label": "Roof", "show_if": {"field": "later", "operator": "like", "value": 1}},
                {"id": "no good", "type": "text", "channel": "sms"}
            ],
            "settings": {"colours": {"accent": "red;}body{", "background": ""}},
            "reveal": {"card_style": "golden"}
        }))
        .unwrap();
        let mut problems = Problems::new();
        check(&config, &mut problems);
        let error = problems.finish().unwrap_err();
        let fields: Vec<&str> = error.fields().iter().map(|e| e.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "form_config/fields/1/options",
                "form_config/fields/1/show_if/field",
                "form_config/fields/1/show_if/operator",
                "form_config/fields/1/id",
                "form_config/fields/2/id",
                "form_config/fields/2/label",
                "form_config/fields/2/channel",
                "form_config/settings/colours/accent",
                "form_config/reveal/card_style",
            ]
        );
    }
}
