//! Chaos: many people ask for the same reward while the server is killed, and PostgreSQL too; then everything is
//! counted.
//!
//! A person whose connection breaks sends the same page again, as browsers and people do. What was answered must be
//! there afterwards; what was not may be there once, never twice.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::Dice;
use crate::http::{Connection, Reply, Request};
use crate::server::Serving;
use crate::world::{Campaign, Recipient, World};

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Clients at the same time.
    pub clients: usize,
    /// Rewards asked for by all of them together; each is preceded by a visit.
    pub triggers: usize,
    /// People they are asked for; the first few by everybody.
    pub recipients: usize,
    /// Times the server is killed.
    pub kills: usize,
}

impl Size {
    /// What `make bench` does.
    pub const FULL: Self = Self { clients: 64, triggers: 2_000, recipients: 200, kills: 4 };
    /// What `make test` does.
    pub const SMALL: Self = Self { clients: 16, triggers: 200, recipients: 40, kills: 2 };
}

/// How many of the people everybody asks for at the same time.
const WANTED_BY_ALL: usize = 4;
/// How long one request may take, all tries together.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long one try may take: the other side may be frozen.
const TRY: Duration = Duration::from_secs(20);
/// How long whatever was begun may take to end: a lease of a killed worker lasts a minute.
const SETTLE: Duration = Duration::from_secs(180);

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Survived {
    /// Requests that were answered.
    pub answered: usize,
    /// Tries that broke off, or were answered with an error.
    pub broken: usize,
    /// Cards handed out.
    pub cards: usize,
    /// How long the storm lasted.
    pub storm: Duration,
    /// How long it took afterwards until nothing was under way.
    pub settled: Duration,
}

/// What clients share.
struct Storm {
    world: World,
    campaign: Campaign,
    recipients: Vec<Recipient>,
    size: Size,
    /// Triggers that clients have taken.
    taken: AtomicUsize,
    /// Triggers that were answered.
    done: AtomicUsize,
    broken: AtomicUsize,
}

/// What a client was answered.
#[derive(Default)]
struct Answered {
    /// Tokens of submissions.
    submissions: BTreeSet<Uuid>,
    /// Referrers of visits.
    visits: BTreeSet<String>,
    /// Whom a submission was answered for.
    people: BTreeSet<Uuid>,
}

/// Runs the storm and counts what is left. The binary is killed and started again; the directory is its own.
///
/// # Errors
/// Names the first thing that does not hold.
pub async fn run(binary: &Path, directory: &Path, size: Size) -> Result<Survived> {
    let world = World::found(binary, directory).await?;
    let serving = world.ace.serve().await?;
    let (list_id, _) = world.import("everybody", size.recipients).await?;
    let campaign = world.draft("Chaos", list_id, size.recipients + 10).await?;
    world.launch(&campaign).await?;
    world.mail(&campaign).await?;
    let recipients = world.recipients(&campaign).await?;
    ensure!(recipients.len() == size.recipients, "{} recipients", recipients.len());
    let (taken, done, broken) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let storm = Arc::new(Storm { world, campaign, recipients, size, taken, done, broken });

    let begun = Instant::now();
    let (answered, serving) = rage(&storm, serving).await?;
    let (length, calm) = (begun.elapsed(), Instant::now());
    let admin = storm.world.postgres.admin().await?;
    settle(&admin).await?;
    let settled = calm.elapsed();
    let cards = count_everything(&admin, &answered).await?;
    serving.stop().await?;
    let (doctor, healthy) = storm.world.ace.run(&["doctor"]).await?;
    ensure!(healthy, "ace doctor: {doctor}");
    let broken = storm.broken.load(Ordering::Relaxed);
    let postgres = storm.world.postgres.clone();
    drop(storm);
    postgres.stop().await;
    let answered = answered.submissions.len() + answered.visits.len();
    Ok(Survived { answered, broken, cards, storm: length, settled })
}

/// All clients, and whoever kills.
async fn rage(storm: &Arc<Storm>, serving: Serving) -> Result<(Answered, Serving)> {
    let mut clients = JoinSet::new();
    for n in 0..storm.size.clients {
        clients.spawn(ask_again_and_again(Arc::clone(storm), n));
    }
    let serving = kill_now_and_then(storm, serving).await?;
    let mut all = Answered::default();
    while let Some(answered) = clients.join_next().await {
        let answered = answered??;
        all.submissions.extend(answered.submissions);
        all.visits.extend(answered.visits);
        all.people.extend(answered.people);
    }
    Ok((all, serving))
}

