//! The log: to stderr, as text or as one JSON object a line, panics included.

use std::io::IsTerminal;

use anyhow::Context;
use kernel::settings::{LogFormat, Settings};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Our own crates, as the targets of their lines begin.
const OURS: [&str; 17] = [
    "accounts",
    "ace",
    "audience",
    "calls",
    "campaigns",
    "content",
    "database",
    "engage",
    "events",
    "insights",
    "jobs",
    "kernel",
    "messaging",
    "portal",
    "providers",
    "rewards",
    "web",
];

/// Starts it.
///
/// # Errors
/// When `log.level` is no filter.
pub fn start(settings: &Settings) -> anyhow::Result<()> {
    // colours are for people who look: a file or a journal gets plain text
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    let lines = match settings.log.format {
        LogFormat::Json => lines.json().boxed(),
        LogFormat::Text => lines.boxed(),
    };
    // A second call, as in tests, keeps the first subscriber.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter(&settings.log.level)?)).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, why = panic.payload_as_str().unwrap_or("no text"), "a panic");
    }));
    Ok(())
}

/// What is logged at a level. Of the libraries ACE stands on no more than `info`, whatever the level says: below it they
/// write down what they are given, and addresses hold tokens, statements values, and mails links.
///
/// # Errors
/// When `level` is no filter.
pub fn filter<S: Subscriber + for<'a> LookupSpan<'a>>(level: &str) -> anyhow::Result<impl Filter<S> + use<S>> {
    let filter = EnvFilter::try_new(level).context("log.level")?;
    // What these two say at every start is noise to whoever waits for an answer.
    let quiet = ["refinery_core=warn", "tokio_postgres=warn"].into_iter().filter_map(|rule| rule.parse().ok());
    let filter = quiet.fold(filter, EnvFilter::add_directive);
    Ok(FilterExt::<S>::and(filter, filter_fn(is_discreet)))
}

fn is_discreet(line: &Metadata<'_>) -> bool {
    let part = line.target().split("::").next().unwrap_or_default();
    *line.level() <= Level::INFO || OURS.contains(&part)
}
