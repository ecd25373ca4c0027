//! Contacts: made, changed, found, exported.

use audience::actions::contacts as action;
use audience::contacts::ContactInput;
use kernel::Error;
use kernel::postal::{Address, deliverable};
use serde_json::json;
use testkit::TestApp;
use uuid::Uuid;
use web::Method;

use crate::{count, test_app};

async fn make(test: &TestApp, client_id: Uuid, name: &str) -> audience::contacts::Contact {
    let input =
        ContactInput { first_name: Some(name.into()), last_name: Some("Lee".into()), ..ContactInput::default() };
    action::create(&test.app, &test.operator(), client_id, input).await.unwrap()
}

#[tokio::test]
async fn the_api_creates_shows_changes_and_deletes_a_contact_and_holds_it_against_its_version() {
    let test = test_app().await;
    let key = &test.story.acme.key;
    let body = json!({ "first_name": "Ada", "last_name": "Lee", "email": "ADA@Example.com", "custom_fields": { "roof": "slate", "age": 3 } });
    let made = test.api_json(Method::POST, "/v1/contacts", &body).bearer(key).await.expect_status(201);
    let (path, etag) = (made.location().to_owned(), made.header("etag").to_owned());
    assert_eq!(made.json()["email"], "ada@example.com");
    test.clock().advance(chrono::Duration::seconds(1));
    let patch = json!({ "last_name": "King", "email": null, "email_opt_out": true, "custom_fields": { "roof": null, "floors": 2 } });
    let changed = test
        .api_json(Method::PATCH, &path, &patch)
        .bearer(key)
        .header("if-match", &etag)
        .await
        .expect_status(200)
        .json();
    assert_eq!(
        (&changed["first_name"], &changed["last_name"], &changed["email"]),
        (&json!("Ada"), &json!("King"), &json!(null))
    );
    assert_eq!(changed["custom_fields"], json!({ "age": 3, "floors": 2 }));
    let stale = test
        .api_json(Method::PATCH, &path, &json!({ "first_name": "Eve" }))
        .bearer(key)
        .header("if-match", &etag)
        .await
        .expect_status(412);
    assert_eq!(stale.json()["code"], "precondition_failed");
    let wrong = test.api_json(Method::PATCH, &path, &json!({ "nickname": "A" })).bearer(key).await.expect_status(422);
    assert!(wrong.text().contains("nickname"), "{}", wrong.text());
    assert_eq!(
        count(
            &test,
            "select count(*) from contact_consents where channel = 'email' and not granted and source = 'api'"
        )
        .await,
        1
    );
    assert_eq!(count(&test, "select count(*) from audit_log where action = 'contact.updated' and before->>'last_name' = 'Lee' and after->>'last_name' = 'King'").await, 1);
    test.api(Method::DELETE, &path).bearer(key).await.expect_status(204);
    test.api(Method::GET, &path).bearer(key).await.expect_status(404);
}

#[tokio::test]
async fn another_tenants_contact_is_not_there_for_any_verb() {
    let test = test_app().await;
    let contact = make(&test, test.story.acme.id, "Ada").await;
    let key = &test.story.corner.key;
    let path = format!("/v1/contacts/{}", contact.id);
    let missing =
        test.api(Method::GET, &format!("/v1/contacts/{}", kernel::new_id())).bearer(key).await.expect_status(404);
    let foreign = test.api(Method::GET, &path).bearer(key).await.expect_status(404);
    assert_eq!(missing.json()["code"], foreign.json()["code"]);
    test.api_json(Method::PATCH, &path, &json!({ "first_name": "Eve" })).bearer(key).await.expect_status(404);
    test.api(Method::DELETE, &path).bearer(key).await.expect_status(404);
    let stranger = test.story.corner_owner.actor();
    let done = action::suppress(&test.app, &stranger, (test.story.acme.id, contact.id), true).await;
    assert_eq!(done.unwrap_err(), Error::NotFound);
    let listed = test.api(Method::GET, "/v1/contacts").bearer(key).await.json();
    assert_eq!(listed["data"], json!([]));
}

