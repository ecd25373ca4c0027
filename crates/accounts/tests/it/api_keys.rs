use accounts::actions::{self, NewApiKey};
use chrono::Duration;
use kernel::page::PageParams;
use serde_json::json;
use web::Method;

use crate::support::{audited, count, start};

#[tokio::test]
async fn a_key_is_shown_once_and_acts_for_its_client_until_it_is_revoked() {
    let test = start().await;
    let owner = &test.story.acme_owner;
    let page = test
        .post_form(
            "/acme-roofing/api-keys",
            &[
                ("name", "CRM"),
                ("mode", "test"),
                ("scopes", "contacts.view"),
                ("current_password", testkit::story::PASSWORD),
            ],
        )
        .as_user(owner)
        .await
        .expect_status(200);
    assert_eq!(page.header("cache-control"), "no-store");
    let text = page.text();
    let at = text.find("ace_test_").unwrap();
    let key = &text[at..at + "ace_test_".len() + 43];
    let me = test.api(Method::GET, "/v1/me").bearer(key).await.expect_status(200).json();
    assert_eq!((me["kind"].as_str(), me["clients"][0]["slug"].as_str()), (Some("key"), Some("acme-roofing")));
    assert_eq!(me["clients"].as_array().unwrap().len(), 1);

    let list = test.get("/acme-roofing/api-keys").as_user(owner).await.expect_status(200).text();
    assert!(!list.contains(key) && list.contains(&format!("ace_test_…{}", &key[key.len() - 4..])));
    assert_eq!(count(&test, &format!("select count(*) from audit_log where after::text like '%{key}%'")).await, 0);

    let keys = test.api(Method::GET, "/v1/api-keys").as_user(owner).await.json();
    let id = keys["data"].as_array().unwrap().iter().find(|row| row["name"] == "CRM").unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let revoke = format!("/v1/api-keys/{id}");
    test.api(Method::DELETE, &revoke).as_user(&test.story.corner_owner).await.expect_status(404);
    test.api(Method::DELETE, &revoke).as_user(owner).await.expect_status(204);
    test.api(Method::GET, "/v1/me").bearer(key).await.expect_status(401);
    test.api(Method::DELETE, &revoke).as_user(owner).await.expect_status(404);
    assert_eq!((audited(&test, "api_key.created").await, audited(&test, "api_key.revoked").await), (1, 1));
}

#[tokio::test]
async fn a_key_holds_no_more_than_its_maker() {
    let test = start().await;
    let story = &test.story;
    let make = |by: &testkit::Person, scopes: &[&str]| {
        test.api_json(
            Method::POST,
            "/v1/api-keys",
            &json!({ "name": "x", "scopes": scopes, "current_password": testkit::story::PASSWORD }),
        )
        .as_user(by)
    };
    let all = make(&story.acme_developer, &["contacts.view", "clients.view"]).await.expect_status(201).json();
    assert_eq!(all["scopes"], json!(["clients.view", "contacts.view"]));
    let key = all["key"].as_str().unwrap();
    test.api(Method::GET, "/v1/clients").bearer(key).await.expect_status(200);
    test.api(Method::GET, "/v1/api-keys").bearer(key).await.expect_status(403);
    test.api(Method::GET, "/v1/users").bearer(key).await.expect_status(403);

    for (by, scopes) in [
        (&story.acme_developer, ["contacts.import"]),
        (&story.acme_owner, ["users.invite"]),
        (&story.acme_owner, ["platform.jobs"]),
        (&story.acme_owner, ["no.such"]),
    ] {
        let refused = make(by, &scopes).await.expect_status(422).json();
        assert_eq!(refused["errors"][0]["pointer"], "#/scopes");
    }
    let view = ["contacts.view"];
    make(&story.acme_agent, &view).await.expect_status(403);
    make(&story.support, &view).for_client(story.acme.id).await.expect_status(403);
    make(&story.acme_owner, &view).for_client(story.corner.id).await.expect_status(404);
}

