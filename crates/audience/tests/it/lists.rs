//! Lists: made, filled, counted.

use audience::actions::contacts as action;
use audience::contacts::ContactInput;
use audience::lists::{Mailable, mailable};
use serde_json::json;
use testkit::TestApp;
use uuid::Uuid;
use web::Method;

use crate::{count, test_app};

async fn contact(test: &TestApp, client_id: Uuid, address: bool, suppressed: bool) -> Uuid {
    let text = |text: &str| address.then(|| text.to_owned());
    let input = ContactInput {
        last_name: Some("Lee".into()),
        address: text("12 Oak St"),
        city: text("Columbus"),
        state: text("OH"),
        zip: text("43215"),
        do_not_contact: suppressed,
        ..ContactInput::default()
    };
    action::create(&test.app, &test.operator(), client_id, input).await.unwrap().id
}

#[tokio::test]
async fn a_list_counts_its_members_exactly_and_whom_mail_can_reach() {
    let test = test_app().await;
    let (acme, key) = (test.story.acme.id, &test.story.acme.key);
    let list = test
        .api_json(Method::POST, "/v1/lists", &json!({ "name": " Spring " }))
        .bearer(key)
        .await
        .expect_status(201)
        .json();
    assert_eq!((&list["name"], &list["list_type"]), (&json!("Spring"), &json!("static")));
    let path = format!("/v1/lists/{}", list["id"].as_str().unwrap());
    let ids = [
        contact(&test, acme, true, false).await,
        contact(&test, acme, true, true).await,
        contact(&test, acme, false, false).await,
    ];
    let foreign = contact(&test, test.story.corner.id, true, false).await;
    let all = json!({ "contact_ids": [ids[0], ids[1], ids[2], ids[2], foreign] });
    let members = format!("{path}/members");
    let added = test.api_json(Method::POST, &members, &all).bearer(key).await.expect_status(200).json();
    assert_eq!(added, json!({ "added": 3, "contact_count": 3 }));
    let again = test.api_json(Method::POST, &members, &all).bearer(key).await.expect_status(200).json();
    assert_eq!(again, json!({ "added": 0, "contact_count": 3 }));
    let id = list["id"].as_str().unwrap().parse().unwrap();
    let reach = mailable(&test.app.scope(&test.story.acme_owner.actor()), acme, id).await.unwrap();
    assert_eq!(reach, Mailable { mailable: 1, suppressed: 1, undeliverable: 1 });
    assert_eq!(
        mailable(&test.app.scope(&test.story.corner_owner.actor()), acme, id).await.unwrap(),
        Mailable::default()
    );
    test.api(Method::DELETE, &format!("{members}/{}", ids[0])).bearer(key).await.expect_status(204);
    test.api(Method::DELETE, &format!("{members}/{}", ids[0])).bearer(key).await.expect_status(404);
    assert_eq!(test.api(Method::GET, &members).bearer(key).await.json()["data"].as_array().unwrap().len(), 2);
    // deleting a contact takes it off, deleting the list leaves the contacts
    action::delete(&test.app, &test.operator(), (acme, ids[1]), &kernel::version::Expected::any()).await.unwrap();
    assert_eq!(test.api(Method::GET, &path).bearer(key).await.json()["contact_count"], 1);
    for (name, statement) in audience::INVARIANTS {
        assert_eq!(test.app.scope(&test.operator()).query_scalar::<i64>(statement, &[]).await.unwrap(), 0, "{name}");
    }
    test.api(Method::DELETE, &path).bearer(key).await.expect_status(204);
    assert_eq!(count(&test, "select count(*) from contacts where do_not_contact or not do_not_contact").await, 3);
}

#[tokio::test]
async fn a_dynamic_list_a_taken_name_and_an_empty_one_are_refused_clearly() {
    let test = test_app().await;
    let key = &test.story.acme.key;
    let rules =
        json!({ "name": "Hot", "list_type": "dynamic", "filter_rules": { "operator": "AND", "conditions": [] } });
    let refused = test.api_json(Method::POST, "/v1/lists", &rules).bearer(key).await.expect_status(422).json();
    assert_eq!(
        (&refused["errors"][0]["pointer"], &refused["errors"][0]["code"]),
        (&json!("#/list_type"), &json!("not_offered"))
    );
    let spring = json!({ "name": "Spring" });
    test.api_json(Method::POST, "/v1/lists", &spring).bearer(key).await.expect_status(201);
    assert_eq!(
        test.api_json(Method::POST, "/v1/lists", &spring).bearer(key).await.expect_status(422).json()["errors"][0]["code"],
        "taken"
    );
    test.api_json(Method::POST, "/v1/lists", &json!({ "name": " " })).bearer(key).await.expect_status(422);
    test.api_json(Method::POST, "/v1/lists", &spring).bearer(&test.story.corner.key).await.expect_status(201);
}

#[tokio::test]
async fn another_tenant_neither_sees_nor_changes_a_list() {
    let test = test_app().await;
    let list = test
        .api_json(Method::POST, "/v1/lists", &json!({ "name": "Spring" }))
        .bearer(&test.story.acme.key)
        .await
        .json();
    let path = format!("/v1/lists/{}", list["id"].as_str().unwrap());
    let key = &test.story.corner.key;
    let own = contact(&test, test.story.corner.id, true, false).await;
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::GET, format!("{path}/members")),
        (Method::GET, format!("{path}/mailable")),
    ] {
        test.api(method, &path).bearer(key).await.expect_status(404);
    }
    test.api_json(Method::PATCH, &path, &json!({ "name": "Mine" })).bearer(key).await.expect_status(404);
    test.api_json(Method::POST, &format!("{path}/members"), &json!({ "contact_ids": [own] }))
        .bearer(key)
        .await
        .expect_status(404);
    assert_eq!(count(&test, "select count(*) from contact_list_members").await, 0);
}
