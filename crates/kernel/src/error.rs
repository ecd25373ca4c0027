//! The one vocabulary of errors. Domains return these; the web kit turns them into problem+json or a page.
//!
//! `anyhow` belongs to the binary and to tests only.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a fallible act of a domain returns.
pub type Result<T> = std::result::Result<T, Error>;

/// One thing wrong with one field of the input.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// The field, as the person or the API names it; nested ones with slashes: `conditions/0/trigger_type`. Empty when
    /// it is the input as a whole.
    pub field: String,
    /// A stable word for programs: `required`, `invalid`, `taken`, `too_long`, …
    pub code: &'static str,
    /// A sentence for people: what is wrong and what to do.
    pub message: String,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = if self.field.is_empty() { "the input" } else { &self.field };
        write!(f, "{field}: {}", self.message)
    }
}

/// Why an act was not done.
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    /// It does not exist, or the actor may not know that it does: the answer is the same.
    NotFound,
    /// Nobody is signed in, or the key or token is no longer good.
    Unauthenticated,
    /// The actor is known and the thing is theirs to see, but this permission is missing.
    Forbidden {
        /// The missing permission key, such as `campaigns.launch`.
        permission: String,
    },
    /// The input is wrong; every entry names a field.
    Invalid(Vec<FieldError>),
    /// The input is fine but the present state refuses it.
    Conflict {
        /// A stable word for programs, such as `already_launched` or `GC-003`.
        code: &'static str,
        /// A sentence for people.
        message: String,
    },
    /// A named rule of the database refused the row. Domains turn the names they expect into a field error
    /// with [`Error::on_constraint`]; what is left over is answered as a conflict.
    Constraint(String),
    /// Too many tries; come back later.
    TooMany {
        /// Seconds until a further try can succeed.
        retry_after: u64,
    },
    /// Something we depend on is out of reach for now; trying again may help.
    Unavailable(String),
    /// A bug or a broken promise of a dependency. The text is for the log, never for the visitor.
    Internal(String),
}

impl Error {
    /// One wrong field, with the code `invalid`.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), code: "invalid", message: message.into() }])
    }

    /// A required field that was not given.
    pub fn required(field: impl Into<String>) -> Self {
        let field = field.into();
        let message = format!("{} is required", field.replace('_', " "));
        Self::Invalid(vec![FieldError { field, code: "required", message }])
    }

    /// The present state refuses the act.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict { code, message: message.into() }
    }

    /// A missing permission.
    pub fn forbidden(permission: impl Into<String>) -> Self {
        Self::Forbidden { permission: permission.into() }
    }

    /// A bug; `detail` goes to the log.
    pub fn internal(detail: impl fmt::Display) -> Self {
        Self::Internal(detail.to_string())
    }

    /// When the rule `constraint` of the database refused the row: `field` is wrong, with this code and message.
    pub fn on_constraint(self, constraint: &str, field: &str, code: &'static str, message: &str) -> Self {
        match self {
            Self::Constraint(name) if name == constraint => {
                Self::Invalid(vec![FieldError { field: field.into(), code, message: message.into() }])
            }
            other => other,
        }
    }

    /// The stable word programs see.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden { .. } => "forbidden",
            Self::Invalid(_) => "invalid",
            Self::Conflict { code, .. } => code,
            Self::Constraint(_) => "conflict",
            Self::TooMany { .. } => "too_many_requests",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// The wrong fields, empty unless the input was invalid.
    pub fn fields(&self) -> &[FieldError] {
        match self {
            Self::Invalid(fields) => fields,
            _ => &[],
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("not found"),
            Self::Unauthenticated => f.write_str("not signed in"),
            Self::Forbidden { permission } => write!(f, "the permission {permission} is missing"),
            Self::Invalid(fields) => {
                let texts: Vec<String> = fields.iter().map(FieldError::to_string).collect();
                f.write_str(&texts.join("; "))
            }
            Self::Conflict { message, .. } => f.write_str(message),
            Self::Constraint(name) => write!(f, "this does not fit what is already there ({name})"),
            Self::TooMany { retry_after } => write!(f, "too many requests, try again in {retry_after} s"),
            Self::Unavailable(what) => write!(f, "not available right now: {what}"),
            Self::Internal(detail) => write!(f, "internal error: {detail}"),
        }
    }
}

impl std::error::Error for Error {}

/// The most wrong fields told at once.
pub const MOST_PROBLEMS: usize = 100;

/// Collects every wrong field before answering, so that people see all of them at once.
#[derive(Debug, Default)]
pub struct Problems(Vec<FieldError>);

impl Problems {
    /// No problem yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a wrong field. An answer that lists thousands helps nobody: after [`MOST_PROBLEMS`] no more are kept.
    pub fn add(&mut self, field: impl Into<String>, code: &'static str, message: impl Into<String>) -> &mut Self {
        if self.0.len() < MOST_PROBLEMS {
            self.0.push(FieldError { field: field.into(), code, message: message.into() });
        }
        self
    }

