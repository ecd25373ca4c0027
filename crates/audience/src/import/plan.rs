//! What is kept with an import: how its file is read, column by column, and what only a person can tell about it.

use kernel::{Problems, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::field::{Field, Target};
use super::headers::{self, Ask, Channel};
use super::options::{Dedupe, ImportOptions, OnDuplicate, Unmapped};
use crate::contacts::names::kind_of;
use kernel::encoding::Encoding;

/// The confidence in what the user said: above every guess.
const CHOSEN: u8 = 101;

/// What is kept in `imports.options`: all that is needed to read the file again in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What the bytes stand for.
    pub encoding: Encoding,
    /// What separates cells.
    pub delimiter: char,
    /// Whether the first row holds names.
    pub has_header: bool,
    /// The names of the columns.
    pub headers: Vec<String>,
    /// Where each column goes.
    pub targets: Vec<Target>,
    /// How sure each suggestion was, in percent.
    pub confidence: Vec<u8>,
    /// What makes two contacts the same.
    pub dedupe: Dedupe,
    /// What happens to a contact that is already there.
    pub on_duplicate: OnDuplicate,
    /// The static list the contacts go to.
    pub list_name: String,
    /// SHA-256 of the file, in hexadecimal.
    pub file_hash: String,
    /// The line the table begins on.
    #[serde(default)]
    pub first_line: u64,
    /// Whether only a person can tell if the first row holds names.
    #[serde(default)]
    pub header_unclear: bool,
    /// What only a person can tell of each column.
    #[serde(default)]
    pub asks: Vec<Option<Ask>>,
    /// Columns that stand in where a row leaves the chosen ones empty.
    #[serde(default)]
    pub spares: Vec<Vec<(usize, Target)>>,
    /// Columns of numbers, each with the column that tells of which kind its numbers are.
    #[serde(default)]
    pub labels: Vec<(usize, usize)>,
    /// Whether rows may repeat each other at will.
    #[serde(default)]
    pub allow_repeats: bool,
    /// Columns that hold an address line by line, where no column is one.
    #[serde(default)]
    pub address_lines: Vec<usize>,
    /// Whether the file is called like those of people who refused.
    #[serde(default)]
    pub called_out: bool,
    /// What everybody in it refuses, or that they refuse nothing, as somebody said.
    #[serde(default)]
    pub everybody: Option<Target>,
}

/// What only a person can tell about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Question {
    /// The option that answers it: `map`, `header` or `allow_repeats`.
    pub option: &'static str,
    /// The column it is about.
    pub column: Option<String>,
    /// The question, with the answers there are.
    pub text: String,
}

