//! Puts the rooms together: settings, database, keys, drivers, routes, jobs.

use std::path::Path;

use database::managed::{Managed, Options, SUPERUSER};
use database::{ActorKey, ConnectOptions, Database, keys, migrate};
use events::VisitWriter;
use kernel::Clock;
use kernel::keyring::Keyring;
use kernel::settings::{Loaded, Settings, Sources};
use providers::Drivers;
use tokio_postgres::Config;
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

/// Whether a command may make what is not there yet: a mistyped directory must not become an empty installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Make {
    /// `ace serve`, `ace demo`, `ace migrate`: directory, keys, database and schema.
    Everything,
    /// Every other command.
    Nothing,
}

/// Where the database is, one address for each role.
struct Addresses {
    owner: Config,
    app: Config,
    public: Config,
    signin: Config,
    worker: Config,
    managed: Option<Managed>,
}

/// Starts or finds PostgreSQL; says how to reach it.
async fn addresses(settings: &Settings, make: Make) -> anyhow::Result<Addresses> {
    if !settings.database.is_managed() {
        return Ok(Addresses {
            owner: settings.database.owner().parse()?,
            app: settings.database.app().parse()?,
            public: settings.database.public().parse()?,
            signin: settings.database.signin().parse()?,
            worker: settings.database.worker().parse()?,
            managed: None,
        });
    }
    let directory = settings.data_dir.join("postgres");
    if make == Make::Nothing {
        must_be_there(&settings.data_dir, &directory)?;
    }
    let mut options = Options::new(directory);
    options.bin_directory.clone_from(&settings.database.postgres_bin_dir);
    let managed = tokio::task::spawn_blocking(move || Managed::start(&options)).await??;
    let config = |role: &str, database: &str| managed.url(role, database).parse();
    if make == Make::Everything {
        migrate::create_database(&config(SUPERUSER, "postgres")?, DATABASE).await?;
    }
    Ok(Addresses {
        owner: config(SUPERUSER, DATABASE)?,
        app: config("ace_app", DATABASE)?,
        public: config("ace_public", DATABASE)?,
        signin: config("ace_signin", DATABASE)?,
        worker: config("ace_worker", DATABASE)?,
        managed: Some(managed),
    })
}

fn must_be_there(data_dir: &Path, postgres: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(
        postgres.join("data").join("PG_VERSION").exists(),
        "there is no ACE in {}: nothing was made there. Name its directory with --data-dir or ACE_DATA_DIR, or begin a new one \
         with `ace serve`",
        data_dir.display()
    );
    Ok(())
}

/// A database at this program's version, and the keys it was written with.
pub struct Prepared {
    options: ConnectOptions,
    managed: Option<Managed>,
    keyring: Keyring,
    /// The steps applied just now.
    pub migrated: migrate::Migrated,
}

impl Prepared {
    /// Leaves it as it is now.
    ///
    /// # Errors
    /// When the managed PostgreSQL does not stop.
    pub async fn close(self) -> anyhow::Result<()> {
        if let Some(managed) = self.managed {
            tokio::task::spawn_blocking(move || managed.stop()).await?;
        }
        Ok(())
    }
}

/// Finds the database and its keys, and makes what `make` allows. Keys that are missing or others end it before anything
/// is read or written.
///
/// # Errors
/// Says what is missing and what to do.
pub async fn prepare(settings: &Settings, make: Make) -> anyhow::Result<Prepared> {
    let Addresses { owner, app, public, signin, worker, managed } = addresses(settings, make).await?;
    let migrated = match make {
        Make::Everything => migrate::run(&owner).await?,
        Make::Nothing => {
            migrate::check(&owner).await?;
            migrate::Migrated { applied: Vec::new(), version: migrate::newest() }
        }
    };
    let keyring = match Keyring::find(settings)? {
        Some(keyring) => keyring,
        None if make == Make::Everything && !keys::are_known(&owner).await? => Keyring::load(settings)?,
        None => return Err(keys::missing(&settings.data_dir.join("keys").display().to_string()).into()),
    };
    keys::recognise(&owner, &keyring).await?;
    let pool_size = usize::try_from(settings.database.pool_size)?;
    let actor_key = ActorKey::of(&keyring);
    let options = ConnectOptions { owner, app, public, signin, worker, pool_size, actor_key };
    Ok(Prepared { options, managed, keyring, migrated })
}

/// Opens the database that is there, for a command.
///
/// # Errors
/// Says what is missing, or that schema or keys are not this installation's.
pub async fn open(loaded: Loaded, clock: Clock) -> anyhow::Result<Ace> {
    open_with(loaded, clock, Make::Nothing, |_| {}).await
}

/// The same, making what `make` allows, with a word on how to connect.
///
/// # Errors
/// As [`open`].
pub async fn open_with(
    loaded: Loaded,
    clock: Clock,
    make: Make,
    adjust: fn(&mut ConnectOptions),
) -> anyhow::Result<Ace> {
    let settings = loaded.settings;
    providers::http::install_tls();
    let Prepared { mut options, managed, keyring, .. } = prepare(&settings, make).await?;
    adjust(&mut options);
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
