//! What every handler and job needs at hand.

use std::sync::Arc;

use database::{Database, Scope};
use kernel::keyring::Keyring;
use kernel::settings::Settings;
use kernel::{Actor, Clock, Result};

use crate::limits::Limits;
use crate::token::Tokens;

/// The running ACE: data, clock, settings, keys. Cloning shares them.
#[derive(Clone)]
pub struct App {
    /// The only door to the data.
    pub db: Database,
    /// The present time.
    pub clock: Clock,
    /// How this deployment is set up.
    pub settings: Arc<Settings>,
    /// Keys for sealing secrets and signing tokens.
    pub keyring: Arc<Keyring>,
    /// Signs and checks access tokens.
    pub tokens: Arc<Tokens>,
    /// What has been asked how often.
    pub limits: Arc<Limits>,
}

impl App {
    /// Puts together what was set up; the clock is the database's.
    ///
    /// # Errors
    /// When no token key can be derived, or the settings of an outside sign-in service are unusable.
    pub fn new(db: Database, settings: Settings, keyring: Keyring) -> Result<Self> {
        let clock = db.clock().clone();
        Ok(Self {
            tokens: Arc::new(Tokens::new(&keyring, &settings)?),
            limits: Arc::new(Limits::new(clock.clone())),
            db,
            clock,
            settings: Arc::new(settings),
            keyring: Arc::new(keyring),
        })
    }

    /// The data as `actor` may see and change it.
    pub fn scope<'a>(&'a self, actor: &'a Actor) -> Scope<'a> {
        self.db.scope(actor)
    }

    /// An absolute link to `path` (which begins with a slash) as strangers reach us.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.settings.server.public_url.trim_end_matches('/'))
    }
}
