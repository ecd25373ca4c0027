//! What must hold of the queue; `ace doctor` recounts it.

use database::Statement;

database::statement! {
    /// Jobs whose worker is lost and that nobody took over for ten minutes.
    STUCK, app, "
        select count(*)
        from jobs
        where state = 'running'
          and leased_until < now() - interval '10 minutes'"
}

/// Each rule with the statement that counts the rows that break it.
pub static INVARIANTS: &[(&str, &Statement)] = &[("no job is stuck with a lost worker", &STUCK)];
