//! A row ready to be written.

use std::iter;

use kernel::postal::Address;
use kernel::{Problems, custom_fields, email, phone};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::field::Field;
use crate::contacts::names::Name;
use crate::contacts::takes_unit_away;

/// The fields that are plain text, in the order they are copied to the database.
pub const TEXTS: [Field; 15] = [
    Field::FirstName,
    Field::LastName,
    Field::Email,
    Field::Phone,
    Field::MobilePhone,
    Field::Company,
    Field::JobTitle,
    Field::Address,
    Field::Address2,
    Field::City,
    Field::State,
    Field::Zip,
    Field::Country,
    Field::LeadSource,
    Field::Notes,
];

/// The flags, in the order they are copied.
pub const FLAGS: [Field; 3] = [Field::DoNotContact, Field::EmailOptOut, Field::SmsOptOut];

/// Why a row was not taken, or what was noticed about one that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The line it begins on.
    pub line: u64,
    /// The column it is about.
    pub column: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// The line as it stands in the file.
    pub raw: String,
    /// Whether the row was refused; otherwise it was kept, the value as given.
    pub refused: bool,
}

/// A no in a row that is refused, with all that says whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct No {
    /// The line it stands on.
    pub line: u64,
    /// First and last name, as far as they can be read.
    pub names: [String; 2],
    /// The e-mail address, if it is one.
    pub email: Option<String>,
    /// The phone numbers that can exist.
    pub numbers: Vec<String>,
    /// Name and address in one.
    pub match_key: Option<String>,
    /// What it stops, as in [`FLAGS`].
    pub stops: [bool; 3],
}

impl No {
    /// The no in a row, where it is somebody's.
    pub fn of(row: &Prepared) -> Option<Self> {
        let stops = row.flags.map(|flag| flag == Some(true));
        let email = email::normalise(row.text(Field::Email)).filter(|email| !email::is_placeholder(email));
        let numbers: Vec<String> = row.valid_numbers().filter(|number| !phone::is_placeholder(number)).collect();
        let is_somebodys = email.is_some() || !numbers.is_empty() || row.match_key.is_some();
        (is_somebodys && stops.contains(&true)).then(|| Self {
            line: row.line,
            names: [Field::FirstName, Field::LastName].map(|field| row.text(field).to_owned()),
            email,
            numbers,
            match_key: row.match_key.clone(),
            stops,
        })
    }

    /// Whose it is, for the report.
    pub fn whose(&self) -> String {
        let address = self.email.as_ref().or(self.numbers.first());
        address.cloned().unwrap_or_else(|| self.names.join(" ").trim().to_owned())
    }
}

/// Why a row is refused, and the no in it, which counts all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub remark: Remark,
    /// Its no.
    pub no: Option<Box<No>>,
}

impl Refused {
    /// A refusal whose report tells of the no.
    pub fn new(mut remark: Remark, no: Option<No>) -> Self {
        if let Some(no) = &no {
            remark.reason = format!("{}; its opt-out is kept for {}", remark.reason, no.whose());
        }
        Self { remark, no: no.map(Box::new) }
    }
}

impl From<Remark> for Refused {
    fn from(remark: Remark) -> Self {
        Self { remark, no: None }
    }
}

impl Remark {
    /// Bytes it takes.
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.reason.len() + self.raw.len() + self.column.as_ref().map_or(0, String::len)
    }
}

/// The custom fields of a row, all of them texts. A chunk holds thousands of these: a map for each would be most of it.
#[derive(Debug, Clone, Default)]
pub struct Custom(Vec<(String, String)>);

impl Custom {
    /// Puts a value in, in place of an earlier one.
    pub fn insert(&mut self, key: String, value: String) {
        match self.0.iter_mut().find(|(other, _)| *other == key) {
            Some((_, earlier)) => *earlier = value,
            None => self.0.push((key, value)),
        }
    }