impl Plan {
    /// The plan as the user confirmed it.
    ///
    /// # Errors
    /// Names the columns that are not in the file, the targets that are used twice, and a file without any identity.
    pub fn choose(mut self, options: &ImportOptions) -> Result<Self> {
        let mut problems = Problems::new();
        if options.unmapped == Some(Unmapped::Skip) {
            for (target, confidence) in self.targets.iter_mut().zip(&self.confidence) {
                if matches!(target, Target::Custom(_)) && *confidence == 0 {
                    *target = Target::Skip;
                }
            }
        }
        // whoever says how the first row is read, or calls a column by its name or number, has answered
        self.header_unclear &= options.header.is_none() && options.mapping.is_empty();
        self.allow_repeats = options.allow_repeats.unwrap_or(self.allow_repeats);
        for (column, target) in &options.mapping {
            if column == "*" {
                self.everybody = Some(target.clone());
                if !matches!(target, Target::Skip) && self.everybody_stops().is_none() {
                    problems.invalid("map", "* can be email_opt_out, sms_opt_out, do_not_contact or skip");
                }
                continue;
            }
            match self.column(column) {
                Some(index) => self.put(index, target.clone()),
                None => drop(problems.invalid("map", self.no_column(column))),
            }
        }
        self.check(&mut problems);
        if let Some(name) = options.list_name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
            self.list_name = name.chars().take(200).collect();
        }
        self.on_duplicate = options.on_duplicate.unwrap_or(self.on_duplicate);
        self.dedupe = match options.dedupe {
            Some(dedupe) => dedupe,
            // other columns, other ways to recognise contacts; what was chosen before stays chosen
            None if !options.mapping.is_empty() => best_dedupe(&self.targets),
            None => self.dedupe,
        };
        problems.finish()?;
        Ok(self)
    }

    fn column(&self, name: &str) -> Option<usize> {
        let by_number = || {
            name.strip_prefix('#')?.parse::<usize>().ok()?.checked_sub(1).filter(|index| *index < self.headers.len())
        };
        let exact = self.headers.iter().position(|header| header == name);
        exact
            .or_else(|| self.headers.iter().position(|header| header.trim().eq_ignore_ascii_case(name)))
            .or_else(by_number)
    }

    fn no_column(&self, name: &str) -> String {
        let first: Vec<&str> = self.headers.iter().take(30).map(String::as_str).collect();
        format!("the file has no column {name}; it has {}", first.join(", "))
    }

    /// A field the user gives to one column is taken from the column that was only guessed to hold it.
    fn put(&mut self, index: usize, target: Target) {
        for (other, key) in headers::custom_keys(&self.headers).into_iter().enumerate() {
            if other != index
                && matches!(target, Target::Field(field) if field.stops().is_none())
                && self.targets[other] == target
                && self.confidence[other] < CHOSEN
            {
                self.targets[other] = Target::Custom(key);
                self.confidence[other] = 0;
            }
        }
        self.targets[index] = target;
        self.confidence[index] = CHOSEN;
    }

    fn check(&self, problems: &mut Problems) {
        let used = |field: Field| self.targets.iter().filter(|target| **target == Target::Field(field)).count();
        // whoever refuses in any of several columns has refused
        for field in Field::ALL.iter().filter(|field| field.stops().is_none() && used(**field) > 1) {
            problems.invalid("map", format!("{} is chosen for two columns", field.label()));
        }
        let mut keys: Vec<_> =
            self.targets.iter().filter(|target| matches!(target, Target::Custom(_))).map(ToString::to_string).collect();
        keys.sort();
        for pair in keys.windows(2).filter(|pair| pair[0] == pair[1]) {
            problems.invalid("map", format!("{} is chosen for two columns", pair[0]));
        }
        let identity = [
            Field::CustomerCode,
            Field::FirstName,
            Field::LastName,
            Field::FullName,
            Field::Email,
            Field::Phone,
            Field::MobilePhone,
            Field::Company,
            Field::Address,
        ];
        if identity.iter().all(|field| used(*field) == 0) {
            problems.invalid(
                "map",
                "choose a column for at least a name, an e-mail, a phone, a company, an address or a code",
            );
        }
    }
}

impl Plan {
    /// Whether rows with one e-mail, phone or code are told apart by their names: people share addresses.
    pub fn tells_apart(&self) -> bool {
        !self.allow_repeats && self.on_duplicate != OnDuplicate::Create && self.dedupe != Dedupe::NameAddress
    }

    /// What everybody in the file refuses.
    pub fn everybody_stops(&self) -> Option<Field> {
        match self.everybody {
            Some(Target::Field(field)) if Field::STOPS.contains(&field) => Some(field),
            _ => None,
        }
    }

    /// Whether the file or the list is called like people who refused, and no column says so of each.
    pub fn may_refuse_all(&self) -> bool {
        let says_no = |target: &Target| matches!(target, Target::Field(field) if field.stops().is_some());
        (self.called_out || headers::is_called_out(&self.list_name)) && !self.targets.iter().any(says_no)
    }

    /// Whether a column's place is only guessed.
    pub fn is_guessed(&self, column: usize) -> bool {
        self.confidence.get(column).is_none_or(|confidence| *confidence < CHOSEN)
    }

    /// The column a field is taken from.
    pub fn column_of(&self, field: Field) -> Option<&str> {
        let index = self.targets.iter().position(|target| *target == Target::Field(field))?;
        Some(self.headers[index].as_str())
    }

    /// The column an e-mail or a phone is taken from.
    pub fn column_of_address(&self, address: &str) -> Option<&str> {
        if kind_of(address) == "e-mail" {
            return self.column_of(Field::Email);
        }
        self.column_of(Field::Phone).or_else(|| self.column_of(Field::MobilePhone))
    }

