//! One cell of a row put where it belongs.

use super::super::field::custom_key;
use super::super::field::{Field, Target};
use super::super::headers::Ask;
use super::super::headers::consent::{self, Says};
use super::super::headers::labels::{self, Kind};
use super::super::headers::refusal;
use super::super::prepared::{Prepared, Remark};
use super::super::rows::Row;
use super::super::words;
use super::{Loose, Preparer, remark};
use crate::contacts::{code_from, is_customer_code};
use kernel::{custom_fields, email, phone};

/// The longest value of a field; indexes hold no more.
const LONGEST: usize = 500;
/// The longest note.
const LONGEST_TEXT: usize = 10_000;

impl Preparer<'_> {
    /// Puts one cell where it belongs.
    pub(super) fn take(
        &self,
        (prepared, loose): (&mut Prepared, &mut Loose),
        row: &Row<'_>,
        index: usize,
        cell: &str,
    ) -> Result<(), Remark> {
        let target = &self.by_label(row, index, &self.plan.targets[index]);
        self.take_refusals(prepared, row, (index, target), cell);
        if *target == Target::Skip { Ok(()) } else { self.take_as((prepared, loose), row, (index, target), cell) }
    }

    /// What a cell refuses in words counts whatever its column is: beside what the column is about, in a note, and also where
    /// somebody left the column out who was asked about another channel.
    fn take_refusals(&self, prepared: &mut Prepared, row: &Row<'_>, (index, target): (usize, &Target), cell: &str) {
        let (about, left_out) = match target {
            Target::Field(field) => (field.stops(), false),
            Target::Skip => (None, !self.plan.is_guessed(index)),
            Target::Custom(_) => (None, false),
        };
        // what an old note says has been taken back where the flags of an export say otherwise
        if self.is_export && about.is_none() {
            return;
        }
        let asked = self.plan.asks.get(index).copied().flatten().and_then(Ask::stops);
        let refusals =
            if is_one_text(target) { refusal::of(cell).into_iter().collect() } else { refusal::within(cell) };
        for refusal in refusals {
            let counts = match (about, left_out) {
                (Some(stops), _) => refusal.is_named && refusal.stops != stops,
                (None, true) => refusal.is_named && Some(refusal.stops) != asked,
                (None, false) => true,
            };
            if counts {
                let what = match refusal.stops {
                    Field::DoNotContact => "everything",
                    Field::SmsOptOut => "texts and calls",
                    _ => "e-mail",
                };
                let reason = format!("{} stops {what}", words::shown(cell));
                prepared.remarks.push(remark(row, Some(&self.plan.headers[index]), reason, false));
                prepared.stop(refusal.stops, true);
            }
        }
    }

    pub(super) fn take_as(
        &self,
        (prepared, loose): (&mut Prepared, &mut Loose),
        row: &Row<'_>,
        (index, target): (usize, &Target),
        cell: &str,
    ) -> Result<(), Remark> {
        let header = &self.plan.headers[index];
        let refuse = |reason: &str| Err(remark(row, Some(header), reason.into(), true));
        if cell.contains('\u{fffd}') {
            return refuse(&format!("characters that are not {}", self.plan.encoding.label()));
        }
        let longest = match target {
            Target::Custom(_) => custom_fields::MAX_VALUE,
            Target::Field(Field::Notes | Field::Tags) => LONGEST_TEXT,
            Target::Field(Field::CustomFields) => custom_fields::MAX_BYTES,
            _ => LONGEST,
        };
        if cell.len() > longest && cell.chars().count() > longest {
            return refuse(&format!("longer than a field can be: at most {longest} characters"));
        }
        let whole = cell;
        // PostgreSQL keeps no NUL in a text
        let cell = cell.replace('\0', "");
        if cell.len() < whole.len() {
            prepared.remarks.push(remark(row, Some(header), "a NUL character was taken out".into(), false));
        }
        let is_number = matches!(
            target,
            Target::Field(Field::Zip | Field::Phone | Field::MobilePhone | Field::CustomerCode | Field::LeadScore)
        );
        let cell = if is_number { words::whole(&cell).to_owned() } else { cell };
        match target {
            Target::Skip => {}
            Target::Custom(key) => prepared.custom.add(key, cell),
            Target::Field(Field::CustomerCode) => {
                let code = code_from(&cell);
                if !is_customer_code(&code) {
                    return refuse("a customer code has 3 to 50 letters, digits, dashes and underscores");
                }
                (prepared.code, prepared.check_code) = (code, true);
            }
            Target::Field(Field::FullName) if words::is_company(&cell) => loose.company = cell,
            Target::Field(Field::FullName) => {
                let (first, last) = words::split_name(&cell);
                prepared.set(Field::FirstName, first);
                prepared.set(Field::LastName, last);
            }
            Target::Field(Field::Suffix) => loose.suffix = cell,
            Target::Field(Field::Tags) => prepared.tags = words::tags(&cell),
            Target::Field(Field::CustomFields) => return self.take_json(prepared, row, index, cell),
            Target::Field(field) => self.take_field(prepared, row, (index, *field), cell),
        }
        Ok(())
    }

    /// Custom fields as one JSON object become custom fields again.
    fn take_json(&self, prepared: &mut Prepared, row: &Row<'_>, index: usize, cell: String) -> Result<(), Remark> {
        let header = Some(self.plan.headers[index].as_str());
        let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(&cell) else {
            let reason = "not a JSON object; kept as a custom field".to_owned();
            prepared.remarks.push(remark(row, header, reason, false));
            prepared.custom.add("custom_fields", cell);
            return Ok(());
        };
        for (key, value) in fields {
            if let Some(why) = custom_fields::refuse_value(&value) {
                let name: String = key.chars().take(custom_fields::MAX_NAME).collect();
                return Err(remark(row, header, format!("custom field {name}: {why}"), true));
            }
            match value {
                serde_json::Value::Null => {}
                serde_json::Value::String(text) => prepared.custom.add(&key, text.replace('\0', "")),
                other => prepared.custom.add(&key, other.to_string()),
            }
        }
        Ok(())
    }

    fn take_field(&self, prepared: &mut Prepared, row: &Row<'_>, (index, field): (usize, Field), cell: String) {
        let header = Some(self.plan.headers[index].as_str());
        if let Some(stopped) = field.stops() {
            let says = consent::says(field, &cell);
            prepared.stop(stopped, says != Says::Yes);
            if says == Says::Unclear {
                let reason = format!("{} is not understood and counts as a refusal", words::shown(&cell));
                prepared.remarks.push(remark(row, header, reason, false));
                prepared.custom.add(field.word(), cell);
            }
            return;
        }
        let understood = match field {
            Field::LifecycleStage => words::stage(&cell).map(|stage| prepared.stage = Some(stage)),
            Field::LeadScore => {
                cell.parse().ok().filter(|score| (0..=100).contains(score)).map(|score| prepared.score = Some(score))
            }
            Field::Email | Field::Phone | Field::MobilePhone => {
                self.take_first(prepared, row, (index, field), &cell);
                return;
            }
            _ => {
                prepared.set(field, cell);
                return;
            }
        };
        if understood.is_none() {
            let reason = format!("{} is not understood; kept as a custom field", field.label());
            prepared.remarks.push(remark(row, header, reason, false));
            prepared.custom.add(field.word(), cell);
        }
    }

    /// Of several addresses or numbers in one cell the first is the contact's, the others are kept; and an extension.
    fn take_first(&self, prepared: &mut Prepared, row: &Row<'_>, (index, field): (usize, Field), cell: &str) {
        let header = Some(self.plan.headers[index].as_str());
        if field != Field::Email
            && let Some(numbers) = labels::within(cell)
        {
            return take_labelled(prepared, field, numbers);
        }
        let separators: &[&str] = if field == Field::Email {
            &[":::", ";", ",", " / ", "|", " "]
        } else {
            &[":::", ";", ",", "/", "|", " or "]
        };
        let several = separators.iter().filter_map(|separator| cell.split_once(separator)).find(|(first, rest)| {
            let looks = |part: &str| match field {
                Field::Email => email::normalise(part).is_some(),
                _ => part.bytes().filter(u8::is_ascii_digit).count() >= 7,
            };
            looks(first.trim()) && looks(rest.trim().split(separators[0]).next().unwrap_or_default().trim())
        });
        let (first, rest) = several.map_or((cell, None), |(first, rest)| (first.trim(), Some(rest.trim())));
        if let Some(rest) = rest {
            let key = format!("other_{}", field.word());
            let reason =
                format!("several in one cell: the first is taken, the others are kept as the custom field {key}");
            prepared.remarks.push(remark(row, header, reason, false));
            prepared.custom.add(&key, rest.to_owned());
        }
        prepared.set(field, first.to_owned());
        if let Some(extension) = phone::extension(first).filter(|_| field != Field::Email) {
            let key = format!("{}_extension", field.word());
            let reason = format!("the extension {extension} is kept as the custom field {key}");
            prepared.remarks.push(remark(row, header, reason, false));
            prepared.custom.add(&key, extension);
        }
    }
}

/// Whether a cell of the column is one text: a name, a street. Notes, tags and the rest may hold several.
fn is_one_text(target: &Target) -> bool {
    use Field::{
        Address, Address2, City, Company, Country, Email, FirstName, FullName, LastName, MobilePhone, Phone, Zip,
    };
    const ONE: [Field; 12] =
        [FirstName, LastName, FullName, Company, Address, Address2, City, Zip, Country, Email, Phone, MobilePhone];
    matches!(target, Target::Field(field) if ONE.contains(field))
}

/// `Phone: (614) 555-0105  Mobile: (614) 555-0106`: each number goes where its label says, what has no place becomes a custom
/// field of the label's name.
fn take_labelled(prepared: &mut Prepared, field: Field, numbers: Vec<(&str, &str)>) {
    for (label, number) in numbers {
        let place = match labels::kind(label) {
            Kind::NoPhone => None,
            Kind::Mobile => Some(Field::MobilePhone),
            Kind::Phone => Some(field),
        };
        match place.filter(|place| prepared.text(*place).is_empty()) {
            Some(place) => prepared.set(place, number.to_owned()),
            None => prepared.custom.add(&custom_key(label), number.to_owned()),
        }
    }
}
