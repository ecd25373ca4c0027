//! How full a pool is.

use serde::Serialize;
use utoipa::ToSchema;

/// How many cards are left, as people need to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// No card was ever put in.
    New,
    /// More than a fifth.
    Fine,
    /// At most a fifth.
    Low,
    /// At most a tenth.
    VeryLow,
    /// None.
    Empty,
}

impl Level {
    /// The level of `available` cards among `total`.
    pub const fn of(available: i32, total: i32) -> Self {
        match (available, total) {
            (_, 0) => Self::New,
            (0, _) => Self::Empty,
            (available, total) if available as i64 * 10 <= total as i64 => Self::VeryLow,
            (available, total) if available as i64 * 5 <= total as i64 => Self::Low,
            _ => Self::Fine,
        }
    }

    /// The word for a badge.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Fine => "available",
            Self::Low => "low",
            Self::VeryLow => "very_low",
            Self::Empty => "empty",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_come_at_a_fifth_a_tenth_and_nothing() {
        let levels = [(0, 0), (100, 100), (21, 100), (20, 100), (11, 100), (10, 100), (1, 100), (0, 100)];
        let levels = levels.map(|(available, total)| Level::of(available, total).word());
        assert_eq!(levels, ["new", "available", "available", "low", "low", "very_low", "very_low", "empty"]);
        assert_eq!(Level::of(1, i32::MAX), Level::VeryLow);
    }
}
