//! A campaign's figures, as page and as JSON.

use axum::http::Method;

use crate::world::World;

/// A recount of the raw events, written down apart from the statements it checks.
async fn recount(world: &World, types: &[&str]) -> i64 {
    let sql = "select count(distinct recipient_id) from events
               where campaign_id = $1 and event_type = any($2) and (event_data ->> 'bot') is distinct from 'true'";
    let types: Vec<String> = types.iter().map(|word| (*word).to_owned()).collect();
    world.count(sql, &[&world.spring, &types]).await
}

#[tokio::test]
async fn the_funnel_equals_a_recount_of_the_raw_events() {
    let world = World::new(600).await;
    let funnel = world.ask(&format!("/v1/campaigns/{}/analytics", world.spring)).await["funnel"].clone();
    assert_eq!(funnel["mailed"], 600);
    assert_eq!(funnel["delivered"], 300);
    for (step, types) in [
        ("visited", ["purl_visit", "qr_scan"].as_slice()),
        ("submitted", &["form_submit"]),
        ("rewarded", &["gift_card_claimed"]),
    ] {
        let raw = recount(&world, types).await;
        assert!(raw > 0);
        assert_eq!(funnel[step], raw, "{step}");
    }
    assert_eq!((&funnel["visited"], &funnel["submitted"], &funnel["rewarded"]), (&60.into(), &20.into(), &15.into()));
}

#[tokio::test]
async fn the_time_line_has_every_day_and_sums_to_the_events_of_people() {
    let world = World::new(600).await;
    let analytics = world.ask(&format!("/v1/campaigns/{}/analytics", world.spring)).await;
    let timeline = analytics["timeline"].as_array().unwrap();
    // 8 February to 2 March in the client's zone, days without events included
    assert_eq!(timeline.len(), 23);
    let sum = |name: &str| timeline.iter().map(|point| point[name].as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum("visits"), sum("submissions"), sum("rewards")), (60 + 30, 20, 15));
    assert_eq!(timeline[0]["at"], "2026-02-08T05:00:00Z", "days begin at the client's midnight");
    assert_eq!(timeline[0]["visits"], 0);
    let deliveries = &analytics["deliveries"];
    assert_eq!(
        (&deliveries["delivered"], &deliveries["pending"], &deliveries["failed"]),
        (&15.into(), &5.into(), &0.into())
    );
}

#[tokio::test]
async fn the_page_shows_the_funnel_and_its_live_part_follows_what_happens() {
    let world = World::new(300).await;
    let owner = &world.test.story.acme_owner;
    let path = "/acme-roofing/campaigns/spring/figures";
    let page = world.test.get(path).as_user(owner).await.expect_status(200).text();
    for part in ["<html", "Mailed", "10 % of mailed", "ace-chart", "every 2s", &format!("{path}/live"), "Ada No"] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    let fragment = world.test.get(path).as_user(owner).header("hx-request", "true").await.expect_status(200).text();
    assert!(!fragment.contains("<html") && fragment.contains("every 2s"));

    let live = format!("{path}/live");
    let before = world.test.get(&live).as_user(owner).await.expect_status(200).text();
    assert!(before.contains("Visited") && !before.contains("ace-chart") && !before.contains("<html"), "{before}");
    let new = "select id from recipients where campaign_id = $1 and total_visits = 0 limit 1";
    let id: uuid::Uuid = world.admin.query_one(new, &[&world.spring]).await.unwrap().get(0);
    world.run("update recipients set total_visits = 1, first_name = 'Zoe' where id = $1", &[&id]).await;
    let sql = "insert into events (id, client_id, campaign_id, recipient_id, event_type, event_data, created_at)
               values (gen_random_uuid(), $1, $2, $3, 'qr_scan', $4, $5)";
    let now = world.test.clock().now();
    world.run(sql, &[&world.client_id, &world.spring, &id, &serde_json::json!({}), &now]).await;
    let after = world.test.get(&live).as_user(owner).await.expect_status(200).text();
    assert!(after.contains("Zoe") && after.contains(">31<"), "{after}");
    assert!(after.contains(&format!("<a href=\"/acme-roofing/recipients/{id}\">Zoe")), "names are links: {after}");
    world.run("update events set event_data = '{\"bot\": true}' where recipient_id = $1", &[&id]).await;
    let without = world.test.get(&live).as_user(owner).await.expect_status(200).text();
    assert!(!without.contains("Zoe"), "programs are not in the feed: {without}");

    let charts = world.test.get(&format!("{path}/charts")).as_user(owner).await.expect_status(200).text();
    assert!(charts.contains("id=\"chart-over-time-data\" hx-swap-oob") && charts.contains(">31<"), "{charts}");
    assert!(!charts.contains("<figure"), "the drawing stays: {charts}");
}

