//! All clients.

use crate::world::World;

#[tokio::test]
async fn people_land_on_their_only_client_or_see_how_each_of_theirs_is_doing() {
    let world = World::new(300).await;
    let (test, story) = (&world.test, &world.test.story);
    assert_eq!(test.get("/").as_user(&story.acme_agent).await.expect_status(303).location(), "/acme-roofing/desk");
    assert_eq!(test.get("/acme-roofing").as_user(&story.acme_agent).await.location(), "/acme-roofing/desk");
    assert_eq!(test.get("/").as_user(&story.acme_owner).await.expect_status(303).location(), "/acme-roofing/home");
    assert_eq!(test.get("/").await.location(), "/sign-in");
    let page = test.get("/?q=bright").as_user(&story.agency_owner).await.expect_status(200).text();
    let row = |slug: &str| page.contains(&format!("class=\"row-link\" href=\"/{slug}/home\""));
    assert!(row("bright-dental") && !row("acme-roofing"), "{page}");
}

#[tokio::test]
async fn the_figures_of_a_client_are_a_recount_of_its_events_and_nobody_elses_count() {
    let world = World::new(300).await;
    let now = world.test.app.clock.now();
    let raw = "select count(*) from events where client_id = $1 and event_type in ('purl_visit', 'qr_scan')
               and not (event_data @> '{\"bot\": true}') and created_at between $2::timestamptz - interval '30 days' and $2";
    let visits = world.count(raw, &[&world.client_id, &now]).await;
    assert!(visits > 0, "there must be visits for this test to mean anything");
    let actor = kernel::Actor::user(world.test.story.agency_owner.id);
    let scope = world.test.app.db.scope(&actor);
    let ids = [world.client_id, world.test.story.corner.id];
    let standings = insights::store::clients::standings(&scope, &ids, now).await.unwrap();
    let [acme] = standings.as_slice() else { panic!("one client is within reach: {standings:?}") };
    assert_eq!((acme.client_id, acme.running, acme.visits), (world.client_id, 2, visits));
    assert!(acme.rewards > 0);
}
