//! Claims in ACE's own scope, against pgbench running the same statement. All of them ask one pool, which is the
//! worst case: its row is the lock on its cards.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use database::Database;
use kernel::Actor;
use messaging::Channel;
use rewards::claim::{Claim, Outcome, claim_now};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Plan, calm, rate, script};
use crate::limit::{CLIENTS, HowLong, pgbench};
use crate::table::{Against, Figure};
use crate::world::{Campaign, Recipient, World};

const CLAIM: &str = include_str!("../../sql/claim.sql");

/// How many each of the two claims.
pub(super) const CLAIMS: usize = 20_000;

pub(super) async fn figure(
    world: &World,
    campaign: &Campaign,
    recipients: &[Recipient],
    plan: &Plan,
) -> Result<Figure> {
    let admin = world.postgres.admin().await?;
    let claims = CLAIMS.min(recipients.len() / 2) / CLIENTS * CLIENTS;
    let words = [(":'client_id'", quoted(world.client_id)), (":'campaign_id'", quoted(campaign.id))];
    let claim = script(CLAIM, &words);
    // Each of the two begins without the entries of cards that are gone, which a claim has to step over.
    calm(&admin).await?;
    let limit = pgbench(&world.postgres.url(), &plan.directory, &claim, HowLong::Each(claims / CLIENTS)).await?;
    calm(&admin).await?;
    let theirs: Arc<[Uuid]> = recipients[claims..2 * claims].iter().map(|one| one.id).collect();
    let database = world.postgres.database(CLIENTS)?;
    let took = claim_all(&database, (world.client_id, campaign.id), theirs, Outcome::Claimed).await?;
    let against = Against::Limit { what: "/s pgbench, the same statement", value: limit.per_second, aim: Some(0.8) };
    Ok(Figure { what: "claims", value: rate(claims, took), unit: "/s", against })
}

fn quoted(id: Uuid) -> String {
    format!("'{id}'")
}

/// One claim for each of them, by as many clients as there are connections; how long all of them took.
pub(super) async fn claim_all(
    database: &Database,
    of: (Uuid, Uuid),
    recipients: Arc<[Uuid]>,
    expected: Outcome,
) -> Result<Duration> {
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(claim_on(database.clone(), of, Arc::clone(&recipients), Arc::clone(&next), expected));
    }
    while let Some(done) = clients.join_next().await {
        done??;
    }
    Ok(begun.elapsed())
}

async fn claim_on(
    database: Database,
    (client_id, campaign_id): (Uuid, Uuid),
    recipients: Arc<[Uuid]>,
    next: Arc<AtomicUsize>,
    expected: Outcome,
) -> Result<()> {
    let actor = Actor::client(client_id);
    while let Some(recipient_id) = recipients.get(next.fetch_add(1, Ordering::Relaxed)) {
        let claim = Claim::new(client_id, campaign_id, *recipient_id, 1).to(Channel::Sms, "+16142345678");
        let claimed = claim_now(&database.scope(&actor), &claim, database.clock().now()).await?;
        ensure!(claimed.outcome == expected, "a claim came to {:?}", claimed.outcome);
    }
    Ok(())
}
