//! A stranger: somebody who follows a printed link, fills in a form, or a provider's callback.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};
use kernel::{Actor, Error, Origin, System};

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
        ip: forwarded(app, headers, peer).or(peer),
        user_agent: text(headers, &header::USER_AGENT),
    }
}

/// The last address in `X-Forwarded-For` that is not one of our proxies; only a trusted proxy is believed.
fn forwarded(app: &App, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
    let trusted = |ip: &IpAddr| app.settings.security.trusted_proxies.iter().any(|proxy| proxy.contains(*ip));
    peer.as_ref().filter(|ip| trusted(ip))?;
    let list = headers.get("x-forwarded-for")?.to_str().ok()?;
    list.rsplit(',').filter_map(|part| part.trim().parse().ok()).find(|ip| !trusted(ip))
}

/// A header's text, at most 500 characters of it: it goes into rows.
fn text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let value = String::from_utf8_lossy(headers.get(name)?.as_bytes()).replace('\0', "");
    Some(value.chars().take(500).collect())
}
