//! Who waits at a pool: first met, first served; nobody overtakes, and nobody who can be served is kept by others.

use std::sync::Arc;

use futures_util::future::join_all;
use rewards::Outcome;
use rewards::actions::cards::{RevokeInput, revoke};
use rewards::actions::stock;
use uuid::Uuid;

use crate::support::World;

#[tokio::test]
async fn a_newcomer_gets_a_card_only_when_there_are_more_than_people_who_wait() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let campaign = world.campaign(pool).await;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(world.newcomer(campaign).await.0);
        world.later(1);
    }
    world.upload(pool, 2).await;
    let (late, outcome) = world.newcomer(campaign).await;
    assert_eq!(outcome, Outcome::PoolEmpty, "two cards, and three who were earlier");
    world.work().await;
    for (recipient, cards) in [(waiting[0], 1), (waiting[1], 1), (waiting[2], 0), (late, 0)] {
        assert_eq!(world.cards_of(recipient).await, cards);
    }
    world.later(1);
    world.upload(pool, 3).await;
    let (later, outcome) = world.newcomer(campaign).await;
    assert_eq!(outcome, Outcome::Claimed, "three cards, and two who wait");
    assert_eq!(world.cards_of(later).await, 1);
    world.work().await;
    assert_eq!((world.cards_of(waiting[2]).await, world.cards_of(late).await), (1, 1));
    let waiting = "select count(*) from alerts where resolved_at is null and kind = 'pool_empty'";
    assert_eq!(world.count(waiting, &[]).await, 0, "nobody waits any more, though the shelf is low");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_of_newcomers_beside_those_who_wait_takes_only_what_they_leave() {
    let world = Arc::new(World::new().await);
    let pool = world.pool(0).await;
    let campaign = world.campaign(pool).await;
    let mut waiting = Vec::new();
    for _ in 0..8 {
        waiting.push(world.newcomer(campaign).await.0);
    }
    world.later(1);
    let mut crowd = Vec::new();
    for _ in 0..24 {
        crowd.push(world.recipient(campaign).await);
    }
    world.upload(pool, 12).await;
    let claims = crowd.iter().map(|recipient| {
        let (world, recipient) = (world.clone(), *recipient);
        tokio::spawn(async move { world.claim(&world.to_claim(campaign, recipient)).await.outcome })
    });
    let fulfil = {
        let world = world.clone();
        tokio::spawn(async move { stock::fulfil(&world.test.app, world.client_id, pool).await.unwrap() })
    };
    let outcomes: Vec<_> = join_all(claims).await.into_iter().map(Result::unwrap).collect();
    fulfil.await.unwrap();
    world.work().await;
    for recipient in waiting {
        assert_eq!(world.cards_of(recipient).await, 1, "who waited was not overtaken");
    }
    assert!(outcomes.iter().filter(|outcome| **outcome == Outcome::Claimed).count() <= 4);
    assert_eq!(world.count("select available_cards::bigint from gift_card_pools where id = $1", &[&pool]).await, 0);
    world.check().await;
}

#[tokio::test]
async fn what_is_promised_to_a_campaign_goes_to_its_own_people_in_their_order() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let (promised, other) = (world.campaign(pool).await, world.campaign(pool).await);
    let (stranger, _) = world.newcomer(other).await;
    world.upload(pool, 2).await;
    world.promise(promised, pool, 2).await;
    let (_, outcome) = world.newcomer(promised).await;
    assert_eq!(outcome, Outcome::Claimed, "the stranger ahead cannot have this card anyway");
    // somebody of the same campaign waits for credits
    world.price(3).await;
    world.later(1);
    let (first, outcome) = world.newcomer(promised).await;
    assert_eq!(outcome, Outcome::NoCredits);
    world.grant(5).await;
    world.later(1);
    let (second, outcome) = world.newcomer(promised).await;
    assert_eq!(outcome, Outcome::PoolEmpty, "card and credits are those of the one ahead");
    world.work().await;
    assert_eq!((world.cards_of(first).await, world.cards_of(second).await), (1, 0));
    assert_eq!(world.cards_of(stranger).await, 0);
    world.check().await;
}

#[tokio::test]
async fn credits_go_to_those_who_wait_for_them_first() {
    let world = World::new().await;
    let pool = world.pool(5).await;
    let campaign = world.campaign(pool).await;
    world.price(3).await;
    let (first, outcome) = world.newcomer(campaign).await;
    assert_eq!(outcome, Outcome::NoCredits);
    world.grant(3).await;
    world.later(1);
    let (second, outcome) = world.newcomer(campaign).await;
    assert_ne!(outcome, Outcome::Claimed, "cards enough, but the credits are for the one ahead");
    world.work().await;
    assert_eq!((world.cards_of(first).await, world.cards_of(second).await), (1, 0));
    assert_eq!(
        world.word("select kind from alerts where resolved_at is null and kind <> 'pool_low'", &[]).await,
        "no_credits"
    );
    world.price(0).await;
    let (_, outcome) = world.newcomer(campaign).await;
    assert_eq!(outcome, Outcome::Claimed, "who costs nothing is not kept by those who lack credits");
    world.check().await;
}

