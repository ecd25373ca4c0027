//! What is wrong with a form, for drawing it again.

use kernel::{Error, FieldError};

/// The errors of a submitted form, by field; empty for a fresh one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// No errors: a fresh form.
    pub fn none() -> Self {
        Self::default()
    }

    /// Takes the errors a person can mend by editing the form; hands any other error back to be answered as such.
    pub fn from_error(error: Error) -> Result<Self, Error> {
        match error {
            Error::Invalid(fields) => Ok(Self(fields)),
            Error::Conflict { code, message } => Ok(Self(vec![FieldError { field: String::new(), code, message }])),
            other => Err(other),
        }
    }

    /// What is wrong with the field `name`, if anything.
    pub fn of(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|error| error.field == name).map(|error| error.message.as_str())
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every error, in the order of the form.
    pub fn all(&self) -> &[FieldError] {
        &self.0
    }
}

impl From<Vec<FieldError>> for FieldErrors {
    fn from(fields: Vec<FieldError>) -> Self {
        Self(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_field_stays_with_the_form_and_a_missing_row_does_not() {
        let errors = FieldErrors::from_error(Error::invalid("email", "not an e-mail address")).unwrap();
        assert_eq!(errors.of("email"), Some("not an e-mail address"));
        assert_eq!(errors.of("name"), None);
        assert_eq!(FieldErrors::from_error(Error::NotFound), Err(Error::NotFound));
    }
}