    /// What is still to be answered before the import can begin.
    pub fn questions(&self) -> Vec<Question> {
        let first: Vec<&str> = self.headers.iter().take(5).map(String::as_str).collect();
        let header = Question {
            option: "header",
            column: None,
            text: if self.has_header {
                format!(
                    "The first row ({}) may be a person and not the names of the columns: say header=yes, or header=no to import it too.",
                    first.join(", ")
                )
            } else {
                "The first row looks like a person and not like names of columns: say header=no to import it too, with #1=first_name and so on for the columns, or header=yes.".to_owned()
            },
        };
        let about_header = self.header_unclear.then_some(header);
        let all = (self.may_refuse_all() && self.everybody.is_none()).then(|| Question {
            option: "map",
            column: None,
            text: "The file or the list is called like people who refused, and no column says so: say *=email_opt_out where nobody in it may be e-mailed, *=do_not_contact where nobody may be written to at all, or *=skip where they may.".to_owned(),
        });
        let open = self.asks.iter().enumerate().filter(|(column, _)| self.is_guessed(*column));
        let about_columns = open.filter_map(|(column, ask)| ask.map(|ask| question(&self.headers[column], ask)));
        about_header.into_iter().chain(all).chain(about_columns).collect()
    }

    /// What is good to know of how the file is read, in sentences.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.first_line > 1 {
            notes.push(format!("The table begins in line {}; what stands above it is left out.", self.first_line));
        }
        for (column, header) in self.headers.iter().enumerate() {
            let earlier = self.headers[..column].iter().any(|other| headers::words(other) == headers::words(header));
            if earlier && !headers::words(header).is_empty() {
                notes.push(format!(
                    "Column {} is called {header} like one before it; it goes to {}.",
                    column + 1,
                    self.targets[column]
                ));
            }
        }
        let left_over = |(target, confidence): (&Target, &u8)| matches!(target, Target::Custom(_)) && *confidence == 0;
        if let Some(first) = self.address_lines.first().filter(|_| self.column_of(Field::Address).is_none()) {
            notes.push(format!("The address is put together from column {} and those after it.", self.headers[*first]));
        } else if self.column_of(Field::Address).is_none() && self.targets.iter().zip(&self.confidence).any(left_over) {
            notes.push("No column is taken for the street: nobody new of this file can be sent a letter.".to_owned());
        }
        for (column, target) in self.spares.iter().filter_map(|group| group.first()) {
            if self.is_guessed(*column) {
                notes.push(format!("Where a row has no {target}, column {} is taken.", self.headers[*column]));
            }
        }
        notes
    }
}

fn question(header: &str, ask: Ask) -> Question {
    let text = match ask {
        Ask::Consent(channel) => {
            let (what, stops, allows) = match channel {
                Channel::Email => ("no e-mail", Field::EmailOptOut, Field::EmailOptIn),
                Channel::Sms => ("no text messages", Field::SmsOptOut, Field::SmsOptIn),
                Channel::All => ("nothing at all", Field::DoNotContact, Field::MayContact),
            };
            format!(
                "Column {header} may say who wants {what}: say {header}={} where a yes stops it, {header}={} where a no stops it, or {header}=skip.",
                stops.word(),
                allows.word()
            )
        }
        Ask::Code => format!(
            "Column {header} is called like a code, but its values repeat each other, and people with the same code become one: say {header}=customer_code if that is meant, or {header}=skip."
        ),
    };
    Question { option: "map", column: Some(header.to_owned()), text }
}

/// By what contacts of a file with these columns are best recognised.
pub fn best_dedupe(targets: &[Target]) -> Dedupe {
    let has = |field: Field| targets.contains(&Target::Field(field));
    let name = has(Field::FullName) || has(Field::LastName);
    match () {
        () if has(Field::CustomerCode) => Dedupe::CustomerCode,
        () if has(Field::Email) => Dedupe::Email,
        () if name && has(Field::Address) => Dedupe::NameAddress,
        () if has(Field::Phone) || has(Field::MobilePhone) => Dedupe::Phone,
        () => Dedupe::Email,
    }
}
