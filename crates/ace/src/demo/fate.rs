//! What recipients do with a piece in their hands: pure, and the same every time.

use chrono::{DateTime, Datelike, Days, Duration, NaiveTime, Utc, Weekday};
use kernel::zone;

use super::dice::Dice;
use super::story::Response;

/// First visits by days after the mail date: the post takes two days or three, most answer in the first week.
const DAYS: &[u64] =
    &[0, 2, 9, 17, 18, 13, 9, 8, 6, 5, 4, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
/// Visits by hour of the day: breakfast, lunch, and most after work.
const VISIT_HOURS: &[u64] = &[1, 0, 0, 0, 0, 1, 3, 6, 8, 8, 8, 8, 11, 9, 7, 7, 9, 13, 15, 14, 11, 8, 5, 2];
/// Calls by hour of the day: while somebody answers.
const CALL_HOURS: &[u64] = &[0, 0, 0, 0, 0, 0, 0, 0, 2, 8, 10, 9, 7, 7, 9, 8, 6, 3];
/// How calls end: qualified, not_qualified, callback, wrong_number, no_answer, voicemail, escalated, do_not_call.
const ENDS: &[u64] = &[66, 8, 9, 2, 4, 5, 4, 2];

/// One thing a recipient does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Opens their page.
    Visit {
        /// By the QR rather than by the link.
        qr: bool,
        /// It was a link preview, not they.
        bot: bool,
    },
    /// Fills in the form.
    Submit,
    /// Calls.
    Call {
        /// Index into `calls::call::DISPOSITIONS`.
        end: usize,
        /// How long they talk.
        seconds: i64,
    },
}

/// When a recipient does what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: DateTime<Utc>,
    /// Which recipient, by place.
    pub who: usize,
    /// What.
    pub deed: Deed,
}

/// A campaign as fate sees it.
#[derive(Debug, Clone, Copy)]
pub struct Mailing<'a> {
    /// Its name: another campaign throws other dice.
    pub name: &'a str,
    /// The client's time zone.
    pub time_zone: &'a str,
    /// When the pieces were mailed.
    pub mailed_at: DateTime<Utc>,
    /// Percentages.
    pub response: Response,
}

/// Everything the recipient in place `who` will do.
pub fn of(mailing: &Mailing<'_>, who: usize) -> Vec<Happening> {
    let mut dice = Dice::of(&["fate", mailing.name], who);
    let (visits, calls) = (dice.chance(mailing.response.visit), dice.chance(mailing.response.call));
    let first = moment(&mut dice, mailing, VISIT_HOURS);
    let mut all = Vec::new();
    let mut happens = |at, deed| all.push(Happening { at, who, deed });
    if visits {
        let qr = dice.chance(mailing.response.scan);
        happens(first, Deed::Visit { qr, bot: false });
        if dice.chance(6) {
            happens(first + Duration::minutes(20), Deed::Visit { qr: false, bot: true });
        }
        if dice.chance(mailing.response.submit) {
            happens(first + Duration::seconds(minutes(&mut dice, 2, 9)), Deed::Submit);
        }
        for _ in 0..dice.weighed(&[62, 26, 12]) {
            let again = first + Duration::hours(18) + Duration::seconds(minutes(&mut dice, 1, 4_000));
            happens(again, Deed::Visit { qr: dice.chance(25), bot: false });
        }
    }
    if calls {
        let at = office_hours(&mut dice, mailing, first);
        let end = usize::try_from(dice.weighed(ENDS)).unwrap_or(0);
        happens(at, Deed::Call { end, seconds: minutes(&mut dice, 1, 8) });
    }
    all
}

/// Some seconds between so many minutes.
fn minutes(dice: &mut Dice, least: u64, most: u64) -> i64 {
    i64::try_from(least * 60 + dice.below((most - least) * 60)).unwrap_or(60)
}

fn moment(dice: &mut Dice, mailing: &Mailing<'_>, hours: &[u64]) -> DateTime<Utc> {
    let day = zone::day(mailing.mailed_at, mailing.time_zone) + Days::new(dice.weighed(DAYS));
    zone::instant(day, clock(dice, hours), mailing.time_zone)
}

/// On the same day as the first look or one of the next two, but never on a Sunday.
fn office_hours(dice: &mut Dice, mailing: &Mailing<'_>, first: DateTime<Utc>) -> DateTime<Utc> {
    let day = zone::day(first, mailing.time_zone) + Days::new(1 + dice.below(2));
    let day = if day.weekday() == Weekday::Sun { day + Days::new(1) } else { day };
    zone::instant(day, clock(dice, CALL_HOURS), mailing.time_zone)
}

fn clock(dice: &mut Dice, hours: &[u64]) -> NaiveTime {
    let hour = u32::try_from(dice.weighed(hours)).unwrap_or(12);
    let (minute, second) = (dice.below(60), dice.below(60));
    let minute = u32::try_from(minute).unwrap_or(0);
    let second = u32::try_from(second).unwrap_or(0);
    NaiveTime::from_hms_opt(hour, minute, second).unwrap_or(NaiveTime::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailing(response: Response) -> Mailing<'static> {
        let mailed_at = "2026-03-02T15:00:00Z".parse().unwrap();
        Mailing { name: "Test", time_zone: "America/New_York", mailed_at, response }
    }

    fn happenings(response: Response) -> Vec<Happening> {
        (0..1_000).flat_map(|who| of(&mailing(response), who)).collect()
    }

    #[test]
    fn answers_come_as_often_as_said_after_the_mail_and_in_waking_hours() {
        let all = happenings(Response { visit: 40, scan: 60, submit: 50, call: 10 });
        let count = |fits: fn(&Deed) -> bool| all.iter().filter(|happening| fits(&happening.deed)).count();
        let submits = count(|deed| matches!(deed, Deed::Submit));
        assert!((150..250).contains(&submits), "{submits}");
        assert!((60..140).contains(&count(|deed| matches!(deed, Deed::Call { .. }))));
        let people = all.iter().filter(|h| matches!(h.deed, Deed::Visit { .. })).map(|h| h.who);
        let people = people.collect::<std::collections::BTreeSet<_>>().len();
        assert!((340..460).contains(&people), "{people}");
        assert!(
            all.iter()
                .all(|happening| happening.at > mailing(Response { visit: 0, scan: 0, submit: 0, call: 0 }).mailed_at)
        );
        let calls = all.iter().filter(|happening| matches!(happening.deed, Deed::Call { .. }));
        assert!(calls.map(|call| zone::hour(call.at, "America/New_York")).all(|hour| (8..18).contains(&hour)));
    }

    #[test]
    fn whoever_submits_has_visited_before_and_nobody_does_anything_unasked() {
        let all = happenings(Response { visit: 40, scan: 60, submit: 50, call: 0 });
        for submit in all.iter().filter(|happening| happening.deed == Deed::Submit) {
            let visited =
                |h: &&Happening| h.who == submit.who && matches!(h.deed, Deed::Visit { .. }) && h.at < submit.at;
            assert!(all.iter().any(|happening| visited(&happening)));
        }
        assert!(happenings(Response { visit: 0, scan: 60, submit: 50, call: 0 }).is_empty());
    }
}
