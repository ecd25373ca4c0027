//! The OpenAPI document is made from the route table: a route cannot be forgotten, nor its permission.

mod examples;
mod manners;

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem, Paths,
};
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
    requests: Vec<(&'static str, Content)>,
    responses: Vec<(u16, Option<(&'static str, Content)>)>,
    versioned: bool,
    schemas: Vec<(String, RefOr<Schema>)>,
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

    /// The JSON body.
    #[must_use]
    pub fn body<T: ToSchema>(mut self) -> Self {
        let content = self.content::<T>();
        self.requests.push((JSON, content));
        self
    }

    /// A body of another media type, such as `text/csv`.
    #[must_use]
    pub fn raw_body(mut self, media_type: &'static str) -> Self {
        self.requests.extend(text(media_type).map(|content| (media_type, content)));
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
        let content = self.content::<T>();
        self.responses.push((status, Some((JSON, content))));
        self
    }

    /// A successful answer (200) of another media type, such as `text/csv`.
    #[must_use]
    pub fn returns_text(mut self, media_type: &'static str) -> Self {
        self.responses.push((200, text(media_type).map(|content| (media_type, content))));
        self
    }

    /// It has a version: answers tell it as `ETag`, changes take it as `If-Match`.
    #[must_use]
    pub fn versioned(mut self) -> Self {
        self.versioned = true;
        self
    }

    /// A page of a list: `data` and `next`.
    #[must_use]
    pub fn returns_page_of<T: ToSchema>(mut self) -> Self {
        self.note::<T>();
        let schema = json!({
            "type": "object",
            "required": ["data"],
            "properties": {
                "data": { "type": "array", "items": { "$ref": format!("#/components/schemas/{}", T::name()) } },
                "next": { "type": ["string", "null"], "description": "Cursor of the next page; absent on the last one." },
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

    fn content<T: ToSchema>(&mut self) -> Content {
        self.note::<T>();
        Content::new(Some(RefOr::<Schema>::Ref(Ref::from_schema_name(T::name()))))
    }

    fn note<T: ToSchema>(&mut self) {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
    }
}

const JSON: &str = "application/json";

fn inline(schema: Value) -> Option<Content> {
    serde_json::from_value::<RefOr<Schema>>(schema).ok().map(|schema| Content::new(Some(schema)))
}

fn text(media_type: &str) -> Option<Content> {
    inline(json!({ "type": "string", "contentMediaType": media_type }))
}

/// The document of all documented routes in `table`, as JSON.
///
/// # Errors
/// `Internal` when it cannot be written as JSON.
pub fn document(table: &[RouteSpec], public_url: &str) -> kernel::Result<Value> {
    let documented = || table.iter().filter_map(|spec| Some((spec, spec.doc.as_ref()?)));
    let mut schemas: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
    schemas.insert(Problem::name().into_owned(), <Problem as utoipa::PartialSchema>::schema());
    let mut nested = Vec::new();
    Problem::schemas(&mut nested);
    schemas.extend(nested);
    schemas.extend(documented().flat_map(|(_, doc)| doc.schemas.iter().cloned()));
    let document = OpenApiBuilder::new()
        .info(InfoBuilder::new().title("ACE").version("1").description(Some(ABOUT)).build())
        .servers(Some([utoipa::openapi::Server::new(public_url)]))
        .paths(paths(documented()))
        .components(Some(components(schemas)))
        .build();
    let mut document = serde_json::to_value(document).map_err(kernel::Error::internal)?;
    manners::components(&mut document);
    let schemas = document["components"]["schemas"].clone();
    for (spec, doc) in documented() {
        let operation = &mut document["paths"][spec.path][spec.method.as_str().to_lowercase()];
        manners::operation(operation, spec, doc.versioned, &schemas);
    }
    Ok(document)
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

fn components(schemas: BTreeMap<String, RefOr<Schema>>) -> Components {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key (`ace_live_…`, `ace_test_…`) or an access token from /auth/v1/token."))
        .build();
    ComponentsBuilder::new().schemas_from_iter(schemas).security_scheme("bearer", SecurityScheme::Http(bearer)).build()
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
    for parameter in path_parameters(spec.path).into_iter().chain(doc.parameters.iter().cloned()) {
        builder = builder.parameter(parameter);
    }
    if !doc.requests.is_empty() {
        let body = doc
            .requests
            .iter()
            .fold(RequestBodyBuilder::new(), |body, (media_type, content)| body.content(*media_type, content.clone()));
        builder = builder.request_body(Some(body.required(Some(Required::True)).build()));
    }
    for (status, content) in &doc.responses {
        builder = builder.response(status.to_string(), response(*status, content.clone()));
    }
    if spec.access != Access::Public {
        builder = builder.security(SecurityRequirement::new::<_, [&str; 0], &str>("bearer", []));
    }
    builder.build()
}

fn response(status: u16, content: Option<(&'static str, Content)>) -> Response {
    let description = match status {
        201 => "Made.",
        202 => "Begun; it goes on in the background.",
        _ => "Done.",
    };
    let builder = ResponseBuilder::new().description(description);
    match content {
        Some((media_type, content)) => builder.content(media_type, content).build(),
        None => builder.build(),
    }
}

fn path_parameters(path: &str) -> Vec<Parameter> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            let schema = serde_json::from_value::<RefOr<Schema>>(json!({ "type": "string" })).ok();
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(schema)
                .build()
        })
        .collect()
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
