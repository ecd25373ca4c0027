//! Meeting conditions: once each, in the campaign they belong to, and by the clock where time has to pass.

use campaigns::ENGAGED_JOB;
use campaigns::actions::draft::CampaignInput;
use campaigns::meet::{self, Met, Trigger};
use jobs::NewJob;
use kernel::{Actor, Error, System};
use rewards::Outcome;
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

async fn mailed(world: &World, input: &CampaignInput) -> (Uuid, Uuid) {
    let (id, _) = world.launched(input).await;
    world.step(id, "in_production").await.unwrap();
    world.step(id, "mailed").await.unwrap();
    let sql = "select id from recipients where campaign_id = $1 order by id limit 1";
    (id, world.admin.query_one(sql, &[&id]).await.unwrap().get(0))
}

fn met(world: &World, campaign_id: Uuid, recipient_id: Uuid, trigger: Trigger) -> Met {
    let client_id = world.client_id;
    Met { client_id, campaign_id, recipient_id, trigger, channel: None, phone: None, email: None, notes: None }
}

async fn meet_now(world: &World, met: &Met) -> kernel::Result<Vec<Outcome>> {
    let actor = Actor::system(System::PublicLink);
    let tx = world.test.app.scope(&actor).transaction().await.unwrap();
    let conditions = meet::meet(&tx, met).await?;
    tx.commit().await.unwrap();
    Ok(conditions.iter().map(|condition| condition.claimed.outcome).collect())
}

async fn engaged(world: &World, campaign_id: Uuid, recipient_id: Uuid, event_type: &str) {
    let tx = world.test.app.scope(&world.test.operator()).transaction().await.unwrap();
    let payload = json!({ "campaign_id": campaign_id, "recipient_id": recipient_id, "event_type": event_type });
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
    assert_eq!(meet_now(&world, &met(&world, ready, early, submit)).await.unwrap(), [], "nothing is in the mail yet");

    let (id, recipient) = mailed(&world, &world.input()).await;
    let now = met(&world, id, recipient, submit);
    assert_eq!(meet_now(&world, &now).await.unwrap(), [Outcome::Claimed]);
    assert_eq!(meet_now(&world, &now).await.unwrap(), [Outcome::AlreadyMet]);
    let call = Trigger::Call { agent_id: None, session_id: None, condition_number: None };
    assert_eq!(meet_now(&world, &met(&world, id, recipient, call)).await.unwrap(), [], "no condition is met by a call");
    let foreign = met(&world, ready, recipient, submit);
    assert_eq!(meet_now(&world, &foreign).await, Err(Error::NotFound), "a recipient of another campaign");
    assert_eq!(world.count("select count(*) from gift_cards where campaign_id = $1", id).await, 1);
    world.assert_sound().await;
}

#[tokio::test]
async fn the_first_visit_makes_a_mailed_campaign_active_and_meets_its_condition() {
    let world = World::with(2, 20).await;
    let mut input = world.input();
    input.conditions = vec![world.condition("purl_visit")];
    let (id, recipient) = mailed(&world, &input).await;
    engaged(&world, id, recipient, "purl_visit").await;
    engaged(&world, id, recipient, "purl_visit").await;
    assert_eq!(world.status(id).await, "active");
    let sql = "select count(*) from call_conditions_met where recipient_id = $1";
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
    let (id, recipient) = mailed(&world, &input).await;
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
