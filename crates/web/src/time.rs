//! How points in time read: in the person's zone, with the exact time on hover.

use std::fmt;

use askama::filters::HtmlSafe;
use chrono::{DateTime, NaiveDate, Utc};
use kernel::zone;

/// How much of a point in time is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    Day,
    Minute,
    /// "3 hours ago" where JavaScript runs, the minute otherwise.
    Ago,
}

/// Something that is, or may be, a point in time.
pub trait Moment {
    /// The point, when there is one.
    fn moment(&self) -> Option<DateTime<Utc>>;
}

impl Moment for DateTime<Utc> {
    fn moment(&self) -> Option<DateTime<Utc>> {
        Some(*self)
    }
}

impl<T: Moment> Moment for Option<T> {
    fn moment(&self) -> Option<DateTime<Utc>> {
        self.as_ref().and_then(Moment::moment)
    }
}

impl<T: Moment> Moment for &T {
    fn moment(&self) -> Option<DateTime<Utc>> {
        (**self).moment()
    }
}

/// A point in time as an HTML `time` element; an absent one is a dash.
#[derive(Debug, Clone)]
pub struct When<'a> {
    at: Option<DateTime<Utc>>,
    zone: &'a str,
    detail: Detail,
}

impl<'a> When<'a> {
    /// Only the day.
    pub fn day(at: &impl Moment, zone: &'a str) -> Self {
        Self { at: at.moment(), zone, detail: Detail::Day }
    }

    /// The day and the minute, with the zone.
    pub fn minute(at: &impl Moment, zone: &'a str) -> Self {
        Self { at: at.moment(), zone, detail: Detail::Minute }
    }

    /// How long ago.
    pub fn ago(at: &impl Moment, zone: &'a str) -> Self {
        Self { at: at.moment(), zone, detail: Detail::Ago }
    }
}

impl fmt::Display for When<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(at) = self.at else {
            return f.write_str(r#"<span class="none">–</span>"#);
        };
        let shown = match self.detail {
            Detail::Day => zone::date(at, self.zone),
            // whose clock it is stands beside it: a page may be in the client's zone, the person's, or UTC
            Detail::Minute | Detail::Ago => {
                format!("{} {}", zone::date_time(at, self.zone), zone::format(at, self.zone, "%Z"))
            }
        };
        // what is older than a week stays a day
        let day = format!(r#" data-ago="{}""#, zone::date(at, self.zone));
        let ago = if self.detail == Detail::Ago { day.as_str() } else { "" };
        let machine = at.format("%Y-%m-%dT%H:%M:%SZ");
        let exact = zone::exact(at, self.zone);
        write!(f, r#"<time datetime="{machine}" title="{exact}"{ago}>{shown}</time>"#)
    }
}

impl HtmlSafe for When<'_> {}

/// A calendar date without a time, such as a mail date: `Mar 2, 2026`.
pub fn date(day: &NaiveDate) -> String {
    day.format("%b %-d, %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn a_moment_reads_in_the_zone_of_the_person_with_the_exact_time_on_hover() {
        let at = Utc.with_ymd_and_hms(2026, 3, 2, 3, 4, 5).unwrap();
        let html = When::minute(&at, "America/Chicago").to_string();
        assert!(html.contains(">Mar 1, 2026, 9:04 PM CST</time>"), "{html}");
        assert!(html.contains(r#"datetime="2026-03-02T03:04:05Z""#), "{html}");
        assert!(html.contains("2026-03-01 21:04:05 CST"), "{html}");
    }

    #[test]
    fn no_moment_is_a_dash() {
        assert!(When::ago(&None::<DateTime<Utc>>, "UTC").to_string().contains('–'));
    }
}
