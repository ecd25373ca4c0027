//! The end of the process comes in bounded time, whatever is still running: a thread that computes cannot be broken off
//! from outside, and whoever stops a server waits for it.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// How long threads that compute are waited for once everything else has ended.
const LAST_WORK: Duration = Duration::from_secs(2);

/// The longest a server takes from being told to stop until it is gone: the grace of its requests, that of its jobs, and
/// a little for closing. What runs longer is cut off; jobs and requests stand that, as they stand a crash.
pub(crate) const LONGEST_STOP: Duration = Duration::from_secs(35);

/// Ends the runtime without waiting for what does not end by itself.
pub(crate) fn let_go(runtime: Runtime) {
    runtime.shutdown_timeout(LAST_WORK);
}

/// Calls `end` when `longest` has passed after `asked`. On a thread and a runtime of its own: every other thread may be
/// computing, and then nobody else would notice the signal.
pub(crate) fn end_after(
    asked: impl Future<Output = ()> + Send + 'static,
    longest: Duration,
    end: impl FnOnce() + Send + 'static,
) -> std::io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("ending".into()).spawn(move || {
        runtime.block_on(async {
            asked.await;
            tokio::time::sleep(longest).await;
        });
        end();
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_thread_that_computes_for_ever_does_not_hold_up_the_end() {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (begun, has_begun) = mpsc::channel();
        let (keep_going, going) = mpsc::channel::<()>();
        runtime.spawn_blocking(move || {
            begun.send(()).unwrap();
            going.recv()
        });
        has_begun.recv().unwrap();
        let_go(runtime);
        assert!(keep_going.send(()).is_ok(), "it still computes, and nobody waits for it");
    }

    #[test]
    fn the_end_is_called_when_every_thread_of_the_server_computes() {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (ended, end) = mpsc::channel();
        let (stuck, is_stuck) = mpsc::channel();
        let stuck_task = runtime.spawn(async move {
            stuck.send(()).unwrap();
            // holds the only thread, as a computation would
            end.recv()
        });
        is_stuck.recv().unwrap();
        end_after(async {}, Duration::ZERO, move || ended.send(()).unwrap()).unwrap();
        assert!(runtime.block_on(stuck_task).unwrap().is_ok());
    }
}
