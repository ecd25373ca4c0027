//! Versions of rows: what `ETag` tells and `If-Match` asks for.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// The ETag of a row that was last changed at `at`.
pub fn etag(at: DateTime<Utc>) -> String {
    format!("\"{:x}\"", at.timestamp_micros())
}

/// The ETag of what keeps no time of its last change: of `told` itself, so that it moves with everything in it.
///
/// # Errors
/// `Internal` for what is no JSON.
pub fn etag_of(told: &impl Serialize) -> Result<String> {
    let json = serde_json::to_vec(told).map_err(Error::internal)?;
    let half: String = Sha256::digest(&json).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("\"{half}\""))
}

/// The ETag of an answer that tells of what has the version `etag`: it moves with everything that is told, also with what
/// is no part of the version, such as a count. `If-None-Match` asks for the whole of it, `If-Match` for the version alone.
pub fn etag_of_answer(etag: &str, answer: &[u8]) -> String {
    let part: String = Sha256::digest(answer).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{}.{part}\"", etag.trim_matches('"'))
}

/// The versions a change is meant for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected(Option<Vec<String>>);

impl Expected {
    /// Whichever there is.
    pub fn any() -> Self {
        Self(None)
    }

    /// What an `If-Match` header names: ETags, or `*` for whichever there is; a header without any names none that there
    /// could be. A proxy that compresses makes an ETag a weak one; it names the same row.
    pub fn of(if_match: &str) -> Self {
        let tags = if_match.split(',').map(str::trim).filter(|tag| !tag.is_empty());
        let tags: Vec<String> = tags.map(|tag| version(tag.trim_start_matches("W/"))).collect();
        if tags.iter().any(|tag| tag == "*") { Self::any() } else { Self(Some(tags)) }
    }

    /// Whether any version will do, so that nobody needs to look which it is.
    pub fn is_any(&self) -> bool {
        self.0.is_none()
    }

    /// Refuses when the present version is none of them.
    ///
    /// # Errors
    /// `Conflict` `precondition_failed`.
    pub fn check(&self, etag: &str) -> Result<()> {
        match &self.0 {
            Some(tags) if !tags.iter().any(|tag| tag == etag) => Err(changed_meanwhile()),
            _ => Ok(()),
        }
    }
}

/// The version that an ETag begins with.
fn version(tag: &str) -> String {
    match tag.strip_suffix('"').and_then(|open| open.rsplit_once('.')) {
        Some((version, _)) => format!("{version}\""),
        None => tag.to_owned(),
    }
}

/// Somebody else changed the row since it was read.
pub fn changed_meanwhile() -> Error {
    Error::conflict("precondition_failed", "Somebody changed this meanwhile: read it again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_no_time_has_a_version_that_moves_with_what_is_told() {
        let told = |status: &str| etag_of(&serde_json::json!({ "status": status }));
        assert_eq!(told("sent"), told("sent"));
        assert_ne!(told("sent"), told("delivered"));
        assert_eq!(told("sent").map(|etag| etag.len()), Ok(34));
    }

    #[test]
    fn a_change_is_for_the_versions_it_names_or_for_any() {
        let (old, new) = (etag(DateTime::UNIX_EPOCH), etag(DateTime::UNIX_EPOCH + chrono::Duration::microseconds(1)));
        assert_ne!(old, new);
        assert_eq!(Expected::of(&old).check(&old), Ok(()));
        assert_eq!(Expected::of(&format!("{old}, {new}")).check(&new), Ok(()));
        assert_eq!(Expected::of(&format!("W/{old}")).check(&old), Ok(()));
        for if_match in ["*", " * "] {
            assert_eq!(Expected::of(if_match).check(&new), Ok(()));
        }
        for if_match in [old.as_str(), "nonsense", "\"\"", "W/", "", " ", ","] {
            assert!(Expected::of(if_match).check(&new).is_err(), "{if_match}");
        }
    }

    #[test]
    fn an_answers_etag_moves_with_all_that_is_told_and_names_the_version_all_the_same() {
        let row = etag(DateTime::UNIX_EPOCH);
        let [before, after] = [etag_of_answer(&row, b"{1}"), etag_of_answer(&row, b"{2}")];
        assert_ne!(before, after);
        assert_eq!(before, etag_of_answer(&row, b"{1}"));
        for told in [before, format!("W/{after}")] {
            assert_eq!(Expected::of(&told).check(&row), Ok(()));
        }
        assert!(Expected::of(&etag_of_answer("\"1\"", b"{1}")).check(&row).is_err());
    }
}
