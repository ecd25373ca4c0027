//! What a page that a tenant wrote may do in a browser, whatever the cleaning let through. Such pages may stand on the
//! console's own address, so they get an origin of their own (`sandbox`): no cookie goes along with what they load or
//! send, and nothing of the console can be read from them.

use axum::http::HeaderValue;
use kernel::{Error, Result};
use uuid::Uuid;
use web::App;

/// What the sandbox leaves: forms, and links to other sites, phones and mail programs. Scripts are not its matter:
/// `default-src` lets none run, and without an origin they would reach nothing. `allow-same-origin` never stands here.
const SANDBOX: &str = "sandbox allow-forms allow-scripts allow-popups allow-popups-to-escape-sandbox \
    allow-top-navigation-to-custom-protocols";

/// Where a page may send a form, where it may be shown, and a style that stands in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policy<'a> {
    /// The one form it may send; none when absent.
    pub form: Option<Uuid>,
    /// The host that was asked, where it may be another than the one in links.
    pub host: Option<&'a str>,
    /// Whether other sites may show it in a frame.
    pub framable: bool,
    /// What its own `style` elements carry.
    pub style_nonce: Option<&'a str>,
    /// What the one script carries that tells of a person. Nobody who gets markup into the page knows it.
    pub script_nonce: Option<&'a str>,
}

impl Policy<'_> {
    /// The `Content-Security-Policy`.
    ///
    /// # Errors
    /// `Internal` when an address in it is none.
    pub fn header(&self, app: &App) -> Result<HeaderValue> {
        let at = |path: &str| self.everywhere(app, path);
        let form_action = self.form.map_or_else(|| "'none'".to_owned(), |id| at(&format!("/f/{id}")));
        let pictures = ["/assets/", "/p/", "/r/"].map(at).join(" ");
        let nonce = self.style_nonce.map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
        let script = self.script_nonce.map(|nonce| format!("; script-src 'nonce-{nonce}'; connect-src 'self'"));
        let script = script.unwrap_or_default();
        let ancestors = if self.framable { "*" } else { "'none'" };
        HeaderValue::from_str(&format!(
            "{SANDBOX}; default-src 'none'; style-src 'self'{nonce}; img-src data: https: {pictures}; font-src 'self'; \
             form-action {form_action}; base-uri 'none'; frame-ancestors {ancestors}{script}"
        ))
        .map_err(Error::internal)
    }

    /// A path as a source: on the host of links, and on the one that was asked.
    fn everywhere(&self, app: &App, path: &str) -> String {
        let base = app.settings.server.pages().trim_end_matches('/');
        match self.host.filter(|host| is_plain(host) && !base.ends_with(&format!("//{host}"))) {
            Some(host) => format!("{base}{path} {host}{path}"),
            None => format!("{base}{path}"),
        }
    }
}

/// Whether a `Host` is a name or an address with a port, and nothing that could begin another rule.
fn is_plain(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_host_can_begin_another_rule() {
        assert!(is_plain("127.0.0.1:8080") && is_plain("[::1]:8080") && is_plain("go.example.com"));
        for host in ["", "a b", "a;script-src", "a,b", "'self'", "*", "a/b"] {
            assert!(!is_plain(host), "{host}");
        }
    }
}
