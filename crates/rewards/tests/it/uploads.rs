//! Uploading cards: all or nothing, no code twice anywhere, nothing readable left behind.

use kernel::Error;
use rewards::upload::{UploadReport, run};
use uuid::Uuid;
use web::Method;

use crate::support::World;

async fn upload(world: &World, pool: Uuid, text: &str) -> Result<UploadReport, Error> {
    run(&world.test.app, &world.test.operator(), pool, std::io::Cursor::new(text.as_bytes().to_vec())).await
}

#[tokio::test]
async fn one_bad_line_keeps_every_card_out_and_is_told_with_line_and_reason() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let file = "code,expiry\nGOOD-CODE-0001,\nGOOD-CODE-0002,2020-01-01\nGOOD CODE 0001,\n,2027-01-01\n";
    let report = upload(&world, pool, file).await.unwrap();
    assert_eq!((report.read, report.added, report.refused), (4, 0, 3));
    let told: Vec<_> = report.problems.iter().map(|problem| (problem.line, problem.column, problem.code)).collect();
    assert_eq!(told, [(3, "expiry", "expired"), (4, "code", "duplicate"), (5, "code", "required")]);
    assert!(!format!("{report:?}").contains("CODE"), "no code is repeated");
    assert_eq!(world.count("select count(*) from gift_cards", &[]).await, 0);
    world.check().await;
}

#[tokio::test]
async fn a_code_that_another_client_holds_is_taken_like_any_other_and_handed_out_to_nobody() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    assert_eq!(upload(&world, pool, "code\nSHARED-CODE-1\nOWN-CODE-0001\n").await.unwrap().added, 2);
    let brand = world.word("select brand_id::text from gift_card_pools where id = $1", &[&pool]).await;
    let input =
        rewards::actions::pools::PoolInput { pool_name: "Theirs".into(), brand_id: brand, value_amount: "10".into() };
    let corner = &world.test.story.corner;
    let theirs =
        rewards::actions::pools::create(&world.test.app, &world.test.operator(), corner.id, &input).await.unwrap();
    let actor = kernel::Actor::client(corner.id);
    let theirs_file = |text: &'static str| std::io::Cursor::new(text.as_bytes().to_vec());
    let report =
        run(&world.test.app, &actor, theirs, theirs_file("code\nFRESH-CODE-1\nSHARED-CODE 1\n")).await.unwrap();
    assert_eq!((report.added, report.refused), (2, 0), "the uploader learns nothing");
    let counted = "select total_cards || ' ' || available_cards from gift_card_pools where id = $1";
    assert_eq!(world.word(counted, &[&theirs]).await, "2 2");
    let cards = world.test.api(Method::GET, "/v1/cards?status=available").bearer(&corner.key).await.expect_status(200);
    assert_eq!(cards.json()["data"].as_array().unwrap().len(), 2);
    let again =
        run(&world.test.app, &actor, theirs, theirs_file("code\nFRESH-CODE-1\nshared-CODE-1\nSHAREDCODE1\n")).await;
    let told: Vec<_> = again.unwrap().problems.iter().map(|problem| (problem.line, problem.code)).collect();
    assert_eq!(told, [(2, "exists"), (4, "exists")], "one's own duplicates are told; case is the brand's");
    let refused = "select count(*) from audit_log where action = 'cards.upload_refused' and client_id = $1";
    assert_eq!(world.count(refused, &[&corner.id]).await, 1);

    // the uploader's own people see nothing of it; the operator does, and is written to
    let told = "select count(*) from audit_log where action = 'cards.quarantined'";
    assert_eq!(world.count(told, &[]).await, 1);
    assert_eq!(world.count(&format!("{told} and client_id is not null"), &[]).await, 0);
    world.later(601);
    world.work().await;
    let story = &world.test.story;
    assert!(world.count("select count(*) from jobs where kind = 'messages.system_mail'", &[]).await > 0);
    world.test.get("/admin/quarantine").as_user(&story.agency_owner).await.expect_status(403);
    let page = world.test.get("/admin/quarantine").as_user(&story.admin).await.expect_status(200).text();
    assert!(page.contains(corner.name) && page.contains(story.acme.name) && !page.contains("SHARED"), "{page}");

    let card = world.word("select id::text from gift_cards where quarantined_at is not null", &[]).await;
    let release = format!("/admin/quarantine/{card}/release");
    let held = world.test.post_form(&release, &[("", "")]).as_user(&story.admin).await.expect_status(422);
    assert!(held.text().contains("Another card with this code"));
    let moved = world.admin.execute("update gift_cards set status = 'claimed' where id::text = $1", &[&card]).await;
    assert!(moved.is_err(), "the database hands none out either");
    let first = "select id from gift_cards where client_id = $1 and code_last4 = 'ODE1'";
    let first: Uuid = world.admin.query_one(first, &[&world.client_id]).await.unwrap().get(0);
    let because = rewards::actions::cards::RevokeInput { reason: "it was theirs".into() };
    rewards::actions::cards::revoke(
        &world.test.app,
        &world.test.operator(),
        (world.client_id, first),
        &because,
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    world.test.post_form(&release, &[("", "")]).as_user(&story.admin).await.expect_status(303);
    assert_eq!(world.count("select count(*) from gift_cards where quarantined_at is not null", &[]).await, 0);
    assert_eq!(run(&world.test.app, &actor, pool, theirs_file("code\nX\n")).await, Err(Error::NotFound));
    world.check().await;
}

