//! Columns that say who may not be written to, in either polarity, and what their cells say.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::super::field::Field;
use super::knowledge::{consent as phrases, is_known, words};

/// What a consent column is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The field it fills.
    pub field: Field,
    /// Whether the name alone says so; otherwise its cells must, or a person.
    pub clear: bool,
}

/// What a cell of a consent column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// May not be written to.
    No,
    /// May be written to.
    Yes,
    /// Something else.
    Unclear,
}

pub(super) type Words = LazyLock<HashSet<&'static str>>;

static SAYS_NO: Words = LazyLock::new(|| set("says_no"));
static SAYS_YES: Words = LazyLock::new(|| set("says_yes"));
static NO: Words = LazyLock::new(|| set("no"));
static YES: Words = LazyLock::new(|| set("yes"));

pub(super) fn set(role: &str) -> HashSet<&'static str> {
    phrases(role).iter().map(String::as_str).collect()
}

/// What a column's name says of consent, if it does. A negation beside a wish turns it round.
pub fn named(name: &str) -> Option<Named> {
    let padded = without_answers(name);
    let has = |role: &str| holds(&padded, role);
    if has("not") {
        return None;
    }
    let (out, status) = (has("out"), phrases("status").iter().any(|known| known == name));
    let about_channel = has("email") || has("sms");
    let wish = has("in") || (has("in_with_channel") && (about_channel || forbids(&padded)) && !is_value(name));
    let negated = wish && !out && !status && has("negates");
    let doubtful = (wish && !negated && has("doubts")) || (out && is_turned(&padded));
    let is_yes = wish && (has("status") || !has("details") || doubtful);
    let asked = has("vague") || (forbids(&padded) && (about_channel || has("all")));
    if !out && !status && !negated && !is_yes && !asked {
        return None;
    }
    if !out && !status && !negated && !doubtful && has("details") {
        return None;
    }
    // "marketing contact": whom the program may send its mails to
    let channel =
        if status && !has("email") && !has("sms") && name.starts_with("marketing") { 0 } else { channel(&padded) };
    let fields = if (out && !status) || negated { Field::STOPS } else { Field::ALLOWS };
    // a word nobody knows beside a wish may turn it round in its language
    let is_clear_wish = is_yes && padded.split_whitespace().all(is_known);
    Some(Named { field: fields[channel], clear: (out || negated || is_clear_wish) && !doubtful })
}

/// Whether a name speaks of people who refused.
pub fn is_out(name: &str) -> bool {
    let padded = format!(" {name} ");
    holds(&padded, "out") && !is_turned(&padded)
}

/// Of [`Field::STOPS`] the one a name is about.
fn channel(padded: &str) -> usize {
    match () {
        () if holds(padded, "email") => 0,
        () if holds(padded, "sms") => 1,
        () if holds(padded, "all") => 2,
        () => 0,
    }
}

/// A wish with a word beside it that mostly tells when or how: "consent method". Over cells of yes and no it may be the
/// answer all the same.
pub fn detailed(name: &str) -> Option<Named> {
    let padded = without_answers(name);
    let is_wish = holds(&padded, "in") && holds(&padded, "details") && !holds(&padded, "not");
    is_wish.then(|| Named { field: Field::ALLOWS[channel(&padded)], clear: false })
}

/// Whether cells are nothing but yes and no.
pub fn is_answered(filled: &[&str]) -> bool {
    let answers = filled.iter().filter(|cell| is_one(cell, "answers") || is_one(cell, "answers_to_wishes")).count();
    !filled.is_empty() && answers * 5 >= filled.len() * 4
}

fn is_one(cell: &str, role: &str) -> bool {
    phrases(role).contains(&words(cell))
}

/// The name without the answers it announces, and without "on file": "Opt-in (yes/no)" denies nothing.
fn without_answers(name: &str) -> String {
    phrases("answers_in_name")
        .iter()
        .chain(phrases("nothing_in_name"))
        .fold(format!(" {name} "), |padded, answers| padded.replace(&format!(" {answers} "), " "))
}

pub(super) fn holds(padded: &str, role: &str) -> bool {
    phrases(role).iter().any(|phrase| padded.contains(&format!(" {phrase} ")))
}

/// "Do not …": something is forbidden.
fn forbids(padded: &str) -> bool {
    padded.contains(" do not ") || padded.contains(" dont ")
}

