//! What only several settings together tell, and values that are text but not just any text.

use std::net::SocketAddr;

use super::{EmailDriver, Settings, SmsDriver};
use crate::{Problems, Result, email, phone};

/// Tidies the settings and refuses, all at once and by name, what cannot work.
pub(super) fn check(settings: &mut Settings) -> Result<()> {
    let mut problems = Problems::new();
    for url in [&mut settings.server.public_url, &mut settings.server.pages_url, &mut settings.sms.twilio_base_url] {
        url.truncate(url.trim_end_matches('/').len());
    }
    check_server(settings, &mut problems);
    check_database(settings, &mut problems);
    check_messages(settings, &mut problems);
    check_security(settings, &mut problems);
    check_numbers(settings, &mut problems);
    problems.finish()
}

/// The address of a server listening there; one that listens everywhere is reached at localhost.
pub(super) fn url_of(listen: &str) -> String {
    match listen.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_unspecified() => format!("http://localhost:{}", address.port()),
        _ => format!("http://{listen}"),
    }
}

fn check_server(settings: &Settings, problems: &mut Problems) {
    if settings.data_dir.as_os_str().is_empty() {
        problems.add("data_dir", "required", "there is no home directory to derive it from; set ACE_DATA_DIR");
    }
    if !is_origin(&settings.server.public_url) {
        problems.invalid("server.public_url", "must look like https://ace.example.com, without a path");
    }
    let pages = &settings.server.pages_url;
    if !pages.is_empty() && !is_origin(pages) {
        problems.invalid("server.pages_url", "must look like https://go.example.com, without a path, or be empty");
    } else if !pages.is_empty() && host_name(pages) == host_name(&settings.server.public_url) {
        problems.invalid(
            "server.pages_url",
            "must be another host than server.public_url: cookies do not tell ports apart",
        );
    }
    if !settings.log.level.split(',').all(is_log_rule) {
        problems.invalid("log.level", "must be error, warn, info, debug, trace or off, or by part: info,jobs=debug");
    }
}

fn check_database(settings: &Settings, problems: &mut Problems) {
    let database = &settings.database;
    let urls = [
        ("database.url", &database.url),
        ("database.owner_url", &database.owner_url),
        ("database.app_url", &database.app_url),
        ("database.public_url", &database.public_url),
        ("database.signin_url", &database.signin_url),
        ("database.worker_url", &database.worker_url),
    ];
    for (name, url) in urls {
        if url.is_empty() {
            if !database.is_managed() && database.url.is_empty() && name != "database.url" {
                let why = "is required unless database.url is set, because another role has its own";
                problems.add(name, "required", why);
            }
        } else if !is_postgresql_url(url.expose()) {
            problems.invalid(
                name,
                "must look like postgres://user:password@host/database, with ?sslmode=require to encrypt",
            );
        }
    }
    // a launch and an import hold a second connection while they work
    let connections = settings.jobs.concurrency.saturating_mul(2);
    if settings.server.role.works() && (1..connections).contains(&database.pool_size) {
        let least = format!("must be {connections} or more: two for each of jobs.concurrency");
        problems.invalid("database.pool_size", least);
    }
}

/// The driver's own message is not passed on: it may quote what it stumbled over.
fn is_postgresql_url(url: &str) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme))
        && url.parse::<tokio_postgres::Config>().is_ok()
}

/// A level, or `part=level`. Stricter than `tracing`, which takes a mistyped level for the name of a part and is
/// silent about everything else.
fn is_log_rule(rule: &str) -> bool {
    let level = rule.rsplit_once('=').map_or(rule, |(_, level)| level).trim();
    ["off", "error", "warn", "info", "debug", "trace"].iter().any(|known| level.eq_ignore_ascii_case(known))
}

