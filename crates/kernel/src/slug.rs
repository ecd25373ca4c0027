//! Slugs: the short names in addresses, such as `acme-roofing` in `/acme-roofing/campaigns`.

/// The longest slug; a longer name is cut at a word where possible.
const MAX_LENGTH: usize = 60;

/// First path segments that belong to ACE itself, and the words that end its own paths (`/contacts/new`).
pub const RESERVED: [&str; 46] = [
    "account",
    "accounts",
    "admin",
    "api",
    "assets",
    "audit",
    "auth",
    "brands",
    "clients",
    "demo",
    "docs",
    "f",
    "favicon",
    "favicon.ico",
    "forgot",
    "health",
    "healthz",
    "help",
    "hooks",
    "invitations",
    "invite",
    "jobs",
    "login",
    "logout",
    "me",
    "metrics",
    "new",
    "organizations",
    "p",
    "permissions",
    "public",
    "q",
    "r",
    "readyz",
    "reset",
    "robots",
    "robots.txt",
    "sandbox",
    "search",
    "settings",
    "sign-in",
    "sign-out",
    "static",
    "users",
    "v1",
    "webhooks",
];

/// The slug of a name: lower case, letters and digits joined by single dashes, Latin accents dropped.
///
/// A reserved word gets `-1` behind it, a name without any letter or digit becomes `unnamed`. Uniqueness is the
/// caller's: try [`numbered`] until the database agrees.
pub fn slugify(name: &str) -> String {
    let mut slug = String::with_capacity(name.len().min(MAX_LENGTH));
    for c in name.chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            'A'..='Z' => slug.push(c.to_ascii_lowercase()),
            '&' => push_word(&mut slug, "and"),
            '\'' | '’' => {}
            _ => fold(&mut slug, c),
        }
    }
    let slug = cut(slug.trim_matches('-'));
    if slug.is_empty() {
        return "unnamed".to_owned();
    }
    if RESERVED.contains(&slug) { format!("{slug}-1") } else { slug.to_owned() }
}

/// The `n`-th candidate for a slug that is taken: `acme`, `acme-2`, `acme-3`, …
pub fn numbered(slug: &str, n: u32) -> String {
    if n <= 1 { slug.to_owned() } else { format!("{slug}-{n}") }
}

fn push_word(slug: &mut String, word: &str) {
    push_dash(slug);
    slug.push_str(word);
    slug.push('-');
}

fn push_dash(slug: &mut String) {
    if !slug.is_empty() && !slug.ends_with('-') {
        slug.push('-');
    }
}

/// Accented Latin letters lose their accent; everything else separates words.
fn fold(slug: &mut String, c: char) {
    let plain = match c {
        'à'..='å' | 'À'..='Å' | 'ā' | 'ą' | 'ă' => "a",
        'æ' | 'Æ' => "ae",
        'ç' | 'Ç' | 'ć' | 'č' => "c",
        'è'..='ë' | 'È'..='Ë' | 'ē' | 'ę' | 'ě' => "e",
        'ì'..='ï' | 'Ì'..='Ï' | 'ī' => "i",
        'ł' | 'Ł' => "l",
        'ñ' | 'Ñ' | 'ń' | 'ň' => "n",
        'ò'..='ö' | 'Ò'..='Ö' | 'ø' | 'Ø' | 'ō' => "o",
        'œ' | 'Œ' => "oe",
        'ř' => "r",
        'ß' => "ss",
        'ś' | 'š' | 'Ś' | 'Š' => "s",
        'ù'..='ü' | 'Ù'..='Ü' | 'ū' | 'ů' => "u",
        'ý' | 'ÿ' | 'Ý' => "y",
        'ź' | 'ż' | 'ž' | 'Ź' | 'Ż' | 'Ž' => "z",
        _ => return push_dash(slug),
    };
    slug.push_str(plain);
}

/// At most [`MAX_LENGTH`] characters, ending with a whole word unless there is only one.
fn cut(slug: &str) -> &str {
    if slug.len() <= MAX_LENGTH {
        return slug;
    }
    let head = &slug[..MAX_LENGTH];
    let whole =
        if slug.as_bytes()[MAX_LENGTH] == b'-' { head } else { head.rsplit_once('-').map_or(head, |(words, _)| words) };
    whole.trim_matches('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_readable_slugs() {
        for (name, slug) in [
            ("Acme Roofing", "acme-roofing"),
            ("  Smith & Söhne GmbH. ", "smith-and-sohne-gmbh"),
            ("Joe's Auto-Service, Inc.", "joes-auto-service-inc"),
            ("Spring 2026!", "spring-2026"),
            ("日本", "unnamed"),
            ("---", "unnamed"),
        ] {
            assert_eq!(slugify(name), slug);
        }
        assert_eq!(numbered("acme", 1), "acme");
        assert_eq!(numbered("acme", 3), "acme-3");
    }

    #[test]
    fn no_client_can_take_an_address_of_ours() {
        for word in RESERVED {
            assert!(!RESERVED.contains(&slugify(word).as_str()), "{word}");
        }
    }

    #[test]
    fn a_long_name_is_cut_at_a_word() {
        let slug = slugify(&"roofing ".repeat(20));
        assert!(slug.len() <= MAX_LENGTH && slug.ends_with("roofing"), "{slug}");
        assert_eq!(slugify(&"x".repeat(200)).len(), MAX_LENGTH);
    }

    proptest! {
        #[test]
        fn every_slug_is_safe_in_an_address_and_stays_itself(name in "\\PC{0,90}") {
            let slug = slugify(&name);
            prop_assert!(!slug.is_empty() && slug.len() <= MAX_LENGTH + 2);
            prop_assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
            prop_assert_eq!(slugify(&slug), slug);
        }
    }
}
