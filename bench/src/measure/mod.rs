//! The hot paths, one file each, and the order in which they are measured.

mod claims;
mod hot;
mod imports;
mod launches;
mod reads;
mod visits;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio_postgres::Client;

use crate::server::Serving;
use crate::table::{Against, Figure};
use crate::world::{Recipient, World};

/// What is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The binary.
    pub binary: PathBuf,
    /// A directory of its own.
    pub directory: PathBuf,
    /// Contacts, and so recipients.
    pub rows: usize,
    /// Seconds of each load.
    pub seconds: usize,
}

/// The most memory the server may ever have, in megabytes.
const MEMORY: f64 = 150.0;

/// More cards than 64 people can claim in the time given.
const HOT_CARDS: usize = 20_000;

/// Measures everything; `tell` is called with each figure as it is known.
///
/// # Errors
/// When something does not work at all; a figure below its aim is not an error.
pub async fn run(plan: &Plan, mut tell: impl FnMut(&Figure)) -> Result<()> {
    let world = World::found(&plan.binary, &plan.directory).await?;
    let admin = world.postgres.admin().await?;
    let serving = world.ace.serve().await?;

    let (list_id, took) = world.import("everybody", plan.rows).await?;
    calm(&admin).await?;
    for figure in imports::figures(&admin, plan.rows, took).await? {
        tell(&figure);
    }

    let cards = 2 * claims::CLAIMS + 1_000;
    let campaign = world.draft("Spring", list_id, cards).await?;
    calm(&admin).await?;
    let took = world.launch(&campaign).await?;
    let bare = world.draft("Bare", list_id, 10).await?;
    calm(&admin).await?;
    tell(&launches::figure(&admin, &bare, plan.rows, took).await?);

    world.mail(&campaign).await?;
    let recipients = world.recipients(&campaign).await?;
    remember(&admin, &recipients).await?;
    calm(&admin).await?;
    for figure in visits::figures(&world, &recipients, plan).await? {
        tell(&figure);
    }
    let hot = world.draft("Hot", list_id, HOT_CARDS).await?;
    world.launch(&hot).await?;
    world.mail(&hot).await?;
    calm(&admin).await?;
    for figure in hot::neighbour(&world, &hot, &world.recipients(&hot).await?, plan).await? {
        tell(&figure);
    }
    let dry = world.draft("Dry", list_id, 1).await?;
    world.launch(&dry).await?;
    world.mail(&dry).await?;
    if let Some(megabytes) = serving.peak_memory() {
        let against = Against::Most(MEMORY);
        tell(&Figure { what: "peak memory of the server", value: megabytes, unit: "MB", against });
    }
    finish(serving).await?;

    tell(&claims::figure(&world, &campaign, &recipients, plan).await?);
    tell(&hot::waiting_line(&world, &dry, &world.recipients(&dry).await?).await?);
    tell(&reads::figure(&world, plan).await?);
    tell(&reads::proof(&world, plan).await?);
    world.postgres.stop().await;
    Ok(())
}

/// What was written before is not to be vacuumed or flushed while something else is measured.
async fn calm(admin: &Client) -> Result<()> {
    admin.batch_execute("vacuum (analyze)").await?;
    admin.batch_execute("checkpoint").await?;
    Ok(())
}

/// The workers must not compete with what comes next.
async fn finish(serving: Serving) -> Result<()> {
    serving.stop().await
}

/// Numbers the recipients, so that pgbench can choose one.
async fn remember(admin: &Client, recipients: &[Recipient]) -> Result<()> {
    let (ids, tokens): (Vec<_>, Vec<_>) = recipients.iter().map(|one| (one.id, one.token.as_str())).unzip();
    admin
        .batch_execute("create table bench_people (n int primary key, id uuid, token text); create sequence bench_next")
        .await?;
    let fill = "insert into bench_people select n, id, token from unnest($1::uuid[], $2::text[]) with ordinality as t (id, token, n)";
    admin.execute(fill, &[&ids, &tokens]).await?;
    Ok(())
}

/// A script of `bench/sql` with its words filled in.
fn script(text: &str, words: &[(&str, String)]) -> String {
    words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
}

/// Rows a second.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn rate(count: usize, took: std::time::Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(f64::EPSILON)
}

/// The binary beside this one.
///
/// # Errors
/// When it has not been built.
pub fn binary_beside(own: &Path) -> Result<PathBuf> {
    let binary = own.with_file_name("ace");
    binary.exists().then_some(binary).context("build ace first: cargo build --release -p ace")
}
