//! Rate limits: per key or person on the API, per address on public routes, and whatever a domain wants counted.
//!
//! Kept in each process's memory: a deployment of several processes allows that many times the limit.
//! What each limit protects, and whom it may hit, stands in `docs/operations.md`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock as GovernorClock, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota as GovernorQuota, RateLimiter};
use kernel::{Clock, Error, Origin, Result, Who};
use uuid::Uuid;

use crate::{App, Caller, Kind, RouteSpec};

/// After so many more spends than keys a limiter forgets those it need not remember.
const SWEEP_EVERY: usize = 4096;

/// So many requests in such a time, counted under one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    /// What is counted: `api`, `public`, `wrong_token`.
    pub name: &'static str,
    /// How many are allowed.
    pub requests: u32,
    /// In how many seconds.
    pub seconds: u32,
}

/// Keys, tokens and cookies from one address that are not good. What is refused beyond are wrong ones only.
pub(crate) const WRONG_CREDENTIALS: Rule = Rule { name: "wrong_credentials", requests: 100, seconds: 60 };
/// A line in the log about a proxy that is not trusted.
pub(crate) const UNTRUSTED_PROXY: Rule = Rule { name: "untrusted_proxy", requests: 1, seconds: 3600 };

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// An address; the whole /64 of an IPv6 one, which is what one subscriber has.
    Address(IpAddr),
    /// A person, a key, a recipient.
    Id(Uuid),
    /// Anything else, such as an e-mail address.
    Text(String),
}

impl Key {
    /// The key of an address.
    pub fn address(ip: IpAddr) -> Self {
        Self::Address(subscriber(ip))
    }
}

/// What one subscriber has: an IPv4 address, or the /64 that an IPv6 one lies in.
pub fn subscriber(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None => IpAddr::V6((v6.to_bits() & (u128::MAX << 64)).into()),
        },
    }
}

/// What is left after a request was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    rule: Rule,
    remaining: u32,
}

impl Left {
    /// Nothing: the rule has just refused.
    pub(crate) fn nothing(rule: Rule) -> Self {
        Self { rule, remaining: 0 }
    }

    /// Tells the caller, in the two headers of draft-ietf-httpapi-ratelimit-headers.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let Rule { name, requests, seconds } = self.rule;
        let full_again =
            u64::from(requests - self.remaining.min(requests)) * u64::from(seconds) / u64::from(requests.max(1));
        for (header, value) in [
            ("ratelimit-policy", format!("\"{name}\";q={requests};w={seconds}")),
            ("ratelimit", format!("\"{name}\";r={};t={full_again}", self.remaining)),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(header), value);
            }
        }
    }
}

#[derive(Debug, Clone)]
struct AppClock(Clock);

/// The application's clock as nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct At(u64);

impl std::ops::Add<Nanos> for At {
    type Output = Self;

    fn add(self, other: Nanos) -> Self {
        Self(self.0.saturating_add(other.as_u64()))
    }
}

impl Reference for At {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_sub(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.checked_sub(duration.into()).unwrap_or(self.0))
    }
}

impl GovernorClock for AppClock {
    type Instant = At;

    fn now(&self) -> At {
        At(u64::try_from(self.0.now().timestamp_nanos_opt().unwrap_or_default()).unwrap_or_default())
    }
}

type Limiter = RateLimiter<Key, DefaultKeyedStateStore<Key>, AppClock, StateInformationMiddleware>;

struct Counted {
    limiter: Limiter,
    spends: AtomicUsize,
}

/// Every limiter of this process.
pub struct Limits {
    clock: Clock,
    rules: RwLock<HashMap<Rule, Arc<Counted>>>,
}

impl Limits {
    /// No request counted yet.
    pub fn new(clock: Clock) -> Self {
        Self { clock, rules: RwLock::default() }
    }

    /// Counts one request of `key` against `rule`. A rule of zero requests counts nothing: it is switched off.
    ///
    /// # Errors
    /// `TooMany` with the seconds until the next one can be allowed.
    pub fn spend(&self, rule: Rule, key: &Key) -> Result<Left> {
        let (Some(requests), true) = (NonZeroU32::new(rule.requests), rule.seconds > 0) else {
            return Ok(Left { rule, remaining: 0 });
        };
        let counted = self.counted(rule, requests)?;
        let spent = counted.spends.fetch_add(1, Ordering::Relaxed);
        if spent.is_multiple_of(SWEEP_EVERY) && counted.limiter.len() > SWEEP_EVERY {
            counted.limiter.retain_recent();
        }
        match counted.limiter.check_key(key) {
            Ok(state) => Ok(Left { rule, remaining: state.remaining_burst_capacity() }),
            Err(refused) => {
                let wait = refused.wait_time_from(GovernorClock::now(&AppClock(self.clock.clone())));
                Err(Error::TooMany { retry_after: wait.as_secs() + u64::from(wait.subsec_nanos() > 0) })
            }
        }
    }

