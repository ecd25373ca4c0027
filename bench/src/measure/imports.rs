//! Import, from the first byte of the request to the last contact on its list, against COPY of the same rows, of the
//! contacts and of the list's members, into tables with the same columns, checks, indexes and foreign keys. The keys are
//! a third of an import's work, so what COPY does without them is shown as well.

use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use tokio_postgres::Client;

use super::rate;
use crate::table::{Against, Figure};

pub(super) async fn figures(admin: &Client, rows: usize, took: Duration) -> Result<[Figure; 2]> {
    let (same, bare) = (rate(rows, copy(admin, true).await?), rate(rows, copy(admin, false).await?));
    let figure = |what, limit, value, aim| Figure {
        what,
        value: rate(rows, took),
        unit: "rows/s",
        against: Against::Limit { what: limit, value, aim },
    };
    Ok([
        figure("import", "rows/s COPY into the same tables", same, Some(0.5)),
        figure("import, once more", "rows/s COPY without foreign keys", bare, None),
    ])
}

/// The tables an import writes a row into for each contact.
const TABLES: [&str; 2] = ["contacts", "contact_list_members"];

async fn copy(admin: &Client, foreign_keys: bool) -> Result<Duration> {
    let mut took = Duration::ZERO;
    for table in TABLES {
        took += copy_table(admin, table, foreign_keys).await?;
    }
    Ok(took)
}

async fn copy_table(admin: &Client, table: &str, foreign_keys: bool) -> Result<Duration> {
    admin
        .batch_execute(&format!(
            "drop table if exists bench_copy; create table bench_copy (like {table} including all)"
        ))
        .await?;
    if foreign_keys {
        add_foreign_keys(admin, table).await?;
    }
    let rows: Vec<Bytes> =
        admin.copy_out(&format!("copy {table} to stdout (format binary)")).await?.try_collect().await?;
    let begun = Instant::now();
    let sink = admin.copy_in("copy bench_copy from stdin (format binary)").await?;
    let mut sink = std::pin::pin!(sink);
    for rows in rows {
        sink.feed(rows).await?;
    }
    sink.finish().await?;
    let took = begun.elapsed();
    admin.batch_execute("drop table bench_copy").await?;
    Ok(took)
}

/// The one thing that `like … including all` leaves out.
async fn add_foreign_keys(admin: &Client, table: &str) -> Result<()> {
    let keys =
        "select pg_get_constraintdef(oid) from pg_constraint where conrelid = $1::text::regclass and contype = 'f'";
    for row in admin.query(keys, &[&table]).await? {
        let key: String = row.get(0);
        admin.batch_execute(&format!("alter table bench_copy add {key}")).await?;
    }
    Ok(())
}
