//! `/v1/events`.

use axum::http::Method;

use crate::world::World;

#[tokio::test]
async fn events_come_newest_first_in_pages_without_gap_or_repetition() {
    let world = World::new(300).await;
    let total = world.count("select count(*) from events where client_id = $1", &[&world.client_id]).await;
    let (mut seen, mut last, mut after) = (std::collections::HashSet::new(), "9999".to_owned(), String::new());
    loop {
        let page = world.ask(&format!("/v1/events?limit=50&after={after}")).await;
        for row in page["data"].as_array().unwrap() {
            assert!(seen.insert(row["id"].as_str().unwrap().to_owned()), "repeated");
            let at = row["created_at"].as_str().unwrap().to_owned();
            assert!(at <= last);
            last = at;
        }
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(i64::try_from(seen.len()).unwrap(), total);
}

#[tokio::test]
async fn filters_narrow_and_a_made_up_type_and_another_clients_campaign_yield_nothing() {
    let world = World::new(300).await;
    let scans = world.ask(&format!("/v1/events?event_type=qr_scan&campaign_id={}&limit=200", world.spring)).await;
    let rows = scans["data"].as_array().unwrap();
    assert_eq!(rows.len(), 15);
    assert!(rows.iter().all(|row| row["event_type"] == "qr_scan" && row["campaign_id"] == world.spring.to_string()));
    let foreign = world.ask(&format!("/v1/events?campaign_id={}", world.corner)).await;
    assert_eq!(foreign["data"].as_array().unwrap().len(), 0);
    let key = &world.test.story.acme.key;
    let wrong =
        world.test.api(Method::GET, "/v1/events?event_type=telepathy").bearer(key).await.expect_status(422).json();
    assert_eq!(wrong["errors"][0]["pointer"], "#/event_type");
    world.test.api(Method::GET, "/v1/events?limit=201").bearer(key).await.expect_status(422);
    world.test.api(Method::GET, "/v1/events").await.expect_status(401);
}
