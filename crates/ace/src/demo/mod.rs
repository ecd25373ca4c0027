//! The demo: the story of `fixtures/story.json`, told by the same functions people use, over simulated weeks.
//!
//! Idempotent: what is there is found by name, every moment happens once, and an interrupted load goes on where it
//! stopped. Nothing leaves the machine: messages go to the sandbox, phone numbers and addresses are of the ranges
//! kept free for examples.

mod contacts;
mod days;
mod designs;
mod dice;
mod fate;
mod found;
mod marker;
mod people;
mod steps;
mod story;
mod strangers;

use chrono::{DateTime, Duration, Utc};
use database::Scope;
use events::VisitWriter;
use kernel::{Actor, System, slug};
use providers::Drivers;
use web::App;

use crate::assemble;
use days::{Business, Days};
use marker::Marker;
use story::Story;
use strangers::Strangers;

pub use people::Login;

/// Told from time to time how far it is.
pub type Progress<'a> = dyn FnMut(&str) + Send + 'a;

/// How long counted views wait before they are written; the last ones must not be lost.
const VIEWS: std::time::Duration = std::time::Duration::from_millis(1_500);

/// How often the stock is looked after.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(6 * 3_600);

/// The demo under way.
pub struct Demo {
    app: App,
    registry: jobs::Registry,
    story: Story,
    operator: Actor,
    contacts: usize,
    ends_at: DateTime<Utc>,
}

impl Demo {
    fn scope(&self) -> Scope<'_> {
        self.app.scope(&self.operator)
    }

    /// Runs the work that is due.
    async fn work(&self) -> anyhow::Result<()> {
        jobs::drain(&self.app.db, &self.app.clock, &self.registry).await?;
        Ok(())
    }

    fn begins_at(&self) -> DateTime<Utc> {
        self.ends_at - Duration::weeks(self.story.weeks)
    }
}

/// Loads the demo with about so many contacts, or what is missing of it; whether there was anything to do. The app's
/// clock is a manual one that shows the present: the story ends there.
///
/// # Errors
/// When something else of a name of the story is there, or the database is out of reach.
pub async fn load(app: &App, drivers: &Drivers, contacts: usize, progress: &mut Progress<'_>) -> anyhow::Result<bool> {
    let story = Story::read()?;
    let operator = Actor::system(System::Operator);
    let first = first_slug(&story);
    let there = marker::find(&app.scope(&operator), &first).await?.map(|(_, marker)| marker);
    if there.is_some_and(|marker| marker.finished) {
        return Ok(false);
    }
    let new = Marker { ends_at: app.clock.now(), contacts, through: None, finished: false };
    let marker = there.unwrap_or(new);
    let registry = registry(app, drivers);
    let (contacts, ends_at) = (marker.contacts, marker.ends_at);
    let demo = Demo { app: app.clone(), registry, story, operator, contacts, ends_at };
    tell(&demo, drivers, marker, progress).await?;
    Ok(true)
}

/// Whether nobody works here yet but, perhaps, the demo's people.
///
/// # Errors
/// When the database is out of reach.
pub async fn is_unused(app: &App) -> anyhow::Result<bool> {
    let operator = Actor::system(System::Operator);
    Ok(marker::is_unused(&app.scope(&operator)).await?)
}

/// The logins of the demo.
///
/// # Errors
/// When the story cannot be read.
pub fn logins() -> anyhow::Result<Vec<Login>> {
    Ok(people::logins(&Story::read()?))
}

/// The jobs of ACE, but for the sandbox's callbacks, which the demo hands to the router itself, and for two that look
/// after everything every few minutes: over weeks that is a long time spent on finding nothing.
fn registry(app: &App, drivers: &Drivers) -> jobs::Registry {
    let watched = app.clone();
    assemble::registry(app, drivers)
        .on("messages.sandbox", |_| async { Ok(()) })
        .on("messages.sweep", |_| async { Ok(()) })
        .every("rewards.stock", LOOK_AGAIN, move || {
            let app = watched.clone();
            async move { Ok(rewards::actions::stock::watch(&app).await?) }
        })
}

fn first_slug(story: &Story) -> String {
    story.organizations.first().map(|organization| slug::slugify(&organization.name)).unwrap_or_default()
}

async fn tell(demo: &Demo, drivers: &Drivers, marker: Marker, progress: &mut Progress<'_>) -> anyhow::Result<()> {
    let app = &demo.app;
    app.clock.set(marker.through.unwrap_or_else(|| demo.begins_at()));
    events::partitions::keep(&app.db, app.settings.events.retention_months).await?;
    rewards::brands::ensure_shipped(app, &demo.operator).await?;
    progress("organizations and people");
    let org_id = begin(demo, &marker).await?;
    let businesses = businesses(demo, progress).await?;
    let writer = VisitWriter::start(&app.db);
    let routes = assemble::routes(app, drivers, &writer);
    let strangers =
        Strangers { router: routes.into_router(), writer, courier: drivers.sandbox.clone(), app: app.clone() };
    let days = Days::new(demo, &strangers, &businesses);
    days.run(org_id, marker, progress).await?;
    finish(demo, strangers).await?;
    let marker = Marker { through: Some(demo.ends_at), finished: true, ..marker };
    Ok(marker::write(&demo.scope(), org_id, &marker, app.clock.now()).await?)
}

/// The first organization, with the marker on it before anything else happens.
async fn begin(demo: &Demo, marker: &Marker) -> anyhow::Result<uuid::Uuid> {
    let Some(told) = demo.story.organizations.first() else { anyhow::bail!("the story has no organization") };
    let org_id = people::organization(demo, &told.name, &told.kind).await?;
    marker::write(&demo.scope(), org_id, marker, demo.app.clock.now()).await?;
    Ok(org_id)
}

async fn businesses<'a>(demo: &'a Demo, progress: &mut Progress<'_>) -> anyhow::Result<Vec<Business<'a>>> {
    let tenants = people::settle(demo).await?;
    let told = demo.story.organizations.iter().flat_map(|organization| &organization.clients);
    let mut businesses = Vec::new();
    for (told, tenant) in told.zip(tenants) {
        progress(&format!("{}: contacts, cards, pages", told.name));
        contacts::import(demo, told, &tenant).await?;
        let designs = designs::make(demo, told, &tenant).await?;
        businesses.push(Business { told, tenant, designs });
    }
    Ok(businesses)
}

/// The last messages arrive, and the clock shows the present again.
async fn finish(demo: &Demo, strangers: Strangers) -> anyhow::Result<()> {
    demo.app.clock.set(demo.ends_at);
    demo.work().await?;
    while strangers.callbacks().await? > 0 {}
    demo.work().await?;
    strangers.writer.stop().await;
    tokio::time::sleep(VIEWS).await;
    Ok(())
}
