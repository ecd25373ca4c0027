//! A status as a word with a colour: never a colour alone.

use std::fmt;

use askama::filters::HtmlSafe;

/// How a status feels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to do, nothing going on.
    Neutral,
    /// Under way or informative.
    Info,
    /// Good or done.
    Good,
    /// Wants attention soon.
    Warning,
    /// Failed or refused.
    Bad,
}

impl Tone {
    /// The word the style sheet knows it by.
    pub fn word(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Info => "info",
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }

    /// The tone of a word; neutral when it is none.
    pub fn named(word: &str) -> Self {
        let all = [Self::Info, Self::Good, Self::Warning, Self::Bad];
        all.into_iter().find(|tone| tone.word() == word).unwrap_or(Self::Neutral)
    }

    /// The icon of a message in this tone.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Neutral | Self::Info => "info",
            Self::Good => "circle-check",
            Self::Warning => "triangle-alert",
            Self::Bad => "circle-alert",
        }
    }
}

/// A status badge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    /// What it says.
    pub text: String,
    /// How it feels.
    pub tone: Tone,
}

impl Badge {
    /// The badge of a status of the data model: `in_production` reads "In production".
    pub fn of(status: impl fmt::Display) -> Self {
        let status = status.to_string();
        let tone = tone_of(&status);
        Self { text: sentence(&status), tone }
    }

    /// A badge with its own words.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

fn tone_of(status: &str) -> Tone {
    match status {
        "active" | "live" | "delivered" | "published" | "available" | "redeemed" | "met" | "customer" | "accepted"
        | "verified" | "granted" | "succeeded" | "done" | "evangelist" | "healthy" => Tone::Good,
        "ready" | "in_production" | "mailed" | "sent" | "claimed" | "running" | "processing" | "queued" | "sending"
        | "importing" | "lead" | "mql" | "sql" | "opportunity" | "in_progress" | "in_transit" | "provisioned"
        | "scheduled" | "ringing" => Tone::Info,
        "pending" | "paused" | "low" | "expiring" | "review" | "held" | "partial" | "waiting" | "invited"
        | "suspended" | "trial" | "preview" | "test" => Tone::Warning,
        "failed" | "refused" | "bounced" | "rejected" | "error" | "dead" | "revoked" | "suppressed" | "opted_out"
        | "deactivated" | "undeliverable" | "missed" | "blocked" | "empty" | "do_not_contact" | "churned" => Tone::Bad,
        _ => Tone::Neutral,
    }
}

/// `in_production` → `In production`; short forms keep their capitals.
pub(crate) fn sentence(word: &str) -> String {
    match word {
        "sms" | "mql" | "sql" | "crm" | "qr" | "purl" | "api" | "csv" | "pdf" => return word.to_ascii_uppercase(),
        "purl_visit" => return "Link visited".into(),
        "qr_scan" => return "QR scanned".into(),
        "crm_event" => return "CRM event".into(),
        "zip" => return "ZIP".into(),
        "email" => return "E-mail".into(),
        _ => {}
    }
    let spaced = word.replace(['_', '-'], " ");
    let mut letters = spaced.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

impl fmt::Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = askama::filters::escape(&self.text, askama::filters::Html).map_err(|_| fmt::Error)?;
        write!(f, r#"<span class="badge" data-tone="{}">{text}</span>"#, self.tone.word())
    }
}

impl HtmlSafe for Badge {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_word_with_a_tone_and_strange_ones_are_neutral_and_escaped() {
        assert_eq!(Badge::of("in_production"), Badge::new("In production", Tone::Info));
        assert_eq!(Badge::of("mql").text, "MQL");
        assert_eq!(Badge::of("<b>").to_string(), r#"<span class="badge" data-tone="neutral">&#60;b&#62;</span>"#);
    }
}
