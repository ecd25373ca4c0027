//! Import, from the first byte of the request to the last contact on its list, against COPY of the same rows, of the
//! contacts and of the list's members, into tables with the same columns, checks and indexes.

use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use tokio_postgres::Client;

use super::rate;
use crate::table::{Against, Figure};

pub(super) async fn figure(admin: &Client, rows: usize, took: Duration) -> Result<Figure> {
    let limit = copy(admin).await?;
    let against = Against::Limit { what: "rows/s COPY into the same tables", value: rate(rows, limit), aim: Some(0.5) };
    Ok(Figure { what: "import", value: rate(rows, took), unit: "rows/s", against })
}

/// The tables an import writes a row into for each contact.
const TABLES: [&str; 2] = ["contacts", "contact_list_members"];

async fn copy(admin: &Client) -> Result<Duration> {
    let mut took = Duration::ZERO;
    for table in TABLES {
        took += copy_table(admin, table).await?;
    }
    Ok(took)
}

async fn copy_table(admin: &Client, table: &str) -> Result<Duration> {
    admin
        .batch_execute(&format!(
            "drop table if exists bench_copy; create table bench_copy (like {table} including all)"
        ))
        .await?;
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
