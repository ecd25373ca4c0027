//! The built files of `web/dist`, embedded in the binary and served under a URL that holds the hash of their
//! content, so that browsers keep them for good.

use std::collections::HashMap;
use std::sync::OnceLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Dist;

/// Content that never changes under its URL.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

fn urls() -> &'static HashMap<String, String> {
    static URLS: OnceLock<HashMap<String, String>> = OnceLock::new();
    URLS.get_or_init(|| {
        let hashed = |name: String| {
            let content = Dist::get(&name)?.data;
            let digest = Sha256::digest(&content);
            let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            let url = format!("/assets/{hash}/{name}");
            Some((name, url))
        };
        Dist::iter().filter_map(|name| hashed(name.into_owned())).collect()
    })
}

/// The URL of a built file. Before the first asset build it leads nowhere, and pages go without.
pub fn url(name: &str) -> &'static str {
    urls().get(name).map_or("/assets/none", String::as_str)
}

/// A built file for `/assets/{hash}/{*name}`; the hash only serves the cache, so an old one gets the new content
/// without being kept.
pub fn serve(hash: &str, name: &str) -> Response {
    let Some(file) = Dist::get(name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let current = url(name).split('/').nth(2) == Some(hash);
    let cache = if current { FOREVER } else { HeaderValue::from_static("no-cache") };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type(name))),
        (header::CACHE_CONTROL, cache),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, file.data.into_owned()).into_response()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

/// The colour of a client's brand as a style sheet for `/assets/brand/{colour}`, so that pages for recipients
/// need no inline style. The ink on it is black or white, whichever reads better.
pub fn brand(colour: &str) -> Response {
    let Some(rgb) = parse_colour(colour.trim_end_matches(".css")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let [red, green, blue] = rgb;
    let ink = if luminance(rgb) > 0.179 { "#000" } else { "#fff" };
    let css = format!(":root{{--brand:rgb({red} {green} {blue});--brand-ink:{ink}}}");
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8")), (header::CACHE_CONTROL, FOREVER)];
    (headers, css).into_response()
}

/// The style sheet URL of a brand colour such as `#0f766e`; none when it is not a colour.
pub fn brand_url(colour: &str) -> Option<String> {
    let hex = colour.trim_start_matches('#').to_ascii_lowercase();
    parse_colour(&hex).map(|_| format!("/assets/brand/{hex}.css"))
}

fn parse_colour(hex: &str) -> Option<[u8; 3]> {
    if hex.len() != 6 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let part = |from: usize| u8::from_str_radix(&hex[from..from + 2], 16).ok();
    Some([part(0)?, part(2)?, part(4)?])
}

/// Relative luminance as WCAG defines it.
fn luminance([red, green, blue]: [u8; 3]) -> f64 {
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brand_colour_gets_ink_that_reads_on_it_and_anything_else_is_not_found() {
        assert_eq!(brand_url("#0F766E").as_deref(), Some("/assets/brand/0f766e.css"));
        assert_eq!(brand_url("red;}"), None);
        assert!(luminance([255, 240, 0]) > 0.179);
        assert!(luminance([15, 118, 110]) < 0.179);
        assert_eq!(brand("}body{").status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_style_sheet_asks_for_the_font_where_pages_preload_it() {
        let Some(sheet) = Dist::get("app.css") else { return };
        let sheet = String::from_utf8_lossy(&sheet.data).into_owned();
        let fonts: Vec<&str> = sheet.split("url(").filter(|part| part.contains("woff2)")).collect();
        assert_eq!(fonts.len(), 1, "{fonts:?}");
        assert!(fonts[0].starts_with(url("inter.woff2")), "{}", &fonts[0][..60]);
    }

    #[test]
    fn a_file_that_was_not_built_is_not_found_and_paths_do_not_climb() {
        assert_eq!(serve("x", "../Cargo.toml").status(), StatusCode::NOT_FOUND);
        assert_eq!(serve("x", "nothing.css").status(), StatusCode::NOT_FOUND);
    }
}
