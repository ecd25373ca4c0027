//! The OpenAPI document is made from the route table: a route cannot be forgotten, nor its permission.

mod examples;
mod finish;
mod manners;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::{Map, Value, json};
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, Parameter, ParameterIn, PathItem, Paths};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ComponentsBuilder, Content, InfoBuilder, OpenApiBuilder, Ref, RefOr, Required, Response,
    ResponseBuilder, Schema,
};
use utoipa::{IntoParams, ToSchema};

use crate::failure::Problem;
use crate::routes::{Access, RouteSpec};

/// What the document says of one route.
#[derive(Debug, Clone, Default)]
pub struct Doc {
    summary: &'static str,
    description: &'static str,
    parameters: Vec<Parameter>,
    /// The words that parameters take.
    lists: Vec<(String, Vec<&'static str>)>,
    requests: Vec<(&'static str, Content)>,
    responses: Vec<(u16, Option<(&'static str, Content)>)>,
    versioned: bool,
    in_place: bool,
    answers_else: bool,
    conflicts: bool,
    /// Names and schemas of what is taken.
    inputs: Vec<(String, RefOr<Schema>)>,
    /// Names and schemas of what is answered.
    outputs: Vec<(String, RefOr<Schema>)>,
    /// The name of what a merge patch changes.
    patched: Option<String>,
}

impl Doc {
    /// A route with a summary: a verb and its noun.
    pub fn new(summary: &'static str) -> Self {
        Self { summary, ..Self::default() }
    }

    /// More than the summary says.
    #[must_use]
    pub fn describe(mut self, text: &'static str) -> Self {
        self.description = text;
        self
    }

    /// The query parameters.
    #[must_use]
    pub fn query<P: IntoParams>(mut self) -> Self {
        self.parameters.extend(P::into_params(|| Some(ParameterIn::Query)));
        self
    }

    /// The parameter `name` takes only the words of `list` (`CampaignStatus`), or `more`.
    #[must_use]
    pub fn words(mut self, name: &str, list: &str, more: &[&'static str]) -> Self {
        self.lists.extend(words::list(list).map(|words| (name.to_owned(), [words, more].concat())));
        self
    }

    /// The JSON body.
    #[must_use]
    pub fn body<T: ToSchema>(mut self) -> Self {
        self.requests.push((JSON, reference(T::name())));
        note::<T>(&mut self.inputs);
        self
    }

    /// A JSON merge patch (RFC 7396) of a `T`, which the handler takes as [`crate::Patch`].
    #[must_use]
    pub fn patch<T: ToSchema>(mut self) -> Self {
        for media_type in [JSON, MERGE_PATCH] {
            self.requests.push((media_type, reference(finish::patch_name(&T::name()))));
        }
        note::<T>(&mut self.inputs);
        self.patched = Some(T::name().into_owned());
        self
    }

    /// A body of another media type, such as `text/csv`.
    #[must_use]
    pub fn raw_body(mut self, media_type: &'static str) -> Self {
        let bytes = json!({ "type": "string", "format": "binary" });
        self.requests.extend(inline(bytes).map(|content| (media_type, content)));
        self
    }

    /// A form with the part `file`, beside another body or instead of one.
    #[must_use]
    pub fn file_body(mut self) -> Self {
        let file = json!({ "type": "string", "contentMediaType": "application/octet-stream" });
        let schema = json!({ "type": "object", "required": ["file"], "properties": { "file": file } });
        self.requests.extend(inline(schema).map(|content| ("multipart/form-data", content)));
        self
    }

    /// The JSON of a successful answer (200).
    #[must_use]
    pub fn returns<T: ToSchema>(self) -> Self {
        self.returns_with::<T>(200)
    }

    /// The JSON of a successful answer with another status, such as 201.
    #[must_use]
    pub fn returns_with<T: ToSchema>(mut self, status: u16) -> Self {
        self.responses.push((status, Some((JSON, reference(T::name())))));
        note::<T>(&mut self.outputs);
        self
    }

    /// A successful answer (200) of another media type, such as `text/csv`.
    #[must_use]
    pub fn returns_text(mut self, media_type: &'static str) -> Self {
        self.responses.push((200, text(media_type).map(|content| (media_type, content))));
        self
    }

    /// A successful answer (200) that is one array.
    #[must_use]
    pub fn returns_array_of<T: ToSchema>(mut self) -> Self {
        note::<T>(&mut self.outputs);
        let items = json!({ "$ref": format!("#/components/schemas/{}", T::name()) });
        let schema = json!({ "type": "array", "items": items });
        self.responses.push((200, inline(schema).map(|content| (JSON, content))));
        self
    }

    /// It has a version: answers tell it as `ETag`, changes take it as `If-Match`.
    #[must_use]
    pub fn versioned(mut self) -> Self {
        self.versioned = true;
        self
    }

    /// It changes what is found at its own path, although that names no row: `If-Match` is about that.
    #[must_use]
    pub fn in_place(mut self) -> Self {
        self.in_place = true;
        self
    }

    /// Its answer is something else than what has the version, and so has none.
    #[must_use]
    pub fn answers_else(mut self) -> Self {
        self.answers_else = true;
        self
    }

    /// It can be refused for what is there (409), although it only reads.
    #[must_use]
    pub fn may_conflict(mut self) -> Self {
        self.conflicts = true;
        self
    }

    /// A page of a list: `data` and `next`.
    #[must_use]
    pub fn returns_page_of<T: ToSchema>(mut self) -> Self {
        note::<T>(&mut self.outputs);
        let schema = json!({
            "type": "object",
            "required": ["data", "next"],
            "properties": {
                "data": {
                    "type": "array", "description": "The rows of this page.",
                    "items": { "$ref": format!("#/components/schemas/{}", T::name()) },
                },
                "next": { "type": ["string", "null"], "description": "Cursor of the next page; null on the last one." },
            },
        });
        self.responses.push((200, inline(schema).map(|content| (JSON, content))));
        self
    }

    /// A successful answer without a body.
    #[must_use]
    pub fn returns_nothing(mut self) -> Self {
        self.responses.push((204, None));
        self
    }

    /// The media types of a body that is taken.
    pub(crate) fn media_types(&self) -> Vec<&'static str> {
        self.requests.iter().map(|(media_type, _)| *media_type).collect()
    }

    /// The schema of the JSON body; none where there is none, or where a patch is checked once it is merged.
    pub(crate) fn json_body(&self) -> Option<Value> {
        let json = self.requests.iter().find(|(media_type, _)| *media_type == JSON && self.patched.is_none())?;
        serde_json::to_value(json.1.schema.as_ref()?).ok()
    }

    /// The parameters of the query as the document shows them.
    pub(crate) fn query_parameters(&self) -> Vec<Value> {
        let mut parameters: Vec<Value> =
            self.parameters.iter().filter_map(|parameter| finish::parameter(parameter).ok()).collect();
        for (name, words) in &self.lists {
            if let Some(parameter) = parameters.iter_mut().find(|parameter| parameter["name"] == name.as_str()) {
                parameter["schema"]["enum"] = json!(words);
            }
        }
        parameters
    }

    /// The schemas of what is taken, as the document shows them.
    pub(crate) fn input_schemas(&self) -> Map<String, Value> {
        let schemas = self.inputs.iter().filter_map(|(name, schema)| Some((name, serde_json::to_value(schema).ok()?)));
        let finished = schemas.map(|(name, schema)| (name.clone(), finish::schema(name, schema, true)));
        // a wrong word is named by the domain, beside everything else that it finds
        let words = words::components().into_iter().map(|(name, _)| (name, json!({ "type": "string" })));
        words.chain(finished).collect()
    }

    /// The name of what a patch changes.
    pub(crate) fn patched(&self) -> Option<&str> {
        self.patched.as_deref()
    }

    /// Whether a request to `path` is about something that has a version already.
    pub(crate) fn is_versioned(&self, path: &str) -> bool {
        self.versioned && (self.in_place || path.contains('{'))
    }
}

/// JSON as it is usually sent.
pub(crate) const JSON: &str = "application/json";
/// JSON of which only the fields given change something.
pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";

fn reference(name: impl Into<String>) -> Content {
    Content::new(Some(RefOr::<Schema>::Ref(Ref::from_schema_name(name))))
}

fn note<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

fn inline(schema: Value) -> Option<Content> {
    serde_json::from_value::<RefOr<Schema>>(schema).ok().map(|schema| Content::new(Some(schema)))
}

fn text(media_type: &str) -> Option<Content> {
    inline(json!({ "type": "string", "contentMediaType": media_type }))
}

/// The document of all documented routes in `table`, as JSON.
///
/// # Errors
/// `Internal` when it cannot be written as JSON, or when two types have one name.
pub fn document(table: &[RouteSpec], public_url: &str) -> kernel::Result<Value> {
    let documented = || table.iter().filter_map(|spec| Some((spec, spec.doc.as_deref()?)));
    let document = OpenApiBuilder::new()
        .info(InfoBuilder::new().title("ACE").version("1").description(Some(ABOUT)).build())
        .servers(Some([utoipa::openapi::Server::new(public_url)]))
        .paths(paths(documented()))
        .components(Some(components()))
        .build();
    let mut document = serde_json::to_value(document).map_err(kernel::Error::internal)?;
    let schemas = schemas(documented().map(|(_, doc)| doc))?;
    let text = Value::from(schemas.clone()).to_string();
    let used = |name: &str| text.contains(&format!("\"#/components/schemas/{name}\""));
    let lists = words::components().into_iter().filter(|(name, _)| used(name));
    document["components"]["schemas"] = lists.chain(schemas.clone()).collect::<Map<_, _>>().into();
    manners::components(&mut document);
    let schemas = document["components"]["schemas"].clone();
    for (spec, doc) in documented() {
        let operation = &mut document["paths"][spec.path][spec.method.as_str().to_lowercase()];
        manners::operation(operation, spec, doc, &schemas);
    }
    manners::tags(&mut document);
    Ok(document)
}

/// Every schema by its name, once.
fn schemas<'a>(docs: impl Iterator<Item = &'a Doc> + Clone) -> kernel::Result<Map<String, Value>> {
    let taken: BTreeSet<&str> = docs.clone().flat_map(|doc| &doc.inputs).map(|(name, _)| name.as_str()).collect();
    let mut problem = vec![(Problem::name().into_owned(), <Problem as utoipa::PartialSchema>::schema())];
    Problem::schemas(&mut problem);
    let of_docs = docs.clone().flat_map(|doc| doc.inputs.iter().chain(&doc.outputs));
    let mut raw: BTreeMap<&str, Value> = BTreeMap::new();
    for (name, schema) in problem.iter().chain(of_docs) {
        let schema = serde_json::to_value(schema).map_err(kernel::Error::internal)?;
        match raw.get(name.as_str()) {
            Some(other) if *other != schema => {
                return Err(kernel::Error::internal(format!("two types have the schema name {name}")));
            }
            _ => raw.insert(name, schema),
        };
    }
    let mut whole: Map<String, Value> = raw
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), finish::schema(name, schema, taken.contains(name))))
        .collect();
    let bodies: Vec<Value> = docs.clone().filter_map(Doc::json_body).collect();
    for name in docs.filter_map(|doc| doc.patched.as_ref()) {
        let Some(input) = whole.get(name) else { continue };
        whole.insert(finish::patch_name(name), finish::patch(input));
        // what is only ever patched is not shown as a whole
        if !bodies.iter().any(|body| body["$ref"] == format!("#/components/schemas/{name}")) {
            whole.remove(name);
        }
    }
    Ok(whole)
}

