//! A form compiled for landing pages: drawn once with a tag in every place that differs from visitor to visitor, and
//! filled in for each of them. Drawing it anew for every visit would be the most costly part of a visit here.

use content::forms::{Field, FieldType};
use content::merge::{Template, Values};

use super::form_view::{FormView, new_token};
use super::sent::{RECIPIENT, Sent, TOKEN};
use crate::person::Person;
use crate::state::OpenForm;

/// A form, drawn.
#[derive(Debug)]
pub struct Compiled {
    template: Template,
    /// Fields that show a text, each with its tag.
    texts: Vec<(String, Field)>,
    /// Fields that are drawn otherwise when the person has an answer to them.
    choices: Vec<Field>,
}

impl Compiled {
    /// Draws a form. `None` when its own words could be taken for tags: it is then drawn for every visitor.
    pub fn new(form: &OpenForm) -> Option<Self> {
        if form.row.form_config.to_string().contains("{{") {
            return None;
        }
        let (choices, texts): (Vec<Field>, Vec<Field>) = form.config.fields.iter().cloned().partition(is_choice);
        let texts: Vec<_> = texts.into_iter().enumerate().map(|(n, field)| (format!("answer-{n}"), field)).collect();
        let tags = texts.iter().filter(|(_, field)| shows_text(field));
        let answers = tags.map(|(tag, field)| (field.id.clone(), vec![format!("{{{{{tag}}}}}")])).collect();
        let sent = Sent { answers, ..Sent::default() };
        let html = FormView::with_tags(form, &sent).markup().ok()?;
        Template::parse(&html).ok().map(|template| Self { template, texts, choices })
    }

    /// The form for one person; `None` when one of its options has to be marked for them.
    pub fn fill(&self, person: &Person) -> Option<String> {
        if self.choices.iter().any(|field| person.answer_to(field).is_some()) {
            return None;
        }
        let mut values = Values::new().with(TOKEN, new_token().to_string()).with(RECIPIENT, &person.purl_token);
        for (tag, field) in &self.texts {
            values = values.with_some(tag, person.answer_to(field).as_deref());
        }
        Some(self.template.html(&values))
    }
}

fn is_choice(field: &Field) -> bool {
    field.kind.has_options() || field.kind == FieldType::Hidden
}

fn shows_text(field: &Field) -> bool {
    use FieldType::{Checkbox, Consent, GiftCardCode, PageBreak};
    !matches!(field.kind, Checkbox | Consent | GiftCardCode | PageBreak)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::store::forms::PublicForm;

    fn form(fields: Value) -> OpenForm {
        let form_config = json!({ "fields": fields, "settings": { "title": "Hello" } });
        let config = serde_json::from_value(form_config.clone()).unwrap();
        let (id, client_id, client_name) = (Uuid::from_u128(1), Uuid::from_u128(2), "Acme".to_owned());
        let (logo_url, brand_colors_json, offers_choice) = (None, None, true);
        let row = PublicForm { id, client_id, form_config, client_name, logo_url, brand_colors_json, offers_choice };
        OpenForm { row, config, compiled: None }
    }

    /// Without what is made anew each time, and without empty values, which one way writes and the other leaves out.
    fn steady(html: &str) -> String {
        let start = html.find("ace-token").unwrap();
        let (before, after) = html.split_at(start);
        let rest = after.split_once("value=\"").unwrap().1.split_once('"').unwrap().1;
        format!("{before}{rest}")
            .replace(" value=\"\"", "")
            .replace("&#34;", "&quot;")
            .replace("&#60;", "&lt;")
            .replace("&#62;", "&gt;")
            .replace("&#38;", "&amp;")
    }

    #[test]
    fn a_compiled_form_is_the_one_that_is_drawn_for_the_person() {
        let open = form(json!([
            { "id": "first_name", "type": "text", "label": "First <name>", "required": true },
            { "id": "email", "type": "email", "label": "E-mail" },
            { "id": "phone", "type": "phone", "label": "Phone" },
            { "id": "more", "type": "textarea", "label": "More" },
            { "id": "secret", "type": "hidden", "placeholder": "spring" },
            { "id": "owner", "type": "radio", "label": "Own it?", "options": ["Yes", "No"] },
            { "id": "ok", "type": "consent", "label": "You may text me" },
            { "id": "code", "type": "gift_card_code", "label": "Code" }
        ]));
        let mut person = Person::sample();
        person.first_name = Some("<b>\"Maria\" & co</b>{{more}}".into());
        let drawn = FormView::embedded(&open, &person).unwrap();
        let filled = Compiled::new(&open).unwrap().fill(&person).unwrap();
        assert_eq!(steady(&filled), steady(&drawn), "{filled}");
        assert!(
            filled.contains("(614) 555-0142")
                && filled.contains("value=\"spring\"")
                && !filled.contains("000000000000")
        );
    }

    #[test]
    fn what_cannot_be_compiled_is_drawn() {
        let state = form(json!([{ "id": "state", "type": "select", "label": "State", "options": ["OH", "MI"] }]));
        assert!(Compiled::new(&state).unwrap().fill(&Person::sample()).is_none(), "Ohio has to be marked");
        assert!(FormView::embedded(&state, &Person::sample()).unwrap().contains("<option value=\"OH\" selected"));
        assert!(Compiled::new(&form(json!([{ "id": "a", "type": "text", "label": "{{first_name}}" }]))).is_none());
    }
}
