//! What a submission says about the person who sent it.

use content::forms::{Field, FieldType, FormConfig};
use serde_json::{Map, Value};

/// The person, as far as the answers tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// The first e-mail address.
    pub email: Option<String>,
    /// The first phone number, E.164.
    pub phone: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Street.
    pub address: Option<String>,
    /// Unit or suite.
    pub address2: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State, two letters.
    pub state: Option<String>,
    /// ZIP code.
    pub zip: Option<String>,
    /// The redemption code, 12 characters.
    pub code: Option<String>,
    /// What was agreed to: the channel and the words.
    pub consents: Vec<(&'static str, String)>,
}

impl Who {
    /// Reads the answers: e-mail, phone and code by their kind, the rest by the names of a contact's fields.
    pub fn read(config: &FormConfig, answers: &Map<String, Value>) -> Self {
        let mut who = Self::default();
        for field in &config.fields {
            let Some(value) = answers.get(&field.id) else { continue };
            who.take(field, value.as_str().unwrap_or_default());
        }
        who
    }

    fn take(&mut self, field: &Field, text: &str) {
        match field.kind {
            FieldType::Email => fill(&mut self.email, text),
            FieldType::Phone => fill(&mut self.phone, text),
            FieldType::GiftCardCode => fill(&mut self.code, &text.replace('-', "")),
            FieldType::Consent => {
                self.consents.push((field.channel.unwrap_or_default().word(), field.label.clone()));
            }
            _ => self.take_named(&field.id, text),
        }
    }

    fn take_named(&mut self, name: &str, text: &str) {
        match name {
            "first_name" => fill(&mut self.first_name, text),
            "last_name" => fill(&mut self.last_name, text),
            "name" | "full_name" => {
                let (first, last) = text.rsplit_once(' ').unwrap_or((text, ""));
                fill(&mut self.first_name, first);
                fill(&mut self.last_name, last);
            }
            "company" => fill(&mut self.company, text),
            "address" => fill(&mut self.address, text),
            "address2" => fill(&mut self.address2, text),
            "city" => fill(&mut self.city, text),
            "state" => {
                let state = kernel::postal::normalise_state(text);
                fill(&mut self.state, state.as_deref().unwrap_or(text));
            }
            "zip" => fill(&mut self.zip, kernel::postal::normalise_zip(text).as_deref().unwrap_or(text)),
            _ => {}
        }
    }
}

/// The first answer counts; contacts hold 500 characters.
fn fill(place: &mut Option<String>, text: &str) {
    let text = text.trim();
    if place.is_none() && !text.is_empty() {
        *place = Some(text.chars().take(500).collect());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_consent_is_for_the_channel_its_field_names_whatever_its_words_say() {
        let wording = "I agree to receive text messages at the phone number above. See our context page.";
        let config = |channel: Value| {
            let mut field = json!({"id": "ok", "type": "consent", "label": wording});
            field["channel"] = channel;
            serde_json::from_value::<FormConfig>(json!({ "fields": [field] })).unwrap()
        };
        let answers = json!({ "ok": true });
        for (given, recorded) in [("sms", "sms"), ("email", "email"), ("call", "call")] {
            let who = Who::read(&config(json!(given)), answers.as_object().unwrap());
            assert_eq!(who.consents, [(recorded, wording.to_owned())]);
        }
        let who = Who::read(&config(Value::Null), answers.as_object().unwrap());
        assert_eq!(who.consents, [("email", wording.to_owned())], "what allows the least");
    }

    #[test]
    fn answers_become_a_person_and_what_is_not_about_them_is_left_out() {
        let config: FormConfig = serde_json::from_value(json!({"fields": [
            {"id": "name", "type": "text"}, {"id": "mail", "type": "email"}, {"id": "mobile", "type": "phone"},
            {"id": "state", "type": "text"}, {"id": "code", "type": "gift_card_code"}, {"id": "roof_age", "type": "number"},
            {"id": "ok", "type": "consent", "label": "You may text me", "channel": "sms"}
        ]}))
        .unwrap();
        let answers = json!({"name": "Ada King Lovelace", "mail": "ada@example.com", "mobile": "+16145550123",
            "state": "ohio", "code": "7K2M-9QRX-4TVB", "roof_age": 12.0, "ok": true});
        let who = Who::read(&config, answers.as_object().unwrap());
        assert_eq!((who.first_name.as_deref(), who.last_name.as_deref()), (Some("Ada King"), Some("Lovelace")));
        assert_eq!(who.state.as_deref(), Some("OH"));
        assert_eq!(who.code.as_deref(), Some("7K2M9QRX4TVB"));
        assert_eq!(who.consents, [("sms", "You may text me".to_owned())]);
        assert_eq!(who.company, None);
    }
}
