//! The story every test shares: an agency with two clients, a business on its own, and people in every role.
//!
//! Written by plain SQL past every policy, so that no room has to work for another's tests.

use chrono::{DateTime, Utc};
use kernel::role::Role;
use tokio_postgres::Client;
use uuid::Uuid;
use web::identity::token_hash;
use web::token::Holder;

use crate::TestDatabase;

/// The password of everybody in the story.
pub const PASSWORD: &str = "correct horse stapler";

/// Its argon2id hash, made with the lowest cost: signing in is not what most tests are about.
const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$sTNV2WLMxRQzP0rIGQli4Q$0mgJtsVf3choOANgDC5xU4Fnjqsyx+vHf56I+xHqxkk";

/// Somebody of the story.
#[derive(Debug, Clone)]
pub struct Person {
    /// `auth.users.id`.
    pub id: Uuid,
    /// Their address.
    pub email: String,
    /// Their name.
    pub full_name: &'static str,
    /// Their role.
    pub role: Role,
    /// The value of their console cookie: they are signed in.
    pub cookie: String,
    /// Their open session.
    pub session_id: Uuid,
}

impl Person {
    /// What an access token of theirs says.
    pub fn holder(&self) -> Holder {
        Holder {
            user_id: self.id,
            email: self.email.clone(),
            roles: vec![self.role.to_string()],
            session_id: self.session_id,
            aal: "aal1".into(),
        }
    }

    /// The actor they are.
    pub fn actor(&self) -> kernel::Actor {
        kernel::Actor::user(self.id)
    }
}

/// A client of the story.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// `clients.id`.
    pub id: Uuid,
    /// Its organization.
    pub org_id: Uuid,
    /// Its word in URLs.
    pub slug: &'static str,
    /// Its name.
    pub name: &'static str,
    /// An API key that holds everything a key can hold.
    pub key: String,
    /// The id of that key.
    pub key_id: Uuid,
}

/// Everybody.
#[derive(Debug, Clone)]
pub struct Story {
    /// The operator's organization.
    pub internal: Uuid,
    /// The agency, Northside Marketing.
    pub northside: Uuid,
    /// The organization of Corner Auto.
    pub corner_org: Uuid,
    /// A client of Northside.
    pub acme: Tenant,
    /// Another client of Northside.
    pub bright: Tenant,
    /// A business on its own: another tenant altogether.
    pub corner: Tenant,
    /// admin.
    pub admin: Person,
    /// tech_support.
    pub support: Person,
    /// agency_owner of Northside: reaches Acme and Bright.
    pub agency_owner: Person,
    /// company_owner of Acme.
    pub acme_owner: Person,
    /// developer of Acme.
    pub acme_developer: Person,
    /// call_center of Acme.
    pub acme_agent: Person,
    /// company_owner of Bright.
    pub bright_owner: Person,
    /// company_owner of Corner Auto.
    pub corner_owner: Person,
    /// developer of Corner Auto.
    pub corner_developer: Person,
    /// call_center of Corner Auto.
    pub corner_agent: Person,
}

impl Story {
    /// Writes the story into a database.
    ///
    /// # Panics
    /// When the database refuses it.
    pub async fn tell(database: &TestDatabase) -> Self {
        let teller = Teller { admin: database.admin().await, now: database.clock().now() };
        let internal = teller.org("ACE", "ace-internal", "internal").await;
        let northside = teller.org("Northside Marketing", "northside-marketing", "agency").await;
        let corner_org = teller.org("Corner Auto", "corner-auto-org", "direct").await;
        let acme = teller.client(northside, "Acme Roofing", "acme-roofing", "roofing").await;
        let bright = teller.client(northside, "Bright Dental", "bright-dental", "dental").await;
        let corner = teller.client(corner_org, "Corner Auto", "corner-auto", "auto_service").await;
        let org = |id| (Some(id), None);
        let of = |tenant: &Tenant| (None, Some(tenant.id));
        Self {
            admin: teller.person("Ada Admin", Role::Admin, org(internal)).await,
            support: teller.person("Tess Support", Role::TechSupport, org(internal)).await,
            agency_owner: teller.person("Nora North", Role::AgencyOwner, org(northside)).await,
            acme_owner: teller.person("Amir Acme", Role::CompanyOwner, of(&acme)).await,
            acme_developer: teller.person("Dev Acme", Role::Developer, of(&acme)).await,
            acme_agent: teller.person("Cal Acme", Role::CallCenter, of(&acme)).await,
            bright_owner: teller.person("Bea Bright", Role::CompanyOwner, of(&bright)).await,
            corner_owner: teller.person("Cora Corner", Role::CompanyOwner, of(&corner)).await,
            corner_developer: teller.person("Dev Corner", Role::Developer, of(&corner)).await,
            corner_agent: teller.person("Cal Corner", Role::CallCenter, of(&corner)).await,
            internal,
            northside,
            corner_org,
            acme,
            bright,
            corner,
        }
    }

