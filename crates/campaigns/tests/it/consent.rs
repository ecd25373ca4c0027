//! Consent is asked before a card is taken, by address and not by row; who said no costs neither a card nor credits.

use campaigns::actions::draft::CampaignInput;
use campaigns::meet::Trigger;
use rewards::Outcome;
use serde_json::json;
use uuid::Uuid;
use web::Method;

use crate::world::World;

const CARDS: &str = "select count(*) from gift_cards where recipient_id = $1";
const MESSAGES: &str = "select count(*) from messages where recipient_id = $1";

async fn run(world: &World, sql: &str, id: Uuid) {
    world.admin.execute(sql, &[&id]).await.unwrap();
}

/// A campaign in the mail that rewards a visit, each reward at two credits, and its recipients with their contacts.
async fn mailed(contacts: i32) -> (World, Uuid, Vec<(Uuid, Uuid)>) {
    let world = World::with(contacts, 20).await;
    let sql = "update organizations set settings_json = '{\"prices\": {\"reward\": 2}}' where id = $1";
    run(&world, sql, world.test.story.northside).await;
    let sql = "insert into credit_ledger (id, client_id, amount, reason, created_at) values (gen_random_uuid(), $1, 100, 'grant', now())";
    run(&world, sql, world.client_id).await;
    let conditions = vec![world.condition("purl_visit")];
    let (id, _) = world.mailed(&CampaignInput { conditions, ..world.input() }).await;
    let sql = "select id, contact_id from recipients where campaign_id = $1 order by id";
    let rows = world.admin.query(sql, &[&id]).await.unwrap();
    (world, id, rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

async fn visit(world: &World, campaign: Uuid, recipient: Uuid) -> Outcome {
    world.meet(&world.met(campaign, recipient, Trigger::PurlVisit)).await.unwrap()[0]
}

async fn credits(world: &World) -> i64 {
    world.count("select credits::int8 from clients where id = $1", world.client_id).await
}

#[tokio::test]
async fn somebody_who_may_not_be_written_to_costs_neither_a_card_nor_credits_and_it_shows() {
    let (world, id, people) = mailed(1).await;
    let (recipient, contact) = people[0];
    run(&world, "update contacts set do_not_contact = true where id = $1", contact).await;
    assert_eq!(visit(&world, id, recipient).await, Outcome::ConsentNeeded);
    world.work().await;
    assert_eq!((world.count(CARDS, recipient).await, world.count(MESSAGES, recipient).await), (0, 0));
    assert_eq!(credits(&world).await, 100);
    let story = &world.test.story;
    let path = format!("/v1/recipients/{recipient}");
    let read = world.test.api(Method::GET, &path).as_user(&story.acme_owner).await.expect_status(200).json();
    let met = &read["conditions_met"][0];
    assert_eq!((&met["consent_needed"], &met["needs_address"]), (&json!(true), &json!(false)), "{met}");
    let page = world.test.get(&format!("/acme-roofing/recipients/{recipient}")).as_user(&story.acme_owner).await;
    assert!(page.expect_status(200).text().contains("may not be written to (GC-009)"));
    let give = || {
        let body = json!({ "to": "+16145550199" });
        world
            .test
            .api_json(Method::POST, &format!("{path}/address"), &body)
            .as_user(&story.agency_owner)
            .for_client(story.acme.id)
    };
    let refused = give().await.expect_status(409).text();
    assert!(refused.contains("GC-009"), "another number does not change a no: {refused}");
    // They say yes after all, and get what they earned.
    run(&world, "update contacts set do_not_contact = false where id = $1", contact).await;
    give().await.expect_status(200);
    world.work().await;
    assert_eq!((world.count(CARDS, recipient).await, credits(&world).await), (1, 98));
    world.assert_sound().await;
}

#[tokio::test]
async fn a_no_outlives_the_contact_and_a_changed_number_and_counts_for_whoever_has_the_address() {
    let (world, id, people) = mailed(4).await;
    let [(gone, gone_contact), (moved, moved_contact), (twin, twin_contact), (other, other_contact)] = people[..]
    else {
        panic!("four people")
    };
    let opt_out = "update contacts set sms_opt_out = true where id = $1";
    run(&world, opt_out, gone_contact).await;
    run(&world, "delete from contacts where id = $1", gone_contact).await;
    assert_eq!(visit(&world, id, gone).await, Outcome::ConsentNeeded, "their number is still on the recipient");
    // the number is given to another contact: the old one stays suppressed, whoever has it
    run(&world, opt_out, moved_contact).await;
    let old = "update contacts set phone = (select phone from contacts where id = $1) where id = $2";
    world.admin.execute(old, &[&moved_contact, &twin_contact]).await.unwrap();
    run(&world, "update contacts set phone = '+16145559999' where id = $1", moved_contact).await;
    assert_eq!(visit(&world, id, moved).await, Outcome::ConsentNeeded);
    assert_eq!(visit(&world, id, twin).await, Outcome::ConsentNeeded, "it is the address that said no");
    // texts are refused and e-mail is not
    run(&world, "update contacts set sms_opt_out = true, email = 'other@example.com' where id = $1", other_contact)
        .await;
    assert_eq!(visit(&world, id, other).await, Outcome::Claimed);
    let by_mail = "select count(*) from messages where recipient_id = $1 and channel = 'email' and to_address = 'other@example.com'";
    assert_eq!(world.count(by_mail, other).await, 1);
    assert_eq!(credits(&world).await, 98);
    // a yes of the same contact lifts what its no had left
    run(&world, "update contacts set sms_opt_out = false where id = $1", moved_contact).await;
    let left = "select count(*) from suppressed_addresses where client_id = $1 and reason = 'opted_out'";
    assert_eq!(world.count(left, world.client_id).await, 2, "of the numbers they left behind");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_new_number_counts_for_what_is_earned_what_waits_for_a_card_and_what_has_not_left() {
    let (world, id, people) = mailed(3).await;
    let [(earns, earns_contact), (unsent, unsent_contact), (waits, waits_contact)] = people[..] else { panic!() };
    let new = "update contacts set phone = '+16145557777' where id = $1";
    run(&world, new, earns_contact).await;
    assert_eq!(visit(&world, id, earns).await, Outcome::Claimed);
    assert_eq!(visit(&world, id, unsent).await, Outcome::Claimed);
    run(&world, new, unsent_contact).await;
    empty_the_pool(&world).await;
    assert_eq!(visit(&world, id, waits).await, Outcome::PoolEmpty);
    run(&world, new, waits_contact).await;
    world.add_cards(1).await;
    rewards::actions::stock::fulfil(&world.test.app, world.client_id, world.pool_id).await.unwrap();
    let there = "select count(*) from messages where recipient_id = $1 and to_address = '+16145557777'";
    for recipient in [earns, unsent, waits] {
        assert_eq!(world.count(there, recipient).await, 1);
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn an_address_that_was_taken_away_gets_nothing_that_still_waits() {
    let (world, id, people) = mailed(5).await;
    let [
        (sent, sent_contact),
        (mails, mails_contact),
        (waits, waits_contact),
        (nowhere, nowhere_contact),
        (later, later_contact),
    ] = people[..]
    else {
        panic!()
    };
    let email = "update contacts set email = 'pat@example.com' where id = $1";
    for contact in [sent_contact, mails_contact] {
        run(&world, email, contact).await;
    }
    let no_phone = "update contacts set phone = null, mobile_phone = null where id = $1";
    assert_eq!(visit(&world, id, sent).await, Outcome::Claimed);
    run(&world, no_phone, sent_contact).await;
    empty_the_pool(&world).await;
    for recipient in [mails, waits, nowhere] {
        assert_eq!(visit(&world, id, recipient).await, Outcome::PoolEmpty);
    }
    run(&world, no_phone, mails_contact).await;
    run(&world, "update contacts set mobile_phone = phone, phone = null where id = $1", waits_contact).await;
    run(&world, no_phone, nowhere_contact).await;
    run(&world, no_phone, later_contact).await;
    assert_eq!(visit(&world, id, later).await, Outcome::AddressMissing, "nor what is earned from then on");
    world.add_cards(3).await;
    rewards::actions::stock::fulfil(&world.test.app, world.client_id, world.pool_id).await.unwrap();
    let way = "select channel || coalesce(' ' || last_error_code, '') from messages where recipient_id = $1";
    for (recipient, ways) in
        [(sent, &["sms address_gone"][..]), (mails, &["email"]), (waits, &["sms"]), (nowhere, &[]), (later, &[])]
    {
        let rows = world.admin.query(way, &[&recipient]).await.unwrap();
        let went: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(went, ways);
    }
    let told = "select count(*) from alerts where kind = 'address_missing' and subject_id = $1 and resolved_at is null";
    assert_eq!(world.count(told, nowhere).await, 1);
    assert_eq!(world.count("select count(*) from gift_cards where recipient_id = $1", nowhere).await, 0);
    world.assert_sound().await;
}

/// Somebody else has the last cards: whoever comes now stands in line.
async fn empty_the_pool(world: &World) {
    let empty = "update gift_cards set status = 'expired' where status = 'available' and pool_id = $1";
    run(world, empty, world.pool_id).await;
    run(world, "update campaign_reservations set reserved = 0 where pool_id = $1", world.pool_id).await;
    let counted = "update gift_card_pools set available_cards = 0, reserved_cards = 0 where id = $1";
    run(world, counted, world.pool_id).await;
}

#[tokio::test]
async fn who_says_no_while_they_wait_leaves_the_line_and_the_card_goes_to_the_next() {
    let (world, id, people) = mailed(2).await;
    let [(first, first_contact), (second, _)] = people[..] else { panic!() };
    run(&world, "update gift_cards set status = 'expired' where pool_id = $1", world.pool_id).await;
    run(&world, "update campaign_reservations set reserved = 0 where pool_id = $1", world.pool_id).await;
    let counted = "update gift_card_pools set available_cards = 0, reserved_cards = 0 where id = $1";
    run(&world, counted, world.pool_id).await;
    for recipient in [first, second] {
        assert_eq!(visit(&world, id, recipient).await, Outcome::PoolEmpty);
    }
    run(&world, "update contacts set do_not_contact = true where id = $1", first_contact).await;
    world.add_cards(1).await;
    rewards::actions::stock::fulfil(&world.test.app, world.client_id, world.pool_id).await.unwrap();
    assert_eq!((world.count(CARDS, first).await, world.count(CARDS, second).await), (0, 1));
    assert_eq!(credits(&world).await, 98);
    world.assert_sound().await;
}

#[tokio::test]
async fn two_rewards_to_one_address_at_once_do_not_both_pass_the_limit_of_the_day() {
    let (world, id, people) = mailed(2).await;
    let met = |recipient| {
        let mut met = world.met(id, recipient, Trigger::PurlVisit);
        (met.phone, met.most_per_address) = (Some("+16145550100".into()), 1);
        met
    };
    let (first, second) = (met(people[0].0), met(people[1].0));
    let actor = kernel::Actor::client(world.client_id);
    let scope = world.test.app.scope(&actor);
    let earlier = scope.transaction().await.unwrap();
    campaigns::meet::meet(&earlier, &first).await.unwrap();
    let later = async {
        let tx = scope.transaction().await.unwrap();
        campaigns::meet::meet(&tx, &second).await.unwrap();
        tx.commit().await.unwrap();
    };
    let ends = async {
        let waiting =
            "select count(*) from pg_locks where locktype = 'advisory' and not granted and $1::uuid is not null";
        while world.count(waiting, id).await == 0 {
            tokio::task::yield_now().await;
        }
        earlier.commit().await.unwrap();
    };
    tokio::join!(later, ends);
    let held = "select count(*) from call_conditions_met where campaign_id = $1 and hold_reason is not null";
    assert_eq!(world.count(held, id).await, 1);
    world.assert_sound().await;
}
