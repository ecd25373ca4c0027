//! The proof by which a browser is shown its card again: a cookie that only the reveal gives, bound to one recipient.
//! Whoever has nothing but the link sends the form again with the same address as the first time.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use kernel::keyring::Keyring;
use uuid::Uuid;

/// How long the card is shown again without asking.
const DAYS: i64 = 90;

/// The cookie that the answer with a card gives.
pub fn cookie(keyring: &Keyring, recipient_id: Uuid, https: bool) -> Cookie<'static> {
    let mut cookie = Cookie::new(name(recipient_id), seal(keyring, recipient_id));
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_secure(https);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_max_age(time::Duration::days(DAYS));
    cookie
}

/// Whether a request carries it.
pub fn proves(keyring: &Keyring, headers: &HeaderMap, recipient_id: Uuid) -> bool {
    let jar = CookieJar::from_headers(headers);
    jar.get(&name(recipient_id)).is_some_and(|cookie| cookie.value() == seal(keyring, recipient_id))
}

/// One cookie a recipient: a family shares a browser.
fn name(recipient_id: Uuid) -> String {
    format!("ace_card_{}", recipient_id.simple())
}

fn seal(keyring: &Keyring, recipient_id: Uuid) -> String {
    let print = keyring.fingerprint("card shown", recipient_id.as_bytes());
    print.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_proves_one_recipient_to_one_server_and_no_script_reads_it() {
        let (ring, id) = (Keyring::for_tests(), Uuid::from_u128(1));
        let cookie = cookie(&ring, id, true);
        assert!(cookie.http_only() == Some(true) && cookie.secure() == Some(true));
        let headers = |text: &str| HeaderMap::from_iter([(axum::http::header::COOKIE, text.parse().unwrap())]);
        let sent = headers(&format!("{}={}", cookie.name(), cookie.value()));
        assert!(proves(&ring, &sent, id));
        assert!(!proves(&ring, &sent, Uuid::from_u128(2)) && !proves(&Keyring::generate(), &sent, id));
        assert!(!proves(&ring, &headers(&format!("{}=x", cookie.name())), id));
    }
}
