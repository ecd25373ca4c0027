//! `ETag` and `If-Match` of everything the API can change: nobody overwrites what they have not seen.
#![cfg(test)]

use serde_json::{Value, json};
use testkit::TestApp;
use web::Method;

fn every_route(app: &web::App) -> web::Routes {
    let drivers = providers::Drivers::from_settings(&app.settings, &app.db, &app.keyring, &app.clock).unwrap();
    ace::assemble::routes(app, &drivers, &events::VisitWriter::start(&app.db))
}

/// What is made, where, and how it is changed.
fn things(test: &TestApp) -> Vec<(&'static str, Value, Method, Value)> {
    let name = |name: &str| json!({ "name": name });
    let template = |name: &str| json!({ "name": name, "size": "6x9", "front": "Hello", "back": "Call us" });
    vec![
        ("/v1/contacts", json!({ "first_name": "Ada" }), Method::PATCH, json!({ "first_name": "Eve" })),
        ("/v1/lists", name("Roofs"), Method::PATCH, name("Roofs 2")),
        ("/v1/forms", name("Survey"), Method::PATCH, name("Survey 2")),
        ("/v1/landing-pages", name("Spring"), Method::PATCH, name("Spring 2")),
        ("/v1/templates", template("Card"), Method::PATCH, template("Card 2")),
        ("/v1/campaigns", name("Autumn"), Method::PATCH, name("Autumn 2")),
        ("/v1/brands", json!({ "brand_name": "Roofers" }), Method::PATCH, json!({ "brand_name": "Roofers 2" })),
        ("/v1/organizations", json!({ "name": "Lake", "type": "agency" }), Method::PATCH, name("Lake 2")),
        ("/v1/clients", json!({ "name": "Sky", "org_id": test.story.northside }), Method::PATCH, name("Sky 2")),
    ]
}

/// Read, changed by somebody else, then changed on the old version, on any, and on the present one.
async fn is_versioned(test: &TestApp, path: &str, method: Method, change: &Value) {
    let (admin, acme) = (&test.story.admin, test.story.acme.id);
    let get = || test.api(Method::GET, path).as_user(admin).for_client(acme);
    let put = |tag: &str| {
        let ask = test.api_json(method.clone(), path, change).as_user(admin).for_client(acme);
        ask.header("if-match", tag)
    };
    let read = get().await.expect_status(200).header("etag").to_owned();
    assert!(read.starts_with('"') && read.ends_with('"'), "{path}: {read}");
    test.clock().advance(chrono::Duration::seconds(1));
    let changed = put(&read).await.expect_status(200);
    assert_ne!(changed.header("etag"), read, "{path}");
    assert_eq!(get().await.header("etag"), changed.header("etag"), "{path}");
    let stale = put(&read).await;
    assert_eq!((stale.status.as_u16(), stale.json()["code"].as_str()), (412, Some("precondition_failed")), "{path}");
    test.clock().advance(chrono::Duration::seconds(1));
    put("*").await.expect_status(200);
    let present = get().await.header("etag").to_owned();
    put(&format!("{read}, {present}")).await.expect_status(200);
}

#[tokio::test]
async fn what_the_api_can_change_has_a_version_and_a_stale_one_is_refused() {
    let test = TestApp::new(every_route).await;
    let (admin, acme) = (&test.story.admin, test.story.acme.id);
    for (path, new, method, change) in things(&test) {
        let made = test.api_json(Method::POST, path, &new).as_user(admin).for_client(acme).await.expect_status(201);
        let path = format!("{path}/{}", made.json()["id"].as_str().unwrap());
        is_versioned(&test, &path, method, &change).await;
    }
    let brand = json!({ "brand_name": "Depot" });
    let brand = test.api_json(Method::POST, "/v1/brands", &brand).as_user(admin).for_client(acme).await.json();
    let pool = json!({ "pool_name": "Cards", "brand_id": brand["id"], "value_amount": "25.00" });
    let made = test.api_json(Method::POST, "/v1/pools", &pool).as_user(admin).for_client(acme).await.expect_status(201);
    let path = format!("/v1/pools/{}", made.json()["id"].as_str().unwrap());
    is_versioned(&test, &path, Method::PATCH, &json!({ "pool_name": "Cards 2" })).await;
}

#[tokio::test]
async fn of_two_changes_at_once_without_if_match_both_are_made() {
    let test = TestApp::new(every_route).await;
    let path = format!("/v1/clients/{}", test.story.acme.id);
    let changes = (0..8).map(|n| {
        let change = json!({ "website_url": format!("https://acme{n}.example") });
        let path = &path;
        let test = &test;
        async move { test.api_json(Method::PATCH, path, &change).as_user(&test.story.acme_owner).await.status.as_u16() }
    });
    assert_eq!(futures_util::future::join_all(changes).await, [200; 8]);
}

/// Such as a count, a balance, or that a number was suppressed: none of them is what can be changed there.
#[tokio::test]
async fn an_answer_that_has_changed_is_sent_and_its_old_etag_still_names_the_version() {
    let test = TestApp::new(every_route).await;
    let key = &test.story.acme.key;
    let ada = json!({ "first_name": "Ada" });
    let contact = test.api_json(Method::POST, "/v1/contacts", &ada).bearer(key).await.expect_status(201).json();
    let roofs = json!({ "name": "Roofs" });
    let list = test.api_json(Method::POST, "/v1/lists", &roofs).bearer(key).await.expect_status(201).json();
    let path = format!("/v1/lists/{}", list["id"].as_str().unwrap());
    let read = test.api(Method::GET, &path).bearer(key).await.expect_status(200).header("etag").to_owned();
    let known = || test.api(Method::GET, &path).bearer(key).header("if-none-match", &read);
    known().await.expect_status(304);
    let members = json!({ "contact_ids": [contact["id"]] });
    let added = test.api_json(Method::POST, &format!("{path}/members"), &members).bearer(key).await;
    assert!(added.status.is_success(), "{}", added.text());
    let changed = known().await.expect_status(200);
    assert_eq!(changed.json()["contact_count"], 1);
    assert_ne!(changed.header("etag"), read);
    let change = test.api_json(Method::PATCH, &path, &json!({ "name": "Roofs 2" })).bearer(key);
    change.header("if-match", &read).await.expect_status(200);
}

#[tokio::test]
async fn an_if_match_that_names_no_version_is_met_by_none() {
    let test = TestApp::new(every_route).await;
    let key = &test.story.acme.key;
    let list = test.api_json(Method::POST, "/v1/lists", &json!({ "name": "Roofs" })).bearer(key).await.json();
    let path = format!("/v1/lists/{}", list["id"].as_str().unwrap());
    for empty in ["", " ", ","] {
        let refused = test.api(Method::DELETE, &path).bearer(key).header("if-match", empty).await;
        assert_eq!((refused.status.as_u16(), refused.json()["code"].as_str()), (412, Some("precondition_failed")));
    }
    test.api(Method::DELETE, &path).bearer(key).await.expect_status(204);
}
