//! The form of a contact: texts as they were typed.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::some;
use crate::contacts::{Contact, ContactInput, STAGES};

/// A contact as it stands in the form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ContactForm {
    /// The version the form was made from.
    pub version: String,
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
        let custom = contact.custom_fields.as_object().into_iter().flatten();
        let custom =
            custom.map(|(key, value)| format!("{key}: {}", value.as_str().map_or_else(|| value.to_string(), one_line)));
        Self {
            version: contact.etag(),
            customer_code: contact.customer_code.clone(),
            first_name: text(&contact.first_name),
            last_name: text(&contact.last_name),
            email: text(&contact.email),
            phone: text(&contact.phone),
            mobile_phone: text(&contact.mobile_phone),
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
    pub fn input(&self, before: &ContactInput) -> ContactInput {
        ContactInput {
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
            custom_fields: self.custom(before),
            notes: some(&self.notes),
        }
    }

    /// A value that reads as it did before keeps its type: a number stays a number.
    fn custom(&self, before: &ContactInput) -> Map<String, Value> {
        let pairs = self.custom_fields.lines().filter_map(|line| line.split_once(':'));
        let pairs = pairs
            .map(|(key, value)| (key.trim(), value.trim()))
            .filter(|(key, value)| !key.is_empty() && !value.is_empty());
        let value = |key: &str, text: &str| match before.custom_fields.get(key) {
            Some(Value::String(old)) if one_line(old) == text => Value::String(old.clone()),
            Some(old) if !old.is_string() && text == old.to_string().as_str() => old.clone(),
            _ => Value::String(text.to_owned()),
        };
        pairs.map(|(key, text)| (key.to_owned(), value(key, text))).collect()
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_fields_keep_their_types_unless_they_are_changed() {
        let fields = serde_json::json!({ "age": 12, "memo": "two\nlines", "gone": "x" });
        let before = ContactInput { custom_fields: fields.as_object().unwrap().clone(), ..ContactInput::default() };
        let form = ContactForm {
            custom_fields: "age: 12\nmemo: two lines\nroof: slate: grey\nempty:\nnonsense".into(),
            ..ContactForm::default()
        };
        let after = Value::Object(form.input(&before).custom_fields);
        assert_eq!(after, serde_json::json!({ "age": 12, "memo": "two\nlines", "roof": "slate: grey" }));
    }
}
