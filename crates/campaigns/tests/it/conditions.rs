//! Meeting conditions: once each, in the campaign they belong to, and by the clock where time has to pass.

use std::sync::Arc;

use campaigns::ENGAGED_JOB;
use campaigns::meet::Trigger;
use jobs::NewJob;
use kernel::Error;
use rewards::Outcome;
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

/// A person was seen.
async fn engaged(world: &World, campaign_id: Uuid, recipient_id: Uuid, event_type: &str) {
    told(
        world,
        json!({ "campaign_id": campaign_id, "recipient_id": recipient_id, "event_type": event_type, "person": true }),
    )
    .await;
}

/// A visit, and nothing more.
async fn visited(world: &World, campaign_id: Uuid, recipient_id: Uuid, event_type: &str) {
    told(world, json!({ "campaign_id": campaign_id, "recipient_id": recipient_id, "event_type": event_type })).await;
}

async fn told(world: &World, payload: serde_json::Value) {
    let tx = world.test.app.scope(&world.test.operator()).transaction().await.unwrap();
    jobs::enqueue(&tx, &NewJob::new(ENGAGED_JOB, payload).client(world.client_id)).await.unwrap();
    tx.commit().await.unwrap();
    world.work().await;
}

#[tokio::test]
async fn a_condition_is_met_once_and_only_in_a_campaign_that_is_in_the_mail() {
    let world = World::with(2, 20).await;
    let (ready, _) = world.launched(&world.input()).await;
    let sql = "select id from recipients where campaign_id = $1 limit 1";
    let early: Uuid = world.admin.query_one(sql, &[&ready]).await.unwrap().get(0);
    let submit = Trigger::FormSubmit { form_id: world.form_id };
    assert_eq!(world.meet(&world.met(ready, early, submit)).await.unwrap(), [], "nothing is in the mail yet");

    let (id, recipients) = world.mailed(&world.input()).await;
    let recipient = recipients[0];
    let now = world.met(id, recipient, submit);
    assert_eq!(world.meet(&now).await.unwrap(), [Outcome::Claimed]);
    assert_eq!(world.meet(&now).await.unwrap(), [Outcome::AlreadyMet]);
    let call = Trigger::Call { agent_id: None, session_id: None, condition_number: None };
    assert_eq!(world.meet(&world.met(id, recipient, call)).await.unwrap(), [], "no condition is met by a call");
    let foreign = world.met(ready, recipient, submit);
    assert_eq!(world.meet(&foreign).await, Err(Error::NotFound), "a recipient of another campaign");
    assert_eq!(world.count("select count(*) from gift_cards where campaign_id = $1", id).await, 1);
    world.assert_sound().await;
}

#[tokio::test]
async fn the_first_visit_makes_a_mailed_campaign_active_and_meets_its_condition() {
    let world = World::with(2, 20).await;
    let mut input = world.input();
    input.conditions = vec![world.condition("purl_visit")];
    let (id, recipients) = world.mailed(&input).await;
    let recipient = recipients[0];
    visited(&world, id, recipient, "purl_visit").await;
    assert_eq!(world.status(id).await, "active");
    let sql = "select count(*) from call_conditions_met where recipient_id = $1";
    assert_eq!(world.count(sql, recipient).await, 0, "a program can follow a link");
    engaged(&world, id, recipient, "purl_visit").await;
    engaged(&world, id, recipient, "purl_visit").await;
    assert_eq!(world.count(sql, recipient).await, 1);
    let sql = "select count(*) from campaign_status_history where campaign_id = $1 and to_status = 'active'";
    assert_eq!(world.count(sql, id).await, 1, "and it became active once");
    let (ready, _) = world.launched(&world.input()).await;
    engaged(&world, ready, recipient, "qr_scan").await;
    assert_eq!(world.status(ready).await, "ready", "a campaign that is not in the mail stays what it is");
}

#[tokio::test]
async fn time_passes_from_the_condition_before_or_from_delivery() {
    let world = World::with(1, 20).await;
    let mut input = world.input();
    let after = |hours| {
        let mut condition = world.condition("time_delay");
        condition.time_delay_hours = Some(hours);
        condition
    };
    input.conditions = vec![after(24), world.condition("qr_scan"), after(48)];
    let (id, recipients) = world.mailed(&input).await;
    let recipient = recipients[0];
    let met = "select count(*) from call_conditions_met where recipient_id = $1";
    engaged(&world, id, recipient, "mail_delivered").await;
    world.test.clock().advance(chrono::Duration::hours(23));
    world.work().await;
    assert_eq!(world.count(met, recipient).await, 0, "an hour is missing");
    world.test.clock().advance(chrono::Duration::hours(2));
    world.work().await;
    assert_eq!(world.count(met, recipient).await, 1, "a day after delivery");
    engaged(&world, id, recipient, "qr_scan").await;
    assert_eq!(world.count(met, recipient).await, 2);
    world.test.clock().advance(chrono::Duration::hours(49));
    world.work().await;
    assert_eq!(world.count(met, recipient).await, 3, "two days after the scan");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn claims_over_two_pools_in_either_order_never_wait_for_each_other() {
    let world = Arc::new(World::with(16, 40).await);
    let second = world.second_pool(40).await;
    let mut people = Vec::new();
    for pools in [[world.pool_id, second], [second, world.pool_id]] {
        let mut input = world.input();
        input.conditions = vec![world.condition("form_submit"), world.condition("form_submit")];
        for (condition, pool) in input.conditions.iter_mut().zip(pools) {
            condition.gift_card_pool_id = Some(pool);
        }
        let (id, recipients) = world.mailed(&input).await;
        people.extend(recipients.into_iter().map(|recipient| (id, recipient)));
    }
    // one of this campaign, one of that
    people.sort_by_key(|(_, recipient)| recipient.as_u128() & 0xffff);
    let tasks = people.into_iter().map(|(campaign, recipient)| {
        let world = world.clone();
        tokio::spawn(async move {
            let submit = Trigger::FormSubmit { form_id: world.form_id };
            world.meet(&world.met(campaign, recipient, submit)).await
        })
    });
    for outcome in futures_util::future::join_all(tasks).await {
        assert_eq!(outcome.unwrap().unwrap(), [Outcome::Claimed, Outcome::Claimed]);
    }
    world.assert_sound().await;
}
