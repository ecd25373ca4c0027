//! The guard in front of every route: who is calling, for which client, with which permission.
//!
//! The order matters. Nobody known: 401 or the sign-in page. A client out of reach: 404, the same answer as for
//! one that does not exist. Only then a missing permission: 403. Every 403, the guard's or a handler's, leaves an audit
//! row in the name of the caller, and so does a client out of reach or not there. A 404 of a handler leaves none: rows
//! are deleted and links go stale, and row-level security does not say which it was.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::RequestExt;
use axum::body::HttpBody;
use axum::extract::{DefaultBodyLimit, RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use database::Statement;
use futures_util::FutureExt;
use kernel::error::CanFail;
use kernel::{Error, Origin, Result, page};
use serde_json::{Value, json};
use tower_http::csrf::ProtectionError;
use uuid::Uuid;

use crate::caller::{Caller, ClientRef};
use crate::failure::{self, Failure};
use crate::flash::Flash;
use crate::limits::{Key, Left, Rule};
use crate::respond::set_cookie;
use crate::routes::{Access, Kind, RouteSpec};
use crate::{App, beside, contract, extract, fetch, idempotency, identity, limits, routes, visitor};

/// The code of the answer to people who must set up a second factor first.
pub(crate) const SECOND_FACTOR_REQUIRED: &str = "second_factor_required";

database::statement! {
    /// A client by the word in URLs; row-level security leaves out what is not within reach.
    pub(crate) CLIENT_BY_SLUG, app, "
        select id, org_id, slug, name, time_zone, archived_at is not null as archived
        from clients
        where slug = $1";
    /// A client by id; row-level security leaves out what is not within reach.
    CLIENT_BY_ID, app, "
        select id, org_id, slug, name, time_zone, archived_at is not null as archived
        from clients
        where id = $1";
    /// The first clients within reach, for the switcher and for callers with just one.
    pub(crate) CLIENTS_WITHIN_REACH, app, "
        select id, org_id, slug, name, time_zone, archived_at is not null as archived
        from clients
        where archived_at is null
        order by name, id
        limit 20"
}

/// Where strangers are answered, and whoever is signed in keeps their navigation: addresses that are none, and the help that
/// programmers are sent to.
const FRAMED: [&str; 2] = ["", "/help/errors"];

/// Marks an answer of the guard itself: the handler was not reached. For the tests that walk the route table.
#[derive(Debug, Clone, Copy)]
pub struct TurnedAway;

/// Who is calling, as far as the guard got, and what they have left of their rate.
#[derive(Default)]
struct Admitted {
    caller: Option<Caller>,
    left: Option<Left>,
}

/// Admits or refuses a request, and dresses the error of whatever refused it.
pub(crate) async fn admit(State((app, spec)): State<(App, RouteSpec)>, mut request: Request, next: Next) -> Response {
    // before anybody is looked up: nothing that another page does in somebody's name leaves a trace in it
    if spec.kind == Kind::Page && !spec.cross_site && !fetch::is_ours(request.method(), request.headers()) {
        let mut response = elsewhere();
        response.extensions_mut().insert(TurnedAway);
        return response;
    }
    let origin = visitor::origin_of(&app, request.headers(), request.extensions());
    request.extensions_mut().insert(origin.clone());
    let (uri, htmx) = (request.uri().clone(), request.headers().contains_key("hx-request"));
    if spec.kind == Kind::Page && routes::is_of_programs(uri.path()) {
        return of_programs(&app, &uri, htmx, origin.request_id);
    }
    let from = fetch::page_of_form(request.method(), request.headers());
    let named = client_header(request.headers()).ok().flatten();
    let (known, last) = (Known::of(&request), beside::last_client(request.headers()));
    let mut admitted = Admitted::default();
    let checked = check(&app, &spec, &mut request, (&origin, &mut admitted)).await;
    let turned_away = checked.is_err();
    let response = match checked {
        Ok(()) => run(&app, &spec, admitted.caller.as_ref(), request, next).await,
        Err(error) => Failure::from(error).into_response(),
    };
    if let (Some(caller), Some(error)) = (&admitted.caller, failure::error_of(&response)) {
        let recorded = match error {
            Error::Forbidden { permission } => {
                let client_id = caller.client.as_ref().map(|client| client.id);
                record_refusal(
                    &app,
                    caller,
                    ("role_permissions", client_id),
                    json!({ "permission": permission, "path": uri.path() }),
                )
                .await
            }
            // The guard itself looks for nothing but the client. A tab that goes on asking for its live parts is no try.
            Error::NotFound if turned_away && !htmx => {
                record_refusal(&app, caller, ("clients", None), json!({ "client": named, "path": uri.path() })).await
            }
            _ => Ok(()),
        };
        recorded.can_fail("the answer is a refusal all the same");
    }
    let (request_id, caller) = (origin.request_id, admitted.caller);
    let asked = failure::Asked { spec: &spec, uri: &uri, from, htmx, request_id, caller };
    let at = failure::client_of(&asked).map(|client| client.slug.clone());
    let mut response = failure::dress(&app, asked, response);
    beside::remember(&app, (at, last), &mut response);
    if spec.kind == Kind::Api {
        response = known.spare(response);
    }
    if spec.kind == Kind::Api && spec.access != Access::Public {
        // what a token opened is the caller's alone, and some answers hold a secret that is told once
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    // after the dressing: what is left is told beside an error as well
    if let Some(left) = admitted.left {
        left.tell(response.headers_mut());
    }
    if turned_away {
        response.extensions_mut().insert(TurnedAway);
    }
    response
}

/// There is no such page, said as programs read it.
fn of_programs(app: &App, uri: &Uri, htmx: bool, request_id: Uuid) -> Response {
    let spec = routes::unlisted(Kind::Api);
    let asked = failure::Asked { spec: &spec, uri, from: None, htmx, request_id, caller: None };
    failure::dress(app, asked, Failure::from(Error::NotFound).into_response())
}

/// What strangers may send in one body: a form with some long answers.
const MOST_OF_STRANGERS: usize = 100_000;
/// What a form of the console may hold: a landing page, written in percent signs. Files have limits of their own. A page that
/// comes back with what was typed may be five times as long.
pub(crate) const MOST_OF_FORMS: usize = 400_000;

/// What may stand behind the path of a page: a search stands in it once, and in the links of the page many times.
const MOST_IN_A_QUERY: usize = 4_000;

/// Keeps a request to what is taken there. A stranger's body is refused by what it says of its length, before it is read.
fn limit_size(spec: &RouteSpec, request: &mut Request) -> Result<()> {
    if spec.kind == Kind::Page && request.uri().query().is_some_and(|query| query.len() > MOST_IN_A_QUERY) {
        return Err(Error::invalid("", "this address is longer than is taken here: search for less"));
    }
    let most = match (&spec.access, spec.kind) {
        (Access::Public, _) => MOST_OF_STRANGERS,
        (_, Kind::Page) => MOST_OF_FORMS,
        (_, Kind::Api) => return Ok(()),
    };
    // at least as long as the request says it is
    if spec.access == Access::Public && request.body().size_hint().lower() > most as u64 {
        return Err(extract::too_large());
    }
    DefaultBodyLimit::max(most).apply(request);
    Ok(())
}

/// Runs the handler: once for each `Idempotency-Key`, and answering 500 when it panics.
async fn run(app: &App, spec: &RouteSpec, caller: Option<&Caller>, mut request: Request, next: Next) -> Response {
    if spec.kind == Kind::Api
        && let Err(error) = contract::encoding(request.headers())
    {
        return Failure::from(error).into_response();
    }
    if let Err(error) = limit_size(spec, &mut request) {
        return Failure::from(error).into_response();
    }
    let Some(caller) = caller else { return survive(next.run(request)).await };
    request.extensions_mut().insert(caller.clone());
    if let Some(contract) = &spec.contract {
        if let Err(error) = contract.admit(&request) {
            return Failure::from(error).into_response();
        }
        request.extensions_mut().insert(Arc::clone(contract));
    }
    let list = list_of(app, spec, caller, &request);
    page::of_list(list, answer(app, spec, caller, request, next)).await
}

/// The handler's answer, once for each `Idempotency-Key`.
async fn answer(app: &App, spec: &RouteSpec, caller: &Caller, request: Request, next: Next) -> Response {
    if spec.kind == Kind::Api && request.method() == Method::POST && request.headers().contains_key(idempotency::HEADER)
    {
        return idempotency::run(app, caller, request, next).await;
    }
    let mut response = survive(next.run(request)).await;
    if caller.flash.is_some() && !response.status().is_redirection() {
        set_cookie(&mut response, &Flash::spent());
    }
    response
}

/// Which list a request is about: its address and what it leaves out, for one client. A cursor leads on in this list only.
/// A page of the console may drop filters that say nothing from its links, so that there the address alone counts.
fn list_of(app: &App, spec: &RouteSpec, caller: &Caller, request: &Request) -> page::List {
    let query = request.uri().query().filter(|_| spec.kind == Kind::Api).unwrap_or_default();
    let mut pairs: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
    pairs.retain(|(name, _)| name != "limit" && name != "after");
    pairs.sort();
    let client = caller.client.as_ref().map(|client| client.id).unwrap_or_default();
    let list = format!("{} {client} {pairs:?}", request.uri().path());
    page::List(app.keyring.fingerprint("page cursor", list.as_bytes()))
}

/// The version of an answer that a reader has already.
struct Known {
    reads: bool,
    tags: Vec<String>,
}

impl Known {
    fn of(request: &Request) -> Self {
        let lines = request.headers().get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
        let tags = lines.flat_map(|line| line.split(',')).map(|tag| tag.trim().trim_start_matches("W/").to_owned());
        Self { reads: request.method() == Method::GET, tags: tags.filter(|tag| !tag.is_empty()).collect() }
    }

    /// The answer without its body when the reader has it.
    fn spare(&self, mut response: Response) -> Response {
        let etag = response.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        let has = !etag.is_empty() && self.tags.iter().any(|tag| tag == "*" || tag == etag);
        if self.reads && has && response.status() == StatusCode::OK {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = axum::body::Body::empty();
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        response
    }
}

/// A panic in a handler is a bug that is logged and answered with its id, not a broken connection.
pub(crate) async fn survive(handler: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(handler).catch_unwind().await.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Failure(Error::Internal(format!("a handler panicked: {}", text.unwrap_or("no text")))).into_response()
    })
}

/// The answer to a form that another site sent in the name of the person.
pub(crate) fn from_elsewhere(_: ProtectionError) -> Response {
    elsewhere()
}

fn elsewhere() -> Response {
    (StatusCode::FORBIDDEN, "This was asked for by another site or page. Open the page here and try again.")
        .into_response()
}

/// Fills in `admitted` as far as it gets, so that a refusal can still say whom it met.
async fn check(
    app: &App,
    spec: &RouteSpec,
    request: &mut Request,
    (origin, admitted): (&Origin, &mut Admitted),
) -> Result<()> {
    if spec.access == Access::Public {
        count(app, spec, limits::public(app, spec, origin), &mut admitted.left)?;
        if FRAMED.contains(&spec.path) && spec.kind == Kind::Page {
            admitted.caller = beside::lost(app, (request.uri(), request.headers()), origin).await;
        }
        return Ok(());
    }
    let caller = identity::of_request(app, spec.kind, request.headers(), origin).await?;
    let caller = admitted.caller.insert(caller);
    count(app, spec, limits::caller(app, caller, spec.kind), &mut admitted.left)?;
    must_enrol(caller, spec)?;
    if spec.kind == Kind::Page {
        beside::look_around(app, caller, (request.uri(), request.headers())).await?;
    }
    if let Access::Client(_) = spec.access {
        let client = client_of(app, spec, request, caller).await;
        if spec.kind == Kind::Page {
            let own = client.as_ref().ok().cloned();
            beside::keep(app, caller, (own, request.headers())).await?;
        }
        caller.client = Some(client?);
    } else if spec.kind == Kind::Page && !spec.path.starts_with("/admin") && spec.path != "/" {
        beside::keep(app, caller, (None, request.headers())).await?;
    }
    let allowed = match spec.access {
        Access::Client(permission) | Access::Account(permission) => caller.require(permission),
        Access::SignedIn | Access::Public => Ok(()),
    };
    if allowed.is_err() && spec.kind == Kind::Page && caller.beside.is_none() {
        beside::keep(app, caller, (None, request.headers())).await?;
    }
    allowed?;
    refuse_archived(caller, spec)
}

/// What may be done with a client that was archived: bring it back, and take its data along.
const OF_ARCHIVED: [&str; 7] = [
    "/{client}/settings/archive",
    "/{client}/contacts/export",
    "/{client}/contacts/bulk/export",
    "/{client}/imports/{id}/refused",
    "/{client}/imports/{id}/remarks",
    "/{client}/campaigns/{campaign}/mail-file",
    "/v1/campaigns/{id}/mail-file",
];

/// An archived client is read and not changed: no list, contact, import, key or campaign of it comes or goes.
fn refuse_archived(caller: &Caller, spec: &RouteSpec) -> Result<()> {
    let archived = caller.client.as_ref().is_some_and(|client| client.archived);
    if archived && spec.method != Method::GET && !OF_ARCHIVED.contains(&spec.path) {
        return Err(Error::conflict(
            "client_archived",
            "This client was archived: bring it back before changing anything.",
        ));
    }
    Ok(())
}

/// Counts the request, and notes for programs what is left, be it nothing.
fn count(app: &App, spec: &RouteSpec, counted: Option<(Rule, Key)>, left: &mut Option<Left>) -> Result<()> {
    let Some((rule, key)) = counted.filter(|(rule, _)| rule.requests > 0) else { return Ok(()) };
    let spent = app.limits.spend(rule, &key);
    if spec.kind == Kind::Api {
        *left = Some(spent.as_ref().map_or_else(|_| Left::nothing(rule), |left| *left));
    }
    spent.map(drop)
}

/// Where an organization requires a second factor, nothing but setting it up is open without one.
fn must_enrol(caller: &Caller, spec: &RouteSpec) -> Result<()> {
    let missing = caller.user.as_ref().is_some_and(|user| user.must_enrol);
    let open = spec.access == Access::SignedIn && (spec.path.starts_with("/account") || spec.path == "/sign-out");
    if missing && !open {
        Err(Error::conflict(
            SECOND_FACTOR_REQUIRED,
            "Your organization requires a second factor. Set one up under your account first.",
        ))
    } else {
        Ok(())
    }
}

/// The client a request is about. Out of reach and not existing are one and the same here.
async fn client_of(app: &App, spec: &RouteSpec, request: &mut Request, caller: &Caller) -> Result<ClientRef> {
    if spec.kind == Kind::Page {
        let params = request.extract_parts::<RawPathParams>().await.map_err(|_| Error::NotFound)?;
        let slug = params.iter().find(|(name, _)| *name == "client").map(|(_, value)| value.to_owned());
        let slug = slug.filter(|slug| !slug.contains('\0')).ok_or(Error::NotFound)?;
        return find(app, caller, &CLIENT_BY_SLUG, &slug).await;
    }
    if let Some(id) = client_header(request.headers())? {
        return find(app, caller, &CLIENT_BY_ID, &id).await;
    }
    let mut clients: Vec<ClientRef> = caller.scope(app).query(&CLIENTS_WITHIN_REACH, &[]).await?;
    match clients.len() {
        0 => Err(Error::NotFound),
        1 => Ok(clients.remove(0)),
        _ => Err(Error::invalid("Ace-Client", "name the client in the Ace-Client header: this token reaches several")),
    }
}

fn client_header(headers: &HeaderMap) -> Result<Option<Uuid>> {
    let Some(value) = headers.get("ace-client") else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| Uuid::parse_str(text).ok());
    id.map(Some).ok_or(Error::NotFound)
}

async fn find(
    app: &App,
    caller: &Caller,
    statement: &Statement,
    key: &(dyn database::ToSql + Sync),
) -> Result<ClientRef> {
    caller.scope(app).query_one(statement, &[key]).await
}

/// In the caller's own name: every caller may write the record of what they did.
async fn record_refusal(
    app: &App,
    caller: &Caller,
    (table, client_id): (&str, Option<Uuid>),
    refused: Value,
) -> Result<()> {
    let scope = caller.scope(app);
    let tx = scope.transaction().await?;
    let what = database::Audited { client_id, after: Some(refused), ..Default::default() };
    tx.audit("authorization.refused", table, None, what).await?;
    tx.commit().await
}

/// The token of an `Authorization: Bearer …` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    // the scheme in any case (RFC 9110, 11.1)
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
