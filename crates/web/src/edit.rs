//! Forms that change something. Such a form carries the version of what it was made from in its hidden field `version`,
//! so that nobody overwrites what they have not seen; a refusal keeps what was typed and says what the other one wrote.
//!
//! The version is one of the form's own fields: what else moves in the row is no reason to refuse.

use axum::extract::{FromRequest, Request};
use kernel::version::{changed_meanwhile, etag_of};
use kernel::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Failure;
use crate::extract::{body, pairs};
use crate::view::FieldErrors;

/// The version of a form with `saved` in it.
///
/// # Errors
/// `Internal` for what is no JSON.
pub fn version_of(saved: &impl Serialize) -> Result<String> {
    etag_of(saved).map(|etag| etag.trim_matches('"').to_owned())
}

/// A form that changes something, as a browser sent it.
#[derive(Debug, Clone)]
pub struct Edit<T> {
    /// What was typed.
    pub form: T,
    version: String,
}

impl<T: Serialize> Edit<T> {
    /// Refuses to overwrite `saved` when the form was made from something else. Sending the same twice is no harm.
    ///
    /// # Errors
    /// `Conflict` `precondition_failed`.
    pub fn expect(&self, saved: &T) -> Result<()> {
        let present = version_of(saved)?;
        if self.version == present || version_of(&self.form)? == present { Ok(()) } else { Err(changed_meanwhile()) }
    }

    /// What the form is drawn again with: its errors, and its version. After somebody else saved, that is what they
    /// wrote beside each field that differs, and the version of theirs: who saves now has seen it.
    ///
    /// # Errors
    /// Those that no form can show.
    pub fn refused(&self, error: Error, saved: &T) -> Result<(FieldErrors, String)> {
        if error.code() != changed_meanwhile().code() {
            return Ok((FieldErrors::from_error(error)?, self.version.clone()));
        }
        Ok((FieldErrors::changed(&self.form, saved)?, version_of(saved)?))
    }

    /// The version it came with, for drawing it again without saving.
    pub fn version(&self) -> String {
        self.version.clone()
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Edit<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> std::result::Result<Self, Failure> {
        let all: Vec<(String, String)> = pairs(&body(request, state).await?)?;
        let (version, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _)| name == "version");
        let rest = serde_html_form::to_string(&rest).map_err(Error::internal)?;
        let version = version.into_iter().next().map(|(_, version)| version).unwrap_or_default();
        Ok(Self { form: pairs(rest.as_bytes())?, version })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Piece {
        name: String,
        text: String,
        kept: bool,
        rows: Vec<String>,
        #[serde(skip_serializing)]
        act: String,
    }

    fn piece(name: &str, text: &str) -> Piece {
        Piece { name: name.into(), text: text.into(), rows: vec!["a".into(), "b".into()], ..Piece::default() }
    }

    async fn sent(version: &str, form: &Piece) -> Edit<Piece> {
        let body = serde_html_form::to_string(form).unwrap() + "&act=save&version=" + version;
        Edit::from_request(Request::new(Body::from(body)), &()).await.unwrap()
    }

    #[tokio::test]
    async fn a_form_overwrites_what_it_was_made_from_and_nothing_else() {
        let (old, theirs) = (piece("Old", "a\nb"), piece("Theirs", "a\nb"));
        let version = version_of(&old).unwrap();
        let mine = sent(&version, &piece("Mine", "a\r\nb")).await;
        assert_eq!((mine.form.act.as_str(), mine.expect(&old)), ("save", Ok(())));
        let refused = mine.expect(&theirs).unwrap_err();
        assert_eq!(refused.code(), "precondition_failed");
        let (errors, next) = mine.refused(refused, &theirs).unwrap();
        assert_eq!(
            (errors.theirs("name"), errors.theirs("text")),
            (Some("Theirs"), None),
            "line ends differ by browser"
        );
        assert_eq!(next, version_of(&theirs).unwrap(), "who saves again has seen it");
        let unseen = sent("", &piece("Mine", "")).await;
        assert!(unseen.expect(&old).is_err(), "a form without a version has seen nothing");
        assert_eq!(sent(&version, &theirs).await.expect(&theirs), Ok(()), "sent twice");
    }

    #[tokio::test]
    async fn a_wrong_field_leaves_the_version_as_it_was_and_columns_differ_line_by_line() {
        let old = piece("Old", "");
        let mine = sent(&version_of(&old).unwrap(), &old).await;
        let (errors, version) = mine.refused(Error::invalid("name", "taken"), &piece("Theirs", "")).unwrap();
        assert_eq!((errors.of("name"), errors.theirs("name"), version), (Some("Taken"), None, mine.version()));
        let theirs = Piece { rows: vec!["a".into(), "c".into()], kept: true, ..old.clone() };
        let (errors, _) = mine.refused(changed_meanwhile(), &theirs).unwrap();
        assert_eq!([errors.theirs("rows/0"), errors.theirs("rows/1")], [None, Some("c")]);
        assert_eq!(errors.theirs("kept"), Some("true"));
        let theirs = Piece { rows: vec!["c".into()], ..old };
        let (errors, _) = mine.refused(changed_meanwhile(), &theirs).unwrap();
        assert_eq!([errors.theirs("rows"), errors.theirs("rows/0")], [Some("c"), None]);
    }
}
