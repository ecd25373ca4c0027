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
    let policy = reply.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'none'"), "{policy}");
    let nonce = html.split("<style nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(policy.contains(&format!("'nonce-{nonce}'")) && html.contains("#333"), "{policy}");
    assert_eq!(world.count("select count(*) from events", &[]).await, 0);

    world.test.get(&path).as_user(&world.test.story.corner_owner).await.expect_status(404);
    world.test.get(&path).as_user(&world.test.story.acme_agent).await.expect_status(403);
    let elsewhere = format!("/corner-auto/landing-pages/{}/preview", world.page_id);
    world.test.get(&elsewhere).as_user(&world.test.story.corner_owner).await.expect_status(404);
}

#[tokio::test]
async fn the_preview_of_the_editor_shows_what_was_typed_and_saves_nothing() {
    let world = World::new(1).await;
    let path = format!("/acme-roofing/landing-pages/{}/preview", world.page_id);
    let typed = [("name", "Typed"), ("html", "<h1>Typed, {{first_name}}</h1><script>x()</script>"), ("css", "")];
    let send = |person| world.test.post_form(&path, &typed).and("version", "any").as_user(person);
    let story = &world.test.story;
    let html = send(&story.acme_owner).await.expect_status(200).text();
    assert!(
        html.contains("<h1>Typed, Maria</h1>") && html.contains("Nothing is saved") && !html.contains("<script"),
        "{html}"
    );
    assert_eq!(world.count("select count(*) from landing_pages where content_json::text like '%Typed%'", &[]).await, 0);
    send(&story.acme_agent).await.expect_status(403);
    send(&story.corner_owner).await.expect_status(404);
}
