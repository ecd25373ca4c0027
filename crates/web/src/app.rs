//! What every handler and job needs at hand.

use std::ops::Deref;
use std::sync::Arc;

use database::{Database, Scope};
use kernel::keyring::Keyring;
use kernel::settings::Settings;
use kernel::{Actor, Clock, Result};

use crate::hosts;
use crate::limits::Limits;
use crate::token::Tokens;
use crate::work::Work;

/// The running ACE: data, clock, settings, keys. Cloning shares them, with one count: every layer of every request clones.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    /// The only door to the data.
    pub db: Database,
    /// The present time.
    pub clock: Clock,
    /// How this deployment is set up.
    pub settings: Settings,
    /// Keys for sealing secrets and signing tokens.
    pub keyring: Arc<Keyring>,
    /// Signs and checks access tokens.
    pub tokens: Tokens,
    /// What has been asked how often.
    pub limits: Limits,
    /// Runs what keeps a core busy.
    pub work: Work,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Puts together what was set up; the clock is the database's.
    ///
    /// # Errors
    /// When no token key can be derived, or the settings of an outside sign-in service are unusable.
    pub fn new(db: Database, settings: Settings, keyring: Keyring) -> Result<Self> {
        let clock = db.clock().clone();
        let tokens = Tokens::new(&keyring, &settings)?;
        let (limits, keyring) = (Limits::new(clock.clone()), Arc::new(keyring));
        Ok(Self(Arc::new(Parts { tokens, limits, db, clock, settings, keyring, work: Work::new() })))
    }

    /// The data as `actor` may see and change it.
    pub fn scope<'a>(&'a self, actor: &'a Actor) -> Scope<'a> {
        self.db.scope(actor)
    }

    /// An absolute link to `path` (which begins with a slash): a recipient's page or a form on the host of those,
    /// everything else on the console's. Every link that leaves ACE is made here.
    pub fn link(&self, path: &str) -> String {
        let server = &self.settings.server;
        let base = if hosts::is_recipients(path) { server.pages() } else { &server.public_url };
        format!("{}{path}", base.trim_end_matches('/'))
    }
}
