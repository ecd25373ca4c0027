//! Launch, from the click to the last recipient, against the bare INSERT … SELECT of the same rows into the same
//! tables.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use kernel::codes::{PurlToken, RedemptionCode};
use kernel::{new_id, random};
use tokio_postgres::Client;
use uuid::Uuid;

use super::rate;
use crate::table::{Against, Figure};
use crate::world::Campaign;

const LAUNCH: &str = include_str!("../../sql/launch.sql");

pub(super) async fn figure(admin: &Client, bare: &Campaign, rows: usize, took: Duration) -> Result<Figure> {
    let limit = insert(admin, bare, rows).await?;
    let against = Against::Limit { what: "rows/s bare INSERT … SELECT", value: rate(rows, limit), aim: Some(0.7) };
    Ok(Figure { what: "launch", value: rate(rows, took), unit: "rows/s", against })
}

async fn insert(admin: &Client, campaign: &Campaign, rows: usize) -> Result<Duration> {
    give(admin, rows).await?;
    let begun = Instant::now();
    let made = admin.execute(LAUNCH, &[&campaign.id, &campaign.list_id]).await?;
    let took = begun.elapsed();
    ensure!(usize::try_from(made)? == rows, "the bare statement made {made} rows");
    admin.batch_execute("drop table bench_given").await?;
    admin.execute("delete from recipients where campaign_id = $1", &[&campaign.id]).await?;
    Ok(took)
}

/// Ids and codes, there before anything is measured.
async fn give(admin: &Client, rows: usize) -> Result<()> {
    let mut generator = random::generator();
    let recipients: Vec<Uuid> = (0..rows).map(|_| new_id()).collect();
    let participations: Vec<Uuid> = (0..rows).map(|_| new_id()).collect();
    let codes: Vec<String> = (0..rows).map(|_| RedemptionCode::generate(&mut generator).as_str().to_owned()).collect();
    let tokens: Vec<String> = (0..rows).map(|_| PurlToken::generate(&mut generator).as_str().to_owned()).collect();
    admin
        .batch_execute(
            "create unlogged table bench_given (
                n int8 primary key, recipient_id uuid, participation_id uuid, redemption_code text, purl_token text, imb_serial text)",
        )
        .await?;
    let fill = "
        insert into bench_given
        select n, r, p, c, t, lpad(n::text, 9, '0')
        from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) with ordinality as given (r, p, c, t, n)";
    admin.execute(fill, &[&recipients, &participations, &codes, &tokens]).await?;
    admin.batch_execute("analyze bench_given").await?;
    Ok(())
}
