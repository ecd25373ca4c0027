//! The OpenAPI document says of every operation what a program needs, and its examples are true to its schemas.
#![cfg(test)]

#[path = "routes/schema.rs"]
mod schema;

use std::collections::BTreeSet;

use schema::{fault, references, resolved};
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
            || responses.values().any(|response| response.get("content").is_some_and(Value::is_null))
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
    let change = document["paths"]["/v1/forms/{id}"]["patch"]["parameters"].to_string();
    assert!(change.contains("IfMatch") && change.contains("AceClient"), "{change}");
}

#[tokio::test]
async fn every_parameter_and_every_field_is_described() {
    let document = document().await;
    let mut silent = Vec::new();
    let told = |of: &Value| of["description"].as_str().is_some_and(|text| !text.trim().is_empty());
    for (name, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = resolved(&document, parameter);
            if !told(parameter) || !parameter["schema"].is_object() {
                silent.push(format!("{name}: {}", parameter["name"]));
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (field, of) in schema["properties"].as_object().into_iter().flatten() {
            if !told(of) {
                silent.push(format!("{name}.{field}"));
            }
        }
    }
    for tag in document["tags"].as_array().unwrap() {
        assert!(told(tag), "{tag}");
    }
    assert!(silent.is_empty(), "{} say nothing:\n{}", silent.len(), silent.join("\n"));
}

/// Where the words of a field are kept: its schema, and the type or the column that the database checks.
const KEPT: &[(&str, &str)] = &[
    ("Campaign.status", "campaign_status"),
    ("Campaign.size", "mail_size"),
    ("Campaign.postage", "postage"),
    ("Campaign.lp_mode", "lp_mode"),
    ("Client.industry", "industry"),
    ("Member.roles", "app_role"),
    ("Launch.state", "campaign_launches_state"),
    ("Recipient.status", "recipients_status"),
    ("SkippedContact.reason", "recipient_skips_reason"),
    ("ConditionMet.delivery_status", "call_conditions_met_delivery_status"),
    ("CampaignCondition.delivery_channel", "campaign_reward_configs_delivery_channel"),
    ("Call.disposition", "call_sessions_disposition"),
    ("Call.match_status", "call_sessions_match_status"),
    ("Call.call_status", "call_sessions_call_status"),
    ("GiftCard.status", "gift_cards_status"),
    ("GiftCard.delivery_method", "gift_cards_delivery_method"),
    ("CreditEntry.reason", "credit_ledger_reason"),
    ("Contact.lifecycle_stage", "contacts_lifecycle_stage"),
    ("List.list_type", "contact_lists_list_type"),
    ("Import.status", "imports_status"),
    ("Message.status", "messages_status"),
    ("Message.channel", "messages_channel"),
    ("Message.purpose", "messages_purpose"),
    ("ApiKey.mode", "api_keys_mode"),
    ("Invitation.status", "invitations_status"),
    ("Organization.type", "organizations_type"),
    ("AuditEntry.actor_kind", "audit_log_actor_kind"),
];

#[tokio::test]
async fn the_words_of_a_field_are_those_that_the_database_keeps() {
    let document = document().await;
    let admin = testkit::TestDatabase::new().await;
    let admin = admin.admin().await;
    for (field, rule) in KEPT {
        let (name, field_name) = field.split_once('.').unwrap();
        let of = &document["components"]["schemas"][name]["properties"][field_name];
        let of = if of["items"].is_object() { &of["items"] } else { of };
        let of = of["oneOf"].as_array().map_or(of, |shapes| shapes.last().unwrap());
        let words = &resolved(&document, of)["enum"];
        let told: BTreeSet<String> =
            words.as_array().into_iter().flatten().filter_map(|word| Some(word.as_str()?.to_owned())).collect();
        let sql = "select coalesce(
                (select string_agg(quote_literal(e.enumlabel), ' ') from pg_enum e join pg_type t on t.oid = e.enumtypid where t.typname = $1),
                (select pg_get_constraintdef(oid) from pg_constraint where conname = $1 order by conparentid limit 1), '')";
        let kept: String = admin.query_one(sql, &[rule]).await.unwrap().get(0);
        let kept: BTreeSet<String> = kept.split('\'').skip(1).step_by(2).map(str::to_owned).collect();
        assert!(!kept.is_empty(), "{rule} is no rule of the database");
        assert_eq!(told, kept, "{field}");
    }
}

