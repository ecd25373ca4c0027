//! The queue on a real database: once, in order, with retries, and past the death of a worker.
#![cfg(test)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration as StdDuration;

use chrono::Duration;
use database::Database;
use jobs::{Job, JobError, NewJob, Registry, counts, drain, enqueue, enqueue_many, list, retry_dead};
use kernel::page::PageParams;
use kernel::{Actor, Error, System};
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

/// Handlers that note the number that is the payload.
fn noting(kind: &'static str) -> (Registry, Arc<Mutex<Vec<i64>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let registry = Registry::new().on(kind, move |job: Job| {
        let noted = noted.clone();
        async move {
            noted.lock().unwrap().push(job.payload()?);
            Ok(())
        }
    });
    (registry, seen)
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
    let ran = drain(&db, db.clock(), &counting(&counter)).await.unwrap();
    assert_eq!((ran, counter.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn a_unique_key_holds_while_the_job_is_unfinished_and_not_after() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let job = || NewJob::new("test.count", json!({})).unique("once");
    put(&db, &[job(), job()]).await;
    let counter = Arc::new(AtomicUsize::new(0));
    let registry = counting(&counter);
    drain(&db, db.clock(), &registry).await.unwrap();
    assert_eq!(counter.load(Ordering::SeqCst), 1);
    put(&db, &[job()]).await;
    drain(&db, db.clock(), &registry).await.unwrap();
    assert_eq!(counter.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_failing_job_waits_longer_each_time_and_becomes_a_dead_letter() {
    let test = TestDatabase::new().await;
    let db = test.database();
    put(&db, &[NewJob::new("test.fail", json!({}))]).await;
    let registry = Registry::new().on("test.fail", |_: Job| async { Err(JobError::retry("not yet")) });
    let mut tries = 0;
    for _ in 0..7 {
        tries += drain(&db, db.clock(), &registry).await.unwrap();
        assert_eq!(drain(&db, db.clock(), &registry).await.unwrap(), 0, "no try before the delay is over");
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
    drain(&db, db.clock(), &registry).await.unwrap();
    assert_eq!(states(&test).await, [("dead".to_owned(), 1)]);
    put(&db, &[NewJob::new("test.panic", json!({}))]).await;
    drain(&db, db.clock(), &registry).await.unwrap();
    assert!(states(&test).await.contains(&("ready".to_owned(), 1)));
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
        let (here, there) = (registry(), registry());
        let (one, two) = tokio::join!(drain(&db, db.clock(), &here), drain(&db, db.clock(), &there));
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
    jobs.push(NewJob::new("test.order", json!({ "n": "small" })).client(story.corner.id));
    put(&db, &jobs).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let registry = Registry::new().on("test.order", move |job: Job| {
        let noted = noted.clone();
        async move {
            noted.lock().unwrap().push(job.client_id()?);
            Ok(())
        }
    });
    drain(&db, db.clock(), &registry).await.unwrap();
    let seen = seen.lock().unwrap();
    let place = seen.iter().position(|client| *client == story.corner.id).unwrap();
    assert!(place <= 5, "the small client waited for {place} jobs of the large one");
    assert_eq!(seen.len(), 151);
}

#[tokio::test]
async fn urgent_work_goes_first_and_work_for_later_waits() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let later = db.clock().now() + Duration::minutes(1);
    let job = |n: i32| NewJob::new("test.order", json!(n));
    put(&db, &[job(1), job(2).priority(-5), job(3).run_at(later), job(4).priority(9)]).await;
    let (registry, seen) = noting("test.order");
    drain(&db, db.clock(), &registry).await.unwrap();
    // Four at once: the order is that in which they began, which is the order of the claim.
    assert_eq!(*seen.lock().unwrap(), [2, 1, 4]);
    db.clock().advance(Duration::minutes(1));
    drain(&db, db.clock(), &registry).await.unwrap();
    assert_eq!(seen.lock().unwrap().last(), Some(&3));
}

#[tokio::test]
async fn many_are_enqueued_at_once_and_keys_still_hold() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let actor = Actor::system(System::Worker);
    let tx = db.scope(&actor).transaction().await.unwrap();
    let jobs: Vec<NewJob> =
        (0..500).map(|n| NewJob::new("test.order", json!(n)).unique(format!("n{}", n % 400))).collect();
    assert_eq!(enqueue_many(&tx, &jobs).await.unwrap(), 400);
    assert!(!enqueue(&tx, &jobs[7]).await.unwrap(), "an unfinished job has the key");
    assert_eq!(enqueue_many(&tx, &[]).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let (registry, seen) = noting("test.order");
    assert_eq!(drain(&db, db.clock(), &registry).await.unwrap(), 400);
    assert_eq!(seen.lock().unwrap().iter().collect::<std::collections::HashSet<_>>().len(), 400);
}

#[tokio::test]
async fn a_job_of_another_client_cannot_be_enqueued_or_seen() {
    let test = TestDatabase::new().await;
    let story = testkit::Story::tell(&test).await;
    let db = test.database();
    let (ours, theirs) = (story.acme_owner.actor(), story.corner_owner.actor());
    let tx = db.scope(&ours).transaction().await.unwrap();
    assert!(enqueue(&tx, &NewJob::new("test.order", json!(1)).client(story.acme.id)).await.unwrap());
    tx.commit().await.unwrap();
    let tx = db.scope(&theirs).transaction().await.unwrap();
    assert!(enqueue(&tx, &NewJob::new("test.order", json!(2)).client(story.acme.id)).await.is_err());
    drop(tx);
    let page = PageParams::default();
    assert_eq!(list(&db.scope(&ours), None, &page).await.unwrap().data.len(), 1);
    assert_eq!(list(&db.scope(&theirs), None, &page).await.unwrap().data.len(), 0);
    assert_eq!(counts(&db.scope(&theirs)).await.unwrap().ready, 0);
}

#[tokio::test]
async fn a_dead_letter_gets_another_round_unless_the_same_work_waits_already() {
    let test = TestDatabase::new().await;
    let story = testkit::Story::tell(&test).await;
    let db = test.database();
    let job = NewJob::new("test.fail", json!({})).unique("same");
    put(&db, std::slice::from_ref(&job)).await;
    let failing = Registry::new().on("test.fail", |_| async { Err(JobError::fail("broken")) });
    drain(&db, db.clock(), &failing).await.unwrap();
    let admin = story.admin.actor();
    let dead = list(&db.scope(&admin), Some("dead"), &PageParams::default()).await.unwrap().data;
    assert_eq!(dead[0].last_error.as_deref(), Some("broken"));
    put(&db, &[job]).await;
    let retry = async |actor: &Actor| {
        let tx = db.scope(actor).transaction().await.unwrap();
        retry_dead(&tx, dead[0].id).await?;
        tx.commit().await
    };
    assert_eq!(retry(&admin).await.unwrap_err().code(), "already_waiting");
    drain(&db, db.clock(), &Registry::new().on("test.fail", |_| async { Ok(()) })).await.unwrap();
    assert_eq!(retry(&story.support.actor()).await, Err(Error::NotFound), "support may look only");
    retry(&admin).await.unwrap();
    assert_eq!(counts(&db.scope(&admin)).await.unwrap().ready, 1);
    assert_eq!(retry(&admin).await, Err(Error::NotFound), "it is no dead letter any more");
}

#[tokio::test]
async fn recurring_work_that_fails_is_tried_again_before_its_next_tick() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let registry = Registry::new().every("test.tick", StdDuration::from_secs(6 * 3600), move || {
        let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err(JobError::retry("out of reach")) } else { Ok(()) } }
    });
    drain(&db, db.clock(), &registry).await.unwrap();
    db.clock().advance(Duration::seconds(6));
    drain(&db, db.clock(), &registry).await.unwrap();
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    assert_eq!(states(&test).await, [], "work that comes again leaves no row");
    drain(&db, db.clock(), &registry).await.unwrap();
    assert_eq!(tries.load(Ordering::SeqCst), 2, "its tick is over");
}

