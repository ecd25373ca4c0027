//! Where a request for the console comes from, by what the browser says of it (`Sec-Fetch-*`, `Origin`).
//!
//! Pages of tenants may stand on the console's own address, so that being of the same origin is no proof. Only two kinds
//! of request are ours: a person going to a page, and htmx asking for a part of one. A picture, a frame or a style sheet
//! of the console is nothing any page of ours asks for. Browsers that say nothing are not refused here: the session's
//! cookie is `SameSite`, and forms are held against their `Origin`.

use axum::http::{HeaderMap, Method, Uri, header};

/// Whether a console page or its form may be asked for this way.
pub(crate) fn is_ours(method: &Method, headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let (site, destination) = (said("sec-fetch-site"), said("sec-fetch-dest"));
    if !method.is_safe() {
        // what a sandboxed page sends, and what a page sends that hides where it is
        return said("origin") != Some("null") && matches!(site, None | Some("same-origin" | "none"));
    }
    match destination {
        None | Some("document") => true,
        Some("empty") => headers.contains_key("hx-request") && matches!(site, None | Some("same-origin")),
        Some(_) => false,
    }
}

/// The page that a form was sent from, as a path; none where the browser does not tell.
pub(crate) fn page_of_form(method: &Method, headers: &HeaderMap) -> Option<String> {
    let page: Uri = headers.get(header::REFERER).filter(|_| !method.is_safe())?.to_str().ok()?.parse().ok()?;
    page.path_and_query().map(|path| path.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn asked(method: Method, headers: &[(&'static str, &'static str)]) -> bool {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        is_ours(&method, &headers.iter().map(pair).collect())
    }

    #[test]
    fn people_and_htmx_are_answered_and_pictures_frames_and_prefetches_are_not() {
        let get = |headers: &[(&'static str, &'static str)]| asked(Method::GET, headers);
        assert!(get(&[]));
        for site in ["none", "same-origin", "same-site", "cross-site"] {
            assert!(get(&[("sec-fetch-site", site), ("sec-fetch-dest", "document")]), "a link leads here: {site}");
        }
        assert!(get(&[("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "empty"), ("hx-request", "true")]));
        assert!(!get(&[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "empty"), ("hx-request", "true")]));
        for destination in ["empty", "image", "script", "style", "iframe", "frame", "object", "embed", "video", "?"] {
            for site in ["same-origin", "cross-site", "none"] {
                assert!(!get(&[("sec-fetch-site", site), ("sec-fetch-dest", destination)]), "{site} {destination}");
            }
        }
    }

    #[test]
    fn a_form_tells_the_page_it_was_typed_on() {
        let from = |method, page: &'static str| {
            let pair = (header::REFERER, HeaderValue::from_static(page));
            page_of_form(&method, &[pair].into_iter().collect())
        };
        let page = "https://ace.example.com/acme/landing-pages/new?starter=roofing";
        assert_eq!(from(Method::POST, page).as_deref(), Some("/acme/landing-pages/new?starter=roofing"));
        assert_eq!(from(Method::GET, page), None);
        assert_eq!(from(Method::POST, "about:blank"), None);
    }

    #[test]
    fn a_form_is_taken_from_our_own_pages_and_never_from_a_page_without_an_origin() {
        let post = |headers: &[(&'static str, &'static str)]| asked(Method::POST, headers);
        assert!(post(&[]) && post(&[("origin", "https://ace.example.com"), ("sec-fetch-site", "same-origin")]));
        assert!(!post(&[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        assert!(!post(&[("origin", "null")]));
        for site in ["cross-site", "same-site"] {
            assert!(!post(&[("sec-fetch-site", site)]), "{site}");
        }
    }
}