/// Names that hold words in one place and anybody's text in another.
const ALSO_TEXT: &[&str] = &["id", "reason", "state", "to", "type"];

/// Whether a field is any text at all: neither a list of words nor something with a format.
fn is_any_text(of: &Value) -> bool {
    let text = of["type"] == "string" || of["type"].as_array().is_some_and(|kinds| kinds.contains(&"string".into()));
    text && of["enum"].is_null() && of["format"].is_null()
}

/// The words of a field, wherever they stand.
fn words_of<'a>(document: &'a Value, of: &'a Value) -> &'a Value {
    let of = if of["items"].is_object() { &of["items"] } else { of };
    let of = of["oneOf"].as_array().map_or(of, |shapes| shapes.last().unwrap_or(of));
    &resolved(document, of)["enum"]
}

#[tokio::test]
async fn a_closed_list_of_words_is_one_wherever_it_stands() {
    let document = document().await;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let fields: Vec<(&String, &String, &Value)> = schemas
        .iter()
        .flat_map(|(name, schema)| {
            schema["properties"].as_object().into_iter().flatten().map(move |(field, of)| (name, field, of))
        })
        .collect();
    let listed: BTreeSet<&str> = fields
        .iter()
        .filter(|(.., of)| words_of(&document, of).is_array())
        .map(|(_, field, _)| field.as_str())
        .collect();
    assert!(listed.len() > 20, "{listed:?}");
    let told = |of: &Value| {
        let words = of["description"].as_str().unwrap_or_default().split('`').skip(1).step_by(2);
        words.filter(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')).count()
    };
    let is_open = |field: &str, of: &Value| !listed.contains(field) && told(of) < 2;
    let wrong: Vec<String> = fields
        .iter()
        .filter(|(_, field, of)| is_any_text(of) && !ALSO_TEXT.contains(&field.as_str()) && !is_open(field, of))
        .map(|(name, field, of)| format!("{name}.{field}: {}", of["description"]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Where codes stand in the source: after these words comes the code in quotes.
const BEFORE_CODES: &[&str] = &["Error::conflict(", "code: ", "conflict(codes::", "error("];

#[test]
fn every_code_in_the_source_is_explained() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/errors.md")).unwrap();
    let explained: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let mut found = BTreeSet::new();
    for room in std::fs::read_dir(root.join("crates")).unwrap() {
        read_codes(&room.unwrap().path().join("src"), &mut found);
    }
    assert!(found.len() > 60, "{found:?}");
    let missing: Vec<_> = found.iter().filter(|code| !explained.contains(code.as_str())).collect();
    assert!(missing.is_empty(), "docs/errors.md does not explain {missing:?}");
    assert!(explained.contains("invalid") && explained.contains("not_found"));
}

fn read_codes(directory: &std::path::Path, found: &mut BTreeSet<String>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            read_codes(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            for before in BEFORE_CODES {
                found.extend(code.split(before).skip(1).filter_map(code_at));
            }
            // `problems.add(field, "code", message)`, and the third argument of `on_constraint`
            found.extend(code.split(".add(").skip(1).filter_map(|rest| argument(rest, 1)));
            found.extend(code.split(".on_constraint(").skip(1).filter_map(|rest| argument(rest, 2)));
            // codes that are chosen first and refused with afterwards: `("card_revoked", "the card …")`
            found.extend(code.split("(\"card_").skip(1).filter_map(|rest| {
                let (word, after) = rest.split_once('"')?;
                after.starts_with(", \"the card").then(|| format!("card_{word}"))
            }));
            found.extend(code.split("pub const ").skip(1).filter_map(|rest| {
                let value = rest.split_once(": &str = ")?.1;
                code_at(value).filter(|code| code.starts_with("GC-") && rest.len() > code.len())
            }));
        }
    }
}

/// A code in quotes at the beginning of `text`.
fn code_at(text: &str) -> Option<String> {
    let code = text.trim_start().strip_prefix('"')?.split('"').next()?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_code =
        code.strip_prefix("GC-").is_some_and(|rest| rest.len() == 3) || (code.len() > 2 && code.chars().all(plain));
    (is_code && code.chars().any(char::is_alphabetic)).then(|| code.to_owned())
}

/// The code that stands as the argument after `commas` commas.
fn argument(text: &str, commas: usize) -> Option<String> {
    let inside = text.split([';', '{']).next()?;
    code_at(inside.splitn(commas + 2, ',').nth(commas)?)
}
