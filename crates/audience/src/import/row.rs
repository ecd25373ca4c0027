//! One row made ready to be written: normalised, checked, with what was noticed on the way. No SQL.

mod address;
mod cell;
mod refused;
mod shape;

use kernel::postal;
use kernel::{cells, email, phone};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::field::{Field, Target, custom_key};
use super::headers;
use super::headers::labels::{self, Kind};
use super::met::Other;
use super::options::{Dedupe, OnDuplicate};
use super::plan::Plan;
use super::prepared::{No, Prepared, Refused, Remark};
use super::rows::Row;
use crate::contacts::code_of;
use crate::contacts::names::kind_of;

/// Makes rows of one import ready.
pub struct Preparer<'a> {
    plan: &'a Plan,
    client_id: Uuid,
    is_export: bool,
}

impl<'a> Preparer<'a> {
    /// For an import into `client_id` as `plan` says.
    pub fn new(plan: &'a Plan, client_id: Uuid) -> Self {
        Self { plan, client_id, is_export: headers::is_export(&plan.headers) }
    }

    /// How the rows are read.
    pub fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// The row ready to be written.
    ///
    /// # Errors
    /// The reason why it is refused, and the no in it.
    pub fn prepare(&self, row: &Row<'_>) -> Result<Prepared, Refused> {
        self.read(row).map_err(|remark| Refused::new(remark, self.no_of(row)))
    }

    fn read(&self, row: &Row<'_>) -> Result<Prepared, Remark> {
        self.check_shape(row)?;
        let mut prepared = Prepared::empty(row.line);
        if self.plan.tells_apart() {
            prepared.raw = raw_line(row.raw);
        }
        if let Some(stops) = self.plan.everybody_stops() {
            prepared.stop(stops, true);
        }
        let mut loose = Loose::default();
        for (index, target) in self.plan.targets.iter().enumerate() {
            let cell = cells::restore(row.cell(index).trim());
            let cell = cell.trim();
            let says_something = matches!(target, Target::Field(field) if Field::ALLOWS.contains(field));
            if !cell.is_empty() || says_something {
                self.take((&mut prepared, &mut loose), row, index, cell)?;
            }
        }
        self.take_spares(&mut prepared, &mut loose, row)?;
        loose.settle(&mut prepared);
        address::join(&mut prepared, self.plan, row);
        if address::split(&mut prepared) {
            let reason = "street and city stand in one cell and cannot be told apart: put commas between them";
            prepared.remarks.push(remark(row, self.plan.column_of(Field::Address), reason.into(), false));
        }
        if let Some(reason) = prepared.custom.refusal() {
            return Err(remark(row, None, reason, true));
        }
        self.normalise(&mut prepared, row);
        if !prepared.has_identity() {
            return Err(remark(
                row,
                None,
                "no usable data: no name, e-mail, phone, company, address or code".into(),
                true,
            ));
        }
        self.identify(&mut prepared, row);
        if row.raw.contains('\n') && self.holds_rows(row) {
            let reason = "a cell holds lines that look like rows: see whether a quote is closed in the wrong place";
            prepared.remarks.push(remark(row, None, reason.into(), false));
        }
        Ok(prepared)
    }

    /// Where the number of a column goes in this row, by the label beside it.
    fn by_label(&self, row: &Row<'_>, index: usize, target: &Target) -> Target {
        let label = self.plan.labels.iter().find(|(column, _)| *column == index).map(|(_, label)| *label);
        let (Some(label), Target::Field(Field::Phone | Field::MobilePhone)) = (label, target) else {
            return target.clone();
        };
        match labels::kind(row.cell(label)) {
            Kind::NoPhone => Target::Custom(custom_key(row.cell(label))),
            Kind::Mobile if self.plan.column_of(Field::MobilePhone).is_none() => Target::Field(Field::MobilePhone),
            Kind::Phone if self.plan.column_of(Field::Phone).is_none() => Target::Field(Field::Phone),
            _ => target.clone(),
        }
    }

