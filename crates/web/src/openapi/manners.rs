//! What all operations have in common: headers, refusals, examples. Written onto the document once it is put together.

use serde_json::{Map, Value, json};

use super::{Doc, MERGE_PATCH, examples, words};
use crate::Method;
use crate::routes::{Access, RouteSpec};

/// A refusal: its status, its name as a component, what it means, and a code and a sentence as an example.
struct Refusal {
    status: u16,
    name: &'static str,
    meaning: &'static str,
    code: &'static str,
    detail: &'static str,
}

const fn refusal(status: u16, name: &'static str, texts: [&'static str; 3]) -> Refusal {
    let [meaning, code, detail] = texts;
    Refusal { status, name, meaning, code, detail }
}

#[rustfmt::skip]
const REFUSALS: [Refusal; 11] = [
    refusal(401, "Unauthenticated", ["No key or token, or one that is no longer good.", "unauthenticated", "Sign in, or send a valid API key or access token."]),
    refusal(403, "Forbidden", ["A permission is missing; `detail` names it.", "forbidden", "the permission campaigns.launch is missing"]),
    refusal(404, "NotFound", ["There is nothing here, or not for you: the two are answered alike.", "not_found", "There is nothing here, or not for you."]),
    refusal(409, "Conflict", ["What is there does not allow it; `code` says why.", "under_way", "complete this campaign or take it back to draft before archiving it"]),
    refusal(412, "PreconditionFailed", ["Somebody changed it since the version in If-Match was read.", "precondition_failed", "Somebody changed this meanwhile: read it again."]),
    refusal(413, "TooLarge", ["The body is larger than is taken here.", "body_too_large", "The body is larger than is taken here."]),
    refusal(415, "UnsupportedMediaType", ["The body has another Content-Type than is taken here, or a Content-Encoding.", "unsupported_media_type", "The Content-Type must be application/json; not text/plain."]),
    refusal(422, "Invalid", ["The input is wrong; `errors` names every field.", "invalid", "Email: not an e-mail address"]),
    refusal(429, "TooManyRequests", ["More requests than the limit allows; Retry-After says when to come back.", "too_many_requests", "too many requests, try again in 20 s"]),
    refusal(500, "Failed", ["A fault of ours; `request_id` finds it in the log.", "internal", "Something went wrong on our side. The request id finds it in the log."]),
    refusal(503, "Unavailable", ["Something is out of reach for now; Retry-After says when to try again.", "unavailable", "not available right now: the database does not answer"]),
];

