//! The form builder as an HTML form: one line of inputs per field, arranged by buttons that send the whole form.

use kernel::slug;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::actions::forms::FormInput;
use crate::forms::config::{Colours, Reveal, Settings};
use crate::forms::{Condition, ConsentChannel, Field, FieldType, FormConfig, MAX_FIELDS};

/// What the builder sends: the repeated names are columns, one entry per field.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BuilderForm {
    /// The form's name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its heading.
    pub title: String,
    /// A sentence under the heading.
    pub intro: String,
    /// The button.
    pub submit_label: String,
    /// Said after a submission that earns nothing.
    pub success_message: String,
    /// Head and button, `#rrggbb`.
    pub accent: String,
    /// Behind everything, `#rrggbb`.
    pub background: String,
    /// Whether the client's name and logo are shown.
    pub branding: bool,
    /// How a reward appears.
    pub animation: String,
    /// The card's look.
    pub card_style: String,
    /// The gift card's logo on the card.
    pub show_logo: bool,
    /// The code as a QR.
    pub show_qr: bool,
    /// How to use the card.
    pub show_instructions: bool,
    /// The heading over a reward.
    pub reveal_title: String,
    /// A sentence under it.
    pub reveal_subtitle: String,
    /// `save`, `add`, or `up:N`, `down:N`, `remove:N`.
    #[serde(skip_serializing)]
    pub act: String,
    field_id: Vec<String>,
    field_type: Vec<String>,
    field_label: Vec<String>,
    field_help: Vec<String>,
    field_required: Vec<String>,
    field_options: Vec<String>,
    field_show_if: Vec<String>,
    field_show_value: Vec<String>,
    field_channel: Vec<String>,
    /// What each field has beyond the builder's inputs, kept as it came.
    field_rest: Vec<String>,
}

/// One field's line.
#[derive(Debug, Clone, Default)]
pub struct FieldRow {
    /// Its place, from 0.
    pub index: usize,
    /// Key in the answers; made from the label when empty.
    pub id: String,
    /// The kind's word.
    pub kind: String,
    /// What people read.
    pub label: String,
    /// A line of help.
    pub help: String,
    /// `true` or `false`.
    pub required: String,
    /// One option a line.
    pub options: String,
    /// The id of the field it depends on.
    pub show_if: String,
    /// The answer it depends on.
    pub show_value: String,
    /// What a consent agrees to.
    pub channel: String,
    /// JSON of what the builder does not show.
    pub rest: String,
}

impl BuilderForm {
    /// A new form: e-mail and a phone, the least that lets a reward be sent.
    pub fn starter() -> Self {
        let field = |id: &str, kind, label: &str| Field {
            id: id.into(),
            kind,
            label: label.into(),
            placeholder: None,
            help: None,
            required: true,
            validation: Vec::new(),
            options: Vec::new(),
            show_if: None,
            channel: None,
        };
        let fields = vec![
            field("first_name", FieldType::Text, "First name"),
            field("email", FieldType::Email, "E-mail"),
            field("phone", FieldType::Phone, "Mobile phone"),
        ];
        Self::of("", None, &FormConfig { fields, ..FormConfig::default() })
    }

    /// The builder's view of a saved form.
    pub fn of(name: &str, description: Option<&str>, config: &FormConfig) -> Self {
        let mut form = Self {
            name: name.into(),
            description: description.unwrap_or_default().into(),
            title: config.settings.title.clone(),
            intro: config.settings.description.clone(),
            submit_label: config.settings.submit_label.clone(),
            success_message: config.settings.success_message.clone(),
            accent: config.settings.colours.accent.clone(),
            background: config.settings.colours.background.clone(),
            branding: config.settings.branding,
            animation: config.reveal.animation.clone(),
            card_style: config.reveal.card_style.clone(),
            show_logo: config.reveal.show_logo,
            show_qr: config.reveal.show_qr,
            show_instructions: config.reveal.show_instructions,
            reveal_title: config.reveal.title.clone(),
            reveal_subtitle: config.reveal.subtitle.clone(),
            ..Self::default()
        };
        config.fields.iter().for_each(|field| form.push(&FieldRow::of(field)));
        form
    }

    /// How many lines were sent.
    pub fn sent(&self) -> usize {
        self.field_type.len()
    }

