//! What is known of columns' names and of the words in them: `names.txt` and `consent.txt`, read once.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::super::field::Field;

static NAMES: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| parse(include_str!("names.txt")));
static CONSENT: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| parse(include_str!("consent.txt")));
static WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| NAMES.values().chain(CONSENT.values()).flatten().flat_map(|name| name.split(' ')).collect());
static FIELDS: LazyLock<HashMap<String, (Field, u8)>> = LazyLock::new(fields);

/// A shorter name is never taken apart, and of two letters only these are words of one.
const SHORTEST_GLUED: usize = 6;
const SHORT: [&str; 9] = ["do", "no", "of", "to", "ok", "is", "in", "on", "by"];

fn parse(text: &str) -> HashMap<String, Vec<String>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let of = |(role, names): (&str, &str)| {
        (role.trim().to_owned(), names.split(',').map(|name| name.trim().to_owned()).collect())
    };
    lines.filter_map(|line| line.split_once(':')).map(of).collect()
}

fn fields() -> HashMap<String, (Field, u8)> {
    let mut known = HashMap::new();
    for field in Field::ALL {
        for name in NAMES.get(field.word()).into_iter().flatten() {
            known.insert(name.clone(), (*field, 95));
        }
    }
    for field in Field::ALL {
        known.insert(words(field.word()), (*field, 100));
        known.insert(words(field.label()), (*field, 100));
    }
    known
}

/// The field a whole name means, and how sure that is.
pub fn field(name: &str) -> Option<(Field, u8)> {
    FIELDS.get(name).copied()
}

/// The words of names with a role, such as `before`.
pub fn role(role: &str) -> &'static [String] {
    of(&NAMES, role)
}

/// The phrases of consent with a role, such as `out`.
pub fn consent(role: &str) -> &'static [String] {
    of(&CONSENT, role)
}

fn of(known: &'static HashMap<String, Vec<String>>, role: &str) -> &'static [String] {
    known.get(&format!("@{role}")).map_or(&[], Vec::as_slice)
}

/// Lower-case words without accents, apart by single spaces: `E-Mail_Address`, `emailAddress` → `email address`.
pub fn words(header: &str) -> String {
    let mut spaced = String::with_capacity(header.len() + 8);
    let (mut before, mut chars) = (' ', header.chars().filter(|c| !is_mark(*c)).peekable());
    while let Some(c) = chars.next() {
        let begins_word = (before.is_lowercase() && c.is_uppercase())
            || (before.is_uppercase() && c.is_uppercase() && chars.peek().is_some_and(|next| next.is_lowercase()))
            || (before.is_alphabetic() && c.is_ascii_digit())
            || (before.is_ascii_digit() && c.is_alphabetic());
        if begins_word {
            spaced.push(' ');
        }
        match c {
            '\'' | '’' | '.' => {}
            // "Account #" is no account
            '#' => spaced.push_str(" number "),
            c if c.is_alphanumeric() || c == '✓' || c == '✔' => plain(c, &mut spaced),
            _ => spaced.push(' '),
        }
        before = c;
    }
    let mut words: Vec<&str> = Vec::new();
    for word in spaced.split_whitespace() {
        match (words.last(), word) {
            (Some(&"e"), "mail" | "mails") => {
                *words.last_mut().unwrap_or(&mut "") = if word == "mail" { "email" } else { "emails" }
            }
            _ => words.push(word),
        }
    }
    words.join(" ")
}

/// The words of a column's name; one written without blanks or capitals is taken apart where it is nothing but known
/// words: `HASOPTEDOUTOFEMAIL`, `mailingpostalcode`.
pub fn title(header: &str) -> String {
    let name = words(header);
    if name.split(' ').all(|word| word.len() < SHORTEST_GLUED || is_known(word)) {
        return name;
    }
    let apart = |word: &str| match word {
        _ if word.len() < SHORTEST_GLUED || is_known(word) => word.to_owned(),
        _ => split(word).map_or_else(|| word.to_owned(), |words| words.join(" ")),
    };
    // "e mail" comes together as in any name
    words(&name.split(' ').map(apart).collect::<Vec<_>>().join(" "))
}

/// Words written together, the longest first.
fn split(glued: &str) -> Option<Vec<&str>> {
    if glued.is_empty() {
        return Some(Vec::new());
    }
    let ends = glued.char_indices().map(|(at, c)| at + c.len_utf8()).rev();
    let first = |end: usize| (glued[..end].len() > 2 || SHORT.contains(&&glued[..end])) && is_known(&glued[..end]);
    ends.filter(|end| first(*end)).find_map(|end| {
        let mut words = split(&glued[end..])?;
        words.insert(0, &glued[..end]);
        Some(words)
    })
}

/// Whether a word occurs in names of columns, or in what is said of consent.
pub fn is_known(word: &str) -> bool {
    WORDS.contains(word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Combining accents, as texts from a Mac hold them.
fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

fn plain(c: char, out: &mut String) {
    for c in c.to_lowercase() {
        match c {
            'à' | 'á' | 'â' | 'ä' | 'ã' | 'å' => out.push('a'),
            'è' | 'é' | 'ê' | 'ë' => out.push('e'),
            'ì' | 'í' | 'î' | 'ï' => out.push('i'),
            'ò' | 'ó' | 'ô' | 'ö' | 'õ' | 'ø' => out.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => out.push('u'),
            'ç' => out.push('c'),
            'ñ' => out.push('n'),
            'ß' => out.push_str("ss"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling_however_programs_write_it() {
        for (header, name) in [
            ("E-Mail_Address", "email address"),
            ("HasOptedOutOfEmail", "has opted out of email"),
            ("MailingPostalCode", "mailing postal code"),
            ("ZIPCode", "zip code"),
            ("Address1", "address 1"),
            ("Mr./Ms.", "mr ms"),
            ("Pre\u{301}nom", "prenom"),
            ("Straße", "strasse"),
            ("Owner’s E-mail", "owners email"),
            ("Account #", "account number"),
        ] {
            assert_eq!(words(header), name);
        }
    }

    #[test]
    fn names_without_blanks_are_taken_apart_only_where_nothing_is_left_over() {
        for (header, name) in [
            ("HASOPTEDOUTOFEMAIL", "has optedout of email"),
            ("hasoptedoutofemail__c", "has optedout of email c"),
            ("MAILINGPOSTALCODE", "mailing postalcode"),
            ("MAILINGSTREET", "mailing street"),
            ("LEADSOURCE", "lead source"),
            ("donotbulkemail", "do not bulk email"),
            ("NOMAIL", "no mail"),
            ("unsubscribedfromallemail", "unsubscribed from all email"),
            ("donotcall", "donotcall"),
            ("Website", "website"),
            ("Northport", "northport"),
        ] {
            assert_eq!(title(header), name);
        }
    }

    #[test]
    fn every_line_names_a_field_or_a_role_and_no_name_means_two_fields() {
        let mut seen = HashMap::new();
        for (key, names) in NAMES.iter().filter(|(key, _)| !key.starts_with('@')) {
            assert!(key.parse::<Field>().is_ok(), "{key}");
            for name in names {
                assert_eq!(words(name), *name);
                assert_eq!(seen.insert(name, key), None, "{name}");
            }
        }
        for (key, phrases) in CONSENT.iter() {
            assert!(phrases.iter().all(|phrase| words(phrase) == *phrase), "{key}");
        }
    }
}