/// The parameters, answers and headers that operations refer to.
pub(super) fn components(document: &mut Value) {
    let text = json!({ "type": "string" });
    document["components"]["parameters"] = json!({
        "AceClient": {
            "name": "Ace-Client", "in": "header",
            // as a format, clients would make it an object that no header can hold
            "schema": { "type": "string", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$" },
            "description": "The client the request is about. Needed only by access tokens that reach several; a key has its own.",
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
            "description": "Makes repeating safe: within 24 hours the same request with the same key is answered from the first one, with Idempotent-Replayed.",
        },
        "IfMatch": {
            "name": "If-Match", "in": "header", "schema": text,
            "description": "The ETag of the version the change was made on, or `*` for whichever is there. 412 when it is not the present one.",
        },
        "IfNoneMatch": {
            "name": "If-None-Match", "in": "header", "schema": text,
            "description": "The ETag of the version that is known already: 304 while it is the present one.",
        },
    });
    document["components"]["headers"] = json!({
        "ETag": { "schema": text, "description": "The version, for If-Match and If-None-Match.", "example": "\"6364f1a2b3c40\"" },
        "Location": { "schema": text, "description": "Where it is.", "example": "/v1/campaigns/0197f4e2-8c1a-7b3e-9d50-3a1f6c2b8e47" },
        "RateLimit": { "schema": text, "description": "What is left: `r` requests; in `t` seconds all are back.", "example": "\"api\";r=97;t=2" },
        "RateLimit-Policy": { "schema": text, "description": "The rule: `q` requests in `w` seconds.", "example": "\"api\";q=100;w=60" },
        "Retry-After": { "schema": { "type": "integer" }, "description": "Seconds until the next request can succeed.", "example": 20 },
        "WWW-Authenticate": { "schema": text, "description": "What to sign in with.", "example": "Bearer realm=\"ace\"" },
    });
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    for refusal in REFUSALS {
        let mut shown = json!({
            "description": refusal.meaning,
            "content": { "application/problem+json": { "schema": problem, "example": example(&refusal) } },
        });
        match refusal.status {
            401 => shown["headers"] = headers(&["WWW-Authenticate"]),
            429 => shown["headers"] = headers(&["RateLimit", "RateLimit-Policy", "Retry-After"]),
            409 | 503 => shown["headers"] = headers(&["Retry-After"]),
            _ => {}
        }
        document["components"]["responses"][refusal.name] = shown;
    }
}

fn example(refusal: &Refusal) -> Value {
    let title = axum::http::StatusCode::from_u16(refusal.status).ok().and_then(|status| status.canonical_reason());
    let errors = match refusal.status {
        422 => {
            json!([{ "pointer": "#/email", "code": "invalid", "detail": kernel::email::WANTED }])
        }
        _ => json!([]),
    };
    json!({
        "type": crate::failure::link(refusal.code), "title": title, "status": refusal.status, "code": refusal.code,
        "detail": refusal.detail, "request_id": "0197f4e2-8c1a-7b3e-9d50-3a1f6c2b8e47", "errors": errors,
    })
}

/// Adds to the operation of `spec` what the way it is guarded and called brings with it.
pub(super) fn operation(operation: &mut Value, spec: &RouteSpec, doc: &Doc, schemas: &Value) {
    let reads = spec.method == Method::GET;
    let about_one = spec.path.contains('{');
    let headers_taken = [
        ("AceClient", matches!(spec.access, Access::Client(_))),
        ("IdempotencyKey", spec.method == Method::POST),
        ("IfMatch", !reads && doc.is_versioned(spec.path)),
        ("IfNoneMatch", reads && doc.versioned),
    ];
    let taken = headers_taken.iter().filter(|(_, applies)| *applies);
    let references = taken.map(|(name, _)| json!({ "$ref": format!("#/components/parameters/{name}") }));
    let own = path_parameters(spec.path).into_iter().chain(doc.query_parameters());
    let parameters: Vec<Value> = own.chain(references).collect();
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    answers(operation, spec, doc, schemas);
    let has_body = operation["requestBody"].is_object();
    if has_body {
        add_examples(&mut operation["requestBody"], schemas);
    }
    for refusal in REFUSALS {
        let applies = match refusal.status {
            401 => spec.access != Access::Public,
            403 => !matches!(spec.access, Access::Public),
            404 => about_one || !reads || matches!(spec.access, Access::Client(_)),
            409 => !reads || doc.conflicts,
            412 => !reads,
            413 | 415 => has_body || spec.method == Method::POST,
            _ => true,
        };
        if applies {
            operation["responses"][refusal.status.to_string()] =
                json!({ "$ref": format!("#/components/responses/{}", refusal.name) });
        }
    }
}

fn answers(operation: &mut Value, spec: &RouteSpec, doc: &Doc, schemas: &Value) {
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        let mut told = vec!["RateLimit", "RateLimit-Policy"];
        if doc.versioned && !doc.answers_else && status != "204" {
            told.push("ETag");
        }
        if (status == "201" || status == "202") && spec.method == Method::POST {
            told.push("Location");
        }
        response["headers"] = headers(&told);
        add_examples(response, schemas);
    }
    if doc.versioned && spec.method == Method::GET {
        operation["responses"]["304"] =
            json!({ "description": "It is still the version in If-None-Match.", "headers": headers(&["ETag"]) });
    }
}

/// The words that operations are grouped by, each with what is under it.
pub(super) fn tags(document: &mut Value) {
    let mut used: Vec<String> = Vec::new();
    for item in document["paths"].as_object().into_iter().flatten().flat_map(|(_, item)| item.as_object()).flatten() {
        used.extend(item.1["tags"].as_array().into_iter().flatten().filter_map(|tag| Some(tag.as_str()?.to_owned())));
    }
    used.sort();
    used.dedup();
    document["tags"] =
        used.iter().map(|tag| json!({ "name": tag, "description": words::of_tag(tag) })).collect::<Vec<_>>().into();
    document["info"]["license"] = json!({ "name": "Apache-2.0", "identifier": "Apache-2.0" });
}

fn path_parameters(path: &str) -> Vec<Value> {
    let parts: Vec<&str> = path.split('/').collect();
    let pairs = parts.windows(2).filter_map(|pair| Some((pair[0], pair[1].strip_prefix('{')?.strip_suffix('}')?)));
    pairs
        .map(|(noun, name)| {
            let (schema, description) = match name {
                "number" => (
                    json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": 10 }),
                    "The condition's place, from 1.".to_owned(),
                ),
                _ => {
                    let one = noun.trim_end_matches('s').replace('-', " ");
                    let one = name.strip_suffix("_id").map_or(one, |name| name.replace('_', " "));
                    (json!({ "type": "string", "format": "uuid" }), format!("The {one}'s id."))
                }
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema, "description": description })
        })
        .collect()
}

fn headers(names: &[&str]) -> Value {
    let reference = |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    names.iter().map(reference).collect::<Map<_, _>>().into()
}

/// `content` is looked for rather than indexed: an answer without a body must not get an empty one.
fn add_examples(of: &mut Value, schemas: &Value) {
    for (media_type, body) in of.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten() {
        if [super::JSON, MERGE_PATCH].contains(&media_type.as_str()) && body.get("example").is_none() {
            body["example"] = examples::of(&body["schema"], schemas);
        }
    }
}
