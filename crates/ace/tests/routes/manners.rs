//! What every route of the REST API refuses, and how: by its document, before its handler runs.

use serde_json::{Value, json};
use testkit::{Ask, Reply};
use web::{Method, RouteSpec};

use crate::schema::{fault, references, resolved};
use crate::walk::{Walk, is_about_real_rows, name};

fn documented(walk: &Walk) -> Vec<RouteSpec> {
    walk.table().iter().filter(|spec| spec.doc.is_some()).cloned().collect()
}

fn ask<'a>(walk: &'a Walk, spec: &RouteSpec, query: &str) -> Ask<'a> {
    let path = format!("{}{query}", walk.path(spec, &walk.test.story.acme));
    walk.test.api(spec.method.clone(), &path).as_user(&walk.test.story.admin).for_client(walk.test.story.acme.id)
}

fn document(walk: &Walk) -> Value {
    web::openapi::document(walk.table(), "https://ace.example").unwrap()
}

fn operation<'a>(document: &'a Value, spec: &RouteSpec) -> &'a Value {
    &document["paths"][spec.path][spec.method.as_str().to_lowercase()]
}

fn pointers(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    let errors = json["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["pointer"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_parameter_that_no_route_knows_is_refused_by_its_name() {
    let walk = Walk::new().await;
    for spec in documented(&walk) {
        let reply = ask(&walk, &spec, "?nonsense=1&limti=2").await;
        if operation(&document(&walk), &spec)["requestBody"].is_object() {
            continue;
        }
        assert_eq!(reply.status, 422, "{}: {}", name(&spec), reply.text());
        let named = pointers(&reply);
        assert!(named.starts_with(&["#/nonsense".into(), "#/limti".into()]), "{}: {named:?}", name(&spec));
    }
}

#[tokio::test]
async fn a_filter_takes_only_the_words_of_its_list() {
    let walk = Walk::new().await;
    let document = document(&walk);
    let mut tried = 0;
    for spec in documented(&walk).iter().filter(|spec| spec.method == Method::GET) {
        for parameter in operation(&document, spec)["parameters"].as_array().into_iter().flatten() {
            let (Some(parameter), true) = (parameter["name"].as_str(), parameter["in"] == "query") else { continue };
            let schema = &operation(&document, spec)["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .find(|p| p["name"] == parameter)
                .unwrap()["schema"];
            let closed = schema["enum"].is_array()
                || schema["format"].is_string()
                || ["integer", "boolean"].iter().any(|kind| schema["type"] == *kind);
            if closed || schema["$ref"].is_string() {
                let reply = ask(&walk, spec, &format!("?{parameter}=zzz")).await;
                assert_eq!(
                    (reply.status.as_u16(), pointers(&reply)),
                    (422, vec![format!("#/{parameter}")]),
                    "{}",
                    name(spec)
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 40, "{tried}");
}

#[tokio::test]
async fn a_body_is_an_object_of_a_known_kind_and_as_it_is() {
    let walk = Walk::new().await;
    let document = document(&walk);
    let mut tried = 0;
    for spec in documented(&walk) {
        let body = &operation(&document, &spec)["requestBody"]["content"];
        if !body.is_object() {
            continue;
        }
        for kind in
            ["text/plain", "application/x-www-form-urlencoded", "application/xml", "application/json; charset=utf-16"]
        {
            let reply = ask(&walk, &spec, "").body(kind, "[]").await;
            assert_eq!(
                (reply.status.as_u16(), reply.json()["code"].clone()),
                (415, json!("unsupported_media_type")),
                "{}",
                name(&spec)
            );
        }
        let encoded = ask(&walk, &spec, "").body("application/json", "{}").header("content-encoding", "gzip").await;
        assert_eq!(encoded.status, 415, "{}", name(&spec));
        if body["application/json"].is_object() {
            for text in ["[]", "[null, null]", "7", "null", "\"a\""] {
                let reply = ask(&walk, &spec, "").body("application/json", text).await;
                assert_eq!(
                    (reply.status.as_u16(), pointers(&reply)),
                    (422, vec!["#".to_owned()]),
                    "{} {text}",
                    name(&spec)
                );
            }
            tried += 1;
        }
    }
    assert!(tried > 25, "{tried}");
}

#[tokio::test]
async fn whatever_changes_something_honours_if_match() {
    let walk = Walk::new().await;
    let document = document(&walk);
    for spec in documented(&walk).iter().filter(|spec| spec.method != Method::GET && spec.path.contains('{')) {
        if !crate::walk::is_about_real_rows(spec) {
            continue;
        }
        let content = &operation(&document, spec)["requestBody"]["content"];
        let whole = ask(&walk, spec, "").header("if-match", "\"stale\"");
        let reply = match content["application/json"]["example"].as_object() {
            Some(example) => whole.json(example).await,
            None if content["text/csv"].is_object() => whole.body("text/csv", "code\nA1\n").await,
            None => whole.await,
        };
        assert_eq!(reply.status, 412, "{}: {}", name(spec), reply.text());
    }
}

#[tokio::test]
async fn what_is_known_already_is_not_sent_again_and_what_is_told_is_as_documented() {
    let walk = Walk::new().await;
    walk.make_more(walk.test.story.acme.id).await;
    // the maker of rows knows nothing of words that only the program checks
    walk.admin.execute("update events set event_type = 'purl_visit'", &[]).await.unwrap();
    let document = document(&walk);
    let (mut wrong, mut tried, mut spared) = (Vec::new(), 0, 0);
    for spec in documented(&walk).iter().filter(|spec| spec.method == Method::GET) {
        let reply = ask(&walk, spec, "").await;
        let schema = &operation(&document, spec)["responses"]["200"]["content"]["application/json"]["schema"];
        if reply.status != 200 || !schema.is_object() || reply.header("content-type") != "application/json" {
            continue;
        }
        wrong.extend(fault(&document, schema, &reply.json(), &name(spec)));
        tried += 1;
        let promised = operation(&document, spec)["parameters"].to_string().contains("IfNoneMatch");
        assert_eq!(reply.header("etag").is_empty(), !promised, "{}", name(spec));
        if promised {
            let known = ask(&walk, spec, "").header("if-none-match", reply.header("etag")).await;
            assert_eq!((known.status.as_u16(), known.body.len()), (304, 0), "{}", name(spec));
            assert_eq!(known.header("etag"), reply.header("etag"));
            spared += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 30 && spared > 7, "{tried} told, {spared} spared");
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
}

#[tokio::test]
async fn every_number_that_is_taken_says_between_what() {
    let walk = Walk::new().await;
    let document = document(&walk);
    let taken = |name: &str| name.ends_with("Input") || name.ends_with("Body");
    let mut silent = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (field, of) in schema["properties"].as_object().into_iter().flatten().filter(|_| taken(name)) {
            let is_number = ["integer", "number"].iter().any(|kind| of["type"].to_string().contains(kind));
            let ends = of["maximum"].is_number() || of["format"] == "int32";
            if is_number && !(of["minimum"].is_number() && ends) {
                silent.push(format!("{name}.{field}: {of}"));
            }
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
    let post = walk.test.api_json(Method::POST, "/v1/contacts", &json!({ "first_name": 5, "lead_score": 900 }));
    let reply = post.as_user(&walk.test.story.acme_owner).for_client(walk.test.story.acme.id).await;
    assert_eq!((reply.status.as_u16(), pointers(&reply)), (422, vec!["#/first_name".into(), "#/lead_score".into()]));
}

/// What GET answered, sent back whole, changes nothing and is no fault.
#[tokio::test]
async fn what_was_read_can_be_sent_back() {
    let walk = Walk::new().await;
    walk.admin.execute("update contacts set first_name = 'Ada'", &[]).await.unwrap();
    let mut tried = 0;
    for spec in documented(&walk).iter().filter(|spec| spec.method == Method::PATCH) {
        let path = walk.path(spec, &walk.test.story.acme);
        let get =
            || walk.test.api(Method::GET, &path).as_user(&walk.test.story.admin).for_client(walk.test.story.acme.id);
        let read = get().await;
        // the walk makes no brands and no people to read
        if read.status == 404 && !is_about_real_rows(spec) {
            continue;
        }
        assert_eq!(read.status, 200, "{path}: {}", read.text());
        let body = read.json();
        // a call of nobody was not written down here
        if body.get("recipient_id").is_some_and(Value::is_null) {
            continue;
        }
        let sent = ask(&walk, spec, "").header("if-match", read.header("etag"));
        let reply = sent.body("application/merge-patch+json", body.to_string()).await;
        assert_eq!(reply.status, 200, "{}: {} of {body}", name(spec), reply.text());
        let empty = ask(&walk, spec, "").json(&json!({})).await;
        assert_eq!(empty.status, 200, "{}: {}", name(spec), empty.text());
        let refused = ask(&walk, spec, "").json(&json!({ "id": uuid::Uuid::nil(), "nmae": 1 })).await;
        assert_eq!(refused.status, 422, "{}", name(spec));
        tried += 1;
    }
    assert!(tried >= 9, "{tried}");
}

/// Every text that `schema` takes, by its path, with the most characters it may have; `None` where it does not say.
fn texts(document: &Value, schema: &Value, path: &[String], found: &mut Vec<(Vec<String>, Option<usize>)>) {
    let schema = resolved(document, schema);
    let shapes = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    if let Some(shapes) = shapes {
        let shapes: Vec<_> = shapes.iter().filter(|shape| shape["type"] != "null").collect();
        // of several shapes the one that fits is chosen by what stands in it: none is too long by itself
        if let [only] = shapes.as_slice() {
            texts(document, only, path, found);
        }
        return;
    }
    let at = |name: &str| [path, &[name.to_owned()]].concat();
    for (name, of) in schema["properties"].as_object().into_iter().flatten() {
        texts(document, of, &at(name), found);
    }
    if schema["items"].is_object() {
        texts(document, &schema["items"], &at("0"), found);
    }
    let is_text =
        schema["type"] == "string" || schema["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("string")));
    let closed = schema["enum"].is_array() || ["uuid", "date", "date-time"].iter().any(|one| schema["format"] == *one);
    if is_text && !closed {
        found.push((path.to_vec(), schema["maxLength"].as_u64().and_then(|most| usize::try_from(most).ok())));
    }
}

/// Puts a text where a path leads, making what is missing on the way.
fn put(value: &mut Value, path: &[String], text: &str) {
    let Some((name, rest)) = path.split_first() else {
        *value = json!(text);
        return;
    };
    if name == "0" {
        if value.as_array().is_none_or(Vec::is_empty) {
            *value = json!([{}]);
        }
        return put(&mut value[0], rest, text);
    }
    if !value.is_object() {
        *value = json!({});
    }
    put(&mut value[name.as_str()], rest, text);
}

#[tokio::test]
async fn every_text_that_is_taken_has_a_limit_and_one_character_more_is_refused_by_its_name() {
    let walk = Walk::new().await;
    let document = document(&walk);
    let (mut unlimited, mut taken, mut tried) = (Vec::new(), Vec::new(), 0);
    for spec in documented(&walk) {
        let operation = operation(&document, &spec);
        let content = &operation["requestBody"]["content"]["application/json"];
        let mut found = Vec::new();
        texts(&document, &content["schema"], &[], &mut found);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "query" {
                texts(
                    &document,
                    &parameter["schema"],
                    &["?".into(), parameter["name"].as_str().unwrap().into()],
                    &mut found,
                );
            }
        }
        for (path, most) in found {
            let at = format!("{} {path:?}", name(&spec));
            let Some(most) = most else {
                unlimited.push(at);
                continue;
            };
            // what is patched must be there to be read first
            if spec.method == Method::PATCH && !is_about_real_rows(&spec) {
                continue;
            }
            let long = "x".repeat(most + 1);
            let (reply, pointer) = if path[0] == "?" {
                let ask = ask(&walk, &spec, &format!("?{}={long}", path[1]));
                // what takes a file looks at its type first
                let file = operation["requestBody"]["content"].as_object().and_then(|kinds| kinds.keys().next());
                let reply = match file.filter(|kind| *kind != "application/json") {
                    Some(kind) => ask.body(kind, "").await,
                    None => ask.await,
                };
                (reply, format!("#/{}", path[1]))
            } else {
                let mut body = if spec.method == Method::PATCH { json!({}) } else { content["example"].clone() };
                put(&mut body, &path, &long);
                (ask(&walk, &spec, "").json(&body).await, format!("#/{}", path.join("/")))
            };
            tried += 1;
            if reply.status != 422 || !pointers(&reply).contains(&pointer) {
                taken.push(format!("{at}: {} {:?}", reply.status, pointers(&reply)));
            }
        }
    }
    assert!(unlimited.is_empty(), "without a limit:\n{}", unlimited.join("\n"));
    assert!(taken.is_empty(), "taken, or refused without their name:\n{}", taken.join("\n"));
    assert!(tried > 100, "{tried}");
}

#[tokio::test]
async fn of_two_changes_of_one_version_at_once_one_is_refused() {
    let walk = Walk::new().await;
    walk.admin.execute("update contacts set first_name = 'Ada'", &[]).await.unwrap();
    let mut tried = 0;
    for spec in documented(&walk).iter().filter(|spec| spec.method == Method::PATCH && is_about_real_rows(spec)) {
        let path = walk.path(spec, &walk.test.story.acme);
        let read =
            walk.test.api(Method::GET, &path).as_user(&walk.test.story.admin).for_client(walk.test.story.acme.id);
        let read = read.await.expect_status(200);
        let names = ["name", "first_name", "pool_name", "friendly_name"];
        let Some(field) = names.iter().find(|field| read.json().get(**field).is_some()) else { continue };
        walk.test.clock().advance(chrono::Duration::seconds(1));
        let change = |text: &'static str| {
            let ask = ask(&walk, spec, "").header("if-match", read.header("etag"));
            ask.body("application/merge-patch+json", json!({ *field: text }).to_string())
        };
        let (one, other) = tokio::join!(change("One change"), change("Other change"));
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{}: {} {}", name(spec), one.text(), other.text());
        tried += 1;
    }
    assert!(tried >= 4, "{tried}");
}

/// A client that was archived is read, brought back and taken along; nothing of it changes.
#[tokio::test]
async fn nothing_is_done_for_a_client_that_was_archived() {
    let walk = Walk::new().await;
    let acme = walk.test.story.acme.clone();
    let (mut tried, mut done) = (0, Vec::new());
    for spec in walk.table().iter().filter(|spec| matches!(spec.access, web::Access::Client(_))) {
        let reads = spec.method == Method::GET || spec.path.ends_with("/settings/archive");
        let takes_along = ["export", "refused", "remarks", "mail-file"].iter().any(|last| spec.path.ends_with(last));
        if reads || takes_along {
            continue;
        }
        walk.admin.execute("update clients set archived_at = now() where id = $1", &[&acme.id]).await.unwrap();
        let reply = walk.ask(spec, &walk.path(spec, &acme), Some(&walk.test.story.admin), acme.id).await;
        tried += 1;
        if reply.status != 409 || !reply.turned_away {
            done.push(format!("{}: {}", name(spec), reply.status));
        }
    }
    assert!(tried > 100, "{tried}");
    assert!(done.is_empty(), "{}", done.join("\n"));
}

#[tokio::test]
async fn no_stranger_sends_more_than_a_form_holds() {
    let walk = Walk::new().await;
    let (mut tried, large) = (0, "'".repeat(150_000));
    for spec in walk.table().iter().filter(|spec| spec.access == web::Access::Public && spec.method != Method::GET) {
        let path = walk.path(spec, &walk.test.story.acme);
        let reply = match spec.kind {
            web::Kind::Page => walk.test.post_form(&path, &[("x", &large)]).await,
            web::Kind::Api => walk.test.api(spec.method.clone(), &path).body("application/json", large.clone()).await,
        };
        // what is not offered at all says so without reading a word
        let unread = reply.status.is_client_error() && spec.path.starts_with("/auth/v1/");
        assert!(reply.status == 413 || unread, "{}: {} {}", name(spec), reply.status, reply.text());
        tried += i32::from(reply.status == 413);
    }
    assert!(tried > 10, "{tried}");
}
