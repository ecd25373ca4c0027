//! What is wrong with a form, for drawing it again.

use kernel::{Error, FieldError};
use serde::Serialize;
use serde_json::{Map, Value};

use super::badge::sentence;
use super::text::slug_id;

/// The errors of a submitted form, by field; empty for a fresh one. Every message begins with a capital letter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldErrors {
    wrong: Vec<FieldError>,
    /// What somebody else saved meanwhile, by the field that differs; `column/1` is one line of several alike.
    theirs: Vec<(String, String)>,
}

/// One line of the list of problems above a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Where it leads; empty when it is about the form as a whole.
    pub id: String,
    /// Which of several alike: `Condition 2, `.
    pub group: String,
    /// The field as its key tells it, until the page puts its label there.
    pub name: String,
    /// What is wrong, after the name.
    pub text: String,
}

impl FieldErrors {
    /// No errors: a fresh form.
    pub fn none() -> Self {
        Self::default()
    }

    /// Takes the errors a person can mend by editing the form; hands any other error back to be answered as such.
    pub fn from_error(error: Error) -> Result<Self, Error> {
        match error {
            Error::Invalid(fields) => Ok(fields.into()),
            Error::Conflict { code, message } => Ok(vec![FieldError { field: String::new(), code, message }].into()),
            other => Err(other),
        }
    }

    /// Somebody else saved meanwhile: what they wrote stands beside each field of `mine` that differs.
    ///
    /// # Errors
    /// `Internal` for what is no JSON.
    pub fn changed(mine: &impl Serialize, saved: &impl Serialize) -> Result<Self, Error> {
        let (mine, saved) = (values(mine)?, values(saved)?);
        let mut theirs = Vec::new();
        for (name, value) in saved {
            let typed = mine.get(&name).unwrap_or(&Value::Null);
            differing(&mut theirs, name, typed, &value);
        }
        let message = match theirs.is_empty() {
            true => "Somebody else changed this meanwhile. Save again to keep what stands here.",
            false => {
                "Somebody else changed this meanwhile. What they saved stands under each field that differs. Put into your \
                 text what you want of theirs, then save again: what stands in the fields is kept."
            }
        };
        let wrong = FieldError { field: String::new(), code: "precondition_failed", message: message.into() };
        Ok(Self { wrong: vec![wrong], theirs })
    }

    /// The same under the page's own names for fields.
    #[must_use]
    pub fn renamed(mut self, name: impl Fn(&str) -> &str) -> Self {
        self.wrong.iter_mut().for_each(|error| error.field = name(&error.field).to_owned());
        self
    }

    /// What somebody else saved meanwhile in the field `name`, where it differs.
    pub fn theirs(&self, name: &str) -> Option<&str> {
        self.theirs.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// What is wrong with the field `name`, if anything.
    pub fn of(&self, name: &str) -> Option<&str> {
        self.wrong.iter().find(|error| error.field == name).map(|error| error.message.as_str())
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.wrong.is_empty()
    }

    /// Every error, in the order of the form.
    pub fn all(&self) -> &[FieldError] {
        &self.wrong
    }

    /// Whether all that is wrong with the field is that nothing was entered.
    pub(super) fn is_missing(&self, name: &str) -> bool {
        self.wrong.iter().find(|error| error.field == name).is_some_and(only_missing)
    }

    /// The lines of the list above the form.
    pub fn listed(&self) -> Vec<Listed> {
        self.wrong.iter().map(listed).collect()
    }
}

fn values(form: &impl Serialize) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(form).map_err(Error::internal)? {
        Value::Object(values) => Ok(values),
        other => Err(Error::internal(format!("a form is an object: {other}"))),
    }
}

fn differing(theirs: &mut Vec<(String, String)>, name: String, mine: &Value, saved: &Value) {
    match (mine, saved) {
        (Value::Array(mine), Value::Array(lines)) if mine.len() == lines.len() => {
            for (index, (mine, line)) in mine.iter().zip(lines).enumerate() {
                differing(theirs, format!("{name}/{index}"), mine, line);
            }
        }
        _ if plain(mine) != plain(saved) => theirs.push((name, plain(saved))),
        _ => {}
    }
}

/// A value as one reads it, without what browsers make of the ends of lines.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace("\r\n", "\n").trim().to_owned(),
        Value::Array(lines) => lines.iter().map(plain).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

/// Whether the message only repeats that the field is required, under the name that programs have for it.
fn only_missing(error: &FieldError) -> bool {
    let said = error.message.strip_suffix(" is required").map(str::to_lowercase);
    error.code == "required" && said.is_some_and(|said| said == error.field.replace('_', " "))
}