#[tokio::test]
async fn whoever_uploaded_a_code_first_and_looked_at_it_does_not_keep_it_from_its_owner() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let (app, operator, story) = (&world.test.app, world.test.operator(), &world.test.story);
    assert_eq!(upload(&world, pool, "code\nSQUATTED-CODE-1\n").await.unwrap().added, 1);
    let brand = world.word("select brand_id::text from gift_card_pools where id = $1", &[&pool]).await;
    let input =
        rewards::actions::pools::PoolInput { pool_name: "Theirs".into(), brand_id: brand, value_amount: "10".into() };
    let theirs = rewards::actions::pools::create(app, &operator, story.corner.id, &input).await.unwrap();
    let owner = kernel::Actor::client(story.corner.id);
    let file = || std::io::Cursor::new(b"code\nSQUATTED-CODE-1\n".to_vec());
    assert_eq!(run(app, &owner, theirs, file()).await.unwrap().added, 1);
    let first = "select id from gift_cards where client_id = $1";
    let first: Uuid = world.admin.query_one(first, &[&world.client_id]).await.unwrap().get(0);
    let (card, any) = ((world.client_id, first), kernel::version::Expected::any());
    let because = rewards::actions::cards::RevokeInput { reason: "a slip".into() };
    rewards::actions::cards::revoke(app, &operator, card, &because, &any).await.unwrap();
    rewards::actions::cards::reveal(app, &operator, card, &any).await.unwrap();

    let aside = world.word("select id::text from gift_cards where quarantined_at is not null", &[]).await;
    let release = format!("/admin/quarantine/{aside}/release");
    world.test.post_form(&release, &[("", "")]).as_user(&story.agency_owner).await.expect_status(403);
    world.test.post_form(&release, &[("", "")]).as_user(&story.admin).await.expect_status(303);
    let live =
        "select count(*) from gift_cards where status = 'available' and quarantined_at is null and id::text = $1";
    assert_eq!(world.count(live, &[&aside]).await, 1);
    for (action, row) in [("gift_card.released", &aside), ("gift_card.given_up", &first.to_string())] {
        let noted = "select count(*) from audit_log where action = $1 and row_id::text = $2";
        assert_eq!(world.count(noted, &[&action, row]).await, 1, "{action}");
    }
    // the code is the owner's now: the squatter neither has it in stock nor brings it in again
    let again = upload(&world, pool, "code\nSQUATTED-CODE-1\n").await.unwrap();
    assert_eq!((again.added, again.problems[0].code), (0, "exists"));
    assert_eq!(run(app, &owner, theirs, file()).await.unwrap().refused, 1);
    world.check().await;
}

