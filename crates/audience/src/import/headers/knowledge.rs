//! What is known of columns' names and of the words in them: `names.txt` and `consent.txt`, read once.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::field::Field;

static NAMES: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| parse(include_str!("names.txt")));
static CONSENT: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| parse(include_str!("consent.txt")));
static FIELDS: LazyLock<HashMap<String, (Field, u8)>> = LazyLock::new(fields);

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
