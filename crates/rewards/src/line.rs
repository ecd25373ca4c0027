//! Waiting in front of the database. Claims at one pool take turns; whoever waits for theirs on a connection keeps it
//! from everybody else. So they wait here: a client has a few connections for claims at a time, and all clients together
//! at most half of the pool, first come first served.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use kernel::{Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;
use web::App;

/// The longest somebody waits: as long as for a connection.
const LONGEST: Duration = Duration::from_secs(10);

/// Lines kept before those nobody stands in are forgotten.
const MOST_IDLE: usize = 1_000;

static OF_CLIENTS: LazyLock<Mutex<HashMap<Uuid, Weak<Semaphore>>>> = LazyLock::new(Mutex::default);
static OF_ALL: OnceLock<Arc<Semaphore>> = OnceLock::new();

/// The turn to take a connection and claim; given back when it is dropped.
#[derive(Debug)]
pub struct Turn {
    _own: OwnedSemaphorePermit,
    _shared: OwnedSemaphorePermit,
}

/// Waits for the turn of a client's claim. Taken before the transaction begins, and kept until it has ended.
///
/// # Errors
/// `Unavailable` when too many were before.
pub async fn turn(app: &App, client_id: Uuid) -> Result<Turn> {
    let connections = usize::try_from(app.settings.database.pool_size).unwrap_or(1).max(1);
    let own = line_of(client_id, connections.div_ceil(4));
    let all = OF_ALL.get_or_init(|| Arc::new(Semaphore::new(connections.div_ceil(2)))).clone();
    let waited = tokio::time::timeout(LONGEST, async {
        let own = own.acquire_owned().await.map_err(Error::internal)?;
        let shared = all.acquire_owned().await.map_err(Error::internal)?;
        Ok(Turn { _own: own, _shared: shared })
    });
    waited.await.unwrap_or_else(|_| Err(Error::Unavailable("too many rewards are being claimed at once".into())))
}

fn line_of(client_id: Uuid, at_once: usize) -> Arc<Semaphore> {
    let mut lines = OF_CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(line) = lines.get(&client_id).and_then(Weak::upgrade) {
        return line;
    }
    if lines.len() >= MOST_IDLE {
        lines.retain(|_, line| line.strong_count() > 0);
    }
    let line = Arc::new(Semaphore::new(at_once));
    lines.insert(client_id, Arc::downgrade(&line));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_has_a_line_of_its_own_for_as_long_as_somebody_stands_in_it() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let line = line_of(one, 2);
        let held = [line.clone().try_acquire_owned().unwrap(), line_of(one, 2).try_acquire_owned().unwrap()];
        assert!(line_of(one, 2).try_acquire().is_err(), "the third one waits");
        assert!(line_of(other, 2).try_acquire().is_ok(), "and keeps nobody else");
        drop((held, line));
        assert!(line_of(one, 2).try_acquire().is_ok());
    }
}
