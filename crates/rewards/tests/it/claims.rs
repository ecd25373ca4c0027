//! Claiming: once, in order, within what is promised, and never a card twice.

use std::sync::Arc;

use futures_util::future::join_all;
use messaging::Channel;
use rewards::Outcome;

use crate::support::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_thousand_triggers_at_once_give_one_card() {
    let world = Arc::new(World::new().await);
    let pool = world.pool(3).await;
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    let tasks = (0..64).map(|task| {
        let world = world.clone();
        let times = if task < 16 { 32 } else { 31 };
        tokio::spawn(async move {
            let mut claimed = Vec::new();
            for _ in 0..times {
                let claim = world.to_claim(campaign, recipient).to(Channel::Sms, "+16145550123");
                claimed.push(world.claim(&claim).await);
            }
            claimed
        })
    });
    let all: Vec<_> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(all.len(), 2_000);
    assert_eq!(all.iter().filter(|claimed| claimed.outcome == Outcome::Claimed).count(), 1);
    let card = all[0].gift_card_id;
    assert!(
        card.is_some() && all.iter().all(|claimed| claimed.gift_card_id == card),
        "everybody is told of the same card"
    );
    assert_eq!(world.count("select count(*) from messages", &[]).await, 1);
    assert_eq!(world.count("select available_cards::bigint from gift_card_pools where id = $1", &[&pool]).await, 2);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_recipients_at_once_get_a_card_each_and_the_rest_waits() {
    let world = Arc::new(World::new().await);
    let pool = world.pool(20).await;
    let campaign = world.campaign(pool).await;
    let mut recipients = Vec::new();
    for _ in 0..30 {
        recipients.push(world.recipient(campaign).await);
    }
    let tasks = recipients.iter().map(|recipient| {
        let (world, recipient) = (world.clone(), *recipient);
        tokio::spawn(async move { world.claim(&world.to_claim(campaign, recipient)).await.outcome })
    });
    let outcomes: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Claimed).count(), 20);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::PoolEmpty).count(), 10);
    assert_eq!(
        world.count("select count(distinct recipient_id) from gift_cards where status = 'claimed'", &[]).await,
        20
    );
    assert_eq!(
        world.count("select count(*) from alerts where kind = 'pool_empty' and resolved_at is null", &[]).await,
        1
    );
    world.check().await;
}

#[tokio::test]
async fn those_who_wait_at_an_empty_pool_get_their_cards_in_order() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let campaign = world.campaign(pool).await;
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let recipient = world.recipient(campaign).await;
        let claim = world.to_claim(campaign, recipient).to(Channel::Email, "ada@example.com");
        let claimed = world.claim(&claim).await;
        assert_eq!((claimed.outcome, claimed.delivery_status.as_deref()), (Outcome::PoolEmpty, Some("pending")));
        assert_eq!(claimed.outcome.code(), Some("GC-003"));
        waiting.push(recipient);
        world.later(60);
    }
    world.upload(pool, 3).await;
    world.work().await;
    let sql = "select count(*) from gift_cards where recipient_id = $1";
    for recipient in &waiting[..3] {
        assert_eq!(world.count(sql, &[recipient]).await, 1);
    }
    assert_eq!(world.count(sql, &[&waiting[3]]).await, 0, "who came last still waits");
    assert_eq!(
        world.count("select count(*) from alerts where resolved_at is null and kind = 'pool_empty'", &[]).await,
        1
    );
    world.upload(pool, 2).await;
    world.work().await;
    assert_eq!(world.count(sql, &[&waiting[3]]).await, 1);
    assert_eq!(
        world.count("select count(*) from alerts where resolved_at is null and kind = 'pool_empty'", &[]).await,
        0
    );
    assert_eq!(world.count("select count(*) from messages where status in ('sent', 'delivered')", &[]).await, 4);
    world.check().await;
}

#[tokio::test]
async fn what_is_promised_to_one_campaign_is_not_there_for_another() {
    let world = World::new().await;
    let pool = world.pool(3).await;
    let (promised, other) = (world.campaign(pool).await, world.campaign(pool).await);
    let sql =
        "insert into campaign_reservations (id, client_id, campaign_id, pool_id, reserved, created_at, updated_at)
               values (gen_random_uuid(), $1, $2, $3, 2, now(), now())";
    world.run(sql, &[&world.client_id, &promised, &pool]).await;
    world.run("update gift_card_pools set reserved_cards = 2 where id = $1", &[&pool]).await;
    let mut outcomes = Vec::new();
    for campaign in [other, other, promised, promised, promised] {
        let recipient = world.recipient(campaign).await;
        outcomes.push(world.claim(&world.to_claim(campaign, recipient)).await.outcome);
    }
    use Outcome::{Claimed, PoolEmpty};
    assert_eq!(outcomes, [Claimed, PoolEmpty, Claimed, Claimed, PoolEmpty]);
    world.check().await;
}