    /// Notes `field` as too long when `text` has more than `most` characters, and as wrong when it has any that no text
    /// holds.
    pub fn at_most(&mut self, field: impl Into<String>, text: &str, most: usize) -> &mut Self {
        if text.chars().nth(most).is_some() {
            self.add(field, "too_long", format!("use at most {most} characters"));
        } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.invalid(field, "must not hold control characters");
        }
        self
    }

    /// The same for a text of one line.
    pub fn line(&mut self, field: &str, text: &str, most: usize) -> &mut Self {
        if is_one_line(text) {
            self.at_most(field, text, most)
        } else {
            self.add(field, "not_one_line", "use one line, without control characters")
        }
    }

    /// Notes a wrong field with the code `invalid`.
    pub fn invalid(&mut self, field: impl Into<String>, message: impl Into<String>) -> &mut Self {
        self.add(field, "invalid", message)
    }

    /// Notes `field` as missing when `value` is blank, and as wrong when it is not one line: names stand in mails, headers
    /// and lists. Returns the trimmed value.
    pub fn require<'a>(&mut self, field: &str, value: &'a str) -> &'a str {
        let trimmed = value.trim();
        if trimmed.is_empty() {
            self.add(field, "required", format!("{} is required", field.replace('_', " ")));
        } else if !is_one_line(trimmed) {
            self.add(field, "not_one_line", "use one line, without control characters");
        }
        trimmed
    }

    /// Whether nothing was noted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything noted, as an error; `Ok` when nothing was.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}

/// Whether a text is one line without control characters, or characters that turn the direction of what follows.
pub fn is_one_line(text: &str) -> bool {
    let turns = |c| matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !text.chars().any(|c| c.is_control() || turns(c))
}

/// Naming a swallowed error: it is logged with the reason why going on is right.
pub trait CanFail<T> {
    /// Turns an error into `None`, logging it with `why` nothing more needs to be done.
    fn can_fail(self, why: &str) -> Option<T>;
}

impl<T, E: fmt::Display> CanFail<T> for std::result::Result<T, E> {
    fn can_fail(self, why: &str) -> Option<T> {
        match self {
            Ok(value) => Some(value),
            Err(error) => {
                tracing::warn!(%error, why, "went on after an error");
                None
            }
        }
    }
}

/// Something that is tried again and again, and may fail for a while: one line in the log when that begins, and one when it
/// is over.
#[derive(Debug)]
pub struct Outage {
    what: &'static str,
    lasts: AtomicBool,
}

impl Outage {
    /// `what` cannot be done while it lasts.
    pub const fn of(what: &'static str) -> Self {
        Self { what, lasts: AtomicBool::new(false) }
    }

    /// Takes down what a try came to.
    pub fn note<T, E: fmt::Display>(&self, tried: std::result::Result<T, E>) -> Option<T> {
        let lasted = self.lasts.swap(tried.is_err(), Ordering::Relaxed);
        match tried {
            Ok(value) => {
                if lasted {
                    tracing::info!(what = self.what, "works again");
                }
                Some(value)
            }
            Err(error) => {
                if lasted {
                    tracing::debug!(%error, what = self.what, "still fails");
                } else {
                    tracing::warn!(%error, what = self.what, "fails, and is tried again");
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_names_every_field_and_none_is_ok() {
        let mut problems = Problems::new();
        assert_eq!(problems.require("name", "  Ada "), "Ada");
        problems.require("email", " ");
        problems.invalid("phone", "not a phone number");
        let error = problems.finish().unwrap_err();
        assert_eq!(error.fields().iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), ["email", "phone"]);
        assert!(Problems::new().finish().is_ok());
    }

    #[test]
    fn a_text_has_lines_and_no_control_characters_and_a_line_has_no_lines() {
        let noted = |note: &dyn Fn(&mut Problems)| {
            let mut problems = Problems::new();
            note(&mut problems);
            problems.finish().err().map(|error| error.fields()[0].code)
        };
        assert_eq!(
            noted(&|p| {
                p.at_most("text", "a\tb\r\nc", 10);
            }),
            None
        );
        assert_eq!(
            noted(&|p| {
                p.at_most("text", "a\u{7}b", 10);
            }),
            Some("invalid")
        );
        assert_eq!(
            noted(&|p| {
                p.line("text", "a b", 10);
            }),
            None
        );
        assert_eq!(
            noted(&|p| {
                p.line("text", "a\nb", 10);
            }),
            Some("not_one_line")
        );
        assert_eq!(
            noted(&|p| {
                p.line("text", "abc", 2);
            }),
            Some("too_long")
        );
    }

    #[test]
    fn a_text_is_measured_in_characters_and_no_answer_lists_thousands() {
        let mut problems = Problems::new();
        problems.at_most("name", "éé", 2);
        assert!(problems.is_empty());
        for n in 0..5_000 {
            problems.at_most(format!("fields/{n}"), "abc", 2);
        }
        let error = problems.finish().unwrap_err();
        assert_eq!((error.fields().len(), error.fields()[0].code), (MOST_PROBLEMS, "too_long"));
    }

    #[test]
    fn a_name_is_one_line_without_control_characters() {
        let refused = |value: &str| {
            let mut problems = Problems::new();
            problems.require("full_name", value);
            problems.finish().is_err()
        };
        for name in ["Eve\r\nYour account is locked, go to", "a\tb", "a\u{7f}", "a\u{85}b", "a\u{2028}b", "a\u{202e}b"]
        {
            assert!(refused(name), "{name:?}");
        }
        for name in ["Ada Lovelace", "José Núñez-O’Brien", "山田 太郎", " trimmed\n"] {
            assert!(!refused(name), "{name:?}");
        }
    }
}
