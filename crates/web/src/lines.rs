//! Waiting in front of something that only so many may do at once, each in the line of what they want: in memory, in the
//! order of coming, and without a connection to the database.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Semaphore;

/// Lines kept before those nobody stands in are forgotten.
const MOST_IDLE: usize = 1_000;

/// The lines of one kind of thing.
#[derive(Debug)]
pub struct Lines<K>(Mutex<HashMap<K, Weak<Semaphore>>>);

impl<K> Default for Lines<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Lines<K> {
    /// The line in front of `key`, where `at_once` are let in at a time. It is the same one for as long as somebody
    /// stands in it.
    pub fn of(&self, key: K, at_once: usize) -> Arc<Semaphore> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(&key).and_then(Weak::upgrade) {
            return line;
        }
        if lines.len() >= MOST_IDLE {
            lines.retain(|_, line| line.strong_count() > 0);
        }
        let line = Arc::new(Semaphore::new(at_once));
        lines.insert(key, Arc::downgrade(&line));
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_has_a_line_of_its_own_for_as_long_as_somebody_stands_in_it() {
        let (lines, one, other) = (Lines::default(), 1, 2);
        let line = lines.of(one, 2);
        let held = [line.clone().try_acquire_owned().unwrap(), lines.of(one, 2).try_acquire_owned().unwrap()];
        assert!(lines.of(one, 2).try_acquire().is_err(), "the third one waits");
        assert!(lines.of(other, 2).try_acquire().is_ok(), "and keeps nobody else");
        drop((held, line));
        assert!(lines.of(one, 2).try_acquire().is_ok());
    }
}
