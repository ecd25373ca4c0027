//! Workers on a real database: once among many, and past their own death and the database's.
#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration as Pause;

use chrono::Duration;
use database::Database;
use jobs::{Job, JobError, NewJob, Policy, Registry, Worker, enqueue_many};
use kernel::{Actor, System};
use serde_json::json;
use testkit::TestDatabase;
use tokio::sync::Notify;

async fn put(db: &Database, jobs: &[NewJob]) {
    try_to_put(db, jobs).await.unwrap();
}

async fn try_to_put(db: &Database, jobs: &[NewJob]) -> kernel::Result<()> {
    let actor = Actor::system(System::Worker);
    let tx = db.scope(&actor).transaction().await?;
    enqueue_many(&tx, jobs).await?;
    tx.commit().await
}

async fn states(test: &TestDatabase) -> Vec<(String, i32)> {
    let rows = test.admin().await.query("select state, attempts from jobs order by created_at, id", &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Pause::from_millis(25)).await;
    }
    panic!("{what}: not within 10 s");
}

fn counting(counter: &Arc<AtomicUsize>) -> Registry {
    let counter = counter.clone();
    Registry::new().on("test.count", move |_: Job| {
        counter.fetch_add(1, Ordering::SeqCst);
        async { Ok(()) }
    })
}

/// The handler says that it has begun, and never ends.
fn hanging(begun: &Arc<Notify>) -> Registry {
    let begun = begun.clone();
    Registry::new().on("test.count", move |_: Job| {
        begun.notify_one();
        std::future::pending()
    })
}

fn start(db: &Database, registry: Registry) -> Worker {
    let _ = tracing_subscriber::fmt().with_test_writer().try_init();
    Worker::start(db.clone(), db.clock().clone(), registry, 8)
}

#[tokio::test]
async fn four_workers_do_each_job_once() {
    let test = TestDatabase::new().await;
    let db = test.database();
    put(&db, &(0..2_000).map(|n| NewJob::new("test.count", json!({ "n": n }))).collect::<Vec<_>>()).await;
    let counter = Arc::new(AtomicUsize::new(0));
    let workers: Vec<Worker> = (0..4).map(|_| start(&db, counting(&counter))).collect();
    until("all jobs ran", async || counter.load(Ordering::SeqCst) >= 2_000).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(counter.load(Ordering::SeqCst), 2_000);
    assert!(states(&test).await.iter().all(|(state, attempts)| state == "done" && *attempts == 1));
}

#[tokio::test]
async fn work_that_only_waits_for_a_strangers_server_keeps_no_other_work_from_being_done() {
    let test = TestDatabase::new().await;
    let db = test.database();
    put(&db, &(0..8).map(|n| NewJob::new("test.wait", json!({ "n": n }))).collect::<Vec<_>>()).await;
    let counter = Arc::new(AtomicUsize::new(0));
    let begun = Arc::new(AtomicUsize::new(0));
    let waits = begun.clone();
    let policy = Policy { lends_slot_after: Some(Pause::from_millis(100)), ..Policy::GROWING };
    let registry = counting(&counter).on_with("test.wait", policy, move |_: Job| {
        waits.fetch_add(1, Ordering::SeqCst);
        std::future::pending()
    });
    let _worker = start(&db, registry);
    until("all eight slots are taken", async || begun.load(Ordering::SeqCst) == 8).await;
    put(&db, &(0..20).map(|n| NewJob::new("test.count", json!({ "n": n }))).collect::<Vec<_>>()).await;
    until("the other jobs ran", async || counter.load(Ordering::SeqCst) == 20).await;
    assert_eq!(states(&test).await.iter().filter(|(state, _)| state == "running").count(), 8, "they are still ours");
}

#[tokio::test]
async fn work_of_a_killed_worker_is_taken_over_when_its_lease_ends_and_not_before() {
    let test = TestDatabase::new().await;
    let db = test.database();
    put(&db, &[NewJob::new("test.count", json!({}))]).await;
    let begun = Arc::new(Notify::new());
    let killed = start(&db, hanging(&begun));
    begun.notified().await;
    drop(killed);
    let counter = Arc::new(AtomicUsize::new(0));
    let worker = start(&db, counting(&counter));
    // it has looked: what came later is done, the leased one is not
    put(&db, &[NewJob::new("test.count", json!("later"))]).await;
    until("the later job ran", async || counter.load(Ordering::SeqCst) == 1).await;
    worker.stop().await;
    assert_eq!(states(&test).await, [("running".to_owned(), 1), ("done".to_owned(), 1)], "the lease still holds");
    db.clock().advance(Duration::seconds(61));
    let worker = start(&db, counting(&counter));
    until("taken over", async || counter.load(Ordering::SeqCst) == 2).await;
    worker.stop().await;
    assert_eq!(states(&test).await, [("done".to_owned(), 2), ("done".to_owned(), 1)]);
}

