//! Connections to the mail server: made, encrypted, signed in, and kept a moment for the next message.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kernel::{Error, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::dialogue::Dialogue;
use super::{Security, SmtpConfig};
use crate::delivery::SendError;

/// Servers hang up on idle clients; after this long we do not ask.
const KEPT: Duration = Duration::from_secs(20);
/// The most connections kept.
const MOST_KEPT: usize = 8;
/// How long a kept connection has to show that it is alive.
const ALIVE: Duration = Duration::from_secs(2);

/// The authorities that are trusted: those of this machine, and those of a PEM file of one's own.
fn authorities(own: Option<&Path>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let Some(path) = own else { return Ok(roots) };
    let wrong = |why: String| Error::invalid("email.smtp_ca_file", format!("{}: {why}", path.display()));
    let pem = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        count += 1;
    }
    if count == 0 { Err(wrong("holds no certificate in PEM".to_owned())) } else { Ok(roots) }
}

/// The way to the server, with the connections that wait for work.
pub(super) struct Connections {
    config: SmtpConfig,
    step: Duration,
    tls: TlsConnector,
    name: ServerName<'static>,
    kept: Mutex<Vec<(Instant, Dialogue)>>,
}

impl Connections {
    pub(super) fn new(config: SmtpConfig, step: Duration) -> Result<Self> {
        let name = ServerName::try_from(config.host.clone());
        let name = name.map_err(|error| Error::invalid("email.smtp_url", format!("no TLS for this host: {error}")))?;
        let roots = authorities(config.ca_file.as_deref())?;
        let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Self { config, step, tls: TlsConnector::from(Arc::new(tls)), name, kept: Mutex::default() })
    }

    /// A connection that is ready for `MAIL FROM`.
    pub(super) async fn take(&self) -> std::result::Result<Dialogue, SendError> {
        while let Some(mut dialogue) = self.pop() {
            if timeout(ALIVE, dialogue.is_alive()).await == Ok(true) {
                return Ok(dialogue);
            }
        }
        let late = |_| SendError::temporary("timeout", "the mail server did not answer");
        timeout(self.step, self.connect()).await.map_err(late)?
    }

    /// Keeps a connection whose dialogue ended well. Any other must be dropped.
    pub(super) fn give_back(&self, dialogue: Dialogue) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(since, _)| since.elapsed() < KEPT);
        if kept.len() < MOST_KEPT {
            kept.push((Instant::now(), dialogue));
        }
    }

    fn pop(&self) -> Option<Dialogue> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(since, _)| since.elapsed() < KEPT);
        kept.pop().map(|(_, dialogue)| dialogue)
    }

    async fn connect(&self) -> std::result::Result<Dialogue, SendError> {
        let SmtpConfig { host, port, security, login, .. } = &self.config;
        let at_once = (*security == Security::Tls).then_some((&self.tls, &self.name));
        let mut dialogue = Dialogue::open(host, *port, at_once).await?;
        let offered = *security == Security::Opportunistic && dialogue.offers("STARTTLS");
        if *security == Security::StartTls || offered {
            dialogue = dialogue.starttls(&self.tls, &self.name).await?;
        }
        if let Some((user, password)) = login {
            dialogue.sign_in(user, password).await?;
        }
        Ok(dialogue)
    }
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections").field("config", &self.config).finish_non_exhaustive()
    }
}
