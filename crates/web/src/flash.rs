//! One sentence carried over a redirect, in a short-lived cookie: "Contact saved".

use askama::Template;
use askama::filters::HtmlSafe;
use axum_extra::extract::cookie::{Cookie, SameSite};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::view::Tone;

/// The cookie it travels in.
pub const COOKIE: &str = "ace_flash";

/// A message shown once at the top of the next page.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/flash.html")]
pub struct Flash {
    /// How it feels.
    pub tone: Tone,
    /// What it says.
    pub text: String,
}

impl HtmlSafe for Flash {}

impl Flash {
    /// Something was done.
    pub fn done(text: impl Into<String>) -> Self {
        Self { tone: Tone::Good, text: text.into() }
    }

    /// Something needs attention.
    pub fn warning(text: impl Into<String>) -> Self {
        Self { tone: Tone::Warning, text: text.into() }
    }

    /// The cookie that carries it to the next page. It is text to show, nothing is decided by it.
    pub fn cookie(&self) -> Cookie<'static> {
        let value = URL_SAFE_NO_PAD.encode(format!("{}:{}", self.tone.word(), self.text));
        let mut cookie = Cookie::new(COOKIE, value);
        cookie.set_path("/");
        cookie.set_http_only(true);
        cookie.set_same_site(SameSite::Lax);
        cookie
    }

    /// Reads the cookie's value; anything strange is no message.
    pub fn read(value: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (tone, text) = text.split_once(':')?;
        let tone = if tone == "warning" { Tone::Warning } else { Tone::Good };
        (!text.is_empty() && text.len() <= 500).then(|| Self { tone, text: text.into() })
    }

    /// The cookie that takes it away again once shown.
    pub fn spent() -> Cookie<'static> {
        let mut cookie = Cookie::new(COOKIE, "");
        cookie.set_path("/");
        cookie.make_removal();
        cookie
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_the_cookie_and_a_forged_one_is_only_text() {
        let flash = Flash::done("3 contacts imported – 1 refused");
        assert_eq!(Flash::read(flash.cookie().value()), Some(flash));
        assert_eq!(Flash::read("%%%"), None);
        let forged = URL_SAFE_NO_PAD.encode("done:<script>");
        assert!(Flash::read(&forged).is_some_and(|flash| !flash.to_string().contains("<script>")));
    }
}