const ABOUT: &str = "Direct mail that sees what recipients do and rewards them. Errors are problem+json (RFC 9457); \
    lists are pages with `limit`, `after` and `next`; what can be changed has an ETag.";

fn paths<'a>(documented: impl Iterator<Item = (&'a RouteSpec, &'a Doc)>) -> Paths {
    let mut paths = Paths::new();
    for (spec, doc) in documented {
        let item = PathItem::new(http_method(&spec.method), operation(spec, doc));
        match paths.paths.get_mut(spec.path) {
            Some(existing) => existing.merge_operations(item),
            None => {
                paths.paths.insert(spec.path.to_owned(), item);
            }
        }
    }
    paths
}

fn components() -> Components {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key (`ace_live_…`, `ace_test_…`) or an access token from /auth/v1/token."))
        .build();
    ComponentsBuilder::new().security_scheme("bearer", SecurityScheme::Http(bearer)).build()
}

fn operation(spec: &RouteSpec, doc: &Doc) -> Operation {
    let permission = match spec.access {
        Access::Client(key) | Access::Account(key) => format!("Needs the permission `{key}`."),
        Access::SignedIn => "For anybody signed in.".to_owned(),
        Access::Public => "Open to anybody.".to_owned(),
    };
    let mut builder = OperationBuilder::new()
        .operation_id(Some(operation_id(spec)))
        .summary(Some(doc.summary))
        .description(Some(format!("{} {permission}", doc.description).trim().to_owned()))
        .tag(spec.path.split('/').nth(2).unwrap_or("ace"));
    if !doc.requests.is_empty() {
        let body = doc
            .requests
            .iter()
            .fold(RequestBodyBuilder::new(), |body, (media_type, content)| body.content(*media_type, content.clone()));
        builder = builder.request_body(Some(body.required(Some(Required::True)).build()));
    }
    let mut statuses: Vec<u16> = doc.responses.iter().map(|(status, _)| *status).collect();
    statuses.dedup();
    for status in statuses {
        let contents = doc.responses.iter().filter(|(of, _)| *of == status).filter_map(|(_, content)| content.clone());
        builder = builder.response(status.to_string(), response(status, contents));
    }
    if spec.access != Access::Public {
        builder = builder.security(SecurityRequirement::new::<_, [&str; 0], &str>("bearer", []));
    }
    builder.build()
}

fn response(status: u16, contents: impl Iterator<Item = (&'static str, Content)>) -> Response {
    let description = match status {
        201 => "Made; Location says where it is.",
        202 => "Begun; it goes on in the background, and Location says where to look.",
        _ => "Done.",
    };
    let builder = ResponseBuilder::new().description(description);
    contents.fold(builder, |builder, (media_type, content)| builder.content(media_type, content)).build()
}

fn operation_id(spec: &RouteSpec) -> String {
    let path = spec.path.trim_start_matches("/v1/").replace(['{', '}'], "").replace(['/', '-', '.'], "_");
    format!("{}_{path}", spec.method.as_str().to_lowercase())
}

fn http_method(method: &Method) -> HttpMethod {
    match method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}
