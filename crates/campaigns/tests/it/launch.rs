//! The launch: exactly once, all or nothing.

use std::collections::HashSet;
use std::time::Duration;

use campaigns::actions::launch;
use kernel::codes::{PurlToken, RedemptionCode};
use kernel::{Actor, Error};

use crate::world::World;

const RECIPIENTS: &str = "select count(*) from recipients where campaign_id = $1";
const RESERVED: &str = "select reserved_cards::int8 from gift_card_pools where id = $1";

#[tokio::test]
async fn ten_thousand_contacts_become_recipients_with_codes_links_and_serials_of_their_own() {
    let world = World::with(10_000, 12_000).await;
    let (id, _) = world.launched(&world.input()).await;
    let sql = "select redemption_code, purl_token, imb_serial from recipients where campaign_id = $1";
    let rows = world.admin.query(sql, &[&id]).await.unwrap();
    assert_eq!(rows.len(), 10_000);
    let mut seen = HashSet::new();
    for row in &rows {
        let (code, token, serial): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        assert!(RecipientParts::fine(&code, &token, &serial), "{code} {token} {serial}");
        assert!(seen.insert(code) && seen.insert(token) && seen.insert(serial), "twice the same");
    }
    let sql = "select contacts_done::int8 from campaign_launches where campaign_id = $1 and state = 'finished'";
    assert_eq!(world.count(sql, id).await, 10_000);
    assert_eq!(world.count(RESERVED, world.pool_id).await, 10_000);
    world.assert_sound().await;
}

struct RecipientParts;

impl RecipientParts {
    fn fine(code: &str, token: &str, serial: &str) -> bool {
        RedemptionCode::parse(code).is_ok() && PurlToken::parse(token).is_ok() && serial.len() == 9
    }
}

#[tokio::test]
async fn launching_twice_at_once_yields_one_set() {
    let world = World::with(300, 1_000).await;
    let (id, _) = world.draft(&world.input()).await;
    let (app, client_id) = (&world.test.app, world.client_id);
    let owner = world.owner();
    let any = kernel::version::Expected::any();
    let begun = tokio::join!(
        launch::begin(app, &owner, (client_id, id), &any),
        launch::begin(app, &owner, (client_id, id), &any)
    );
    let refused = [&begun.0, &begun.1].into_iter().filter(|begun| begun.is_err()).count();
    assert_eq!(refused, 1, "one of two buttons pressed at once begins the launch: {begun:?}");
    // The work too may be done twice at once: a worker that was thought lost was only slow.
    let (one, two) = tokio::join!(launch::run(app, client_id, id), launch::run(app, client_id, id));
    let mut made = [one.unwrap().recipients, two.unwrap().recipients];
    made.sort_unstable();
    assert_eq!(made, [0, 300]);
    world.work().await;
    assert_eq!(world.count(RECIPIENTS, id).await, 300);
    assert_eq!(world.count(RESERVED, world.pool_id).await, 300);
    let again = launch::begin(app, &owner, (client_id, id), &kernel::version::Expected::any()).await;
    assert!(matches!(again, Err(Error::Conflict { code: "not_a_draft", .. })), "{again:?}");
}

