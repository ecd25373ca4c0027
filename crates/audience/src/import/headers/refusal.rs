//! Refusals in cells whose column does not speak of consent: a tag, a note, a status that says "do not mail".

use std::sync::LazyLock;

use super::super::field::Field;
use super::consent::{Words, holds, set};
use super::knowledge::{consent as phrases, words};

static REFUSES: Words = LazyLock::new(|| set("refuses"));
static BEGINS: Words = LazyLock::new(|| {
    let first = |phrase: &'static String| phrase.split(' ').next().unwrap_or_default();
    phrases("refuses").iter().chain(phrases("politely")).map(first).collect()
});
static POLITELY: Words = LazyLock::new(|| set("politely"));
static BEHIND: Words = LazyLock::new(|| set("behind_refusals"));
static MONTHS: Words = LazyLock::new(|| set("months"));

/// The longest text that is a refusal and nothing else.
const LONGEST: usize = 60;

/// What somebody refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// What is stopped.
    pub stops: Field,
    /// Whether it says so itself: "do not mail". "Unsubscribed" is about the channel its column is about.
    pub is_named: bool,
}

/// The refusal a text is, if it is one and nothing else, but for a polite word before it and a day behind it.
pub fn of(text: &str) -> Option<Refusal> {
    let text = text.trim();
    let first = text.split(|c: char| !c.is_alphanumeric() && c != '’' && c != '\'').next().unwrap_or_default();
    let begins = |word: &str| BEGINS.contains(words(word).split(' ').next().unwrap_or_default());
    if !(3..=LONGEST).contains(&text.len()) || first.is_empty() || !begins(first) {
        return None;
    }
    let whole = words(text);
    let phrase = if REFUSES.contains(whole.as_str()) { whole } else { bare(&whole)? };
    let padded = format!(" {phrase} ");
    let named = |stops| Refusal { stops, is_named: true };
    Some(match () {
        () if holds(&padded, "email") => named(Field::EmailOptOut),
        () if holds(&padded, "sms") => named(Field::SmsOptOut),
        () if holds(&padded, "all") => named(Field::DoNotContact),
        // whoever writes nothing but "stop" says of nothing that it may go on
        () if phrase == "stop" => Refusal { stops: Field::DoNotContact, is_named: false },
        () => Refusal { stops: Field::EmailOptOut, is_named: false },
    })
}

/// The refusals among the several texts of a cell: tags, the sentences of a note.
pub fn within(cell: &str) -> Vec<Refusal> {
    let mut found: Vec<Refusal> = Vec::new();
    for refusal in of(cell).into_iter().chain(pieces(cell).flat_map(both)) {
        if !found.contains(&refusal) {
            found.push(refusal);
        }
    }
    found
}

/// The texts of a cell, however programs put several into one. A slash between numbers belongs to a day.
fn pieces(cell: &str) -> impl Iterator<Item = &str> {
    let slashes = |piece: &'_ str| if piece.bytes().any(|byte| byte.is_ascii_digit()) { '\0' } else { '/' };
    cell.split([',', ';', '|', '\n', '\r'])
        .flat_map(move |piece| piece.split(slashes(piece)))
        .flat_map(|piece| piece.split(":::"))
        .flat_map(|piece| piece.split(". "))
        .flat_map(|piece| piece.split("! "))
        .flat_map(|piece| piece.split(" - "))
}

/// "Do not mail and do not call" is two; "no code and no e-mail" tells of what is missing.
fn both(piece: &str) -> Vec<Refusal> {
    let parts = piece.split(" and ").flat_map(|part| part.split(" & "));
    parts.map(of).collect::<Option<Vec<Refusal>>>().unwrap_or_default()
}

/// "Please do not contact again", "unsubscribed 5/1/2024" without what stands around the refusal. A lone number behind it
/// makes it something else: "Stop 5".
fn bare(whole: &str) -> Option<String> {
    let mut left: Vec<&str> = whole.split(' ').skip_while(|word| POLITELY.contains(word)).collect();
    let (mut digits, mut has_month) = (0, false);
    while left.len() > 1 && !REFUSES.contains(left.join(" ").as_str()) {
        let last = left.pop()?;
        let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
        digits += if is_number { last.len() } else { 0 };
        has_month |= MONTHS.contains(last);
        if !is_number && !MONTHS.contains(last) && !BEHIND.contains(last) {
            return None;
        }
    }
    let phrase = left.join(" ");
    ((digits == 0 || digits >= 4 || has_month) && REFUSES.contains(phrase.as_str())).then_some(phrase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stopped(cell: &str) -> Vec<&'static str> {
        within(cell).iter().map(|refusal| refusal.stops.word()).collect()
    }

    #[test]
    fn every_piece_of_a_cell_is_asked_whether_it_refuses() {
        let (mail, email, sms) = ("do_not_contact", "email_opt_out", "sms_opt_out");
        for (cell, wanted) in [
            ("vip,Unsubscribed", &[email][..]),
            ("do not contact; roof", &[mail]),
            ("vip | Do Not Email", &[email]),
            ("myContacts ::: Do Not Call", &[sms]),
            ("Do Not Mail, Do Not Call", &[mail, sms]),
            ("do not mail / no texts", &[mail, sms]),
            ("Do not mail and do not call", &[mail, sms]),
            ("Unsubscribed 5/1/2024", &[email]),
            ("Unsubscribed on May 5, 2024", &[email]),
            ("Please do not contact again", &[mail]),
            ("Roof leaks. Do not contact!", &[mail]),
            ("first visit\nno calls please", &[sms]),
            ("Opted out.", &[email]),
            ("DoNotMail", &[mail]),
            ("Deceased 2019-04-02", &[mail]),
            ("STOP", &[mail]),
        ] {
            assert_eq!(stopped(cell), wanted, "{cell}");
        }
        for cell in [
            "vip",
            "no",
            "declined",
            "no code and no e-mail",
            "Mail Stop 5",
            "12 Oak St, Stop 5",
            "stopped by, no answer",
            "no mailbox",
            "",
        ] {
            assert!(stopped(cell).is_empty(), "{cell}");
        }
    }
}
