//! Background work: running imports, and forgetting uploads nobody went on with.

use std::time::Duration;

use ::jobs::{Job, JobError, Policy, Registry, enqueue};
use database::statement;
use kernel::{Actor, Error, System};
use serde::Deserialize;
use uuid::Uuid;
use web::App;

use crate::import;
use crate::store::imports::{self, Import};

/// An import that fails four times has a reason that a person must look at.
const TRIES: Policy = Policy {
    max_attempts: 4,
    delays: &[Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120)],
    ..Policy::GROWING
};
/// How long an upload waits for somebody to go on with it.
const STALE: chrono::Duration = chrono::Duration::days(7);
const DAY: Duration = Duration::from_secs(86_400);
/// How often imports are looked for that nobody works on any more.
const LOOKING: Duration = Duration::from_secs(300);

statement! {
    /// Clients with uploads nobody went on with.
    STALE_CLIENTS, worker, "
        select distinct client_id
        from imports
        where status in ('uploaded', 'mapping')
          and created_at < $1
        limit 500";
    /// Imports under way that have no unfinished job: the queue gave theirs up, because its workers were lost each time.
    ABANDONED, worker, "
        select i.client_id, i.id
        from imports i
        where i.status = 'running'
          and i.progressed_at < $1
          and not exists (
            select
            from jobs j
            where j.client_id = i.client_id
              and j.created_at >= i.created_at
              and j.kind = $2
              and j.payload ->> 'import_id' = i.id::text
              and j.state in ('ready', 'running'))
        limit 500"
}

#[derive(Deserialize)]
struct Payload {
    import_id: Uuid,
    #[serde(default)]
    takeover: bool,
}

/// The work of this room.
pub fn jobs(registry: Registry, app: &App) -> Registry {
    let (importing, sweeping, looking) = (app.clone(), app.clone(), app.clone());
    registry
        .on_with(import::JOB, TRIES, move |job| {
            let app = importing.clone();
            async move { run(&app, job).await }
        })
        .every("audience.sweep_uploads", DAY, move || {
            let app = sweeping.clone();
            async move { sweep(&app).await }
        })
        .every("audience.sweep_imports", LOOKING, move || {
            let app = looking.clone();
            async move { give_up_abandoned(&app).await }
        })
}

/// Runs an import from where it stands. Running it again, or twice at once, writes no row twice.
async fn run(app: &App, job: Job) -> Result<(), JobError> {
    let (client_id, payload) = (job.client_id()?, job.payload::<Payload>()?);
    let (actor, ids) = (Actor::client(client_id), (client_id, payload.import_id));
    let import = match imports::find(&app.db.scope(&actor), client_id, payload.import_id).await {
        Err(Error::NotFound) => return Ok(()),
        found => found?,
    };
    if payload.takeover && import.is_running() && is_moving(app, &import) {
        return look_again(app, &actor, ids).await;
    }
    match import::run(app, &actor, ids, |_| {}).await {
        Ok(_) => Ok(()),
        Err(Error::Conflict { code: "import_running", .. }) => look_again(app, &actor, ids).await,
        Err(error) if job.attempts >= TRIES.max_attempts => {
            import::fail(app, &actor, ids, &error).await?;
            Err(JobError::fail(error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether whoever runs an import is still at it.
fn is_moving(app: &App, import: &Import) -> bool {
    import.progressed_at.is_some_and(|at| app.clock.now() - at < import::STANDSTILL)
}

async fn look_again(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid)) -> Result<(), JobError> {
    let tx = app.db.scope(actor).transaction().await?;
    enqueue(&tx, &import::takeover(client_id, id, tx.now())).await?;
    Ok(tx.commit().await?)
}

async fn sweep(app: &App) -> Result<(), JobError> {
    let (worker, before) = (Actor::system(System::Worker), app.clock.now() - STALE);
    let clients: Vec<Client> = app.db.scope(&worker).query(&STALE_CLIENTS, &[&before]).await?;
    for client in clients {
        let actor = Actor::client(client.client_id);
        app.db.scope(&actor).execute(&imports::DELETE_STALE_UPLOADS, &[&client.client_id, &before]).await?;
    }
    Ok(())
}

/// An import whose workers were all lost says `running` for ever; once it has failed, a person can go on with it.
async fn give_up_abandoned(app: &App) -> Result<(), JobError> {
    let (worker, before) = (Actor::system(System::Worker), app.clock.now() - import::STANDSTILL);
    let abandoned: Vec<Abandoned> = app.db.scope(&worker).query(&ABANDONED, &[&before, &import::JOB]).await?;
    for Abandoned { client_id, id } in abandoned {
        import::give_up(app, &Actor::client(client_id), (client_id, id)).await?;
    }
    Ok(())
}

#[derive(database::FromRow)]
struct Abandoned {
    client_id: Uuid,
    id: Uuid,
}

#[derive(database::FromRow)]
struct Client {
    client_id: Uuid,
}
