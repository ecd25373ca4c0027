//! Background work of this room. Every handler may run twice.

use std::time::Duration;

use jobs::{Job, Registry};
use messaging::actions::status::MOVED_JOB;
use serde::Deserialize;
use uuid::Uuid;
use web::App;

use crate::actions::{deliveries, quarantine, stock};

#[derive(Deserialize)]
struct MovedPayload {
    message_id: Uuid,
}

#[derive(Deserialize)]
struct PoolPayload {
    pool_id: Uuid,
}

/// Registers the handlers.
pub fn jobs(registry: Registry, app: &App) -> Registry {
    let (moved, fulfil) = (app.clone(), app.clone());
    let registry = registry
        .on(MOVED_JOB, move |job: Job| {
            let app = moved.clone();
            async move {
                let payload: MovedPayload = job.payload()?;
                Ok(deliveries::message_moved(&app, job.client_id()?, payload.message_id).await?)
            }
        })
        .on(stock::FULFIL_JOB, move |job: Job| {
            let app = fulfil.clone();
            async move {
                let payload: PoolPayload = job.payload()?;
                stock::fulfil(&app, job.client_id()?, payload.pool_id).await?;
                Ok(())
            }
        });
    let told = app.clone();
    let registry = registry.on(quarantine::TELL_JOB, move |_| {
        let app = told.clone();
        async move { Ok(quarantine::write_to_operator(&app).await?) }
    });
    recurring(registry, app)
}

fn recurring(registry: Registry, app: &App) -> Registry {
    let (fulfil, watch, expire, catch_up) = (app.clone(), app.clone(), app.clone(), app.clone());
    registry
        .every("rewards.catch_up", Duration::from_secs(3_600), move || {
            let app = catch_up.clone();
            async move { Ok(deliveries::catch_up(&app).await?) }
        })
        .every("rewards.fulfil_pending", Duration::from_secs(300), move || {
            let app = fulfil.clone();
            async move { Ok(stock::fulfil_everywhere(&app).await?) }
        })
        .every("rewards.stock", Duration::from_secs(60), move || {
            let app = watch.clone();
            async move { Ok(stock::watch(&app).await?) }
        })
        .every("rewards.expire", Duration::from_secs(3_600), move || {
            let app = expire.clone();
            async move {
                stock::expire(&app).await?;
                Ok(stock::watch_expiring(&app).await?)
            }
        })
}
