//! One field of a form: label, control, help and error tied together for people and screen readers.

use std::fmt::Display;

use askama::Template;
use askama::filters::HtmlSafe;

use super::choices::{Choice, Choices};
use super::errors::FieldErrors;
use super::text::slug_id;

/// The input types a field may have.
const INPUT_TYPES: &[&str] = &[
    "text",
    "email",
    "tel",
    "number",
    "date",
    "datetime-local",
    "time",
    "month",
    "password",
    "url",
    "search",
    "color",
];

/// Which control a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A single line; the word is the HTML input type.
    Input(&'static str),
    /// Several lines.
    Textarea,
    /// A drop-down.
    Select,
    /// A few options, all in sight.
    Radio,
    /// Yes or no.
    Checkbox,
    /// A file to upload.
    File,
    /// A colour as `#rrggbb`, with a box that shows and chooses it.
    Colour,
}

/// A form field. Build it in Rust or through the macros of `components.html`.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/field.html")]
pub struct Field {
    kind: Kind,
    name: String,
    label: String,
    value: String,
    checked: bool,
    error: Option<String>,
    theirs: Option<String>,
    help: String,
    required: bool,
    options: Vec<Choice>,
    blank: Option<String>,
    attributes: Vec<(String, String)>,
}

/// Characters that a field shows again, of several lines or of one.
const MOST_IN_A_TEXT: usize = 100_000;
const MOST_IN_A_LINE: usize = 5_000;

impl HtmlSafe for Field {}

impl Field {
    /// A field of any kind.
    pub fn new(kind: Kind, name: impl Display, label: impl Display) -> Self {
        Self {
            kind,
            name: name.to_string(),
            label: label.to_string(),
            value: String::new(),
            checked: false,
            error: None,
            theirs: None,
            help: String::new(),
            required: false,
            options: Vec::new(),
            blank: None,
            attributes: Vec::new(),
        }
    }

    /// A single line of text; `kind` is an HTML input type such as `email`, `tel`, `number`, `date`, `password`.
    pub fn input(kind: impl AsRef<str>, name: impl Display, label: impl Display) -> Self {
        let known = INPUT_TYPES.iter().find(|known| **known == kind.as_ref());
        Self::new(Kind::Input(known.copied().unwrap_or("text")), name, label)
    }

    /// A drop-down.
    pub fn select(name: impl Display, label: impl Display, options: impl Choices) -> Self {
        Self { options: options.choices(), ..Self::new(Kind::Select, name, label) }
    }

    /// A few options in sight.
    pub fn radio(name: impl Display, label: impl Display, options: impl Choices) -> Self {
        Self { options: options.choices(), ..Self::new(Kind::Radio, name, label) }
    }

    /// The present value; it is kept when the form is drawn again. Passwords and files never are.
    #[must_use]
    pub fn value(mut self, value: impl FieldValue) -> Self {
        let keep = !matches!(self.kind, Kind::Input("password") | Kind::File);
        if keep {
            self.value = value.field_value();
            // what no field of ours holds is not sent back: a page would be five times as long as what was sent
            let most = if matches!(self.kind, Kind::Textarea) { MOST_IN_A_TEXT } else { MOST_IN_A_LINE };
            if let Some((end, _)) = self.value.char_indices().nth(most) {
                self.value.truncate(end);
            }
        }
        self
    }

    /// Whether a checkbox is ticked.
    #[must_use]
    pub fn checked(mut self, checked: impl Flag) -> Self {
        self.checked = checked.is_set();
        self
    }

    /// Takes its error from those of the form.
    #[must_use]
    pub fn errors(mut self, errors: &FieldErrors) -> Self {
        self.error = match errors.is_missing(&self.name) {
            true => Some(format!("{} is required", self.label)),
            false => errors.of(&self.name).map(str::to_owned),
        };
        self.theirs = errors.theirs(&self.name).map(|theirs| self.said(theirs));
        self
    }

    /// A sentence under the control.
    #[must_use]
    pub fn help(mut self, help: impl Display) -> Self {
        self.help = help.to_string();
        self
    }

