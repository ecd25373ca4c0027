//! What every route has in common: how it refuses, what it counts, and what it writes down of that.

use kernel::Origin;
use serde_json::json;
use testkit::TestApp;
use uuid::Uuid;
use web::{App, Caller, Doc, Method, Routes};

use crate::support::start;

#[tokio::test]
async fn a_text_that_no_database_can_hold_is_the_callers_fault() {
    let test = start().await;
    let nobody = json!({ "email": "\u{0}", "password": "x" });
    let reply = test.api_json(Method::POST, "/auth/v1/token?grant_type=password", &nobody).await;
    assert!(reply.status.is_client_error(), "{}", reply.text());
    let owner = &test.story.acme_owner;
    let named = test
        .api_json(Method::POST, "/v1/api-keys", &json!({ "name": "a\u{0}", "scopes": ["contacts.view"] }))
        .as_user(owner)
        .await;
    assert_eq!(named.expect_status(422).json()["errors"][0]["pointer"], "#/name");
    test.post_form("/acme-roofing/api-keys", &[("name", "a\u{0}")]).as_user(owner).await.expect_status(422);
    test.get("/%00/settings").as_user(owner).await.expect_status(404);
    test.api(Method::GET, "/v1/clients?q=%00").as_user(owner).await.expect_status(422);
}

#[tokio::test]
async fn programs_are_refused_in_their_own_format_wherever_they_ask() {
    let test = start().await;
    let key = &test.story.acme.key;
    for (method, path) in
        [(Method::GET, "/auth/v1/nothing"), (Method::GET, "/auth/v1/admin/users"), (Method::DELETE, "/auth/v1/user")]
    {
        let refused = test.api(method, path).await.json();
        assert!(
            refused["error_code"].is_string() && refused["msg"].is_string() && refused["code"].is_number(),
            "{path}: {refused}"
        );
    }
    for path in ["/v1/nothing", "/hooks/nothing"] {
        let reply = test.api(Method::GET, path).await.expect_status(404);
        assert_eq!(reply.header("content-type"), "application/problem+json", "{path}");
    }
    assert!(test.get("/nothing/at/all").await.expect_status(404).text().contains("<html"));
    let reply = test.api(Method::DELETE, "/v1/me").bearer(key).await.expect_status(405);
    assert_eq!(reply.json()["code"], "method_not_allowed");
    assert!(reply.header("allow").contains("GET"), "{}", reply.header("allow"));
    let body = test.api(Method::POST, "/v1/api-keys").as_user(&test.story.acme_owner);
    let large = body.body("application/json", vec![b' '; 3_000_000]).await.expect_status(413).json();
    assert_eq!(large["code"], "body_too_large");
    let post = |text: &'static str| {
        test.api(Method::POST, "/v1/api-keys").as_user(&test.story.acme_owner).body("application/json", text)
    };
    for text in ["", "[]", r#"{"name": "CRM"} more"#] {
        assert_eq!(post(text).await.expect_status(422).json()["errors"][0]["pointer"], "#", "{text}");
    }
    let filter = test.api(Method::GET, "/v1/clients?limit=abc").as_user(&test.story.admin).await.expect_status(422);
    assert_eq!(filter.json()["errors"][0]["pointer"], "#/limit");
    let filter = test.api(Method::GET, "/v1/clients?orgid=1").as_user(&test.story.admin).await.expect_status(422);
    assert_eq!(filter.json()["errors"][0]["pointer"], "#/orgid");
}

async fn refuse(caller: Caller) -> web::Result<()> {
    Ok(caller.require("platform.permissions")?)
}

fn refusing(app: &App) -> Routes {
    Routes::new(app)
        .api(Method::POST, "/v1/refuse", "contacts.view", refuse, Doc::new("Refuse"))
        .page(Method::GET, "/{client}/refuse", "contacts.view", refuse)
        .public_api(Method::POST, "/hooks/bell", || async {})
        .public_api(Method::POST, "/auth/v1/bell", || async {})
        .merge(accounts::routes(app))
}

