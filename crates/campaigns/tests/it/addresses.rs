//! Rewards of people whom nobody can reach: told of, and sent once somebody says where.

use campaigns::actions::draft::CampaignInput;
use campaigns::meet::Trigger;
use kernel::Actor;
use rewards::Outcome;
use serde_json::json;
use uuid::Uuid;
use web::Method;

use crate::world::World;

/// A campaign in the mail whose conditions are a visit and a form, and a recipient without phone and e-mail.
async fn unreachable(world: &World) -> (Uuid, Uuid) {
    let conditions = vec![world.condition("purl_visit"), world.condition("form_submit")];
    let (id, recipients) = world.mailed(&CampaignInput { conditions, ..world.input() }).await;
    world.admin.execute("update recipients set phone = null, email = null", &[]).await.unwrap();
    world.admin.execute("update contacts set phone = null, email = null", &[]).await.unwrap();
    (id, recipients[0])
}

const CARDS: &str = "select count(*) from gift_cards where recipient_id = $1";
const SENT: &str = "select count(*) from messages where recipient_id = $1 and to_address = 'pat@example.com'";
const ALERTS: &str =
    "select count(*) from alerts where kind = 'address_missing' and subject_id = $1 and resolved_at is null";

#[tokio::test]
async fn a_person_of_the_console_says_where_a_reward_goes_that_had_no_address() {
    let world = World::with(2, 20).await;
    let (id, recipient) = unreachable(&world).await;
    let visit = world.met(id, recipient, Trigger::PurlVisit);
    assert_eq!(world.meet(&visit).await.unwrap(), [Outcome::AddressMissing]);
    assert_eq!((world.count(CARDS, recipient).await, world.count(ALERTS, recipient).await), (0, 1));
    let story = &world.test.story;
    let path = format!("/acme-roofing/recipients/{recipient}");
    let page = world.test.get(&path).as_user(&story.acme_owner).await.expect_status(200).text();
    assert!(page.contains("Nobody knows where to send the card") && page.contains("Send reward"), "{page}");
    let developer = world.test.get(&path).as_user(&story.acme_developer).await.expect_status(200).text();
    assert!(!developer.contains("Send reward"));
    world.test.get(&path).as_user(&story.corner_owner).await.expect_status(404);
    let post = |to: &'static str| world.test.post_form(&format!("{path}/address"), &[("to", to)]);
    post("pat@example.com").as_user(&story.corner_owner).await.expect_status(404);
    let wrong = post("nobody").as_user(&story.acme_owner).await.expect_status(422).text();
    assert!(wrong.contains("enter a phone number of 10 digits") && wrong.contains("value=\"nobody\""));
    for may_not in [&story.acme_agent, &story.acme_owner] {
        post("Pat@Example.com").as_user(may_not).await.expect_status(403);
        let by_api = json!({ "to": "pat@example.com" });
        let by_api = world.test.api_json(Method::POST, &format!("/v1/recipients/{recipient}/address"), &by_api);
        let refused = by_api.as_user(may_not).await.expect_status(403).text();
        assert!(refused.contains("gift_cards.reveal"), "a card sent anywhere is a card revealed: {refused}");
    }
    post("Pat@Example.com").as_user(&story.agency_owner).await.expect_status(303);
    let given = "select count(*) from call_conditions_met where recipient_id = $1 and given_address";
    assert_eq!(world.count(given, recipient).await, 1, "and it is marked");
    let audited = "select count(*) from audit_log where action = 'reward.addressed' and row_id = $1
                   and after ->> 'to' = 'pat@example.com'";
    assert_eq!(world.count(audited, recipient).await, 1);
    world.work().await;
    assert_eq!((world.count(CARDS, recipient).await, world.count(SENT, recipient).await), (1, 1));
    assert_eq!(world.count(ALERTS, recipient).await, 0);
    let again = post("eve@example.com").as_user(&story.acme_owner).await.expect_status(422).text();
    assert!(again.contains("No reward of this recipient waits for an address"), "{again}");
    world.assert_sound().await;
}

#[tokio::test]
async fn an_agent_sends_a_waiting_reward_to_what_is_on_record_and_nowhere_else() {
    let world = World::with(2, 20).await;
    let (id, recipient) = unreachable(&world).await;
    world.meet(&world.met(id, recipient, Trigger::PurlVisit)).await.unwrap();
    world.admin.execute("update contacts set email = 'pat@example.com'", &[]).await.unwrap();
    let agent = &world.test.story.acme_agent;
    let path = format!("/v1/recipients/{recipient}/address");
    let give = |to: &str| world.test.api_json(Method::POST, &path, &json!({ "to": to })).as_user(agent);
    give("thief@example.com").await.expect_status(403);
    give("pat@example.com").await.expect_status(200);
    world.work().await;
    assert_eq!(world.count(SENT, recipient).await, 1);
    let given = "select count(*) from call_conditions_met where recipient_id = $1 and given_address";
    assert_eq!(world.count(given, recipient).await, 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_program_says_where_a_reward_goes_and_reads_what_waits() {
    let world = World::with(1, 20).await;
    let (id, recipient) = unreachable(&world).await;
    world.meet(&world.met(id, recipient, Trigger::PurlVisit)).await.unwrap();
    let path = format!("/v1/recipients/{recipient}");
    let (key, foreign) = (&world.test.story.acme.key, &world.test.story.corner.key);
    let read = world.test.api(Method::GET, &path).bearer(key).await.expect_status(200).json();
    assert_eq!(read["conditions_met"][0]["needs_address"], true);
    let give = |body| world.test.api_json(Method::POST, &format!("{path}/address"), &body);
    give(json!({ "to": "pat@example.com" })).bearer(foreign).await.expect_status(404);
    give(json!({})).bearer(key).await.expect_status(422);
    let given = give(json!({ "to": "pat@example.com" })).bearer(key).await.expect_status(200).json();
    assert_eq!(given["conditions_met"][0]["needs_address"], false);
    assert_eq!(given["conditions_met"][0]["delivery_address"], "pat@example.com");
    give(json!({ "to": "eve@example.com" })).bearer(key).await.expect_status(409);
    world.work().await;
    assert_eq!(world.count(SENT, recipient).await, 1);
}

#[tokio::test]
async fn an_address_given_in_a_form_also_serves_what_had_none() {
    let world = World::with(1, 20).await;
    let (id, recipient) = unreachable(&world).await;
    world.meet(&world.met(id, recipient, Trigger::PurlVisit)).await.unwrap();
    let mut form = world.met(id, recipient, Trigger::FormSubmit { form_id: world.form_id });
    form.email = Some("pat@example.com".into());
    // as forms do: as the client, whom row-level security holds to its own
    let actor = Actor::client(world.client_id);
    let tx = world.test.app.scope(&actor).transaction().await.unwrap();
    campaigns::meet::meet(&tx, &form).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.count(ALERTS, recipient).await, 0);
    world.work().await;
    assert_eq!((world.count(CARDS, recipient).await, world.count(SENT, recipient).await), (2, 2));
    world.assert_sound().await;
}

#[tokio::test]
async fn whom_the_launch_knew_no_way_to_reach_is_reached_as_the_contact_they_are_by_now() {
    let world = World::with(1, 20).await;
    let (id, recipient) = unreachable(&world).await;
    world.admin.execute("update contacts set email = 'pat@example.com'", &[]).await.unwrap();
    assert_eq!(world.meet(&world.met(id, recipient, Trigger::PurlVisit)).await.unwrap(), [Outcome::Claimed]);
    assert_eq!(world.count(SENT, recipient).await, 1);
}