#[tokio::test]
async fn whoever_holds_a_token_or_an_open_browser_makes_no_key_that_outlives_it() {
    let test = start().await;
    let owner = &test.story.acme_owner;
    let before = count(&test, "select count(*) from api_keys").await;
    let ask = |proof: serde_json::Value| {
        let mut body = json!({ "name": "CRM", "scopes": ["contacts.view"] });
        body.as_object_mut().unwrap().extend(proof.as_object().unwrap().clone());
        test.api_json(Method::POST, "/v1/api-keys", &body).as_user(owner)
    };
    let refused = ask(json!({})).await.expect_status(409).json();
    assert_eq!(refused["code"], "reauthentication_needed");
    let refused = ask(json!({ "current_password": "not mine at all" })).await.expect_status(422).json();
    assert_eq!(refused["errors"][0]["pointer"], "#/current_password");
    // a code proves nothing while there is no second factor
    ask(json!({ "totp_code": "123456" })).await.expect_status(409);
    let form = [("name", "CRM"), ("scopes", "contacts.view"), ("current_password", "not mine at all")];
    let page = test.post_form("/acme-roofing/api-keys", &form).as_user(owner).await.expect_status(422).text();
    assert!(page.contains("not your present password") && page.contains("value=\"CRM\""), "named, and nothing is lost");
    assert!(!page.contains("not mine at all"), "what was typed as a password is not written back");
    assert_eq!(count(&test, "select count(*) from api_keys").await, before);
    ask(json!({ "current_password": testkit::story::PASSWORD })).await.expect_status(201);
}

#[tokio::test]
async fn a_key_without_a_choice_of_permissions_is_refused_everywhere_and_grants_nothing() {
    let test = start().await;
    let owner = &test.story.acme_owner;
    let before = count(&test, "select count(*) from api_keys").await;
    for body in [json!({ "name": "CRM" }), json!({ "name": "CRM", "scopes": [] })] {
        let refused = test.api_json(Method::POST, "/v1/api-keys", &body).as_user(owner).await.expect_status(422);
        assert_eq!(refused.json()["errors"][0]["pointer"], "#/scopes", "{body}");
    }
    let page = test.post_form("/acme-roofing/api-keys", &[("name", "CRM")]).as_user(owner).await.expect_status(422);
    let text = page.text();
    assert!(text.contains("id=\"scopes-error\"") && text.contains("value=\"CRM\""), "next to the field, nothing lost");
    let new = NewApiKey { name: "CRM", ..NewApiKey::default() };
    assert!(actions::create_key(&test.app, &test.operator(), test.story.acme.id, &new).await.is_err());
    assert_eq!(count(&test, "select count(*) from api_keys").await, before);
}

#[tokio::test]
async fn the_first_key_is_the_primary_one_and_an_expired_key_is_refused() {
    let test = start().await;
    let story = &test.story;
    let operator = test.operator();
    let expires_at = Some(test.clock().now() + Duration::days(1));
    let scopes = ["clients.view".to_owned()];
    let new = NewApiKey { name: "First", scopes: &scopes, expires_at, ..NewApiKey::default() };
    let created = actions::create_key(&test.app, &operator, story.bright.id, &new).await.unwrap();
    let keys = actions::list_keys(&test.app, &operator, story.bright.id, &PageParams::default()).await.unwrap();
    assert_eq!(keys.data.iter().filter(|key| key.is_primary).count(), 1);
    test.api(Method::GET, "/v1/me").bearer(&created.key).await.expect_status(200);
    test.clock().advance(Duration::days(1));
    test.api(Method::GET, "/v1/me").bearer(&created.key).await.expect_status(401);
    actions::revoke_key(&test.app, &operator, (story.bright.id, created.id), &kernel::version::Expected::any())
        .await
        .unwrap();
    assert_eq!(count(&test, "select count(*) from clients where api_key_hash is not null").await, 0);
    let past = NewApiKey { name: "Past", scopes: &scopes, expires_at: Some(test.clock().now()), mode: new.mode };
    assert!(actions::create_key(&test.app, &operator, story.bright.id, &past).await.is_err());
}

