//! `X-Twilio-Signature`: how a webhook proves that it comes from Twilio, or from our sandbox.
//!
//! base64(HMAC-SHA1(auth token, the full public URL + each POST parameter's name and value, sorted by name)). With a
//! JSON body the URL alone is signed, and its query parameter `bodySHA256` holds the body's hash.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The header that carries the signature.
pub const HEADER: &str = "X-Twilio-Signature";

/// The signature of a form posted to `url`.
pub fn of_form(token: &str, url: &str, form: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = form.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut signed = url.to_owned();
    for (name, value) in sorted {
        signed.push_str(name);
        signed.push_str(value);
    }
    sign(token, &signed)
}

/// The signature of a JSON body posted to `url`, which must carry `bodySHA256` already (see [`body_sha256`]).
pub fn of_json(token: &str, url: &str) -> String {
    sign(token, url)
}

/// The value of `bodySHA256` for a body.
pub fn body_sha256(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether `signature` is that of this form, with the URL as it is, with the default port, or without it.
pub fn verify_form(token: &str, url: &str, form: &[(String, String)], signature: &str) -> bool {
    any_spelling(url, signature, |spelling| of_form(token, spelling, form))
}

/// Whether `signature` is that of `url`, and the `bodySHA256` in its query that of `body`.
pub fn verify_json(token: &str, url: &str, body: &[u8], signature: &str) -> bool {
    let Some(claimed) = query_value(url, "bodySHA256") else {
        return false;
    };
    let same_body = claimed.as_bytes().ct_eq(body_sha256(body).as_bytes());
    let same_url = any_spelling(url, signature, |spelling| of_json(token, spelling));
    bool::from(same_body & Choice::from(u8::from(same_url)))
}

fn sign(token: &str, signed: &str) -> String {
    // HMAC takes a key of any length: the error cannot happen, and an empty answer verifies nothing.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else {
        return String::new();
    };
    mac.update(signed.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Compares in constant time, without telling which spelling of the URL it was.
fn any_spelling(url: &str, signature: &str, expected: impl Fn(&str) -> String) -> bool {
    let matched = spellings(url).iter().fold(Choice::from(0), |matched, spelling| {
        let expected = expected(spelling);
        matched
            | (expected.as_bytes().ct_eq(signature.trim().as_bytes()) & Choice::from(u8::from(!expected.is_empty())))
    });
    bool::from(matched)
}

/// The URL as given and, where the port is absent or the scheme's own, with and without it: proxies differ in which
/// one they show us, and so does Twilio in which one it signs.
fn spellings(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else {
        return all;
    };
    let default = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if let Some(bare) = authority.strip_suffix(default) {
        all.push(format!("{scheme}://{bare}{path}"));
    } else if !has_port(authority) {
        all.push(format!("{scheme}://{authority}{default}{path}"));
    }
    all
}

fn has_port(authority: &str) -> bool {
    // the colons inside an IPv6 address are not a port's
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let after_brackets = host.rsplit(']').next().unwrap_or(host);
    after_brackets.contains(':')
}

fn query_value<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    let query = query.split('#').next().unwrap_or(query);
    query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "12345";
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

    fn form() -> Vec<(String, String)> {
        [
            ("To", "+18005551212"),
            ("Digits", "1234"),
            ("CallSid", "CA1234567890ABCDE"),
            ("From", "+14158675309"),
            ("Caller", "+14158675309"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    #[test]
    fn the_published_vector_is_met_and_the_order_of_parameters_does_not_matter() {
        assert_eq!(of_form(TOKEN, URL, &form()), SIGNATURE);
        let reversed: Vec<_> = form().into_iter().rev().collect();
        assert!(verify_form(TOKEN, URL, &reversed, SIGNATURE));
    }

    #[test]
    fn any_change_is_refused() {
        let mut changed = form();
        changed[1].1 = "1235".into();
        assert!(!verify_form(TOKEN, URL, &changed, SIGNATURE));
        assert!(!verify_form(TOKEN, URL, &form()[1..], SIGNATURE));
        assert!(!verify_form("12346", URL, &form(), SIGNATURE));
        assert!(!verify_form(TOKEN, "https://mycompany.com/myapp.php?foo=1", &form(), SIGNATURE));
        assert!(!verify_form(TOKEN, "http://mycompany.com/myapp.php?foo=1&bar=2", &form(), SIGNATURE));
        for wrong in ["", "=", "RSOYDt4T1cUTdK1PDd93/VVr8B8", "rsoydt4t1cutdk1pdd93/vvr8b8="] {
            assert!(!verify_form(TOKEN, URL, &form(), wrong), "{wrong}");
        }
    }

    #[test]
    fn the_default_port_may_be_there_or_not() {
        for (seen, signed) in [
            ("https://ace.example/hook", "https://ace.example:443/hook"),
            ("https://ace.example:443/hook", "https://ace.example/hook"),
            ("http://ace.example?x=1", "http://ace.example:80?x=1"),
            ("https://[2001:db8::1]/hook", "https://[2001:db8::1]:443/hook"),
        ] {
            assert!(verify_form(TOKEN, seen, &form(), &of_form(TOKEN, signed, &form())), "{seen}");
        }
        for (seen, signed) in [
            ("https://ace.example/hook", "https://ace.example:8443/hook"),
            ("https://ace.example:8443/hook", "https://ace.example/hook"),
            ("https://ace.example/hook", "https://ace.example:80/hook"),
        ] {
            assert!(!verify_form(TOKEN, seen, &form(), &of_form(TOKEN, signed, &form())), "{seen}");
        }
    }

    #[test]
    fn a_json_body_is_bound_by_its_hash_in_the_url() {
        let body = br#"{"event":"delivered"}"#;
        let url = format!("https://ace.example/hook?bodySHA256={}", body_sha256(body));
        let signature = of_json(TOKEN, &url);
        assert!(verify_json(TOKEN, &url, body, &signature));
        assert!(!verify_json(TOKEN, &url, br#"{"event":"failed"}"#, &signature));
        assert!(!verify_json("other", &url, body, &signature));
        let bare = "https://ace.example/hook";
        assert!(!verify_json(TOKEN, bare, body, &of_json(TOKEN, bare)));
    }
}
