//! Waiting in front of the database. Claims at one pool take turns; whoever waits for theirs on a connection keeps it
//! from everybody else. So they wait here: a client has a few connections for claims at a time, and all clients together
//! at most half of the pool, first come first served.

use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use kernel::{Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;
use web::App;
use web::lines::Lines;

/// The longest somebody waits: as long as for a connection.
const LONGEST: Duration = Duration::from_secs(10);

static OF_CLIENTS: LazyLock<Lines<Uuid>> = LazyLock::new(Lines::default);
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
    let own = OF_CLIENTS.of(client_id, connections.div_ceil(4));
    let all = OF_ALL.get_or_init(|| Arc::new(Semaphore::new(connections.div_ceil(2)))).clone();
    let waited = tokio::time::timeout(LONGEST, async {
        let own = own.acquire_owned().await.map_err(Error::internal)?;
        let shared = all.acquire_owned().await.map_err(Error::internal)?;
        Ok(Turn { _own: own, _shared: shared })
    });
    waited.await.unwrap_or_else(|_| Err(Error::Unavailable("too many rewards are being claimed at once".into())))
}
