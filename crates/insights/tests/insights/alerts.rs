//! The list behind the bell: one count everywhere, and acknowledging.

use uuid::Uuid;

use crate::world::World;

async fn raise(world: &World, client_id: Uuid, kind: &str, at: &str) -> Uuid {
    let sql = "insert into alerts (id, client_id, kind, subject_id, message, created_at)
               values ($1, $2, $3, $1, 'A ' || $3::text || ' message', $4::text::timestamptz)";
    let id = kernel::new_id();
    world.run(sql, &[&id, &client_id, &kind, &at]).await;
    id
}

/// Three cards that came back, an empty pool, two imports that broke off: three lines.
async fn trouble(world: &World) -> Uuid {
    for day in ["2026-03-01", "2026-03-02", "2026-03-03"] {
        raise(world, world.client_id, "delivery_failed", day).await;
    }
    for name in ["a.csv", "b.csv"] {
        let sql = "insert into imports (id, client_id, filename, status, created_at) values ($1, $2, $3, 'failed', '2026-03-01')";
        world.run(sql, &[&kernel::new_id(), &world.client_id, &name]).await;
    }
    raise(world, world.test.story.corner.id, "pool_empty", "2026-03-01").await;
    let pool = kernel::new_id();
    let sql = "insert into gift_card_pools (id, client_id, brand_id, pool_name, value_amount) values ($1, $2, $1, 'Coffee $10', 10)";
    world.run(sql, &[&pool, &world.client_id]).await;
    let alert = raise(world, world.client_id, "pool_empty", "2026-03-04").await;
    world.run("update alerts set subject_id = $2 where id = $1", &[&alert, &pool]).await;
    pool
}

#[tokio::test]
async fn the_bell_home_the_list_and_all_clients_count_the_same_lines() {
    let world = World::new(30).await;
    let pool = trouble(&world).await;
    let agency = &world.test.story.agency_owner;
    let page = async |path: &str| world.test.get(path).as_user(agency).await.expect_status(200).text();
    let (home, list, clients) = (page("/acme-roofing/home").await, page("/acme-roofing/alerts").await, page("/").await);
    for page in [&home, &list] {
        assert!(page.contains("aria-label=\"3 things need you\""), "{page}");
        assert_eq!(page.matches("<li data-state=").count(), 3, "{page}");
        assert_eq!(page.matches("3 gift cards could not be delivered").count(), 2, "the line and its button: {page}");
        assert!(
            page.contains(&format!("<a href=\"/acme-roofing/pools/{pool}\">Coffee $10: A pool_empty message</a>")),
            "{page}"
        );
        assert!(page.contains("2 imports broke off"), "{page}");
    }
    assert!(clients.contains("3 things in all") && clients.contains("Coffee $10: A pool_empty message"), "{clients}");
    let part = world.test.get("/acme-roofing/alerts").header("hx-request", "true").as_user(agency).await.text();
    assert!(part.matches("<li data-state=").count() == 3 && !part.contains("<html"), "{part}");
    let agent = &world.test.story.acme_agent;
    let seen = world.test.get("/acme-roofing/alerts").as_user(agent).await.expect_status(200).text();
    assert!(!seen.contains("Acknowledge</button>") && !seen.contains("/acme-roofing/imports"), "{seen}");
    world.test.get("/corner-auto/alerts").as_user(agency).await.expect_status(404);
}

#[tokio::test]
async fn whoever_acknowledges_is_named_and_what_comes_later_is_new() {
    let world = World::new(30).await;
    trouble(&world).await;
    let owner = &world.test.story.acme_owner;
    let post = |until: &str| {
        let fields =
            [("kind", "delivery_failed"), ("subject", ""), ("until", until)].map(|(k, v)| (k.to_owned(), v.to_owned()));
        world.test.post_form("/acme-roofing/alerts/acknowledge", &fields)
    };
    let until = "2026-03-02T00:00:00+00:00";
    post(until).as_user(&world.test.story.acme_agent).await.expect_status(403);
    post(until).as_user(&world.test.story.support).await.expect_status(403);
    post(until).as_user(&world.test.story.corner_owner).await.expect_status(404);
    post("yesterday").as_user(owner).await.expect_status(422);
    let open = "select count(*) from alerts where acknowledged_at is null and resolved_at is null";
    assert_eq!(world.count(open, &[]).await, 5);
    post(until).as_user(owner).await.expect_status(303);
    assert_eq!(world.count(open, &[]).await, 3, "the third came after what was shown");
    let by = "select count(*) from alerts where acknowledged_by_user_id = $1 and acknowledged_at is not null";
    assert_eq!(world.count(by, &[&owner.id]).await, 2);
    let audited = "select count(*) from audit_log where action = 'alert.acknowledged' and after ->> 'count' = '2'";
    assert_eq!(world.count(audited, &[]).await, 1);
    let page = world.test.get("/acme-roofing/alerts").as_user(owner).await.text();
    assert!(page.contains("aria-label=\"3 things need you\"") && page.contains("Amir Acme"), "{page}");
    post("2026-03-03T00:00:00+00:00").as_user(owner).await.expect_status(303);
    let page = world.test.get("/acme-roofing/home").as_user(owner).await.text();
    assert!(page.contains("aria-label=\"2 things need you\"") && !page.contains("could not be delivered"), "{page}");
}