    /// Where a row leaves its e-mail, phone or address empty, the next column that has one stands in.
    fn take_spares(&self, prepared: &mut Prepared, loose: &mut Loose, row: &Row<'_>) -> Result<(), Remark> {
        for group in &self.plan.spares {
            let is_filled = |(_, target): &(usize, Target)| match target {
                // what every row says is no address
                Target::Field(Field::State | Field::Country) => false,
                Target::Field(field) => !prepared.text(*field).is_empty(),
                _ => false,
            };
            let chosen = group.iter().any(|(index, _)| !self.plan.is_guessed(*index));
            let group: Vec<(usize, Target)> =
                group.iter().map(|(index, target)| (*index, self.by_label(row, *index, target))).collect();
            if chosen || group.iter().any(is_filled) {
                continue;
            }
            for (index, target) in &group {
                let cell = cells::restore(row.cell(*index).trim());
                let cell = cell.trim();
                // what is no field is kept already
                if !cell.is_empty() && matches!(target, Target::Field(_)) {
                    self.take_as((prepared, loose), row, (*index, target), cell)?;
                }
            }
        }
        Ok(())
    }

    /// One spelling for what has one; the rest stays as given, with a remark.
    fn normalise(&self, prepared: &mut Prepared, row: &Row<'_>) {
        let country = postal::normalise_country(prepared.text(Field::Country));
        let region = country.clone().unwrap_or_else(|| postal::DEFAULT_COUNTRY.into());
        let at_home = region == postal::DEFAULT_COUNTRY;
        let phone = |given: &str| phone::normalise(given, &region);
        let abroad = |given: &str| Some(given.to_owned());
        self.spell(prepared, row, Field::Country, postal::normalise_country);
        self.spell(prepared, row, Field::Email, email::normalise);
        let numbers = [Field::Phone, Field::MobilePhone].map(|field| self.spell(prepared, row, field, phone));
        prepared.numbers = numbers;
        self.spell(prepared, row, Field::State, if at_home { postal::normalise_state } else { abroad });
        let state = prepared.text(Field::State).to_owned();
        let zip = |given: &str| {
            if at_home { postal::normalise_zip(given).or_else(|| postal::zip_of(&state, given)) } else { abroad(given) }
        };
        self.spell(prepared, row, Field::Zip, zip);
        prepared.match_key = prepared.match_key_now();
    }

    /// Whether there is a value that has one spelling.
    fn spell(
        &self,
        prepared: &mut Prepared,
        row: &Row<'_>,
        field: Field,
        normalise: impl Fn(&str) -> Option<String>,
    ) -> bool {
        let given = prepared.text(field);
        if given.is_empty() {
            return false;
        }
        match normalise(given) {
            Some(spelling) => {
                prepared.set(field, spelling);
                true
            }
            None => {
                let reason = format!("{} is not valid; kept as given", field.label());
                prepared.remarks.push(remark(row, self.plan.column_of(field), reason, false));
                false
            }
        }
    }

    /// By what the row is recognised. A row without identity gets a code made from what it says, so that the same file
    /// imported again finds it; with `create` the code is made from the file and the line, for the same reason.
    fn identify(&self, prepared: &mut Prepared, row: &Row<'_>) {
        let nobody = |is: bool, field: Field| {
            let reason = format!("{} is a placeholder; nobody is recognised by it", field.label());
            is.then(|| remark(row, None, reason, false))
        };
        let no_email = email::is_placeholder(prepared.text(Field::Email));
        prepared.remarks.extend(nobody(no_email, Field::Email));
        for (slot, field) in [Field::Phone, Field::MobilePhone].into_iter().enumerate() {
            if prepared.numbers[slot] && phone::is_placeholder(prepared.text(field)) {
                prepared.numbers[slot] = false;
                prepared.remarks.extend(nobody(true, field));
            }
        }
        prepared.key = match self.plan.dedupe {
            _ if self.plan.on_duplicate == OnDuplicate::Create => None,
            Dedupe::CustomerCode => None,
            Dedupe::Email => email::normalise(prepared.text(Field::Email)).filter(|_| !no_email),
            Dedupe::Phone => {
                let mut numbers = prepared.valid_numbers();
                let keys = (numbers.next(), numbers.next());
                prepared.second_key = keys.1;
                keys.0
            }
            Dedupe::NameAddress => prepared.match_key.clone(),
        };
        if prepared.check_code {
            return;
        }
        if prepared.key.is_some() {
            prepared.code = crate::contacts::new_code();
            return;
        }
        prepared.check_code = true;
        prepared.code = self.code_of_content(prepared);
    }

