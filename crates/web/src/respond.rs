//! Answers: pages, redirects with a word on the next page, JSON.

use std::borrow::Cow;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::Cookie;
use futures_util::stream::{Stream, StreamExt};
use kernel::Error;

use crate::Failure;
use crate::flash::Flash;
use crate::view;

/// What a handler returns.
pub type Result<T> = std::result::Result<T, Failure>;

/// A page.
///
/// # Errors
/// `Internal` when the template fails.
pub fn render(page: &impl Template) -> Result<Response> {
    render_with(StatusCode::OK, page)
}

/// A page with another status, such as a form that comes back with its errors (422).
///
/// # Errors
/// `Internal` when the template fails.
pub fn render_with(status: StatusCode, page: &impl Template) -> Result<Response> {
    let html = page.render().map_err(|e| Failure(Error::internal(e)))?;
    let mut response = (status, Html(view::name_fields(html))).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

/// To another page of ours, after a form. Whatever the path holds, the header is one that can be sent.
pub fn redirect(path: &str) -> Response {
    Redirect::to(&in_header(path)).into_response()
}

/// An address as a header may hold it: what has no place in an address is percent-encoded, bytes that are encoded stay.
pub(crate) fn in_header(address: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    if address.bytes().all(plain) {
        return Cow::Borrowed(address);
    }
    let encoded =
        address.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    Cow::Owned(encoded.collect())
}

/// To another page of ours, which then says `text` once.
pub fn redirect_with(path: &str, text: &str) -> Response {
    let mut response = redirect(path);
    set_cookie(&mut response, &Flash::done(text).cookie());
    response
}

/// Adds a cookie to an answer.
pub fn set_cookie(response: &mut Response, cookie: &Cookie<'static>) {
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// A body that comes in pieces. Compression asks once more after the end, which a stream need not bear: this one does.
pub fn streamed(pieces: impl Stream<Item = kernel::Result<Bytes>> + Send + 'static) -> Body {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that fuses")]
    Body::from_stream(pieces.fuse())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_led_to_stands_in_the_header() {
        for byte in 0..=255_u8 {
            let path = format!("/a{}b", char::from(byte));
            let response = redirect(&path);
            assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path:?}");
            assert!(response.headers()[header::LOCATION].to_str().is_ok(), "{path:?}");
        }
        assert_eq!(
            redirect("/acme/contacts?q=a%20b&x=1#y").headers()[header::LOCATION],
            "/acme/contacts?q=a%20b&x=1#y"
        );
        assert_eq!(redirect("/a\r\nset-cookie: x").headers()[header::LOCATION], "/a%0D%0Aset-cookie:%20x");
        assert_eq!(redirect("/é").headers()[header::LOCATION], "/%C3%A9");
    }
}
