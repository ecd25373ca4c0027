//! Background work of this room.

use std::time::Duration;

use ::jobs::{Job, JobError, Policy, Registry};
use kernel::error::CanFail;
use kernel::version::Expected;
use kernel::{Actor, Error};
use serde::Deserialize;
use uuid::Uuid;
use web::App;

use crate::actions::steps::{self, Wish};
use crate::actions::{clear, delays, launch};
use crate::meet::{self, Met, Trigger};
use crate::store::life;

/// The job that an engagement leaves: the campaign becomes active, conditions of that kind are met.
pub const ENGAGED_JOB: &str = "campaigns.engaged";

/// A campaign in which nothing happened for so long is over.
const QUIET_DAYS: i64 = 90;
const HOUR: Duration = Duration::from_secs(3_600);
const FIVE_MINUTES: Duration = Duration::from_secs(300);

#[derive(Deserialize)]
struct CampaignPayload {
    campaign_id: Uuid,
}

#[derive(Deserialize)]
struct EngagedPayload {
    campaign_id: Uuid,
    recipient_id: Uuid,
    event_type: String,
    /// A person was seen, and not a visit alone.
    #[serde(default)]
    person: bool,
}

#[derive(Deserialize)]
struct DelayPayload {
    campaign_id: Uuid,
    recipient_id: Uuid,
    condition_number: i32,
}

/// Registers the handlers. All of them may run twice: the second time nothing is left to do.
pub fn jobs(registry: Registry, app: &App) -> Registry {
    let (one, two, three) = (app.clone(), app.clone(), app.clone());
    let registry = registry
        .on(launch::JOB, move |job: Job| {
            let app = one.clone();
            async move { run_launch(&app, &job).await }
        })
        .on(ENGAGED_JOB, move |job: Job| {
            let app = two.clone();
            async move { engaged(&app, &job).await }
        })
        .on(meet::TIME_DELAY_JOB, move |job: Job| {
            let app = three.clone();
            async move { time_passed(&app, &job).await }
        });
    upkeep(registry, app)
}

fn upkeep(registry: Registry, app: &App) -> Registry {
    let (one, two, three, four) = (app.clone(), app.clone(), app.clone(), app.clone());
    registry
        .on(delays::JOB, move |job: Job| {
            let app = four.clone();
            async move {
                let CampaignPayload { campaign_id } = job.payload()?;
                Ok(delays::run(&app, job.client_id()?, campaign_id).await?)
            }
        })
        .on(clear::JOB, move |job: Job| {
            let app = one.clone();
            async move {
                let CampaignPayload { campaign_id } = job.payload()?;
                Ok(clear::run(&app, job.client_id()?, campaign_id).await?)
            }
        })
        .every("campaigns.complete_quiet", HOUR, move || {
            let app = two.clone();
            async move { complete_quiet(&app).await }
        })
        .every("campaigns.sweep", FIVE_MINUTES, move || {
            let app = three.clone();
            async move { Ok(clear::sweep(&app).await?) }
        })
}

async fn run_launch(app: &App, job: &Job) -> Result<(), JobError> {
    let CampaignPayload { campaign_id } = job.payload()?;
    let client_id = job.client_id()?;
    match launch::run(app, client_id, campaign_id).await {
        Ok(_) => Ok(()),
        // What the check list misses by now will not mend itself: people are told, and may launch again.
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. } | Error::NotFound)) => {
            launch::fail(app, client_id, campaign_id, &error.to_string()).await?;
            Ok(())
        }
        // The last try: a launch never stays "running" for ever.
        Err(error) if job.attempts >= Policy::GROWING.max_attempts => {
            launch::fail(app, client_id, campaign_id, "something went wrong on our side: try again later").await?;
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Completes campaigns in which nothing happened for 90 days (behaviour.md, section 3).
async fn complete_quiet(app: &App) -> Result<(), JobError> {
    let actor = Actor::system(kernel::System::Worker);
    let since = app.clock.now() - chrono::Duration::days(QUIET_DAYS);
    for quiet in life::quiet_since(&app.scope(&actor), since).await? {
        let wish = Wish { to: "completed".into(), reason: Some("90 days without engagement".into()), mail_date: None };
        let done =
            steps::take(app, &Actor::client(quiet.client_id), (quiet.client_id, quiet.id), &wish, &Expected::any())
                .await;
        done.can_fail("somebody else completed it, or the next round does");
    }
    Ok(())
}

/// An event row of a lower room: the first engagement makes a mailed campaign active, and conditions are met.
async fn engaged(app: &App, job: &Job) -> Result<(), JobError> {
    let payload: EngagedPayload = job.payload()?;
    let client_id = job.client_id()?;
    let actor = Actor::client(client_id);
    let _turn = rewards::line::turn(app, client_id).await?;
    let tx = app.scope(&actor).transaction().await?;
    life::activate(&tx, client_id, payload.campaign_id).await?;
    let trigger = match payload.event_type.as_str() {
        // A program can follow a link; only a page that somebody looks at says that a person did.
        "purl_visit" if payload.person => Some(Trigger::PurlVisit),
        "qr_scan" if payload.person => Some(Trigger::QrScan),
        "mail_delivered" => Some(Trigger::MailDelivered),
        _ => None,
    };
    if let Some(trigger) = trigger {
        let met = by_itself(app, client_id, (payload.campaign_id, payload.recipient_id), trigger);
        meet::meet(&tx, &met).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn time_passed(app: &App, job: &Job) -> Result<(), JobError> {
    let payload: DelayPayload = job.payload()?;
    let client_id = job.client_id()?;
    let actor = Actor::client(client_id);
    let _turn = rewards::line::turn(app, client_id).await?;
    let tx = app.scope(&actor).transaction().await?;
    let trigger = Trigger::TimePassed { condition_number: payload.condition_number };
    meet::meet(&tx, &by_itself(app, client_id, (payload.campaign_id, payload.recipient_id), trigger)).await?;
    tx.commit().await?;
    Ok(())
}

fn by_itself(app: &App, client_id: Uuid, (campaign_id, recipient_id): (Uuid, Uuid), trigger: Trigger) -> Met {
    let most_per_address = app.settings.limits.rewards_per_address_per_day;
    let (channel, phone, email, notes) = (None, None, None, None);
    Met { client_id, campaign_id, recipient_id, trigger, channel, phone, email, notes, most_per_address }
}
