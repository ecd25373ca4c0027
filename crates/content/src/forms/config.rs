//! `form_config`: the one description of a form that builder, public page and server share.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

/// A form's fields, settings and reveal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FormConfig {
    /// The fields in order; page breaks cut them into steps.
    #[serde(default)]
    #[schema(max_items = 100, example = json!([
        { "id": "email", "type": "email", "label": "E-mail", "required": true },
        { "id": "roof", "type": "select", "label": "What is your roof made of?", "required": false, "options": ["Shingles", "Tiles"] },
    ]))]
    pub fields: Vec<Field>,
    /// Title, texts and colours.
    #[serde(default)]
    pub settings: Settings,
    /// How a reward is shown.
    #[serde(default)]
    pub reveal: Reveal,
}

impl FormConfig {
    /// What is read beside the fields that people type into.
    pub(crate) fn asks(&self) -> impl Iterator<Item = &str> {
        let typed = self.fields.iter().filter(|field| super::rules::is_typed(field.kind));
        typed.flat_map(|field| {
            [Some(&field.label), field.placeholder.as_ref(), field.help.as_ref()]
                .into_iter()
                .flatten()
                .map(String::as_str)
        })
    }
}

/// One field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FormField)]
pub struct Field {
    /// The key in `submission_data`: letters, digits and `_`, unique in the form.
    #[schema(max_length = 60)]
    pub id: String,
    /// What kind of answer it takes.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// What people read beside it.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub label: String,
    /// A grey example inside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub placeholder: Option<String>,
    /// A line of help beneath it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub help: Option<String>,
    /// Whether it must be answered (while it is shown).
    #[serde(default)]
    pub required: bool,
    /// Further rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    pub validation: Vec<Validation>,
    /// The answers to choose from, for select, multiselect and radio.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 200)]
    pub options: Vec<String>,
    /// Shown only when another field's answer fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_if: Option<Condition>,
    /// What a `consent` agrees to; `email` when absent, because it allows the least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ConsentChannel>,
}

impl Field {
    /// The longest answer it keeps, in characters; what is longer is wrong whatever it is.
    pub fn longest(&self) -> usize {
        match self.kind {
            FieldType::Text | FieldType::Textarea | FieldType::Hidden => super::submission::MAX_ANSWER,
            FieldType::Email => 320,
            _ => 200,
        }
    }
}

/// What a person agrees to be reached by. The wording does not decide it: "text messages to the phone number above"
/// names two ways and means one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentChannel {
    /// Text messages.
    Sms,
    /// E-mails.
    #[default]
    Email,
    /// Phone calls.
    Call,
}

impl ConsentChannel {
    /// Every channel, with what people read.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Sms, "Text messages"), (Self::Email, "E-mails"), (Self::Call, "Phone calls")];

    /// The word in `form_config` and in `contact_consents`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Call => "call",
        }
    }
}

/// The kinds of field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FormFieldType)]
pub enum FieldType {
    /// One line.
    Text,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A number.
    Number,
    /// One of the options, in a menu.
    Select,
    /// Any of the options.
    Multiselect,
    /// Yes or no.
    Checkbox,
    /// One of the options, side by side.
    Radio,
    /// Several lines.
    Textarea,
    /// A day.
    Date,
    /// Not shown; sent as it was made.
    Hidden,
    /// Agreement to a wording, kept with time and source.
    Consent,
    /// The redemption code printed on the piece.
    GiftCardCode,
    /// Begins the next step.
    PageBreak,
}

impl FieldType {
    /// Whether a choice among `options` is wanted.
    pub fn has_options(self) -> bool {
        matches!(self, Self::Select | Self::Multiselect | Self::Radio)
    }

