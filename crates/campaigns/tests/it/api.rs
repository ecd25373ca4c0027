//! `/v1/campaigns`: a program does the whole way, and strangers nothing of it.

use campaigns::actions::draft;
use campaigns::store::campaigns as store;
use kernel::Error;
use serde_json::{Value, json};
use web::Method;

use crate::world::World;

fn body(world: &World) -> Value {
    json!({
        "name": "Autumn 2026", "size": "6x9", "contact_list_id": world.list_id, "template_id": world.template_id,
        "landing_page_id": world.landing_page_id,
        "conditions": [{ "trigger_type": "call", "gift_card_pool_id": world.pool_id, "sms_template": "{{code}}" }],
    })
}

#[tokio::test]
async fn a_program_creates_checks_launches_and_reads_recipients() {
    let world = World::with(7, 20).await;
    let key = &world.test.story.acme.key;
    let made =
        world.test.api_json(Method::POST, "/v1/campaigns", &body(&world)).bearer(key).await.expect_status(201).json();
    assert_eq!(made["slug"], "autumn-2026");
    let path = format!("/v1/campaigns/{}", made["id"].as_str().unwrap());
    let get = async |rest: &str| {
        world.test.api(Method::GET, &format!("{path}{rest}")).bearer(key).await.expect_status(200).json()
    };
    let checklist = get("/checklist").await;
    assert!(checklist["items"].as_array().unwrap().iter().all(|item| item["level"] != "missing"), "{checklist}");
    assert_eq!(checklist["facts"]["mailable"], 7);
    assert_eq!(get("/conditions").await["data"][0]["pool_name"], "$25 Roof Depot");
    world.test.api(Method::GET, &format!("{path}/launch")).bearer(key).await.expect_status(404);
    let begun = world.test.api(Method::POST, &format!("{path}/launch")).bearer(key).await.expect_status(202).json();
    assert_eq!(begun["state"], "running");
    world.work().await;
    assert_eq!(get("/launch").await["state"], "finished");
    assert_eq!(get("").await["status"], "ready");
    let first = get("/recipients?limit=4").await;
    let rest = get(&format!("/recipients?limit=4&after={}", first["next"].as_str().unwrap())).await;
    assert_eq!((first["data"].as_array().unwrap().len(), rest["data"].as_array().unwrap().len()), (4, 3));
    let someone = &first["data"][2];
    let one = format!("/v1/recipients/{}", someone["id"].as_str().unwrap());
    let opened = world.test.api(Method::POST, &format!("{one}/codes")).bearer(key).await.expect_status(200).json();
    let code = opened["redemption_code"].as_str().unwrap().to_lowercase();
    assert_eq!(get(&format!("/recipients?q={code}")).await["data"], json!([someone]), "found by code in any case");
    let detail = world.test.api(Method::GET, &one).bearer(key).await.expect_status(200).json();
    assert_eq!(detail["recipient"]["link"], someone["link"]);
    assert_eq!(detail["conditions_met"], json!([]));
    let step = json!({ "to": "in_production", "reason": "proof is fine" });
    world.test.api_json(Method::POST, &format!("{path}/steps"), &step).bearer(key).await.expect_status(200);
    assert_eq!(get("/history").await["data"][0]["reason"], "proof is fine");
    let skip = json!({ "to": "completed" });
    world.test.api_json(Method::POST, &format!("{path}/steps"), &skip).bearer(key).await.expect_status(409);
}

#[tokio::test]
async fn a_change_with_an_old_etag_is_refused_and_one_with_the_present_goes_through() {
    let world = World::with(1, 5).await;
    let (id, _) = world.draft(&world.input()).await;
    let (key, path) = (&world.test.story.acme.key, format!("/v1/campaigns/{id}"));
    let etag = world.test.api(Method::GET, &path).bearer(key).await.expect_status(200).header("etag").to_owned();
    world.test.clock().advance(chrono::Duration::seconds(1));
    let put =
        |etag: &str| world.test.api_json(Method::PATCH, &path, &body(&world)).bearer(key).header("if-match", etag);
    let changed = put(&etag).await.expect_status(200);
    assert_eq!(changed.json()["name"], "Autumn 2026");
    assert_ne!(changed.header("etag"), etag);
    let refused = put(&etag).await.expect_status(412);
    assert_eq!(refused.json()["code"], "precondition_failed");
    put("*").await.expect_status(200);
    let changed = world.test.api(Method::GET, &path).bearer(key).await.expect_status(200);
    put(changed.header("etag")).await.expect_status(200);
    world.launch(id).await;
    let refused = world.test.api_json(Method::PATCH, &path, &body(&world)).bearer(key).await.expect_status(409);
    assert!(refused.text().contains("not_a_draft"), "{}", refused.text());
}

