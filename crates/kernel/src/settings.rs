//! The settings of an installation. What each one means is written once, in `config.default.toml` at the root of
//! the repository, which is compiled in; the structs here are its shape.
//!
//! [`Loaded::load`] puts the defaults, a file, the environment and the command line on top of each other and
//! refuses, by name, what it does not know.

mod check;
mod load;
mod network;
mod value;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

pub use load::{Loaded, Sources};
pub use network::Network;
pub use value::{Entry, Secret, Source};

use crate::keyring::Keyring;
use crate::new_id;

/// The documented defaults, as shipped.
pub const DEFAULTS: &str = include_str!("../../../config.default.toml");

/// Every setting of this process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where keys and the managed PostgreSQL live.
    pub data_dir: PathBuf,
    /// Listening and links.
    pub server: Server,
    /// PostgreSQL.
    pub database: Database,
    /// Text messages.
    pub sms: Sms,
    /// E-mail.
    pub email: Email,
    /// Passwords, sessions, keys.
    pub security: Security,
    /// Requests a minute.
    pub limits: Limits,
    /// Imports of files.
    pub import: Import,
    /// Background work.
    pub jobs: Jobs,
    /// Events.
    pub events: Events,
    /// The log.
    pub log: Log,
    /// The demo.
    pub demo: Demo,
}

/// `[server]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// What every link begins with, without a slash at the end.
    pub public_url: String,
    /// The same for recipients' pages and forms, on a host of its own; empty when they share the console's.
    pub pages_url: String,
    /// Which half of ACE this process is.
    pub role: ServerRole,
    /// Seconds between SIGTERM, when `/readyz` says no, and the end of taking connections.
    pub stop_delay_seconds: u32,
}

impl Server {
    /// What the links of recipients' pages and forms begin with.
    pub fn pages(&self) -> &str {
        if self.pages_url.is_empty() { &self.public_url } else { &self.pages_url }
    }
}

/// Which half of ACE a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerRole {
    /// Answers requests and runs background jobs.
    All,
    /// Answers requests.
    Web,
    /// Runs background jobs.
    Worker,
}

impl ServerRole {
    /// Whether the process answers the console, the API and public links.
    pub const fn serves(self) -> bool {
        matches!(self, Self::All | Self::Web)
    }

    /// Whether the process runs background jobs.
    pub const fn works(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }
}

/// `[database]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Your own PostgreSQL; empty when ACE runs one.
    pub url: Secret,
    /// Address for migrations; see [`Database::owner`].
    pub owner_url: Secret,
    /// Address for people and API keys; see [`Database::app`].
    pub app_url: Secret,
    /// Address for public links and forms; see [`Database::public`].
    pub public_url: Secret,
    /// Address for signing in; see [`Database::signin`].
    pub signin_url: Secret,
    /// Address for background work; see [`Database::worker`].
    pub worker_url: Secret,
    /// Connections kept for each role.
    pub pool_size: u32,
    /// Where `initdb` and `postgres` are; `None` to look for them.
    #[serde(deserialize_with = "empty_is_none")]
    pub postgres_bin_dir: Option<PathBuf>,
}

impl Database {
    /// Whether ACE runs its own PostgreSQL.
    pub fn is_managed(&self) -> bool {
        let own = [&self.owner_url, &self.app_url, &self.public_url, &self.signin_url, &self.worker_url];
        self.url.is_empty() && own.iter().all(|url| url.is_empty())
    }

    /// The address for migrations; empty when managed.
    pub fn owner(&self) -> &str {
        self.owner_url.or(&self.url)
    }

    /// The address for people and API keys; empty when managed.
    pub fn app(&self) -> &str {
        self.app_url.or(&self.url)
    }

    /// The address for public links and forms; empty when managed.
    pub fn public(&self) -> &str {
        self.public_url.or(&self.url)
    }

    /// The address for signing in; empty when managed.
    pub fn signin(&self) -> &str {
        self.signin_url.or(&self.url)
    }

