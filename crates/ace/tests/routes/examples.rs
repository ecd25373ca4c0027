//! The examples of the OpenAPI document are what ACE itself takes: each is sent to it.

use serde_json::Value;
use web::Method;

use crate::walk::{Walk, name};

/// Fields that name a row, and whose.
const NAMED: &[(&str, &str)] = &[
    ("contact_list_id", "lists"),
    ("list_id", "lists"),
    ("template_id", "templates"),
    ("landing_page_id", "landing-pages"),
    ("form_id", "forms"),
    ("gift_card_pool_id", "pools"),
    ("pool_id", "pools"),
    ("campaign_id", "campaigns"),
    ("recipient_id", "recipients"),
    ("contact_ids", "contacts"),
    ("call_id", "calls"),
];

/// Puts the ids of rows that are there where an example names one.
fn settle(walk: &Walk, brand: &str, value: &mut Value) {
    let id_of = |field: &str| match field {
        "brand_id" => Some(brand.to_owned()),
        "org_id" => Some(walk.test.story.northside.to_string()),
        "current_password" => Some(testkit::story::PASSWORD.to_owned()),
        // the operator makes credits, and needs no giver
        "from" => Some(String::new()),
        _ => NAMED.iter().find(|(known, _)| *known == field).map(|(_, noun)| walk.id_of(noun).to_owned()),
    };
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                match (id_of(field), value) {
                    (Some(id), Value::Array(items)) => items.fill(Value::from(id)),
                    (Some(id), value) => *value = Value::from(id),
                    (None, value) => settle(walk, brand, value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| settle(walk, brand, item)),
        _ => {}
    }
}

#[tokio::test]
async fn every_example_of_a_body_is_one_that_is_taken() {
    let walk = Walk::new().await;
    let document = web::openapi::document(walk.table(), "https://ace.example").unwrap();
    walk.admin
        .batch_execute("update contacts set first_name = 'Ada'; update messages set channel = 'sms'")
        .await
        .unwrap();
    let brand: uuid::Uuid = walk.admin.query_one("select id from gift_card_brands limit 1", &[]).await.unwrap().get(0);
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for spec in walk.table().iter().filter(|spec| spec.doc.is_some() && spec.method != Method::GET) {
        let operation = &document["paths"][spec.path][spec.method.as_str().to_lowercase()];
        for (media_type, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
            let Some(example) = content.get("example") else { continue };
            let mut body = example.clone();
            settle(&walk, &brand.to_string(), &mut body);
            // a call is about one recipient for good, and this one about none
            if let ("/v1/calls/{id}", Some(fields)) = (spec.path, body.as_object_mut()) {
                fields.remove("recipient_id");
            }
            let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
            walk.restore().await;
            let path = walk.path(spec, &walk.test.story.acme);
            let path = if spec.path == "/v1/brands/{id}" { format!("/v1/brands/{brand}") } else { path };
            let ask = walk.test.api(spec.method.clone(), &path).as_user(&walk.test.story.admin);
            let reply = ask.for_client(walk.test.story.acme.id).body(media_type, body).await;
            tried += 1;
            // a name that an example before it took is no fault of its shape
            let taken = reply.status == 422
                && reply.json()["errors"].as_array().is_some_and(|all| all.iter().all(|one| one["code"] == "taken"));
            let for_its_shape = [400, 415, 422].contains(&reply.status.as_u16()) && !taken;
            if for_its_shape || reply.status.is_server_error() {
                wrong.push(format!("{} {media_type}: {} {}", name(spec), reply.status, reply.text()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 35, "{tried}");
}
