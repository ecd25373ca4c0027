//! The same by REST.

use http::Method;
use serde_json::{Value, json};

use crate::scene::Scene;

#[tokio::test]
async fn a_program_finds_a_recipient_by_code_and_the_key_of_another_client_does_not() {
    let scene = Scene::set().await;
    let path = format!("/v1/recipients/lookup?code={}", scene.code.to_lowercase());
    let found = scene.test.api(Method::GET, &path).bearer(&scene.story().acme.key).await.expect_status(200).json();
    assert_eq!(found["id"], scene.recipient_id.to_string());
    let end = &scene.code[scene.code.len() - 4..];
    assert_eq!(found["redemption_code"], format!("••••-••••-{end}"), "the caller reads it out, and nobody to them");
    assert_eq!(found["conditions"][1]["confirmable"], true);
    assert_eq!(found["conditions"][0]["confirmable"], false, "a form is not confirmed by phone");
    let _ = scene.test.api(Method::GET, &path).bearer(&scene.story().corner.key).await.expect_status(404);
    let wrong =
        scene.test.api(Method::GET, "/v1/recipients/lookup?code=0000-0000-0001").bearer(&scene.story().acme.key).await;
    assert_eq!(wrong.expect_status(422).json()["errors"][0]["code"], "check_character");
}

#[tokio::test]
async fn confirming_twice_answers_already_met_and_needs_two_answers_and_the_permission() {
    let scene = Scene::set().await;
    let path = format!("/v1/recipients/{}/conditions/2/confirm", scene.recipient_id);
    let confirm = |body: Value| scene.test.api_json(Method::POST, &path, &body);
    let body = json!({ "identity_checked": ["name", "address"], "notes": "by phone" });
    let first = confirm(body.clone()).as_user(&scene.story().acme_agent).await.expect_status(200).json();
    assert_eq!((&first["already_met"], &first["code"]), (&json!(false), &Value::Null));
    assert_eq!(first["condition"]["code_last4"], "WXYZ");
    let again = confirm(body.clone()).bearer(&scene.story().acme.key).await.expect_status(200).json();
    assert_eq!((&again["already_met"], &again["code"]), (&json!(true), &json!("GC-010")));

    let one = json!({ "identity_checked": ["name"] });
    let refused = confirm(one).bearer(&scene.story().acme.key).await.expect_status(422).json();
    assert_eq!(refused["errors"][0]["pointer"], "#/identity_checked");
    let _ = confirm(body.clone()).as_user(&scene.story().acme_developer).await.expect_status(403);
    let _ = confirm(body).bearer(&scene.story().corner.key).await.expect_status(404);
    assert_eq!(scene.one::<i64>("select count(*) from gift_cards where status = 'claimed'").await, 1);
}

/// What one sees and may not change is forbidden; only what one does not see is not there.
#[tokio::test]
async fn another_agents_call_is_told_apart_from_one_that_is_not_there() {
    let scene = Scene::set().await;
    let agent = &scene.story().acme_agent;
    let acme = scene.story().acme.id;
    let body = json!({ "recipient_id": scene.recipient_id, "notes": "asked for prices" });
    let made = scene.test.api_json(Method::POST, "/v1/calls", &body).as_user(agent).for_client(acme).await;
    let path = format!("/v1/calls/{}", made.expect_status(201).json()["id"].as_str().unwrap());
    let by_owner = |method, body: &serde_json::Value| {
        scene.test.api_json(method, &path, body).as_user(&scene.story().acme_owner).for_client(acme)
    };
    scene.test.api(Method::GET, &path).as_user(&scene.story().acme_owner).for_client(acme).await.expect_status(200);
    let refused = by_owner(Method::PATCH, &json!({ "notes": "mine" })).await.expect_status(403).json();
    assert_eq!(refused["code"], "not_your_call");
    let own = json!({ "recipient_id": kernel::new_id() });
    let other = scene.test.api_json(Method::PATCH, &path, &own).as_user(agent).for_client(acme).await;
    assert!([404, 422].contains(&other.status.as_u16()), "{other:?}");
    scene
        .test
        .api_json(Method::PATCH, &path, &json!({ "notes": "x" }))
        .bearer(&scene.story().corner.key)
        .await
        .expect_status(404);
    let kept: String = scene.one("select notes from call_sessions").await;
    assert_eq!(kept, "asked for prices");
}

#[tokio::test]
async fn calls_are_written_changed_and_listed_and_wrong_words_named() {
    let scene = Scene::set().await;
    let key = &scene.story().acme.key;
    let body = json!({ "recipient_id": scene.recipient_id, "notes": "asked for prices" });
    let made = scene.test.api_json(Method::POST, "/v1/calls", &body).bearer(key).await.expect_status(201).json();
    assert_eq!((&made["call_status"], &made["caller_phone"]), (&json!("in-progress"), &json!("+16145550123")));
    let path = format!("/v1/calls/{}", made["id"].as_str().unwrap());
    let body = json!({ "recipient_id": scene.recipient_id, "notes": "booked", "disposition": "qualified" });
    let ended = scene.test.api_json(Method::PATCH, &path, &body).bearer(key).await.expect_status(200).json();
    assert_eq!(
        (&ended["call_status"], &ended["disposition"], &ended["notes"]),
        (&json!("completed"), &json!("qualified"), &json!("booked"))
    );
    let list =
        scene.test.api(Method::GET, "/v1/calls?disposition=qualified").bearer(key).await.expect_status(200).json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    let list =
        scene.test.api(Method::GET, "/v1/calls").bearer(&scene.story().corner.key).await.expect_status(200).json();
    assert_eq!(list["data"], json!([]));
    let body = json!({ "recipient_id": scene.recipient_id, "disposition": "sold" });
    let wrong = scene.test.api_json(Method::POST, "/v1/calls", &body).bearer(key).await.expect_status(422).json();
    assert_eq!(wrong["errors"][0]["pointer"], "#/disposition");
    let body = json!({ "recipient_id": scene.recipient_id });
    let _ = scene
        .test
        .api_json(Method::POST, "/v1/calls", &body)
        .bearer(&scene.story().corner.key)
        .await
        .expect_status(404);
}
