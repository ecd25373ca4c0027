//! The form of a contact: texts as they were typed.

use kernel::{Problems, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::some;
use crate::contacts::{Contact, ContactInput, STAGES};

/// A contact as it stands in the form.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactForm {
    pub customer_code: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub phone: String,
    pub mobile_phone: String,
    pub company: String,
    pub job_title: String,
    pub address: String,
    pub address2: String,
    pub city: String,
    pub state: String,
    pub zip: String,
    pub country: String,
    pub lifecycle_stage: String,
    pub lead_source: String,
    pub do_not_contact: bool,
    pub email_opt_out: bool,
    pub sms_opt_out: bool,
    /// One `name: value` a line.
    pub custom_fields: String,
    pub notes: String,
}

impl ContactForm {
    /// A fresh form.
    pub fn blank() -> Self {
        Self { lifecycle_stage: STAGES[0].into(), country: kernel::postal::DEFAULT_COUNTRY.into(), ..Self::default() }
    }

    /// The form of a contact that is there.
    pub fn of(contact: &Contact) -> Self {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let phone = |value: &Option<String>| value.as_deref().map(kernel::phone::display).unwrap_or_default();
        let custom = contact.custom_fields.as_object().into_iter().flatten().map(|(key, value)| line_of(key, value));
        Self {
            customer_code: contact.customer_code.clone(),
            first_name: text(&contact.first_name),
            last_name: text(&contact.last_name),
            email: text(&contact.email),
            phone: phone(&contact.phone),
            mobile_phone: phone(&contact.mobile_phone),
            company: text(&contact.company),
            job_title: text(&contact.job_title),
            address: text(&contact.address),
            address2: text(&contact.address2),
            city: text(&contact.city),
            state: text(&contact.state),
            zip: text(&contact.zip),
            country: text(&contact.country),
            lifecycle_stage: contact.lifecycle_stage.clone(),
            lead_source: text(&contact.lead_source),
            do_not_contact: contact.do_not_contact,
            email_opt_out: contact.email_opt_out,
            sms_opt_out: contact.sms_opt_out,
            custom_fields: custom.collect::<Vec<_>>().join("\n"),
            notes: text(&contact.notes),
        }
    }

    /// What the form says; what it has no field for stays as it was `before`.
    ///
    /// # Errors
    /// Names each line of `custom_fields` that cannot be read.
    pub fn input(&self, before: &ContactInput) -> Result<ContactInput> {
        Ok(ContactInput {
            customer_code: some(&self.customer_code).or_else(|| before.customer_code.clone()),
            first_name: some(&self.first_name),
            last_name: some(&self.last_name),
            email: some(&self.email),
            phone: some(&self.phone),
            mobile_phone: some(&self.mobile_phone),
            company: some(&self.company),
            job_title: some(&self.job_title),
            address: some(&self.address),
            address2: some(&self.address2),
            city: some(&self.city),
            state: some(&self.state),
            zip: some(&self.zip),
            country: some(&self.country),
            lifecycle_stage: some(&self.lifecycle_stage),
            lead_score: before.lead_score,
            lead_source: some(&self.lead_source),
            do_not_contact: self.do_not_contact,
            email_opt_out: self.email_opt_out,
            sms_opt_out: self.sms_opt_out,
            custom_fields: self.custom(before)?,
            notes: some(&self.notes),
        })
    }

    /// A line that reads as it did before keeps its key and its type: a number stays a number. A line that cannot be read
    /// is a problem and never left out: the person would be told that it was saved.
    fn custom(&self, before: &ContactInput) -> Result<Map<String, Value>> {
        let (mut fields, mut problems) = (Map::new(), Problems::new());
        for (index, line) in self.custom_fields.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty())
        {
            match field_of(line, &before.custom_fields) {
                Err(why) => problems.invalid("custom_fields", format!("line {} {why}", index + 1)),
                Ok((key, _)) if fields.contains_key(&key) => {
                    problems.invalid("custom_fields", format!("line {} names “{key}” a second time", index + 1))
                }
                Ok((key, value)) => {
                    fields.insert(key, value);
                    &mut problems
                }
            };
        }
        problems.finish()?;
        Ok(fields)
    }
}

/// What one line says, or what is wrong with it.
fn field_of(line: &str, before: &Map<String, Value>) -> std::result::Result<(String, Value), &'static str> {
    if let Some((key, value)) = before.iter().find(|(key, value)| line_of(key, value).trim() == line) {
        return Ok((key.clone(), value.clone()));
    }
    let (key, text) = line.split_once(':').ok_or("has no colon: write it as name: value")?;
    match (key.trim(), text.trim()) {
        ("", _) => Err("has no name before the colon: write it as name: value"),
        (_, "") => Err("has no value after the colon: give one, or take the line out"),
        (key, text) => Ok((key.to_owned(), kept_type(before.get(key), text))),
    }
}

fn kept_type(before: Option<&Value>, text: &str) -> Value {
    match before {
        Some(old) if !old.is_string() && text == old.to_string().as_str() => old.clone(),
        _ => Value::String(text.to_owned()),
    }
}

fn line_of(key: &str, value: &Value) -> String {
    format!("{key}: {}", value.as_str().map_or_else(|| value.to_string(), one_line))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(before: Value, typed: &str) -> Result<Value> {
        let before = ContactInput { custom_fields: before.as_object().unwrap().clone(), ..ContactInput::default() };
        let form = ContactForm { custom_fields: typed.into(), ..ContactForm::default() };
        form.input(&before).map(|input| Value::Object(input.custom_fields))
    }

    #[test]
    fn custom_fields_keep_their_types_unless_they_are_changed() {
        let before = json!({ "age": 12, "floors": 2, "memo": "two\nlines", "a:b": "c", "blank": "", "gone": "x" });
        let typed = "age: 12\nfloors:2\nmemo: two lines\n\na:b: c\nblank:\nroof: slate: grey";
        let after = json!({
            "age": 12, "floors": 2, "memo": "two\nlines", "a:b": "c", "blank": "", "roof": "slate: grey"
        });
        assert_eq!(read(before, typed), Ok(after));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_and_never_left_out() {
        let refused = read(json!({}), "roof is red\nsize: 10\n: 5\ncolour:\nsize: 11").unwrap_err();
        let said: Vec<&str> = refused.fields().iter().map(|error| error.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "line 1 has no colon: write it as name: value",
                "line 3 has no name before the colon: write it as name: value",
                "line 4 has no value after the colon: give one, or take the line out",
                "line 5 names “size” a second time"
            ]
        );
        assert!(refused.fields().iter().all(|error| error.field == "custom_fields"));
    }
}
