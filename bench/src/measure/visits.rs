//! Visits over HTTP, each answered after its commit, against pgbench running the statement for a single one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use super::{Plan, rate, script};
use crate::Dice;
use crate::http::{Connection, Request};
use crate::limit::{HowLong, pgbench};
use crate::table::{Against, Figure};
use crate::world::{Recipient, World};

const VISIT: &str = include_str!("../../sql/visit.sql");

/// Visitors at the same time: so many that the machine is busy. With 64 of them, who wait for their answers before they
/// come again, a fifth of it is idle on two cores.
const VISITORS: usize = 256;

/// Before anything is counted: connections are made, plans too.
const WARM_UP: Duration = Duration::from_secs(2);

pub(super) async fn figures(world: &World, recipients: &[Recipient], plan: &Plan) -> Result<[Figure; 2]> {
    let visit = script(VISIT, &[(":people", recipients.len().to_string())]);
    let limit = pgbench(&world.postgres.url(), &plan.directory, &visit, HowLong::Seconds(plan.seconds)).await?;
    let length = Duration::from_secs(plan.seconds.try_into()?);
    let mut latencies = load(world, recipients, length).await?;
    latencies.sort_unstable();
    let p99 = latencies[(latencies.len() * 99 / 100).min(latencies.len() - 1)];
    let against = Against::Limit { what: "/s pgbench, one statement a visit", value: limit.per_second, aim: Some(1.5) };
    Ok([
        Figure { what: "visits over HTTP", value: rate(latencies.len(), length), unit: "/s", against },
        Figure { what: "visits, p99", value: p99.as_secs_f64() * 1000.0, unit: "ms", against: Against::Nothing },
    ])
}

/// The latencies of all visits that were answered within the measured time.
async fn load(world: &World, recipients: &[Recipient], length: Duration) -> Result<Vec<Duration>> {
    let paths: Arc<[String]> = recipients.iter().map(|one| format!("/r/{}", one.token)).collect();
    let from = Instant::now() + WARM_UP;
    let mut visitors = JoinSet::new();
    for n in 0..VISITORS {
        visitors.spawn(visitor(world.ace.address, Arc::clone(&paths), n, (from, from + length)));
    }
    let mut latencies = Vec::new();
    while let Some(answered) = visitors.join_next().await {
        latencies.extend(answered??);
    }
    ensure!(!latencies.is_empty(), "no visit was answered");
    Ok(latencies)
}

async fn visitor(
    address: std::net::SocketAddr,
    paths: Arc<[String]>,
    n: usize,
    (from, until): (Instant, Instant),
) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(address).await?;
    let mut dice = Dice::new(n as u64 + 1);
    let mut latencies = Vec::new();
    loop {
        let begun = Instant::now();
        let reply = connection.send(&Request::get(&paths[dice.below(paths.len())])).await?;
        let ended = Instant::now();
        ensure!(reply.status == 200, "a visit was answered with {}", reply.status);
        if ended > until {
            return Ok(latencies);
        }
        if ended > from {
            latencies.push(ended - begun);
        }
    }
}
