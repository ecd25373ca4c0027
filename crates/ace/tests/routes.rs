//! The real route table, walked by every role, for a client within reach and for another's: who is let in, who is
//! told that it takes a permission, and who is told nothing.
//!
//! Being let in is told apart from being turned away by the mark the guard leaves on its own answers, which no visitor
//! sees. A 404 of a handler therefore never passes for one of the guard.
#![cfg(test)]

#[path = "../../database/tests/database/rows.rs"]
#[expect(dead_code, reason = "the tenant tests use all of it, this one makes rows only")]
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use kernel::role::Role;
use messaging::card_code::{CardRef, Part};
use testkit::story::Tenant;
use testkit::{Person, Reply, TestApp};
use tokio_postgres::Client;
use uuid::Uuid;
use web::{Access, Kind, Method, RouteSpec};

use rows::Maker;

/// Routes anybody may ask: each decides for itself.
const PUBLIC: &[&str] = &[
    // health, the document of the API, what browsers and crawlers fetch
    "GET /healthz",
    "GET /readyz",
    "GET /v1/openapi.json",
    "GET /v1/form-config.schema.json",
    "GET /robots.txt",
    "GET /favicon.ico",
    "GET /assets/{hash}/{*name}",
    "GET /assets/brand/{colour}",
    // signing in, and what leads there
    "GET /sign-in",
    "POST /sign-in",
    "GET /sign-in/code",
    "POST /sign-in/code",
    "GET /forgot",
    "POST /forgot",
    "GET /reset/{token}",
    "POST /reset/{token}",
    "GET /invitations/{token}",
    "POST /invitations/{token}",
    // what @supabase/supabase-js speaks: a token in the request says who is asking
    "POST /auth/v1/token",
    "GET /auth/v1/user",
    "PUT /auth/v1/user",
    "POST /auth/v1/logout",
    "POST /auth/v1/recover",
    "GET /auth/v1/verify",
    "POST /auth/v1/verify",
    "GET /auth/v1/.well-known/jwks.json",
    "GET /auth/v1/settings",
    "GET /auth/v1/health",
    // what recipients follow and fill in
    "GET /r/{token}",
    "GET /q/{token}",
    "GET /r/{token}/qr.svg",
    "GET /r/{token}/qr.png",
    "GET /p/{file}",
    "GET /f/{form}",
    "POST /f/{form}",
    // the provider's callbacks, signed
    "POST /hooks/twilio/sms-status/{message_id}",
];

/// Routes anybody signed in may use: about themselves.
const SIGNED_IN: &[&str] = &[
    "GET /",
    "POST /sign-out",
    "GET /account",
    "POST /account",
    "POST /account/password",
    "POST /account/email",
    "GET /account/email/{token}",
    "POST /account/email/{token}",
    "POST /account/sessions/{id}/revoke",
    "POST /account/sessions/revoke-others",
    "GET /account/second-factor",
    "POST /account/second-factor",
    "POST /account/second-factor/codes",
    "POST /account/second-factor/remove",
    "GET /v1/me",
];

/// What follows these words in a path is a row of these tables, found by this column.
const NOUNS: &[(&str, &str, &str)] = &[
    ("contacts", "contacts", "id"),
    ("lists", "contact_lists", "id"),
    ("imports", "imports", "id"),
    ("templates", "templates", "id"),
    ("landing-pages", "landing_pages", "id"),
    ("forms", "ace_forms", "id"),
    ("pools", "gift_card_pools", "id"),
    ("cards", "gift_cards", "id"),
    ("campaigns", "campaigns", "slug"),
    ("recipients", "recipients", "id"),
    ("desk", "recipients", "id"),
    ("calls", "call_sessions", "id"),
    ("numbers", "tracked_phone_numbers", "id"),
    ("messages", "messages", "id"),
    ("deliveries", "messages", "id"),
    ("api-keys", "api_keys", "id"),
];

