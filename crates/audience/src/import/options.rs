//! How a file is imported: what the user chooses, and what is kept with the import.

use std::str::FromStr;

use kernel::{Error, Problems, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::encoding::Encoding;
use super::field::{Field, Target};
use super::headers;

/// The confidence in what the user said: above every guess.
const CHOSEN: u8 = 101;

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// The word in options, forms and commands.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> std::result::Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("must be one of {}", [$($word),+].join(", "))),
                }
            }
        }
    };
}

choice! {
    /// What makes two contacts the same.
    Dedupe {
        /// The e-mail address.
        Email = "email",
        /// The client's own code.
        CustomerCode = "customer_code",
        /// The phone number.
        Phone = "phone",
        /// Name and normalised address.
        NameAddress = "name_address",
    }
}

choice! {
    /// What happens to a contact that is already there.
    OnDuplicate {
        /// It stays as it is.
        Skip = "skip",
        /// The file's non-empty values overwrite.
        Update = "update",
        /// Another one is created.
        Create = "create",
    }
}

choice! {
    /// What happens to columns that no field fits.
    Unmapped {
        /// They become custom fields.
        CustomFields = "custom_fields",
        /// They are left out.
        Skip = "skip",
    }
}

/// What somebody who starts an import chooses; everything has a default.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The file's name; the list is called after it when no name is given.
    pub filename: String,
    /// The static list the contacts go to.
    pub list_name: Option<String>,
    /// Column name (or `#3` for the third) to field; columns not named here are matched by their headers.
    pub mapping: Vec<(String, Target)>,
    /// What makes two contacts the same; by default the best of what the file holds.
    pub dedupe: Option<Dedupe>,
    /// What happens to a contact that is already there; skip by default.
    pub on_duplicate: Option<OnDuplicate>,
    /// What happens to columns that no field fits; custom fields by default.
    pub unmapped: Option<Unmapped>,
}

impl ImportOptions {
    /// Reads `COLUMN=field`, as the command line and the API write a mapping.
    ///
    /// # Errors
    /// Names `map` when the text is something else.
    pub fn map(&mut self, text: &str) -> Result<()> {
        let (column, target) =
            text.rsplit_once('=').ok_or_else(|| Error::invalid("map", format!("{text}: write COLUMN=field")))?;
        let target = target.parse().map_err(|problem: String| Error::invalid("map", problem))?;
        self.mapping.push((column.trim().to_owned(), target));
        Ok(())
    }
}

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
                if matches!(target, Target::Custom(_)) && *confidence < CHOSEN {
                    *target = Target::Skip;
                }
            }
        }
        for (column, target) in &options.mapping {
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
                && matches!(target, Target::Field(_))
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
        for field in Field::ALL.iter().filter(|field| used(**field) > 1) {
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
