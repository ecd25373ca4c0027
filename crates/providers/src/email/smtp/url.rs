//! Which mail server, read from one URL: `smtps://user:password@host:465`, `smtp://user:password@host:587?tls=required`.

use std::fmt;
use std::path::PathBuf;

use kernel::settings::Email;
use kernel::{Error, Result};
use percent_encoding::percent_decode_str;
use reqwest::Url;

/// The setting that holds the URL.
const SETTING: &str = "email.smtp_url";

/// How the connection is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte, usually port 465.
    Tls,
    /// STARTTLS, without which nothing is sent; usually port 587.
    StartTls,
    /// STARTTLS where the server offers it.
    Opportunistic,
    /// None: for a server on this machine or in this network.
    Plain,
}

/// A mail server and who we are to it.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpConfig {
    /// The server's name, for which its certificate must be good.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is kept private.
    pub security: Security,
    /// User name and password.
    pub login: Option<(String, String)>,
    /// A PEM file with authorities that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
}

impl fmt::Debug for SmtpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, security, .. } = self;
        f.debug_struct("SmtpConfig")
            .field("host", host)
            .field("port", port)
            .field("security", security)
            .finish_non_exhaustive()
    }
}

impl SmtpConfig {
    /// What the settings say.
    ///
    /// # Errors
    /// As [`SmtpConfig::parse`].
    pub fn of(settings: &Email) -> Result<Self> {
        Ok(Self { ca_file: settings.smtp_ca_file.clone(), ..Self::parse(settings.smtp_url.expose())? })
    }

    /// Reads the URL.
    ///
    /// # Errors
    /// Names `email.smtp_url`, never its password.
    pub fn parse(text: &str) -> Result<Self> {
        let url = Url::parse(text).map_err(|_| wrong("must look like smtps://user:password@host:465"))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("names no host"))?;
        let security = security(&url)?;
        let port = match security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::Opportunistic | Security::Plain => 25,
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let config = Self { host, port: url.port().unwrap_or(port), security, login: login(&url)?, ca_file: None };
        if config.login.is_some() && matches!(security, Security::Opportunistic | Security::Plain) && !config.is_local()
        {
            return Err(wrong("would send the password in the clear; use smtps:// or add ?tls=required"));
        }
        Ok(config)
    }

    fn is_local(&self) -> bool {
        self.host == "localhost" || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

fn wrong(message: &str) -> Error {
    Error::invalid(SETTING, message)
}

fn security(url: &Url) -> Result<Security> {
    let mut tls = None;
    for (name, value) in url.query_pairs() {
        if name != "tls" {
            return Err(wrong("knows only the option tls"));
        }
        tls = Some(value.into_owned());
    }
    match (url.scheme(), tls.as_deref()) {
        ("smtps", None) => Ok(Security::Tls),
        ("smtp", None) => Ok(Security::Plain),
        ("smtp", Some("required")) => Ok(Security::StartTls),
        ("smtp", Some("opportunistic")) => Ok(Security::Opportunistic),
        ("smtp", Some(_)) => Err(wrong("tls must be required or opportunistic")),
        ("smtps", Some(_)) => Err(wrong("smtps:// is always encrypted and takes no tls option")),
        _ => Err(wrong("must begin with smtps:// or smtp://")),
    }
}

fn login(url: &Url) -> Result<Option<(String, String)>> {
    let decoded = |text: &str| {
        percent_decode_str(text)
            .decode_utf8()
            .map(|text| text.into_owned())
            .map_err(|_| wrong("the login is not UTF-8"))
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) => Err(wrong("has a password but no user")),
        (user, password) => Ok(Some((decoded(user)?, decoded(password.unwrap_or_default())?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_forms_are_understood() {
        let config = SmtpConfig::parse("smtps://me%40acme.example:p%2Fw@mail.acme.example:2465").unwrap();
        assert_eq!(config.login, Some(("me@acme.example".into(), "p/w".into())));
        assert_eq!((config.host.as_str(), config.port, config.security), ("mail.acme.example", 2465, Security::Tls));
        assert!(!format!("{config:?}").contains("p/w"));
        let port = |url| SmtpConfig::parse(url).map(|config| (config.port, config.security)).unwrap();
        assert_eq!(port("smtps://mail.acme.example"), (465, Security::Tls));
        assert_eq!(port("smtp://a:b@mail.acme.example?tls=required"), (587, Security::StartTls));
        assert_eq!(port("smtp://localhost"), (25, Security::Plain));
        assert_eq!(port("smtp://a:b@127.0.0.1:1025"), (1025, Security::Plain));
    }

    #[test]
    fn what_is_wrong_is_refused_by_name_and_the_password_is_not_told() {
        for url in [
            "mail.acme.example:25",
            "http://mail.acme.example",
            "smtp://user:hunter2@mail.acme.example",
            "smtp://user:hunter2@mail.acme.example?tls=opportunistic",
            "smtp://user:hunter2@mail.acme.example?tls=maybe",
            "smtp://user:hunter2@mail.acme.example?verify=no",
            "smtps://:hunter2@mail.acme.example",
            "smtps://",
        ] {
            let error = SmtpConfig::parse(url).unwrap_err();
            assert_eq!(error.fields()[0].field, "email.smtp_url", "{url}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