#[tokio::test]
async fn every_refusal_for_want_of_a_permission_is_written_down_in_the_name_of_who_was_refused() {
    let test = TestApp::new(refusing).await;
    let story = &test.story;
    let developer = &story.acme_developer;
    test.get("/acme-roofing/refuse").as_user(developer).await.expect_status(403);
    test.get("/acme-roofing/team").as_user(developer).await.expect_status(403);
    test.api(Method::POST, "/v1/refuse")
        .bearer(&story.corner.key)
        .header("idempotency-key", "k")
        .await
        .expect_status(403);
    let admin = test.database.admin().await;
    let sql = "select actor_user_id, actor_key_id, client_id, after->>'permission' as permission, actor_label
               from audit_log where action = 'authorization.refused' order by id";
    let rows = admin.query(sql, &[]).await.unwrap();
    let told = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get::<_, String>(3))).collect::<Vec<_>>();
    let (by, of) = (Some(developer.id), Some(story.acme.id));
    let key = (None, Some(story.corner.key_id), Some(story.corner.id), "platform.permissions".to_owned());
    let expected = [(by, None, of, "platform.permissions".to_owned()), (by, None, of, "users.view".to_owned()), key];
    assert_eq!(told, expected);
    assert_eq!(rows[0].get::<_, String>(4), developer.email);
}

#[tokio::test]
async fn asking_for_a_client_out_of_reach_is_written_down_without_naming_one() {
    let test = TestApp::new(refusing).await;
    let (story, developer) = (&test.story, &test.story.acme_developer);
    test.get("/corner-auto/team").as_user(developer).await.expect_status(404);
    test.get("/nobody-at-all/team").as_user(developer).await.expect_status(404);
    test.api(Method::GET, "/v1/api-keys").as_user(developer).for_client(story.corner.id).await.expect_status(404);
    // a client that is reached, and nothing there: no refusal
    test.get("/acme-roofing/nothing-here").as_user(developer).await.expect_status(404);
    let sql = "select actor_user_id, client_id, coalesce(after->>'client', after->>'path')
               from audit_log where action = 'authorization.refused' order by id";
    let rows = test.database.admin().await.query(sql, &[]).await.unwrap();
    let told: Vec<(Option<Uuid>, Option<Uuid>, String)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let by = |what: String| (Some(developer.id), None, what);
    let asked = ["/corner-auto/team".to_owned(), "/nobody-at-all/team".to_owned(), story.corner.id.to_string()];
    assert_eq!(told, asked.map(by));
}

#[tokio::test]
async fn what_is_left_of_the_limit_is_told_beside_refusals_too() {
    let test = TestApp::with(|settings| settings.limits.api_per_minute = 3, accounts::routes).await;
    let ask = |path: &str| test.api(Method::GET, path).as_user(&test.story.acme_developer);
    let refused = ask("/v1/organizations").await.expect_status(403);
    assert!(refused.header("ratelimit").contains("r=2"), "{}", refused.header("ratelimit"));
    let missing = ask("/v1/api-keys").for_client(test.story.corner.id).await.expect_status(404);
    assert!(missing.header("ratelimit").contains("r=1"), "{}", missing.header("ratelimit"));
    ask("/v1/me").await.expect_status(200);
    let enough = ask("/v1/me").await.expect_status(429);
    assert!(enough.header("ratelimit").contains("r=0"), "{}", enough.header("ratelimit"));
    assert_eq!(enough.header("ratelimit-policy"), "\"api\";q=3;w=60");
    assert!(!enough.header("retry-after").is_empty());
}

#[tokio::test]
async fn callbacks_of_providers_have_a_limit_of_their_own() {
    let limits = |settings: &mut kernel::settings::Settings| {
        settings.limits.receivers_per_minute = 3;
        settings.limits.public_per_minute = 1;
    };
    let test = TestApp::with(limits, refusing).await;
    let ring = |path: &str| test.api(Method::POST, path).from_ip("203.0.113.7");
    ring("/auth/v1/bell").await.expect_status(200);
    ring("/auth/v1/bell").await.expect_status(429);
    for _ in 0..3 {
        ring("/hooks/bell").await.expect_status(200);
    }
    assert!(ring("/hooks/bell").await.expect_status(429).header("ratelimit-policy").contains("receivers"));
}

async fn whence(axum::Extension(origin): axum::Extension<Origin>) -> String {
    origin.ip.map(|ip| ip.to_string()).unwrap_or_default()
}

#[tokio::test]
async fn all_lines_of_x_forwarded_for_are_one_list() {
    let test = TestApp::with(
        |settings| settings.security.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()],
        |app| Routes::new(app).public_api(Method::GET, "/v1/whence", whence),
    )
    .await;
    let ask = test.api(Method::GET, "/v1/whence").from_ip("10.0.0.1");
    let reply = ask.header("x-forwarded-for", "198.51.100.66").header("x-forwarded-for", "192.0.2.1:4711").await;
    assert_eq!(reply.text(), "192.0.2.1");
}