#[tokio::test]
async fn the_same_digits_of_two_brands_and_codes_that_differ_in_case_are_different_cards() {
    let world = World::new().await;
    let (first, second) = (world.pool(0).await, world.pool(0).await);
    assert_eq!(upload(&world, first, "code\n6006491234567891\nGIFTCODEx\nGIFTCODEX\n").await.unwrap().added, 3);
    assert_eq!(upload(&world, second, "code\n6006491234567891\n").await.unwrap().added, 1);
    let spelt = upload(&world, first, "code\n6006-4912-3456-7891\n6006‑4912‑3456‑7891\n6006 4912 3456 7891\n").await;
    assert_eq!(spelt.unwrap().refused, 2, "one code in three spellings of the hyphen");
    let spelt = upload(&world, first, "code\n6006‑4912‑3456‑7891\n").await;
    assert_eq!(spelt.unwrap().refused, 1, "and it is there already");
    let sql = "update gift_card_brands set code_pattern = '(?i)[a-z]{9}' where id = (select brand_id from gift_card_pools where id = $1)";
    world.run(sql, &[&second]).await;
    let folded = upload(&world, second, "code\ngiftcodey\nGIFTCODEY\n").await.unwrap();
    assert_eq!((folded.refused, folded.problems[0].code), (1, "duplicate"));
    assert_eq!(world.count("select count(*) from gift_cards where quarantined_at is not null", &[]).await, 0);
    let operator = world.test.operator();
    let find = async |code: &str| {
        let input = rewards::actions::cards::FindInput { code: code.into() };
        rewards::actions::cards::find_by_code(&world.test.app, &operator, world.client_id, &input).await
    };
    let exact = find("GIFT-CODEx").await.unwrap();
    assert_ne!(exact, find("GIFTCODEX").await.unwrap());
    assert_eq!(find("NOBODYS").await.unwrap_err().code(), "GC-011");
    world.check().await;
}

#[tokio::test]
async fn a_code_in_the_wrong_pool_goes_into_the_right_one_unless_somebody_has_seen_it() {
    let world = World::new().await;
    let wrong = world.pool(0).await;
    let brand = world.word("select brand_id::text from gift_card_pools where id = $1", &[&wrong]).await;
    let input =
        rewards::actions::pools::PoolInput { pool_name: "Right".into(), brand_id: brand, value_amount: "10".into() };
    let (app, operator) = (&world.test.app, world.test.operator());
    let right = rewards::actions::pools::create(app, &operator, world.client_id, &input).await.unwrap();
    upload(&world, wrong, "code\nUNSEEN-CODE-1\nSEENXX-CODE-2\n").await.unwrap();
    let because = rewards::actions::cards::RevokeInput { reason: "the wrong pool".into() };
    let mut cards = Vec::new();
    for last4 in ["ODE1", "ODE2"] {
        let sql = "select id from gift_cards where code_last4 = $1";
        let card: Uuid = world.admin.query_one(sql, &[&last4]).await.unwrap().get(0);
        rewards::actions::cards::revoke(
            app,
            &operator,
            (world.client_id, card),
            &because,
            &kernel::version::Expected::any(),
        )
        .await
        .unwrap();
        cards.push(card);
    }
    rewards::actions::cards::reveal(app, &operator, (world.client_id, cards[1]), &kernel::version::Expected::any())
        .await
        .unwrap();
    let both = upload(&world, right, "code\nUNSEEN-CODE-1\nSEENXX-CODE-2\n").await.unwrap();
    assert_eq!((both.added, both.refused, both.problems[0].line), (0, 1, 3));
    assert_eq!(upload(&world, right, "code\nUNSEEN-CODE-1\n").await.unwrap().added, 1);
    let opened =
        rewards::actions::cards::reveal(app, &operator, (world.client_id, cards[0]), &kernel::version::Expected::any())
            .await
            .unwrap_err();
    assert_eq!(opened.code(), "uploaded_again", "its code is in stock again");
    world.check().await;
}