#[tokio::test]
async fn a_landing_address_is_one_that_a_browser_can_be_sent_to() {
    let world = World::with(1, 5).await;
    let key = &world.test.story.acme.key;
    let make = |url: &str| {
        let body = json!({ "name": "Redirect", "lp_mode": "redirect", "base_lp_url": url });
        world.test.api_json(Method::POST, "/v1/campaigns", &body).bearer(key)
    };
    for url in ["https://acme.example/a\r\nb", "https://acme.example/a b", "https://", "http://[", "ftp://acme.example"]
    {
        let refused = make(url).await.expect_status(422).json();
        assert_eq!(refused["errors"][0]["pointer"], "#/base_lp_url", "{url}");
    }
    make(" https://acme.example/spring?from=mail ").await.expect_status(201);
}

#[tokio::test]
async fn a_day_that_the_database_does_not_know_is_the_callers_fault() {
    let world = World::with(1, 5).await;
    let body = json!({ "name": "Stone age", "mail_date": "-20000-01-01" });
    let ask = world.test.api_json(Method::POST, "/v1/campaigns", &body).bearer(&world.test.story.acme.key);
    let refused = ask.await.expect_status(422).json();
    assert_eq!(refused["errors"][0]["pointer"], "#/mail_date", "{refused}");
}

#[tokio::test]
async fn of_two_people_who_read_the_same_draft_the_second_to_save_is_told() {
    let world = World::with(1, 5).await;
    let (id, _) = world.draft(&world.input()).await;
    let (app, owner) = (&world.test.app, world.owner());
    let read = store::find(&app.scope(&owner), world.client_id, id).await.unwrap();
    world.test.clock().advance(chrono::Duration::seconds(1));
    let named = |name: &str| campaigns::actions::draft::CampaignInput { name: name.into(), ..world.input() };
    draft::update(app, &owner, &read, &named("The first")).await.unwrap();
    let late = draft::update(app, &owner, &read, &named("The second")).await;
    assert!(matches!(late, Err(Error::Conflict { code: "precondition_failed", .. })), "{late:?}");
}

#[tokio::test]
async fn wrong_input_names_its_field() {
    let world = World::with(1, 5).await;
    let key = &world.test.story.acme.key;
    let foreign_list = kernel::new_id();
    let sql = "insert into contact_lists (id, client_id, name) values ($1, $2, 'Corner')";
    world.admin.execute(sql, &[&foreign_list, &world.test.story.corner.id]).await.unwrap();
    let cases = [
        (json!({ "name": " " }), "name"),
        (json!({ "name": "x", "size": "9x12" }), "size"),
        (json!({ "name": "x", "size": "4x6", "postage": "standard" }), "postage"),
        (json!({ "name": "x", "contact_list_id": foreign_list }), "contact_list_id"),
        (json!({ "name": "x", "base_lp_url": "javascript:alert(1)" }), "base_lp_url"),
        (json!({ "name": "x", "conditions": [{ "trigger_type": "telepathy" }] }), "conditions/0/trigger_type"),
        (
            json!({ "name": "x", "conditions": [{ "trigger_type": "call", "sms_template": "{{frist_name}}" }] }),
            "conditions/0/sms_template",
        ),
        (
            json!({ "name": "x", "conditions": [{ "trigger_type": "call", "gift_card_pool_id": foreign_list }] }),
            "conditions/0/gift_card_pool_id",
        ),
        (json!({ "name": "x", "conditions": vec![json!({ "trigger_type": "call" }); 11] }), "conditions"),
    ];
    for (input, field) in cases {
        let reply = world.test.api_json(Method::POST, "/v1/campaigns", &input).bearer(key).await.expect_status(422);
        assert_eq!(reply.json()["errors"][0]["pointer"], format!("#/{field}"), "{}", reply.text());
    }
    assert_eq!(world.count("select count(*) from campaigns where client_id = $1", world.client_id).await, 0);
}

