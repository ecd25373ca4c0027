//! Monthly partitions: made ahead, dropped after the retention.

use std::time::Duration;

use chrono::{Months, NaiveDate};
use database::Database;
use kernel::{Actor, Result, System};

/// How many months are ready beforehand, the present one included.
const AHEAD: i32 = 4;
/// How often somebody looks.
pub const EVERY: Duration = Duration::from_secs(6 * 3600);

database::statement! {
    /// Makes the partitions that are missing.
    ENSURE, worker, "
        select app.ensure_event_partitions($1, $2)";
    /// Drops those that ended before the retention began.
    DROP, worker, "
        select app.drop_event_partitions($1)"
}

/// Makes the months ahead and drops those beyond the retention; meant to run every [`EVERY`].
///
/// # Errors
/// What the database answered.
pub async fn keep(db: &Database, retention_months: u32) -> Result<()> {
    let actor = Actor::system(System::Worker);
    let today = db.clock().now().date_naive();
    let _: i32 = db.scope(&actor).query_scalar(&ENSURE, &[&today, &AHEAD]).await?;
    let Some(before) = oldest_kept(today, retention_months) else { return Ok(()) };
    let _: i32 = db.scope(&actor).query_scalar(&DROP, &[&before]).await?;
    Ok(())
}

fn oldest_kept(today: NaiveDate, retention_months: u32) -> Option<NaiveDate> {
    today.checked_sub_months(Months::new(retention_months))
}
