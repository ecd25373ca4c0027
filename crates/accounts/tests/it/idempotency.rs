use std::future::IntoFuture;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::Duration;
use serde_json::{Value, json};
use testkit::{Ask, TestApp};
use web::Method;

use crate::support::{count, start};

/// A new key as its maker asks for it.
fn key(name: &str) -> Value {
    json!({ "name": name, "scopes": ["contacts.view"], "current_password": testkit::story::PASSWORD })
}

fn make<'a>(test: &'a TestApp, idempotency_key: &str, body: &Value) -> Ask<'a> {
    test.api_json(Method::POST, "/v1/api-keys", body)
        .as_user(&test.story.acme_owner)
        .header("idempotency-key", idempotency_key)
}

#[tokio::test]
async fn the_same_request_again_is_answered_from_the_first_one_for_a_day() {
    let test = start().await;
    let body = key("CRM");
    let first = make(&test, "k1", &body).await.expect_status(201);
    let again = make(&test, "k1", &body).await.expect_status(201);
    assert_eq!(first.body, again.body);
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    assert_eq!(again.header("content-type"), "application/json");
    assert_eq!(count(&test, "select count(*) from api_keys where name = 'CRM'").await, 1);
    let secret = first.json()["key"].as_str().unwrap().to_owned();
    let sql =
        format!("select count(*) from idempotency_keys where position('{secret}'::bytea in response_body_sealed) > 0");
    assert_eq!(count(&test, &sql).await, 0, "the answer holds a secret and is kept sealed");

    test.clock().advance(Duration::hours(24) + Duration::seconds(1));
    make(&test, "k1", &body).await.expect_status(201);
    assert_eq!(count(&test, "select count(*) from api_keys where name = 'CRM'").await, 2);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused_and_another_callers_key_is_another_key() {
    let test = start().await;
    make(&test, "k1", &key("CRM")).await.expect_status(201);
    let other = make(&test, "k1", &key("ERP")).await.expect_status(422).json();
    assert_eq!(other["code"], "idempotency_key_reused");
    test.api_json(Method::POST, "/v1/api-keys", &key("CRM"))
        .as_user(&test.story.corner_owner)
        .header("idempotency-key", "k1")
        .await
        .expect_status(201);
    make(&test, "", &key("CRM")).await.expect_status(422);
    make(&test, &"x".repeat(256), &key("CRM")).await.expect_status(422);
}

#[tokio::test]
async fn a_refusal_gives_the_key_back() {
    let test = start().await;
    make(&test, "k1", &key("")).await.expect_status(422);
    make(&test, "k1", &key("CRM")).await.expect_status(201);
}

#[tokio::test]
async fn of_many_at_once_one_is_done_and_the_others_wait_or_repeat_it() {
    let test = start().await;
    let body = key("CRM");
    let all = (0..12).map(|_| make(&test, "k1", &body).into_future());
    let replies = futures_util::future::join_all(all).await;
    assert!(replies.iter().all(|reply| reply.status == 201 || reply.status == 409), "{replies:?}");
    assert!(replies.iter().any(|reply| reply.status == 201));
    assert_eq!(count(&test, "select count(*) from api_keys where name = 'CRM'").await, 1);
    make(&test, "k1", &body).await.expect_status(201);
}

#[tokio::test]
async fn a_key_whose_process_died_is_free_again_after_two_minutes() {
    let test = start().await;
    let body = key("CRM");
    make(&test, "k1", &body).await.expect_status(201);
    test.database
        .admin()
        .await
        .execute("update idempotency_keys set status = null, acted_at = null", &[])
        .await
        .unwrap();
    let waiting = make(&test, "k1", &body).await.expect_status(409);
    assert_eq!(waiting.header("retry-after"), "1");
    assert_eq!(waiting.json()["code"], "idempotency_key_in_use");
    test.clock().advance(Duration::minutes(3));
    make(&test, "k1", &body).await.expect_status(201);
}

/// The server dies after the act and before its answer is stored: a trigger refuses the storing.
#[tokio::test]
async fn what_was_done_before_the_server_died_is_not_done_again_under_the_same_key() {
    let test = start().await;
    let admin = test.database.admin().await;
    admin
        .batch_execute(
            "create function public.die() returns trigger language plpgsql as $$ begin raise exception 'died'; end $$;
             create trigger die before update of status on idempotency_keys for each row execute function public.die()",
        )
        .await
        .unwrap();
    let body = key("CRM");
    make(&test, "k1", &body).await;
    assert_eq!(count(&test, "select count(*) from api_keys where name = 'CRM'").await, 1, "the act itself was done");
    admin.batch_execute("drop trigger die on idempotency_keys").await.unwrap();
    let early = make(&test, "k1", &body).await.expect_status(409).json();
    assert_eq!(early["code"], "idempotency_key_in_use");
    test.clock().advance(Duration::minutes(3));
    let late = make(&test, "k1", &body).await.expect_status(409).json();
    assert_eq!(late["code"], "idempotency_key_spent");
    assert_eq!(count(&test, "select count(*) from api_keys where name = 'CRM'").await, 1);
    make(&test, "k2", &body).await.expect_status(201);
}

/// A request that stood still for so long that its key was taken over does nothing any more.
#[tokio::test]
async fn an_act_whose_key_was_taken_over_is_not_committed() {
    let test = start().await;
    let admin = test.database.admin().await;
    admin
        .batch_execute(
            "create function public.take_over() returns trigger language plpgsql as $$
             begin update idempotency_keys set holder = gen_random_uuid(); return new; end $$;
             create trigger take_over after insert on api_keys for each row execute function public.take_over();
             alter function public.take_over() security definer",
        )
        .await
        .unwrap();
    make(&test, "k1", &key("CRM")).await.expect_status(409);
    assert_eq!(count(&test, "select count(*) from api_keys where name = 'CRM'").await, 0);
}

static DONE: AtomicUsize = AtomicUsize::new(0);

async fn act() -> (axum::http::StatusCode, String) {
    (axum::http::StatusCode::ACCEPTED, DONE.fetch_add(1, Ordering::SeqCst).to_string())
}

#[tokio::test]
async fn an_api_key_repeats_its_own_requests_and_those_of_no_other() {
    let test = TestApp::new(|app| {
        web::Routes::new(app).api(Method::POST, "/v1/acts", "contacts.view", act, web::Doc::new("Act"))
    })
    .await;
    let ask = |key: &str| test.api(Method::POST, "/v1/acts").bearer(key).header("idempotency-key", "k1");
    let first = ask(&test.story.acme.key).await.expect_status(202);
    let again = ask(&test.story.acme.key).await.expect_status(202);
    assert_eq!((first.text(), again.header("idempotent-replayed")), (again.text(), "true"));
    let other = ask(&test.story.corner.key).await.expect_status(202);
    assert_ne!(first.text(), other.text());
}

async fn fall_over() -> String {
    panic!("a bug")
}

#[tokio::test]
async fn a_panic_is_answered_with_an_id_and_kept_for_the_act_may_have_been_done() {
    let test = TestApp::new(|app| {
        web::Routes::new(app)
            .api(Method::POST, "/v1/bugs", "contacts.view", fall_over, web::Doc::new("Fall over"))
            .public(Method::GET, "/bug", fall_over)
    })
    .await;
    let ask = || test.api(Method::POST, "/v1/bugs").bearer(&test.story.acme.key).header("idempotency-key", "k1");
    let first = ask().await.expect_status(500);
    assert_eq!(first.json()["request_id"], first.header("x-request-id"));
    assert!(!first.text().contains("a bug"), "the inside stays in the log");
    let again = ask().await.expect_status(500);
    assert_eq!(
        (again.header("idempotent-replayed"), again.header("content-type")),
        ("true", "application/problem+json")
    );
    assert_eq!(again.json(), first.json(), "it names the request that failed");
    let page = test.get("/bug").await.expect_status(500);
    assert!(page.text().contains(page.header("x-request-id")) && !page.text().contains("a bug"));
}

#[tokio::test]
async fn an_abandoned_key_is_for_the_same_request_only() {
    let test = start().await;
    make(&test, "k1", &key("CRM")).await.expect_status(201);
    test.database
        .admin()
        .await
        .execute("update idempotency_keys set status = null, acted_at = null", &[])
        .await
        .unwrap();
    test.clock().advance(Duration::minutes(3));
    let other = make(&test, "k1", &key("ERP")).await.expect_status(422).json();
    assert_eq!(other["code"], "idempotency_key_reused");
    make(&test, "k1", &key("CRM")).await.expect_status(201);
}

/// A handler that is at work until it is told what to answer; the first answer is that of the first request.
struct AtWork(tokio::sync::Mutex<std::collections::VecDeque<tokio::sync::oneshot::Receiver<u16>>>);

async fn work(axum::Extension(work): axum::Extension<std::sync::Arc<AtWork>>) -> axum::response::Response {
    let told = work.0.lock().await.pop_front().unwrap().await.unwrap();
    match told {
        422 => axum::response::IntoResponse::into_response(web::Failure(kernel::Error::invalid("name", "no"))),
        status => axum::response::IntoResponse::into_response(axum::http::StatusCode::from_u16(status).unwrap()),
    }
}

async fn waiting(workers: usize) -> (TestApp, Vec<tokio::sync::oneshot::Sender<u16>>) {
    let (tell, told): (Vec<_>, _) = (0..workers).map(|_| tokio::sync::oneshot::channel()).unzip();
    let work_to_do = std::sync::Arc::new(AtWork(tokio::sync::Mutex::new(told)));
    let test = TestApp::new(|app| {
        let routes = web::Routes::new(app);
        routes.api(Method::POST, "/v1/work", "contacts.view", work, web::Doc::new("Work")).extension(work_to_do)
    })
    .await;
    (test, tell)
}

fn ask_to_work(test: &TestApp) -> Ask<'_> {
    test.api(Method::POST, "/v1/work").bearer(&test.story.acme.key).header("idempotency-key", "k1")
}

