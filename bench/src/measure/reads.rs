//! The first page of a list in the scope of an actor, policies included, against pgbench running the bare statement
//! as somebody no policy holds.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chrono::{DateTime, Utc};
use database::{Database, FromRow, Statement};
use kernel::{Actor, System};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Plan, rate, script};
use crate::limit::{CLIENTS, HowLong, pgbench};
use crate::table::{Against, Figure};
use crate::world::World;

const READ: &str = include_str!("../../sql/read.sql");

database::statement! {
    /// The same as `sql/read.sql`.
    FIRST_PAGE, app, "
        select id, customer_code, first_name, last_name, company, email, phone, city, state, lifecycle_stage, do_not_contact,
            created_at
        from contacts
        where client_id = $1
        order by id desc
        limit 51";
    /// What every policy asks: whose clients these are, which looks at the actor's proof.
    PROVEN, app, "select cardinality(app.client_ids())";
    /// The same work without anybody to prove.
    UNPROVEN, worker, "select cardinality(array[gen_random_uuid()])"
}

/// A row as a list shows it.
#[derive(Debug, FromRow)]
#[expect(dead_code, reason = "reading them is what is measured")]
struct Row {
    id: Uuid,
    customer_code: String,
    first_name: Option<String>,
    last_name: Option<String>,
    company: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    city: Option<String>,
    state: Option<String>,
    lifecycle_stage: String,
    do_not_contact: bool,
    created_at: DateTime<Utc>,
}

pub(super) async fn figure(world: &World, plan: &Plan) -> Result<Figure> {
    let read = script(READ, &[(":'client_id'", format!("'{}'", world.client_id))]);
    let limit = pgbench(&world.postgres.url(), &plan.directory, &read, HowLong::Seconds(plan.seconds)).await?;
    let length = Duration::from_secs(plan.seconds.try_into()?);
    let database = world.postgres.database(CLIENTS)?;
    let begun = Instant::now();
    let mut readers = JoinSet::new();
    for _ in 0..CLIENTS {
        readers.spawn(read_on(database.clone(), world.client_id, begun + length));
    }
    let mut reads = 0;
    while let Some(done) = readers.join_next().await {
        reads += done??;
    }
    let against = Against::Limit { what: "/s pgbench, bare, without a scope", value: limit.per_second, aim: None };
    Ok(Figure { what: "scoped list reads", value: rate(reads, begun.elapsed()), unit: "/s", against })
}

/// What it costs to show the database who is asking, and to have one policy believe it: flights of the cheapest statement.
pub(super) async fn proof(world: &World, plan: &Plan) -> Result<Figure> {
    let database = world.postgres.database(CLIENTS)?;
    let length = Duration::from_secs(plan.seconds.try_into()?);
    let bare = flights(&database, Actor::system(System::Worker), &UNPROVEN, length).await?;
    let proven = flights(&database, Actor::client(world.client_id), &PROVEN, length).await?;
    let against = Against::Limit { what: "/s flights that prove nobody", value: bare, aim: None };
    Ok(Figure { what: "the actor's proof", value: proven, unit: "/s", against })
}

async fn flights(database: &Database, actor: Actor, statement: &'static Statement, length: Duration) -> Result<f64> {
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (database, actor) = (database.clone(), actor.clone());
        clients.spawn(async move {
            let mut flown = 0;
            while begun.elapsed() < length {
                let one: i32 = database.scope(&actor).query_scalar(statement, &[]).await?;
                ensure!(one == 1, "{one} clients");
                flown += 1;
            }
            Ok::<usize, anyhow::Error>(flown)
        });
    }
    let mut flown = 0;
    while let Some(done) = clients.join_next().await {
        flown += done??;
    }
    Ok(rate(flown, begun.elapsed()))
}

async fn read_on(database: Database, client_id: Uuid, until: Instant) -> Result<usize> {
    let actor = Actor::client(client_id);
    let mut reads = 0;
    while Instant::now() < until {
        let rows: Vec<Row> = database.scope(&actor).query(&FIRST_PAGE, &[&client_id]).await?;
        ensure!(rows.len() == 51, "a page has {} rows", rows.len());
        reads += 1;
    }
    Ok(reads)
}
