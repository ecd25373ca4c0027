//! Two hosts, where `server.pages_url` is set: one for what tenants write and strangers read, one for everything else.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use kernel::Error;

use crate::{App, failure};

/// The first words of the paths of recipients' pages, their style, and forms.
const RECIPIENTS: [&str; 4] = ["r", "q", "f", "p"];
/// What both hosts answer, and every other name a machine asks by: health, and what pages are made of.
const SHARED: [&str; 5] = ["assets", "healthz", "readyz", "robots.txt", "favicon.ico"];

/// Whether a path is a recipient's page or a form.
pub fn is_recipients(path: &str) -> bool {
    RECIPIENTS.iter().any(|word| first(path).eq_ignore_ascii_case(word))
}

fn first(path: &str) -> &str {
    path.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default()
}

/// Answers each path on its own host only.
pub(crate) async fn keep_apart(State(app): State<App>, request: Request, next: Next) -> Response {
    let server = &app.settings.server;
    let path = request.uri().path();
    if server.pages_url.is_empty() || SHARED.contains(&first(path)) {
        return next.run(request).await;
    }
    let given = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let asked = request.uri().authority().map(http::uri::Authority::as_str).or(given).unwrap_or_default();
    let is = |url: &str| is_host(asked, url);
    if is_recipients(path) {
        if is(&server.pages_url) { next.run(request).await } else { misdirected(&app, request.uri()) }
    } else if is(&server.public_url) {
        next.run(request).await
    } else if crate::routes::is_of_programs(path) {
        failure::problem(&Error::NotFound, kernel::new_id())
    } else {
        (StatusCode::NOT_FOUND, "There is nothing here.").into_response()
    }
}

/// Whether a `Host` is that of an address; the port its scheme implies may be left out.
fn is_host(asked: &str, url: &str) -> bool {
    let Some((scheme, host)) = url.split_once("://") else { return false };
    let implied = if scheme == "https" { ":443" } else { ":80" };
    let bare = |host: &str| host.strip_suffix(implied).unwrap_or(host).to_ascii_lowercase();
    bare(asked) == bare(host)
}

/// A page that was printed with another address: says where it is, for who holds the piece can go on.
fn misdirected(app: &App, uri: &http::Uri) -> Response {
    let link = app.link(uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str));
    let link = link.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>This page has moved</title></head>\
         <body><h1>This page has moved</h1><p><a href=\"{link}\" rel=\"noreferrer\">Go on to your page</a></p></body></html>"
    );
    (StatusCode::MISDIRECTED_REQUEST, [(header::CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_recipients_by_its_first_word_alone() {
        for path in ["/r/7K2M9QRX4T", "/R/7K2M9QRX4T", "/q/x", "/f/x?r=y", "/p/x.css", "/r"] {
            assert!(is_recipients(path), "{path}");
        }
        for path in ["/", "/reset/x", "/fresh/home", "/acme/r/x", "/v1/forms", "/pages"] {
            assert!(!is_recipients(path), "{path}");
        }
    }

    #[test]
    fn hosts_are_told_apart_by_name_and_port() {
        assert!(
            is_host("GO.example.com", "https://go.example.com")
                && is_host("go.example.com:443", "https://go.example.com")
        );
        assert!(is_host("127.0.0.1:8080", "http://127.0.0.1:8080"));
        for other in ["", "go.example.com:80", "ace.example.com", "go.example.com.evil.example"] {
            assert!(!is_host(other, "https://go.example.com"), "{other}");
        }
    }
}
