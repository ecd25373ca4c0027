//! Addresses in the form that SMTP takes: ASCII, the domain in punycode. The sandbox asks the same of them.

use lettre::Address;
use lettre::message::Mailbox;
use reqwest::Url;

use crate::delivery::SendError;

/// An address whose domain may be written in any script.
///
/// # Errors
/// Permanent when it is none, or when the part before the `@` is not ASCII: hardly a server takes those.
pub(crate) fn address(text: &str, whose: &str) -> Result<Address, SendError> {
    let wrong = || SendError::permanent("address", format!("{whose} has no valid e-mail address"));
    let (local, domain) = text.trim().rsplit_once('@').ok_or_else(wrong)?;
    if !local.is_ascii() {
        let text = format!("{whose} has an address with letters before the @ that mail servers do not take");
        return Err(SendError::permanent("address", text));
    }
    let domain = if domain.is_ascii() { domain.to_owned() } else { punycode(domain).ok_or_else(wrong)? };
    Address::new(local, domain).map_err(|_| wrong())
}

/// A sender or recipient as people write it: an address, or a name and an address in angle brackets. The name may hold
/// anything, with quotes around it or without.
///
/// # Errors
/// As for [`address`].
pub(crate) fn mailbox(text: &str, whose: &str) -> Result<Mailbox, SendError> {
    let text = text.trim();
    let Some((name, rest)) = text.rsplit_once('<') else { return Ok(Mailbox::new(None, address(text, whose)?)) };
    let inside = rest.strip_suffix('>').filter(|inside| !inside.contains('>'));
    let inside =
        inside.ok_or_else(|| SendError::permanent("address", format!("{whose} has no valid e-mail address")))?;
    let name = name.trim();
    let quoted = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let name = quoted.map_or_else(|| name.to_owned(), |inside| inside.replace("\\\"", "\"").replace("\\\\", "\\"));
    if name.chars().any(char::is_control) {
        return Err(SendError::permanent("address", format!("{whose} has a line break in the name")));
    }
    Ok(Mailbox::new(Some(name).filter(|name| !name.is_empty()), address(inside, whose)?))
}

fn punycode(domain: &str) -> Option<String> {
    let url = Url::parse(&format!("http://{domain}/")).ok()?;
    let host = url.host_str()?;
    let is_bare = url.path() == "/" && url.port().is_none() && url.username().is_empty() && url.query().is_none();
    (is_bare && host.is_ascii()).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_of_any_script_go_out_in_ascii() {
        assert_eq!(address("ada@bücher.example", "x").unwrap().to_string(), "ada@xn--bcher-kva.example");
        assert_eq!(address(" Ada@Example.com ", "x").unwrap().to_string(), "Ada@Example.com");
        for wrong in [
            "ädä@example.com",
            "not-an-email",
            "ada@",
            "@example.com",
            "ada@bücher.example/x",
            "ada@ü:25",
            "a b@example.com",
        ] {
            assert!(matches!(address(wrong, "x"), Err(SendError::Permanent { .. })), "{wrong}");
        }
    }

    #[test]
    fn a_senders_name_may_hold_commas_and_quotes() {
        for (text, name) in [
            ("Roof & Sons, Inc. <hi@roof.example>", Some("Roof & Sons, Inc.")),
            ("\"Roof & Sons, Inc.\" <hi@roof.example>", Some("Roof & Sons, Inc.")),
            ("Acme (East): \"The\" Roofers <hi@roof.example>", Some("Acme (East): \"The\" Roofers")),
            ("Bücher <hi@roof.example>", Some("Bücher")),
            ("<hi@roof.example>", None),
            ("hi@roof.example", None),
        ] {
            let mailbox = mailbox(text, "x").unwrap();
            assert_eq!(
                (mailbox.name.as_deref(), mailbox.email.to_string().as_str()),
                (name, "hi@roof.example"),
                "{text}"
            );
        }
        for wrong in
            ["Roof <hi@roof.example> x", "Roof <hi@roof.example", "Roof <>", "", "Roof", "A\nB <hi@roof.example>"]
        {
            assert!(mailbox(wrong, "x").is_err(), "{wrong:?}");
        }
    }
}