    /// Puts a value in beside an earlier one, whose key it shares, under a numbered key.
    pub fn add(&mut self, key: &str, value: String) {
        let numbered = (2..).map(|number| format!("{key}_{number}"));
        let free = iter::once(key.to_owned()).chain(numbered).find(|key| self.0.iter().all(|(other, _)| other != key));
        self.0.extend(free.map(|key| (key, value)));
    }

    /// Why there are too many of them, or one cannot be kept; as [`kernel::custom_fields`] says of those people write.
    pub fn refusal(&self) -> Option<String> {
        // nearly all rows have a few short ones
        let bytes: usize = self.0.iter().map(|(key, value)| key.len() + value.len()).sum();
        if bytes <= custom_fields::MAX_NAME && self.0.iter().all(|(key, _)| !key.trim().is_empty()) {
            return None;
        }
        let mut problems = Problems::new();
        let fields = self.0.iter().map(|(key, value)| (key.clone(), Value::String(value.clone()))).collect();
        custom_fields::check(&fields, &Map::new(), &mut problems);
        let refused = problems.finish().err()?;
        let first = refused.fields().first()?;
        Some(format!("{}: {}", first.field.replace("custom_fields/", "custom field "), first.message))
    }

    /// Bytes it takes.
    fn weight(&self) -> usize {
        self.0.iter().map(|field| size_of_val(field) + field.0.len() + field.1.len()).sum()
    }

    /// The value of a key.
    #[cfg(test)]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == key).map(|(_, value)| value.as_str())
    }
}

impl Serialize for Custom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// A row ready to be written.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The line it begins on.
    pub line: u64,
    /// The line as it stands in the file, where the import may have to say something of it later.
    pub raw: String,
    /// The id it gets if it is a new contact.
    pub id: Uuid,
    /// Its code, given or made.
    pub code: String,
    /// Whether a contact with that code may already be there.
    pub check_code: bool,
    /// By what it is recognised, besides the code.
    pub key: Option<String>,
    /// By what else, where nothing is found by the key: its other phone number.
    pub second_key: Option<String>,
    /// The values of [`TEXTS`].
    pub texts: [Option<String>; 15],
    /// Whether phone and mobile phone are numbers that can exist.
    pub numbers: [bool; 2],
    /// The values of [`FLAGS`].
    pub flags: [Option<bool>; 3],
    /// Lifecycle stage.
    pub stage: Option<&'static str>,
    /// Lead score.
    pub score: Option<i32>,
    /// Custom fields.
    pub custom: Custom,
    /// Tags.
    pub tags: Vec<String>,
    /// Name and address in one.
    pub match_key: Option<String>,
    /// What was noticed.
    pub remarks: Vec<Remark>,
    /// Whether something was, once that is told elsewhere.
    pub flagged: bool,
}

impl Prepared {
    /// A row of which nothing is known yet.
    pub fn empty(line: u64) -> Self {
        Self {
            line,
            raw: String::new(),
            id: kernel::new_id(),
            code: String::new(),
            check_code: false,
            key: None,
            second_key: None,
            texts: Default::default(),
            numbers: [false; 2],
            flags: [None; 3],
            stage: None,
            score: None,
            custom: Custom::default(),
            tags: Vec::new(),
            match_key: None,
            remarks: Vec::new(),
            flagged: false,
        }
    }

    /// Puts a value into a text field; an empty one empties it.
    pub fn set(&mut self, field: Field, value: String) {
        if let Some(slot) = TEXTS.iter().position(|text| *text == field) {
            self.texts[slot] = (!value.is_empty()).then_some(value);
        }
    }

    /// What a cell about consent says: a no in any of several columns is one.
    pub fn stop(&mut self, field: Field, stops: bool) {
        if let Some(slot) = FLAGS.iter().position(|flag| *flag == field) {
            self.flags[slot] = Some(stops || self.flags[slot] == Some(true));
        }
    }

