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
    let file = "code,expiry\nGOOD-CODE-0001,\nGOOD-CODE-0002,2020-01-01\ngood code 0001,\n,2027-01-01\n";
    let report = upload(&world, pool, file).await.unwrap();
    assert_eq!((report.read, report.added, report.refused), (4, 0, 3));
    let told: Vec<_> = report.problems.iter().map(|problem| (problem.line, problem.column, problem.code)).collect();
    assert_eq!(told, [(3, "expiry", "expired"), (4, "code", "duplicate"), (5, "code", "required")]);
    assert!(!format!("{report:?}").contains("CODE"), "no code is repeated");
    assert_eq!(world.count("select count(*) from gift_cards", &[]).await, 0);
    world.check().await;
}

#[tokio::test]
async fn a_code_is_refused_that_another_client_uploaded_before() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    assert_eq!(upload(&world, pool, "code\nSHARED-CODE-1\nOWN-CODE-0001\n").await.unwrap().added, 2);
    let input = rewards::actions::pools::PoolInput {
        pool_name: "Theirs".into(),
        brand_id: world.brand().await.to_string(),
        value_amount: "10".into(),
    };
    let corner = &world.test.story.corner;
    let theirs =
        rewards::actions::pools::create(&world.test.app, &world.test.operator(), corner.id, &input).await.unwrap();
    // in the name of the other client: its own eyes do not see the card, the key does
    let actor = kernel::Actor::client(corner.id);
    let file = std::io::Cursor::new(b"code\nFRESH-CODE-1\nshared-code 1\n".to_vec());
    let report = run(&world.test.app, &actor, theirs, file).await.unwrap();
    assert_eq!((report.added, report.refused, report.problems[0].code, report.problems[0].line), (0, 1, "exists", 3));
    assert_eq!(world.count("select count(*) from gift_cards where pool_id = $1", &[&theirs]).await, 0);
    assert_eq!(
        run(&world.test.app, &actor, pool, std::io::Cursor::new(b"code\nX\n".to_vec())).await,
        Err(Error::NotFound)
    );
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
async fn thousands_of_cards_a_second() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let began = std::time::Instant::now();
    world.upload(pool, 10_000).await;
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    world.check().await;
}
