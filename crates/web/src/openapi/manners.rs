//! What all operations have in common: headers, refusals, examples. Written onto the document once it is put together.

use serde_json::{Value, json};

use super::examples;
use crate::Method;
use crate::routes::{Access, RouteSpec};

/// The refusals, by status: their names as components, and what each means.
const REFUSALS: [(u16, &str, &str); 9] = [
    (401, "Unauthenticated", "No key or token, or one that is no longer good."),
    (403, "Forbidden", "A permission is missing; `detail` names it."),
    (404, "NotFound", "There is nothing here, or not for you: the two are answered alike."),
    (409, "Conflict", "What is there does not allow it; `code` says why."),
    (412, "PreconditionFailed", "Somebody changed it since the version in If-Match was read."),
    (413, "TooLarge", "The body is larger than is taken here."),
    (422, "Invalid", "The input is wrong; `errors` names every field."),
    (429, "TooManyRequests", "More requests than the limit allows; Retry-After says when to come back."),
    (500, "Failed", "A fault of ours, or (503) something out of reach; `request_id` finds it in the log."),
];

/// The parameters, answers and headers that operations refer to.
pub(super) fn components(document: &mut Value) {
    let text = json!({ "type": "string" });
    document["components"]["parameters"] = json!({
        "AceClient": {
            "name": "Ace-Client", "in": "header", "schema": { "type": "string", "format": "uuid" },
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
    });
    document["components"]["headers"] = json!({
        "ETag": { "schema": text, "description": "The version, for If-Match.", "example": "\"6364f1a2b3c40\"" },
        "RateLimit": { "schema": text, "description": "What is left: `r` requests; in `t` seconds all are back.", "example": "\"api\";r=97;t=2" },
        "RateLimit-Policy": { "schema": text, "description": "The rule: `q` requests in `w` seconds.", "example": "\"api\";q=100;w=60" },
        "Retry-After": { "schema": { "type": "integer" }, "description": "Seconds until the next request can succeed.", "example": 20 },
    });
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    for (status, name, meaning) in REFUSALS {
        let mut example = examples::of(&problem, &document["components"]["schemas"]);
        example["status"] = json!(status);
        if status != 422 {
            example["errors"] = json!([]);
        }
        let mut refusal = json!({
            "description": meaning,
            "content": { "application/problem+json": { "schema": problem, "example": example } },
        });
        if status == 429 {
            refusal["headers"] = headers(&["RateLimit", "RateLimit-Policy", "Retry-After"]);
        }
        document["components"]["responses"][name] = refusal;
    }
}

/// Adds to the operation of `spec` what the way it is guarded and called brings with it.
pub(super) fn operation(operation: &mut Value, spec: &RouteSpec, versioned: bool, schemas: &Value) {
    let changes = versioned && [Method::PUT, Method::PATCH].contains(&spec.method);
    let parameters = [
        ("AceClient", matches!(spec.access, Access::Client(_))),
        ("IdempotencyKey", spec.method == Method::POST),
        ("IfMatch", changes),
    ];
    for name in parameters.iter().filter(|(_, applies)| *applies).map(|(name, _)| name) {
        let parameter = json!({ "$ref": format!("#/components/parameters/{name}") });
        match operation["parameters"].as_array_mut() {
            Some(all) => all.push(parameter),
            None => operation["parameters"] = json!([parameter]),
        }
    }
    let mut told = vec!["RateLimit", "RateLimit-Policy"];
    if versioned {
        told.push("ETag");
    }
    for (_, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        response["headers"] = headers(&told);
        add_examples(&mut response["content"], schemas);
    }
    if let Some(body) = operation.get_mut("requestBody") {
        add_examples(&mut body["content"], schemas);
    }
    let takes_input = operation["requestBody"].is_object() || operation["parameters"].is_array();
    for (status, name, _) in REFUSALS {
        let applies = match status {
            401 | 403 => spec.access != Access::Public && (status == 401 || spec.access != Access::SignedIn),
            404 => spec.path.contains('{') || matches!(spec.access, Access::Client(_)),
            409 => spec.method != Method::GET,
            412 => changes,
            413 => operation["requestBody"].is_object(),
            422 => takes_input,
            _ => true,
        };
        if applies {
            operation["responses"][status.to_string()] = json!({ "$ref": format!("#/components/responses/{name}") });
        }
    }
}

fn headers(names: &[&str]) -> Value {
    let reference = |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    names.iter().map(reference).collect::<serde_json::Map<_, _>>().into()
}

fn add_examples(content: &mut Value, schemas: &Value) {
    for (media_type, body) in content.as_object_mut().into_iter().flatten() {
        if media_type == "application/json" && body.get("example").is_none() {
            body["example"] = examples::of(&body["schema"], schemas);
        }
    }
}
