//! A stranger: somebody who follows a printed link, fills in a form, or a provider's callback.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};
use kernel::{Actor, Error, Origin, System};

use crate::limits::{Key, UNTRUSTED_PROXY};
use crate::{App, Failure};

/// Where a request of a public route came from.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Address, browser and request id.
    pub origin: Origin,
    /// The page that led here.
    pub referrer: Option<String>,
}

impl Visitor {
    /// The actor under which a public link is served.
    pub fn actor(&self) -> Actor {
        Actor::system(System::PublicLink).from(self.origin.clone())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let origin = parts.extensions.get::<Origin>().cloned();
        let origin = origin.ok_or_else(|| Error::internal("a route outside the route table"))?;
        Ok(Self { origin, referrer: text(&parts.headers, &header::REFERER) })
    }
}

/// The origin of a request: the peer, or what a trusted proxy says in front of it.
pub(crate) fn origin_of(app: &App, headers: &HeaderMap, extensions: &Extensions) -> Origin {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    Origin {
        request_id: extensions.get::<Origin>().map_or_else(kernel::new_id, |origin| origin.request_id),
        ip: client_ip(app, headers, peer),
        user_agent: text(headers, &header::USER_AGENT),
        idempotency_key: None,
    }
}

/// The address in front of our proxies; only what a trusted proxy says of its caller is believed.
fn client_ip(app: &App, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
    let peer = peer?.to_canonical();
    let trusted = |ip: &IpAddr| app.settings.security.trusted_proxies.iter().any(|proxy| proxy.contains(*ip));
    if headers.contains_key("x-forwarded-for") && !trusted(&peer) && is_told(app, peer) {
        tracing::warn!(
            %peer,
            "X-Forwarded-For came from an address that is not in security.trusted_proxies and is not believed: if it is your \
             proxy, all visitors count as one address"
        );
    }
    let lines = headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or(UNREADABLE));
    Some(in_front_of(peer, lines, trusted))
}

/// Whether an untrusted forwarder is worth a line in the log: once an hour for each.
fn is_told(app: &App, peer: IpAddr) -> bool {
    app.limits.spend(UNTRUSTED_PROXY, &Key::address(peer)).is_ok()
}

/// Stands for a header line that is no text.
const UNREADABLE: &str = "?";

/// Walks from `peer` outwards through the lines of `X-Forwarded-For`, as long as whoever speaks is a proxy of ours.
/// The lines are one list, whose last entry our own proxy wrote. An entry that is no address ends the walk: what
/// stands in front of it may be made up.
fn in_front_of<'a>(
    peer: IpAddr,
    lines: impl DoubleEndedIterator<Item = &'a str>,
    trusted: impl Fn(&IpAddr) -> bool,
) -> IpAddr {
    let mut nearest = peer;
    for entry in lines.rev().flat_map(|line| line.rsplit(',')).map(str::trim).filter(|entry| !entry.is_empty()) {
        match address(entry) {
            Some(ip) if trusted(&nearest) => nearest = ip,
            _ => break,
        }
    }
    nearest
}

/// An address as proxies write it: `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:443`.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let ip = bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()));
    ip.map(|ip: IpAddr| ip.to_canonical())
}

/// A header's text, at most 500 characters of it: it goes into rows.
fn text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let value = String::from_utf8_lossy(headers.get(name)?.as_bytes()).replace('\0', "");
    Some(value.chars().take(500).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(peer: &str, lines: &[&str]) -> String {
        let trusted = |ip: &IpAddr| ip.to_string().starts_with("10.") || ip.to_string().starts_with("fd00:");
        in_front_of(peer.parse().unwrap(), lines.iter().copied(), trusted).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed_and_a_proxy_only_about_its_own_caller() {
        assert_eq!(walk("192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
        assert_eq!(walk("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(walk("10.0.0.1", &["198.51.100.66, 192.0.2.1"]), "192.0.2.1");
        assert_eq!(walk("10.0.0.1", &["198.51.100.66, 192.0.2.1, 10.0.0.2"]), "192.0.2.1");
        assert_eq!(walk("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }

    #[test]
    fn several_lines_are_one_list_and_the_last_entry_is_our_proxys() {
        assert_eq!(walk("10.0.0.1", &["198.51.100.66", "192.0.2.1"]), "192.0.2.1");
        assert_eq!(walk("10.0.0.1", &["198.51.100.66", "192.0.2.1, 10.0.0.2", "10.0.0.3"]), "192.0.2.1");
    }

    #[test]
    fn ports_and_brackets_are_read() {
        assert_eq!(walk("10.0.0.1", &["192.0.2.1:50123"]), "192.0.2.1");
        assert_eq!(walk("10.0.0.1", &["[2001:db8::7]:443, [fd00::2], fd00::3"]), "2001:db8::7");
        assert_eq!(walk("10.0.0.1", &["::ffff:192.0.2.1"]), "192.0.2.1");
    }

    #[test]
    fn what_cannot_be_read_ends_the_walk() {
        assert_eq!(walk("10.0.0.1", &["198.51.100.66, unknown"]), "10.0.0.1");
        assert_eq!(walk("10.0.0.1", &["198.51.100.66, _hidden, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(walk("10.0.0.1", &["198.51.100.66", UNREADABLE]), "10.0.0.1");
        assert_eq!(walk("10.0.0.1", &["192.0.2.1, ,"]), "192.0.2.1");
    }
}
