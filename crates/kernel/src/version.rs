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

/// The versions a change is meant for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected(Option<Vec<String>>);

impl Expected {
    /// Whichever there is.
    pub fn any() -> Self {
        Self(None)
    }

    /// What an `If-Match` header names: ETags, or `*` for whichever there is. A proxy that compresses makes an ETag a
    /// weak one; it names the same row.
    pub fn of(if_match: &str) -> Self {
        let tags: Vec<String> = if_match
            .split(',')
            .map(|tag| tag.trim().trim_start_matches("W/").to_owned())
            .filter(|tag| !tag.is_empty())
            .collect();
        if tags.is_empty() || tags.iter().any(|tag| tag == "*") { Self::any() } else { Self(Some(tags)) }
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
        for if_match in ["*", " * ", ""] {
            assert_eq!(Expected::of(if_match).check(&new), Ok(()));
        }
        for if_match in [old.as_str(), "nonsense", "\"\"", "W/"] {
            let refused = Expected::of(if_match).check(&new);
            assert_eq!(refused.is_err(), if_match != "W/", "{if_match}: {refused:?}");
        }
    }
}