#[tokio::test]
async fn a_hundred_who_cannot_be_served_do_not_keep_the_one_behind_them() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let (promised, other) = (world.campaign(pool).await, world.campaign(pool).await);
    for _ in 0..101 {
        world.newcomer(other).await;
    }
    world.later(1);
    let (behind, _) = world.newcomer(promised).await;
    world.upload(pool, 1).await;
    world.promise(promised, pool, 1).await;
    world.work().await;
    assert_eq!(world.cards_of(behind).await, 1);
    world.check().await;
}

#[tokio::test]
async fn cards_past_their_last_day_count_for_nobody_before_they_are_swept() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let (promised, other) = (world.campaign(pool).await, world.campaign(pool).await);
    world.upload_until(pool, &["2026-03-05", "2026-03-05", "", ""]).await;
    world.promise(promised, pool, 2).await;
    world.later(10 * 86_400);
    assert_eq!(world.newcomer(other).await.1, Outcome::PoolEmpty, "the two that are left are promised");
    for _ in 0..2 {
        assert_eq!(world.newcomer(promised).await.1, Outcome::Claimed);
    }
    world.check().await;
    // a promised card can be retired all the same, and the promise is then one shorter
    world.upload_until(pool, &["2026-03-20", ""]).await;
    world.work().await;
    let never = "select id from gift_cards where status = 'available' and expires_at is null";
    assert!(world.admin.query_opt(never, &[]).await.unwrap().is_some(), "one went to who waited");
    world.promise(promised, pool, 1).await;
    world.later(30 * 86_400);
    let card: Uuid = world.admin.query_one(never, &[]).await.unwrap().get(0);
    let because = RevokeInput { reason: "seen".into() };
    revoke(
        &world.test.app,
        &world.test.operator(),
        (world.client_id, card),
        &because,
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    assert_eq!(world.count("select coalesce(sum(reserved), 0)::bigint from campaign_reservations", &[]).await, 0);
    world.check().await;
}

#[tokio::test]
async fn the_sweep_reaches_every_pool_even_when_one_of_them_fails() {
    let world = World::new().await;
    let brand = world.brand().await;
    let sql =
        "insert into gift_card_pools (id, client_id, brand_id, pool_name, value_amount, total_cards, available_cards)
               select gen_random_uuid(), $1, $2, 'Many ' || n, 5, 1, 1 from generate_series(1, 203) as n";
    world.run(sql, &[&world.client_id, &brand]).await;
    let sql = "insert into gift_cards (id, client_id, pool_id, card_code, code_fingerprint, code_last4, value_amount, expires_at)
               select gen_random_uuid(), client_id, id, 'sealed', decode(md5(id::text), 'hex'), 'AB12', 5, date '2026-03-05'
               from gift_card_pools";
    world.run(sql, &[]).await;
    let broken = world.word("select id::text from gift_card_pools order by id limit 1", &[]).await;
    let sql = format!(
        "create function public.broken() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$;
         create trigger broken before update on gift_cards for each row when (old.pool_id = '{broken}')
         execute function public.broken();"
    );
    world.admin.batch_execute(&sql).await.unwrap();
    world.later(10 * 86_400);
    assert!(stock::expire(&world.test.app).await.is_err(), "and it says that something failed");
    assert_eq!(world.count("select count(*) from gift_cards where status = 'expired'", &[]).await, 202);
    world.check().await;
}

#[tokio::test]
async fn who_comes_to_an_empty_pool_joins_the_line_without_counting_it() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let campaign = world.campaign(pool).await;
    for _ in 0..3 {
        assert_eq!(world.newcomer(campaign).await.1, Outcome::PoolEmpty);
    }
    let recipient = world.recipient(campaign).await;
    let met = "insert into call_conditions_met (id, client_id, campaign_id, recipient_id, condition_number, trigger_type, met_at,
                 gift_card_pool_id, delivery_channel, delivery_address, delivery_status)
               values (gen_random_uuid(), $1, $2, $3, 1, 'form_submit', '2030-01-01', $4, 'sms', '+16145550123', 'pending')";
    world.run(met, &[&world.client_id, &campaign, &recipient, &pool]).await;
    let waits = "select app.has_to_wait(m, '2030-01-01') from call_conditions_met m where recipient_id = $1";
    let waits: bool = world.admin.query_one(waits, &[&recipient]).await.unwrap().get(0);
    assert!(!waits, "there is nothing to be had, so those ahead are not looked at");
    let looked = "select looked_at from app.those_ahead($1, $2, $3, '2030-01-01', $4, 2)";
    assert_eq!(world.count(looked, &[&world.client_id, &pool, &campaign, &recipient]).await, 2, "two of three");
}