    /// The lines in order.
    pub fn rows(&self) -> Vec<FieldRow> {
        let at = |column: &[String], index: usize| column.get(index).cloned().unwrap_or_default();
        (0..self.field_type.len())
            .map(|index| FieldRow {
                index,
                id: at(&self.field_id, index),
                kind: at(&self.field_type, index),
                label: at(&self.field_label, index),
                help: at(&self.field_help, index),
                required: at(&self.field_required, index),
                options: at(&self.field_options, index),
                show_if: at(&self.field_show_if, index),
                show_value: at(&self.field_show_value, index),
                channel: at(&self.field_channel, index),
                rest: at(&self.field_rest, index),
            })
            .collect()
    }

    /// Does what an arranging button asked for; false when the form is to be saved.
    pub fn rearrange(&mut self) -> bool {
        let mut rows = self.rows();
        let (act, index) = self.act.split_once(':').unwrap_or((&self.act, "0"));
        let index: usize = index.parse().unwrap_or(usize::MAX);
        match act {
            // one too many is kept to be shown with its error
            "add" if rows.len() > MAX_FIELDS => {}
            "add" => rows.push(FieldRow { kind: "text".into(), required: "false".into(), ..FieldRow::default() }),
            "remove" if index < rows.len() => {
                rows.remove(index);
            }
            "up" if index > 0 && index < rows.len() => rows.swap(index - 1, index),
            "down" if index + 1 < rows.len() => rows.swap(index, index + 1),
            "up" | "down" | "remove" => {}
            _ => return false,
        }
        for column in self.columns() {
            column.clear();
        }
        rows.iter().for_each(|row| self.push(row));
        true
    }

    /// What is saved.
    pub fn input(&self) -> FormInput {
        let settings = Settings {
            title: self.title.trim().to_owned(),
            description: self.intro.trim().to_owned(),
            submit_label: self.submit_label.trim().to_owned(),
            success_message: self.success_message.trim().to_owned(),
            colours: Colours { accent: self.accent.trim().to_owned(), background: self.background.trim().to_owned() },
            branding: self.branding,
        };
        let reveal = Reveal {
            animation: self.animation.clone(),
            card_style: self.card_style.clone(),
            show_logo: self.show_logo,
            show_qr: self.show_qr,
            show_instructions: self.show_instructions,
            title: self.reveal_title.trim().to_owned(),
            subtitle: self.reveal_subtitle.trim().to_owned(),
        };
        let fields = self.rows().iter().map(FieldRow::field).collect();
        FormInput {
            name: self.name.clone(),
            description: self.description.clone(),
            form_config: FormConfig { fields, settings, reveal },
        }
    }

    fn push(&mut self, row: &FieldRow) {
        let values = [
            &row.id,
            &row.kind,
            &row.label,
            &row.help,
            &row.required,
            &row.options,
            &row.show_if,
            &row.show_value,
            &row.channel,
            &row.rest,
        ];
        for (column, value) in self.columns().into_iter().zip(values) {
            column.push(value.clone());
        }
    }

    fn columns(&mut self) -> [&mut Vec<String>; 10] {
        [
            &mut self.field_id,
            &mut self.field_type,
            &mut self.field_label,
            &mut self.field_help,
            &mut self.field_required,
            &mut self.field_options,
            &mut self.field_show_if,
            &mut self.field_show_value,
            &mut self.field_channel,
            &mut self.field_rest,
        ]
    }
}

impl FieldRow {
    fn of(field: &Field) -> Self {
        let condition = field.show_if.as_ref();
        Self {
            index: 0,
            id: field.id.clone(),
            kind: field.kind.word().to_owned(),
            label: field.label.clone(),
            help: field.help.clone().unwrap_or_default(),
            required: field.required.to_string(),
            options: field.options.join("\n"),
            show_if: condition.map(|c| c.field.clone()).unwrap_or_default(),
            show_value: condition.and_then(|c| c.value.as_str()).unwrap_or_default().to_owned(),
            channel: field.channel.map(|channel| channel.word().to_owned()).unwrap_or_default(),
            rest: serde_json::to_string(field).unwrap_or_default(),
        }
    }

    /// Where an error about one of its parts points: `form_config/fields/0/label`.
    pub fn path(&self, part: &str) -> String {
        format!("form_config/fields/{}/{part}", self.index)
    }