    /// The word in `form_config`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Number => "number",
            Self::Select => "select",
            Self::Multiselect => "multiselect",
            Self::Checkbox => "checkbox",
            Self::Radio => "radio",
            Self::Textarea => "textarea",
            Self::Date => "date",
            Self::Hidden => "hidden",
            Self::Consent => "consent",
            Self::GiftCardCode => "gift_card_code",
            Self::PageBreak => "page_break",
        }
    }

    /// Whether people see nothing of it to read.
    pub fn is_silent(self) -> bool {
        matches!(self, Self::Hidden | Self::PageBreak)
    }

    /// Every kind, in the builder's order.
    pub const ALL: [Self; 14] = [
        Self::Text,
        Self::Email,
        Self::Phone,
        Self::Number,
        Self::Textarea,
        Self::Select,
        Self::Radio,
        Self::Multiselect,
        Self::Checkbox,
        Self::Date,
        Self::Consent,
        Self::GiftCardCode,
        Self::Hidden,
        Self::PageBreak,
    ];
}

/// A rule beyond the field's kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = FormFieldRule)]
pub enum Validation {
    /// At least so many characters.
    MinLength {
        /// Characters.
        value: usize,
    },
    /// At most so many characters.
    MaxLength {
        /// Characters.
        value: usize,
    },
    /// A number no smaller.
    Min {
        /// The bound itself is allowed.
        value: f64,
    },
    /// A number no larger.
    Max {
        /// The bound itself is allowed.
        value: f64,
    },
}

/// A text, a number, true or false; nothing where the operator compares with nothing.
fn scalar() -> Object {
    let kinds = vec![Type::String, Type::Number, Type::Boolean, Type::Null];
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(kinds))
        .max_length(Some(1000))
        .description(Some("What to compare with."))
        .build()
}

/// When a field is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShowIf)]
pub struct Condition {
    /// An earlier field's id.
    pub field: String,
    /// `equals`, `not_equals`, `contains`, `is_empty` or `is_not_empty`.
    pub operator: String,
    /// What to compare with.
    #[serde(default)]
    #[schema(schema_with = scalar)]
    pub value: Value,
}

/// Title, texts and colours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = FormSettings)]
pub struct Settings {
    /// The heading.
    #[schema(max_length = 200)]
    pub title: String,
    /// A sentence under it.
    #[schema(max_length = 1000)]
    pub description: String,
    /// The button.
    #[schema(max_length = 60)]
    pub submit_label: String,
    /// Said after a submission that earns nothing.
    #[schema(max_length = 1000)]
    pub success_message: String,
    /// Colours as `#rrggbb`.
    pub colours: Colours,
    /// Whether the client's name and logo stand above and below the form on its own page.
    pub branding: bool,
}

/// Colours of the form's own page and of what it answers, as `#rrggbb`. On a landing page the page's style holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = FormColours)]
pub struct Colours {
    /// Head, button and frame of the reward; empty for the client's own colour.
    pub accent: String,
    /// Behind the white sheet the form stands on; empty for none.
    pub background: String,
}

/// How a reward is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = FormReveal)]
pub struct Reveal {
    /// `fade`, `slide`, `flip`, `confetti` or `none`.
    pub animation: String,
    /// The card's look: `plain`, `ticket` or `filled`.
    pub card_style: String,
    /// The gift card's logo on the card.
    pub show_logo: bool,
    /// The code as a QR.
    pub show_qr: bool,
    /// How to use the card.
    pub show_instructions: bool,
    /// The heading over the card.
    #[schema(max_length = 200)]
    pub title: String,
    /// A sentence under it.
    #[schema(max_length = 1000)]
    pub subtitle: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            title: String::new(),
            description: String::new(),
            submit_label: "Send".into(),
            success_message: "Thank you. We have your answers.".into(),
            colours: Colours::default(),
            branding: true,
        }
    }
}

impl Default for Reveal {
    fn default() -> Self {
        Self {
            animation: "fade".into(),
            card_style: "plain".into(),
            show_logo: true,
            show_qr: false,
            show_instructions: true,
            title: "Here is your reward".into(),
            subtitle: "We have sent it to you as well.".into(),
        }
    }
}
