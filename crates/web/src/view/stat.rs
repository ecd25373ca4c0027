//! One figure of a board: what it is, how it changed, and the way to the rows behind it.

use askama::Template;
use askama::filters::HtmlSafe;

/// Which way a figure went and whether that is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    /// As before.
    Flat,
    /// More than before.
    Up,
    /// Less than before.
    Down,
}

/// A figure card.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/stat.html")]
pub struct Stat {
    label: String,
    figure: String,
    href: Option<String>,
    change: Option<(Trend, String)>,
    note: String,
}

impl HtmlSafe for Stat {}

impl Stat {
    /// A figure already formatted: `Stat::new("Mailed", web::view::number(count))`.
    pub fn new(label: impl Into<String>, figure: impl Into<String>) -> Self {
        Self { label: label.into(), figure: figure.into(), href: None, change: None, note: String::new() }
    }

    /// A count.
    pub fn count(label: impl Into<String>, count: i64) -> Self {
        Self::new(label, super::number(count))
    }

    /// Where the rows behind the figure are.
    #[must_use]
    pub fn href(mut self, href: impl Into<String>) -> Self {
        self.href = Some(href.into());
        self
    }

    /// The change against an earlier figure of the same kind.
    #[must_use]
    pub fn against(mut self, now: i64, before: i64) -> Self {
        let trend = match now.cmp(&before) {
            std::cmp::Ordering::Less => Trend::Down,
            std::cmp::Ordering::Equal => Trend::Flat,
            std::cmp::Ordering::Greater => Trend::Up,
        };
        let text = if now == before {
            "no change".to_owned()
        } else if before == 0 {
            format!("{} before", super::number(before))
        } else {
            let share = (now - before) as f64 / before as f64 * 100.0;
            let sign = if share > 0.0 { "+" } else { "−" };
            format!("{sign}{:.0} %", share.abs())
        };
        self.change = Some((trend, text));
        self
    }

    /// A few words under the figure: what it is compared with, or its share.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn trend_word(trend: &Trend) -> &'static str {
        match trend {
            Trend::Flat => "flat",
            Trend::Up => "up",
            Trend::Down => "down",
        }
    }

    fn trend_icon(trend: &Trend) -> &'static str {
        match trend {
            Trend::Flat => "minus",
            Trend::Up => "trending-up",
            Trend::Down => "trending-down",
        }
    }
}