#[tokio::test]
async fn each_figure_leads_to_as_many_recipients_as_it_says() {
    let world = World::new(300).await;
    let owner = &world.test.story.acme_owner;
    world.run("update call_conditions_met set trigger_type = 'call' where campaign_id = $1", &[&world.spring]).await;
    let page = world.test.get("/acme-roofing/campaigns/spring/figures").as_user(owner).await.expect_status(200).text();
    for (did, expected) in [("visited", 30), ("submitted", 10), ("rewarded", 8), ("called", 10)] {
        let path = format!("/acme-roofing/campaigns/spring/recipients?did={did}");
        let figure = page.split(&format!("<a href=\"{path}\">")).nth(1).map(|rest| rest.split('<').next().unwrap());
        assert_eq!(figure, Some(expected.to_string().as_str()), "{did}");
        let list = world.test.get(&path).as_user(owner).await.expect_status(200).text();
        assert_eq!(list.matches("data-label=\"Code\"").count(), expected, "{did}");
        let rest = format!("/v1/campaigns/{}/recipients?did={did}", world.spring);
        assert_eq!(world.ask(&rest).await["data"].as_array().unwrap().len(), expected, "{did}");
    }
    let wrong = format!("/v1/campaigns/{}/recipients?did=slept", world.spring);
    let refused = world.test.api(Method::GET, &wrong).as_user(owner).for_client(world.client_id).await;
    assert!(refused.expect_status(422).text().contains("did"));
    world.test.get("/acme-roofing/campaigns/spring/recipients").as_user(owner).await.expect_status(200);
}

#[tokio::test]
async fn figures_are_for_those_who_reach_the_client_and_hold_the_permission() {
    let world = World::new(30).await;
    let story = &world.test.story;
    for path in [
        "/acme-roofing/campaigns/spring/figures",
        "/acme-roofing/campaigns/spring/figures/live",
        "/acme-roofing/campaigns/spring/figures/charts",
    ] {
        world.test.get(path).as_user(&story.corner_owner).await.expect_status(404);
        world.test.get(path).as_user(&story.acme_agent).await.expect_status(403);
    }
    world.test.get("/acme-roofing/campaigns/corner/figures").as_user(&story.acme_owner).await.expect_status(404);
    let foreign = format!("/v1/campaigns/{}/analytics", world.corner);
    world.test.api(Method::GET, &foreign).bearer(&story.acme.key).await.expect_status(404);
    world.test.api(Method::GET, &foreign).await.expect_status(401);
}

#[tokio::test]
async fn a_large_campaign_is_counted_by_index_and_without_a_look_at_other_campaigns() {
    let world = World::new(20_000).await;
    // what the statement reads is what makes it slow: only this campaign's rows, found by an index
    let sql = "explain (analyze, format json)
               select count(*), count(*) filter (where total_visits > 0) from recipients where client_id = $1 and campaign_id = $2";
    let plan: serde_json::Value = world.admin.query_one(sql, &[&world.client_id, &world.spring]).await.unwrap().get(0);
    let text = plan.to_string();
    assert!(text.contains("Index") && !text.contains("Seq Scan"), "{text}");
    let analytics = world.ask(&format!("/v1/campaigns/{}/analytics", world.spring)).await;
    assert_eq!(analytics["funnel"]["visited"], 2_000);
}
