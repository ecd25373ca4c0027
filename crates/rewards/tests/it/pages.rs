//! The console's pages and the API, as people and programs see them.

use serde_json::json;
use web::Method;

use crate::support::World;

#[tokio::test]
async fn every_page_renders_empty_and_with_rows_and_another_tenant_sees_none() {
    let world = World::new().await;
    let story = &world.test.story;
    for path in ["pools", "credits", "deliveries"] {
        let page = world.test.get(&format!("/acme-roofing/{path}")).as_user(&story.acme_owner).await.expect_status(200);
        assert!(page.text().contains("yet"), "{path} says what it is for");
        world.test.get(&format!("/acme-roofing/{path}")).as_user(&story.corner_owner).await.expect_status(404);
        world.test.get(&format!("/acme-roofing/{path}")).as_user(&story.acme_developer).await.expect_status(403);
    }
    let pool = world.pool(3).await;
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    let (message, card) = world.claim_by_sms(campaign, recipient).await;
    world.work().await;
    for path in [
        "pools".to_owned(),
        format!("pools/{pool}"),
        format!("cards/{card}"),
        "deliveries".into(),
        format!("deliveries/{message}"),
    ] {
        let page =
            world.test.get(&format!("/acme-roofing/{path}")).as_user(&story.agency_owner).await.expect_status(200);
        assert!(page.text().contains("Brand") || page.text().contains("Ada"), "{path}");
        world.test.get(&format!("/corner-auto/{path}")).as_user(&story.corner_owner).await.status.as_u16().to_string();
    }
    for path in [format!("pools/{pool}"), format!("cards/{card}"), format!("deliveries/{message}")] {
        world.test.get(&format!("/corner-auto/{path}")).as_user(&story.corner_owner).await.expect_status(404);
    }
}

#[tokio::test]
async fn a_pool_is_made_and_filled_by_a_person_and_a_wrong_form_keeps_what_was_typed() {
    let world = World::new().await;
    let owner = &world.test.story.agency_owner;
    let brand = world.brand().await.to_string();
    let refused = world
        .test
        .post_form("/acme-roofing/pools", &[("pool_name", "Spring"), ("brand_id", &brand), ("value_amount", "free")]);
    let refused = refused.as_user(owner).await.expect_status(422);
    assert!(refused.text().contains("Spring") && refused.text().contains("an amount such as 25"));
    let made = world
        .test
        .post_form("/acme-roofing/pools", &[("pool_name", "Spring"), ("brand_id", &brand), ("value_amount", "$25")]);
    let made = made.as_user(owner).await.expect_status(303);
    let path = made.location().to_owned();
    let upload = |csv: &'static [u8], who: &testkit::Person| {
        let ask =
            world.test.api(Method::POST, &format!("{path}/cards")).cookie(web::identity::SESSION_COOKIE, &who.cookie);
        ask.upload(&[], ("file", "cards.csv", csv))
    };
    let bad = upload(b"code\nAAAA-1111\nAAAA-1111\n", owner).await.expect_status(422);
    assert!(bad.text().contains("Nothing was uploaded") && bad.text().contains("the same code as in line 2"));
    assert!(!bad.text().contains("AAAA"), "no code is shown");
    upload(b"code\nAAAA-1111\nBBBB-2222\n", owner).await.expect_status(303);
    let page = world.test.get(&path).as_user(owner).await.expect_status(200);
    assert!(page.text().contains("2222") && !page.text().contains("BBBB"));
    upload(b"code\nCCCC-3333\n", &world.test.story.acme_owner).await.expect_status(403);
    let again = world
        .test
        .post_form("/acme-roofing/pools", &[("pool_name", "Spring"), ("brand_id", &brand), ("value_amount", "25")]);
    assert!(again.as_user(owner).await.expect_status(422).text().contains("another pool has this name"));
}

