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
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    let (_, card) = world.claim_by_sms(campaign, recipient).await;
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
async fn credits_are_made_by_the_operator_and_passed_on_by_the_agency() {
    let world = World::new().await;
    let story = &world.test.story;
    let body = [("amount", "1,000"), ("note", "spring")];
    world.test.post_form("/acme-roofing/credits", &body).as_user(&story.acme_owner).await.expect_status(403);
    let none = world.test.post_form("/acme-roofing/credits", &body).as_user(&story.agency_owner).await;
    assert!(none.expect_status(422).text().contains("only the operator makes new ones"));
    world.test.post_form("/acme-roofing/credits", &body).as_user(&story.admin).await.expect_status(303);
    let told = world.test.api(Method::GET, "/v1/credits").bearer(&story.acme.key).await.expect_status(200).json();
    assert_eq!((&told["balance"], &told["data"][0]["note"]), (&json!(1000), &json!("spring")));
    for amount in ["2,5", "1,0", "1.5", "0", "1e3"] {
        let typed = world.test.post_form("/acme-roofing/credits", &[("amount", amount)]).as_user(&story.admin).await;
        assert!(typed.expect_status(422).text().contains("a whole number of credits"), "{amount}");
    }
    let back = [("amount", "-1"), ("note", "")];
    let refused = world.test.post_form("/acme-roofing/credits", &back).as_user(&story.admin).await;
    assert!(refused.expect_status(422).text().contains("say why"));
    world.test.post_form("/acme-roofing/credits", &back).as_user(&story.agency_owner).await.expect_status(422);

    let (from, to) = ("/bright-dental/credits", "acme-roofing");
    let pass = |amount: &'static str, from: &'static str| [("amount", amount), ("from", from)];
    let moved = world.test.post_form(from, &pass("400", to)).as_user(&story.agency_owner).await;
    moved.expect_status(303);
    let balances = "select string_agg(credits::text, ' ' order by slug) from clients where slug in ('acme-roofing', 'bright-dental')";
    assert_eq!(world.word(balances, &[]).await, "600 400");
    let broke = world.test.post_form(from, &pass("601", to)).as_user(&story.agency_owner).await;
    assert!(broke.expect_status(422).text().contains("do not cover"));
    for giver in ["corner-auto", "bright-dental", "nobody"] {
        let wrong = world.test.post_form(from, &pass("1", giver)).as_user(&story.agency_owner).await;
        assert!(wrong.expect_status(422).text().contains("no other client of this organization"), "{giver}");
    }
    assert_eq!(world.word(balances, &[]).await, "600 400");
    world.check().await;
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
    assert!(bad.text().contains("enter a regular expression") && bad.text().contains("begins with https://"));
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

#[tokio::test]
async fn a_person_redeems_replaces_and_revokes_a_card_by_forms_and_every_refusal_says_why() {
    let world = World::new().await;
    let owner = &world.test.story.agency_owner;
    let pool = world.pool(3).await;
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    let (message, card) = world.claim_by_sms(campaign, recipient).await;
    world.work().await;
    let path = format!("/acme-roofing/cards/{card}");
    let post =
        |path: String, fields: Vec<(&'static str, &'static str)>| world.test.post_form(&path, &fields).as_user(owner);
    let refused = post(format!("{path}/replace"), vec![("reason", ""), ("to", "")]).await.expect_status(422);
    assert!(refused.text().contains("Why is required"));
    let replaced = post(format!("{path}/replace"), vec![("reason", "lost"), ("to", "")]).await.expect_status(303);
    let new = replaced.location().to_owned();
    assert_ne!(new, path);
    world.test.get(&path).as_user(owner).await.expect_status(200);
    post(format!("{new}/redeem"), vec![("balance_note", "2.50 left")]).await.expect_status(303);
    post(format!("{new}/redeem"), vec![("balance_note", "")]).await.expect_status(422);
    post(format!("{new}/revoke"), vec![("why", "fraud")]).await.expect_status(303);
    let revoked = world.test.get(&new).as_user(owner).await.expect_status(200);
    assert!(revoked.text().contains("2.50 left") && revoked.text().contains("fraud"));
    let resend = post(format!("/acme-roofing/deliveries/{message}/resend"), vec![("to", "")]).await.expect_status(422);
    assert!(resend.text().contains("The card was revoked"), "{}", resend.text());
    world.check().await;
}

#[tokio::test]
async fn a_pool_is_renamed_and_archived_but_not_while_cards_are_promised() {
    let world = World::new().await;
    let owner = &world.test.story.agency_owner;
    let pool = world.pool(2).await;
    let campaign = world.campaign(pool).await;
    let path = format!("/acme-roofing/pools/{pool}");
    world.test.post_form(&path, &[("pool_name", "Autumn")]).as_user(owner).await.expect_status(422);
    world.test.edit(owner, (&path, &path), &[("pool_name", "Autumn")]).await.expect_status(303);
    let sql =
        "insert into campaign_reservations (id, client_id, campaign_id, pool_id, reserved, created_at, updated_at)
               values (gen_random_uuid(), $1, $2, $3, 1, now(), now())";
    world.run(sql, &[&world.client_id, &campaign, &pool]).await;
    world.run("update gift_card_pools set reserved_cards = 1 where id = $1", &[&pool]).await;
    let page = world.test.get(&path).as_user(owner).await.expect_status(200);
    assert!(page.text().contains("Autumn") && page.text().contains("1 reserved, 0 claimed"));
    let kept = world.test.post_form(&format!("{path}/archive"), &[("", "")]).as_user(owner).await.expect_status(422);
    assert!(kept.text().contains("promised to campaigns (1)"));
    world.run("update campaign_reservations set reserved = 0", &[]).await;
    world.run("update gift_card_pools set reserved_cards = 0 where id = $1", &[&pool]).await;
    let api = format!("/v1/pools/{pool}");
    let key = &world.test.story.acme.key;
    world.test.api_json(Method::PATCH, &api, &json!({ "pool_name": "" })).bearer(key).await.expect_status(422);
    let archived = world.test.api(Method::POST, &format!("{api}/archive")).bearer(key).await.expect_status(200);
    assert!(archived.json()["archived_at"].is_string());
    let list = world.test.api(Method::GET, "/v1/pools").bearer(key).await.expect_status(200).json();
    assert_eq!(list["data"], json!([]));
    let archive = world.test.get("/acme-roofing/pools?show=archived").as_user(owner).await.expect_status(200);
    assert!(archive.text().contains("Autumn"));
}

#[tokio::test]
async fn programs_find_redeem_replace_and_revoke_cards_and_another_tenant_finds_none() {
    let world = World::new().await;
    let (acme, corner) = (&world.test.story.acme, &world.test.story.corner);
    let pool = world.pool(0).await;
    let file = std::io::Cursor::new(b"code\nFIND-ME-0001\nFIND-ME-0002\n".to_vec());
    rewards::upload::run(&world.test.app, &world.test.operator(), pool, file).await.unwrap();
    let body = json!({ "code": "find me 0001" });
    let found = world.test.api_json(Method::POST, "/v1/cards/find", &body).bearer(&acme.key).await.expect_status(200);
    assert_eq!(found.json()["code_last4"], "0001");
    let unknown =
        world.test.api_json(Method::POST, "/v1/cards/find", &body).bearer(&corner.key).await.expect_status(409);
    assert_eq!(unknown.json()["code"], "GC-011");
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    let (_, card) = world.claim_by_sms(campaign, recipient).await;
    let act = |verb: &str, body: serde_json::Value| {
        world.test.api_json(Method::POST, &format!("/v1/cards/{card}/{verb}"), &body).bearer(&acme.key)
    };
    act("replace", json!({ "reason": "lost", "to": "nobody" })).await.expect_status(422);
    act("replace", json!({ "reason": "lost" })).await.expect_status(201);
    act("redeem", json!({})).await.expect_status(409);
    act("revoke", json!({ "reason": "again" })).await.expect_status(409);
    let got =
        world.test.api(Method::GET, &format!("/v1/cards/{card}")).bearer(&acme.key).await.expect_status(200).json();
    assert!(got["revoked_at"].is_string() && got["replaced_by_id"].is_string());
    world.test.api(Method::GET, &format!("/v1/cards/{card}")).bearer(&corner.key).await.expect_status(404);
    world.check().await;
}

#[tokio::test]
async fn a_brand_is_changed_and_a_pool_of_one_that_is_off_is_refused() {
    let world = World::new().await;
    let admin = &world.test.story.admin;
    let brand = world.brand().await;
    let path = format!("/admin/brands/{brand}");
    world.test.get(&path).as_user(admin).await.expect_status(200);
    world.test.get("/admin/brands/new").as_user(admin).await.expect_status(200);
    let off = [
        ("brand_name", "Gone"),
        ("code_pattern", "[0-9]{4}"),
        ("support_phone", "614-555-0123"),
        ("is_active", "false"),
    ];
    world.test.post_form(&path, &off).as_user(admin).await.expect_status(422);
    world.test.edit(admin, (&path, &path), &off).await.expect_status(303);
    let key = &world.test.story.acme.key;
    let pool = json!({ "pool_name": "P", "brand_id": brand, "value_amount": "5" });
    let refused = world.test.api_json(Method::POST, "/v1/pools", &pool).bearer(key).await.expect_status(409);
    assert_eq!(refused.json()["code"], "GC-002");
    let gone = json!({ "pool_name": "P", "brand_id": kernel::new_id(), "value_amount": "5" });
    world.test.api_json(Method::POST, "/v1/pools", &gone).bearer(key).await.expect_status(422);
    let other = json!({ "brand_name": "Gone" });
    let taken = world.test.api_json(Method::POST, "/v1/brands", &other).bearer(key).await;
    assert_eq!(taken.status.as_u16(), 403, "no key of a client edits the catalogue");
}

#[tokio::test]
async fn a_grant_sent_twice_is_booked_once() {
    let world = World::new().await;
    let story = &world.test.story;
    let page = world.test.get("/acme-roofing/credits").as_user(&story.admin).await.expect_status(200).text();
    let id = page.split("name=\"id\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let send = |amount: &'static str, id: &str| {
        let fields = [("id", id.to_owned()), ("amount", amount.to_owned()), ("note", String::new())];
        world.test.post_form("/acme-roofing/credits", &fields).as_user(&story.admin)
    };
    let (first, second) = tokio::join!(send("1000", &id), send("1000", &id));
    first.expect_status(303);
    second.expect_status(303);
    let ledger = "select count(*) from credit_ledger where client_id = $1";
    assert_eq!(world.count(ledger, &[&world.client_id]).await, 1);
    let balance = "select credits::bigint from clients where id = $1";
    assert_eq!(world.count(balance, &[&world.client_id]).await, 1000);
    let other = send("500", &id).await.expect_status(422);
    assert!(other.text().contains("Another entry has this id"), "{}", other.text());
    // the id of another client's entry books nothing and tells nothing
    let bright = [("id", id.clone()), ("amount", "1000".to_owned())];
    world.test.post_form("/bright-dental/credits", &bright).as_user(&story.admin).await.expect_status(422);
    send("500", &kernel::new_id().to_string()).await.expect_status(303);
    assert_eq!(world.count(balance, &[&world.client_id]).await, 1500);
    world.check().await;
}

#[tokio::test]
async fn a_pool_is_not_archived_while_somebody_waits_or_a_campaign_under_way_hands_it_out() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    let key = &world.test.story.acme.key;
    let archive = || world.test.api(Method::POST, &format!("/v1/pools/{pool}/archive")).bearer(key);
    assert_eq!(world.claim(&world.to_claim(campaign, recipient)).await.outcome, rewards::Outcome::PoolEmpty);
    let waits = archive().await.expect_status(409).json();
    assert_eq!(waits["code"], "pool_awaited", "{waits}");
    for status in ["ready", "in_production", "mailed", "active"] {
        let sql = "update campaigns set status = $2::text::campaign_status where id = $1";
        world.run(sql, &[&campaign, &status]).await;
        let used = archive().await.expect_status(409).json();
        assert_eq!(used["code"], "pool_in_use", "{used}");
    }
    assert!(archive().await.text().contains("Spring"), "which campaign it is");
    world.upload(pool, 1).await;
    world.work().await;
    assert_eq!(archive().await.expect_status(409).json()["code"], "pool_in_use");
    world.run("update campaigns set status = 'completed' where id = $1", &[&campaign]).await;
    archive().await.expect_status(200);
    assert_eq!(archive().await.expect_status(409).json()["code"], "already_archived");
}