#[tokio::test]
async fn a_crash_half_way_leaves_nothing_and_the_next_try_makes_the_whole_set() {
    let world = World::with(20_000, 30_000).await;
    let (id, _) = world.draft(&world.input()).await;
    let (app, client_id) = (&world.test.app, world.client_id);
    launch::begin(app, &world.owner(), (client_id, id), &kernel::version::Expected::any()).await.unwrap();
    // The worker dies after the first chunk: its future is dropped, its connection rolls back.
    let half_way = async {
        loop {
            let sql = "select contacts_done::int8 from campaign_launches where campaign_id = $1";
            if world.count(sql, id).await > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        done = launch::run(app, client_id, id) => panic!("the launch was faster than the crash: {done:?}"),
        () = half_way => {}
    }
    let rolls_back =
        "select count(*) from pg_stat_activity where datname = current_database() and xact_start is not null
                        and pid <> pg_backend_pid() and $1::uuid is not null";
    while world.count(rolls_back, id).await > 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(world.count(RECIPIENTS, id).await, 0);
    assert_eq!(world.count("select count(*) from recipient_skips where campaign_id = $1", id).await, 0);
    assert_eq!(world.count(RESERVED, world.pool_id).await, 0);
    assert_eq!(world.status(id).await, "draft");
    world.work().await;
    assert_eq!(world.count(RECIPIENTS, id).await, 20_000);
    assert_eq!(world.status(id).await, "ready");
    world.assert_sound().await;
}

#[tokio::test]
async fn the_suppressed_and_the_undeliverable_are_skipped_and_listed_with_the_reason() {
    let world = World::with(5, 100).await;
    world.add_contacts(2, "true", "'2 Main St'").await;
    world.add_contacts(3, "false", "null").await;
    world.add_contacts(1, "true", "null").await;
    world.admin.execute("update contacts set zip = 'unknown' where last_name = 'No 5'", &[]).await.unwrap();
    let (id, slug) = world.launched(&world.input()).await;
    assert_eq!(world.count(RECIPIENTS, id).await, 4);
    let sql = "select reason, count(*) from recipient_skips where campaign_id = $1 group by reason order by reason";
    let rows = world.admin.query(sql, &[&id]).await.unwrap();
    let skipped: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let expected = [("do_not_contact", 3), ("no_address", 3), ("undeliverable_address", 1)];
    assert_eq!(skipped, expected.map(|(reason, count)| (reason.to_owned(), count)));
    let page = world.test.get(&format!("/acme-roofing/campaigns/{slug}/skipped")).as_user(&world.test.story.acme_owner);
    let page = page.await.expect_status(200).text();
    assert!(page.contains("Do not contact") && page.contains("No address"), "{page}");
    let path = format!("/v1/campaigns/{id}/skipped?limit=5");
    let reply =
        world.test.api(web::Method::GET, &path).bearer(&world.test.story.acme.key).await.expect_status(200).json();
    assert_eq!(reply["data"].as_array().unwrap().len(), 5);
    assert!(reply["next"].is_string(), "{reply}");
}

#[tokio::test]
async fn cards_are_promised_once_and_a_second_campaign_cannot_have_them() {
    let world = World::with(10, 25).await;
    let mut input = world.input();
    input.conditions.push(world.condition("call"));
    let (first, _) = world.launched(&input).await;
    let sql = "select reserved::int8 from campaign_reservations where campaign_id = $1";
    assert_eq!(world.count(sql, first).await, 20, "two rewards of one pool add up");
    let (second, _) = world.draft(&world.input()).await;
    let refused =
        launch::begin(&world.test.app, &world.owner(), (world.client_id, second), &kernel::version::Expected::any())
            .await
            .unwrap_err();
    assert_eq!(refused.fields()[0].field, "cards_per_reward", "{refused:?}");
    // What the check list could not know yet is found under the lock, and nothing is left behind.
    let mut fewer = world.input();
    fewer.cards_per_reward = Some(5);
    let (third, _) = world.draft(&fewer).await;
    launch::begin(&world.test.app, &world.owner(), (world.client_id, third), &kernel::version::Expected::any())
        .await
        .unwrap();
    let sql = "update gift_card_pools set reserved_cards = 24 where id = $1";
    world.admin.execute(sql, &[&world.pool_id]).await.unwrap();
    world.work().await;
    assert_eq!(world.status(third).await, "draft");
    assert_eq!(world.count(RECIPIENTS, third).await, 0);
    let sql = "select error from campaign_launches where campaign_id = $1 and state = 'failed'";
    let error: String = world.admin.query_one(sql, &[&third]).await.unwrap().get(0);
    assert!(error.contains("1 free card and 5 are needed"), "{error}");
}

#[tokio::test]
async fn the_history_names_who_launched_and_a_list_without_anybody_to_mail_is_refused() {
    let world = World::with(3, 10).await;
    let (id, _) = world.launched(&world.input()).await;
    let sql = "select count(*) from campaign_status_history
               where campaign_id = $1 and to_status = 'ready' and changed_by_user_id is not null";
    assert_eq!(world.count(sql, id).await, 1);
    world.admin.execute("update contacts set do_not_contact = true", &[]).await.unwrap();
    let (empty, _) = world.draft(&world.input()).await;
    let refused =
        launch::begin(&world.test.app, &world.owner(), (world.client_id, empty), &kernel::version::Expected::any())
            .await
            .unwrap_err();
    assert_eq!(refused.fields()[0].field, "contact_list_id");
    // Another tenant's owner does not even learn that the campaign exists.
    let stranger: Actor = world.test.story.corner_owner.actor();
    assert_eq!(
        launch::begin(&world.test.app, &stranger, (world.client_id, empty), &kernel::version::Expected::any()).await,
        Err(Error::NotFound)
    );
}

#[tokio::test]
async fn a_launch_whose_job_died_ends_and_can_be_begun_again() {
    let world = World::with(3, 20).await;
    let (id, slug) = world.draft(&world.input()).await;
    let (app, owner) = (&world.test.app, world.owner());
    let died =
        "update jobs set state = 'dead', finished_at = now() where kind = 'campaigns.launch' and state = 'ready'";
    let states = "select string_agg(state, ' ' order by id) from campaign_launches where campaign_id = $1";
    let states = async || world.admin.query_one(states, &[&id]).await.unwrap().get::<_, String>(0);
    launch::begin(app, &owner, (world.client_id, id), &kernel::version::Expected::any()).await.unwrap();
    let twice = launch::begin(app, &owner, (world.client_id, id), &kernel::version::Expected::any()).await;
    assert!(
        matches!(twice, Err(Error::Conflict { code: "launch_running", .. })),
        "a live one is left alone: {twice:?}"
    );
    world.admin.execute(died, &[]).await.unwrap();
    launch::begin(app, &owner, (world.client_id, id), &kernel::version::Expected::any()).await.unwrap();
    assert_eq!(states().await, "failed running");

    world.admin.execute(died, &[]).await.unwrap();
    campaigns::actions::clear::sweep(app).await.unwrap();
    assert_eq!(states().await, "failed failed");
    let path = format!("/acme-roofing/campaigns/{slug}/edit/review");
    let page = world.test.get(&path).as_user(&world.test.story.acme_owner).await.expect_status(200).text();
    assert!(page.contains("it was interrupted"), "{page}");
    world.launch(id).await;
    assert_eq!(world.status(id).await, "ready");
    world.assert_sound().await;
}

#[tokio::test]
async fn an_archived_pool_and_a_brand_that_is_off_stop_a_launch_but_not_what_runs() {
    let world = World::with(3, 20).await;
    let (running, _) = world.launched(&world.input()).await;
    let (id, _) = world.draft(&world.input()).await;
    let (app, owner, client_id) = (&world.test.app, world.owner(), world.client_id);
    world.admin.execute("update gift_card_brands set is_active = false", &[]).await.unwrap();
    let refused = launch::begin(app, &owner, (client_id, id), &kernel::version::Expected::any()).await.unwrap_err();
    let problem = &refused.fields()[0];
    assert_eq!((problem.field.as_str(), problem.code), ("conditions/0/gift_card_pool_id", "GC-002"));
    let path = format!("/v1/campaigns/{id}/checklist");
    let told = world.test.api(web::Method::GET, &path).bearer(&world.test.story.acme.key).await.expect_status(200);
    assert!(told.text().contains("\"code\":\"GC-002\"") && told.text().contains("switched off"), "{}", told.text());
    world.step(running, "in_production").await.unwrap();

    // Archived after the check list was looked at: found under the pool's lock.
    world.admin.execute("update gift_card_brands set is_active = true", &[]).await.unwrap();
    launch::begin(app, &owner, (client_id, id), &kernel::version::Expected::any()).await.unwrap();
    world.admin.execute("update gift_card_pools set archived_at = now()", &[]).await.unwrap();
    world.work().await;
    assert_eq!(world.status(id).await, "draft");
    let sql = "select error from campaign_launches where campaign_id = $1 and state = 'failed'";
    let error: String = world.admin.query_one(sql, &[&id]).await.unwrap().get(0);
    assert!(error.contains("is archived"), "{error}");
}
