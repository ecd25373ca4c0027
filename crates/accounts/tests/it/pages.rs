use testkit::TestApp;
use web::{Access, Kind, Method};

use crate::support::start;

/// A path of the table with something for every parameter.
fn filled(path: &str, client: &str) -> String {
    path.replace("{client}", client)
        .replace("{org}", "northside-marketing")
        .replace("{token}", "no-such-token")
        .replace("{id}", "00000000-0000-7000-8000-000000000000")
}

#[tokio::test]
async fn every_route_asks_for_its_permission_in_every_role() {
    let test = start().await;
    for spec in test.table() {
        let (Access::Client(permission) | Access::Account(permission)) = spec.access else { continue };
        for person in test.story.one_in_each_role() {
            let held = kernel::permissions::default_grants(person.role).contains(&permission);
            let path = filled(spec.path, test.story.acme.slug);
            let status = ask(&test, spec, &path, person).await;
            assert_eq!(status != 403, held, "{} {path} by {}: {status}", spec.method, person.role);
            assert!(status < 500 && status != 401, "{} {path} by {}: {status}", spec.method, person.role);
        }
    }
}

#[tokio::test]
async fn every_route_about_a_client_is_not_found_from_another_tenant() {
    let test = start().await;
    for spec in test.table() {
        let Access::Client(_) = spec.access else { continue };
        for person in [&test.story.corner_owner, &test.story.corner_developer, &test.story.corner_agent] {
            let path = filled(spec.path, test.story.acme.slug);
            let status = match spec.kind {
                Kind::Page => ask(&test, spec, &path, person).await,
                Kind::Api => {
                    let request = test.api(spec.method.clone(), &path).as_user(person).for_client(test.story.acme.id);
                    request.await.status.as_u16()
                }
            };
            assert_eq!(status, 404, "{} {path} by {}", spec.method, person.role);
        }
    }
}

#[tokio::test]
async fn nobody_gets_past_the_guard_without_signing_in() {
    let test = start().await;
    for spec in test.table().iter().filter(|spec| spec.access != Access::Public) {
        let path = filled(spec.path, test.story.acme.slug);
        let request = if spec.method == Method::GET { test.get(&path) } else { test.api(spec.method.clone(), &path) };
        let reply = request.await;
        let wanted = if spec.kind == Kind::Page { 303 } else { 401 };
        assert_eq!(reply.status, wanted, "{} {path}", spec.method);
    }
}

async fn ask(test: &TestApp, spec: &web::RouteSpec, path: &str, person: &testkit::Person) -> u16 {
    let request = match (spec.kind, &spec.method) {
        (Kind::Page, &Method::POST) => test.post_form(path, &()).as_user(person),
        (Kind::Page, _) => test.get(path).as_user(person),
        (Kind::Api, method) => test.api(method.clone(), path).as_user(person).for_client(test.story.acme.id),
    };
    request.await.status.as_u16()
}

#[tokio::test]
async fn every_page_says_what_may_run_on_it_and_is_kept_nowhere_between() {
    let test = start().await;
    let page = test.get("/acme-roofing/team").as_user(&test.story.acme_owner).await.expect_status(200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert!(page.header("cache-control").contains("private"));
    assert!(!page.header("x-request-id").is_empty());
    let missing = test.get("/acme-roofing/no/such/page").as_user(&test.story.acme_owner).await.expect_status(404);
    assert!(missing.header("content-security-policy").contains("script-src"));
    let text = page.text();
    assert!(!text.contains(" style=") && !text.contains("onclick="), "nothing inline");
}

#[tokio::test]
async fn the_api_tells_what_is_left_and_then_refuses() {
    let test = TestApp::with(|settings| settings.limits.api_per_minute = 3, accounts::routes).await;
    let ask = || test.api(Method::GET, "/v1/me").bearer(&test.story.acme.key);
    let first = ask().await.expect_status(200);
    assert_eq!((first.header("ratelimit-policy"), first.header("ratelimit")), ("\"api\";q=3;w=60", "\"api\";r=2;t=20"));
    ask().await.expect_status(200);
    ask().await.expect_status(200);
    let refused = ask().await.expect_status(429);
    assert_eq!(refused.header("retry-after"), "20");
    assert_eq!(refused.json()["code"], "too_many_requests");
    test.api(Method::GET, "/v1/me").bearer(&test.story.corner.key).await.expect_status(200);
    test.clock().advance(chrono::Duration::seconds(20));
    ask().await.expect_status(200);
}

#[tokio::test]
async fn guesses_from_one_address_are_counted_over_all_accounts() {
    let test = start().await;
    let guess = |n: usize, ip: &'static str| {
        test.post_form("/sign-in", &[("email", format!("person{n}@example.com")), ("password", "x".into())]).from_ip(ip)
    };
    for n in 0..100 {
        assert!(guess(n, "203.0.113.7").await.expect_status(422).text().contains("is wrong"), "{n}");
    }
    assert!(guess(101, "203.0.113.7").await.expect_status(422).text().contains("Too many wrong tries"));
    assert!(guess(102, "203.0.113.8").await.expect_status(422).text().contains("is wrong"));
}

#[tokio::test]
async fn the_openapi_document_names_every_rest_route_and_its_permission() {
    let test = start().await;
    let document = web::openapi::document(test.table(), "https://ace.test").unwrap();
    for spec in test.table().iter().filter(|spec| spec.path.starts_with("/v1/")) {
        let operation = &document["paths"][spec.path][spec.method.as_str().to_lowercase()];
        assert!(operation["summary"].is_string(), "{} {}", spec.method, spec.path);
        if let Access::Client(key) | Access::Account(key) = spec.access {
            assert!(operation["description"].as_str().is_some_and(|text| text.contains(key)), "{}", spec.path);
        }
    }
}
