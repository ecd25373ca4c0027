//! Import, from the first byte of the request to the last contact, against COPY of the same rows into a table with
//! the same columns, checks and indexes.

use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use tokio_postgres::Client;

use super::rate;
use crate::table::{Against, Figure};

pub(super) async fn figure(admin: &Client, rows: usize, took: Duration) -> Result<Figure> {
    let limit = copy(admin).await?;
    let against = Against::Limit { what: "rows/s COPY into the same table", value: rate(rows, limit), aim: Some(0.5) };
    Ok(Figure { what: "import", value: rate(rows, took), unit: "rows/s", against })
}

async fn copy(admin: &Client) -> Result<Duration> {
    admin
        .batch_execute("drop table if exists bench_contacts; create table bench_contacts (like contacts including all)")
        .await?;
    let rows: Vec<Bytes> = admin.copy_out("copy contacts to stdout (format binary)").await?.try_collect().await?;
    let begun = Instant::now();
    let sink = admin.copy_in("copy bench_contacts from stdin (format binary)").await?;
    let mut sink = std::pin::pin!(sink);
    for rows in rows {
        sink.feed(rows).await?;
    }
    sink.finish().await?;
    let took = begun.elapsed();
    admin.batch_execute("drop table bench_contacts").await?;
    Ok(took)
}