    fn counted(&self, rule: Rule, requests: NonZeroU32) -> Result<Arc<Counted>> {
        if let Some(counted) = self.rules.read().unwrap_or_else(PoisonError::into_inner).get(&rule) {
            return Ok(Arc::clone(counted));
        }
        let one_back_every = Duration::from_secs(u64::from(rule.seconds)) / rule.requests;
        let quota = GovernorQuota::with_period(one_back_every)
            .ok_or_else(|| Error::internal("a rate limit without a period"))?;
        let (quota, keys) = (quota.allow_burst(requests), DefaultKeyedStateStore::default());
        let limiter: Limiter = RateLimiter::new(quota, keys, AppClock(self.clock.clone()));
        let counted = Counted { limiter, spends: AtomicUsize::new(0) };
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(rules.entry(rule).or_insert_with(|| Arc::new(counted))))
    }
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").finish_non_exhaustive()
    }
}

/// What a request of a public route counts against: its address. Callbacks of providers have a rule of their own, for
/// they arrive in bursts from few addresses. Health is not counted: it is asked from where all requests seem to come from
/// when a proxy was not declared, and a balancer that is refused takes the process for dead.
pub(crate) fn public(app: &App, spec: &RouteSpec, origin: &Origin) -> Option<(Rule, Key)> {
    let limits = &app.settings.limits;
    let rule = if matches!(spec.path, "/healthz" | "/readyz") {
        return None;
    } else if spec.path.starts_with("/hooks/") {
        Rule { name: "receivers", requests: limits.receivers_per_minute, seconds: 60 }
    } else {
        Rule { name: "public", requests: limits.public_per_minute, seconds: 60 }
    };
    origin.ip.map(|ip| (rule, Key::address(ip)))
}

/// What a request of the API counts against: its key or person. The console is not counted: its pages ask for their
/// live parts.
pub(crate) fn caller(app: &App, caller: &Caller, kind: Kind) -> Option<(Rule, Key)> {
    let (Kind::Api, Who::User(id) | Who::Key(id)) = (kind, caller.actor.who) else { return None };
    Some((Rule { name: "api", requests: app.settings.limits.api_per_minute, seconds: 60 }, Key::Id(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { name: "test", requests: 3, seconds: 60 };

    fn limits() -> (Limits, Clock) {
        let clock = Clock::manual(chrono::DateTime::UNIX_EPOCH + chrono::Duration::days(20_000));
        (Limits::new(clock.clone()), clock)
    }

    #[test]
    fn the_fourth_of_three_is_refused_until_time_has_passed_and_others_are_not_held_for_it() {
        let (limits, clock) = limits();
        let (one, other) = (Key::Id(kernel::new_id()), Key::Id(kernel::new_id()));
        let left: Vec<u32> = (0..3).map(|_| limits.spend(RULE, &one).unwrap().remaining).collect();
        assert_eq!(left, [2, 1, 0]);
        assert_eq!(limits.spend(RULE, &one), Err(Error::TooMany { retry_after: 20 }));
        assert!(limits.spend(RULE, &other).is_ok());
        clock.advance(chrono::Duration::seconds(20));
        assert!(limits.spend(RULE, &one).is_ok());
        assert!(limits.spend(RULE, &one).is_err());
    }

    #[test]
    fn one_subscribers_ipv6_addresses_count_together_and_a_mapped_one_is_its_ipv4() {
        let key = |text: &str| Key::address(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }

    #[test]
    fn a_limit_of_zero_is_no_limit() {
        let (limits, _) = limits();
        let off = Rule { requests: 0, ..RULE };
        assert!((0..100).all(|_| limits.spend(off, &Key::Text("a".into())).is_ok()));
    }

    #[test]
    fn the_headers_say_what_is_left_and_when_all_is_back() {
        let mut headers = HeaderMap::new();
        Left { rule: RULE, remaining: 1 }.tell(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"test\";q=3;w=60");
        assert_eq!(headers["ratelimit"], "\"test\";r=1;t=40");
    }
}
