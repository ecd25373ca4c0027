//! The application with something of everything for two tenants, and what its routes answer to somebody.

use std::collections::{BTreeMap, BTreeSet};

use kernel::role::Role;
use messaging::card_code::{CardRef, Part};
use testkit::story::Tenant;
use testkit::{Person, Reply, TestApp};
use tokio_postgres::Client;
use uuid::Uuid;
use web::{Access, Kind, Method, RouteSpec};

use crate::rows::Maker;

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
    ("quarantine", "gift_cards", "id"),
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
pub const NOT_YET: &[&str] = &["GET /v1/campaigns/{id}/launch", "POST /admin/quarantine/{id}/release"];

/// The application with a row of every noun for Acme and for Corner Auto.
pub struct Walk {
    pub test: TestApp,
    pub admin: Client,
    maker: Maker,
    of_acme: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    of_corner: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
}

/// What a route answered to somebody.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
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
    pub async fn new() -> Self {
        let test = TestApp::with(|settings| settings.limits.api_per_minute = 1_000_000, every_route).await;
        let admin = test.database.admin().await;
        let maker = Maker::read(&admin).await;
        let (acme, corner) = (test.story.acme.id, test.story.corner.id);
        let (of_acme, of_corner) = (one_of_each(&admin, &maker, acme).await, one_of_each(&admin, &maker, corner).await);
        for (client, rows) in [(acme, &of_acme), (corner, &of_corner)] {
            seal_card(&test, &admin, client, &rows["cards"]["id"]).await;
        }
        Self { test, admin, maker, of_acme, of_corner }
    }

    /// Two more rows of every noun, and of what has no page of its own.
    pub async fn make_more(&self, client: Uuid) {
        let others = ["invitations", "gift_card_brands", "credit_ledger", "events"];
        for table in NOUNS.iter().map(|(_, table, _)| *table).chain(others) {
            for _ in 0..2 {
                self.maker.fresh(&self.admin, table, client).await;
            }
        }
    }

    /// One more row of a table.
    pub async fn more_of(&self, table: &'static str, client: Uuid) {
        self.maker.fresh(&self.admin, table, client).await;
    }

    /// The id of Acme's row of a noun.
    pub fn id_of(&self, noun: &str) -> &str {
        &self.of_acme[noun]["id"]
    }

    pub fn table(&self) -> &[RouteSpec] {
        self.test.table()
    }

    /// The route's path with real words in it: those of a tenant whose rows these are.
    pub fn path(&self, spec: &RouteSpec, tenant: &Tenant) -> String {
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

    pub async fn ask(&self, spec: &RouteSpec, path: &str, who: Option<&Person>, client: Uuid) -> Reply {
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
    pub async fn restore(&self) {
        let back = "update auth.users set deactivated_at = null;
                    update auth.sessions set revoked_at = null, expires_at = '2036-01-01', last_seen_at = null;
                    update clients set archived_at = null;
                    update organizations set archived_at = null, settings_json = '{}'";
        self.admin.batch_execute(back).await.unwrap();
    }
}

pub fn every_route(app: &web::App) -> web::Routes {
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
pub fn is_about_real_rows(spec: &RouteSpec) -> bool {
    let parts: Vec<&str> = spec.path.split('/').collect();
    parts.windows(2).all(|pair| {
        !pair[1].starts_with('{') || pair[1] == "{client}" || NOUNS.iter().any(|(noun, _, _)| *noun == pair[0])
    })
}

pub fn told(spec: &RouteSpec, reply: &Reply) -> Told {
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

pub fn permission(spec: &RouteSpec) -> Option<&'static str> {
    match spec.access {
        Access::Client(permission) | Access::Account(permission) => Some(permission),
        Access::SignedIn | Access::Public => None,
    }
}

pub fn reaches_all(role: Role) -> bool {
    matches!(role, Role::Admin | Role::TechSupport)
}

pub fn name(spec: &RouteSpec) -> String {
    format!("{} {}", spec.method, spec.path)
}

/// What is expected of a route, for a client within reach.
pub fn within_reach(spec: &RouteSpec, held: &BTreeSet<String>) -> Told {
    match permission(spec) {
        Some(permission) if !held.contains(permission) => Told::NotAllowed,
        _ => Told::LetIn,
    }
}

pub async fn held(admin: &Client, role: Role) -> BTreeSet<String> {
    let sql = "select permission_key from role_permissions where role::text = $1";
    admin.query(sql, &[&role.as_str()]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

pub fn shorten(reply: &Reply) -> String {
    let text = reply.text();
    let plain = if text.contains("<html") { String::new() } else { text };
    plain.chars().take(200).collect()
}
