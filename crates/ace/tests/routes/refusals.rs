//! What beside the body of a refusal a program goes by: how to sign in, when to come back, where to look.

use serde_json::json;
use testkit::{Reply, TestApp};
use web::{Access, Kind, Method};

use crate::walk::{Walk, every_route, name};

#[tokio::test]
async fn every_401_says_what_to_sign_in_with() {
    let walk = Walk::new().await;
    let acme = &walk.test.story.acme;
    let mut refused = 0;
    for (at, spec) in walk.table().iter().filter(|spec| spec.kind == Kind::Api).enumerate() {
        for authorization in ["", "Bearer nonsense", "Basic YWRhOnNlY3JldA=="] {
            let path = walk.path(spec, acme);
            let ask = walk.test.api_json(spec.method.clone(), &path, &serde_json::json!({}));
            // wrong tokens of one address are counted
            let ask = ask.from_ip(&format!("192.0.2.{}", at % 250 + 1));
            let ask = if authorization.is_empty() { ask } else { ask.header("authorization", authorization) };
            let reply = ask.await;
            let told = reply.header("www-authenticate").starts_with("Bearer");
            assert_eq!(told, reply.status == 401, "{} {authorization:?}: {}", name(spec), reply.status);
            assert!(spec.access == Access::Public || reply.status == 401, "{}: {}", name(spec), reply.status);
            refused += i32::from(reply.status == 401);
        }
    }
    assert!(refused > 200, "{refused}");
    let again =
        walk.test.api_json(Method::PUT, "/auth/v1/user", &serde_json::json!({ "password": "quite another one" }));
    let reply = again.as_user(&walk.test.story.acme_owner).await;
    assert!(reply.status != 401 || !reply.header("www-authenticate").is_empty(), "{}", reply.text());
}

#[tokio::test]
async fn the_scheme_of_a_token_is_taken_in_any_case() {
    let walk = Walk::new().await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let ask = walk.test.api(Method::GET, "/v1/me");
        ask.header("authorization", &format!("{scheme} {}", walk.test.story.acme.key)).await.expect_status(200);
    }
}

fn comes_back(reply: &Reply) -> bool {
    reply.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=120).contains(&seconds))
}

#[tokio::test]
async fn what_is_only_a_matter_of_time_says_how_much() {
    let test = TestApp::with(|settings| settings.limits.api_per_minute = 1, every_route).await;
    let ask = |path: &str| test.api(Method::GET, path).bearer(&test.story.acme.key);
    ask("/v1/me").await.expect_status(200);
    let limited = ask("/v1/lists").await.expect_status(429);
    assert!(comes_back(&limited), "{:?}", limited.headers);

    let test = TestApp::new(every_route).await;
    test.app.db.close();
    let login = serde_json::json!({ "email": "ada@example.com", "password": "does not matter" });
    for reply in [
        test.api(Method::GET, "/v1/lists").bearer(&test.story.acme.key).await,
        test.api_json(Method::POST, "/auth/v1/token?grant_type=password", &login).await,
    ] {
        assert!(reply.status == 503 && comes_back(&reply), "{} {}", reply.status, reply.text());
    }
}

#[tokio::test]
async fn an_address_that_is_none_leads_to_those_there_are() {
    let test = TestApp::new(every_route).await;
    for path in ["/v1", "/v1/", "/v1/nothing"] {
        let reply = test.api(Method::GET, path).await.expect_status(404);
        assert_eq!(reply.header("content-type"), "application/problem+json", "{path}");
        let problem = reply.json();
        assert_eq!(problem["code"], "not_found", "{path}");
        assert!(problem["detail"].as_str().unwrap().contains("/v1/openapi.json"), "{path}: {problem}");
    }
}

/// The address of the next page that a list of the console links to.
fn next_page(html: &str) -> Option<String> {
    let href = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    href.filter(|href| href.contains("after=")).map(|href| href.replace("&#38;", "&").replace("&amp;", "&")).next()
}

#[tokio::test]
async fn a_cursor_of_the_console_leads_on_in_its_own_list_only_and_as_it_was_given() {
    let walk = Walk::new().await;
    let (owner, slug) = (&walk.test.story.acme_owner, walk.test.story.acme.slug);
    for _ in 0..60 {
        walk.more_of("contact_lists", walk.test.story.acme.id).await;
    }
    let get = |path: String| walk.test.get(&path).as_user(owner);
    let page = get(format!("/{slug}/lists")).await.expect_status(200).text();
    let next = next_page(&page).expect("a second page");
    let second = get(next.clone()).await.expect_status(200).text();
    assert_ne!(page, second);
    let cursor = next.split("after=").nth(1).unwrap().split('&').next().unwrap();
    let mut tampered = cursor.to_owned();
    let last = tampered.pop().unwrap();
    tampered.push(if last == 'A' { 'B' } else { 'A' });
    for path in [
        format!("/{slug}/lists?after={tampered}"),
        format!("/{slug}/lists?after=nonsense"),
        format!("/{slug}/templates?after={cursor}"),
        format!("/{slug}/forms?after={cursor}"),
        format!("/{slug}/contacts?after={cursor}"),
    ] {
        let refused = get(path.clone()).await.expect_status(422).text();
        assert!(refused.contains("go on from its first page"), "{path}: {refused}");
        assert!(refused.contains("<nav"), "{path} keeps the navigation");
    }
}

#[tokio::test]
async fn what_cannot_write_is_not_ready() {
    let test = TestApp::new(every_route).await;
    let admin = test.database.admin().await;
    let ready = || test.api(Method::GET, "/readyz");
    let set = async |what: &str| {
        admin.batch_execute(&format!("alter database \"{}\" {what}", test.database.name())).await.unwrap();
    };
    // as on a full disk: what PostgreSQL writes beside its tables fails
    set("set temp_file_limit = '64kB'").await;
    let full = ready().await.expect_status(503).json();
    assert_eq!(full, json!({ "status": "unavailable" }), "why is for the log");
    set("reset temp_file_limit").await;
    ready().await.expect_status(200);
    set("set default_transaction_read_only = on").await;
    let read_only = ready().await.expect_status(503).json();
    assert_eq!(read_only, full);
    set("reset default_transaction_read_only").await;
    ready().await.expect_status(200);
    let files = "select count(*) from pg_ls_tmpdir()";
    let left: i64 = admin.query_one(files, &[]).await.unwrap().get(0);
    assert_eq!(left, 0, "nothing is left on the disk");
}