    /// Keeps a row whose address is that of somebody with another name as somebody of its own, recognised by both. A code
    /// that is given recognises it already.
    pub fn keep_apart(&self, prepared: &mut Prepared, address: &str, other: &Other) {
        if !prepared.check_code {
            prepared.code = prepared.name().code(self.client_id, address);
            prepared.check_code = true;
        }
        let column = self.plan.column_of_address(address);
        let reason = other.kept_apart(kind_of(address));
        prepared.remarks.push(Remark {
            line: prepared.line,
            column: column.map(str::to_owned),
            reason,
            raw: prepared.raw.clone(),
            refused: false,
        });
    }

    /// Why a row is refused whose code is that of somebody with another name.
    pub fn refuse_code(&self, prepared: Prepared, other: &Other) -> Refused {
        let column = self.plan.column_of(Field::CustomerCode).map(str::to_owned);
        let (reason, no) = (other.refused_code(), No::of(&prepared));
        Refused::new(Remark { line: prepared.line, column, reason, raw: prepared.raw, refused: true }, no)
    }

    fn code_of_content(&self, prepared: &Prepared) -> String {
        let mut digest = Sha256::new();
        digest.update(self.client_id.as_bytes());
        if self.plan.on_duplicate == OnDuplicate::Create {
            digest.update(self.plan.file_hash.as_bytes());
            digest.update(prepared.line.to_le_bytes());
        } else {
            for text in prepared.texts.iter().map(|text| text.as_deref().unwrap_or_default()) {
                digest.update(text.as_bytes());
                digest.update([0]);
            }
            digest.update(serde_json::json!(prepared.custom).to_string());
        }
        let hash = digest.finalize();
        code_of(u64::from_le_bytes(std::array::from_fn(|index| hash[index])))
    }
}

/// What only makes sense once the whole row is read.
#[derive(Default)]
struct Loose {
    /// Jr., Sr. in a column of its own.
    suffix: String,
    /// A company in the column of names.
    company: String,
}

impl Loose {
    fn settle(self, prepared: &mut Prepared) {
        if !self.company.is_empty() && prepared.text(Field::Company).is_empty() {
            prepared.set(Field::Company, self.company);
        } else if !self.company.is_empty() {
            prepared.set(Field::LastName, self.company);
        }
        let last = prepared.text(Field::LastName);
        if !self.suffix.is_empty()
            && !last.is_empty()
            && !last.to_lowercase().ends_with(&format!(" {}", self.suffix.to_lowercase()))
        {
            let last = format!("{last} {}", self.suffix);
            prepared.set(Field::LastName, last);
        }
    }
}

fn remark(row: &Row<'_>, column: Option<&str>, reason: String, refused: bool) -> Remark {
    Remark { line: row.line, column: column.map(str::to_owned), reason, raw: raw_line(row.raw), refused }
}

