//! What strangers send of themselves.

use std::borrow::Cow;

/// The most characters kept of what a browser says of itself and of where it came from.
const TEXT_LENGTH: usize = 1_000;

/// What strangers send, as far as PostgreSQL keeps it: no NUL, and not without end.
pub(crate) fn clean(text: Option<&str>) -> Option<Cow<'_, str>> {
    let text = text?;
    if text.len() <= TEXT_LENGTH && !text.contains('\0') {
        return Some(Cow::Borrowed(text));
    }
    Some(Cow::Owned(text.chars().filter(|c| *c != '\0').take(TEXT_LENGTH).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_send_is_kept_without_nul_and_not_without_end() {
        assert_eq!(clean(Some("Mozilla")).as_deref(), Some("Mozilla"));
        assert_eq!(clean(Some("Moz\0illa")).as_deref(), Some("Mozilla"));
        assert_eq!(clean(Some(&"é".repeat(3_000))).map(|text| text.chars().count()), Some(TEXT_LENGTH));
        assert_eq!(clean(None), None);
    }
}
