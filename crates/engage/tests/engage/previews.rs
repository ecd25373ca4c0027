//! The console's preview of a landing page.

use crate::world::World;

#[tokio::test]
async fn the_preview_shows_the_sanitised_draft_to_those_who_may_see_it_and_counts_nothing() {
    let world = World::new(1).await;
    let html =
        r#"<main><h1>{{first_name}}</h1><script>alert(1)</script><p onclick="x()">{{company}}</p>{{form}}</main>"#;
    let sql =
        "update landing_pages set content_json = jsonb_set(content_json, '{html}', to_jsonb($2::text)) where id = $1";
    world.run(sql, &[&world.page_id, &html]).await;
    let path = format!("/acme-roofing/landing-pages/{}/preview", world.page_id);
    let owner = &world.test.story.acme_owner;
    let reply = world.test.get(&path).as_user(owner).await.expect_status(200);
    let html = reply.text();
    assert!(
        html.contains("<h1>Maria</h1>") && html.contains("Acme Roofing") && html.contains("Preview of the draft"),
        "{html}"
    );
    assert!(!html.contains("<script") && !html.contains("onclick"));
    assert!(html.contains("<button type=\"submit\" disabled"), "{html}");
    assert!(reply.header("content-security-policy").contains("default-src 'none'"));
    let css = world.test.get(&format!("{path}.css")).as_user(owner).await.expect_status(200);
    assert!(css.text().contains("#333"));
    assert_eq!(world.count("select count(*) from events", &[]).await, 0);

    world.test.get(&path).as_user(&world.test.story.corner_owner).await.expect_status(404);
    world.test.get(&path).as_user(&world.test.story.acme_agent).await.expect_status(403);
    let elsewhere = format!("/corner-auto/landing-pages/{}/preview", world.page_id);
    world.test.get(&elsewhere).as_user(&world.test.story.corner_owner).await.expect_status(404);
}