#[tokio::test]
async fn a_taken_code_and_every_wrong_field_are_named() {
    let test = test_app().await;
    let key = &test.story.acme.key;
    let body = json!({ "last_name": "Lee", "customer_code": "a-1" });
    let first = test.api_json(Method::POST, "/v1/contacts", &body).bearer(key).await.expect_status(201).json();
    assert_eq!(first["customer_code"], "A-1");
    assert_eq!(
        test.api_json(Method::POST, "/v1/contacts", &body).bearer(key).await.expect_status(422).json()["errors"][0]["code"],
        "taken"
    );
    // the same code is free for another client
    test.api_json(Method::POST, "/v1/contacts", &body).bearer(&test.story.bright.key).await.expect_status(201);
    let wrong = json!({ "email": "at home", "zip": "1", "lifecycle_stage": "hot" });
    let refused = test.api_json(Method::POST, "/v1/contacts", &wrong).bearer(key).await.expect_status(422).json();
    let pointers: Vec<_> =
        refused["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["#/email", "#/zip", "#/lifecycle_stage"]);
}

#[tokio::test]
async fn pages_of_contacts_follow_each_other_and_searches_and_filters_narrow_them() {
    let test = test_app().await;
    let (acme, key) = (test.story.acme.id, &test.story.acme.key);
    for name in ["Ada", "Bo", "Cy", "100%"] {
        make(&test, acme, name).await;
    }
    let ada = make(&test, acme, "Ada").await;
    let phone =
        ContactInput { last_name: Some("Wu".into()), phone: Some("614 555 0123".into()), ..ContactInput::default() };
    action::create(&test.app, &test.operator(), acme, phone).await.unwrap();
    let get = async |path: &str| test.api(Method::GET, path).bearer(key).await.expect_status(200).json();
    let first = get("/v1/contacts?limit=4").await;
    let second = get(&format!("/v1/contacts?limit=4&after={}", first["next"].as_str().unwrap())).await;
    assert_eq!((first["data"].as_array().unwrap().len(), second["data"].as_array().unwrap().len()), (4, 2));
    assert_eq!(second["next"], json!(null));
    let found = async |query: &str| get(&format!("/v1/contacts?{query}")).await["data"].as_array().unwrap().len();
    assert_eq!(found("q=ada+lee").await, 2);
    assert_eq!(found("q=100%25").await, 1);
    assert_eq!(found("q=(614)+555-0123").await, 1);
    assert_eq!(found(&format!("q={}", ada.customer_code.to_lowercase())).await, 1);
    assert_eq!(found("do_not_contact=true").await, 0);
    test.api(Method::GET, "/v1/contacts?limit=500").bearer(key).await.expect_status(422);
    test.api(Method::GET, "/v1/contacts?after=made-up").bearer(key).await.expect_status(422);
}

#[tokio::test]
async fn an_export_is_safe_to_open_can_be_imported_again_and_is_audited() {
    let test = test_app().await;
    let (acme, key) = (test.story.acme.id, &test.story.acme.key);
    let evil = ContactInput {
        last_name: Some("=HYPERLINK(1)".into()),
        phone: Some("6145550123".into()),
        ..ContactInput::default()
    };
    action::create(&test.app, &test.operator(), acme, evil).await.unwrap();
    make(&test, acme, "Ada").await;
    let csv = test.api(Method::GET, "/v1/contacts/export").bearer(key).await.expect_status(200).text();
    assert!(csv.contains(",'=HYPERLINK(1),") && csv.contains(",'+16145550123,"), "{csv}");
    let json =
        test.api(Method::GET, "/v1/contacts/export?format=json&q=ada").bearer(key).await.expect_status(200).json();
    assert_eq!(json.as_array().unwrap().len(), 1);
    let empty =
        test.api(Method::GET, "/v1/contacts/export?format=json&q=nobody").bearer(key).await.expect_status(200).json();
    assert_eq!(empty, json!([]));
    assert_eq!(count(&test, "select count(*) from audit_log where action = 'contacts.exported'").await, 3);
    let options = audience::import::ImportOptions { filename: "back.csv".into(), ..Default::default() };
    let source = audience::import::source::bytes(csv);
    let again = audience::import::run_now(&test.app, &test.operator(), acme, (options, source), |_| {}).await.unwrap();
    assert_eq!((again.rows_created, again.rows_skipped, again.rows_refused), (0, 2, 0));
    test.api(Method::GET, "/v1/contacts/export").as_user(&test.story.acme_developer).await.expect_status(403);
}

/// SQL and Rust say the same of normalised addresses, or launches would skip other people than the pages promise.
#[tokio::test]
async fn the_database_and_the_kernel_agree_on_what_can_be_delivered() {
    let test = test_app().await;
    let admin = test.database.admin().await;
    for street in ["", "12 Oak St"] {
        for city in ["", "Columbus"] {
            for state in ["", "OH", "XX", "AE"] {
                for zip in ["", "43215", "43215-1234", "4321", "CT1 2EH"] {
                    for country in ["", "US", "GB"] {
                        let address = Address { street, street2: "", city, state, zip, country };
                        let row = admin
                            .query_one(
                                "select app.undeliverable($1, $2, $3, $4, $5)",
                                &[&street, &city, &state, &zip, &country],
                            )
                            .await
                            .unwrap();
                        let reason: Option<&str> = row.get(0);
                        assert_eq!(reason.is_none(), deliverable(&address).is_ok(), "{address:?}");
                    }
                }
            }
        }
    }
}

/// A yes that would not be heeded is refused, with the reason; the answer tells that the address is suppressed.
#[tokio::test]
async fn an_opt_out_of_a_suppressed_address_is_not_taken_back_and_says_why() {
    let test = test_app().await;
    let key = &test.story.acme.key;
    let admin = test.database.admin().await;
    let suppress = "insert into suppressed_addresses (id, client_id, channel, address, reason, created_at)
                    values (gen_random_uuid(), $1, $2, $3, $4, '2026-03-01')";
    let body = json!({ "first_name": "Ada", "email": "ada@example.com", "phone": "+16145550101", "mobile_phone": "+16145550123",
        "sms_opt_out": true, "email_opt_out": true });
    let made = test.api_json(Method::POST, "/v1/contacts", &body).bearer(key).await.expect_status(201);
    let path = made.location().to_owned();
    assert_eq!((&made.json()["sms_suppressed"], &made.json()["email_suppressed"]), (&json!(null), &json!(null)));
    // another client's, and the number to which no text goes
    admin.execute(suppress, &[&test.story.corner.id, &"sms", &"+16145550123", &"stop"]).await.unwrap();
    admin.execute(suppress, &[&test.story.acme.id, &"sms", &"+16145550101", &"stop"]).await.unwrap();
    let get = || test.api(Method::GET, &path).bearer(key);
    assert_eq!(get().await.expect_status(200).json()["sms_suppressed"], json!(null));
    let patch = async |body: serde_json::Value| test.api_json(Method::PATCH, &path, &body).bearer(key).await;
    patch(json!({ "sms_opt_out": false })).await.expect_status(200);
    patch(json!({ "sms_opt_out": true })).await.expect_status(200);
    for (channel, address, reason) in [("sms", "+16145550123", "stop"), ("email", "ada@example.com", "bounce")] {
        admin.execute(suppress, &[&test.story.acme.id, &channel, &address, &reason]).await.unwrap();
        let flag = format!("{channel}_opt_out");
        let told = get().await.expect_status(200).json();
        assert_eq!(told[format!("{channel}_suppressed")], json!({ "reason": reason, "since": "2026-03-01T00:00:00Z" }));
        let refused = patch(json!({ &flag: false })).await.expect_status(422).json();
        assert_eq!(refused["errors"][0]["code"], "suppressed", "{refused}");
        assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("lift"), "{refused}");
        assert_eq!(get().await.json()[&flag], true);
        patch(json!({ "first_name": "Eve" })).await.expect_status(200);
        // what was answered is sent back as it is
        let list = test.api(Method::GET, "/v1/contacts").bearer(key).await.expect_status(200).json();
        assert_eq!(list["data"][0][format!("{channel}_suppressed")]["reason"], reason);
    }
    let (slug, owner) = (test.story.acme.slug, &test.story.acme_owner);
    let page = test.get(&format!("/{slug}/contacts/{}", path.rsplit('/').next().unwrap())).as_user(owner).await;
    let page = page.expect_status(200).text();
    for part in ["Nothing is sent to this number", "answered STOP", "Lift suppression", "nobody is there"] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    // what only repeats the contact's own no goes with it
    admin.execute("update suppressed_addresses set reason = 'opted_out'", &[]).await.unwrap();
    patch(json!({ "sms_opt_out": false, "email_opt_out": false })).await.expect_status(200);
    assert_eq!(get().await.json()["sms_suppressed"], json!(null));
}