/// "Not unsubscribed": the refusal itself is denied.
fn is_turned(padded: &str) -> bool {
    let turned =
        |phrase: &String| ["not", "non", "never"].iter().any(|no| padded.contains(&format!(" {no} {phrase} ")));
    phrases("out").iter().any(turned)
}

/// What a column of nothing but yes and no may be about, where its name does not tell: a channel in the name, or cells
/// that permit and forbid, are enough to ask.
pub fn answered(name: &str, is_channel: bool, filled: &[&str]) -> Option<Field> {
    let padded = without_answers(name);
    let share = |role: &str| filled.iter().filter(|cell| is_one(cell, role)).count() * 100 / filled.len().max(1);
    let is_bare = phrases("bare").iter().any(|known| known == padded.trim());
    let wished = holds(&padded, "in_with_channel") || holds(&padded, "vague") || is_channel || is_bare;
    let answers = share("answers") + if wished { share("answers_to_wishes") } else { 0 };
    let about = is_channel || is_bare || holds(&padded, "channels");
    let is_fact = holds(&padded, "facts") && !holds(&padded, "in_with_channel");
    if holds(&padded, "not")
        || (is_fact && share("permits") < 80)
        || !(share("permits") >= 80 || (about && answers >= 80))
    {
        return None;
    }
    Some(match () {
        () if holds(&padded, "email") => Field::EmailOptIn,
        () if holds(&padded, "sms") => Field::SmsOptIn,
        () => Field::MayContact,
    })
}

/// Whether a column of yes and no with that name would be asked about.
pub fn may_answer(name: &str, is_channel: bool) -> bool {
    answered(name, is_channel, &["yes"]).is_some()
}

/// Whether a word of consent in the name only describes something else: "marketing source".
pub fn describes(name: &str) -> bool {
    let last = name.rsplit(' ').find(|word| !word.bytes().all(|byte| byte.is_ascii_digit()));
    last.is_some_and(|last| phrases("things").iter().any(|thing| thing == last))
}

/// Names such as "text message" hold a channel and a word of wishes without being about either.
fn is_value(name: &str) -> bool {
    super::knowledge::field(name).is_some()
}

/// What a cell says under the name of `field`; empty cells say nothing where a yes stops.
pub fn says(field: Field, cell: &str) -> Says {
    let word = words(cell);
    let stops = Field::STOPS.contains(&field);
    match word.as_str() {
        "" if cell.trim().chars().all(|c| "-–—./".contains(c)) => {
            if stops {
                Says::Yes
            } else {
                Says::No
            }
        }
        word if SAYS_NO.contains(word) => Says::No,
        word if YES.contains(word) => {
            if stops {
                Says::No
            } else {
                Says::Yes
            }
        }
        word if stops && matches!(word, "pending" | "unknown") => Says::Unclear,
        word if stops && is_plain_no(word) => Says::Yes,
        word if NO.contains(word) => Says::No,
        word if SAYS_YES.contains(word) => Says::Yes,
        word if begins_with(word, &SAYS_NO) => Says::No,
        word if begins_with(word, &SAYS_YES) => Says::Yes,
        _ if is_date(cell) => {
            if stops {
                Says::No
            } else {
                Says::Yes
            }
        }
        _ => Says::Unclear,
    }
}

/// Whether a cell speaks of consent whatever its column is called.
pub fn speaks(cell: &str) -> bool {
    let word = words(cell);
    let at_length = word.contains(' ') && NO.contains(word.as_str());
    at_length || SAYS_NO.contains(word.as_str()) || SAYS_YES.contains(word.as_str())
}

/// The no that answers "may this be stopped?": everything in `@no` that is a bare no, not a refusal.
fn is_plain_no(word: &str) -> bool {
    const BARE: [&str; 24] = [
        "nej",
        "ei",
        "no",
        "n",
        "false",
        "f",
        "0",
        "off",
        "none",
        "never",
        "nein",
        "falsch",
        "nee",
        "nao",
        "falso",
        "onwaar",
        "non",
        "faux",
        "nie",
        "not set",
        "disabled",
        "inactive",
        "not specified",
        "not applicable",
    ];
    BARE.contains(&word)
}

/// `Unsubscribed (by admin)`, `hard bounce: mailbox full`.
fn begins_with(word: &str, known: &HashSet<&'static str>) -> bool {
    word.match_indices(' ').any(|(at, _)| known.contains(&word[..at]))
}

