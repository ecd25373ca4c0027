//! The people a client may write to: what a contact holds, and how it is made fit to be kept. No SQL, no HTTP.

mod input;
pub(crate) mod names;

use chrono::{DateTime, Utc};
use database::FromRow;
use kernel::postal::{self, Address};
use kernel::{email, phone, random};
use rand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::types::{FromSql, Json, Type};
use utoipa::ToSchema;
use uuid::Uuid;
use web::view::{Badge, Tone};

pub use input::ContactInput;

/// The lifecycle stages, from stranger to friend.
pub const STAGES: [&str; 6] = ["lead", "mql", "sql", "opportunity", "customer", "evangelist"];

/// The alphabet of made codes: no letter is taken for a digit.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The longest key an index holds.
const LONGEST_KEY: usize = 1000;

/// A contact as it is stored.
#[derive(Debug, Clone, PartialEq, FromRow, Serialize, ToSchema)]
pub struct Contact {
    /// The contact's id.
    pub id: Uuid,
    /// The client's own code for the person.
    pub customer_code: String,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address, lower case.
    pub email: Option<String>,
    /// Phone, E.164.
    pub phone: Option<String>,
    /// Mobile phone, E.164.
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
    /// State, two letters.
    pub state: Option<String>,
    /// ZIP code, 5 or 5+4.
    pub zip: Option<String>,
    /// Country, ISO-2.
    pub country: Option<String>,
    /// Lifecycle stage.
    pub lifecycle_stage: String,
    /// Lead score, 0 to 100.
    pub lead_score: i32,
    /// Engagement score, 0 to 100.
    pub engagement_score: i32,
    /// Where the contact came from.
    pub lead_source: Option<String>,
    /// Stops everything.
    pub do_not_contact: bool,
    /// No e-mail.
    pub email_opt_out: bool,
    /// No text messages.
    pub sms_opt_out: bool,
    /// Why texts to the number are refused, whoever has it; null when they are not.
    pub sms_suppressed: Option<Suppressed>,
    /// Why mail to the e-mail address is refused, whoever has it; null when it is not.
    pub email_suppressed: Option<Suppressed>,
    /// What else is known.
    #[schema(value_type = Object)]
    pub custom_fields: Value,
    /// Notes.
    pub notes: Option<String>,
    /// Last engagement.
    pub last_activity_date: Option<DateTime<Utc>>,
    /// When the contact was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Why a number or an address must not be written to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Suppressed {
    /// What happened there.
    pub reason: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl Suppressed {
    /// What happened, for people: `the phone answered STOP`.
    pub fn sentence(&self) -> &'static str {
        match self.reason.as_str() {
            "stop" => "the phone answered STOP",
            "bounce" => "nobody is there: a message came back",
            "complaint" => "the person complained about a message",
            "opted_out" => "somebody who had it before wanted no messages",
            _ => "it was suppressed by hand",
        }
    }
}

impl<'a> FromSql<'a> for Suppressed {
    fn from_sql(of: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Json::<Self>::from_sql(of, raw).map(|Json(suppressed)| suppressed)
    }

    fn accepts(of: &Type) -> bool {
        <Json<Self> as FromSql>::accepts(of)
    }
}

impl Contact {
    /// First and last name; company, e-mail or code where there is none.
    pub fn name(&self) -> String {
        display_name(
            self.first_name.as_deref(),
            self.last_name.as_deref(),
            &[self.company.as_deref(), self.email.as_deref()],
            &self.customer_code,
        )
    }

    /// The version of the row, for `ETag` and `If-Match`.
    pub fn etag(&self) -> String {
        kernel::version::etag(self.updated_at)
    }