/// Where a row that was only just made has no such thing yet.
const NOT_YET: &[&str] = &["GET /v1/campaigns/{id}/launch"];

/// The application with a row of every noun for Acme and for Corner Auto.
struct Walk {
    test: TestApp,
    admin: Client,
    of_acme: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    of_corner: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
}

/// What a route answered to somebody.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// The handler answered.
    LetIn,
    /// Sign in first.
    WhoAreYou,
    /// There is nothing here, or not for you.
    NothingHere,
    /// It takes a permission.
    NotAllowed,
    /// Something else, which is never right.
    Other(u16),
}

impl Walk {
    async fn new() -> Self {
        let test = TestApp::with(|settings| settings.limits.api_per_minute = 1_000_000, every_route).await;
        let admin = test.database.admin().await;
        let maker = Maker::read(&admin).await;
        let (acme, corner) = (test.story.acme.id, test.story.corner.id);
        let (of_acme, of_corner) = (one_of_each(&admin, &maker, acme).await, one_of_each(&admin, &maker, corner).await);
        for (client, rows) in [(acme, &of_acme), (corner, &of_corner)] {
            seal_card(&test, &admin, client, &rows["cards"]["id"]).await;
        }
        Self { test, admin, of_acme, of_corner }
    }

    fn table(&self) -> &[RouteSpec] {
        self.test.table()
    }

    /// The route's path with real words in it: those of a tenant whose rows these are.
    fn path(&self, spec: &RouteSpec, tenant: &Tenant) -> String {
        let rows = if tenant.id == self.test.story.corner.id { &self.of_corner } else { &self.of_acme };
        let mut before = "";
        let mut path = String::new();
        for part in spec.path.trim_start_matches('/').split('/') {
            path.push('/');
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                None => path.push_str(part),
                Some("client") => path.push_str(tenant.slug),
                Some(name) => path.push_str(&word(rows, spec, before, name, tenant)),
            }
            before = part;
        }
        path
    }

    async fn ask(&self, spec: &RouteSpec, path: &str, who: Option<&Person>, client: Uuid) -> Reply {
        let ask = match (spec.kind, &spec.method) {
            (Kind::Api, method) if *method == Method::GET => self.test.api(Method::GET, path),
            (Kind::Api, method) => self.test.api_json(method.clone(), path, &serde_json::json!({})),
            (Kind::Page, method) if *method == Method::GET => self.test.get(path),
            (Kind::Page, _) => self.test.post_form(path, &[("nothing", "")]),
        };
        let ask = if spec.kind == Kind::Api { ask.for_client(client) } else { ask };
        match who {
            Some(person) => ask.as_user(person).await,
            None => ask.await,
        }
    }

    /// Whoever signed out, or was deactivated, by a route that was walked is back for the next.
    async fn restore(&self) {
        let back = "update auth.users set deactivated_at = null;
                    update auth.sessions set revoked_at = null, expires_at = '2036-01-01', last_seen_at = null;
                    update clients set archived_at = null;
                    update organizations set archived_at = null, settings_json = '{}'";
        self.admin.batch_execute(back).await.unwrap();
    }
}

fn every_route(app: &web::App) -> web::Routes {
    let drivers = providers::Drivers::from_settings(&app.settings, &app.db, &app.keyring, &app.clock).unwrap();
    ace::assemble::routes(app, &drivers, &events::VisitWriter::start(&app.db))
}

async fn one_of_each(
    admin: &Client,
    maker: &Maker,
    client: Uuid,
) -> BTreeMap<&'static str, BTreeMap<&'static str, String>> {
    let mut rows = BTreeMap::new();
    for (noun, table, column) in NOUNS {
        let found_by = maker.fresh(admin, table, client).await;
        let row = admin.query_one(&format!("select id::text, {column}::text from {table} where {found_by}"), &[]).await;
        let row = row.unwrap();
        rows.insert(*noun, BTreeMap::from([("id", row.get(0)), ("word", row.get(1))]));
    }
    rows
}