    /// The address for background work; empty when managed.
    pub fn worker(&self) -> &str {
        self.worker_url.or(&self.url)
    }
}

/// `[sms]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sms {
    /// Who sends.
    pub driver: SmsDriver,
    /// Twilio's account identifier.
    pub twilio_account_sid: String,
    /// Twilio's secret.
    pub twilio_auth_token: Secret,
    /// The number messages come from, E.164; may be empty with the sandbox.
    pub from_number: String,
    /// Twilio's REST API, without a slash at the end.
    pub twilio_base_url: String,
}

/// Who sends text messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsDriver {
    /// The phone at `/sandbox`.
    Sandbox,
    /// Twilio's REST API.
    Twilio,
}

/// `[email]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// Who sends.
    pub driver: EmailDriver,
    /// The mail server.
    pub smtp_url: Secret,
    /// Certificates of authorities, in PEM, that the mail server's may be signed by besides those of the system.
    #[serde(deserialize_with = "empty_is_none")]
    pub smtp_ca_file: Option<PathBuf>,
    /// The sender, `Name <address>`.
    pub from: String,
}

/// Who sends e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailDriver {
    /// The inbox at `/sandbox`.
    Sandbox,
    /// A mail server.
    Smtp,
}

/// `[security]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// The fewest characters of a password.
    pub password_min_length: usize,
    /// Days a session lasts: the console's from signing in, the API's from its last refresh.
    pub session_days: u32,
    /// Minutes an access token is good for.
    pub access_token_minutes: u32,
    /// The keyring in its written form; empty for the key file. Read by [`Keyring::load`].
    pub keys: Secret,
    /// Where an external Supabase Auth publishes its keys; empty for ACE's own sign-in.
    pub supabase_jwks_url: String,
    /// The same as a file.
    #[serde(deserialize_with = "empty_is_none")]
    pub supabase_jwks_file: Option<PathBuf>,
    /// The issuer of its tokens.
    pub supabase_issuer: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
}

/// `[limits]`: in requests a minute where it does not say otherwise.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// For each API key.
    pub api_per_minute: u32,
    /// For each address on public routes.
    pub public_per_minute: u32,
    /// For each recipient redeeming a code.
    pub redemption_per_minute: u32,
    /// For each sender of provider callbacks.
    pub receivers_per_minute: u32,
    /// Submissions an hour of one form from one address by people without a link or a code; 0 for any number.
    pub forms_per_hour: u32,
    /// Rewards a day to one phone number or e-mail address of a client before the next one is kept for a person's look;
    /// 0 for any number.
    pub rewards_per_address_per_day: u32,
}

/// `[import]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The largest file.
    pub max_bytes: u64,
    /// Rows written at a time.
    pub batch_rows: u32,
}

/// `[jobs]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Jobs run at the same time.
    pub concurrency: u32,
}

/// `[events]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// Months events are kept.
    pub retention_months: u32,
}

/// `[log]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// What is logged, as `tracing` filters have it.
    pub level: String,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[demo]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demo {
    /// Contacts over all demo clients.
    pub contacts: u32,
    /// The password of every demo login.
    pub password: String,
}

impl Settings {
    /// The defaults, untouched by file and environment, with the keys of [`Keyring::for_tests`] and a data directory
    /// of its own that nobody has made yet.
    ///
    /// # Panics
    /// When the compiled-in defaults are broken, which a test of this crate refuses.
    pub fn for_tests() -> Self {
        let sources = Sources { root: true, ..Sources::default() };
        #[expect(clippy::expect_used, reason = "for tests; the defaults are compiled in and tested here")]
        let mut settings = Loaded::load(&sources).expect("the defaults load").settings;
        settings.data_dir = std::env::temp_dir().join(format!("ace-test-{}", new_id()));
        settings.security.keys = Secret::new(Keyring::for_tests().written());
        settings
    }
}

fn empty_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let path = String::deserialize(deserializer)?;
    Ok((!path.is_empty()).then(|| PathBuf::from(path)))
}
