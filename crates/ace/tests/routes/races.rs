//! `If-Match` of everything that is read and changed: what it names is looked at in the transaction that acts, so that a
//! change that is under way at that moment is not passed over.

use std::pin::pin;
use std::time::Duration;

use serde_json::json;
use tokio_postgres::Client;
use web::{Method, RouteSpec};

use crate::walk::{Walk, is_about_real_rows, name};

/// The rows behind the first word of a path, and a change of them that everybody sees.
const ROWS: &[(&str, &str, &str)] = &[
    ("contacts", "contacts", MOVED),
    ("lists", "contact_lists", MOVED),
    ("imports", "imports", "filename = filename || '2'"),
    ("templates", "templates", MOVED),
    ("landing-pages", "landing_pages", MOVED),
    ("forms", "ace_forms", MOVED),
    ("pools", "gift_card_pools", MOVED),
    ("cards", "gift_cards", "balance_note = coalesce(balance_note, '') || '2'"),
    ("campaigns", "campaigns", MOVED),
    ("recipients", "recipients", "city = coalesce(city, '') || '2'"),
    ("calls", "call_sessions", MOVED),
    ("numbers", "tracked_phone_numbers", "friendly_name = coalesce(friendly_name, '') || '2'"),
    ("messages", "messages", "last_error = coalesce(last_error, '') || '2'"),
    ("api-keys", "api_keys", "revoked_at = '2030-01-01'"),
];

const MOVED: &str = "updated_at = updated_at + interval '1 second'";

/// What acts on something beside the row of its path, which keeps its version.
const BESIDE: &[&str] = &[
    "POST /v1/lists/{id}/members",
    "DELETE /v1/lists/{id}/members/{contact_id}",
    "POST /v1/pools/{id}/cards",
    "POST /v1/campaigns/{id}/mail-file",
    "POST /v1/recipients/{id}/conditions/{number}/confirm",
];

fn takes(document: &serde_json::Value, spec: &RouteSpec, header: &str) -> bool {
    let operation = &document["paths"][spec.path][spec.method.as_str().to_lowercase()];
    operation["parameters"].to_string().contains(&format!("/parameters/{header}\""))
}

#[tokio::test]
async fn what_is_read_and_changed_has_a_version_that_its_changes_take() {
    let walk = Walk::new().await;
    let document = web::openapi::document(walk.table(), "https://ace.example").unwrap();
    let documented = || walk.table().iter().filter(|spec| spec.doc.is_some());
    let (mut without, mut tried) = (Vec::new(), 0);
    for spec in documented().filter(|spec| spec.method != Method::GET && spec.path.contains('{')) {
        let row: String = spec.path.split_inclusive('}').next().unwrap_or_default().to_owned();
        let Some(read) = documented().find(|read| read.method == Method::GET && read.path == row) else {
            without.push(format!("{} is about nothing that can be read", name(spec)));
            continue;
        };
        tried += 1;
        if !takes(&document, read, "IfNoneMatch") {
            without.push(format!("{} has no version", name(read)));
        }
        if takes(&document, spec, "IfMatch") == BESIDE.contains(&name(spec).as_str()) {
            without.push(format!("{} takes no version, or is BESIDE", name(spec)));
        }
    }
    assert!(without.is_empty(), "{}", without.join("\n"));
    assert!(tried > 35, "{tried}");
}