#[tokio::test]
async fn what_a_contact_did_in_one_moment_keeps_its_order() {
    let test = test_app().await;
    let contact = make(&test, test.story.acme.id, "Ada").await;
    let admin = test.database.admin().await;
    let sql = "set session_replication_role = replica;
        insert into campaigns (id, client_id, name, slug, status, created_at) values ($C, $C, 'Spring', 'spring', 'active', now());
        insert into recipients (id, client_id, campaign_id, contact_id, redemption_code, purl_token, created_at)
          values ($C, $C, $C, $P, 'AAAABBBBCCCC', 'AAAABBBBCC', now());
        insert into events (id, client_id, campaign_id, recipient_id, event_type, event_data, created_at)
          select ('00000000-0000-7000-8000-0000000000' || to_char(10 + (n * 7) % 10, 'FM00'))::uuid, $C, $C, $C,
            (array['purl_visit', 'form_view', 'form_submit', 'condition_met', 'gift_card_claimed', 'sms_sent', 'sms_delivered',
              'gift_card_delivered', 'email_sent', 'gift_card_redeem'])[(n * 7) % 10 + 1], '{}', '$T'
          from generate_series(0, 9) n";
    let sql = sql.replace("$C", &format!("'{}'", test.story.acme.id)).replace("$P", &format!("'{}'", contact.id));
    let sql = sql.replace("$T", &test.clock().now().to_rfc3339());
    admin.batch_execute(&sql).await.unwrap();
    let actor = test.operator();
    let scope = test.app.db.scope(&actor);
    let told = audience::store::contacts::activity(&scope, test.story.acme.id, contact.id).await.unwrap();
    let words: Vec<&str> = told.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(words[..3], ["gift_card_redeem", "email_sent", "gift_card_delivered"], "{words:?}");
    assert_eq!(words[9], "purl_visit", "{words:?}");
}
