//! Home.

use crate::world::World;

#[tokio::test]
async fn home_says_what_needs_somebody_and_what_runs_and_nothing_of_other_clients() {
    let world = World::new(300).await;
    let sql = "insert into alerts (id, client_id, kind, subject_id, message, created_at)
               values ($1, $2, 'pool_empty', $1, $3, '2026-03-01')";
    world.run(sql, &[&kernel::new_id(), &world.client_id, &"The coffee pool is <empty>"]).await;
    world.run(sql, &[&kernel::new_id(), &world.test.story.corner.id, &"Nobody else's business"]).await;
    let sql = "insert into alerts (id, client_id, kind, subject_id, message, created_at)
               values ($1, $2, 'delivery_failed', $1, 'A card came back', '2026-03-01')";
    world.run(sql, &[&kernel::new_id(), &world.client_id]).await;
    let sql = "insert into imports (id, client_id, filename, status, created_at) values ($1, $2, 'a.csv', 'failed', '2026-03-01')";
    world.run(sql, &[&kernel::new_id(), &world.client_id]).await;
    let page =
        world.test.get("/acme-roofing/home").as_user(&world.test.story.acme_owner).await.expect_status(200).text();
    for part in [
        "<a href=\"/acme-roofing/deliveries?status=failed\">A card came back</a>",
        "Needs you today",
        "The coffee pool is &#60;empty&#62;",
        "spring",
        "summer",
        "Running campaigns",
        "Last 30 days",
        "1 import broke off",
        "aria-label=\"2 open alerts\"",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains("Nobody else") && !page.contains("/campaigns/corner"));
    world.test.get("/acme-roofing/home").as_user(&world.test.story.corner_owner).await.expect_status(404);
    let short = world.test.get("/acme-roofing").as_user(&world.test.story.acme_owner).await.expect_status(303);
    assert_eq!(short.location(), "/acme-roofing/home");
}

#[tokio::test]
async fn a_new_client_has_a_home_too() {
    let world = World::new(30).await;
    let page =
        world.test.get("/bright-dental/home").as_user(&world.test.story.bright_owner).await.expect_status(200).text();
    assert!(page.contains("No campaign is under way") && page.contains("Nothing right now"), "{page}");
}
