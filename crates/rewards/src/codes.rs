//! The error codes of the money path, as people and programs see them. They never change.

use kernel::Error;

/// The campaign has no reward for this.
pub const NOT_CONFIGURED: &str = "GC-001";
/// The brand is unknown or switched off.
pub const BRAND_OFF: &str = "GC-002";
/// The pool has no card left.
pub const POOL_EMPTY: &str = "GC-003";
/// The credits do not cover it.
pub const NO_CREDITS: &str = "GC-006";
/// The person must agree first.
pub const CONSENT_NEEDED: &str = "GC-009";
/// The person has this reward already.
pub const ALREADY_ISSUED: &str = "GC-010";
/// Nobody has this code.
pub const CODE_UNKNOWN: &str = "GC-011";
/// Something was left out.
pub const MISSING_FIELD: &str = "GC-012";
/// The card could not be delivered.
pub const NOT_DELIVERED: &str = "GC-014";

/// The error of a pool without cards.
pub fn pool_empty() -> Error {
    Error::conflict(POOL_EMPTY, "the pool has no card left")
}

/// The error of too few credits.
pub fn no_credits() -> Error {
    Error::conflict(NO_CREDITS, "the credits do not cover this")
}

/// The error of a brand that is switched off or does not exist.
pub fn brand_off() -> Error {
    Error::conflict(BRAND_OFF, "this brand is unknown or switched off")
}

/// The sentence for people behind a code, for a page that only has the code.
pub fn sentence(code: &str) -> &'static str {
    match code {
        NOT_CONFIGURED => "There is no reward for this.",
        BRAND_OFF => "This brand is not available.",
        POOL_EMPTY => "Your reward is reserved for you and follows as soon as cards arrive.",
        NO_CREDITS => "Your reward follows soon.",
        CONSENT_NEEDED => "We may not write to you. Tell us that we may, and we send your reward.",
        ALREADY_ISSUED => "You have received this reward already.",
        CODE_UNKNOWN => "We do not know this code.",
        MISSING_FIELD => "Something is missing.",
        NOT_DELIVERED => "The reward could not be delivered.",
        _ => "Something went wrong.",
    }
}
