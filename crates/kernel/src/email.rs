//! E-mail addresses: one spelling for each, and a refusal of what cannot be one.
//!
//! A domain outside ASCII is kept in its ASCII form (IDNA), which every mail server understands, and shown as people type
//! it. Quoted local parts and local parts outside ASCII are refused: they exist on paper, and hardly a mail server takes
//! them. Whether an address receives anything, only sending tells.

use std::borrow::Cow;

/// The longest address SMTP carries.
const MAX_LENGTH: usize = 254;
/// The longest part before the `@`.
const MAX_LOCAL: usize = 64;

/// What to do about a text that is no address.
pub const WANTED: &str = "enter an address such as ada@example.com";

/// The one spelling of an address: trimmed, without `mailto:` or angle brackets, lower case.
///
/// `None` when it is not an address; the caller decides whether to refuse it or to keep and flag it.
pub fn normalise(input: &str) -> Option<String> {
    let lower = input.trim().to_ascii_lowercase();
    let bare = lower.strip_prefix("mailto:").unwrap_or(&lower);
    let bare = bare.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(bare).trim();
    let (local, domain) = bare.split_once('@')?;
    let domain = ascii(domain)?;
    let fits = local.len() + 1 + domain.len() <= MAX_LENGTH && is_local(local) && is_domain(&domain);
    fits.then(|| format!("{local}@{domain}"))
}

/// The ASCII form of a domain.
fn ascii(domain: &str) -> Option<Cow<'_, str>> {
    if domain.is_ascii() {
        return Some(Cow::Borrowed(domain));
    }
    // nobody's domain is longer, and the work grows with it
    (domain.len() <= 4 * MAX_LENGTH).then(|| idna::domain_to_ascii_strict(domain).ok().map(Cow::Owned)).flatten()
}

/// An address in its one spelling as people type it: `info@xn--bcher-kva.example` is `info@bücher.example`.
pub fn display(address: &str) -> Cow<'_, str> {
    let Some((local, domain)) = address.split_once('@').filter(|(_, domain)| domain.contains("xn--")) else {
        return Cow::Borrowed(address);
    };
    match idna::domain_to_unicode(domain) {
        // what would not lead back to the same address is shown as it is kept
        (shown, Ok(())) if ascii(&shown).as_deref() == Some(domain) => Cow::Owned(format!("{local}@{shown}")),
        _ => Cow::Borrowed(address),
    }
}

/// What people type into a field that asks for an address they do not have or do not give.
const NOBODY: [&str; 22] = [
    "none",
    "noemail",
    "noemails",
    "nomail",
    "noaddress",
    "nobody",
    "noone",
    "nothing",
    "notprovided",
    "notgiven",
    "notavailable",
    "noreply",
    "donotreply",
    "unknown",
    "declined",
    "refused",
    "na",
    "null",
    "void",
    "anonymous",
    "fake",
    "nope",
];
/// What means nobody only where the other side of the `@` says the same or is an example.
const EXAMPLES: [&str; 10] = ["test", "testing", "email", "mail", "example", "abc", "asdf", "user", "name", "no"];

/// Whether an address in its one spelling stands for no address, as `none@none.com` does: two people with it are two.
pub fn is_placeholder(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    let bare = |text: &str| text.replace(['.', '-', '_'], "");
    let (local, host) = (bare(local), bare(domain.split('.').next().unwrap_or_default()));
    let (local, host) = (local.as_str(), host.as_str());
    NOBODY.contains(&local)
        || ["none", "noemail", "nomail", "na", "noaddress"].contains(&host)
        || (EXAMPLES.contains(&local) && (EXAMPLES.contains(&host) || NOBODY.contains(&host)))
        || (local == host && local.len() <= 5)
}

/// RFC 5321's dot-string: atoms joined by single dots.
fn is_local(local: &str) -> bool {
    let atom = |atom: &str| {
        !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b))
    };
    local.len() <= MAX_LOCAL && local.split('.').all(atom)
}

/// A host name with at least two labels, the last of which cannot be a number.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let top = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.')
        && domain.split('.').all(label)
        && top.len() >= 2
        && top.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_get_one_spelling() {
        for (given, kept) in [
            (" Ada.Lovelace@Example.COM ", "ada.lovelace@example.com"),
            ("mailto:ada@example.com", "ada@example.com"),
            ("<ada+spring@mail.example.co.uk>", "ada+spring@mail.example.co.uk"),
            ("o'brien@example.com", "o'brien@example.com"),
            ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
            ("Info@BÜCHER.example", "info@xn--bcher-kva.example"),
            ("info@bu\u{308}cher.example", "info@xn--bcher-kva.example"),
            ("hola@correo.españa", "hola@correo.xn--espaa-rta"),
        ] {
            assert_eq!(normalise(given).as_deref(), Some(kept), "{given}");
        }
    }

    #[test]
    fn an_address_is_shown_as_people_type_it_and_leads_back_to_itself() {
        assert_eq!(display("info@xn--bcher-kva.example"), "info@bücher.example");
        for plain in ["ada@example.com", "ada@xn--.example", "ada@xn--a.example", "nobody"] {
            assert_eq!(display(plain), plain);
        }
        assert_eq!(normalise(&display("info@xn--bcher-kva.example")).as_deref(), Some("info@xn--bcher-kva.example"));
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for given in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "a@b@example.com",
            "ada@-x.com",
            "ada@x-.com",
            "ada@example..com",
            ".ada@example.com",
            "ada.@example.com",
            "a..b@example.com",
            "a b@example.com",
            "ada@10.0.0.1",
            "ada@example.c",
            "\"ada\"@example.com",
            "ädä@example.com",
            "ada@example.com, bob@example.com",
            "ada@exam\nple.com",
            "ada@bü cher.example",
            "ada@bü_cher.example",
            "ada@-bücher.example",
            "ada@bücher",
            "ada@\u{200b}.example",
        ] {
            assert_eq!(normalise(given), None, "{given:?}");
        }
        assert_eq!(normalise(&format!("{}@example.com", "a".repeat(65))), None);
        assert_eq!(normalise(&format!("a@{}.com", "b.".repeat(130))), None);
    }

    #[test]
    fn placeholders_are_told_from_addresses() {
        for given in [
            "none@none.com",
            "noemail@gmail.com",
            "no-email@noemail.com",
            "n.a@na.com",
            "test@test.com",
            "test@example.com",
            "noreply@shop.example",
            "ada@noemail.com",
            "x@x.com",
            "abc@abc.com",
            "unknown@unknown.com",
            "no@email.com",
        ] {
            assert!(is_placeholder(given), "{given}");
        }
        for given in
            ["ada@example.com", "test.user@gmail.com", "nona@example.com", "mail@ada-lee.example", "info@acme.com"]
        {
            assert!(!is_placeholder(given), "{given}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(input in "[ <]?(mailto:)?[A-Za-z.+]{1,12}@[A-Za-z.-]{1,12}[>]?") {
            if let Some(once) = normalise(&input) {
                prop_assert_eq!(normalise(&once), Some(once.clone()));
            }
        }

        #[test]
        fn no_input_panics_and_what_is_kept_is_ascii(input in "\\PC*", host in "[a-zßéüñж.-]{1,20}") {
            let _ = normalise(&input);
            if let Some(kept) = normalise(&format!("ada@{host}")) {
                prop_assert!(kept.is_ascii());
                prop_assert_eq!(normalise(&display(&kept)), Some(kept.clone()));
            }
        }
    }
}
