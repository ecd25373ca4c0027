//! What a tenant's HTML and CSS become before strangers see them: no scripts, no forms but ours, no other hosts
//! called by the style sheet.
//!
//! The pages are also served under a strict Content-Security-Policy; this is the first lock of the two.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::{generated, lookalike};

/// The tags that may stand in a link: they hold addresses ACE made.
const LINK_TAGS: [&str; 1] = ["{{redemption_url}}"];

/// HTML with layout, text, images and links, and nothing that runs.
pub fn html(dirty: &str) -> String {
    let layout: HashSet<&str> =
        ["section", "header", "footer", "main", "nav", "article", "figure", "figcaption", "picture"].into();
    ammonia::Builder::default()
        .add_tags(layout)
        // makes a word read as another
        .rm_tags(["bdo"])
        .add_generic_attributes(["class", "id", "role", "aria-label", "aria-hidden"])
        .url_schemes(["http", "https", "mailto", "tel", "sms"].into())
        .link_rel(Some("noopener noreferrer"))
        .attribute_filter(|_, attribute, value| link_without_tags(attribute, value))
        .clean(dirty)
        .to_string()
}

/// A merge tag in an address could become any address; only ours may stand there, and alone.
fn link_without_tags<'v>(attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let address = matches!(attribute, "href" | "src" | "cite" | "srcset" | "action" | "poster");
    if address && value.contains("{{") && !LINK_TAGS.contains(&value.trim()) {
        return None;
    }
    Some(value.into())
}

/// CSS without imports, other hosts, or a way out of the style sheet.
///
/// # Errors
/// A sentence that names what is not allowed.
pub fn css(dirty: &str) -> Result<String, String> {
    // Comments and escapes are how forbidden words hide; neither is needed in a page's style.
    let lower = dirty.to_ascii_lowercase();
    for (word, why) in [
        ("\\", "escapes (\\) are not allowed"),
        ("@import", "@import is not allowed: paste the rules instead"),
        ("url(", "url() is not allowed: put pictures into the HTML"),
        ("image-set(", "image-set() is not allowed: put pictures into the HTML"),
        ("expression(", "expression() is not allowed"),
        ("behavior:", "behavior is not allowed"),
        ("-moz-binding", "-moz-binding is not allowed"),
        ("text-security", "-webkit-text-security is not allowed: it makes a field look like one for passwords"),
        ("unicode-bidi", "unicode-bidi is not allowed: it makes a word read as another"),
        ("@font-face", "@font-face is not allowed: name fonts that phones and computers have"),
        ("@counter-style", "@counter-style is not allowed: it writes words"),
        ("symbols(", "symbols() is not allowed: it writes words"),
        ("attr(", "attr() is not allowed: it writes words"),
        ("<", "the character < is not allowed"),
    ] {
        if lower.contains(word) {
            return Err(why.to_owned());
        }
    }
    if lower.contains("/*") {
        return Err("comments are not allowed".to_owned());
    }
    if lookalike::style_asks_for_password(dirty) {
        return Err("a style cannot speak of passwords".to_owned());
    }
    generated::check(dirty)?;
    Ok(dirty.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_runs_is_left() {
        let clean = html(
            r#"<h1 onclick="x()">Hi {{first_name|there}}</h1><script>x()</script><a href="javascript:x()">a</a>
               <form action="https://evil.example"><input></form><iframe src="x"></iframe>{{form}}"#,
        );
        assert!(clean.contains("<h1>Hi {{first_name|there}}</h1>") && clean.contains("{{form}}"));
        assert_eq!(html("<bdo dir=rtl>drow</bdo>"), "drow");
        for gone in ["script", "onclick", "javascript", "<form", "<input", "iframe"] {
            assert!(!clean.contains(gone), "{gone} is left in {clean}");
        }
    }

    #[test]
    fn a_merge_tag_cannot_become_an_address_but_for_ours() {
        let clean = html(r#"<a href="{{custom_fields.x}}">a</a><a href="{{redemption_url}}">b</a>"#);
        assert!(!clean.contains("custom_fields"));
        assert!(clean.contains(r#"href="{{redemption_url}}""#));
    }

    #[test]
    fn css_cannot_call_other_hosts_or_leave_its_sheet() {
        assert_eq!(css(" h1 { color: #333; } ").unwrap(), "h1 { color: #333; }");
        for dirty in [
            "@import 'x'",
            "a{background:URL(//x)}",
            "</style>",
            "a{b:\\75rl(x)}",
            "u/**/rl(x)",
            "input[name=a]{-WEBKIT-TEXT-SECURITY:disc}",
            "label::after{content:'Pass-word'}",
            "i{unicode-bidi:bidi-override;direction:rtl}",
        ] {
            assert!(css(dirty).is_err(), "{dirty}");
        }
    }
}
