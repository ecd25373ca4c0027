//! Who is calling a console page or the REST API, and on whose behalf.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use database::{FromRow, Scope};
use kernel::{Actor, Error, Result};
use uuid::Uuid;

use crate::flash::Flash;
use crate::{App, Failure};

/// The signed-in person behind a session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// `auth.users.id`.
    pub user_id: Uuid,
    /// The session, so that signing out can end it.
    pub session_id: Uuid,
    /// Where mail to them goes.
    pub email: String,
    /// Their name; the e-mail address when none is known.
    pub full_name: String,
    /// The words of their roles.
    pub roles: Vec<String>,
    /// Their IANA time zone.
    pub time_zone: String,
    /// Whether an organization of theirs requires a second factor that they have not set up.
    pub must_enrol: bool,
}

/// The client a request is about.
#[derive(Debug, Clone, FromRow)]
pub struct ClientRef {
    /// `clients.id`.
    pub id: Uuid,
    /// The client's organization.
    pub org_id: Uuid,
    /// The word in URLs.
    pub slug: String,
    /// The name people know.
    pub name: String,
    /// The client's IANA time zone.
    pub time_zone: String,
    /// Whether it was archived.
    pub archived: bool,
}

/// Whoever passed the guard of a route.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The identity statements run under.
    pub actor: Actor,
    /// The person; absent for API keys.
    pub user: Option<SignedIn>,
    /// The client the request is about; absent on pages of the account.
    pub client: Option<ClientRef>,
    /// The client the person was at last, kept beside them on pages that are about none: help, the account, an error.
    pub beside: Option<ClientRef>,
    /// The clients to switch between, at most 20; empty for the API.
    pub clients: Arc<Vec<ClientRef>>,
    /// How many things at the client need a person, for the bell of the console; 0 for the API.
    pub needs: i64,
    /// The permission keys held.
    pub permissions: Arc<BTreeSet<String>>,
    /// The path that was asked for: the shell marks its place in the navigation.
    pub path: String,
    /// What the page before wanted to be said on this one.
    pub flash: Option<Flash>,
}

impl Caller {
    /// The client the request is about.
    ///
    /// # Errors
    /// `NotFound` on a route that is not about a client.
    pub fn client(&self) -> Result<&ClientRef> {
        self.client.as_ref().ok_or(Error::NotFound)
    }

    /// The id of the client the request is about.
    ///
    /// # Errors
    /// `NotFound` on a route that is not about a client.
    pub fn client_id(&self) -> Result<Uuid> {
        self.client().map(|client| client.id)
    }

    /// Whether a permission is held.
    pub fn may(&self, permission: &str) -> bool {
        self.permissions.contains(permission)
    }

    /// Refuses when a permission is missing: for the part of a page that needs more than its route does.
    ///
    /// # Errors
    /// `Forbidden` naming the permission.
    pub fn require(&self, permission: &str) -> Result<()> {
        if self.may(permission) { Ok(()) } else { Err(Error::forbidden(permission)) }
    }

    /// Where this caller begins at a client: whoever takes calls and does not work with contacts at the desk, others at
    /// Home.
    pub fn landing(&self) -> &'static str {
        if self.may("calls.handle") && !self.may("contacts.view") { "desk" } else { "home" }
    }

    /// The person's id; absent for API keys.
    pub fn user_id(&self) -> Option<Uuid> {
        self.actor.user_id()
    }

    /// The data as this caller may see and change it.
    pub fn scope<'a>(&'a self, app: &'a App) -> Scope<'a> {
        app.db.scope(&self.actor)
    }

    /// The time zone dates are shown in: the person's, else the client's, else UTC.
    pub fn time_zone(&self) -> &str {
        let own = self.user.as_ref().map(|user| user.time_zone.as_str()).filter(|zone| !zone.is_empty());
        let client = self.client.as_ref().or(self.beside.as_ref());
        own.or(client.map(|client| client.time_zone.as_str())).unwrap_or("UTC")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Failure> {
        // The guard of the route put it there; a public route has none.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Error::Unauthenticated.into())
    }
}