    /// The value of a text field.
    pub fn text(&self, field: Field) -> &str {
        TEXTS.iter().position(|text| *text == field).and_then(|slot| self.texts[slot].as_deref()).unwrap_or_default()
    }

    /// The name, fit to be compared.
    pub fn name(&self) -> Name {
        Name::of(self.text(Field::FirstName), self.text(Field::LastName))
    }

    /// The name as it is shown.
    pub fn shown_name(&self) -> String {
        crate::contacts::shown_name(self.text(Field::FirstName), self.text(Field::LastName))
    }

    /// The phone numbers that can exist, each once.
    pub fn valid_numbers(&self) -> impl Iterator<Item = String> + use<> {
        let of = |index: usize, field| self.numbers[index].then(|| self.text(field).to_owned());
        let (phone, mobile) = (of(0, Field::Phone), of(1, Field::MobilePhone));
        let mobile = mobile.filter(|mobile| phone.as_ref() != Some(mobile));
        phone.into_iter().chain(mobile)
    }

    /// By what it is recognised, besides the code.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.key.iter().chain(&self.second_key)
    }

    /// Bytes it takes, without its remarks.
    pub fn weight(&self) -> usize {
        let texts = self.texts.iter().flatten().chain(&self.match_key).chain(self.keys()).chain([&self.code]);
        let tags = self.tags.iter().map(|tag| size_of_val(tag) + tag.len());
        size_of::<Self>()
            + self.raw.len()
            + texts.map(String::len).sum::<usize>()
            + tags.sum::<usize>()
            + self.custom.weight()
    }

    /// Takes over the no's of another row about the same contact; whether one of them is new.
    pub fn take_noes(&mut self, flags: [Option<bool>; 3]) -> bool {
        let before = self.flags.map(|flag| flag == Some(true));
        for (mine, theirs) in self.flags.iter_mut().zip(flags) {
            *mine = if *mine == Some(true) { *mine } else { theirs.or(*mine) };
        }
        before != self.flags.map(|flag| flag == Some(true))
    }

    /// Takes over what `later`, another row about the same contact, knows.
    pub fn overlay(&mut self, later: Self) {
        let unit_given = !later.text(Field::Address2).is_empty();
        if !unit_given && takes_unit_away(self.text(Field::Address), later.text(Field::Address)) {
            self.set(Field::Address2, String::new());
        }
        let new_keys = later.keys().find(|key| self.keys().all(|mine| mine != *key)).cloned();
        self.second_key = self.second_key.take().or(new_keys);
        for (mine, theirs) in self.texts.iter_mut().zip(later.texts) {
            *mine = theirs.or(mine.take());
        }
        self.take_noes(later.flags);
        self.stage = later.stage.or(self.stage);
        self.score = later.score.or(self.score);
        later.custom.0.into_iter().for_each(|(key, value)| self.custom.insert(key, value));
        self.tags.extend(later.tags);
        self.remarks.extend(later.remarks);
        if later.check_code && !self.check_code {
            (self.code, self.check_code) = (later.code, true);
        }
        self.match_key = self.match_key_now();
    }

    fn address(&self) -> Address<'_> {
        Address {
            street: self.text(Field::Address),
            street2: self.text(Field::Address2),
            city: self.text(Field::City),
            state: self.text(Field::State),
            zip: self.text(Field::Zip),
            country: self.text(Field::Country),
        }
    }

    /// Name and address in one, as they are now.
    pub fn match_key_now(&self) -> Option<String> {
        crate::contacts::match_key(self.text(Field::FirstName), self.text(Field::LastName), &self.address())
    }

    /// Whether it says who it is about.
    pub fn has_identity(&self) -> bool {
        self.check_code
            || [
                Field::FirstName,
                Field::LastName,
                Field::Email,
                Field::Phone,
                Field::MobilePhone,
                Field::Company,
                Field::Address,
            ]
            .iter()
            .any(|field| !self.text(*field).is_empty())
    }
}
