//! What people and programs say about a contact, and how it is made fit to be kept.

use kernel::postal::{self, Address};
use kernel::{Problems, Result, email, phone};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{STAGES, code_from, is_customer_code, match_key, new_code};

/// The longest value of a field; indexes hold no more.
const LONGEST: usize = 500;
/// The longest note.
const LONGEST_NOTES: usize = 10_000;

/// What people and programs may say about a contact.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContactInput {
    /// The client's own code, 3 to 50 of `A-Z 0-9 _ -`; made when absent.
    pub customer_code: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// Mobile phone.
    pub mobile_phone: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Street address.
    pub address: Option<String>,
    /// Unit or suite.
    pub address2: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State.
    pub state: Option<String>,
    /// ZIP code.
    pub zip: Option<String>,
    /// Country; the United States when absent.
    pub country: Option<String>,
    /// lead, mql, sql, opportunity, customer or evangelist; lead when absent.
    pub lifecycle_stage: Option<String>,
    /// Lead score, 0 to 100; 0 when absent.
    #[schema(minimum = 0, maximum = 100)]
    pub lead_score: Option<i32>,
    /// Where the contact came from.
    pub lead_source: Option<String>,
    /// Stops everything.
    pub do_not_contact: bool,
    /// No e-mail.
    pub email_opt_out: bool,
    /// No text messages.
    pub sms_opt_out: bool,
    /// What else is known.
    #[schema(value_type = Object)]
    pub custom_fields: Map<String, Value>,
    /// Notes.
    #[schema(max_length = 10000)]
    pub notes: Option<String>,
}

impl ContactInput {
    /// Fit to be kept: trimmed, one spelling for each value, a code. What `before` already held may stay as it is,
    /// so that an imported oddity does not stand in the way of other changes.
    ///
    /// # Errors
    /// Names every field that is wrong.
    pub fn normalised(mut self, before: Option<&Self>) -> Result<Self> {
        let none = Self::default();
        let old = before.unwrap_or(&none);
        self.trim();
        self.keep_extensions();
        let mut problems = Problems::new();
        self.check_length(&mut problems);
        kernel::custom_fields::check(&self.custom_fields, &old.custom_fields, &mut problems);
        self.country = Some(match self.country.as_deref() {
            given if given.is_some() && given == old.country.as_deref() => given.unwrap_or_default().to_owned(),
            given => postal::normalise_country(given.unwrap_or_default()).unwrap_or_else(|| {
                problems.invalid("country", "use the two letters of a country, such as US");
                String::new()
            }),
        });
        let region = self.country.clone().unwrap_or_default();
        let phone = |given: &str| phone::normalise(given, &region);
        let at_home = region == postal::DEFAULT_COUNTRY;
        let wrong_phone = phone::wanted(&region);
        spell(&mut self.email, &old.email, email::normalise, || problems.invalid("email", email::WANTED));
        spell(&mut self.phone, &old.phone, phone, || problems.invalid("phone", wrong_phone));
        spell(&mut self.mobile_phone, &old.mobile_phone, phone, || problems.invalid("mobile_phone", wrong_phone));
        if at_home {
            spell(&mut self.state, &old.state, postal::normalise_state, || {
                problems.invalid("state", "use the two letters of a state, such as OH")
            });
            spell(&mut self.zip, &old.zip, postal::normalise_zip, || {
                problems.invalid("zip", "enter 5 digits, or 5 and 4 such as 43215-1234")
            });
        }
        self.check_words(&mut problems);
        problems.finish()?;
        Ok(self)
    }

    /// Name and address in one, by which duplicates are found.
    pub fn match_key(&self) -> Option<String> {
        let text = |value: &'_ Option<String>| value.clone().unwrap_or_default();
        let (street, street2, city) = (text(&self.address), text(&self.address2), text(&self.city));
        let (state, zip, country) = (text(&self.state), text(&self.zip), text(&self.country));
        let address =
            Address { street: &street, street2: &street2, city: &city, state: &state, zip: &zip, country: &country };
        match_key(&text(&self.first_name), &text(&self.last_name), &address)
    }

