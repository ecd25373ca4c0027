//! Connections to the mail server: made, encrypted, signed in, and kept a moment for the next message.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kernel::{Error, Result};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;

use super::{Security, SmtpConfig, about_us};
use crate::delivery::SendError;

/// Servers hang up on idle clients; after this long we do not ask.
const KEPT: Duration = Duration::from_secs(20);
/// The most connections kept.
const MOST_KEPT: usize = 8;
/// How long a kept connection has to show that it is alive.
const ALIVE: Duration = Duration::from_secs(2);

/// The authorities of a PEM file.
fn authorities(path: &Path) -> Result<Certificate> {
    let wrong = |why: String| Error::invalid("email.smtp_ca_file", format!("{}: {why}", path.display()));
    let pem = std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if !pem.contains("-----BEGIN CERTIFICATE-----") {
        return Err(wrong("holds no certificate in PEM".to_owned()));
    }
    Certificate::from_pem(pem.as_bytes()).map_err(|error| wrong(error.to_string()))
}

/// The way to the server, with the connections that wait for work.
pub(super) struct Connections {
    config: SmtpConfig,
    step: Duration,
    tls: TlsParameters,
    hello: ClientId,
    kept: Mutex<Vec<(Instant, AsyncSmtpConnection)>>,
}

impl Connections {
    pub(super) fn new(config: SmtpConfig, step: Duration) -> Result<Self> {
        let mut tls = TlsParameters::builder(config.host.clone());
        if let Some(path) = &config.ca_file {
            tls = tls.add_root_certificate(authorities(path)?);
        }
        let tls =
            tls.build().map_err(|error| Error::invalid("email.smtp_url", format!("no TLS for this host: {error}")))?;
        Ok(Self { config, step, tls, hello: ClientId::default(), kept: Mutex::default() })
    }

    /// A connection that is ready for `MAIL FROM`.
    pub(super) async fn take(&self) -> std::result::Result<AsyncSmtpConnection, SendError> {
        while let Some(mut connection) = self.pop() {
            if timeout(ALIVE, connection.test_connected()).await == Ok(true) {
                return Ok(connection);
            }
        }
        let late = |_| SendError::temporary("timeout", "the mail server did not answer");
        timeout(self.step, self.connect()).await.map_err(late)?.map_err(about_us)
    }

    /// Keeps a connection whose dialogue ended well. Any other must be dropped.
    pub(super) fn give_back(&self, connection: AsyncSmtpConnection) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(since, _)| since.elapsed() < KEPT);
        if kept.len() < MOST_KEPT {
            kept.push((Instant::now(), connection));
        }
    }

    fn pop(&self) -> Option<AsyncSmtpConnection> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(since, _)| since.elapsed() < KEPT);
        kept.pop().map(|(_, connection)| connection)
    }

    async fn connect(&self) -> std::result::Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let SmtpConfig { host, port, security, login, .. } = &self.config;
        let at_once = (*security == Security::Tls).then(|| self.tls.clone());
        let server = (host.as_str(), *port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.step), &self.hello, at_once, None).await?;
        let offered = connection.can_starttls();
        if *security == Security::StartTls || (*security == Security::Opportunistic && offered) {
            connection.starttls(self.tls.clone(), &self.hello).await?;
        }
        if let Some((user, password)) = login {
            let credentials = Credentials::new(user.clone(), password.clone());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
        }
        Ok(connection)
    }
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections").field("config", &self.config).finish_non_exhaustive()
    }
}
