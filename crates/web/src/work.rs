//! Work that keeps a core busy for longer than a moment: cleaning and filling pages, drawing pictures. It runs off the
//! threads that answer everybody, a bounded number at once, and whoever waits for it waits for a bounded time.
//!
//! Its input has been measured before: work cannot be broken off from outside, so what goes on past the deadline keeps
//! its place here until it ends, and others are told to come back rather than joining it.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Error, Result};
use tokio::sync::Semaphore;

/// Pieces of work at once.
const AT_ONCE: usize = 2;
/// How long one waits for a place, and then for its end.
const DEADLINE: Duration = Duration::from_secs(10);
/// The same for a file that somebody uploads and waits for.
const FILE_DEADLINE: Duration = Duration::from_secs(60);

/// The places for work; cloning shares them.
#[derive(Debug, Clone)]
pub struct Work {
    places: Arc<Semaphore>,
    deadline: Duration,
    /// Of their own: somebody's uploads must not keep strangers from their pages.
    files: Arc<Semaphore>,
}

impl Work {
    /// All places free.
    pub fn new() -> Self {
        let places = || Arc::new(Semaphore::new(AT_ONCE));
        Self { places: places(), deadline: DEADLINE, files: places() }
    }

    /// Runs `work` aside and waits for it.
    ///
    /// # Errors
    /// `Unavailable` when there is no place or no end within the deadline; `Internal` when the work panics.
    pub async fn run<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        run_within(&self.places, self.deadline, what, work).await
    }

    /// Reads an uploaded file aside and waits for it, longer than for a page.
    ///
    /// # Errors
    /// As for [`Work::run`].
    pub async fn read_file<T: Send + 'static>(&self, read: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        run_within(&self.files, FILE_DEADLINE, "reading this file", read).await
    }
}

async fn run_within<T: Send + 'static>(
    places: &Arc<Semaphore>,
    deadline: Duration,
    what: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let late = |_| Error::Unavailable(format!("{what} takes too long just now; try again in a minute"));
    let place = tokio::time::timeout(deadline, Arc::clone(places).acquire_owned()).await;
    let place = place.map_err(late)?.map_err(Error::internal)?;
    let task = tokio::task::spawn_blocking(move || {
        // given back by the work itself: it goes on when nobody waits for it any more
        let _place = place;
        work()
    });
    tokio::time::timeout(deadline, task).await.map_err(late)?.map_err(Error::internal)
}

impl Default for Work {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_that_does_not_end_is_given_up_and_keeps_its_place_and_nobody_joins_it() {
        let work = Work { places: Arc::new(Semaphore::new(1)), deadline: Duration::from_millis(50), ..Work::new() };
        let (go, wait) = mpsc::channel::<()>();
        let stuck = work.run("a page", move || wait.recv()).await;
        assert!(matches!(stuck, Err(Error::Unavailable(_))), "{stuck:?}");
        assert!(matches!(work.run("another", || 1).await, Err(Error::Unavailable(_))), "there is no place");
        assert_eq!(work.read_file(|| 2).await, Ok(2), "files have places of their own");
        go.send(()).unwrap();
        let work = Work { deadline: Duration::from_secs(30), ..work };
        assert_eq!(work.run("another", || 1).await, Ok(1), "the place is free again");
    }

    #[tokio::test]
    async fn work_that_panics_is_an_error_and_gives_its_place_back() {
        let work = Work { places: Arc::new(Semaphore::new(1)), ..Work::new() };
        assert!(matches!(work.run("a page", || panic!("no")).await, Err::<(), _>(Error::Internal(_))));
        assert_eq!(work.run("a page", || 2).await, Ok(2));
    }
}