    fn texts(&mut self) -> [(&'static str, &mut Option<String>); 15] {
        [
            ("customer_code", &mut self.customer_code),
            ("first_name", &mut self.first_name),
            ("last_name", &mut self.last_name),
            ("email", &mut self.email),
            ("phone", &mut self.phone),
            ("mobile_phone", &mut self.mobile_phone),
            ("company", &mut self.company),
            ("job_title", &mut self.job_title),
            ("address", &mut self.address),
            ("address2", &mut self.address2),
            ("city", &mut self.city),
            ("state", &mut self.state),
            ("zip", &mut self.zip),
            ("country", &mut self.country),
            ("lead_source", &mut self.lead_source),
        ]
    }

    fn trim(&mut self) {
        let trim = |text: &mut Option<String>| {
            *text = text.take().map(|text| text.trim().replace('\0', "")).filter(|text| !text.is_empty())
        };
        trim(&mut self.notes);
        self.texts().into_iter().for_each(|(_, text)| trim(text));
    }

    /// A number is kept without its extension, which becomes a custom field.
    fn keep_extensions(&mut self) {
        let given = [("phone_extension", &self.phone), ("mobile_phone_extension", &self.mobile_phone)];
        for (key, extension) in given.map(|(key, number)| (key, number.as_deref().and_then(phone::extension))) {
            if let Some(extension) = extension {
                self.custom_fields.insert(key.to_owned(), Value::String(extension));
            }
        }
    }

    fn check_length(&mut self, problems: &mut Problems) {
        for (field, text) in self.texts() {
            if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST) {
                problems.add(field, "too_long", format!("use at most {LONGEST} characters"));
            }
        }
        if self.notes.as_ref().is_some_and(|notes| notes.chars().count() > LONGEST_NOTES) {
            problems.add("notes", "too_long", format!("use at most {LONGEST_NOTES} characters"));
        }
    }

    fn check_words(&mut self, problems: &mut Problems) {
        let code = self.customer_code.take().map_or_else(new_code, |code| code_from(&code));
        if !is_customer_code(&code) {
            problems.invalid(
                "customer_code",
                "use 3 to 50 letters, digits, dashes and underscores, beginning with a letter or digit",
            );
        }
        self.customer_code = Some(code);
        let stage =
            self.lifecycle_stage.take().filter(|stage| !stage.is_empty()).unwrap_or_else(|| STAGES[0].to_owned());
        if !STAGES.contains(&stage.as_str()) {
            let labels = STAGES.map(|stage| web::view::Badge::of(stage).text);
            problems.invalid("lifecycle_stage", format!("choose one of {}", labels.join(", ")));
        }
        self.lifecycle_stage = Some(stage);
        if self.lead_score.is_some_and(|score| !(0..=100).contains(&score)) {
            problems.invalid("lead_score", "enter a number from 0 to 100");
        }
        let nobody = [
            &self.first_name,
            &self.last_name,
            &self.email,
            &self.phone,
            &self.mobile_phone,
            &self.company,
            &self.address,
        ];
        if nobody.into_iter().all(Option::is_none) {
            problems.add("last_name", "required", "give at least a name, an e-mail, a phone, a company or an address");
        }
    }
}

/// Replaces a value by its one spelling, unless it has none and was there before.
fn spell<'p>(
    value: &mut Option<String>,
    old: &Option<String>,
    normalise: impl Fn(&str) -> Option<String>,
    wrong: impl FnOnce() -> &'p mut Problems,
) {
    let Some(given) = value.as_deref() else { return };
    match normalise(given) {
        Some(spelling) => *value = Some(spelling),
        None if *value == *old => {}
        None => drop(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> ContactInput {
        ContactInput {
            last_name: Some(" Lee ".into()),
            email: Some("ADA@example.com".into()),
            ..ContactInput::default()
        }
    }

    #[test]
    fn a_contact_gets_one_spelling_a_code_and_its_defaults() {
        let kept = ContactInput { phone: Some("614.555.0123".into()), state: Some("ohio".into()), ..input() }
            .normalised(None)
            .unwrap();
        assert_eq!((kept.last_name.as_deref(), kept.email.as_deref()), (Some("Lee"), Some("ada@example.com")));
        assert_eq!((kept.phone.as_deref(), kept.state.as_deref()), (Some("+16145550123"), Some("OH")));
        assert_eq!((kept.country.as_deref(), kept.lifecycle_stage.as_deref()), (Some("US"), Some("lead")));
        assert!(is_customer_code(&kept.customer_code.unwrap()));
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let wrong = ContactInput {
            email: Some("at home".into()),
            phone: Some("12".into()),
            zip: Some("1".into()),
            lifecycle_stage: Some("hot".into()),
            customer_code: Some("a b".into()),
            ..ContactInput::default()
        };
        let error = wrong.normalised(None).unwrap_err();
        let fields: Vec<_> = error.fields().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["email", "phone", "zip", "customer_code", "lifecycle_stage"]);
        assert_eq!(ContactInput::default().normalised(None).unwrap_err().fields()[0].field, "last_name");
    }

    #[test]
    fn an_oddity_that_was_there_before_may_stay_and_a_new_one_may_not() {
        let before = ContactInput { email: Some("at home".into()), ..input() };
        let renamed = ContactInput { first_name: Some("Ada".into()), ..before.clone() };
        assert!(renamed.normalised(Some(&before)).is_ok());
        assert!(ContactInput { email: Some("elsewhere".into()), ..before.clone() }.normalised(Some(&before)).is_err());
    }
}
