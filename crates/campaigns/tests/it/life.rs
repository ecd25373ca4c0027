//! The life of a campaign: every step in code and in the database, what it costs, and who may take it.

use campaigns::actions::steps::{self, STEPS, Wish};
use kernel::Error;
use serde_json::json;
use uuid::Uuid;
use web::Method;

use crate::world::World;

const STATUSES: [&str; 6] = ["draft", "ready", "in_production", "mailed", "active", "completed"];

/// Puts a campaign into a status past every rule.
async fn force(world: &World, id: Uuid, status: &str) {
    let sql = format!(
        "set session_replication_role = replica;
         update campaigns set status = '{status}' where id = '{id}';
         set session_replication_role = origin"
    );
    world.admin.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn code_and_database_agree_on_every_pair_of_statuses() {
    let world = World::with(1, 10).await;
    let (id, _) = world.draft(&world.input()).await;
    for from in STATUSES {
        for to in STATUSES.into_iter().filter(|to| *to != from) {
            let by_people = STEPS.iter().any(|step| (step.from, step.to) == (from, to));
            // A launch, and the first engagement, are steps of their own.
            let known = by_people || [("draft", "ready"), ("mailed", "active")].contains(&(from, to));
            force(&world, id, from).await;
            let sql = "update campaigns set status = $2::text::campaign_status where id = $1";
            let done = world.admin.execute(sql, &[&id, &to]).await;
            assert_eq!(done.is_ok(), known, "the database on {from} → {to}");
            force(&world, id, from).await;
            let taken = world.step(id, to).await;
            assert_eq!(taken.is_ok(), by_people, "the code on {from} → {to}: {taken:?}");
        }
    }
}

#[tokio::test]
async fn production_charges_the_pieces_and_cancelling_refunds_them_and_frees_the_cards() {
    let world = World::with(10, 50).await;
    let set = "update organizations set settings_json = '{\"prices\": {\"piece\": 3}}' where id = $1";
    world.admin.execute(set, &[&world.test.story.northside]).await.unwrap();
    let (id, _) = world.draft(&world.input()).await;
    let refused = campaigns::actions::launch::begin(
        &world.test.app,
        &world.owner(),
        (world.client_id, id),
        &kernel::version::Expected::any(),
    )
    .await;
    assert_eq!(refused.unwrap_err().fields()[0].field, "credits", "30 credits are needed and none are there");
    grant(&world, 40).await;
    world.launch(id).await;
    assert_eq!(credits(&world).await, 40, "nothing is charged before production");
    world.step(id, "in_production").await.unwrap();
    assert_eq!(credits(&world).await, 10);
    world.step(id, "draft").await.unwrap();
    assert_eq!((world.status(id).await.as_str(), credits(&world).await), ("draft", 40));
    assert_eq!(world.count("select reserved_cards::int8 from gift_card_pools where id = $1", world.pool_id).await, 0);
    world.assert_sound().await;
    world.work().await;
    assert_eq!(world.count("select count(*) from recipients where campaign_id = $1", id).await, 0);
    world.assert_sound().await;
    // And it can be launched and charged again, as if nothing had been.
    world.launch(id).await;
    world.step(id, "in_production").await.unwrap();
    assert_eq!(credits(&world).await, 10);
    assert_eq!(world.count("select count(*) from contact_campaign_participation where campaign_id = $1", id).await, 10);
    // What a launched campaign's pieces cost is set aside: nobody takes it back, not even past every rule.
    let (second, _) = world.draft(&world.input()).await;
    grant(&world, 20).await;
    world.launch(second).await;
    let take = "insert into credit_ledger (id, client_id, amount, reason, created_at) values (gen_random_uuid(), $1, -20, 'correction', now())";
    let refused = world.admin.execute(take, &[&world.client_id]).await.unwrap_err();
    assert_eq!(refused.as_db_error().unwrap().constraint(), Some("clients_credits_reserved_within"));
    // A campaign launched before there was this set nothing aside, and stays ready without credits for its pieces.
    world.admin.execute("update campaigns set credits_promised = 0 where id = $1", &[&second]).await.unwrap();
    world.admin.execute(take, &[&world.client_id]).await.unwrap();
    let refused = world.step(second, "in_production").await;
    assert!(matches!(refused, Err(Error::Conflict { code: "GC-006", .. })), "{refused:?}");
    assert_eq!((world.status(second).await.as_str(), credits(&world).await), ("ready", 10));
}

async fn grant(world: &World, amount: i32) {
    let sql = "insert into credit_ledger (id, client_id, amount, reason, created_at) values (gen_random_uuid(), $1, $2, 'grant', now())";
    world.admin.execute(sql, &[&world.client_id, &amount]).await.unwrap();
}

async fn credits(world: &World) -> i64 {
    world.count("select credits::int8 from clients where id = $1", world.client_id).await
}

#[tokio::test]
async fn completing_frees_the_unused_cards_and_a_mail_date_to_come_is_refused() {
    let world = World::with(4, 20).await;
    let (id, _) = world.launched(&world.input()).await;
    world.step(id, "in_production").await.unwrap();
    let today = world.test.app.clock.now().date_naive();
    let mailed = |day| Wish { to: "mailed".into(), mail_date: Some(day), reason: None };
    let (app, owner) = (&world.test.app, world.owner());
    let early = steps::take(
        app,
        &owner,
        (world.client_id, id),
        &mailed(today + chrono::Duration::days(9)),
        &kernel::version::Expected::any(),
    )
    .await;
    assert_eq!(early.unwrap_err().fields()[0].field, "mail_date");
    steps::take(
        app,
        &owner,
        (world.client_id, id),
        &mailed(today - chrono::Duration::days(1)),
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    let row = world.admin.query_one("select mail_date from campaigns where id = $1", &[&id]).await.unwrap();
    assert_eq!(row.get::<_, chrono::NaiveDate>(0), today - chrono::Duration::days(1));
    force(&world, id, "active").await;
    assert_eq!(world.count("select reserved_cards::int8 from gift_card_pools where id = $1", world.pool_id).await, 4);
    world.step(id, "completed").await.unwrap();
    assert_eq!(world.count("select reserved_cards::int8 from gift_card_pools where id = $1", world.pool_id).await, 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn ninety_days_without_anybody_complete_a_campaign_and_a_visit_keeps_it_alive() {
    let world = World::with(2, 20).await;
    let (quiet, _) = world.launched(&world.input()).await;
    let (lively, _) = world.launched(&world.input()).await;
    let (unanswered, _) = world.mailed(&world.input()).await;
    let now = world.test.app.clock.now();
    for id in [quiet, lively] {
        force(&world, id, "active").await;
        world.admin.execute("update campaigns set activated_at = $2 where id = $1", &[&id, &now]).await.unwrap();
    }
    world.test.clock().advance(chrono::Duration::days(80));
    let sql = "insert into events (id, client_id, campaign_id, event_type, event_data, created_at)
               values (gen_random_uuid(), $1, $2, 'purl_visit', $3, $4)";
    let at = world.test.app.clock.now();
    world.admin.execute(sql, &[&world.client_id, &lively, &json!({}), &at]).await.unwrap();
    world.admin.execute(sql, &[&world.client_id, &quiet, &json!({"bot": true}), &at]).await.unwrap();
    world.work().await;
    assert_eq!(world.status(quiet).await, "active", "80 days are not enough");
    world.test.clock().advance(chrono::Duration::days(11));
    world.work().await;
    assert_eq!(world.status(quiet).await, "completed", "machines keep nothing alive");
    assert_eq!(world.status(lively).await, "active");
    assert_eq!(world.status(unanswered).await, "completed", "nobody answered");
    assert_eq!(
        world.count("select sum(reserved) from campaign_reservations where campaign_id = $1", unanswered).await,
        0
    );
}

#[tokio::test]
async fn an_organization_that_wants_a_second_person_gets_one() {
    let world = World::with(2, 20).await;
    let set = "update organizations set settings_json = '{\"require_approval\": true}' where id = $1";
    world.admin.execute(set, &[&world.test.story.northside]).await.unwrap();
    let story = &world.test.story;
    let (id, _) = world.launched(&world.input()).await;
    let path = format!("/v1/campaigns/{id}/steps");
    let (body, back) = (json!({ "to": "in_production" }), json!({ "to": "draft" }));
    let own = world.test.api_json(Method::POST, &path, &body).as_user(&story.acme_owner).await.expect_status(403);
    assert!(own.text().contains("campaigns.approve"), "{}", own.text());
    // The agency's owner may approve, but not what she launched herself.
    let agency =
        |body| world.test.api_json(Method::POST, &path, body).as_user(&story.agency_owner).for_client(story.acme.id);
    agency(&back).await.expect_status(200);
    let begin = world.test.api(Method::POST, &format!("/v1/campaigns/{id}/launch"));
    begin.as_user(&story.agency_owner).for_client(story.acme.id).await.expect_status(202);
    world.work().await;
    let refused = agency(&body).await.expect_status(409);
    assert!(refused.text().contains("approval_needed"), "{}", refused.text());
    agency(&back).await.expect_status(200);
    world.launch(id).await;
    agency(&body).await.expect_status(200);
    assert_eq!(world.status(id).await, "in_production");
}

#[tokio::test]
async fn each_step_takes_its_own_permission() {
    let world = World::with(2, 20).await;
    let (id, slug) = world.launched(&world.input()).await;
    let story = &world.test.story;
    let path = format!("/acme-roofing/campaigns/{slug}/steps");
    let fields = [("to", "in_production")];
    let agent = world.test.post_form(&path, &fields).as_user(&story.acme_agent).await.expect_status(403);
    assert!(agent.text().contains("and a campaign to production"), "{}", agent.text());
    world.test.post_form(&path, &fields).as_user(&story.corner_owner).await.expect_status(404);
    assert_eq!(world.status(id).await, "ready");
    let page =
        world.test.get(&format!("/acme-roofing/campaigns/{slug}")).as_user(&story.acme_agent).await.expect_status(200);
    assert!(!page.text().contains("Send to production"), "no button without its permission");
    world.test.post_form(&path, &fields).as_user(&story.acme_owner).await.expect_status(303);
    assert_eq!(world.status(id).await, "in_production");
    let page = world.test.get(&format!("/acme-roofing/campaigns/{slug}/history")).as_user(&story.acme_owner).await;
    assert!(page.expect_status(200).text().contains("Sent to production by Amir Acme"));
}

const RECIPIENTS: &str = "select count(*) from recipients where campaign_id = $1";

#[tokio::test]
async fn who_cancels_waits_for_a_pool_and_holds_nobodys_credits_meanwhile() {
    let world = World::with(3, 20).await;
    let set = "update organizations set settings_json = '{\"prices\": {\"piece\": 3}}' where id = $1";
    world.admin.execute(set, &[&world.test.story.northside]).await.unwrap();
    grant(&world, 9).await;
    let (id, _) = world.launched(&world.input()).await;
    world.step(id, "in_production").await.unwrap();
    // A priced claim of another campaign holds the pool and asks for the client's row next.
    let claim = world.test.database.admin().await;
    claim.batch_execute("begin; set local lock_timeout = '5s'").await.unwrap();
    claim.execute("select app.queue_for_pool($1)", &[&world.pool_id]).await.unwrap();
    let cancel = world.step(id, "draft");
    let priced = async {
        let waiting = "select count(*) from pg_locks l join pg_database d on d.oid = l.database
                       where d.datname = current_database() and l.locktype = 'advisory' and not l.granted";
        while world.admin.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let row = claim.execute("select from clients where id = $1 for no key update", &[&world.client_id]).await;
        claim.batch_execute("commit").await.unwrap();
        row
    };
    let (cancelled, claimed) = tokio::join!(cancel, priced);
    claimed.expect("the claim gets its credits while the other one waits");
    cancelled.unwrap();
    assert_eq!((world.status(id).await.as_str(), credits(&world).await), ("draft", 9));
}

#[tokio::test]
async fn a_campaign_half_cleared_is_cleared_by_its_next_launch_and_what_died_is_swept() {
    let world = World::with(4_500, 9_500).await;
    world.add_contacts(2, "true", "'2 Main St'").await;
    let (id, _) = world.launched(&world.input()).await;
    let old: Uuid = world.admin.query_one("select max(id::text)::uuid from recipients", &[]).await.unwrap().get(0);
    world.step(id, "draft").await.unwrap();
    assert_eq!(world.count(RECIPIENTS, id).await, 4_500, "deleted in the background, not while somebody waits");
    world.assert_sound().await;
    // Launched again before that was done: one set, and a new one.
    world.launch(id).await;
    assert_eq!((world.status(id).await.as_str(), world.count(RECIPIENTS, id).await), ("ready", 4_500));
    assert_eq!(world.count("select count(*) from recipients where id = $1", old).await, 0);
    assert_eq!(world.count("select count(*) from recipient_skips where campaign_id = $1", id).await, 2);
    world.assert_sound().await;

    world.step(id, "draft").await.unwrap();
    let died = "update jobs set state = 'dead', finished_at = now() where kind = 'campaigns.clear' and state = 'ready'";
    assert_eq!(world.admin.execute(died, &[]).await.unwrap(), 1);
    assert_eq!(broken(&world).await, ["a draft has no recipients"]);
    campaigns::actions::clear::sweep(&world.test.app).await.unwrap();
    world.work().await;
    assert_eq!(world.count(RECIPIENTS, id).await, 0);
    assert_eq!(world.count("select count(*) from recipient_skips where campaign_id = $1", id).await, 0);
    world.assert_sound().await;
}

/// The rules that do not hold.
async fn broken(world: &World) -> Vec<&'static str> {
    let mut broken = Vec::new();
    for (rule, statement) in campaigns::INVARIANTS {
        if world.admin.query_one(statement.sql, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            broken.push(*rule);
        }
    }
    broken
}

#[tokio::test]
async fn cards_that_a_campaign_took_are_counted_against_the_pool() {
    let world = World::with(2, 20).await;
    let (id, _) = world.launched(&world.input()).await;
    let sql = "update campaign_reservations set claimed = claimed + 1 where campaign_id = $1";
    world.admin.execute(sql, &[&id]).await.unwrap();
    assert_eq!(broken(&world).await, ["a campaign took as many cards as its pools gave"]);
}

#[tokio::test]
async fn a_mailed_campaign_that_nobody_answers_is_completed_by_a_person_and_frees_its_cards() {
    let world = World::with(4, 4).await;
    let (id, _) = world.mailed(&world.input()).await;
    let (second, _) = world.draft(&world.input()).await;
    let begun = campaigns::actions::launch::begin(
        &world.test.app,
        &world.owner(),
        (world.client_id, second),
        &kernel::version::Expected::any(),
    )
    .await;
    assert!(begun.is_err(), "every card is promised");
    let slug: String = world.admin.query_one("select slug from campaigns where id = $1", &[&id]).await.unwrap().get(0);
    let page = world.test.get(&format!("/acme-roofing/campaigns/{slug}")).as_user(&world.test.story.acme_owner).await;
    assert!(page.expect_status(200).text().contains("Nobody has answered so far"), "it is asked first");
    world.step(id, "completed").await.unwrap();
    world.launch(second).await;
    assert_eq!(world.status(second).await, "ready");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_delay_in_the_first_place_counts_from_the_day_the_campaign_is_mailed() {
    let world = World::with(3, 20).await;
    let mut first = world.condition("time_delay");
    first.time_delay_hours = Some(48);
    let input = campaigns::actions::draft::CampaignInput { conditions: vec![first], ..world.input() };
    let (id, _) = world.mailed(&input).await;
    let met = "select count(*) from call_conditions_met where campaign_id = $1 and gift_card_id is not null";
    world.test.clock().advance(chrono::Duration::hours(47));
    world.work().await;
    assert_eq!(world.count(met, id).await, 0);
    world.test.clock().advance(chrono::Duration::hours(2));
    world.work().await;
    world.work().await;
    assert_eq!(world.count(met, id).await, 3);
    world.assert_sound().await;
}
