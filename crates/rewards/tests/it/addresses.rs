//! Rewards that have nowhere to go: no card is taken, somebody is told, and the card follows once there is an address.

use messaging::Channel;
use rewards::{Claim, Outcome, address};
use uuid::Uuid;

use crate::support::World;

/// A campaign whose first condition is met by a visit.
async fn visited(world: &World, pool: Uuid) -> Uuid {
    let campaign = world.campaign(pool).await;
    world.run("update campaign_conditions set trigger_type = 'purl_visit' where campaign_id = $1", &[&campaign]).await;
    campaign
}

async fn supply(world: &World, recipient: Uuid, to: &str) -> usize {
    let actor = world.actor();
    let tx = world.test.app.scope(&actor).transaction().await.unwrap();
    let waiting = address::unaddressed(&tx, world.client_id, recipient).await.unwrap();
    for reward in &waiting {
        address::supply(&tx, world.client_id, reward, &(Channel::Email, to.into())).await.unwrap();
    }
    address::settle(&tx, world.client_id, recipient).await.unwrap();
    let pools = waiting.iter().map(|reward| reward.pool_id);
    rewards::actions::stock::fulfil_soon_at(&tx, world.client_id, pools).await.unwrap();
    tx.commit().await.unwrap();
    waiting.len()
}

const OPEN: &str = "select count(*) from alerts where resolved_at is null and kind = $1 and subject_id = $2";

#[tokio::test]
async fn a_card_that_could_go_nowhere_is_not_taken_and_follows_once_there_is_an_address() {
    let world = World::new().await;
    let pool = world.pool(2).await;
    let campaign = visited(&world, pool).await;
    let recipient = world.recipient(campaign).await;
    let claimed = world.claim(&Claim::new(world.client_id, campaign, recipient, 1)).await;
    assert_eq!((claimed.outcome, claimed.outcome.code()), (Outcome::AddressMissing, Some("GC-012")));
    assert_eq!((claimed.gift_card_id, claimed.delivery_status.as_deref()), (None, Some("pending")));
    assert_eq!(world.count(OPEN, &[&"address_missing", &recipient]).await, 1, "somebody is told");
    world.work().await;
    assert_eq!(world.cards_of(recipient).await, 0);
    assert_eq!(world.newcomer(campaign).await.1, Outcome::Claimed, "and nobody else waits for it");
    world.check().await;

    assert_eq!(supply(&world, recipient, "ada@example.com").await, 1);
    world.work().await;
    assert_eq!(world.cards_of(recipient).await, 1);
    let sql = "select to_address from messages where recipient_id = $1 and status = 'sent'";
    assert_eq!(world.word(sql, &[&recipient]).await, "ada@example.com");
    assert_eq!(world.count(OPEN, &[&"address_missing", &recipient]).await, 0);
    assert_eq!(supply(&world, recipient, "eve@example.com").await, 0, "an address that is there is not changed");
    world.check().await;
}

#[tokio::test]
async fn an_address_given_while_the_pool_is_empty_stands_in_its_queue_and_is_told_of() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let campaign = visited(&world, pool).await;
    let recipient = world.recipient(campaign).await;
    world.claim(&Claim::new(world.client_id, campaign, recipient, 1)).await;
    assert_eq!(world.count(OPEN, &[&"pool_empty", &pool]).await, 0);
    supply(&world, recipient, "ada@example.com").await;
    world.work().await;
    assert_eq!(world.count(OPEN, &[&"pool_empty", &pool]).await, 1);
    world.upload(pool, 1).await;
    world.work().await;
    assert_eq!(world.cards_of(recipient).await, 1);
    assert_eq!(world.count(OPEN, &[&"pool_empty", &pool]).await, 0);
    world.check().await;
}

#[tokio::test]
async fn a_form_shows_its_card_without_an_address_but_one_that_comes_later_needs_it() {
    let world = World::new().await;
    let pool = world.pool(1).await;
    let campaign = world.campaign(pool).await;
    let (shown, late) = (world.recipient(campaign).await, world.recipient(campaign).await);
    let claimed = world.claim(&Claim::new(world.client_id, campaign, shown, 1)).await;
    assert_eq!((claimed.outcome, claimed.message_id), (Outcome::Claimed, None));
    let claimed = world.claim(&Claim::new(world.client_id, campaign, late, 1)).await;
    assert_eq!(claimed.outcome, Outcome::AddressMissing);
    world.upload(pool, 1).await;
    world.work().await;
    assert_eq!(world.cards_of(late).await, 0, "nobody would see it");
    supply(&world, late, "ada@example.com").await;
    world.work().await;
    assert_eq!(world.cards_of(late).await, 1);
    world.check().await;
}