/// Kills the server when so much is done, and PostgreSQL once in the middle.
async fn kill_now_and_then(storm: &Storm, mut serving: Serving) -> Result<Serving> {
    let strokes = storm.size.kills + 1;
    for stroke in 1..=strokes {
        let due = storm.size.triggers * stroke / (strokes + 1);
        wait_until_done(storm, due).await?;
        if stroke == strokes.div_ceil(2) {
            storm.world.postgres.kill()?;
        } else {
            serving.kill().await?;
            serving = storm.world.ace.serve().await?;
        }
    }
    Ok(serving)
}

async fn wait_until_done(storm: &Storm, due: usize) -> Result<()> {
    let begun = Instant::now();
    while storm.done.load(Ordering::Relaxed) < due {
        ensure!(begun.elapsed() < PATIENCE * 2, "the storm stands still at {}", storm.done.load(Ordering::Relaxed));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

/// One client: visits a link, fills in the form behind it, and goes on until all triggers are taken.
async fn ask_again_and_again(storm: Arc<Storm>, n: usize) -> Result<Answered> {
    let mut dice = Dice::new(n as u64 + 1);
    let mut answered = Answered::default();
    let mut connection = None;
    loop {
        let trigger = storm.taken.fetch_add(1, Ordering::Relaxed);
        if trigger >= storm.size.triggers {
            return Ok(answered);
        }
        let range = if dice.below(2) == 0 { WANTED_BY_ALL } else { storm.recipients.len() };
        let recipient = &storm.recipients[dice.below(range)];
        let referrer = format!("https://chaos.example/{trigger}");
        visit(&storm, &mut connection, recipient, &referrer).await?;
        answered.visits.insert(referrer);
        let token = kernel::new_id();
        submit(&storm, &mut connection, recipient, token).await?;
        answered.submissions.insert(token);
        answered.people.insert(recipient.id);
        storm.done.fetch_add(1, Ordering::Relaxed);
    }
}

async fn visit(storm: &Storm, connection: &mut Option<Connection>, to: &Recipient, referrer: &str) -> Result<()> {
    let path = format!("/r/{}", to.token);
    let headers = format!("referer: {referrer}\r\n");
    let request = Request { headers: &headers, ..Request::get(&path) };
    insist(storm, connection, &request).await.map(|_| ())
}

async fn submit(storm: &Storm, connection: &mut Option<Connection>, to: &Recipient, token: Uuid) -> Result<()> {
    let body = format!("first_name=Maria&mobile=%2B16142345678&ace-token={token}&ace-recipient={}", to.token);
    let path = format!("/f/{}", storm.campaign.form_id);
    let headers = "content-type: application/x-www-form-urlencoded\r\n";
    let request = Request { method: "POST", path: &path, headers, body: body.as_bytes() };
    let reply = insist(storm, connection, &request).await?;
    let text = reply.text();
    ensure!(!text.contains("name=\"ace-token\""), "the form came back unanswered: {}", &text[..text.len().min(2_000)]);
    Ok(())
}

/// Sends the same request until it is answered. Only what a crash explains is tried again.
async fn insist(storm: &Storm, connection: &mut Option<Connection>, request: &Request<'_>) -> Result<Reply> {
    let begun = Instant::now();
    loop {
        let tried = tokio::time::timeout(TRY, try_once(storm, connection, request)).await;
        match tried {
            Ok(Ok(reply)) if reply.is_accepted() => return Ok(reply),
            Ok(Ok(reply)) => {
                let passing = matches!(reply.status, 500 | 502 | 503 | 504);
                ensure!(passing, "{} {}: {} {}", request.method, request.path, reply.status, reply.text());
                // a bug is not a crash
                ensure!(reply.status != 500, "{} {}: 500 {}", request.method, request.path, reply.text());
            }
            Ok(Err(_)) | Err(_) => *connection = None,
        }
        storm.broken.fetch_add(1, Ordering::Relaxed);
        ensure!(begun.elapsed() < PATIENCE, "{} {} is never answered", request.method, request.path);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn try_once(storm: &Storm, connection: &mut Option<Connection>, request: &Request<'_>) -> Result<Reply> {
    let mut open = match connection.take() {
        Some(open) => open,
        None => Connection::open(storm.world.ace.address).await?,
    };
    let reply = open.send(request).await?;
    *connection = Some(open);
    Ok(reply)
}

/// Waits until nothing is under way: no job that is due, no message that is not out.
async fn settle(admin: &Client) -> Result<()> {
    let under_way = "
        select (select count(*) from jobs where state = 'running' or (state = 'ready' and run_at < now() + interval '10 minutes')),
               (select count(*) from messages where status = 'pending'),
               (select count(*) from sandbox_messages where callback_due_at is not null)";
    let begun = Instant::now();
    loop {
        let row = admin.query_one(under_way, &[]).await?;
        let counts: [i64; 3] = [row.get(0), row.get(1), row.get(2)];
        if counts == [0, 0, 0] {
            return Ok(());
        }
        let [jobs, messages, callbacks] = counts;
        ensure!(begun.elapsed() < SETTLE, "stuck: {jobs} jobs, {messages} messages, {callbacks} callbacks");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Everything that must hold now; the number of cards handed out.
async fn count_everything(admin: &Client, answered: &Answered) -> Result<usize> {
    let people = i64::try_from(answered.people.len())?;
    let tokens: Vec<Uuid> = answered.submissions.iter().copied().collect();
    let stored =
        "select count(distinct submission_token), count(*) from ace_form_submissions where submission_token = any ($1)";
    let row = admin.query_one(stored, &[&tokens]).await?;
    let submissions = i64::try_from(tokens.len())?;
    ensure!(
        (row.get::<_, i64>(0), row.get::<_, i64>(1)) == (submissions, submissions),
        "an answered submission is missing"
    );

    let referrers: Vec<&String> = answered.visits.iter().collect();
    let visited = "select count(distinct referrer) from events where event_type = 'purl_visit' and referrer = any ($1)";
    let visits: i64 = admin.query_one(visited, &[&referrers]).await?.get(0);
    ensure!(visits == i64::try_from(referrers.len())?, "{visits} of {} answered visits are stored", referrers.len());

    for (what, expected, sql) in [
        ("conditions met", people, "select count(*) from call_conditions_met"),
        ("conditions with a card", people, "select count(*) from call_conditions_met where gift_card_id is not null"),
        ("people who met one", people, "select count(distinct recipient_id) from call_conditions_met"),
        ("cards handed out", people, "select count(*) from gift_cards where status <> 'available'"),
        (
            "cards with their own person",
            people,
            "select count(*) from gift_cards g join call_conditions_met m on m.gift_card_id = g.id and m.recipient_id = g.recipient_id",
        ),
        ("cards delivered", people, "select count(*) from gift_cards where status = 'delivered'"),
        ("messages", people, "select count(*) from messages"),
        (
            "messages with a card each",
            people,
            "select count(distinct gift_card_id) from messages where status = 'delivered'",
        ),
        (
            "cards missing from the counter",
            0,
            "select sum(total_cards - available_cards - delivered_cards)::int8 from gift_card_pools",
        ),
        ("claimed events", people, "select count(*) from events where event_type = 'gift_card_claimed'"),
        (
            "visits that are not counted",
            0,
            "
            select (select count(*) from events where event_type in ('purl_visit', 'qr_scan'))
                 - (select sum(total_visits) from recipients)",
        ),
        (
            "submissions that are not counted",
            0,
            "
            select (select count(*) from ace_form_submissions) - (select sum(total_submissions) from ace_forms)",
        ),
        ("dead jobs", 0, "select count(*) from jobs where state = 'dead'"),
    ] {
        let found: i64 = admin.query_one(sql, &[]).await.context(what)?.get(0);
        ensure!(found == expected, "{what}: {found}, not {expected}{}", details(admin).await);
    }
    Ok(usize::try_from(people)?)
}

/// What somebody who looks for the reason wants to see first.
async fn details(admin: &Client) -> String {
    let sql = "
        select json_build_object(
            'jobs', (select json_agg(json_build_object('kind', kind, 'state', state, 'error', last_error)) from jobs where state <> 'done'),
            'messages', (select json_object_agg(status, n) from (select status, count(*) as n from messages group by status) as m),
            'cards', (select json_object_agg(status, n) from (select status, count(*) as n from gift_cards group by status) as g))";
    match admin.query_one(sql, &[]).await {
        Ok(row) => format!("\n{}", row.get::<_, Value>(0)),
        Err(_) => String::new(),
    }
}