#[tokio::test]
async fn a_job_that_kills_its_worker_each_time_is_given_up() {
    let test = TestDatabase::new().await;
    let db = test.database();
    put(&db, &[NewJob::new("test.count", json!({}))]).await;
    let lost =
        "update jobs set state = 'running', attempts = 7, max_attempts = 7, leased_by = 'gone', leased_until = $1";
    test.admin().await.execute(lost, &[&(db.clock().now() - Duration::seconds(1))]).await.unwrap();
    let counter = Arc::new(AtomicUsize::new(0));
    let worker = start(&db, counting(&counter));
    until("buried", async || states(&test).await == [("dead".to_owned(), 7)]).await;
    worker.stop().await;
    assert_eq!(counter.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_stopping_worker_waits_for_short_work_and_gives_back_long_work_untried() {
    let test = TestDatabase::new().await;
    let db = test.database();
    put(&db, &[NewJob::new("test.short", json!({})), NewJob::new("test.count", json!({}))]).await;
    let (begun, short_begun, stopping) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, goes_on) = (short_begun.clone(), stopping.clone());
    let registry = hanging(&begun).on("test.short", move |_| {
        let (told, goes_on) = (told.clone(), goes_on.clone());
        async move {
            told.notify_one();
            goes_on.notified().await;
            Ok(())
        }
    });
    let worker = start(&db, registry);
    tokio::join!(begun.notified(), short_begun.notified());
    // the short work ends only once stopping was asked for: the flag is set before the first await of `stop`
    tokio::join!(worker.stop(), async { stopping.notify_one() });
    assert_eq!(states(&test).await, [("done".to_owned(), 1), ("ready".to_owned(), 0)]);
}

#[tokio::test]
async fn a_worker_outlives_lost_connections_and_its_work_is_noted() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let counter = Arc::new(AtomicUsize::new(0));
    let counted = counter.clone();
    let worker = start(
        &db,
        Registry::new().on("test.count", move |_: Job| {
            counted.fetch_add(1, Ordering::SeqCst);
            async {
                tokio::time::sleep(Pause::from_millis(20)).await;
                Ok(())
            }
        }),
    );
    let admin = test.admin().await;
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid()";
    for n in 0..10 {
        let jobs: Vec<_> = (0..20).map(|m| NewJob::new("test.count", json!([n, m]))).collect();
        // a connection that was cut is found out when it is used
        until("the database takes work", async || try_to_put(&db, &jobs).await.is_ok()).await;
        admin.execute(cut, &[]).await.unwrap();
    }
    let ended = "select count(*) from jobs where state <> 'done'";
    // A claim whose commit was cut off may have left leases behind.
    db.clock().advance(Duration::seconds(61));
    until("everything is done", async || admin.query_one(ended, &[]).await.unwrap().get::<_, i64>(0) == 0).await;
    worker.stop().await;
    assert!(counter.load(Ordering::SeqCst) >= 200);
}

#[tokio::test]
async fn work_that_comes_to_an_idle_worker_is_done_and_a_panic_does_not_end_it() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let counter = Arc::new(AtomicUsize::new(0));
    let registry = counting(&counter).on("test.panic", |_| async { panic!("on purpose") });
    let worker = start(&db, registry);
    put(&db, &[NewJob::new("test.panic", json!({}))]).await;
    until("the panic is noted", async || states(&test).await == [("ready".to_owned(), 1)]).await;
    for n in 0..5 {
        put(&db, &[NewJob::new("test.count", json!(n))]).await;
        until("the job ran", async || counter.load(Ordering::SeqCst) > n).await;
    }
    worker.stop().await;
}

#[tokio::test]
async fn two_workers_run_recurring_work_once_a_tick() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let counter = || Arc::new(AtomicUsize::new(0));
    let (ticks, own) = (counter(), [counter(), counter()]);
    // each has work of its own beside: once that ran, the worker has looked, and has asked for all that was due
    let registry = |of: usize, name| {
        let counted = |counter: &Arc<AtomicUsize>| {
            let counter = counter.clone();
            move || {
                counter.fetch_add(1, Ordering::SeqCst);
                async { Ok::<(), JobError>(()) }
            }
        };
        let minute = Pause::from_secs(60);
        Registry::new().every("test.tick", minute, counted(&ticks)).every(name, minute, counted(&own[of]))
    };
    let workers = [start(&db, registry(0, "test.own.one")), start(&db, registry(1, "test.own.two"))];
    let admin = test.admin().await;
    let left = "select count(*) from jobs where state <> 'done'";
    for tick in 1..=3 {
        until("both looked", async || own.iter().all(|own| own.load(Ordering::SeqCst) == tick)).await;
        until("all of it ran", async || admin.query_one(left, &[]).await.unwrap().get::<_, i64>(0) == 0).await;
        assert_eq!(ticks.load(Ordering::SeqCst), tick, "once");
        db.clock().advance(Duration::seconds(60));
    }
    for worker in workers {
        worker.stop().await;
    }
}

/// A worker on a machine whose clock is wrong: the database's says when a lease ends and when work is due.
#[tokio::test]
async fn leases_and_times_follow_the_clock_of_the_database() {
    let test = TestDatabase::new().await;
    // the machine's clock, which here differs from the manual one of the tests by months
    let db = database::Database::new(&testkit::options(&test.config(), 4), kernel::Clock::system()).unwrap();
    let admin = test.admin().await;
    put(&db, &[NewJob::new("test.count", json!({})), NewJob::new("test.later", json!({}))]).await;
    let times = "update jobs set run_at = now() + case kind when 'test.later' then interval '10 minutes' else interval '-1 s' end";
    admin.execute(times, &[]).await.unwrap();
    let begun = Arc::new(Notify::new());
    let killed = Worker::start(db.clone(), kernel::Clock::system(), hanging(&begun), 2);
    begun.notified().await;
    drop(killed);
    let holds = "select leased_until between now() + interval '50 s' and now() + interval '61 s' from jobs where state = 'running'";
    assert!(
        admin.query_one(holds, &[]).await.unwrap().get::<_, bool>(0),
        "a lease of a minute by the database's clock"
    );
    let statements = database::statements().filter(|one| one.name.starts_with("jobs::queue::"));
    let queue: Vec<&str> = statements
        .filter(|one| one.sql.contains("leased_until <") || one.sql.contains("run_at <="))
        .map(|one| one.sql)
        .collect();
    assert!(queue.len() >= 2 && queue.iter().all(|sql| sql.contains("now())")), "compared with now()");
}