#[tokio::test]
async fn wrong_keys_tokens_and_cookies_count_against_their_address_and_hold_up_no_right_ones() {
    let test = start().await;
    let owner = &test.story.acme_owner;
    let me = |bearer: &str| test.api(Method::GET, "/v1/me").bearer(bearer).from_ip("203.0.113.9");
    for n in 0..25 {
        me("ace_live_wrong").await.expect_status(401);
        me("not.a.token").await.expect_status(401);
        let cookie = test.get("/account").cookie(web::identity::SESSION_COOKIE, "wrong").from_ip("203.0.113.9").await;
        assert_eq!(cookie.status, 303, "{n}");
        let body = json!({ "refresh_token": "wrong" });
        let refresh = test.api_json(Method::POST, "/auth/v1/token?grant_type=refresh_token", &body);
        refresh.from_ip("203.0.113.9").await.expect_status(400);
    }
    let refused = me("ace_live_wrong").await.expect_status(429);
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(me("not.a.token").await.status, 429);
    me(&test.story.acme.key).await.expect_status(200);
    test.get("/account").as_user(owner).from_ip("203.0.113.9").await.expect_status(200);
    test.get("/sign-in").cookie(web::identity::SESSION_COOKIE, "wrong").from_ip("203.0.113.9").await.expect_status(200);
    assert_eq!(test.api(Method::GET, "/v1/me").bearer("ace_live_wrong").from_ip("203.0.113.10").await.status, 401);
}

#[tokio::test]
async fn what_a_token_opens_is_kept_nowhere() {
    let test = start().await;
    for path in ["/v1/api-keys", "/v1/invitations", "/v1/me", "/v1/api-keys?limit=abc"] {
        let reply = test.api(Method::GET, path).as_user(&test.story.acme_owner).await;
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn prices_are_the_operators_and_wrong_ones_are_named() {
    let test = start().await;
    let story = &test.story;
    let path = format!("/v1/organizations/{}", story.northside);
    let patch = |body: serde_json::Value, by| test.api_json(Method::PATCH, &path, &body).as_user(by);
    let prices = json!({ "prices": { "piece": 2, "reward": 3 } });
    patch(prices.clone(), &story.agency_owner).await.expect_status(403);
    let told = patch(prices, &story.admin).await.expect_status(200).json();
    assert_eq!(told["settings_json"]["prices"], json!({ "piece": 2, "reward": 3 }));
    for (body, pointer) in [
        (json!({ "prices": { "piece": -1 } }), "#/prices/piece"),
        (json!({ "prices": { "reward": 1_000_000 } }), "#/prices/reward"),
        (json!({ "prices": { "reward": 1.5 } }), "#/prices/reward"),
        (json!({ "prices": { "stamp": 1 } }), "#/prices/stamp"),
        (json!({ "price": 1 }), "#/price"),
    ] {
        let refused = patch(body.clone(), &story.admin).await.expect_status(422).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}");
    }
    let one = patch(json!({ "prices": { "reward": 0 } }), &story.admin).await.expect_status(200).json();
    assert_eq!(one["settings_json"]["prices"], json!({ "piece": 2, "reward": 0 }));
    let form = |by, price: &str| {
        let fields = [("org_name", "Northside Marketing"), ("prices/piece", price)];
        test.post_form("/admin/organizations/northside-marketing", &fields).as_user(by)
    };
    assert_eq!(form(&story.agency_owner, "0").await.status, 403);
    form(&story.admin, "two").await.expect_status(422);

    // the database refuses them from everybody else, too
    let actor = story.agency_owner.actor();
    let change = accounts::actions::OrganizationChange {
        prices: accounts::actions::PriceChange { piece: Some(0), reward: None },
        ..Default::default()
    };
    let refused = accounts::actions::update_organization(&test.app, &actor, story.northside, &change).await;
    assert!(refused.is_err(), "{refused:?}");
}

#[tokio::test]
async fn a_form_of_the_console_comes_back_no_longer_than_what_may_be_sent() {
    let test = start().await;
    // three bytes on the way here, five on the way back
    let name = |quotes| "'".repeat(quotes);
    let post =
        |name: String| test.post_form("/acme-roofing/api-keys", &[("name", name)]).as_user(&test.story.acme_owner);
    post(name(600_000)).await.expect_status(413);
    let html = post(name(130_000)).await.expect_status(422).text();
    assert!(html.len() < 100_000, "{} bytes", html.len());
    // what is searched for stands in every link of the list
    let path = |length| format!("/acme-roofing/team?q={}", "a".repeat(length));
    test.get(&path(5_000)).as_user(&test.story.acme_owner).await.expect_status(422);
    let html = test.get(&path(3_000)).as_user(&test.story.acme_owner).await.expect_status(200).text();
    assert!(html.len() < 100_000, "{} bytes", html.len());
}