async fn until(test: &TestApp, sql: &str) {
    while count(test, sql).await != 1 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn who_comes_back_late_neither_frees_nor_answers_the_key_of_who_took_it_over() {
    let (test, mut tell) = waiting(2).await;
    let (second, first) = (tell.pop().unwrap(), tell.pop().unwrap());
    let refused = tokio::sync::Notify::new();
    let late = async {
        let reply = ask_to_work(&test).await;
        reply.expect_status(422);
        refused.notify_one();
    };
    let story = async {
        until(&test, "select count(*) from idempotency_keys").await;
        let begun = count(&test, "select extract(epoch from created_at)::int8 from idempotency_keys").await;
        test.clock().advance(Duration::minutes(3));
        let taker = async { ask_to_work(&test).await.expect_status(202) };
        let end = async {
            let sql =
                format!("select count(*) from idempotency_keys where extract(epoch from created_at) > {begun} + 100");
            until(&test, &sql).await;
            first.send(422).unwrap();
            refused.notified().await;
            assert_eq!(count(&test, "select count(*) from idempotency_keys").await, 1, "still the second's");
            second.send(202).unwrap();
        };
        tokio::join!(taker, end);
    };
    tokio::join!(late, story);
    let again = ask_to_work(&test).await.expect_status(202);
    assert_eq!(again.header("idempotent-replayed"), "true");
}