#[tokio::test]
async fn the_card_that_expires_first_goes_first_and_an_expired_one_never() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let campaign = world.campaign(pool).await;
    let file = "code,expiry\nNEVER-ENDS-1,\nLAST-DAY-NEXT,2026-03-03\nSOON-OVER-22,2026-04-01\n";
    let operator = world.test.operator();
    let uploaded =
        rewards::upload::run(&world.test.app, &operator, pool, std::io::Cursor::new(file.as_bytes().to_vec())).await;
    assert_eq!(uploaded.unwrap().added, 3);
    world.later(3 * 86_400);
    let mut last4 = Vec::new();
    for _ in 0..2 {
        let recipient = world.recipient(campaign).await;
        world.claim(&world.to_claim(campaign, recipient)).await;
        last4.push(world.word("select code_last4 from gift_cards where recipient_id = $1", &[&recipient]).await);
    }
    assert_eq!(last4, ["ER22", "DS1"].map(|end| if end == "DS1" { "NDS1" } else { end }));
    let recipient = world.recipient(campaign).await;
    assert_eq!(world.claim(&world.to_claim(campaign, recipient)).await.outcome, Outcome::PoolEmpty);
    rewards::actions::stock::expire(&world.test.app).await.unwrap();
    assert_eq!(world.count("select count(*) from gift_cards where status = 'expired'", &[]).await, 1);
    world.check().await;
}

#[tokio::test]
async fn a_reward_costs_what_the_price_list_says_and_waits_for_credits() {
    let world = World::new().await;
    let pool = world.pool(2).await;
    let campaign = world.campaign(pool).await;
    let sql = "update organizations set settings_json = '{\"prices\": {\"reward\": 3}}' where id = $1";
    world.run(sql, &[&world.test.story.northside]).await;
    let recipient = world.recipient(campaign).await;
    let claimed = world.claim(&world.to_claim(campaign, recipient)).await;
    assert_eq!((claimed.outcome, claimed.outcome.code()), (Outcome::NoCredits, Some("GC-006")));
    let grant = rewards::actions::credits::GrantInput { amount: "5".into(), ..Default::default() };
    let balance = rewards::actions::credits::grant(
        &world.test.app,
        &world.test.operator(),
        world.client_id,
        &grant,
        &kernel::version::Expected::any(),
    )
    .await;
    assert_eq!(balance.unwrap(), 5);
    // nobody asks for it: the grant itself sees to those who wait
    world.work().await;
    assert_eq!(world.count("select credits::bigint from clients where id = $1", &[&world.client_id]).await, 2);
    assert_eq!(world.count("select count(*) from gift_cards where recipient_id = $1", &[&recipient]).await, 1);
    let back = rewards::actions::credits::GrantInput { amount: "-3".into(), note: "typo".into(), ..Default::default() };
    let refused = rewards::actions::credits::grant(
        &world.test.app,
        &world.test.operator(),
        world.client_id,
        &back,
        &kernel::version::Expected::any(),
    )
    .await;
    assert_eq!(refused.unwrap_err().code(), "GC-006");
    world.check().await;
}

#[tokio::test]
async fn a_condition_without_reward_is_met_and_one_that_does_not_exist_is_not() {
    let world = World::new().await;
    let pool = world.pool(1).await;
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    let mut claim = world.to_claim(campaign, recipient);
    claim.condition_number = 2;
    assert_eq!(world.claim(&claim).await.outcome, Outcome::NoReward);
    assert_eq!(world.claim(&claim).await.outcome, Outcome::AlreadyMet);
    claim.condition_number = 3;
    let unknown = world.claim(&claim).await.outcome;
    assert_eq!((unknown, unknown.code()), (Outcome::NoCondition, Some("GC-001")));
    // another tenant's actor does not even find the condition
    let actor = kernel::Actor::client(world.test.story.corner.id);
    let foreign = rewards::claim_now(
        &world.test.app.scope(&actor),
        &world.to_claim(campaign, recipient),
        world.test.app.clock.now(),
    )
    .await;
    assert_eq!(foreign.unwrap().outcome, Outcome::NoCondition);
    assert_eq!(world.count("select count(*) from gift_cards where status <> 'available'", &[]).await, 0);
    world.check().await;
}