/// A line as the report keeps it: whole, so that it can be mended. PostgreSQL keeps no NUL in a text.
pub fn raw_line(raw: &str) -> String {
    raw.replace('\0', "")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::contacts::is_customer_code;
    use crate::import::rows::{Item, Layout, Rows};
    use kernel::encoding::Encoding;

    pub fn plan(targets: &[&str]) -> Plan {
        Plan {
            encoding: Encoding::Utf8,
            delimiter: ',',
            has_header: true,
            headers: targets.iter().map(|target| format!("{target} column")).collect(),
            targets: targets.iter().map(|target| target.parse().unwrap()).collect(),
            confidence: vec![100; targets.len()],
            dedupe: Dedupe::Email,
            on_duplicate: OnDuplicate::Skip,
            list_name: "List".into(),
            file_hash: "abc".into(),
            first_line: 1,
            header_unclear: false,
            asks: vec![None; targets.len()],
            spares: Vec::new(),
            labels: Vec::new(),
            allow_repeats: false,
            address_lines: Vec::new(),
            called_out: false,
            everybody: None,
        }
    }

    fn prepare(plan: &Plan, text: &str) -> Result<Prepared, Remark> {
        let layout = Layout { encoding: Encoding::Utf8, delimiter: b',', columns: plan.targets.len() };
        let mut rows = Rows::new(text.as_bytes(), layout);
        match rows.next().unwrap().unwrap() {
            Item::Row(row) => Preparer::new(plan, Uuid::nil()).prepare(&row).map_err(|refused| refused.remark),
            _ => panic!("broken"),
        }
    }

    #[test]
    fn values_get_one_spelling_and_what_has_none_stays_as_given_with_a_remark() {
        let plan = plan(&["full_name", "email", "phone", "state", "zip", "custom_fields.roof"]);
        let good = prepare(&plan, "\"Lee, Ada\", ADA@Example.com ,614.555.0123,Ohio,432151234,slate").unwrap();
        assert_eq!((good.text(Field::FirstName), good.text(Field::LastName)), ("Ada", "Lee"));
        assert_eq!((good.text(Field::Email), good.text(Field::Phone)), ("ada@example.com", "+16145550123"));
        assert_eq!((good.text(Field::State), good.text(Field::Zip)), ("OH", "43215-1234"));
        assert_eq!(good.custom.get("roof"), Some("slate"));
        assert!(good.remarks.is_empty());
        let odd = prepare(&plan, "Bo,at home,555-0199,Ohio,4321,").unwrap();
        assert_eq!(
            (odd.text(Field::Email), odd.text(Field::Phone), odd.text(Field::Zip)),
            ("at home", "555-0199", "4321")
        );
        let about: Vec<_> = odd.remarks.iter().map(|remark| remark.column.as_deref().unwrap()).collect();
        assert_eq!(about, ["email column", "phone column", "zip column"]);
    }

    #[test]
    fn the_marks_of_spreadsheets_are_taken_off_every_cell() {
        let plan = plan(&["first_name", "zip", "phone", "email", "custom_fields.note", "last_name"]);
        let row = |text: &str| prepare(&plan, text).unwrap();
        let marked = row("\"=\"\"Cat\"\"\",'02139,'+16145550123,=\"cat@p.example\",=\"1-2\",'t Hart");
        assert_eq!((marked.text(Field::FirstName), marked.text(Field::LastName)), ("Cat", "'t Hart"));
        assert_eq!((marked.text(Field::Zip), marked.text(Field::Phone)), ("02139", "+16145550123"));
        assert_eq!((marked.text(Field::Email), marked.custom.get("note")), ("cat@p.example", Some("1-2")));
        let counted = row("Cat,43215.0,6145550123.0,,4.0,Lee");
        assert_eq!((counted.text(Field::Zip), counted.text(Field::Phone)), ("43215", "+16145550123"));
        assert_eq!(counted.custom.get("note"), Some("4.0"), "only a place for a number knows what it is");
        assert!(marked.remarks.is_empty() && counted.remarks.is_empty());
        assert_eq!(row("Cat,=\"43215\",,,,").text(Field::Zip), "43215");
    }

    #[test]
    fn a_foreign_address_and_phone_follow_their_country() {
        let plan = plan(&["last_name", "phone", "state", "zip", "country"]);
        let row = prepare(&plan, "Hall,020 7183 8750,Kent,CT1 2EH,UK").unwrap();
        assert_eq!((row.text(Field::Phone), row.text(Field::Country)), ("+442071838750", "GB"));
        assert_eq!((row.text(Field::State), row.text(Field::Zip)), ("Kent", "CT1 2EH"));
        assert!(row.remarks.is_empty());
    }

    #[test]
    fn broken_rows_are_refused_with_their_column_and_reason() {
        let plan = plan(&["customer_code", "email", "skip", "skip"]);
        let refused = |text: &str| {
            let remark = prepare(&plan, text).unwrap_err();
            (remark.column.unwrap_or_default(), remark.reason)
        };
        assert_eq!(refused("x y,a@b.co,,").0, "customer_code column");
        assert_eq!(refused("1,2,3,4,5,6").1, "6 cells where the header has 4");
        assert!(refused(",,only skipped,x").1.starts_with("no usable data"));
        assert!(refused(",caf\u{fffd},,").1.contains("UTF-8"));
        assert!(refused(&format!(",{},,", "x".repeat(501))).1.contains("longer"));
    }

    #[test]
    fn a_row_without_identity_gets_the_same_code_whenever_it_comes_and_create_makes_one_for_each_line() {
        let mut plan = plan(&["last_name", "city"]);
        let code = |plan: &Plan, text: &str| prepare(plan, text).unwrap().code;
        assert_eq!(code(&plan, "Lee,Peoria"), code(&plan, "Lee , Peoria"));
        assert_ne!(code(&plan, "Lee,Peoria"), code(&plan, "Lee,Pekin"));
        assert!(is_customer_code(&code(&plan, "Lee,Peoria")));
        plan.on_duplicate = OnDuplicate::Create;
        assert_eq!(code(&plan, "Lee,Peoria"), code(&plan, "Lee,Peoria"));
        assert_ne!(code(&plan, "Lee,Peoria"), code(&plan, "\nLee,Peoria"));
    }

    #[test]
    fn an_unknown_stage_score_or_flag_becomes_a_custom_field_and_a_known_one_does_not() {
        let plan = plan(&["last_name", "lifecycle_stage", "lead_score", "do_not_contact"]);
        let known = prepare(&plan, "Lee,Marketing qualified lead,70,Yes").unwrap();
        assert_eq!((known.stage, known.score, known.flags[0]), (Some("mql"), Some(70), Some(true)));
        assert_eq!(known.custom.get("lead_score"), None);
        let odd = prepare(&plan, "Lee,hot,9000,maybe").unwrap();
        // in doubt nobody is written to
        assert_eq!((odd.stage, odd.score, odd.flags[0]), (None, None, Some(true)));
        assert_eq!(odd.custom.get("lead_score"), Some("9000"));
        assert_eq!(odd.remarks.len(), 3);
    }

    #[test]
    fn a_number_is_a_key_only_when_it_can_exist() {
        let mut plan = plan(&["last_name", "phone", "mobile_phone"]);
        plan.dedupe = Dedupe::Phone;
        let keys = |text: &str| {
            let row = prepare(&plan, text).unwrap();
            (row.key, row.second_key)
        };
        assert_eq!(keys("Lee,614 555 0123,"), (Some("+16145550123".into()), None));
        assert_eq!(keys("Lee,+1,614 555 0199"), (Some("+16145550199".into()), None));
        assert_eq!(keys("Lee,614 555 0123,614 555 0199"), (Some("+16145550123".into()), Some("+16145550199".into())));
        assert_eq!(keys("Lee,614 555 0123,(614) 555-0123"), (Some("+16145550123".into()), None));
        assert_eq!(keys("Lee,+,+1"), (None, None));
        assert_ne!(prepare(&plan, "Lee,+,").unwrap().code, prepare(&plan, "Byron,+,").unwrap().code);
    }

    #[test]
    fn a_value_kept_as_a_custom_field_takes_no_other_columns_place() {
        let plan = plan(&["last_name", "lead_score", "custom_fields.lead_score"]);
        let row = prepare(&plan, "Lee,9000,hot").unwrap();
        assert_eq!((row.custom.get("lead_score"), row.custom.get("lead_score_2")), (Some("9000"), Some("hot")));
    }
}