/// A day or a moment in any common spelling.
fn is_date(cell: &str) -> bool {
    let cell = cell.trim();
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let separators = cell.chars().filter(|c| matches!(c, '-' | '/' | '.')).count();
    (4..=17).contains(&digits) && (separators >= 2 || (digits >= 5 && cell.contains(',')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(header: &str) -> String {
        named(&words(header))
            .map_or_else(String::new, |named| format!("{}{}", named.field.word(), if named.clear { "" } else { "?" }))
    }

    /// The field, with a question mark where the name alone does not say so, and the names.
    const NAMES: &[(&str, &[&str])] = &[
        (
            "email_opt_out",
            &[
                "HasOptedOutOfEmail",
                "Email Opt Out",
                "email_opt_out",
                "Unsubscribed",
                "Unsubscribed from all email",
                "Opted out of email: Marketing Information",
                "Unsubscribed date",
                "UNSUB_TIME",
                "UNSUB_REASON",
                "CLEAN_TIME",
                "Opt-out of email",
                "do not email",
                "Email Bounced Date",
                "Confirmed Opt-Out Date",
                "Email Suppressions",
                "Blocklisted",
                "EMAIL_BLACKLISTED",
                "Abgemeldet",
                "Désabonné",
            ],
        ),
        ("sms_opt_out", &["DoNotCall", "Do Not Call", "SMS Opt-Out", "No text", "sms_opt_out", "Opted Out of SMS"]),
        (
            "do_not_contact",
            &["Do not contact", "DO NOT MAIL", "DNC", "Suppressed all", "do_not_contact", "Werbesperre"],
        ),
        (
            "email_opt_in",
            &[
                "Subscribed",
                "Accepts Marketing",
                "accepts_marketing",
                "Accepts Email Marketing",
                "Email Opt-In",
                "OptIn",
                "Email consent",
                "OK to email",
                "Receives email",
                "Abonné",
            ],
        ),
        ("sms_opt_in", &["Accepts SMS Marketing", "SMS consent", "OK to text", "Receive Text", "TCPA consent"]),
        ("may_contact", &["Marketing consent", "GDPR Consent", "Consent", "May contact", "Einwilligung"]),
        (
            "email_opt_in?",
            &[
                "Email Marketing Status",
                "Newsletter",
                "Subscription status",
                "Email status",
                "Email Subscription Status",
                "Marketing",
            ],
        ),
        ("may_contact?", &["GDPR", "Contact preference"]),
        (
            "",
            &[
                "Has Opted Out Of Fax",
                "OPTIN_TIME",
                "Opt-in date",
                "Email",
                "Mobile",
                "Text message",
                "Last contact",
                "Contact ID",
                "Notes",
                "Status",
                "Consent IP",
                "Do Not Service",
            ],
        ),
    ];

    #[test]
    fn names_of_consent_are_known_in_both_polarities_and_for_their_channel() {
        for (field, headers) in NAMES {
            for header in *headers {
                assert_eq!(role(header), *field, "{header}");
            }
        }
    }

    #[test]
    fn cells_say_it_in_the_words_of_many_programs() {
        let out = |cell| says(Field::EmailOptOut, cell);
        let allowed = |cell| says(Field::EmailOptIn, cell);
        for cell in [
            "true",
            "YES",
            "1",
            "x",
            "2024-05-01",
            "5/1/2024 10:00 AM",
            "Unsubscribed",
            "opted_out",
            "Bounced",
            "Ja",
            "May 5, 2024",
        ] {
            assert_eq!(out(cell), Says::No, "{cell}");
        }
        for cell in ["false", "No", "0", "-", "Subscribed", "nein", "never"] {
            assert_eq!(out(cell), Says::Yes, "{cell}");
        }
        for cell in [
            "FALSE",
            "no",
            "denied",
            "Unsubscribed",
            "Cleaned",
            "Non-Subscribed",
            "NEVER_SUBSCRIBED",
            "pending",
            "blocklisted",
            "Hard bounce: full",
            "nicht?",
        ] {
            assert_ne!(allowed(cell), Says::Yes, "{cell}");
        }
        for cell in ["TRUE", "yes", "Subscribed", "granted", "2024-05-01", "Active"] {
            assert_eq!(allowed(cell), Says::Yes, "{cell}");
        }
        assert_eq!((out("maybe"), out("N: too many mails")), (Says::Unclear, Says::Unclear));
    }
}
