//! How numbers, money, phones and addresses read.

use std::fmt::Display;

/// `1234567.5` → `1,234,567.5`.
pub fn number(value: impl Display) -> String {
    let plain = value.to_string();
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("−", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, ""), |(whole, fraction)| (whole, fraction));
    let mut grouped = String::with_capacity(plain.len() + plain.len() / 3);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{fraction}")
}

/// So many of something: `1, "free card"` → `1 free card`; `2000, "person"` → `2,000 people`.
pub fn count(value: impl Display, one: &str) -> String {
    let shown = number(value);
    let many = match (one.strip_suffix("person"), one.strip_suffix('y')) {
        _ if shown == "1" => one.to_owned(),
        (Some(before), _) => format!("{before}people"),
        (_, Some(before)) if !before.ends_with(['a', 'e', 'o', 'u']) => format!("{before}ies"),
        _ => format!("{one}s"),
    };
    format!("{shown} {many}")
}

/// US dollars with cents from a number of dollars: `1250` → `$1,250.00`. What is money already stays as it is.
pub fn money(amount: impl Display) -> String {
    let plain = amount.to_string();
    if plain.contains('$') {
        return plain;
    }
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("−", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let cents: String = fraction.chars().chain("00".chars()).take(2).collect();
    format!("{sign}${}.{cents}", number(whole))
}

/// A share of a whole: `3, 8` → `37.5 %`; nothing of nothing is a dash.
pub fn percent(part: i64, whole: i64) -> String {
    if whole == 0 {
        return "–".into();
    }
    let share = part as f64 / whole as f64 * 100.0;
    if share.fract() == 0.0 || share >= 99.95 { format!("{share:.0} %") } else { format!("{share:.1} %") }
}

/// A size of a file: `1536` → `1.5 kB`.
pub fn bytes(size: i64) -> String {
    match size {
        ..1_000 => format!("{size} B"),
        1_000..1_000_000 => format!("{:.1} kB", size as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", size as f64 / 1e6),
        _ => format!("{:.1} GB", size as f64 / 1e9),
    }
}

/// What a permission allows, which is what people know of it: `clients.edit` → `Change a client's settings`.
pub fn permission(key: impl AsRef<str>) -> String {
    let grant = kernel::permissions::GRANTS.iter().find(|grant| grant.key == key.as_ref());
    grant.map_or(key.as_ref(), |grant| grant.meaning).to_owned()
}

/// The size of a mail piece: `4x6` → `4 × 6`, `letter` → `Letter`.
pub fn piece_size(word: impl AsRef<str>) -> String {
    super::capitalised(&word.as_ref().replace('x', " × "))
}

/// What stands between a label and what is said to it: nothing after a question, which has its own sign.
pub fn colon(label: impl AsRef<str>) -> &'static str {
    if label.as_ref().ends_with(['?', '!', '.', ':', '…']) { "" } else { ":" }
}

/// A stored phone number as people write it: `+16145550123` → `(614) 555-0123`.
pub fn phone(stored: impl AsRef<str>) -> String {
    kernel::phone::display(stored.as_ref())
}

/// A number or an e-mail address as people read it: what is sent goes to either.
pub fn reached(stored: impl AsRef<str>) -> String {
    let stored = stored.as_ref();
    if stored.contains('@') { kernel::email::display(stored).into_owned() } else { kernel::phone::display(stored) }
}

/// The lines of an address on one line, the empty ones left out.
pub fn address(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The HTML id of a form field: `conditions/0/trigger_type` → `f-conditions-0-trigger_type`.
pub fn slug_id(name: &str) -> String {
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' });
    "f-".chars().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_needs_no_colon_and_words_of_programs_are_told_as_people_say_them() {
        assert_eq!([colon("How old is your roof?"), colon("First name")], ["", ":"]);
        assert_eq!([piece_size("4x6"), piece_size("letter")], ["4 × 6", "Letter"]);
        assert!(!permission("campaigns.launch").contains('.'), "by what it allows");
    }

    #[test]
    fn numbers_have_separators_and_money_its_cents() {
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(number(-999), "−999");
        assert_eq!(number("1000.25"), "1,000.25");
        assert_eq!(money("1250"), "$1,250.00");
        assert_eq!(money("-0.5"), "−$0.50");
        assert_eq!(percent(3, 8), "37.5 %");
        assert_eq!(percent(0, 0), "–");
        assert_eq!(bytes(1_536), "1.5 kB");
    }

    #[test]
    fn one_is_one_and_many_are_many() {
        let of = |value: i64| {
            [count(value, "free card"), count(value, "entry"), count(value, "person"), count(value, "day")]
        };
        assert_eq!(of(1), ["1 free card", "1 entry", "1 person", "1 day"]);
        assert_eq!(of(2_000), ["2,000 free cards", "2,000 entries", "2,000 people", "2,000 days"]);
        assert_eq!(count(0, "credit"), "0 credits");
    }

    #[test]
    fn phones_are_formatted_and_what_is_none_stays_as_stored() {
        assert_eq!(phone("+16145550123"), "(614) 555-0123");
        assert_eq!(phone("unknown"), "unknown");
    }
}
