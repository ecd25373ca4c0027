//! The OpenAPI document says of every operation what a program needs, and its examples are true to its schemas.
#![cfg(test)]

use serde_json::Value;
use testkit::TestApp;

/// Operations a program passes through on the main path; their bodies are shown by example.
const MAIN_PATH: &[&str] = &[
    "post /v1/contacts",
    "post /v1/lists",
    "post /v1/imports",
    "post /v1/pools",
    "post /v1/pools/{id}/cards",
    "get /v1/cards",
    "post /v1/campaigns",
    "post /v1/campaigns/{id}/launch",
    "post /v1/forms",
    "post /v1/landing-pages",
    "get /v1/recipients/{id}",
    "get /v1/events",
    "get /v1/campaigns/{id}/analytics",
    "get /v1/messages",
    "post /v1/calls",
    "post /v1/api-keys",
];

async fn document() -> Value {
    let test = TestApp::new(|app| {
        let drivers = providers::Drivers::from_settings(&app.settings, &app.db, &app.keyring, &app.clock).unwrap();
        ace::assemble::routes(app, &drivers, &events::VisitWriter::start(&app.db))
    })
    .await;
    web::openapi::document(test.table(), "https://ace.example").unwrap()
}

/// Every operation with its method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &'_ Value)| {
        let item = item.as_object().unwrap();
        item.keys().filter(|key| *key != "parameters").map(|key| format!("{key} {path}")).collect::<Vec<_>>()
    };
    let names = paths.iter().flat_map(of);
    names
        .map(|name| {
            let (method, path) = name.split_once(' ').unwrap();
            let operation = &document["paths"][path][method];
            (name, operation)
        })
        .collect()
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
        None => value,
    }
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// What is wrong with `value` under `schema`, if anything: the part of JSON Schema that the document uses.
fn fault(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let schema = resolved(document, schema);
    let wrong = |what: &str| Some(format!("{at}: {what}: {value}"));
    for key in ["oneOf", "anyOf"] {
        if let Some(all) = schema[key].as_array() {
            let fits = all.iter().any(|one| fault(document, one, value, at).is_none());
            return if fits { None } else { wrong("none of its shapes") };
        }
    }
    if let Some(all) = schema["allOf"].as_array() {
        return all.iter().find_map(|part| fault(document, part, value, at));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return wrong("not a word of its list");
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        kinds => kinds.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = kinds.contains(&kind) || kind == "integer" && kinds.contains(&"number");
    if !kinds.is_empty() && !fits {
        return wrong("not its type");
    }
    let text = value.as_str().unwrap_or_default();
    match schema["format"].as_str() {
        Some("uuid") if text.parse::<uuid::Uuid>().is_err() => return wrong("no UUID"),
        Some("date-time") if chrono::DateTime::parse_from_rfc3339(text).is_err() => return wrong("no time"),
        Some("date") if text.parse::<chrono::NaiveDate>().is_err() => return wrong("no day"),
        _ => {}
    }
    let items = value.as_array().into_iter().flatten().enumerate();
    let mut faults = items.filter_map(|(n, item)| fault(document, &schema["items"], item, &format!("{at}/{n}")));
    faults.next().or_else(|| fields_fault(document, schema, value, at))
}

fn fields_fault(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let fields = value.as_object()?;
    let mut required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = required.find(|name| !fields.contains_key(*name)) {
        return Some(format!("{at}: {missing} is missing"));
    }
    let of = |name: &str| schema["properties"].get(name);
    fields.iter().find_map(|(name, field)| fault(document, of(name)?, field, &format!("{at}/{name}")))
}

#[tokio::test]
async fn every_operation_says_what_it_does_what_it_answers_and_who_may() {
    let document = document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let mut wrong = Vec::new();
    for (name, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        let success = responses.keys().any(|status| status.starts_with('2'));
        let limited = responses.contains_key("429") && responses.contains_key("401");
        let told = responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'))
            .all(|(_, response)| response["headers"]["RateLimit"].is_object() && response["description"].is_string());
        if operation["summary"].as_str().is_none_or(str::is_empty)
            || !operation["security"].is_array()
            || !(success && limited && told)
        {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_no_operation_has_the_name_of_another() {
    let document = document().await;
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100);
    let dangling = |reference: &&str| document.pointer(reference.trim_start_matches('#')).is_none();
    assert_eq!(found.into_iter().find(dangling), None);
    let mut names: Vec<_> =
        operations(&document).iter().map(|(_, operation)| operation["operationId"].clone()).collect();
    let all = names.len();
    names.sort_by_key(Value::to_string);
    names.dedup();
    assert_eq!(names.len(), all);
}

#[tokio::test]
async fn every_json_body_has_an_example_that_its_schema_allows() {
    let document = document().await;
    let (mut wrong, mut shown) = (Vec::new(), 0);
    for (name, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap().iter();
        let bodies = responses.map(|(status, response)| (status.as_str(), resolved(&document, response)));
        for (part, body) in bodies.chain([("body", &operation["requestBody"])]) {
            for (media_type, content) in body["content"].as_object().into_iter().flatten() {
                if !media_type.contains("json") {
                    continue;
                }
                shown += 1;
                match content.get("example") {
                    None => wrong.push(format!("{name} {part}: no example")),
                    Some(example) => {
                        wrong.extend(fault(&document, &content["schema"], example, &format!("{name} {part}")))
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty() && shown > 200, "{shown} shown\n{}", wrong.join("\n"));
    let names: Vec<String> = operations(&document).into_iter().map(|(name, _)| name).collect();
    let missing = MAIN_PATH.iter().find(|wanted| !names.iter().any(|name| name == *wanted));
    assert_eq!(missing, None);
    let import = &document["paths"]["/v1/imports"]["post"];
    assert!(import["requestBody"]["content"]["multipart/form-data"].is_object());
    assert!(import["responses"]["201"].is_object() && import["responses"]["202"].is_object());
    for path in ["/v1/contacts/export", "/v1/imports/{id}/refused"] {
        assert!(document["paths"][path]["get"]["responses"]["200"]["content"]["text/csv"].is_object(), "{path}");
    }
    let change = document["paths"]["/v1/forms/{id}"]["put"]["parameters"].to_string();
    assert!(change.contains("IfMatch") && change.contains("AceClient"), "{change}");
}