fn listed(error: &FieldError) -> Listed {
    let parts: Vec<&str> = error.field.split('/').collect();
    let name = sentence(parts.last().copied().unwrap_or_default().trim_end_matches("_id"));
    let group = parts.windows(2).rev().find_map(|pair| {
        let place: usize = pair[1].parse().ok()?;
        Some(format!("{} {}, ", sentence(pair[0].strip_suffix('s').unwrap_or(pair[0])), place + 1))
    });
    let text = match only_missing(error) {
        true => " is required".to_owned(),
        false if begins_with(&error.message, &name) => error.message[name.len()..].to_owned(),
        false => format!(": {}", uncapitalised(&error.message)),
    };
    let whole = error.field.is_empty();
    Listed {
        id: if whole { String::new() } else { slug_id(&error.field) },
        group: group.unwrap_or_default(),
        text: if whole { error.message.clone() } else { text },
        name,
    }
}

fn begins_with(message: &str, name: &str) -> bool {
    let begin = message.get(..name.len());
    !name.is_empty()
        && begin.is_some_and(|begin| begin.eq_ignore_ascii_case(name))
        && message[name.len()..].starts_with(' ')
}

/// `enter 10 digits` → `Enter 10 digits`.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The same after a colon; what is written in capitals stays so.
fn uncapitalised(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

/// Puts the labels of fields into the list of problems, which stands above them: what people read beside a field is what
/// the list calls it.
pub(crate) fn name_fields(html: String) -> String {
    const MARK: &str = "<span data-name-of=\"";
    if !html.contains(MARK) {
        return html;
    }
    let mut named = String::with_capacity(html.len());
    let mut rest = html.as_str();
    while let Some((before, after)) = rest.split_once(MARK) {
        let Some(((id, name), after)) =
            after.split_once("</span>").and_then(|(mark, after)| Some((mark.split_once("\">")?, after)))
        else {
            break;
        };
        named.push_str(before);
        named.push_str(label_of(&html, id).unwrap_or(name));
        rest = after;
    }
    named.push_str(rest);
    named
}

/// The text of a field's label, as it stands in the page.
fn label_of<'h>(html: &'h str, id: &str) -> Option<&'h str> {
    let label = html.split_once(&format!("<label for=\"{id}\">")).map(|(_, label)| label);
    let legend = || html.split_once(&format!("id=\"{id}\""))?.1.split_once("<legend>").map(|(_, legend)| legend);
    let text = label.or_else(legend)?;
    let text = if text.starts_with("<input") { text.split_once("<span>")?.1 } else { text };
    text.split('<').next().map(str::trim).filter(|text| !text.is_empty())
}

impl From<Vec<FieldError>> for FieldErrors {
    fn from(mut fields: Vec<FieldError>) -> Self {
        fields.iter_mut().for_each(|error| error.message = capitalised(&error.message));
        Self { wrong: fields, theirs: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_field_stays_with_the_form_and_a_missing_row_does_not() {
        let errors = FieldErrors::from_error(Error::invalid("email", "not an e-mail address")).unwrap();
        assert_eq!(errors.of("email"), Some("Not an e-mail address"));
        assert_eq!(errors.of("name"), None);
        assert_eq!(FieldErrors::from_error(Error::NotFound), Err(Error::NotFound));
    }

    #[test]
    fn the_list_names_each_field_by_its_label_and_says_what_to_do() {
        let errors = FieldErrors::from(vec![
            FieldError { field: "mobile_phone".into(), code: "invalid", message: "enter 10 digits".into() },
            FieldError { field: "full_name".into(), code: "required", message: "full name is required".into() },
            FieldError { field: "conditions/1/form_id".into(), code: "invalid", message: "Choose a form".into() },
            FieldError { field: "zip".into(), code: "invalid", message: "CSV files have more".into() },
            FieldError { field: String::new(), code: "changed", message: "somebody changed it".into() },
        ]);
        let lines =
            errors.listed().iter().map(|line| format!("{}{}{}", line.group, line.name, line.text)).collect::<Vec<_>>();
        assert_eq!(
            lines,
            [
                "Mobile phone: enter 10 digits",
                "Full name is required",
                "Condition 2, Form: choose a form",
                "ZIP: CSV files have more",
                "Somebody changed it"
            ]
        );
        let page = super::super::Summary(&errors).to_string()
            + r#"<label for="f-mobile_phone">Cell phone<span>*</span></label><fieldset id="f-zip"><legend>Postcode</legend>"#
            + r#"<label for="f-full_name"><input id="f-full_name"><span>Whole name</span></label>"#;
        let page = name_fields(page);
        for line in [">Cell phone: enter 10 digits<", ">Whole name is required<", ">Postcode: CSV files have more<"] {
            assert!(page.contains(line), "{line}: {page}");
        }
    }
}
