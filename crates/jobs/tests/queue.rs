//! The queue on a real database: once, in order, with retries, and past the death of a worker.
#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration as StdDuration;

use chrono::Duration;
use database::Database;
use jobs::{Job, JobError, NewJob, Registry, Worker, drain, enqueue};
use kernel::{Actor, System};
use serde_json::json;
use testkit::TestDatabase;

async fn put(db: &Database, jobs: &[NewJob]) {
    let actor = Actor::system(System::Worker);
    let tx = db.scope(&actor).transaction().await.unwrap();
    for job in jobs {
        enqueue(&tx, job).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn states(test: &TestDatabase) -> Vec<(String, i32)> {
    let admin = test.admin().await;
    let rows = admin.query("select state, attempts from jobs order by created_at, id", &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn counting(counter: &Arc<AtomicUsize>) -> Registry {
    let counter = counter.clone();
    Registry::new().on("test.count", move |_: Job| {
        let counter = counter.clone();
        async move {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    })
}

#[tokio::test]
async fn three_workers_do_each_job_once() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let jobs: Vec<NewJob> = (0..300).map(|n| NewJob::new("test.count", json!({ "n": n }))).collect();
    put(&db, &jobs).await;
    let counter = Arc::new(AtomicUsize::new(0));
    let workers: Vec<Worker> =
        (0..3).map(|_| Worker::start(db.clone(), db.clock().clone(), counting(&counter), 8)).collect();
    for _ in 0..200 {
        if counter.load(Ordering::SeqCst) >= 300 {
            break;
        }
        tokio::time::sleep(StdDuration::from_millis(50)).await;
    }
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(counter.load(Ordering::SeqCst), 300);
    assert!(states(&test).await.iter().all(|(state, attempts)| state == "done" && *attempts == 1));
}

#[tokio::test]
async fn a_job_rolled_back_with_its_transaction_never_runs() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let actor = Actor::system(System::Worker);
    let tx = db.scope(&actor).transaction().await.unwrap();
    enqueue(&tx, &NewJob::new("test.count", json!({}))).await.unwrap();
    drop(tx);
    let counter = Arc::new(AtomicUsize::new(0));
    let (ran, _) = drain(&db, db.clock(), counting(&counter)).await.unwrap();
    assert_eq!((ran, counter.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn a_unique_key_holds_while_the_job_is_unfinished_and_not_after() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let job = || NewJob::new("test.count", json!({})).unique("once");
    put(&db, &[job(), job()]).await;
    let counter = Arc::new(AtomicUsize::new(0));
    let (_, registry) = drain(&db, db.clock(), counting(&counter)).await.unwrap();
    assert_eq!(counter.load(Ordering::SeqCst), 1);
    put(&db, &[job()]).await;
    drain(&db, db.clock(), registry).await.unwrap();
    assert_eq!(counter.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_failing_job_waits_longer_each_time_and_becomes_a_dead_letter() {
    let test = TestDatabase::new().await;
    let db = test.database();
    put(&db, &[NewJob::new("test.fail", json!({}))]).await;
    let mut registry = Registry::new().on("test.fail", |_: Job| async { Err(JobError::retry("not yet")) });
    let mut tries = 0;
    for _ in 0..7 {
        let (ran, back) = drain(&db, db.clock(), registry).await.unwrap();
        registry = back;
        tries += ran;
        let (again, back) = drain(&db, db.clock(), registry).await.unwrap();
        registry = back;
        assert_eq!(again, 0, "no try before the delay is over");
        db.clock().advance(Duration::hours(5));
    }
    assert_eq!(tries, 7);
    assert_eq!(states(&test).await, [("dead".to_owned(), 7)]);
}

#[tokio::test]
async fn what_nothing_can_mend_is_given_up_at_once_and_a_panic_is_a_failed_try() {
    let test = TestDatabase::new().await;
    let db = test.database();
    put(&db, &[NewJob::new("test.give_up", json!({}))]).await;
    let registry = Registry::new()
        .on("test.give_up", |_: Job| async { Err(JobError::fail("no such row")) })
        .on("test.panic", |_: Job| async { panic!("on purpose") });
    let (_, registry) = drain(&db, db.clock(), registry).await.unwrap();
    assert_eq!(states(&test).await, [("dead".to_owned(), 1)]);
    put(&db, &[NewJob::new("test.panic", json!({}))]).await;
    drain(&db, db.clock(), registry).await.unwrap();
    assert!(states(&test).await.contains(&("ready".to_owned(), 1)));
}

#[tokio::test]
async fn work_of_a_lost_worker_is_taken_over_when_its_lease_ends() {
    let test = TestDatabase::new().await;
    let db = test.database();
    put(&db, &[NewJob::new("test.count", json!({}))]).await;
    let lost = "update jobs set state = 'running', attempts = 1, leased_by = 'gone', leased_until = $1";
    let admin = test.admin().await;
    admin.execute(lost, &[&(db.clock().now() + Duration::seconds(30))]).await.unwrap();
    let counter = Arc::new(AtomicUsize::new(0));
    let worker = Worker::start(db.clone(), db.clock().clone(), counting(&counter), 2);
    tokio::time::sleep(StdDuration::from_millis(600)).await;
    worker.stop().await;
    assert_eq!(counter.load(Ordering::SeqCst), 0, "the lease still holds");
    db.clock().advance(Duration::seconds(31));
    let worker = Worker::start(db.clone(), db.clock().clone(), counting(&counter), 2);
    for _ in 0..100 {
        if counter.load(Ordering::SeqCst) == 1 {
            break;
        }
        tokio::time::sleep(StdDuration::from_millis(50)).await;
    }
    worker.stop().await;
    assert_eq!(states(&test).await, [("done".to_owned(), 2)]);
}

#[tokio::test]
async fn recurring_work_runs_once_a_tick_over_all_workers() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let counter = Arc::new(AtomicUsize::new(0));
    let registry = || {
        let counter = counter.clone();
        Registry::new().every("test.tick", StdDuration::from_secs(60), move || {
            let counter = counter.clone();
            async move {
                counter.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        })
    };
    for _ in 0..3 {
        let (one, two) =
            tokio::join!(drain(&db, db.clock(), registry()), drain(&db, db.clock(), registry()));
        one.unwrap();
        two.unwrap();
        db.clock().advance(Duration::seconds(61));
    }
    assert_eq!(counter.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_large_client_does_not_hold_up_a_small_one() {
    let test = TestDatabase::new().await;
    let story = testkit::Story::tell(&test).await;
    let db = test.database();
    let mut jobs: Vec<NewJob> =
        (0..150).map(|n| NewJob::new("test.order", json!({ "n": n })).client(story.acme.id)).collect();
    jobs.push(NewJob::new("test.order", json!({ "n": "small" })).client(story.corner.id).priority(-1));
    put(&db, &jobs).await;
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = seen.clone();
    let registry = Registry::new().on("test.order", move |job: Job| {
        let noted = noted.clone();
        async move {
            noted.lock().unwrap().push(job.client_id()?);
            Ok(())
        }
    });
    drain(&db, db.clock(), registry).await.unwrap();
    let seen = seen.lock().unwrap();
    let place = seen.iter().position(|client| *client == story.corner.id).unwrap();
    assert!(place <= 20, "the small client waited for {place} jobs of the large one");
    assert_eq!(seen.len(), 151);
}