/// A code that opens: the maker of rows knows nothing of sealing.
async fn seal_card(test: &TestApp, admin: &Client, client: Uuid, card: &str) {
    let card_id: Uuid = card.parse().unwrap();
    let card = CardRef { client_id: Some(client), card_id };
    let sealed = card.seal(&test.app.keyring, Part::Code, "TEST-CODE-0001").unwrap();
    admin.execute("update gift_cards set card_code = $2 where id = $1", &[&card_id, &sealed]).await.unwrap();
}

fn word(
    rows: &BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    spec: &RouteSpec,
    before: &str,
    name: &str,
    tenant: &Tenant,
) -> String {
    match (before, name) {
        ("conditions", "number") => "1".into(),
        ("clients", _) => tenant.id.to_string(),
        ("organizations", _) => tenant.org_id.to_string(),
        _ => {
            // pages name a campaign by its word, the API by its id
            let column = if spec.kind == Kind::Page { "word" } else { "id" };
            rows.get(before).map_or_else(|| Uuid::from_u128(1).to_string(), |row| row[column].clone())
        }
    }
}

/// Whether every word of the path is that of a row that exists.
fn is_about_real_rows(spec: &RouteSpec) -> bool {
    let parts: Vec<&str> = spec.path.split('/').collect();
    parts.windows(2).all(|pair| {
        !pair[1].starts_with('{') || pair[1] == "{client}" || NOUNS.iter().any(|(noun, _, _)| *noun == pair[0])
    })
}

fn told(spec: &RouteSpec, reply: &Reply) -> Told {
    let status = reply.status.as_u16();
    match status {
        500.. => Told::Other(status),
        _ if !reply.turned_away => Told::LetIn,
        401 => Told::WhoAreYou,
        303 if is_sent_to_sign_in(spec, reply) => Told::WhoAreYou,
        404 => Told::NothingHere,
        403 => Told::NotAllowed,
        other => Told::Other(other),
    }
}

/// By the guard, which says where to come back to; signing out leads to the same page without that.
fn is_sent_to_sign_in(spec: &RouteSpec, reply: &Reply) -> bool {
    reply.location().starts_with("/sign-in?next=") || (spec.path == "/" && reply.location() == "/sign-in")
}

fn permission(spec: &RouteSpec) -> Option<&'static str> {
    match spec.access {
        Access::Client(permission) | Access::Account(permission) => Some(permission),
        Access::SignedIn | Access::Public => None,
    }
}

fn reaches_all(role: Role) -> bool {
    matches!(role, Role::Admin | Role::TechSupport)
}

fn name(spec: &RouteSpec) -> String {
    format!("{} {}", spec.method, spec.path)
}

/// What is expected of a route, for a client within reach.
fn within_reach(spec: &RouteSpec, held: &BTreeSet<String>) -> Told {
    match permission(spec) {
        Some(permission) if !held.contains(permission) => Told::NotAllowed,
        _ => Told::LetIn,
    }
}

