//! One pool that all ask: what it takes from a neighbour who only reads, and what a long waiting line takes from
//! those who come after.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rewards::claim::Outcome;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::claims::claim_all;
use super::{Plan, rate};
use crate::Dice;
use crate::http::{Connection, Request};
use crate::limit::CLIENTS;
use crate::table::{Against, Figure};
use crate::world::{Campaign, Recipient, World};

/// People who fill in the form at the same time.
const ASKING: usize = 64;
/// The waiting line that issue 8 (2.13) speaks of.
const WAITING: usize = 28_000;
/// Claims at each end of it.
const AT_EACH_END: usize = 2_000;

/// A neighbour's reads while 64 people fill in a form whose pool is the same for all, held against their reads beside
/// 64 people who only visit: both keep the machine busy, one of them by a lock.
pub(super) async fn neighbour(
    world: &World,
    campaign: &Campaign,
    recipients: &[Recipient],
    plan: &Plan,
) -> Result<[Figure; 2]> {
    let key = world.neighbour().await?;
    let length = Duration::from_secs(plan.seconds.try_into()?);
    let visits: Arc<[String]> = recipients.iter().map(|one| format!("/r/{}", one.token)).collect();
    let beside_visits = beside(world, &key, length, |n| visit(world.ace.address, Arc::clone(&visits), n)).await?;
    let people: Arc<[Recipient]> = recipients.into();
    let form_id = campaign.form_id;
    let mut beside_claims =
        beside(world, &key, length, |n| fill_in(world.ace.address, form_id, Arc::clone(&people), n)).await?;
    beside_claims.sort_unstable();
    let p99 = beside_claims[beside_claims.len() * 99 / 100];
    let limit = rate(beside_visits.len(), length);
    let against = Against::Limit { what: "/s beside as many visitors", value: limit, aim: Some(0.5) };
    Ok([
        Figure { what: "reads beside a hot pool", value: rate(beside_claims.len(), length), unit: "/s", against },
        Figure { what: "the same, p99", value: p99.as_secs_f64() * 1000.0, unit: "ms", against: Against::Nothing },
    ])
}

/// How long each of the neighbour's reads took, one after the other, while `load` runs `ASKING` times.
async fn beside<L>(world: &World, key: &str, length: Duration, load: impl Fn(usize) -> L) -> Result<Vec<Duration>>
where
    L: Future<Output = Result<()>> + Send + 'static,
{
    let mut busy = JoinSet::new();
    for n in 0..ASKING {
        busy.spawn(load(n));
    }
    let headers = format!("authorization: Bearer {key}\r\n");
    let mut connection = Connection::open(world.ace.address).await?;
    let mut latencies = Vec::new();
    let until = Instant::now() + length;
    while Instant::now() < until {
        let begun = Instant::now();
        let reply = connection.send(&Request { headers: &headers, ..Request::get("/v1/contacts?limit=1") }).await?;
        ensure!(reply.status == 200, "the neighbour was answered {} {}", reply.status, reply.text());
        latencies.push(begun.elapsed());
        // whoever makes the load goes on until it is taken away; one that ends has failed
        if let Some(ended) = busy.try_join_next() {
            ended??;
        }
    }
    ensure!(!latencies.is_empty(), "the neighbour was never answered");
    Ok(latencies)
}

async fn visit(address: std::net::SocketAddr, paths: Arc<[String]>, n: usize) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    let mut dice = Dice::new(n as u64 + 1);
    loop {
        let reply = connection.send(&Request::get(&paths[dice.below(paths.len())])).await?;
        ensure!(reply.status == 200, "a visit was answered with {}", reply.status);
    }
}

/// Everybody fills in the form once for each of their people: every submission is a claim.
async fn fill_in(address: std::net::SocketAddr, form_id: Uuid, people: Arc<[Recipient]>, n: usize) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    let path = format!("/f/{form_id}");
    for one in people.iter().skip(n).step_by(ASKING).cycle() {
        let body = format!(
            "first_name=Maria&mobile=%2B16142345678&ace-token={}&ace-recipient={}",
            kernel::new_id(),
            one.token
        );
        let headers = "content-type: application/x-www-form-urlencoded\r\n";
        let reply = connection.send(&Request { method: "POST", path: &path, headers, body: body.as_bytes() }).await?;
        ensure!(reply.is_accepted(), "a form was answered {} {}", reply.status, reply.text());
    }
    Ok(())
}

/// Claims at a pool whose only card is gone, when thousands wait for its next card, held against claims when nobody does.
pub(super) async fn waiting_line(world: &World, campaign: &Campaign, recipients: &[Recipient]) -> Result<Figure> {
    let (lucky, recipients) = recipients.split_at(1);
    let few = AT_EACH_END.min(recipients.len() / 10) / CLIENTS * CLIENTS;
    let many = WAITING.min(recipients.len() - 2 * few);
    let (first, rest) = recipients.split_at(few);
    let (line, rest) = rest.split_at(many);
    let database = world.postgres.database(CLIENTS)?;
    let claim = async |people: &[Recipient], expected| {
        let ids = people.iter().map(|one| one.id).collect();
        let took = claim_all(&database, (world.client_id, campaign.id), ids, expected).await?;
        Ok::<f64, anyhow::Error>(rate(people.len(), took))
    };
    claim(lucky, Outcome::Claimed).await?;
    let nobody_waits = claim(first, Outcome::PoolEmpty).await?;
    claim(line, Outcome::PoolEmpty).await?;
    let against = Against::Limit { what: "/s when nobody waits yet", value: nobody_waits, aim: Some(0.8) };
    let what = "claims behind 28,000 waiting";
    Ok(Figure { what, value: claim(&rest[..few], Outcome::PoolEmpty).await?, unit: "/s", against })
}