    /// Whether it must be filled in.
    #[must_use]
    pub fn required(mut self, required: impl Flag) -> Self {
        self.required = required.is_set();
        self
    }

    /// A first option of a drop-down that sends nothing: "Choose a list…".
    #[must_use]
    pub fn blank(mut self, label: impl Display) -> Self {
        let label = label.to_string();
        self.blank = (!label.is_empty()).then_some(label);
        self
    }

    /// A further attribute of the control, left out when empty: `placeholder`, `autocomplete`, `min`, `accept`, `rows`, …
    #[must_use]
    pub fn with(mut self, attribute: impl Display, value: impl Display) -> Self {
        let value = value.to_string();
        if !value.is_empty() {
            self.attributes.push((attribute.to_string(), value));
        }
        self
    }

    /// A value of this field as people read it: options have labels.
    fn said(&self, value: &str) -> String {
        let label = self.options.iter().find(|option| option.value == value).map(|option| option.label.clone());
        label.or_else(|| self.blank.clone().filter(|_| value.is_empty())).unwrap_or_else(|| match (&self.kind, value) {
            (Kind::Checkbox, "true") => "Ticked".to_owned(),
            (Kind::Checkbox, _) => "Not ticked".to_owned(),
            _ => value.to_owned(),
        })
    }

    fn id(&self) -> String {
        slug_id(&self.name)
    }

    fn described_by(&self) -> String {
        let id = self.id();
        let mut ids = Vec::new();
        if !self.help.is_empty() {
            ids.push(format!("{id}-help"));
        }
        if self.error.is_some() {
            ids.push(format!("{id}-error"));
        }
        if self.theirs.is_some() {
            ids.push(format!("{id}-theirs"));
        }
        ids.join(" ")
    }

    /// The colour the box shows; grey for none.
    fn swatch(&self) -> &str {
        let is_colour = self.value.len() == 7 && self.value.starts_with('#');
        if is_colour { &self.value } else { "#808080" }
    }

    fn input_type(&self) -> &'static str {
        match self.kind {
            Kind::Input(kind) => kind,
            Kind::File => "file",
            _ => "text",
        }
    }
}

/// Yes or no, as templates hand it over.
pub trait Flag {
    /// Whether it is yes.
    fn is_set(&self) -> bool;
}

impl Flag for bool {
    fn is_set(&self) -> bool {
        *self
    }
}

impl<T: Flag> Flag for &T {
    fn is_set(&self) -> bool {
        (**self).is_set()
    }
}

/// A value that a form field can show.
pub trait FieldValue {
    /// As it stands in the control.
    fn field_value(&self) -> String;
}

impl<T: FieldValue + ?Sized> FieldValue for &T {
    fn field_value(&self) -> String {
        (**self).field_value()
    }
}

impl<T: FieldValue> FieldValue for Option<T> {
    fn field_value(&self) -> String {
        self.as_ref().map(FieldValue::field_value).unwrap_or_default()
    }
}

macro_rules! shown_as_written {
    ($($kind:ty),*) => {
        $(impl FieldValue for $kind {
            fn field_value(&self) -> String {
                self.to_string()
            }
        })*
    };
}

shown_as_written!(
    str,
    String,
    bool,
    i16,
    i32,
    i64,
    u16,
    u32,
    u64,
    usize,
    f64,
    uuid::Uuid,
    rust_decimal::Decimal,
    chrono::NaiveDate
);

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Error;

    #[test]
    fn an_error_is_tied_to_its_control_and_what_was_typed_is_kept() {
        let errors = FieldErrors::from_error(Error::invalid("email", "not an e-mail address")).unwrap();
        let html = Field::input("email", "email", "E-mail").value("a@\"b").errors(&errors).to_string();
        assert!(html.contains(r#"aria-invalid="true""#), "{html}");
        assert!(html.contains(r#"aria-describedby="f-email-error""#), "{html}");
        assert!(html.contains(r#"value="a@&#34;b""#), "{html}");
    }

    #[test]
    fn a_password_is_never_written_back() {
        let html = Field::input("password", "password", "Password").value("correct horse").to_string();
        assert!(!html.contains("correct horse"), "{html}");
    }
}
