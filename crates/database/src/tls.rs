//! Encryption on the way to a PostgreSQL of one's own.
//!
//! `sslmode=require` in its address encrypts, and checks the server's certificate and name against the certificates
//! this machine trusts: more than libpq's `require`, because encryption to whoever answers keeps out nobody who sits in
//! between. Without it nothing is encrypted, as on the socket of the managed server.

use kernel::{Error, Result};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

/// What to connect with, and how.
///
/// # Errors
/// `Unavailable` when the machine's certificates are needed and cannot be read.
pub(crate) fn prepare(config: &Config) -> Result<(Config, MakeRustlsConnect)> {
    let mut config = config.clone();
    if config.get_ssl_mode() == SslMode::Require {
        let (connector, unreadable) = MakeRustlsConnect::with_native_certs().map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            let why = if errors.is_empty() { "it has none".to_owned() } else { errors.join("; ") };
            Error::Unavailable(format!(
                "no certificates to check the database's with: {why}; install ca-certificates or set SSL_CERT_FILE"
            ))
        })?;
        for error in unreadable {
            tracing::warn!(%error, "one of this machine's certificates cannot be read");
        }
        return Ok((config, connector));
    }
    // "prefer", the driver's default, would fail at the self-made certificate that Debian's own PostgreSQL shows
    config.ssl_mode(SslMode::Disable);
    let trusts_nobody = ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    Ok((config, MakeRustlsConnect::new(trusts_nobody)))
}