#[tokio::test]
async fn a_key_ends_with_its_makers_access_or_passes_to_whoever_takes_that() {
    let test = start().await;
    let story = &test.story;
    let make = async |by: &testkit::Person| {
        let made = test
            .api_json(
                Method::POST,
                "/v1/api-keys",
                &json!({ "name": "x", "scopes": ["clients.view"], "current_password": testkit::story::PASSWORD }),
            )
            .as_user(by)
            .await;
        made.expect_status(201).json()["key"].as_str().unwrap().to_owned()
    };
    let by = &story.agency_owner;
    let act = |method: Method, path: String| test.api(method, &path).as_user(by).for_client(story.acme.id);
    let back = |id: uuid::Uuid| act(Method::POST, format!("/v1/users/{id}/reactivate"));

    let key = make(&story.acme_developer).await;
    assert_eq!(test.api(Method::GET, "/v1/me").bearer(&key).await.status, 200);
    act(Method::POST, format!("/v1/users/{}/deactivate", story.acme_developer.id)).await.expect_status(204);
    test.api(Method::GET, "/v1/me").bearer(&key).await.expect_status(401);
    back(story.acme_developer.id).await.expect_status(204);
    test.api(Method::GET, "/v1/me").bearer(&key).await.expect_status(401);

    let admin = test.database.admin().await;
    let sql = "update auth.sessions set revoked_at = null where user_id = $1";
    admin.execute(sql, &[&story.acme_developer.id]).await.unwrap();
    let passed = make(&story.acme_developer).await;
    let path = format!("/v1/users/{}/deactivate?api_keys=pass_to_me", story.acme_developer.id);
    act(Method::POST, path).await.expect_status(204);
    test.api(Method::GET, "/v1/me").bearer(&passed).await.expect_status(200);
    let sql = "select after -> 'api_keys' from audit_log where action = 'user.deactivated' order by id desc limit 1";
    let told: serde_json::Value = admin.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(told, json!({ "passed_on": 1, "ended": 0 }));

    let of_owner = make(&story.acme_owner).await;
    act(Method::DELETE, format!("/v1/users/{}", story.acme_owner.id)).await.expect_status(204);
    test.api(Method::GET, "/v1/me").bearer(&of_owner).await.expect_status(401);
    test.api(Method::GET, "/v1/me").bearer(&passed).await.expect_status(200);
}

#[tokio::test]
async fn a_key_of_an_archived_client_is_refused_until_the_client_is_back() {
    let test = start().await;
    let story = &test.story;
    let ask = || test.api(Method::GET, "/v1/me").bearer(&story.acme.key).for_client(story.acme.id);
    actions::archive_client(&test.app, &test.operator(), story.acme.id, true).await.unwrap();
    ask().await.expect_status(401);
    let change = actions::ClientChange { name: Some("Another"), ..actions::ClientChange::default() };
    let refused = actions::update_client(&test.app, &test.operator(), story.acme.id, &change).await.unwrap_err();
    assert_eq!(refused.code(), "client_archived");
    actions::archive_client(&test.app, &test.operator(), story.acme.id, false).await.unwrap();
    ask().await.expect_status(200);
}

#[tokio::test]
async fn a_key_holds_at_every_moment_what_its_maker_holds_there_then() {
    let test = start().await;
    let story = &test.story;
    let admin = test.database.admin().await;
    let run = async |sql: &str, id: uuid::Uuid| admin.execute(sql, &[&id]).await.unwrap();
    let make = async |by: &testkit::Person| {
        let scopes = ["clients.view", "webhooks.manage"];
        let body = json!({ "name": "x", "scopes": scopes, "current_password": testkit::story::PASSWORD });
        let made = test.api_json(Method::POST, "/v1/api-keys", &body).as_user(by).for_client(story.acme.id).await;
        made.expect_status(201).json()["key"].as_str().unwrap().to_owned()
    };
    let ask = async |key: &str| test.api(Method::GET, "/v1/clients").bearer(key).await.status.as_u16();
    let role = async |word: &str| {
        test.api_json(Method::PUT, &format!("/v1/users/{}/role", story.acme_owner.id), &json!({ "role": word }))
            .as_user(&story.agency_owner)
            .for_client(story.acme.id)
            .await
            .expect_status(204);
    };
    let (owners, agencys) = (make(&story.acme_owner).await, make(&story.agency_owner).await);
    assert_eq!((ask(&owners).await, ask(&agencys).await), (200, 200));

    // another role, and the old one again
    role("call_center").await;
    assert_eq!((ask(&owners).await, ask(&agencys).await), (403, 200));
    test.api(Method::GET, "/v1/me").bearer(&owners).await.expect_status(200);
    role("company_owner").await;
    assert_eq!(ask(&owners).await, 200);

    // the role itself loses it
    let lose = "delete from role_permissions where permission_key = 'clients.view' and $1::uuid is not null
                and role = 'company_owner'";
    run(lose, story.acme.id).await;
    assert_eq!((ask(&owners).await, ask(&agencys).await), (403, 200));

    // the agency is left, or the client goes to another one: the maker holds it still, but not there
    let stays = "select count(*) from api_keys where revoked_at is null and created_by_user_id is not null";
    run("delete from org_members where user_id = $1", story.agency_owner.id).await;
    assert_eq!(ask(&agencys).await, 403);
    assert_eq!(count(&test, stays).await, 2, "and no key was revoked");

    // a key that is taken over is held against its new owner
    let sql = "update api_keys set created_by_user_id = $1 where created_by_user_id is not null";
    run(sql, story.admin.id).await;
    assert_eq!((ask(&owners).await, ask(&agencys).await), (200, 200));
    // one that the operator made is held against nobody
    assert_eq!(ask(&story.acme.key).await, 200);
}