#[tokio::test]
async fn another_tenant_finds_nothing_and_a_developer_changes_nothing() {
    let world = World::with(2, 5).await;
    let (id, slug) = world.launched(&world.input()).await;
    let story = &world.test.story;
    let recipient: uuid::Uuid = world.admin.query_one("select id from recipients limit 1", &[]).await.unwrap().get(0);
    let paths = ["", "/checklist", "/launch", "/conditions", "/history", "/recipients", "/skipped"];
    for path in
        paths.map(|rest| format!("/v1/campaigns/{id}{rest}")).into_iter().chain([format!("/v1/recipients/{recipient}")])
    {
        world.test.api(Method::GET, &path).bearer(&story.corner.key).await.expect_status(404);
        world.test.api(Method::GET, &path).bearer(&story.acme.key).await.expect_status(200);
    }
    let listed = world.test.api(Method::GET, "/v1/campaigns").bearer(&story.corner.key).await.expect_status(200).json();
    assert_eq!(listed["data"], json!([]));
    for (method, rest) in [(Method::POST, "/launch"), (Method::POST, "/duplicate"), (Method::DELETE, "")] {
        let path = format!("/v1/campaigns/{id}{rest}");
        world.test.api(method.clone(), &path).bearer(&story.corner.key).await.expect_status(404);
        world.test.api(method, &path).as_user(&story.acme_developer).await.expect_status(403);
    }
    let step = json!({ "to": "draft" });
    let path = format!("/v1/campaigns/{id}/steps");
    world.test.api_json(Method::POST, &path, &step).bearer(&story.corner.key).await.expect_status(404);
    world.test.api_json(Method::POST, &path, &step).as_user(&story.acme_developer).await.expect_status(403);
    for rest in ["", "/recipients", "/conditions", "/skipped", "/history", "/edit/audience", "/launch"] {
        let path = format!("/acme-roofing/campaigns/{slug}{rest}");
        let denied = world.test.get(&path).as_user(&story.corner_owner).await.expect_status(404);
        let absent = world.test.get("/nobody/campaigns/nothing").as_user(&story.corner_owner).await.expect_status(404);
        assert_eq!(denied.text(), absent.text(), "{path}");
    }
    assert_eq!(world.status(id).await, "ready");
}

#[tokio::test]
async fn a_copy_has_everything_but_the_recipients_and_only_what_rests_is_archived() {
    let world = World::with(2, 9).await;
    let mut input = world.input();
    input.mail_date = Some("2026-04-01".parse().unwrap());
    let (id, _) = world.launched(&input).await;
    let key = &world.test.story.acme.key;
    let copy = world
        .test
        .api(Method::POST, &format!("/v1/campaigns/{id}/duplicate"))
        .bearer(key)
        .await
        .expect_status(201)
        .json();
    let path = format!("/v1/campaigns/{}", copy["id"].as_str().unwrap());
    let row = world.test.api(Method::GET, &path).bearer(key).await.json();
    assert_eq!(
        (&row["name"], &row["status"], &row["mail_date"]),
        (&json!("Spring 2026 copy"), &json!("draft"), &Value::Null)
    );
    let conditions = world.test.api(Method::GET, &format!("{path}/conditions")).bearer(key).await.json();
    assert_eq!(conditions["data"][0]["sms_template"], "Hi {{first_name|there}}: {{code}}");
    let refused = world.test.api(Method::DELETE, &format!("/v1/campaigns/{id}")).bearer(key).await.expect_status(409);
    assert!(refused.text().contains("under_way"), "{}", refused.text());
    world.test.api(Method::DELETE, &path).bearer(key).await.expect_status(204);
    let listed = world.test.api(Method::GET, "/v1/campaigns?q=spring").bearer(key).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "the archived one is out of sight: {listed}");
}

#[tokio::test]
async fn an_archived_pool_cannot_be_chosen_and_one_chosen_before_is_told_by_the_check_list() {
    let world = World::with(2, 9).await;
    let (id, _) = world.draft(&world.input()).await;
    world.admin.execute("update gift_card_pools set archived_at = now()", &[]).await.unwrap();
    let key = &world.test.story.acme.key;
    let refused =
        world.test.api_json(Method::POST, "/v1/campaigns", &body(&world)).bearer(key).await.expect_status(422);
    assert_eq!(refused.json()["errors"][0]["pointer"], "#/conditions/0/gift_card_pool_id", "{}", refused.text());
    let bare = json!({ "name": "Bare" });
    let bare = world.test.api_json(Method::POST, "/v1/campaigns", &bare).bearer(key).await.expect_status(201).json();
    let path = format!("/v1/campaigns/{}", bare["id"].as_str().unwrap());
    world.test.api_json(Method::PATCH, &path, &body(&world)).bearer(key).await.expect_status(422);
    // A draft that had it keeps it, and so does a copy: nothing is lost silently, and neither launches.
    let path = format!("/v1/campaigns/{id}");
    world.test.api_json(Method::PATCH, &path, &body(&world)).bearer(key).await.expect_status(200);
    let copy = world.test.api(Method::POST, &format!("{path}/duplicate")).bearer(key).await.expect_status(201).json();
    for id in [id.to_string(), copy["id"].as_str().unwrap().to_owned()] {
        let path = format!("/v1/campaigns/{id}/checklist");
        let told = world.test.api(Method::GET, &path).bearer(key).await.expect_status(200).text();
        assert!(told.contains("$25 Roof Depot is archived: choose another pool."), "{told}");
    }
}
