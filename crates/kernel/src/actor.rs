//! Who is asking. Every statement runs in the name of an actor; there is no other way to the data.

use std::net::IpAddr;
use std::sync::Arc;

use uuid::Uuid;

/// Somebody or something that acts, and where the wish came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The identity that reach and permissions follow from.
    pub who: Who,
    /// Where the request came from, for the audit trail.
    pub origin: Origin,
}

/// The identity behind an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A signed-in person, by `auth.users.id`.
    User(Uuid),
    /// An API key, by `api_keys.id`; it reaches exactly its client.
    Key(Uuid),
    /// ACE itself, for a named purpose.
    System(System),
}

/// The purposes for which ACE acts without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Somebody at the machine's command line, and the demo: reaches every client.
    Operator,
    /// Background work for exactly one client.
    Client(Uuid),
    /// Strangers who follow a printed link or look at a form; what they send is work for the form's client.
    PublicLink,
    /// The job queue's own bookkeeping, and what is looked for in all clients; what is found is done as the client.
    Worker,
    /// Signing in: reads credentials before anybody is known.
    Auth,
}

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The id that ties the answer, the log lines and the audit rows together.
    pub request_id: Uuid,
    /// The visitor's address, when there is one.
    pub ip: Option<IpAddr>,
    /// The visitor's browser or program.
    pub user_agent: Option<String>,
    /// The `Idempotency-Key` under which the caller acts: whatever is committed for them settles it in the same
    /// transaction.
    pub idempotency_key: Option<Arc<str>>,
}

impl Origin {
    /// An origin inside this process: a job, the command line, a test.
    pub fn here() -> Self {
        Self { request_id: crate::new_id(), ip: None, user_agent: None, idempotency_key: None }
    }
}

impl Actor {
    /// A signed-in person.
    pub fn user(user_id: Uuid) -> Self {
        Self { who: Who::User(user_id), origin: Origin::here() }
    }

    /// An API key.
    pub fn key(key_id: Uuid) -> Self {
        Self { who: Who::Key(key_id), origin: Origin::here() }
    }

    /// ACE itself.
    pub fn system(purpose: System) -> Self {
        Self { who: Who::System(purpose), origin: Origin::here() }
    }

    /// Background work for one client.
    pub fn client(client_id: Uuid) -> Self {
        Self::system(System::Client(client_id))
    }

    /// The same identity, seen coming from `origin`.
    pub fn from(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The person behind the act, if it is one.
    pub fn user_id(&self) -> Option<Uuid> {
        match self.who {
            Who::User(id) => Some(id),
            _ => None,
        }
    }

    /// A word for the audit trail: `user`, `key`, `operator`, `client`, `public_link`, `worker`, `auth`.
    pub fn kind(&self) -> &'static str {
        match self.who {
            Who::User(_) => "user",
            Who::Key(_) => "key",
            Who::System(System::Operator) => "operator",
            Who::System(System::Client(_)) => "client",
            Who::System(System::PublicLink) => "public_link",
            Who::System(System::Worker) => "worker",
            Who::System(System::Auth) => "auth",
        }
    }
}