    /// What is wrong with a value that was kept as it came; `None` for one that is right, or absent.
    pub fn wrong(&self, field: &str) -> Option<&'static str> {
        let region = self.country.as_deref().unwrap_or(postal::DEFAULT_COUNTRY);
        let at_home = region == postal::DEFAULT_COUNTRY;
        let real =
            |address: &str| email::normalise(address).filter(|address| !email::is_placeholder(address)).is_some();
        let dials =
            |number: &str| phone::normalise(number, region).filter(|number| !phone::is_placeholder(number)).is_some();
        let (value, right, said) = match field {
            "email" => (&self.email, self.email.as_deref().is_some_and(real), "Not an e-mail address"),
            "phone" => (&self.phone, self.phone.as_deref().is_some_and(dials), "Not a phone number"),
            "mobile_phone" => {
                (&self.mobile_phone, self.mobile_phone.as_deref().is_some_and(dials), "Not a phone number")
            }
            "zip" if at_home => {
                (&self.zip, self.zip.as_deref().and_then(postal::normalise_zip).is_some(), "Not a ZIP code")
            }
            "state" if at_home => {
                (&self.state, self.state.as_deref().and_then(postal::normalise_state).is_some(), "Not a state")
            }
            _ => return None,
        };
        (value.is_some() && !right).then_some(said)
    }

    /// What is wrong with the address, if anything: the post would not deliver there.
    pub fn wrong_address(&self) -> Option<&'static str> {
        self.wrong("zip").or_else(|| self.wrong("state"))
    }

    /// Each channel, whether it is open, and how that looks. Nobody can be reached at what is no address.
    pub fn channels(&self) -> [(&'static str, Badge); 3] {
        let badge = |stopped: bool, missing: bool, wrong: bool, what: &str| {
            if self.do_not_contact || stopped {
                Badge::new("Stopped", Tone::Bad)
            } else if wrong {
                Badge::new(format!("No valid {what}"), Tone::Warning)
            } else if missing {
                Badge::new(format!("No {what}"), Tone::Neutral)
            } else {
                Badge::new("Allowed", Tone::Good)
            }
        };
        // a text goes to the mobile phone, else to the phone
        let number = if self.mobile_phone.is_some() { "mobile_phone" } else { "phone" };
        let no_number = self.mobile_phone.is_none() && self.phone.is_none();
        [
            ("Mail", badge(false, self.address.is_none(), self.wrong_address().is_some(), "address")),
            (
                "E-mail",
                badge(
                    self.email_opt_out || self.email_suppressed.is_some(),
                    self.email.is_none(),
                    self.wrong("email").is_some(),
                    "address",
                ),
            ),
            (
                "Text messages",
                badge(
                    self.sms_opt_out || self.sms_suppressed.is_some(),
                    no_number,
                    self.wrong(number).is_some(),
                    "number",
                ),
            ),
        ]
    }

    /// The ways by which nothing is sent whoever wants it: the channel, what is suppressed, and why.
    pub fn suppressions(&self) -> Vec<(&'static str, &'static str, &Suppressed)> {
        let sms = self.sms_suppressed.iter().map(|why| ("sms", "number", why));
        sms.chain(self.email_suppressed.iter().map(|why| ("email", "e-mail address", why))).collect()
    }

    /// The address on one line; a dash where there is none.
    pub fn address_line(&self) -> String {
        let lines = [&self.address, &self.address2, &self.city, &self.state, &self.zip, &self.country];
        let line = web::view::address(&lines.map(|line| line.as_deref().unwrap_or_default()));
        if self.address.is_none() && self.city.is_none() { "–".to_owned() } else { line }
    }

    /// The part people may change.
    pub fn input(&self) -> ContactInput {
        ContactInput {
            customer_code: Some(self.customer_code.clone()),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            mobile_phone: self.mobile_phone.clone(),
            company: self.company.clone(),
            job_title: self.job_title.clone(),
            address: self.address.clone(),
            address2: self.address2.clone(),
            city: self.city.clone(),
            state: self.state.clone(),
            zip: self.zip.clone(),
            country: self.country.clone(),
            lifecycle_stage: Some(self.lifecycle_stage.clone()),
            lead_score: Some(self.lead_score),
            lead_source: self.lead_source.clone(),
            do_not_contact: self.do_not_contact,
            email_opt_out: self.email_opt_out,
            sms_opt_out: self.sms_opt_out,
            custom_fields: self.custom_fields.as_object().cloned().unwrap_or_default(),
            notes: self.notes.clone(),
        }
    }
}

/// First and last name, else the first of `others` there is, else `code`.
pub fn display_name(first: Option<&str>, last: Option<&str>, others: &[Option<&str>], code: &str) -> String {
    let name = [first, last].into_iter().flatten().collect::<Vec<_>>().join(" ");
    if !name.is_empty() {
        return name;
    }
    others.iter().flatten().next().map_or_else(|| code.to_owned(), |other| (*other).to_owned())
}

/// First and last name as one text.
pub(crate) fn shown_name(first: &str, last: &str) -> String {
    format!("{first} {last}").trim().to_owned()
}

/// Name and address in one; `None` where either is missing, or where both are longer than an index holds.
pub fn match_key(first_name: &str, last_name: &str, address: &Address<'_>) -> Option<String> {
    postal::match_key(first_name, last_name, address).filter(|key| key.len() <= LONGEST_KEY)
}

/// Whether a new first line of an address leaves nothing of the second line that stood below the old one. The two are one
/// value: `12 Oak St Apt 5` in place of `12 Oak St` holds the unit already, and `9 Elm St` is another door. The same
/// street written otherwise keeps its unit.
pub(crate) fn takes_unit_away(old_street: &str, new_street: &str) -> bool {
    let given = !old_street.is_empty() && !new_street.is_empty() && old_street != new_street;
    given && postal::normalise_street(old_street) != postal::normalise_street(new_street)
}

/// Whether a text is a customer code as it is stored.
pub fn is_customer_code(code: &str) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    (3..=50).contains(&code.len()) && code.bytes().all(|byte| allowed(&byte)) && !code.starts_with(['_', '-'])
}