/// Whether somebody waits for a lock in this database.
async fn is_waiting(admin: &Client) -> bool {
    let sql =
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
    admin.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_change_that_is_under_way_is_not_passed_over() {
    let walk = Walk::new().await;
    let document = web::openapi::document(walk.table(), "https://ace.example").unwrap();
    let other = walk.test.database.admin().await;
    let (mut wrong, mut refused) = (Vec::new(), 0);
    let changes: Vec<&RouteSpec> = walk.table().iter().filter(|spec| takes(&document, spec, "IfMatch")).collect();
    for spec in changes.into_iter().filter(|spec| is_about_real_rows(spec)) {
        // the copy is of what was read: nothing of the campaign itself changes
        if spec.path.ends_with("/duplicate") || !spec.path.contains("{id}") {
            continue;
        }
        let path = walk.path(spec, &walk.test.story.acme);
        let words: Vec<&str> = path.split('/').collect();
        let (noun, id) = (words[2], words[3]);
        let (_, table, change) = ROWS.iter().find(|(known, ..)| *known == noun).unwrap();
        let (admin, acme) = (&walk.test.story.admin, walk.test.story.acme.id);
        let read = walk.test.api(Method::GET, &format!("/v1/{noun}/{id}")).as_user(admin).for_client(acme).await;
        assert!(!read.header("etag").is_empty(), "{noun}: {}", read.text());
        let body = &document["paths"][spec.path][spec.method.as_str().to_lowercase()]["requestBody"];
        let example = &body["content"]["application/json"]["example"];
        walk.admin.batch_execute(&format!("begin; update {table} set {change} where id = '{id}'")).await.unwrap();
        let ask = walk.test.api(spec.method.clone(), &path).as_user(admin).for_client(acme);
        let ask = ask.header("if-match", read.header("etag"));
        let ask = if example.is_object() { ask.json(example) } else { ask };
        let mut asked = pin!(async { ask.await });
        let early = loop {
            tokio::select! {
                reply = &mut asked => break Some(reply),
                () = tokio::time::sleep(Duration::from_millis(5)) => if is_waiting(&other).await { break None },
            }
        };
        walk.admin.batch_execute("commit").await.unwrap();
        let waited = early.is_none();
        let reply = match early {
            Some(reply) => reply,
            None => asked.await,
        };
        refused += i32::from(waited && reply.status == 412);
        // what cannot be done anyway need not wait to be refused
        if waited != (reply.status == 412) || reply.status.is_success() {
            wrong.push(format!("{}: {} {}", name(spec), reply.status, reply.text()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused > 15, "{refused}");
}

#[tokio::test]
async fn a_patch_of_nothing_leaves_no_trace() {
    let walk = Walk::new().await;
    walk.admin
        .execute("update contacts set first_name = 'Ada', country = 'US', unconfirmed = '{}'", &[])
        .await
        .unwrap();
    let brand: uuid::Uuid = walk.admin.query_one("select id from gift_card_brands limit 1", &[]).await.unwrap().get(0);
    let audited = async || -> i64 { walk.admin.query_one("select count(*) from audit_log", &[]).await.unwrap().get(0) };
    let mut tried = 0;
    for spec in walk.table().iter().filter(|spec| spec.doc.is_some() && spec.method == Method::PATCH) {
        let path = walk.path(spec, &walk.test.story.acme);
        let path = if spec.path == "/v1/brands/{id}" { format!("/v1/brands/{brand}") } else { path };
        let ask = |method: Method| {
            walk.test.api(method, &path).as_user(&walk.test.story.admin).for_client(walk.test.story.acme.id)
        };
        let read = ask(Method::GET).await.expect_status(200);
        // a call that nobody wrote down here is nobody's to change
        if read.json().get("recipient_id").is_some_and(serde_json::Value::is_null) {
            continue;
        }
        walk.test.clock().advance(chrono::Duration::seconds(1));
        let before = audited().await;
        for patch in [json!({}), read.json()] {
            let reply = ask(Method::PATCH).body("application/merge-patch+json", patch.to_string()).await;
            assert_eq!(reply.status, 200, "{path}: {}", reply.text());
            assert_eq!(reply.json(), read.json(), "{path}");
            assert_eq!(reply.header("etag"), read.header("etag"), "{path}");
        }
        assert_eq!(audited().await, before, "{path}");
        tried += 1;
    }
    assert!(tried >= 9, "{tried}");
}