fn check_messages(settings: &Settings, problems: &mut Problems) {
    let (sms, mail) = (&settings.sms, &settings.email);
    if sms.driver == SmsDriver::Twilio {
        problems.require("sms.twilio_account_sid", &sms.twilio_account_sid);
        problems.require("sms.twilio_auth_token", sms.twilio_auth_token.expose());
        problems.require("sms.from_number", &sms.from_number);
    }
    if !sms.from_number.is_empty()
        && phone::normalise(&sms.from_number, phone::DEFAULT_REGION).as_ref() != Some(&sms.from_number)
    {
        problems.invalid("sms.from_number", "must be a number such as +16145550123");
    }
    if !is_origin(&sms.twilio_base_url) {
        problems.invalid("sms.twilio_base_url", "must look like https://api.twilio.com");
    }
    let address = mail.from.rsplit_once('<').map_or(mail.from.as_str(), |(_, rest)| rest.trim_end_matches('>'));
    let address = email::normalise(address);
    if address.is_none() {
        problems.invalid("email.from", "must look like Name <address@example.com>");
    }
    if mail.driver == EmailDriver::Smtp {
        if !["smtp://", "smtps://"].iter().any(|scheme| mail.smtp_url.expose().starts_with(scheme)) {
            problems.invalid("email.smtp_url", "must look like smtps://user:password@host:465");
        }
        if address.is_some_and(|address| address.ends_with(".example")) {
            problems.add("email.from", "required", "must be an address of yours before mail leaves by SMTP");
        }
    }
}

fn check_security(settings: &Settings, problems: &mut Problems) {
    let security = &settings.security;
    if security.password_min_length < 12 {
        problems.invalid("security.password_min_length", "must be 12 or more");
    }
    let (url, file) = (&security.supabase_jwks_url, &security.supabase_jwks_file);
    if !url.is_empty() && file.is_some() {
        problems.invalid("security.supabase_jwks_file", "cannot be set together with supabase_jwks_url");
    }
    if !url.is_empty() && !url.starts_with("https://") && !url.starts_with("http://") {
        problems.invalid(
            "security.supabase_jwks_url",
            "must be an address such as https://PROJECT.supabase.co/auth/v1/.well-known/jwks.json",
        );
    }
    if (!url.is_empty() || file.is_some()) && security.supabase_issuer.is_empty() {
        problems.add(
            "security.supabase_issuer",
            "required",
            "is required to accept tokens of an external Supabase Auth",
        );
    }
    if !security.keys.is_empty()
        && let Err(error) = crate::keyring::Keyring::parse(security.keys.expose())
    {
        for field in error.fields() {
            problems.invalid(&field.field, &field.message);
        }
    }
}

fn check_numbers(settings: &Settings, problems: &mut Problems) {
    let (security, limits) = (&settings.security, &settings.limits);
    let positive = [
        ("database.pool_size", settings.database.pool_size),
        ("security.session_days", security.session_days),
        ("security.access_token_minutes", security.access_token_minutes),
        ("limits.api_per_minute", limits.api_per_minute),
        ("limits.public_per_minute", limits.public_per_minute),
        ("limits.redemption_per_minute", limits.redemption_per_minute),
        ("limits.receivers_per_minute", limits.receivers_per_minute),
        ("import.batch_rows", settings.import.batch_rows),
        ("jobs.concurrency", settings.jobs.concurrency),
        ("events.retention_months", settings.events.retention_months),
    ];
    for (name, _) in positive.into_iter().filter(|(_, value)| *value == 0) {
        problems.invalid(name, "must be 1 or more");
    }
    if settings.import.max_bytes == 0 {
        problems.invalid("import.max_bytes", "must be 1 or more");
    }
    if settings.demo.password.chars().count() < security.password_min_length {
        problems.invalid("demo.password", "must be as long as security.password_min_length asks");
    }
}

/// The host of an address, without scheme and port.
fn host_name(url: &str) -> String {
    let host = url.split_once("://").map_or("", |(_, host)| host);
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    name.to_ascii_lowercase()
}

/// Scheme and host, and nothing behind them.
fn is_origin(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "/?#@\"'<>".contains(c)))
}
