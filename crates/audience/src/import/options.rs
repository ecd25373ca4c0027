//! How a file is imported: what the user chooses.

use std::str::FromStr;

use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::field::Target;

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
    /// Whether the first row holds names of columns; guessed when nothing is said.
    pub header: Option<bool>,
    /// The line the table begins on; guessed when nothing is said.
    pub first_line: Option<u64>,
    /// Whether the file is meant to hold the same people again and again; an import of one that does stops otherwise.
    pub allow_repeats: Option<bool>,
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
