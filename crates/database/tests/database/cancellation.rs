//! Requests are dropped at any moment: by a browser that goes away, a timeout, a shutdown. No connection may then
//! keep somebody's scope for whoever borrows it next.

use std::task::Poll;
use std::time::Duration;

use database::Database;
use kernel::{Actor, Error, System, Who};
use testkit::TestDatabase;
use testkit::story::Story;

database::statement! {
    /// Everything a connection says about who is asking.
    WHO_IS_ASKING, app | public | signin | worker, "
        select coalesce(current_setting('app.actor', true), '')";

    /// Fails in the middle of a flight.
    FAIL, app | public | signin | worker, "select 1 / (select count(*) from generate_series(1, 0))"
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// What [`WHO_IS_ASKING`] answers inside this actor's scope.
fn expected(actor: &Actor) -> String {
    match actor.who {
        Who::User(id) => format!("user:{id}"),
        Who::Key(id) => format!("key:{id}"),
        Who::System(System::Client(id)) => format!("client:{id}"),
        Who::System(System::Operator) => "operator".into(),
        Who::System(System::PublicLink | System::Worker | System::Auth) => String::new(),
    }
}

async fn ask(database: &Database, actor: &Actor, kind: u64) {
    let scope = database.scope(actor);
    let answers: Vec<String> = match kind {
        0 => vec![scope.query_scalar(&WHO_IS_ASKING, &[]).await.unwrap()],
        1 => {
            assert!(matches!(scope.execute(&FAIL, &[]).await, Err(Error::Internal(_))));
            vec![scope.query_scalar(&WHO_IS_ASKING, &[]).await.unwrap()]
        }
        kind => {
            let tx = scope.transaction().await.unwrap();
            let answers = vec![
                tx.query_scalar(&WHO_IS_ASKING, &[]).await.unwrap(),
                tx.query_scalar(&WHO_IS_ASKING, &[]).await.unwrap(),
            ];
            match kind {
                2 => tx.commit().await.unwrap(),
                3 => assert!(tx.execute(&FAIL, &[]).await.is_err()),
                _ => {}
            }
            answers
        }
    };
    for answer in answers {
        assert_eq!(answer, expected(actor), "somebody else's scope");
    }
}

/// Whether the request was answered before its caller went away: after it had something to wait for so many times, and so
/// many turns of the runtime later.
async fn ask_impatiently(database: Database, actor: Actor, kind: u64, (waits, turns): (u64, u64)) -> bool {
    let mut request = std::pin::pin!(ask(&database, &actor, kind));
    let mut waited = 0;
    let answered = std::future::poll_fn(|context| match request.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(true),
        Poll::Pending if waited == waits => Poll::Ready(false),
        Poll::Pending => {
            waited += 1;
            Poll::Pending
        }
    });
    if answered.await {
        return true;
    }
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
    false
}

async fn settled(db: &TestDatabase) -> bool {
    let admin = db.admin().await;
    for _ in 0..100 {
        let row = admin
            .query_one(
                "select count(*) filter (where xact_start is not null), count(*) from pg_stat_activity
                 where datname = current_database() and application_name like 'ace ace\\_%'",
                &[],
            )
            .await
            .unwrap();
        assert!(row.get::<_, i64>(1) <= 9, "more connections than the pools may have");
        if row.get::<_, i64>(0) == 0 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

/// Few connections, so that each is borrowed by everybody.
fn narrow(db: &TestDatabase) -> Database {
    Database::new(&testkit::options(&db.config(), 3), db.clock().clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_dropped_at_any_moment_leave_no_scope_on_a_connection() {
    let db = TestDatabase::new().await;
    let story = Story::tell(&db).await;
    let database = narrow(&db);
    let askers = [
        story.acme_owner.actor(),
        story.corner_owner.actor(),
        Actor::key(story.acme.key_id),
        Actor::client(story.corner.id),
        Actor::system(System::Operator),
        Actor::system(System::Worker),
        Actor::system(System::PublicLink),
    ];
    let mut dice = Dice(20_260_302);
    let (mut answered, mut dropped) = (0, 0);
    for _ in 0..150 {
        let wave: Vec<_> = (0..12)
            .map(|_| {
                let actor = askers[usize::try_from(dice.below(7)).unwrap()].clone();
                // every third one waits for as long as it takes
                let waits = if dice.below(3) == 0 { u64::MAX } else { dice.below(12) };
                tokio::spawn(ask_impatiently(database.clone(), actor, dice.below(5), (waits, dice.below(40))))
            })
            .collect();
        for request in wave {
            if request.await.unwrap() { answered += 1 } else { dropped += 1 }
        }
    }
    assert!(answered > 100 && dropped > 100, "{answered} answered, {dropped} dropped: the dice must do both");
    assert!(settled(&db).await, "a transaction stayed open");
    every_connection_is_clean(&database).await;
}

/// Holds all connections of both pools at once, as actors that set nothing a person would.
async fn every_connection_is_clean(database: &Database) {
    for actor in [System::Operator, System::Worker, System::PublicLink].map(Actor::system) {
        let mut held = Vec::new();
        for _ in 0..3 {
            let tx = database.scope(&actor).transaction().await.unwrap();
            assert_eq!(tx.query_scalar::<String>(&WHO_IS_ASKING, &[]).await.unwrap(), expected(&actor));
            held.push(tx);
        }
    }
}

#[tokio::test]
async fn what_a_dropped_transaction_wrote_is_gone_and_what_a_committed_one_wrote_stays() {
    database::statement! {
        /// Leaves a trace.
        LEAVE_TRACE, worker, "insert into cron_ticks (name, last_run_at) values ($1, $2)";
        /// Finds traces.
        COUNT_TRACES, worker, "select count(*) from cron_ticks where name like 'trace %'"
    }
    let db = TestDatabase::new().await;
    let database = narrow(&db);
    let worker = Actor::system(System::Worker);
    let scope = database.scope(&worker);
    let now = db.clock().now();

    let tx = scope.transaction().await.unwrap();
    tx.execute(&LEAVE_TRACE, &[&"trace dropped", &now]).await.unwrap();
    drop(tx);
    assert_eq!(scope.query_scalar::<i64>(&COUNT_TRACES, &[]).await.unwrap(), 0);

    let tx = scope.transaction().await.unwrap();
    tx.execute(&LEAVE_TRACE, &[&"trace kept", &now]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(scope.query_scalar::<i64>(&COUNT_TRACES, &[]).await.unwrap(), 1);
}

/// The label decides what the role is granted: in a build for tests nothing runs past it.
#[tokio::test]
#[should_panic(expected = "says nothing of ace_worker")]
async fn a_statement_is_not_run_as_a_role_that_it_does_not_name() {
    database::statement! {
        /// For people.
        FOR_PEOPLE, app, "select 1"
    }
    let db = TestDatabase::new().await;
    let worker = Actor::system(System::Worker);
    let _: i32 = narrow(&db).scope(&worker).query_scalar(&FOR_PEOPLE, &[]).await.unwrap();
}