    /// The HTML id of the input of one of its parts.
    pub fn anchor(&self, part: &str) -> String {
        web::view::slug_id(&self.path(part))
    }

    /// Its key in the answers: as written, else made from the label.
    pub fn key(&self) -> String {
        match (self.id.trim(), self.label.trim()) {
            ("", "") => format!("{}_{}", self.kind, self.index + 1),
            ("", label) => slug::slugify(label).replace('-', "_"),
            (id, _) => id.to_owned(),
        }
    }

    fn field(&self) -> Field {
        let rest: Option<Field> = serde_json::from_str(&self.rest).ok();
        let kind = FieldType::ALL.into_iter().find(|kind| kind.word() == self.kind).unwrap_or(FieldType::Text);
        let label = self.label.trim().to_owned();
        let id = self.key();
        let channels = ConsentChannel::ALL.into_iter().map(|(channel, _)| channel);
        let channel = channels.filter(|_| kind == FieldType::Consent).find(|channel| channel.word() == self.channel);
        let same_condition = rest
            .as_ref()
            .and_then(|field| field.show_if.clone())
            .filter(|c| c.field == self.show_if && c.value.as_str().unwrap_or_default() == self.show_value);
        let new_condition = || Condition {
            field: self.show_if.clone(),
            operator: if self.show_value.is_empty() { "is_not_empty" } else { "equals" }.into(),
            value: Value::String(self.show_value.clone()),
        };
        Field {
            id,
            kind,
            label,
            placeholder: rest.as_ref().and_then(|field| field.placeholder.clone()),
            help: Some(self.help.trim().to_owned()).filter(|text| !text.is_empty()),
            required: self.required == "true",
            validation: rest.map(|field| field.validation).unwrap_or_default(),
            options: self.options.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect(),
            show_if: (!self.show_if.is_empty()).then(|| same_condition.unwrap_or_else(new_condition)),
            channel,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config() -> FormConfig {
        serde_json::from_value(json!({"fields": [
            {"id": "owner", "type": "radio", "label": "Own it?", "options": ["Yes", "No"], "required": true},
            {"id": "age", "type": "number", "label": "Roof age", "validation": [{"rule": "min", "value": 0.0}],
             "show_if": {"field": "owner", "operator": "not_equals", "value": "No"}},
            {"id": "ok", "type": "consent", "label": "You may text me", "channel": "sms"}
        ],
        "settings": {"title": "Roof", "description": "A look", "submit_label": "Go", "success_message": "Thanks",
            "colours": {"accent": "#0f766e", "background": "#f0fdfa"}, "branding": false},
        "reveal": {"animation": "flip", "card_style": "filled", "show_logo": false, "show_qr": true,
            "show_instructions": false, "title": "Yours", "subtitle": "Enjoy"}}))
        .unwrap()
    }

    #[test]
    fn a_form_survives_the_builder_unchanged_also_what_the_builder_does_not_show() {
        let form = BuilderForm::of("Roof", Some("for spring"), &config());
        assert_eq!(form.input().form_config, config());
        // every setting differs from what a new form has, so that none can be lost unseen
        let (ours, new) =
            (serde_json::to_value(config()).unwrap(), serde_json::to_value(FormConfig::default()).unwrap());
        for part in ["settings", "reveal"] {
            for (name, value) in ours[part].as_object().unwrap() {
                assert_ne!(*value, new[part][name], "{part}.{name}");
            }
        }
    }

    #[test]
    fn a_field_that_is_no_consent_any_more_loses_its_channel() {
        let mut form = BuilderForm::of("Roof", None, &config());
        form.field_type[2] = "checkbox".into();
        assert_eq!(form.input().form_config.fields[2].channel, None);
    }

    #[test]
    fn fields_are_added_moved_and_removed_and_anything_else_saves() {
        let mut form = BuilderForm::of("Roof", None, &config());
        form.act = "up:1".into();
        assert!(form.rearrange());
        form.act = "add".into();
        assert!(form.rearrange());
        form.act = "remove:1".into();
        assert!(form.rearrange());
        assert_eq!(
            form.rows().iter().map(|row| row.label.as_str()).collect::<Vec<_>>(),
            ["Roof age", "You may text me", ""]
        );
        form.act = "save".into();
        assert!(!form.rearrange());
    }
}
