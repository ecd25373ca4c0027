//! Time zones: instants are stored in UTC and shown in the zone of the person or the client.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

/// The years that a day can be of: what lies outside is a slip of the hand, and some of it no database keeps.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

/// Whether a day is one that anybody can mean.
pub fn is_sensible(day: NaiveDate) -> bool {
    YEARS.contains(&day.year())
}

/// A day as programs and browsers write it, `2026-05-04` and nothing else; `None` for what nobody can mean.
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    let written = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    written.then(|| text.parse().ok()).flatten().filter(|day| is_sensible(*day))
}

/// The zone of an IANA name such as `America/New_York`; `None` when there is no such zone.
pub fn find(name: &str) -> Option<Tz> {
    name.parse().ok()
}

/// What people of the United States call their zones; `EST` is no zone without summer time to them.
const SAID: &[(&str, &[&str])] = &[
    ("America/New_York", &["eastern", "et", "est", "edt"]),
    ("America/Chicago", &["central", "ct", "cst", "cdt"]),
    ("America/Denver", &["mountain", "mt", "mst", "mdt"]),
    ("America/Phoenix", &["arizona"]),
    ("America/Los_Angeles", &["pacific", "pt", "pst", "pdt"]),
    ("America/Anchorage", &["alaska"]),
    ("Pacific/Honolulu", &["hawaii", "hst"]),
    ("UTC", &["gmt"]),
];

/// The zone that somebody means: by its name in any case, by its city, or by what it is called in the United States.
pub fn named(typed: &str) -> Option<Tz> {
    let plain = |text: &str| text.trim().to_lowercase().replace('_', " ");
    let wanted = plain(typed);
    let wanted =
        ["standard time", "daylight time", "time"].iter().find_map(|end| wanted.strip_suffix(end)).unwrap_or(&wanted);
    let wanted = wanted.trim();
    if let Some((name, _)) = SAID.iter().find(|(_, words)| words.contains(&wanted)) {
        return find(name);
    }
    let by_name = chrono_tz::TZ_VARIANTS.iter().find(|zone| plain(zone.name()) == wanted);
    let city = |zone: &&Tz| zone.name().rsplit_once('/').is_some_and(|(_, city)| plain(city) == wanted);
    by_name.or_else(|| chrono_tz::TZ_VARIANTS.iter().filter(city).min_by_key(|zone| zone.name().len())).copied()
}

/// An instant as `pattern` (chrono's `strftime`) shows it in a zone; an unknown zone counts as UTC, because
/// a page with an odd zone is better than no page.
pub fn format(at: DateTime<Utc>, zone: &str, pattern: &str) -> String {
    at.with_timezone(&find(zone).unwrap_or(Tz::UTC)).format(pattern).to_string()
}

/// The day: `Nov 23, 2026`.
pub fn date(at: DateTime<Utc>, zone: &str) -> String {
    format(at, zone, "%b %-d, %Y")
}

/// The minute: `Nov 23, 2026, 1:03 PM`.
pub fn date_time(at: DateTime<Utc>, zone: &str) -> String {
    format(at, zone, "%b %-d, %Y, %-I:%M %p")
}

/// The second with the zone's name, for hovering over a shorter form: `2026-11-23 13:03:09 EST`.
pub fn exact(at: DateTime<Utc>, zone: &str) -> String {
    format(at, zone, "%Y-%m-%d %H:%M:%S %Z")
}

/// The calendar day an instant falls on in a zone.
pub fn day(at: DateTime<Utc>, zone: &str) -> NaiveDate {
    at.with_timezone(&find(zone).unwrap_or(Tz::UTC)).date_naive()
}

/// The hour, 0 to 23, that a clock on the wall shows in a zone.
pub fn hour(at: DateTime<Utc>, zone: &str) -> u32 {
    at.with_timezone(&find(zone).unwrap_or(Tz::UTC)).hour()
}