/// The customer code a text gives: in upper case. Ids that differ in case only stay different: those of Salesforce get
/// the three characters it writes them with itself, other long ones of mixed case a mark of the same kind.
pub fn code_from(given: &str) -> String {
    let case =
        |text: &str| text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.is_ascii_uppercase()).collect();
    let bits: Vec<bool> = case(given);
    let changes = bits.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let mixed = given.bytes().any(|byte| byte.is_ascii_lowercase()) && given.bytes().any(|byte| byte.is_ascii_digit());
    let plain = given.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let of_salesforce = given.len() == 15 && plain && (given.starts_with("00") || given.starts_with("a0"));
    // eighteen characters hold the marks already
    let whole_of_salesforce = given.len() == 18 && plain && (given.starts_with("00") || given.starts_with("a0"));
    let upper = given.to_ascii_uppercase();
    if !mixed || !(of_salesforce || (given.len() >= 14 && !whole_of_salesforce && changes >= 3)) {
        return upper;
    }
    const MARKS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let mark = |five: &[bool]| {
        let number = five.iter().rev().fold(0_usize, |number, bit| number * 2 + usize::from(*bit));
        char::from(MARKS[number & 31])
    };
    let marks: String = bits.chunks(5).map(mark).collect();
    if of_salesforce { format!("{upper}{marks}") } else { format!("{upper}-{marks}") }
}

/// A new customer code by chance.
pub fn new_code() -> String {
    code_of(random::generator().next_u64())
}

/// Whether a code looks like those that ACE makes for people whose client gave none.
pub fn is_made_code(code: &str) -> bool {
    code.len() == 13 && code.starts_with('C') && code.bytes().skip(1).all(|byte| ALPHABET.contains(&byte))
}

/// The customer code made of 60 bits: `C` and twelve characters.
pub fn code_of(mut bits: u64) -> String {
    let mut code = String::with_capacity(13);
    code.push('C');
    for _ in 0..12 {
        code.push(char::from(ALPHABET[(bits & 31) as usize]));
        bits >>= 5;
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_differ_in_case_only_stay_different() {
        assert_ne!(code_from("0035e00000AbCdE"), code_from("0035e00000AbCde"));
        assert_eq!(code_from("001A0000006Vm9r"), "001A0000006VM9RIAC");
        assert_eq!(code_from("001A0000006Vm9rIAC"), "001A0000006VM9RIAC");
        assert_ne!(code_from("cus_NffrFeUfNV2Hib"), code_from("cus_NffrFeUfNV2HIB"));
        assert_eq!((code_from("ab-1001").as_str(), code_from("Smith-12").as_str()), ("AB-1001", "SMITH-12"));
    }

    #[test]
    fn what_is_no_address_is_marked_and_is_no_open_way() {
        let mut contact = contact();
        contact.email = Some("not an address".into());
        contact.phone = Some("555-0106".into());
        contact.zip = Some("4321".into());
        let said = ["email", "phone", "mobile_phone", "zip"].map(|field| contact.wrong(field));
        assert_eq!(said, [Some("Not an e-mail address"), Some("Not a phone number"), None, Some("Not a ZIP code")]);
        let open = contact.channels().map(|(_, badge)| badge.text);
        assert_eq!(open, ["No valid address", "No valid address", "No valid number"]);
        contact.email = Some("ada@example.com".into());
        contact.mobile_phone = Some("+16145555555".into());
        assert_eq!(contact.wrong("mobile_phone"), Some("Not a phone number"), "what people type who have none");
        contact.mobile_phone = Some("+16145550123".into());
        contact.zip = Some("43215".into());
        assert_eq!(contact.channels().map(|(_, badge)| badge.text), ["Allowed", "Allowed", "Allowed"]);
        contact.do_not_contact = true;
        assert_eq!(contact.channels().map(|(_, badge)| badge.text), ["Stopped", "Stopped", "Stopped"]);
    }

    fn contact() -> Contact {
        let at = DateTime::<Utc>::default();
        Contact {
            id: Uuid::nil(),
            customer_code: "A-1".into(),
            first_name: Some("Ada".into()),
            last_name: None,
            email: None,
            phone: None,
            mobile_phone: None,
            company: None,
            job_title: None,
            address: Some("12 Oak St".into()),
            address2: None,
            city: Some("Columbus".into()),
            state: Some("OH".into()),
            zip: None,
            country: Some("US".into()),
            lifecycle_stage: "lead".into(),
            lead_score: 0,
            engagement_score: 0,
            lead_source: None,
            do_not_contact: false,
            email_opt_out: false,
            sms_opt_out: false,
            sms_suppressed: None,
            email_suppressed: None,
            custom_fields: Value::Null,
            notes: None,
            last_activity_date: None,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn made_codes_are_customer_codes() {
        assert_eq!(code_of(0), "C000000000000");
        assert!(is_customer_code(&new_code()) && new_code() != new_code());
        assert!(is_made_code(&new_code()) && !is_made_code("C-1001") && !is_made_code("CUSTOMER-1001"));
        for wrong in ["ab", "-AB", "abc", "A B", &"A".repeat(51)] {
            assert!(!is_customer_code(wrong), "{wrong}");
        }
    }
}
