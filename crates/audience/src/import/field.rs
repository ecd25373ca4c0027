//! What a column of a file can be: a field of the contact, a custom field, or nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $label:literal;)+) => {
        /// A field of a contact that a column can fill.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Field { $($(#[$doc])* $variant,)+ }

        impl Field {
            /// Every field, in the order people expect them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word of the data model.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The name people read.
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }
        }
    };
}

fields! {
    /// The client's own code.
    CustomerCode = "customer_code", "Customer code";
    /// First name.
    FirstName = "first_name", "First name";
    /// Last name.
    LastName = "last_name", "Last name";
    /// Jr., Sr., III: what tells a father from his son.
    Suffix = "suffix", "Name suffix";
    /// First and last name in one column.
    FullName = "full_name", "Full name";
    /// E-mail address.
    Email = "email", "E-mail";
    /// Phone.
    Phone = "phone", "Phone";
    /// Mobile phone.
    MobilePhone = "mobile_phone", "Mobile phone";
    /// Company.
    Company = "company", "Company";
    /// Job title.
    JobTitle = "job_title", "Job title";
    /// Street address.
    Address = "address", "Address";
    /// Unit or suite.
    Address2 = "address2", "Address, second line";
    /// City.
    City = "city", "City";
    /// State.
    State = "state", "State";
    /// ZIP code.
    Zip = "zip", "ZIP code";
    /// Country.
    Country = "country", "Country";
    /// Lifecycle stage.
    LifecycleStage = "lifecycle_stage", "Lifecycle stage";
    /// Lead score, 0 to 100.
    LeadScore = "lead_score", "Lead score";
    /// Where the contact came from.
    LeadSource = "lead_source", "Lead source";
    /// Stops everything.
    DoNotContact = "do_not_contact", "Do not contact";
    /// No e-mail.
    EmailOptOut = "email_opt_out", "E-mail opt-out";
    /// No text messages.
    SmsOptOut = "sms_opt_out", "SMS opt-out";
    /// The other way round: a no stops everything.
    MayContact = "may_contact", "May be contacted";
    /// A no stops e-mail.
    EmailOptIn = "email_opt_in", "E-mail opt-in";
    /// A no stops text messages.
    SmsOptIn = "sms_opt_in", "SMS opt-in";
    /// Tags, apart by commas, semicolons or bars.
    Tags = "tags", "Tags";
    /// Notes.
    Notes = "notes", "Notes";
    /// Custom fields as one JSON object, as older exports of ACE hold them.
    CustomFields = "custom_fields", "Custom fields (JSON)";
}

impl Field {
    /// Columns where a yes stops e-mail, text messages, everything.
    pub const STOPS: [Self; 3] = [Self::EmailOptOut, Self::SmsOptOut, Self::DoNotContact];
    /// Columns where a no stops the same.
    pub const ALLOWS: [Self; 3] = [Self::EmailOptIn, Self::SmsOptIn, Self::MayContact];

    /// What a no in this column stops, where it is about consent. Several columns may stop the same.
    pub fn stops(self) -> Option<Self> {
        Self::STOPS
            .into_iter()
            .zip(Self::ALLOWS)
            .find(|(stops, allows)| self == *stops || self == *allows)
            .map(|(stops, _)| stops)
    }

    /// Fields of an address, which are taken from one block of columns.
    pub fn is_address(self) -> bool {
        matches!(self, Self::Address | Self::Address2 | Self::City | Self::State | Self::Zip | Self::Country)
    }
}

impl FromStr for Field {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|field| field.word() == word).ok_or(())
    }
}

/// Where the cells of a column go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Target {
    /// A field of the contact.
    Field(Field),
    /// `custom_fields.<key>`.
    Custom(String),
    /// Nowhere.
    Skip,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => f.write_str(field.word()),
            Self::Custom(key) => write!(f, "custom_fields.{key}"),
            Self::Skip => f.write_str("skip"),
        }
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text == "skip" {
            return Ok(Self::Skip);
        }
        if let Some(key) = text.strip_prefix("custom_fields.") {
            return if key.is_empty() {
                Err("custom_fields. needs a name after the full stop".into())
            } else {
                Ok(Self::Custom(key.into()))
            };
        }
        text.parse().map(Self::Field).map_err(|()| format!("{text} is no field of a contact; try custom_fields.{text}"))
    }
}

impl TryFrom<String> for Target {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The key a column gets among the custom fields: `Roof age (years)` → `roof_age_years`.
pub fn custom_key(header: &str) -> String {
    let mut key = String::with_capacity(header.len());
    for c in header.trim().chars() {
        if c.is_alphanumeric() {
            key.extend(c.to_lowercase());
        } else if !key.is_empty() && !key.ends_with('_') {
            key.push('_');
        }
    }
    key.trim_end_matches('_').chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_written_as_it_is_read_and_an_unknown_field_is_refused_with_advice() {
        for text in ["email", "custom_fields.roof_age", "skip"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        assert!("e-mail".parse::<Target>().unwrap_err().contains("custom_fields.e-mail"));
        assert_eq!(custom_key(" Roof age (years) "), "roof_age_years");
    }
}
