//! What a file says of whether a card can still be used.

use super::columns::plain;

/// How a column says that a card can be used no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// By a word: `Status: redeemed`. A word that is not known is asked about.
    Status,
    /// By a word among others: `Order status: shipped`, `State: OH`.
    Word,
    /// By a yes: `Used: yes`, `Redeemed: 3/2/2026`.
    Over,
    /// By a no: `Active: no`.
    Good,
}

impl State {
    /// How a column of this name says it; `None` when it says nothing of it.
    pub(super) fn of(name: &str) -> Option<Self> {
        let name = plain(name);
        [(STATUS, Self::Status), (OVER, Self::Over), (GOOD, Self::Good)]
            .into_iter()
            .find_map(|(known, state)| known.contains(&name.as_str()).then_some(state))
            .or_else(|| (name.contains("status") || name == "state").then_some(Self::Word))
    }

    /// What is wrong with a card of which a cell says this: a stable word, and a reason for people.
    pub(super) fn wrong(self, cell: &str) -> Option<(&'static str, &'static str)> {
        let word = plain(cell);
        let no = ["", "no", "n", "false", "0", "f", "off", "never", "na", "none", "null"].contains(&word.as_str());
        let is_over = match self {
            Self::Status | Self::Word => says_gone(&word),
            Self::Over => !no && !["un", "not", "never"].iter().any(|start| word.starts_with(start)),
            Self::Good => (no && !word.is_empty()) || says_gone(&word),
        };
        if is_over {
            return Some(("used", "the file says that this card is used, over or not active"));
        }
        let is_known = word.is_empty() || FINE.contains(&word.as_str()) || denies(&word);
        (self == Self::Status && !is_known).then_some((
            "state",
            "a status that is not known: write active where the card can be used, or take the column out",
        ))
    }
}

/// `unused`, `not redeemed`: what the word behind it says is not so.
fn denies(word: &str) -> bool {
    let denied = ["un", "notused", "notredeemed", "notexpired", "notclaimed", "notsold", "never"];
    denied.iter().any(|start| word.starts_with(start)) && !NO_USE.contains(&word)
}

fn says_gone(word: &str) -> bool {
    !denies(word) && (NO_USE.contains(&word) || GONE.iter().any(|gone| word.contains(gone)))
}

/// Words of a card that can be used.
const FINE: &[&str] = &[
    "active",
    "activated",
    "available",
    "new",
    "valid",
    "ok",
    "okay",
    "good",
    "live",
    "open",
    "ready",
    "enabled",
    "issued",
    "instock",
    "loaded",
    "funded",
    "full",
    "fresh",
    "complete",
    "completed",
    "fulfilled",
    "processed",
    "success",
    "successful",
    "purchased",
    "paid",
    "yes",
    "y",
    "true",
    "1",
];
/// Words that begin as if they denied something.
const NO_USE: &[&str] = &["unavailable", "unusable", "unfunded", "unloaded", "unpaid", "unactivated", "unissued"];
/// Words of a card that is used, over or not to be used.
const GONE: &[&str] = &[
    "used",
    "redeemed",
    "expired",
    "void",
    "cancel",
    "inactive",
    "notactiv",
    "deactivated",
    "disabled",
    "blocked",
    "sold",
    "claimed",
    "spent",
    "lost",
    "stolen",
    "refunded",
    "closed",
    "invalid",
    "zero",
    "nobalance",
    "empty",
    "exhausted",
    "depleted",
    "suspend",
    "frozen",
    "freeze",
    "locked",
    "delete",
    "removed",
    "terminated",
    "revoked",
    "onhold",
    "pending",
    "replaced",
    "reissued",
    "returned",
    "transferred",
    "consumed",
    "fraud",
];
const STATUS: &[&str] = &["status", "cardstatus", "giftcardstatus", "codestatus"];
const OVER: &[&str] = &[
    "used",
    "isused",
    "redeemed",
    "isredeemed",
    "expired",
    "isexpired",
    "void",
    "voided",
    "sold",
    "claimed",
    "cancelled",
    "canceled",
    "spent",
    "usedon",
    "redeemedon",
    "redeemedat",
    "dateredeemed",
    "dateused",
    "useddate",
    "redeemeddate",
];
const GOOD: &[&str] =
    &["active", "isactive", "activated", "isactivated", "enabled", "valid", "isvalid", "available", "unused"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_not_known_to_be_good_is_never_taken_for_it() {
        let status = State::of("Card Status").unwrap();
        for word in [
            "Zero balance",
            "Suspended",
            "Frozen",
            "Deleted",
            "On hold",
            "Pending activation",
            "Unavailable",
            "Not activated",
        ] {
            assert_eq!(status.wrong(word).unwrap().0, "used", "{word}");
        }
        assert_eq!(status.wrong("Zurückgegeben").unwrap().0, "state");
        for word in ["Active", "", "unused", "Not redeemed", "In stock", "NEW"] {
            assert_eq!(status.wrong(word), None, "{word}");
        }
        let other = State::of("Redemption status").unwrap();
        assert_eq!((other.wrong("Redeemed").is_some(), other.wrong("Shipped")), (true, None));
        assert_eq!(State::of("State").unwrap().wrong("OH"), None);
        assert!(State::of("Note").is_none());
    }
}