#[tokio::test]
async fn a_code_shows_only_in_the_answer_to_a_reveal_that_may_be_asked_for() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let file = std::io::Cursor::new(b"code,pin\nSHOW-ME-ONCE,4711\n".to_vec());
    rewards::upload::run(&world.test.app, &world.test.operator(), pool, file).await.unwrap();
    let card = world.word("select id::text from gift_cards", &[]).await;
    let path = format!("/acme-roofing/cards/{card}");
    let owner = &world.test.story.agency_owner;
    let shown = world.test.get(&path).as_user(owner).await.expect_status(200);
    assert!(shown.text().contains("ONCE") && !shown.text().contains("SHOW"));
    let open = world.test.post_form(&format!("{path}/reveal"), &[("", "")]).as_user(owner).await.expect_status(200);
    assert!(open.text().contains("SHOW-ME-ONCE") && open.text().contains("4711"));
    assert_eq!(open.header("cache-control"), "no-store");
    world
        .test
        .post_form(&format!("{path}/reveal"), &[("", "")])
        .as_user(&world.test.story.acme_owner)
        .await
        .expect_status(403);
    let api = format!("/v1/cards/{card}/reveal");
    let open = world.test.api(Method::POST, &api).bearer(&world.test.story.acme.key).await.expect_status(200);
    assert_eq!(open.json()["code"], "SHOW-ME-ONCE");
    world.test.api(Method::POST, &api).bearer(&world.test.story.corner.key).await.expect_status(404);
    assert_eq!(world.count("select count(*) from audit_log where action = 'gift_card.revealed'", &[]).await, 2);
}

#[tokio::test]
async fn credits_are_granted_by_the_agency_and_told_by_the_api() {
    let world = World::new().await;
    let story = &world.test.story;
    let body = [("amount", "1,000"), ("note", "spring")];
    world.test.post_form("/acme-roofing/credits", &body).as_user(&story.acme_owner).await.expect_status(403);
    world.test.post_form("/acme-roofing/credits", &body).as_user(&story.agency_owner).await.expect_status(303);
    let told = world.test.api(Method::GET, "/v1/credits").bearer(&story.acme.key).await.expect_status(200).json();
    assert_eq!((&told["balance"], &told["data"][0]["note"]), (&json!(1000), &json!("spring")));
    let refused =
        world.test.post_form("/acme-roofing/credits", &[("amount", "-1"), ("note", "")]).as_user(&story.agency_owner);
    assert!(refused.await.expect_status(422).text().contains("say why"));
    let none = world.test.api(Method::GET, "/v1/credits").bearer(&story.corner.key).await.expect_status(200).json();
    assert_eq!(none["balance"], 0);
}

#[tokio::test]
async fn brands_are_kept_by_the_operator_alone() {
    let world = World::new().await;
    let story = &world.test.story;
    world.test.get("/admin/brands").as_user(&story.agency_owner).await.expect_status(403);
    world.test.post_form("/admin/brands/shipped", &[("", "")]).as_user(&story.admin).await.expect_status(303);
    let list = world.test.get("/admin/brands").as_user(&story.admin).await.expect_status(200);
    assert!(list.text().contains("Starbucks"));
    let bad = [("brand_name", "Acme"), ("code_pattern", "[A-"), ("redemption_url", "http://x"), ("is_active", "true")];
    let bad = world.test.post_form("/admin/brands", &bad).as_user(&story.admin).await.expect_status(422);
    assert!(bad.text().contains("not a regular expression") && bad.text().contains("begins with https://"));
    let brands = world.test.api(Method::GET, "/v1/brands").bearer(&story.acme.key).await.expect_status(200).json();
    assert_eq!(brands["data"].as_array().unwrap().len(), 18);
}

#[tokio::test]
async fn the_sandbox_shows_the_phone_and_the_inbox() {
    let world = World::new().await;
    let admin = &world.test.story.admin;
    for path in ["/sandbox", "/sandbox?channel=email", "/sandbox/latest"] {
        world.test.get(path).as_user(admin).await.expect_status(200);
    }
    let pool = world.pool(1).await;
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    world.claim_by_sms(campaign, recipient).await;
    world.work().await;
    let phone = world.test.get("/sandbox").as_user(&world.test.story.acme_owner).await.expect_status(200);
    assert!(phone.text().contains("SMS Ada: "));
    let other = world.test.get("/sandbox").as_user(&world.test.story.corner_owner).await.expect_status(200);
    assert!(!other.text().contains("SMS Ada: "), "another tenant's phone is silent");
}
