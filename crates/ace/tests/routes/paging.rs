//! Every list of the API, a row at a time: the pages together are the list, each row once and in its order.

use serde_json::Value;
use testkit::Reply;
use uuid::Uuid;
use web::{Kind, Method};

use crate::walk::{Walk, name};

/// Lists that are about too little here to have a second page.
const SHORT: &[&str] = &["/v1/organizations", "/v1/clients"];

async fn asked(walk: &Walk, path: &str) -> Reply {
    walk.test.api(Method::GET, path).as_user(&walk.test.story.acme_owner).for_client(walk.test.story.acme.id).await
}

fn rows(page: &Value) -> Vec<Value> {
    page["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_pages_of_a_list_are_the_list() {
    let walk = Walk::new().await;
    walk.make_more(walk.test.story.acme.id).await;
    let mut walked = 0;
    let mut wrong = Vec::new();
    for spec in walk.table().iter().filter(|spec| spec.kind == Kind::Api && spec.method == Method::GET) {
        if spec.path.contains('{') || !spec.path.starts_with("/v1/") {
            continue;
        }
        let whole = asked(&walk, &format!("{}?limit=200", spec.path)).await;
        if whole.status != 200 || !whole.json()["data"].is_array() {
            continue;
        }
        let whole = rows(&whole.json());
        let (mut paged, mut after) = (Vec::new(), String::new());
        loop {
            let reply = asked(&walk, &format!("{}?limit=1&after={after}", spec.path)).await;
            let page = reply.expect_status(200).json();
            paged.extend(rows(&page));
            match page["next"].as_str() {
                Some(next) if paged.len() <= whole.len() => after = next.to_owned(),
                _ => break,
            }
        }
        let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].to_string()).collect::<Vec<_>>();
        if ids(&paged) != ids(&whole) || (whole.len() < 2 && !SHORT.contains(&spec.path)) {
            wrong.push(format!("{}: {:?}, not {:?}", name(spec), ids(&paged), ids(&whole)));
        }
        walked += 1;
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(walked >= 18, "there must be lists for this test to mean anything, not {walked}");
    let refused = asked(&walk, &format!("/v1/api-keys?limit=0&after={}", Uuid::nil())).await;
    assert!(refused.expect_status(422).text().contains("limit"));
}
