//! Puts the rooms together: settings, database, keys, drivers, routes, jobs.

use std::io::IsTerminal;

use anyhow::Context;
use database::managed::{Managed, Options, SUPERUSER};
use database::{ConnectOptions, Database};
use events::VisitWriter;
use kernel::Clock;
use kernel::keyring::Keyring;
use kernel::settings::{Loaded, LogFormat, Settings, Sources};
use providers::Drivers;
use web::{App, Routes};

use crate::cli::{Cli, Command, ServeRole};

/// The name of the database on a managed server.
const DATABASE: &str = "ace";

/// A running ACE without a listener: what commands work with.
pub struct Ace {
    /// What handlers and jobs need.
    pub app: App,
    /// Where messages leave.
    pub drivers: Drivers,
    managed: Option<Managed>,
}

impl Ace {
    /// Leaves the database, and stops the managed PostgreSQL when this process runs it.
    pub async fn close(self) {
        // before its server goes: connections that are cut complain
        self.app.db.close();
        if let Some(managed) = self.managed {
            let stopped = tokio::task::spawn_blocking(move || managed.stop()).await;
            if let Err(error) = stopped {
                tracing::warn!(%error, "PostgreSQL may still be running");
            }
        }
    }
}

/// The settings, with what was typed on top.
///
/// # Errors
/// Names every wrong setting.
pub fn settings(cli: &Cli) -> anyhow::Result<Loaded> {
    let mut options = Vec::new();
    if let Some(data_dir) = &cli.data_dir {
        options.push(("data_dir".to_owned(), data_dir.display().to_string()));
    }
    if let Command::Serve(args) = &cli.command {
        options.extend(args.listen.clone().map(|listen| ("server.listen".to_owned(), listen)));
        let role = args.role.map(|role| match role {
            ServeRole::All => "all",
            ServeRole::Web => "web",
            ServeRole::Worker => "worker",
        });
        options.extend(role.map(|role| ("server.role".to_owned(), role.to_owned())));
    }
    Ok(Loaded::load(&Sources::of_process(cli.config.clone(), options))?)
}

/// Logging to stderr, as text or JSON.
///
/// # Errors
/// When `log.level` is no filter.
pub fn start_logging(settings: &Settings) -> anyhow::Result<()> {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(&settings.log.level).context("log.level")?;
    // What these two say at every start is noise to whoever waits for an answer.
    let quiet = ["refinery_core=warn", "tokio_postgres=warn"].into_iter().filter_map(|rule| rule.parse().ok());
    let filter = quiet.fold(filter, EnvFilter::add_directive);
    // colours are for people who look: a file or a journal gets plain text
    let colours = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    // A second call, as in tests, keeps the first subscriber.
    let _ = match settings.log.format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Text => builder.try_init(),
    };
    Ok(())
}

/// Starts or finds PostgreSQL; says how to reach it.
///
/// # Errors
/// Says what is missing and the line to type.
pub async fn connect_options(settings: &Settings) -> anyhow::Result<(ConnectOptions, Option<Managed>)> {
    let pool_size = usize::try_from(settings.database.pool_size)?;
    if !settings.database.is_managed() {
        let options = ConnectOptions {
            owner: settings.database.owner().parse()?,
            app: settings.database.app().parse()?,
            system: settings.database.system().parse()?,
            pool_size,
        };
        return Ok((options, None));
    }
    let mut options = Options::new(settings.data_dir.join("postgres"));
    options.bin_directory.clone_from(&settings.database.postgres_bin_dir);
    let managed = tokio::task::spawn_blocking(move || Managed::start(&options)).await??;
    let config = |role: &str, database: &str| managed.url(role, database).parse();
    database::migrate::create_database(&config(SUPERUSER, "postgres")?, DATABASE).await?;
    let options = ConnectOptions {
        owner: config(SUPERUSER, DATABASE)?,
        app: config("ace_app", DATABASE)?,
        system: config("ace_system", DATABASE)?,
        pool_size,
    };
    Ok((options, Some(managed)))
}

/// Opens a migrated database for a command.
///
/// # Errors
/// Says what is missing, or that the schema is another version's.
pub async fn open(loaded: Loaded, clock: Clock) -> anyhow::Result<Ace> {
    open_with(loaded, clock, |_| {}).await
}

/// The same with a word on how to connect.
///
/// # Errors
/// As [`open`].
pub async fn open_with(loaded: Loaded, clock: Clock, adjust: fn(&mut ConnectOptions)) -> anyhow::Result<Ace> {
    let settings = loaded.settings;
    providers::http::install_tls();
    let (mut options, managed) = connect_options(&settings).await?;
    adjust(&mut options);
    database::migrate::run(&options.owner).await?;
    let keyring = Keyring::load(&settings)?;
    let app = App::new(Database::new(&options, clock)?, settings, keyring)?;
    let drivers = Drivers::from_settings(&app.settings, &app.db, &app.keyring, &app.clock)?;
    Ok(Ace { app, drivers, managed })
}

/// Every route of ACE.
pub fn routes(app: &App, drivers: &Drivers, writer: &VisitWriter) -> Routes {
    Routes::new(app)
        .merge(crate::serve::own_routes(app))
        .merge(accounts::routes(app))
        .merge(audience::routes(app))
        .merge(content::routes(app))
        .merge(messaging::routes(app, drivers))
        .merge(rewards::routes(app))
        .merge(campaigns::routes(app))
        .merge(engage::routes(app, writer.clone()))
        .merge(calls::routes(app))
        .merge(insights::routes(app))
        .merge(portal::routes(app))
}

/// Every job of ACE.
pub fn registry(app: &App, drivers: &Drivers) -> jobs::Registry {
    let registry = jobs::Registry::new();
    let registry = partitions(registry, app);
    let registry = accounts::jobs(registry, app);
    let registry = audience::jobs(registry, app);
    let registry = messaging::jobs(registry, app, drivers);
    let registry = rewards::jobs(registry, app);
    campaigns::jobs(registry, app)
}

/// Events know nothing of jobs, so their recurring work is registered here.
fn partitions(registry: jobs::Registry, app: &App) -> jobs::Registry {
    let (db, months) = (app.db.clone(), app.settings.events.retention_months);
    registry.every("events.partitions", events::partitions::EVERY, move || {
        let db = db.clone();
        async move { events::partitions::keep(&db, months).await.map_err(jobs::JobError::from) }
    })
}