    /// One person in each role, the most powerful first; the lower four belong to Acme or its agency.
    pub fn one_in_each_role(&self) -> [&Person; 6] {
        [&self.admin, &self.support, &self.agency_owner, &self.acme_owner, &self.acme_developer, &self.acme_agent]
    }
}

struct Teller {
    admin: Client,
    now: DateTime<Utc>,
}

impl Teller {
    async fn run(&self, sql: &str, params: &[&(dyn tokio_postgres::types::ToSql + Sync)]) {
        if let Err(error) = self.admin.execute(sql, params).await {
            panic!(
                "the story cannot be told: {error}: {:?}: {sql}",
                error.as_db_error().map(|db| db.message().to_owned())
            );
        }
    }

    async fn org(&self, name: &str, slug: &str, kind: &str) -> Uuid {
        let id = kernel::new_id();
        let sql =
            "insert into organizations (id, name, slug, type, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)";
        self.run(sql, &[&id, &name, &slug, &kind, &self.now]).await;
        id
    }

    async fn client(&self, org_id: Uuid, name: &'static str, slug: &'static str, industry: &str) -> Tenant {
        let (id, key_id) = (kernel::new_id(), kernel::new_id());
        let sql = "insert into clients (id, org_id, name, slug, industry, created_at, updated_at)
                   values ($1, $2, $3, $4, $5::text::industry, $6, $6)";
        self.run(sql, &[&id, &org_id, &name, &slug, &industry, &self.now]).await;
        let key = format!("ace_test_{}", kernel::random::token().replace(['-', '_'], "x"));
        let scopes: Vec<&str> = kernel::permissions::ALL.iter().copied().filter(|key| is_for_keys(key)).collect();
        let sql = "insert into api_keys (id, client_id, name, key_hash, last_four, mode, scopes, created_at)
                   values ($1, $2, 'Story', $3, $4, 'test', $5, $6)";
        let last_four = &key[key.len() - 4..];
        self.run(sql, &[&key_id, &id, &token_hash(&key), &last_four, &scopes, &self.now]).await;
        Tenant { id, org_id, slug, name, key, key_id }
    }

    async fn person(&self, full_name: &'static str, role: Role, place: (Option<Uuid>, Option<Uuid>)) -> Person {
        let person = Person {
            id: kernel::new_id(),
            email: format!("{}@example.com", full_name.to_lowercase().replace(' ', ".")),
            full_name,
            role,
            cookie: kernel::random::token(),
            session_id: kernel::new_id(),
        };
        let sql = "insert into auth.users (id, email, encrypted_password, email_confirmed_at, created_at, updated_at)
                   values ($1, $2, $3, $4, $4, $4)";
        self.run(sql, &[&person.id, &person.email, &PASSWORD_HASH, &self.now]).await;
        let sql = "insert into profiles (id, email, full_name, created_at, updated_at) values ($1, $2, $3, $4, $4)";
        self.run(sql, &[&person.id, &person.email, &full_name, &self.now]).await;
        let sql = "insert into user_roles (id, user_id, role, created_at) values ($1, $2, $3::text::app_role, $4)";
        self.run(sql, &[&kernel::new_id(), &person.id, &role.as_str(), &self.now]).await;
        if let Some(org_id) = place.0 {
            let sql = "insert into org_members (id, org_id, user_id, created_at) values ($1, $2, $3, $4)";
            self.run(sql, &[&kernel::new_id(), &org_id, &person.id, &self.now]).await;
        }
        if let Some(client_id) = place.1 {
            let sql = "insert into client_users (id, client_id, user_id, created_at) values ($1, $2, $3, $4)";
            self.run(sql, &[&kernel::new_id(), &client_id, &person.id, &self.now]).await;
        }
        // long: the clock of a test may run through weeks
        let sql = "insert into auth.sessions (id, user_id, created_at, expires_at, cookie_token_hash)
                   values ($1, $2, $3::timestamptz, $3::timestamptz + interval '10 years', $4)";
        self.run(sql, &[&person.session_id, &person.id, &self.now, &token_hash(&person.cookie)]).await;
        person
    }
}

/// What a program of one client can hold: nothing about people or the installation.
fn is_for_keys(permission: &str) -> bool {
    let area = permission.split('.').next().unwrap_or_default();
    !["organizations", "users", "api_keys", "platform", "audit", "docs"].contains(&area)
}
