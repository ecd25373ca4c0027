//! Promising cards: only those that are really there and that nobody waits for; what is given back serves who waits.

use campaigns::actions::draft::CampaignInput;
use campaigns::actions::launch;
use campaigns::meet::Trigger;
use rewards::Outcome;
use uuid::Uuid;

use crate::world::World;

/// A draft that asks for so many cards.
fn asking(world: &World, name: &str, cards: i32) -> CampaignInput {
    CampaignInput { name: name.into(), cards_per_reward: Some(cards), ..world.input() }
}

async fn submit(world: &World, campaign: Uuid, recipient: Uuid) -> Outcome {
    let mut met = world.met(campaign, recipient, Trigger::FormSubmit { form_id: world.form_id });
    met.email = Some("pat@example.com".into());
    world.meet(&met).await.unwrap()[0]
}

const CARDS: &str = "select count(*) from gift_cards where recipient_id = $1";

#[tokio::test]
async fn cards_past_their_last_day_are_not_promised() {
    let world = World::with(2, 3).await;
    let yesterday = world.test.app.clock.now().date_naive() - chrono::Days::new(1);
    let sql = "update gift_cards set expires_at = $1 where id in (select id from gift_cards limit 2)";
    world.admin.execute(sql, &[&yesterday]).await.unwrap();
    let (id, _) = world.draft(&asking(&world, "Two", 2)).await;
    let refused = launch::begin(&world.test.app, &world.owner(), world.client_id, id).await.unwrap_err();
    assert!(refused.fields()[0].message.contains("1 free card and 2 are needed"), "{refused:?}");
    world.launched(&asking(&world, "One", 1)).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn cards_that_people_wait_for_are_not_promised() {
    let world = World::with(2, 1).await;
    let (first, people) = world.mailed(&asking(&world, "First", 1)).await;
    assert_eq!(submit(&world, first, people[0]).await, Outcome::Claimed);
    assert_eq!(submit(&world, first, people[1]).await, Outcome::PoolEmpty);
    world.add_cards(1).await;
    let (second, _) = world.draft(&asking(&world, "Second", 1)).await;
    let refused = launch::begin(&world.test.app, &world.owner(), world.client_id, second).await.unwrap_err();
    assert!(refused.fields()[0].message.contains("0 free cards and 1 are needed"), "{refused:?}");
    let actor = kernel::Actor::client(world.client_id);
    let tx = world.test.app.scope(&actor).transaction().await.unwrap();
    let promised =
        campaigns::store::reservations::reserve(&tx, world.client_id, second, world.pool_id, 1).await.unwrap();
    assert!(!promised, "the only card is for the one who waits");
    drop(tx);
    world.add_cards(1).await;
    let tx = world.test.app.scope(&actor).transaction().await.unwrap();
    let promised =
        campaigns::store::reservations::reserve(&tx, world.client_id, second, world.pool_id, 1).await.unwrap();
    assert!(promised, "the other one is not");
}

#[tokio::test]
async fn what_a_campaign_gives_back_goes_to_who_waits() {
    let world = World::with(2, 2).await;
    let (over, people) = world.mailed(&asking(&world, "Over", 2)).await;
    let (other, strangers) = world.mailed(&asking(&world, "Other", 0)).await;
    assert_eq!(submit(&world, other, strangers[0]).await, Outcome::PoolEmpty);
    assert_eq!(submit(&world, over, people[0]).await, Outcome::Claimed);
    world.work().await;
    assert_eq!(world.count(CARDS, strangers[0]).await, 0);
    world.admin.execute("update campaigns set status = 'active' where id = $1", &[&over]).await.unwrap();
    world.step(over, "completed").await.unwrap();
    world.work().await;
    assert_eq!(world.count(CARDS, strangers[0]).await, 1);
    world.assert_sound().await;
}
