//! `/v1/forms/{id}/submissions`.

use axum::http::Method;

use crate::world::World;

#[tokio::test]
async fn submissions_are_listed_newest_first_in_pages_and_only_to_those_who_may_read_them() {
    let world = World::new(1).await;
    for n in 0..3 {
        let email = format!("s{n}@example.com");
        world.send(&[("first_name", "S"), ("email", &email)]).await.expect_status(200);
        world.test.clock().advance(chrono::Duration::minutes(1));
    }
    let path = format!("/v1/forms/{}/submissions?limit=2", world.form_id);
    let key = &world.test.story.acme.key;
    let first = world.test.api(Method::GET, &path).bearer(key).await.expect_status(200).json();
    assert_eq!(first["data"][0]["submission_data"]["email"], "s2@example.com");
    let next = format!("{path}&after={}", first["next"].as_str().unwrap());
    let second = world.test.api(Method::GET, &next).bearer(key).await.expect_status(200).json();
    assert_eq!(second["data"].as_array().unwrap().len(), 1);
    assert_eq!(second["data"][0]["submission_data"]["email"], "s0@example.com");
    assert!(second["next"].is_null());

    world.test.api(Method::GET, &path).bearer(&world.test.story.corner.key).await.expect_status(404);
    let developer = world.test.api(Method::GET, &path).as_user(&world.test.story.acme_developer).await;
    assert_eq!(developer.status.as_u16(), 403);
    world.test.api(Method::GET, &path).await.expect_status(401);
}

#[tokio::test]
async fn answers_are_read_in_the_console_by_those_who_may() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let path = format!("/acme-roofing/forms/{}/submissions", world.form_id);
    let owner = &world.test.story.acme_owner;
    let empty = world.test.get(&path).as_user(owner).await.expect_status(200).text();
    assert!(empty.contains("Nobody has answered yet"), "{empty}");
    let fields =
        [("ace-recipient", maria.token.as_str()), ("first_name", "Maria"), ("email", "m@example.com"), ("owner", "No")];
    world.send(&fields).await.expect_status(200);
    let page = world.test.get(&path).as_user(owner).await.expect_status(200).text();
    for part in
        ["Do you own it?", "No", "m@example.com", "Maria", &format!("/acme-roofing/contacts/{}", maria.contact_id)]
    {
        assert!(page.contains(part), "no {part}: {page}");
    }
    world.test.get(&path).as_user(&world.test.story.acme_agent).await.expect_status(403);
    let foreign = path.replace("acme-roofing", "corner-auto");
    world.test.get(&foreign).as_user(&world.test.story.corner_owner).await.expect_status(404);
}