#[tokio::test]
async fn a_pool_that_is_archived_while_a_file_is_read_takes_nothing_and_can_be_brought_back() {
    let world = World::new().await;
    let pool = world.pool(1).await;
    let (app, operator) = (&world.test.app, world.test.operator());
    // the upload has looked at the pool and waits for its turn
    world.admin.batch_execute("begin").await.unwrap();
    world.admin.query("select from gift_card_pools where id = $1 for update", &[&pool]).await.unwrap();
    let uploading = upload(&world, pool, "code\nLATE-CODE-0001\n");
    let archiving = async {
        let waits =
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
        let watcher = world.test.database.admin().await;
        while watcher.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        world.run("update gift_card_pools set archived_at = now() where id = $1", &[&pool]).await;
        world.admin.batch_execute("commit").await.unwrap();
    };
    let (uploaded, ()) = tokio::join!(uploading, archiving);
    assert_eq!(uploaded.unwrap_err().code(), "pool_archived");
    assert_eq!(world.count("select count(*) from gift_cards", &[]).await, 1);
    // nor afterwards, and it says why
    assert_eq!(upload(&world, pool, "code\nLATE-CODE-0001\n").await.unwrap_err().code(), "pool_archived");
    let story = &world.test.story;
    let rename = serde_json::json!({ "pool_name": "Another" });
    let rename = world.test.api_json(Method::PATCH, &format!("/v1/pools/{pool}"), &rename);
    assert_eq!(rename.bearer(&story.acme.key).await.expect_status(409).json()["code"], "archived");
    let path = format!("/v1/pools/{pool}/restore");
    world.test.api(Method::POST, &path).bearer(&story.corner.key).await.expect_status(404);
    let back = world.test.api(Method::POST, &path).bearer(&story.acme.key).await.expect_status(200);
    assert!(back.json()["archived_at"].is_null());
    world.test.api(Method::POST, &path).bearer(&story.acme.key).await.expect_status(409);
    assert_eq!(upload(&world, pool, "code\nLATE-CODE-0001\n").await.unwrap().added, 1);
    rewards::actions::pools::archive(app, &operator, (world.client_id, pool), &kernel::version::Expected::any())
        .await
        .unwrap();
    world.check().await;
}

#[tokio::test]
async fn nothing_readable_of_a_code_reaches_the_database() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    upload(&world, pool, "code,pin,cost\nVERY-SECRET-CODE,77341,23.75\n").await.unwrap();
    let row = world.word("select g::text from gift_cards g", &[]).await;
    assert!(!row.contains("SECRET") && !row.contains("77341") && row.contains("CODE"), "only the last four show");
    let hex = world.word("select encode(decode(card_code, 'base64'), 'escape') from gift_cards", &[]).await;
    assert!(!hex.contains("SECRET"));
    let audit = world.word("select string_agg(a::text, ' ') from audit_log a", &[]).await;
    assert!(audit.contains("cards.uploaded") && !audit.contains("SECRET"));
}

#[tokio::test]
async fn the_api_takes_a_csv_and_answers_with_pointers_to_the_lines() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let path = format!("/v1/pools/{pool}/cards");
    let story = &world.test.story;
    let send = |body: &'static str| world.test.api(Method::POST, &path).body("text/csv", body);
    send("code\nAAAA-BBBB\n").bearer(&story.corner.key).await.expect_status(404);
    let reply = send("code\nAAAA-BBBB\nAAAA-BBBB\n").bearer(&story.acme.key).await.expect_status(422);
    assert_eq!(reply.json()["errors"][0]["pointer"], "#/lines/3/code");
    let reply = send("pin\n1\n").bearer(&story.acme.key).await.expect_status(422);
    assert_eq!(reply.json()["errors"][0]["pointer"], "#/file");
    let reply = send("code\nAAAA-BBBB\n").bearer(&story.acme.key).await.expect_status(201);
    assert_eq!(reply.json()["added"], 1);
    let cards = world.test.api(Method::GET, "/v1/cards").bearer(&story.acme.key).await.expect_status(200);
    assert!(!cards.text().contains("AAAA") && cards.text().contains("BBBB"));
    world.check().await;
}

#[tokio::test]
async fn ten_thousand_cards_come_in_one_file() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    world.upload(pool, 10_000).await;
    world.check().await;
}
