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
        "aria-label=\"3 things need you\"",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains("Nobody else") && !page.contains("/campaigns/corner"));
    world.test.get("/acme-roofing/home").as_user(&world.test.story.corner_owner).await.expect_status(404);
    let short = world.test.get("/acme-roofing").as_user(&world.test.story.acme_owner).await.expect_status(303);
    assert_eq!(short.location(), "/acme-roofing/home");
}

#[tokio::test]
async fn home_of_a_new_client_is_the_way_to_a_first_campaign_until_one_is_launched() {
    let world = World::new(30).await;
    let (story, bright) = (&world.test.story, world.test.story.bright.id);
    let home = async |who| world.test.get("/bright-dental/home").as_user(who).await.expect_status(200).text();
    let owner = home(&story.bright_owner).await;
    for part in [
        "The way to a first campaign",
        "0 of 6",
        "href=\"/bright-dental/imports/new\" data-main-action>Import contacts",
        "Somebody else does this: a colleague, or your agency.",
        "href=\"/bright-dental/campaigns/new\"",
    ] {
        assert!(owner.contains(part), "{part} is missing in {owner}");
    }
    assert!(!owner.contains("Add cards") && !owner.contains("chart.js"), "{owner}");
    let agency = home(&story.agency_owner).await;
    assert!(agency.contains("href=\"/bright-dental/pools\"") && !agency.contains("Somebody else"), "{agency}");
    for path in ["pools/new", "forms/new", "landing-pages/new", "templates/new"] {
        assert!(agency.contains(&format!("href=\"/bright-dental/{path}\"")), "{path} is missing in {agency}");
    }
    let looking = home(&story.support).await;
    assert!(!looking.contains("first campaign") && looking.contains("No campaign is under way"), "{looking}");

    let sql = "insert into contacts (id, client_id, customer_code, created_at, updated_at) values ($1, $2, 'B-1', '2026-03-01', '2026-03-01')";
    world.run(sql, &[&kernel::new_id(), &bright]).await;
    let sql = "insert into campaigns (id, client_id, name, slug, status, created_at) values ($1, $2, 'First', 'first', 'draft', '2026-03-01')";
    world.run(sql, &[&kernel::new_id(), &bright]).await;
    let owner = home(&story.bright_owner).await;
    assert!(owner.contains("1 of 6") && owner.contains("href=\"/bright-dental/campaigns/first\""), "{owner}");

    // what was begun is finished, and a campaign that is printed elsewhere needs no piece
    world.run("update campaigns set no_mail_piece = true where client_id = $1", &[&bright]).await;
    let form = kernel::new_id();
    world.run("insert into ace_forms (id, client_id, name) values ($1, $2, 'Begun')", &[&form, &bright]).await;
    let owner = home(&story.bright_owner).await;
    assert!(owner.contains("2 of 6") && owner.contains(&format!("href=\"/bright-dental/forms/{form}\"")), "{owner}");

    world.run("update campaigns set launched_at = '2026-03-01' where client_id = $1", &[&bright]).await;
    let owner = home(&story.bright_owner).await;
    assert!(owner.contains("Last 30 days") && !owner.contains("The way to a first campaign"), "{owner}");
}