async fn held(admin: &Client, role: Role) -> BTreeSet<String> {
    let sql = "select permission_key from role_permissions where role::text = $1";
    admin.query(sql, &[&role.as_str()]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn every_route_without_a_permission_is_a_known_one() {
    let walk = Walk::new().await;
    let of = |access: Access| {
        walk.table().iter().filter(move |spec| spec.access == access).map(name).collect::<BTreeSet<_>>()
    };
    let known = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(of(Access::Public), known(PUBLIC));
    assert_eq!(of(Access::SignedIn), known(SIGNED_IN));
}

#[tokio::test]
async fn every_route_is_there_once_with_a_permission_that_exists_and_the_api_is_documented() {
    let walk = Walk::new().await;
    let mut seen = BTreeSet::new();
    for spec in walk.table() {
        let name = name(spec);
        assert!(seen.insert(name.clone()), "{name} is there twice");
        if let Some(permission) = permission(spec) {
            assert!(kernel::permissions::is_known(permission), "{name}: {permission} is not a permission");
        }
        let documented = spec.path.starts_with("/v1/") && spec.access != Access::Public;
        assert_eq!(spec.doc.is_some(), documented, "{name}: Doc");
        let about_a_client = matches!(spec.access, Access::Client(_)) && spec.kind == Kind::Page;
        assert_eq!(spec.path.starts_with("/{client}"), about_a_client, "{name}: whose page it is");
        assert_eq!(spec.kind == Kind::Api, !is_page(spec.path), "{name}: the kind of its answers");
    }
}

/// Programs ask under these; everything else is for people.
fn is_page(path: &str) -> bool {
    let of_programs =
        ["/v1/", "/auth/v1/", "/hooks/", "/assets/", "/healthz", "/readyz", "/robots.txt", "/favicon.ico"];
    !of_programs.iter().any(|prefix| path.starts_with(prefix))
}

#[tokio::test]
async fn nobody_is_told_anything_before_they_say_who_they_are() {
    let walk = Walk::new().await;
    let acme = &walk.test.story.acme;
    for spec in walk.table() {
        let reply = walk.ask(spec, &walk.path(spec, acme), None, acme.id).await;
        let expected = spec.access == Access::Public;
        let asked_in = told(spec, &reply) == Told::WhoAreYou;
        // /auth/v1 asks for its own token by itself
        let by_itself = spec.path.starts_with("/auth/v1");
        assert!(asked_in != expected || by_itself, "{}: {}", name(spec), reply.status);
        // its document is made from the whole table when serving begins
        let without_document = spec.path == "/v1/openapi.json";
        assert!(reply.status.as_u16() < 500 || without_document, "{}: {}", name(spec), reply.text());
    }
}

#[tokio::test]
async fn every_role_is_let_in_by_its_permissions_within_its_reach() {
    let walk = Walk::new().await;
    let acme = walk.test.story.acme.clone();
    let mut wrong = Vec::new();
    // changes come last: what they change, nobody reads afterwards
    for changes in [false, true] {
        for person in walk.test.story.one_in_each_role() {
            let held = held(&walk.admin, person.role).await;
            assert!(!held.is_empty() && (person.role == Role::Admin || held.len() < kernel::permissions::ALL.len()));
            for spec in walk.table().iter().filter(|spec| spec.access != Access::Public) {
                if (spec.method != Method::GET) != changes {
                    continue;
                }
                if changes {
                    walk.restore().await;
                }
                let reply = walk.ask(spec, &walk.path(spec, &acme), Some(person), acme.id).await;
                let (told, expected) = (told(spec, &reply), within_reach(spec, &held));
                let label = format!("{} as {}: {}", name(spec), person.role, reply.status);
                let missing = reply.status == 404
                    && !changes
                    && is_about_real_rows(spec)
                    && !NOT_YET.contains(&name(spec).as_str());
                if told != expected || (expected == Told::LetIn && missing) {
                    wrong.push(format!("{label}: {told:?}, not {expected:?} {}", shorten(&reply)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn shorten(reply: &Reply) -> String {
    let text = reply.text();
    let plain = if text.contains("<html") { String::new() } else { text };
    plain.chars().take(200).collect()
}

/// What a reply says, without what is different in every reply.
fn essence(reply: &Reply, path: &str) -> String {
    let mut text = reply.text().replace(path, "PATH");
    let id = reply.header("x-request-id").to_owned();
    if !id.is_empty() {
        text = text.replace(&id, "REQUEST");
    }
    format!("{} {text}", reply.status)
}

#[tokio::test]
async fn another_tenants_client_is_the_same_as_one_that_does_not_exist() {
    let walk = Walk::new().await;
    let corner = walk.test.story.corner.clone();
    let nobody = Tenant { id: Uuid::from_u128(7), slug: "nobody-at-all", ..corner.clone() };
    let mut wrong = Vec::new();
    for person in walk.test.story.one_in_each_role() {
        let held = held(&walk.admin, person.role).await;
        for spec in walk.table().iter().filter(|spec| matches!(spec.access, Access::Client(_))) {
            let reads = spec.method == Method::GET;
            let path = walk.path(spec, &corner);
            if reaches_all(person.role) {
                if reads {
                    let reply = walk.ask(spec, &path, Some(person), corner.id).await;
                    let (told, expected) = (told(spec, &reply), within_reach(spec, &held));
                    if told != expected {
                        wrong.push(format!("{} as {}: {told:?}, not {expected:?}", name(spec), person.role));
                    }
                }
                continue;
            }
            let foreign = walk.ask(spec, &path, Some(person), corner.id).await;
            let nowhere = walk.path(spec, &nobody);
            let missing = walk.ask(spec, &nowhere, Some(person), nobody.id).await;
            let same = essence(&foreign, &path) == essence(&missing, &nowhere);
            if told(spec, &foreign) != Told::NothingHere || !same {
                wrong.push(format!("{} as {}: {} {}", name(spec), person.role, foreign.status, shorten(&foreign)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A row of another tenant under one's own client's path: its id alone opens nothing.
#[tokio::test]
async fn another_tenants_rows_are_not_found_under_ones_own_client() {
    let walk = Walk::new().await;
    let (acme, corner) = (walk.test.story.acme.clone(), walk.test.story.corner.clone());
    let mut wrong = Vec::new();
    let mut tried = 0;
    for person in [&walk.test.story.agency_owner, &walk.test.story.acme_owner] {
        let held = held(&walk.admin, person.role).await;
        for spec in walk.table().iter().filter(|spec| matches!(spec.access, Access::Client(_))) {
            let about_a_row = spec.path.matches('{').count() > usize::from(spec.kind == Kind::Page);
            let real = is_about_real_rows(spec) && about_a_row;
            if !real || permission(spec).is_some_and(|permission| !held.contains(permission)) {
                continue;
            }
            let path = walk.path(spec, &corner).replace(corner.slug, acme.slug);
            let mut reply = walk.ask(spec, &path, Some(person), acme.id).await;
            if reply.status == 303 {
                // to a page about the row: it is not found there
                let target = reply.location().to_owned();
                reply = walk.test.get(&target).as_user(person).await;
            }
            tried += 1;
            // what is refused before anything is looked up is as good
            if !["404", "400", "415", "422"].contains(&reply.status.as_str()) {
                wrong.push(format!("{} as {}: {} {}", name(spec), person.role, reply.status, shorten(&reply)));
            }
        }
    }
    assert!(tried > 60, "there must be routes for this test to mean anything, not {tried}");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A key reaches its client and nothing else, whoever it says it asks for.
#[tokio::test]
async fn an_api_key_reaches_its_own_client_only() {
    let walk = Walk::new().await;
    let (acme, corner) = (walk.test.story.acme.clone(), walk.test.story.corner.clone());
    let mut let_in = 0;
    for spec in walk.table().iter().filter(|spec| matches!(spec.access, Access::Client(_)) && spec.kind == Kind::Api) {
        if spec.method != Method::GET {
            continue;
        }
        let own = walk.test.api(Method::GET, &walk.path(spec, &acme)).bearer(&acme.key).for_client(acme.id).await;
        assert!([Told::LetIn, Told::NotAllowed].contains(&told(spec, &own)), "{}: {}", name(spec), own.status);
        let_in += usize::from(told(spec, &own) == Told::LetIn);
        let foreign =
            walk.test.api(Method::GET, &walk.path(spec, &corner)).bearer(&acme.key).for_client(corner.id).await;
        assert_eq!(told(spec, &foreign), Told::NothingHere, "{}: {}", name(spec), foreign.text());
    }
    assert!(let_in > 20, "there must be routes for this test to mean anything, not {let_in}");
}
