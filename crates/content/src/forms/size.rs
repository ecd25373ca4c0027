//! How large a form may be: it stands on pages that have to stay under 100 kB without their pictures.

use kernel::Problems;

use super::config::{Field, FormConfig};

/// What a form may add to a page, in bytes of HTML.
pub const MAX_FORM: usize = 30_000;

/// Markup around a field, around an option and around the whole, in bytes: no less than the templates write.
const FIELD: usize = 240;
const OPTION: usize = 80;
const FRAME: usize = 1_000;

const MAX_OPTIONS: usize = 200;
const MAX_RULES: usize = 10;

/// Notes every text that is too long, and a form that is too large altogether.
pub(super) fn check(config: &FormConfig, problems: &mut Problems) {
    let (settings, reveal) = (&config.settings, &config.reveal);
    for (path, text, most) in [
        ("settings/title", &settings.title, 200),
        ("settings/description", &settings.description, 1_000),
        ("settings/submit_label", &settings.submit_label, 60),
        ("settings/success_message", &settings.success_message, 1_000),
        ("reveal/title", &reveal.title, 200),
        ("reveal/subtitle", &reveal.subtitle, 1_000),
    ] {
        problems.at_most(format!("form_config/{path}"), text, most);
    }
    for (index, field) in config.fields.iter().enumerate() {
        check_field(field, &format!("form_config/fields/{index}"), problems);
    }
    let size = FRAME
        + markup(&settings.title)
        + markup(&settings.description)
        + config.fields.iter().map(|field| field_markup(config, field)).sum::<usize>();
    if size > MAX_FORM {
        let message = format!("the form is too large for a page: {size} of {MAX_FORM} bytes with all its texts");
        problems.add("form_config/fields", "too_long", message);
    }
}

fn check_field(field: &Field, path: &str, problems: &mut Problems) {
    problems.at_most(format!("{path}/label"), &field.label, 1_000);
    problems.at_most(format!("{path}/help"), field.help.as_deref().unwrap_or_default(), 500);
    problems.at_most(format!("{path}/placeholder"), field.placeholder.as_deref().unwrap_or_default(), 200);
    if field.validation.len() > MAX_RULES {
        problems.add(format!("{path}/validation"), "too_many", format!("use at most {MAX_RULES} rules"));
    }
    if let Some(condition) = &field.show_if {
        let value = &condition.value;
        let short = value
            .as_str()
            .map_or_else(|| !value.is_array() && !value.is_object(), |text| text.chars().nth(200).is_none());
        if !short {
            problems.add(
                format!("{path}/show_if/value"),
                "too_long",
                "a text of at most 200 characters, a number, or true or false",
            );
        }
    }
    if field.options.len() > MAX_OPTIONS {
        problems.add(format!("{path}/options"), "too_many", format!("use at most {MAX_OPTIONS} options"));
    }
    if field.options.iter().any(|option| option.chars().count() > 200) {
        problems.add(format!("{path}/options"), "too_long", "an option has at most 200 characters");
    }
}

/// What a field takes: its id stands in it up to six times, an option as text and as value.
fn field_markup(config: &FormConfig, field: &Field) -> usize {
    let shown = [field.help.as_deref(), field.placeholder.as_deref()].into_iter().flatten().map(markup).sum::<usize>();
    let options: usize = field.options.iter().map(|option| OPTION + field.id.len() + 2 * markup(option)).sum();
    let condition = field.show_if.as_ref().map_or(0, |condition| {
        let other = config.fields.iter().find(|other| other.id == condition.field);
        80 + other.map_or(0, |other| markup(&other.label)) + markup(&condition.value.to_string())
    });
    FIELD + 6 * field.id.len() + markup(&field.label) + shown + options + condition
}

/// The bytes of a text as HTML, where some characters take five.
fn markup(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '&' | '<' | '>' | '"' | '\'') { 5 } else { c.len_utf8() }).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(config: serde_json::Value) -> Vec<String> {
        let config: FormConfig = serde_json::from_value(config).unwrap();
        let mut problems = Problems::new();
        check(&config, &mut problems);
        let error = problems.finish().err();
        error.iter().flat_map(|error| error.fields()).map(|e| format!("{} {}", e.field, e.code)).collect()
    }

    #[test]
    fn a_text_or_a_form_that_is_too_long_is_named() {
        let options = |count: usize, length: usize| vec!["x".repeat(length); count];
        let config = json!({
            "fields": [
                {"id": "a", "type": "text", "label": "x".repeat(1_001), "help": "é".repeat(500)},
                {"id": "b", "type": "select", "label": "B", "options": options(201, 30)},
                {"id": "c", "type": "radio", "label": "C", "options": options(1, 201)}
            ],
            "settings": {"submit_label": "x".repeat(61)}
        });
        let paths = [
            "form_config/settings/submit_label too_long",
            "form_config/fields/0/label too_long",
            "form_config/fields/1/options too_many",
            "form_config/fields/2/options too_long",
            "form_config/fields too_long",
        ];
        assert_eq!(wrong(config), paths);
        assert_eq!(
            wrong(json!({"fields": [{"id": "s", "type": "select", "label": "S", "options": options(50, 20)}]})),
            [""; 0]
        );
        let many = vec![json!({"id": "s", "type": "text", "label": "&".repeat(1_000)}); 6];
        assert_eq!(wrong(json!({ "fields": many })), ["form_config/fields too_long"]);
    }
}
