//! Counting wrong passwords and codes, before they are checked, so that many at once count as many.
//!
//! What is being checked is not wrong yet. So the tries at one account from one place are checked one after another: were
//! they counted side by side, a fifth right one at the same moment would run into the lock for wrong ones. A guesser who
//! sends many at once stands in that line, too, and finds the lock after five; of several processes, each checks one.
//!
//! Three counters stop three people and should hit nobody else:
//! - by account and place: somebody who guesses at one account. Five wrong ones lock that account for that place.
//! - by account over all places: somebody who guesses from many addresses. It does not hold up the person at a place they
//!   have signed in from before; otherwise any stranger could lock anybody out.
//! - by place over all accounts: somebody who tries one password with many addresses. It does not hold up people who have
//!   signed in from there before; otherwise one machine could lock out its whole office.
//!
//! Right ones are taken back. Whoever is locked out all the same sets a new password by mail, which forgets the wrong ones.

use std::sync::LazyLock;

use chrono::{DateTime, Duration, Utc};
use database::Scope;
use kernel::{Error, Origin, Result};
use tokio::sync::OwnedSemaphorePermit;
use web::App;
use web::limits::subscriber;
use web::lines::Lines;

use crate::store::session;

/// Tries at an account are forgotten after a day without one.
const A_DAY: Duration = Duration::days(1);
/// Tries from a place are forgotten after a pause.
const A_PAUSE: Duration = Duration::minutes(10);
/// So many wrong ones lock an account for a place, or altogether where no place is known.
const AT_ONE_ACCOUNT: i32 = 5;
/// So many wrong ones from all places lock an account for places it does not know.
const FROM_ALL_PLACES: i32 = 100;
/// So many wrong ones without a pause lock a place for people it does not know.
const AT_ALL_ACCOUNTS: i32 = 100;

/// The longest somebody waits until the tries before theirs are checked.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(10);

static IN_CHECK: LazyLock<Lines<Vec<u8>>> = LazyLock::new(Lines::default);

/// One counter a try counts against.
struct Counter {
    key: Vec<u8>,
    at_most: i32,
    forgotten_after: Duration,
    spares_known_places: bool,
}

/// A try that was counted. Until it is dropped, the next one at the account from the same place waits.
#[must_use = "a right one is taken back"]
pub(super) struct Tried {
    counted: Vec<Vec<u8>>,
    _turn: OwnedSemaphorePermit,
}

fn counters(app: &App, origin: &Origin, address: &str) -> Vec<Counter> {
    let at_account = |at_most, spares_known_places| Counter {
        key: by_account(app, address),
        at_most,
        forgotten_after: A_DAY,
        spares_known_places,
    };
    let Some(ip) = origin.ip.map(subscriber) else { return vec![at_account(AT_ONE_ACCOUNT, false)] };
    vec![
        Counter {
            key: by_account_and_place(app, address, ip),
            at_most: AT_ONE_ACCOUNT,
            forgotten_after: A_DAY,
            spares_known_places: false,
        },
        at_account(FROM_ALL_PLACES, true),
        Counter {
            key: fingerprint(app, &format!("from {ip}")),
            at_most: AT_ALL_ACCOUNTS,
            forgotten_after: A_PAUSE,
            spares_known_places: true,
        },
    ]
}

fn fingerprint(app: &App, counted: &str) -> Vec<u8> {
    app.keyring.fingerprint("failed sign-ins", counted.as_bytes()).to_vec()
}

fn by_account(app: &App, address: &str) -> Vec<u8> {
    fingerprint(app, address)
}

fn by_account_and_place(app: &App, address: &str, ip: std::net::IpAddr) -> Vec<u8> {
    fingerprint(app, &format!("{address} from {ip}"))
}

/// Waits until what was tried before at the account from this place is checked.
async fn turn(key: Vec<u8>) -> Result<OwnedSemaphorePermit> {
    let turn = tokio::time::timeout(LONGEST, IN_CHECK.of(key, 1).acquire_owned()).await;
    let busy = |_| Error::Unavailable("many try to sign in to this account at once; try again in a minute".into());
    turn.map_err(busy)?.map_err(Error::internal)
}

/// Counts a try, before it is checked.
///
/// # Errors
/// `TooMany` while the account is locked for whoever asks; `Unavailable` when too many were before.
pub(super) async fn count_try(app: &App, scope: &Scope<'_>, address: &str) -> Result<Tried> {
    let origin = &scope.actor().origin;
    let counters = counters(app, origin, address);
    let own = counters.first().map(|counter| counter.key.clone()).unwrap_or_default();
    let mut tried = Tried { counted: Vec::new(), _turn: turn(own).await? };
    let now = app.clock.now();
    for counter in counters {
        let params: database::Params<'_> = &[&counter.key, &now, &(now - counter.forgotten_after), &counter.at_most];
        if scope.execute(&session::COUNT_TRY, params).await? > 0 {
            tried.counted.push(counter.key);
            continue;
        }
        if counter.spares_known_places && knows_place(scope, address).await? {
            continue;
        }
        take_back(scope, tried).await?;
        let until: Option<DateTime<Utc>> = scope.query_scalar(&session::LOCKED_UNTIL, &[&counter.key]).await?;
        let wait = until.map_or(1_i64, |until| (until - now).num_seconds().max(1));
        return Err(Error::TooMany { retry_after: wait.unsigned_abs() });
    }
    Ok(tried)
}

/// What was right is no try towards a lock. Earlier wrong ones stay counted until the sign-in is complete: knowing one of
/// two secrets must not give more tries at the other.
pub(super) async fn take_back(scope: &Scope<'_>, tried: Tried) -> Result<()> {
    scope.execute(&session::TAKE_BACK_TRIES, &[&tried.counted]).await.map(|_| ())
}

/// The counters that a complete sign-in, or a new password, forgets.
pub(super) fn forgotten(app: &App, origin: &Origin, address: &str) -> Vec<Vec<u8>> {
    let here = origin.ip.map(subscriber).map(|ip| by_account_and_place(app, address, ip));
    here.into_iter().chain([by_account(app, address)]).collect()
}

/// Whether whoever has the address signed in from here before.
async fn knows_place(scope: &Scope<'_>, address: &str) -> Result<bool> {
    let ip = scope.actor().origin.ip;
    scope.query_scalar(&session::SIGNED_IN_FROM, &[&address, &ip]).await
}
