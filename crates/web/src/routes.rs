//! The route table: one line per route with its permission. What is not in it cannot be reached, and a test
//! walks it for every role.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, any, on};
use tower::ServiceExt;
use tower_http::csrf::CsrfLayer;

use crate::contract::Contract;
use crate::openapi::Doc;
use crate::{App, guard};

/// Under these, programs ask, and errors are problem+json even where there is no route.
const FOR_PROGRAMS: [&str; 7] =
    ["/v1/", "/auth/v1/", "/hooks/", "/rest/v1/", "/storage/v1/", "/functions/v1/", "/graphql/v1/"];

/// The code of an address that is there, but not for this method: answered with 405.
pub(crate) const METHOD_NOT_ALLOWED: &str = "method_not_allowed";

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, counted against the public rate limit.
    Public,
    /// Anybody signed in.
    SignedIn,
    /// Holders of this key, for one client within their reach.
    Client(&'static str),
    /// Holders of this key; the route is not about one client.
    Account(&'static str),
}

/// How a route answers, errors included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// HTML for people; nobody signed in is sent to the sign-in page.
    Page,
    /// JSON for programs; errors are problem+json.
    Api,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub struct RouteSpec {
    /// The method.
    pub method: Method,
    /// The path with `{parameters}`.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// How it answers.
    pub kind: Kind,
    /// Whether a form on another site may be sent here; only where no cookie decides anything.
    pub cross_site: bool,
    /// What the OpenAPI document says of it.
    pub doc: Option<Arc<Doc>>,
    /// What of that each request is held against.
    pub(crate) contract: Option<Arc<Contract>>,
}

impl RouteSpec {
    /// Whether it stands for what is not in the table.
    pub(crate) fn is_unlisted(&self) -> bool {
        self.path.is_empty()
    }
}

/// A growing route table.
pub struct Routes {
    app: App,
    router: Router<App>,
    table: Vec<RouteSpec>,
}

impl Routes {
    /// An empty table.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), router: Router::new(), table: Vec::new() }
    }

    /// A console page or form about the client named by `{client}` in the path.
    #[must_use]
    pub fn page<H: Handler<T, App>, T: 'static>(
        self,
        method: Method,
        path: &'static str,
        permission: &'static str,
        handler: H,
    ) -> Self {
        self.add(spec(method, path, Access::Client(permission), Kind::Page), handler)
    }

    /// A console page or form of the account, not about one client.
    #[must_use]
    pub fn account_page<H: Handler<T, App>, T: 'static>(
        self,
        method: Method,
        path: &'static str,
        permission: &'static str,
        handler: H,
    ) -> Self {
        self.add(spec(method, path, Access::Account(permission), Kind::Page), handler)
    }

    /// A console page or form for anybody signed in.
    #[must_use]
    pub fn signed_in<H: Handler<T, App>, T: 'static>(self, method: Method, path: &'static str, handler: H) -> Self {
        self.add(spec(method, path, Access::SignedIn, Kind::Page), handler)
    }

    /// A page for strangers, which may be embedded in other sites: no cookie counts here.
    #[must_use]
    pub fn public<H: Handler<T, App>, T: 'static>(self, method: Method, path: &'static str, handler: H) -> Self {
        self.add(RouteSpec { cross_site: true, ..spec(method, path, Access::Public, Kind::Page) }, handler)
    }

    /// A page for strangers that gives or reads a cookie, such as signing in: forms of other sites are refused.
    #[must_use]
    pub fn entrance<H: Handler<T, App>, T: 'static>(self, method: Method, path: &'static str, handler: H) -> Self {
        self.add(spec(method, path, Access::Public, Kind::Page), handler)
    }

    /// A JSON route for strangers: signing in, providers' callbacks, health.
    #[must_use]
    pub fn public_api<H: Handler<T, App>, T: 'static>(self, method: Method, path: &'static str, handler: H) -> Self {
        self.add(spec(method, path, Access::Public, Kind::Api), handler)
    }

    /// A REST route about one client: the key's, the `Ace-Client` header's, or the only one within reach.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "one line of the table")]
    pub fn api<H: Handler<T, App>, T: 'static>(
        self,
        method: Method,
        path: &'static str,
        permission: &'static str,
        handler: H,
        doc: Doc,
    ) -> Self {
        self.add(
            RouteSpec { doc: Some(Arc::new(doc)), ..spec(method, path, Access::Client(permission), Kind::Api) },
            handler,
        )
    }

    /// A REST route of the account, not about one client.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "one line of the table")]
    pub fn account_api<H: Handler<T, App>, T: 'static>(
        self,
        method: Method,
        path: &'static str,
        permission: &'static str,
        handler: H,
        doc: Doc,
    ) -> Self {
        self.add(
            RouteSpec { doc: Some(Arc::new(doc)), ..spec(method, path, Access::Account(permission), Kind::Api) },
            handler,
        )
    }

    /// A REST route for any person or key.
    #[must_use]
    pub fn signed_in_api<H: Handler<T, App>, T: 'static>(
        self,
        method: Method,
        path: &'static str,
        handler: H,
        doc: Doc,
    ) -> Self {
        self.add(RouteSpec { doc: Some(Arc::new(doc)), ..spec(method, path, Access::SignedIn, Kind::Api) }, handler)
    }

    /// All routes of another table as well.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.table.extend(other.table);
        self
    }

    /// The table, for tests and the OpenAPI document.
    pub fn table(&self) -> &[RouteSpec] {
        &self.table
    }

    /// Extra state that handlers of this table take by `axum::Extension`.
    #[must_use]
    pub fn extension<V: Clone + Send + Sync + 'static>(mut self, value: V) -> Self {
        self.router = self.router.layer(axum::Extension(value));
        self
    }

    /// The router, with an error in the right shape for what is not in the table.
    pub fn into_router(self) -> Router {
        let app = self.app.clone();
        let unlisted = |handler: MethodRouter<App>| -> MethodRouter {
            handler.layer(middleware::from_fn_with_state(app.clone(), admit_unlisted)).with_state(app.clone())
        };
        let no_route = unlisted(any(|| async { crate::Failure::from(kernel::Error::NotFound) }));
        let no_method = unlisted(any(|| async { crate::Failure::from(method_not_allowed()) }));
        let router = self.router.method_not_allowed_fallback(move |request: Request| no_method.oneshot(request));
        router.fallback_service(no_route).with_state(app)
    }

    fn add<H: Handler<T, App>, T: 'static>(mut self, mut spec: RouteSpec, handler: H) -> Self {
        spec.contract = spec.doc.as_deref().map(|doc| Arc::new(Contract::new(&spec, doc)));
        let filter = MethodFilter::try_from(spec.method.clone()).unwrap_or(MethodFilter::GET);
        let layer = middleware::from_fn_with_state(
            (self.app.clone(), spec.clone()),
            |state: axum::extract::State<(App, RouteSpec)>, request: Request, next: Next| {
                guard::admit(state, request, next)
            },
        );
        let same_site = (spec.kind == Kind::Page && !spec.cross_site)
            .then(|| CsrfLayer::new().with_rejection_response(guard::from_elsewhere));
        let route = on(filter, handler);
        let route = match same_site {
            Some(same_site) => route.layer(same_site).layer(layer),
            None => route.layer(layer),
        };
        self.router = self.router.route(spec.path, route);
        self.table.push(spec);
        self
    }
}

fn spec(method: Method, path: &'static str, access: Access, kind: Kind) -> RouteSpec {
    RouteSpec { method, path, access, kind, cross_site: false, doc: None, contract: None }
}

/// The guard of what is not in the table.
async fn admit_unlisted(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let kind = if is_of_programs(path) { Kind::Api } else { Kind::Page };
    guard::admit(State((app, unlisted(kind))), request, next).await
}

/// Whether programs ask under a path. What looks there like a page of a client whose word is `v1` is no page.
pub(crate) fn is_of_programs(path: &str) -> bool {
    FOR_PROGRAMS.iter().any(|prefix| path.starts_with(prefix) || path == prefix.trim_end_matches('/'))
}

/// The line of what is not in the table.
pub(crate) fn unlisted(kind: Kind) -> RouteSpec {
    RouteSpec { cross_site: true, ..spec(Method::GET, "", Access::Public, kind) }
}

fn method_not_allowed() -> kernel::Error {
    kernel::Error::conflict(METHOD_NOT_ALLOWED, "This address does not take that method; the Allow header says which.")
}
