//! Background work of this room: reset links, and sweeping what is over.

use std::time::Duration;

use chrono::Duration as Span;
use jobs::{Job, JobError, Registry};
use kernel::{Actor, Result, System};
use serde::Deserialize;
use web::App;

use crate::actions;
use crate::store::{invitation, session};

/// How long ended sessions and links are kept.
const KEPT: Span = Span::days(30);

/// Who asked for a reset.
#[derive(Deserialize)]
struct Reset {
    email: String,
}

/// Registers the handlers.
pub fn jobs(registry: Registry, app: &App) -> Registry {
    let (reset, sweep) = (app.clone(), app.clone());
    registry
        .on("accounts.send_reset", move |job: Job| {
            let app = reset.clone();
            async move {
                let asked: Reset = job.payload()?;
                actions::send_reset(&app, &asked.email).await.map_err(JobError::from)
            }
        })
        .every("accounts.sweep", Duration::from_secs(3600), move || {
            let app = sweep.clone();
            async move { sweep_all(&app).await.map_err(JobError::from) }
        })
}

/// Forgets what is over. Run twice, the second time finds nothing.
async fn sweep_all(app: &App) -> Result<()> {
    let actor = Actor::system(System::Worker);
    let (scope, now) = (app.db.scope(&actor), app.clock.now());
    scope.execute(&invitation::EXPIRE_INVITATIONS, &[&now]).await?;
    scope.execute(&session::SWEEP_TRIES, &[&(now - Span::days(1))]).await?;
    scope.execute(&session::SWEEP_SESSIONS, &[&(now - KEPT)]).await?;
    scope.execute(&session::SWEEP_ONE_TIME_TOKENS, &[&(now - KEPT)]).await?;
    scope.execute(&session::SWEEP_IDEMPOTENCY_KEYS, &[&(now - Span::days(1))]).await?;
    Ok(())
}