/// What is asked for while the same work is under way is about something the work may not have seen.
#[tokio::test]
async fn work_asked_for_while_the_same_is_under_way_is_done_once_more_afterwards_and_never_beside_it() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let wake = || NewJob::new("test.wake", json!({})).unique("wake");
    let (at_once, most, runs) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, highest, ran, asked) = (at_once.clone(), most.clone(), runs.clone(), db.clone());
    let registry = Registry::new().on("test.wake", move |_: Job| {
        let (inside, highest, ran, asked) = (inside.clone(), highest.clone(), ran.clone(), asked.clone());
        async move {
            highest.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            if ran.fetch_add(1, Ordering::SeqCst) == 0 {
                put(
                    &asked,
                    &[
                        NewJob::new("test.wake", json!({})).unique("wake"),
                        NewJob::new("test.wake", json!({})).unique("wake"),
                    ],
                )
                .await;
                let beside = Registry::new().on("test.wake", |_: Job| async { Err(JobError::fail("beside itself")) });
                assert_eq!(drain(&asked, asked.clock(), &beside).await.unwrap(), 0, "the same work is under way");
            }
            inside.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    });
    put(&db, &[wake()]).await;
    drain(&db, db.clock(), &registry).await.unwrap();
    assert_eq!((runs.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (2, 1));
    assert_eq!(states(&test).await, [("done".to_owned(), 1), ("done".to_owned(), 1)]);
}

#[tokio::test]
async fn a_failed_try_makes_way_for_the_same_work_that_waits() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let (runs, asked) = (Arc::new(AtomicUsize::new(0)), db.clone());
    let ran = runs.clone();
    let registry = Registry::new().on("test.wake", move |_: Job| {
        let (ran, asked) = (ran.clone(), asked.clone());
        async move {
            if ran.fetch_add(1, Ordering::SeqCst) > 0 {
                return Ok(());
            }
            put(&asked, &[NewJob::new("test.wake", json!({})).unique("wake")]).await;
            Err(JobError::retry("not yet"))
        }
    });
    put(&db, &[NewJob::new("test.wake", json!({})).unique("wake")]).await;
    drain(&db, db.clock(), &registry).await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 2, "the second does not wait for the first one's delay");
    assert_eq!(states(&test).await, [("done".to_owned(), 1), ("done".to_owned(), 1)]);
}