/// The instant at which a clock on the wall shows `time` on `date`.
///
/// Where the hour is skipped in spring the first moment after the gap is meant, where it is repeated in autumn the first.
pub fn instant(date: NaiveDate, time: NaiveTime, zone: &str) -> DateTime<Utc> {
    let zone = find(zone).unwrap_or(Tz::UTC);
    let mut local = date.and_time(time);
    // the longest gap of any zone is a day (Samoa, 2011), so the loop ends long before its bound
    for _ in 0..=(25 * 4) {
        if let Some(found) = zone.from_local_datetime(&local).earliest() {
            return found.with_timezone(&Utc);
        }
        local += chrono::Duration::minutes(15);
    }
    date.and_time(time).and_utc()
}

/// The first instant of a day in a zone.
pub fn start_of_day(date: NaiveDate, zone: &str) -> DateTime<Utc> {
    instant(date, NaiveTime::MIN, zone)
}

/// The first instant after a day in a zone: an exclusive end for ranges of days.
pub fn end_of_day(date: NaiveDate, zone: &str) -> DateTime<Utc> {
    start_of_day(date.checked_add_days(Days::new(1)).unwrap_or(date), zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW_YORK: &str = "America/New_York";

    #[test]
    fn a_zone_is_known_by_its_name_its_city_and_what_people_call_it() {
        for (typed, name) in [
            ("America/New_York", NEW_YORK),
            ("america/new_york", NEW_YORK),
            ("new york", NEW_YORK),
            (" New_York ", NEW_YORK),
            ("Eastern", NEW_YORK),
            ("eastern time", NEW_YORK),
            ("Eastern Standard Time", NEW_YORK),
            ("EST", NEW_YORK),
            ("Pacific", "America/Los_Angeles"),
            ("Arizona", "America/Phoenix"),
            ("Honolulu", "Pacific/Honolulu"),
            ("berlin", "Europe/Berlin"),
            ("utc", "UTC"),
        ] {
            assert_eq!(named(typed).map(|zone| zone.name()), Some(name), "{typed}");
        }
        for typed in ["", "time", "Foo/Bar", "New", "Eastern Europe Land"] {
            assert_eq!(named(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn a_day_is_written_in_one_way() {
        assert_eq!(parse_day("2026-05-04"), NaiveDate::from_ymd_opt(2026, 5, 4));
        for wrong in [
            "2026-1-1",
            "2026-01-1",
            " 2026-01-01",
            "2026-01-01 ",
            "2026/01/01",
            "+2026-01-1",
            "26-001-001",
            "2026-02-30",
            "0999-01-01",
            "20260101",
            "２０２６-01-01",
        ] {
            assert_eq!(parse_day(wrong), None, "{wrong:?}");
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_instant_is_shown_in_the_zone_of_the_reader() {
        let instant = at("2026-11-23T18:03:09Z");
        assert_eq!(date_time(instant, NEW_YORK), "Nov 23, 2026, 1:03 PM");
        assert_eq!(exact(instant, NEW_YORK), "2026-11-23 13:03:09 EST");
        assert_eq!(date(at("2026-11-24T03:00:00Z"), NEW_YORK), "Nov 23, 2026");
        assert_eq!(hour(instant, "America/Phoenix"), 11);
        assert_eq!(day(at("2026-11-24T03:00:00Z"), NEW_YORK), NaiveDate::from_ymd_opt(2026, 11, 23).unwrap());
    }

    #[test]
    fn an_unknown_zone_is_not_found_and_shows_as_utc() {
        assert_eq!(find("America/Gotham"), None);
        assert_eq!(exact(at("2026-11-23T18:03:09Z"), "America/Gotham"), "2026-11-23 18:03:09 UTC");
    }

    #[test]
    fn days_begin_and_end_right_across_the_change_of_clocks() {
        let spring = NaiveDate::from_ymd_opt(2026, 3, 8).unwrap();
        let length = end_of_day(spring, NEW_YORK) - start_of_day(spring, NEW_YORK);
        assert_eq!(length.num_hours(), 23);
        let skipped = instant(spring, NaiveTime::from_hms_opt(2, 30, 0).unwrap(), NEW_YORK);
        assert_eq!(skipped, at("2026-03-08T07:00:00Z"));
        let autumn = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
        let repeated = instant(autumn, NaiveTime::from_hms_opt(1, 30, 0).unwrap(), NEW_YORK);
        assert_eq!(repeated, at("2026-11-01T05:30:00Z"));
    }
}
