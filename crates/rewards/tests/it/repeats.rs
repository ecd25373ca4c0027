//! The same request again, under one Idempotency-Key: money moves once, whenever the server dies.

use chrono::Duration;
use serde_json::{Value, json};
use testkit::Reply;
use web::Method;

use crate::support::World;

/// From now on no answer is kept: the server dies between the act and that.
const DIE: &str = "
    create function public.die() returns trigger language plpgsql as $$ begin raise exception 'died'; end $$;
    create trigger die before update of status on idempotency_keys for each row execute function public.die()";

/// Everything that money moves by; a change of any of it shows.
const BOOKS: &str = "
    select md5(concat(
        (select string_agg(c::text, ',' order by c.id) from credit_ledger c),
        (select string_agg(concat(g.id, g.status, g.recipient_id, g.revoked_at, g.replaced_by_id), ',' order by g.id) from gift_cards g),
        (select string_agg(concat(p.id, p.available_cards, p.total_cards), ',' order by p.id) from gift_card_pools p),
        (select count(*) from messages)))";

async fn send(world: &World, path: &str, key: &str, body: &Value) -> Reply {
    // only the operator's people make credits
    let story = &world.test.story;
    let who = if path == "/v1/credits" { &story.admin } else { &story.agency_owner };
    let ask = world.test.api(Method::POST, path).as_user(who).for_client(world.client_id);
    let ask = ask.header("idempotency-key", key);
    match body.as_str() {
        Some(csv) => ask.body("text/csv", csv.to_owned()).await,
        None => ask.json(body).await,
    }
}

#[tokio::test]
async fn whatever_moves_money_moves_it_once_though_the_answer_is_lost() {
    let world = World::new().await;
    let pool = world.pool(3).await;
    let campaign = world.campaign(pool).await;
    let mut cards = Vec::new();
    for _ in 0..2 {
        let recipient = world.recipient(campaign).await;
        cards.push(world.claim_by_sms(campaign, recipient).await.1);
    }
    world.admin.batch_execute(DIE).await.unwrap();
    let acts = [
        ("/v1/credits".to_owned(), json!({ "amount": "500" })),
        (format!("/v1/pools/{pool}/cards"), json!("code\nABCD-1234-EFGH\n")),
        (format!("/v1/cards/{}/replace", cards[0]), json!({ "reason": "lost", "to": "+16145550199" })),
        (format!("/v1/cards/{}/revoke", cards[1]), json!({ "reason": "seen" })),
    ];
    for (number, (path, body)) in acts.iter().enumerate() {
        let key = format!("k{number}");
        let before = world.word(BOOKS, &[]).await;
        let first = send(&world, path, &key, body).await;
        assert!(first.status.is_success(), "{path}: {first:?}");
        let after = world.word(BOOKS, &[]).await;
        assert_ne!(before, after, "{path} must move something for this test to mean anything");
        assert_eq!(send(&world, path, &key, body).await.expect_status(409).json()["code"], "idempotency_key_in_use");
        world.test.clock().advance(Duration::minutes(3));
        let again = send(&world, path, &key, body).await.expect_status(409).json();
        assert_eq!(again["code"], "idempotency_key_spent", "{path}");
        assert_eq!(world.word(BOOKS, &[]).await, after, "{path} was done twice");
    }
}

#[tokio::test]
async fn a_repeated_reveal_is_recorded_again() {
    let world = World::new().await;
    let pool = world.pool(1).await;
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    let (_, card) = world.claim_by_sms(campaign, recipient).await;
    let path = format!("/v1/cards/{card}/reveal");
    let mut codes = Vec::new();
    for times in 1..=2 {
        let reply = send(&world, &path, "k1", &json!({})).await.expect_status(200);
        assert_eq!(reply.header("idempotent-replayed"), "");
        codes.push(reply.json()["code"].clone());
        let recorded = "select count(*) from audit_log where action = 'gift_card.revealed'";
        assert_eq!(world.count(recorded, &[]).await, times, "each look is a row");
    }
    assert_eq!(codes[0], codes[1]);
    assert_eq!(world.count("select count(*) from idempotency_keys", &[]).await, 0, "no copy of the code is kept");
}
