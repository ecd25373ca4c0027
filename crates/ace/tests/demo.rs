//! The demo in a small size: everything a newcomer should see is there, the books are right, and a load that was
//! interrupted goes on where it stopped.
#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ace::commands::doctor;
use kernel::keyring::Keyring;
use kernel::settings::Settings;
use kernel::{Actor, System};
use providers::Drivers;
use testkit::TestDatabase;
use tokio_postgres::Client;
use web::App;

const CONTACTS: usize = 600;

struct Stage {
    app: App,
    drivers: Drivers,
    admin: Client,
    // Dropped last: it takes the database with it.
    database: TestDatabase,
}

impl Stage {
    async fn empty() -> Self {
        let database = TestDatabase::new().await;
        let app = App::new(database.database(), Settings::for_tests(), Keyring::for_tests()).unwrap();
        let drivers = Drivers::from_settings(&app.settings, &app.db, &app.keyring, &app.clock).unwrap();
        Self { app, drivers, admin: database.admin().await, database }
    }

    async fn load(&self) -> bool {
        ace::demo::load(&self.app, &self.drivers, CONTACTS, &mut |_| {}).await.unwrap()
    }

    async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Every invariant of `ace doctor` that does not hold.
    async fn broken(&self) -> Vec<(&'static str, i64)> {
        let operator = Actor::system(System::Operator);
        let mut broken = Vec::new();
        for (rule, statement) in doctor::invariants() {
            let rows: i64 = self.app.scope(&operator).query_scalar(statement, &[]).await.unwrap();
            broken.extend((rows > 0).then_some((rule, rows)));
        }
        broken
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_shows_every_status_and_every_outcome_keeps_the_books_and_is_loaded_once() {
    let stage = Stage::empty().await;
    let now = stage.database.clock().now();
    assert!(ace::demo::is_unused(&stage.app).await.unwrap());
    assert!(stage.load().await);
    assert!(ace::demo::is_unused(&stage.app).await.unwrap(), "the demo's people are nobody");
    assert_eq!(stage.app.clock.now(), now, "the clock shows the present again");
    assert_eq!(stage.count("select count(distinct status) from campaigns").await, 6);
    assert_eq!(stage.count("select count(distinct role) from user_roles").await, 6);
    for (what, sql) in [
        ("visits", "select count(*) from events where event_type in ('purl_visit', 'qr_scan')"),
        ("link previews", "select count(*) from events where event_data ->> 'bot' is not null"),
        ("submissions", "select count(*) from ace_form_submissions"),
        ("views of forms", "select sum(total_views) from ace_forms"),
        ("calls", "select count(*) from call_sessions where disposition = 'qualified'"),
        (
            "rewards by call",
            "select count(*) from call_conditions_met where trigger_type = 'call' and gift_card_id is not null",
        ),
        ("delivered cards", "select count(*) from gift_cards where status = 'delivered'"),
        ("failed messages", "select count(*) from messages where status = 'failed'"),
        ("rewards that wait for cards", "select count(*) from call_conditions_met where delivery_status = 'pending'"),
        ("skipped contacts", "select count(*) from recipient_skips"),
        ("import lines refused or flagged", "select sum(rows_refused + rows_flagged)::bigint from imports"),
        ("tracked numbers", "select count(*) from tracked_phone_numbers"),
    ] {
        assert!(stage.count(sql).await > 0, "no {what}");
    }
    assert_eq!(stage.broken().await, []);
    let events = stage.count("select count(*) from events").await;
    assert!(!stage.load().await, "a second run has nothing to do");
    assert_eq!(stage.count("select count(*) from events").await, events);
    let later = now + chrono::Duration::minutes(1);
    let row = stage.admin.query_one("select count(*) from events where created_at > $1", &[&later]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0, "nothing happens after the present");
    let real = "insert into organizations (id, name, slug, type) values (gen_random_uuid(), 'Real', 'real', 'direct')";
    stage.admin.execute(real, &[]).await.unwrap();
    assert!(!ace::demo::is_unused(&stage.app).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_load_goes_on_where_it_stopped_and_makes_nothing_twice() {
    let stage = Stage::empty().await;
    let now = stage.database.clock().now();
    for week in ["Bright Dental: contacts, cards, pages", "week 1 of 8", "week 5 of 8"] {
        let (told, wanted) = (Arc::new(AtomicUsize::new(0)), week);
        let seen = told.clone();
        let mut progress = move |line: &str| {
            seen.fetch_add(usize::from(line == wanted), Ordering::SeqCst);
        };
        let load = ace::demo::load(&stage.app, &stage.drivers, CONTACTS, &mut progress);
        tokio::select! {
            done = load => panic!("not interrupted at {week}: {done:?}"),
            () = async { while told.load(Ordering::SeqCst) == 0 { tokio::time::sleep(std::time::Duration::from_millis(3)).await } } => {}
        }
        stage.app.clock.set(now + chrono::Duration::minutes(5));
    }
    assert!(stage.load().await);
    assert_eq!(stage.count("select count(*) from organizations").await, 3);
    assert_eq!(stage.count("select count(*) from clients").await, 4);
    assert_eq!(stage.count("select count(*) from campaigns").await, 9);
    let twice =
        "select count(*) from (select 1 from ace_form_submissions group by recipient_id having count(*) > 1) as twice";
    assert_eq!(stage.count(twice).await, 0);
    let twice = "select count(*) from (select 1 from call_sessions group by recipient_id having count(*) > 1) as twice";
    assert_eq!(stage.count(twice).await, 0);
    assert_eq!(stage.broken().await, []);
}
