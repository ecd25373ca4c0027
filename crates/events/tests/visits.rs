//! The group-commit writer on a real database.
#![cfg(test)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use events::{Visit, VisitKind, VisitWriter};
use kernel::new_id;
use testkit::{Story, TestDatabase};
use uuid::Uuid;

const TOKENS: [&str; 3] = ["AAAAAAAAAA", "BBBBBBBBBB", "CCCCCCCCCC"];

struct Scene {
    test: TestDatabase,
    story: Story,
    campaign_id: Uuid,
}

/// A campaign of Acme's with three recipients, in the status asked for.
async fn scene(status: &str) -> Scene {
    let test = TestDatabase::new().await;
    let story = Story::tell(&test).await;
    let campaign_id = new_id();
    let admin = test.admin().await;
    let steps = ["draft", "ready", "in_production", "mailed", "active", "completed"];
    admin
        .execute(
            "insert into campaigns (id, client_id, name, slug) values ($1, $2, 'Spring', 'spring')",
            &[&campaign_id, &story.acme.id],
        )
        .await
        .unwrap();
    for step in steps.iter().skip(1).take_while(|_| status != "draft") {
        let set = "update campaigns set status = $2::text::campaign_status where id = $1";
        admin.execute(set, &[&campaign_id, step]).await.unwrap();
        if *step == status {
            break;
        }
    }
    for (token, code) in
        [("AAAAAAAAAA", "AAAAAAAAAAAA"), ("BBBBBBBBBB", "BBBBBBBBBBBB"), ("CCCCCCCCCC", "CCCCCCCCCCCC")]
    {
        admin
            .execute(
                "insert into recipients (id, client_id, campaign_id, redemption_code, purl_token, first_name)
                 values ($1, $2, $3, $4, $5, 'Ada')",
                &[&new_id(), &story.acme.id, &campaign_id, &code, &token],
            )
            .await
            .unwrap();
    }
    Scene { test, story, campaign_id }
}

fn visit(scene: &Scene, token: &str, kind: VisitKind, bot: bool) -> Visit {
    Visit {
        token: token.into(),
        kind,
        bot,
        ip: "203.0.113.5".parse().ok(),
        user_agent: Some("test".into()),
        referrer: None,
        at: scene.test.database().clock().now(),
    }
}

async fn count(scene: &Scene, sql: &str) -> i64 {
    scene.test.admin().await.query_one(sql, &[]).await.unwrap().get(0)
}

async fn condition(scene: &Scene, trigger_type: &str) {
    let sql = "insert into campaign_conditions
                   (id, client_id, campaign_id, condition_number, condition_name, trigger_type)
               values ($1, $2, $3, 1, 'Came', $4)";
    let admin = scene.test.admin().await;
    admin.execute(sql, &[&new_id(), &scene.story.acme.id, &scene.campaign_id, &trigger_type]).await.unwrap();
}

#[tokio::test]
async fn every_answered_visit_is_stored_and_counted_and_a_wrong_token_is_nobody() {
    let scene = scene("active").await;
    let writer = VisitWriter::start(&scene.test.database());
    let tokens = ["AAAAAAAAAA", "BBBBBBBBBB", "AAAAAAAAAA", "ZZZZZZZZZZ"];
    let visits = (0..400).map(|n| writer.visit(visit(&scene, tokens[n % 4], VisitKind::Purl, false)));
    let answers = futures_util::future::join_all(visits).await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(Some(_)))).count(), 300);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(None))).count(), 100);
    assert_eq!(count(&scene, "select count(*) from events where event_type = 'purl_visit'").await, 300);
    assert_eq!(count(&scene, "select total_visits::int8 from recipients where purl_token = 'AAAAAAAAAA'").await, 200);
    assert_eq!(count(&scene, "select total_visits::int8 from recipients where purl_token = 'CCCCCCCCCC'").await, 0);
    let first = answers[0].clone().unwrap().unwrap();
    assert_eq!((first.client_id, first.campaign_id), (scene.story.acme.id, scene.campaign_id));
    assert_eq!(first.first_name.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn a_machine_is_recorded_apart_and_not_counted() {
    let scene = scene("active").await;
    let writer = VisitWriter::start(&scene.test.database());
    writer.visit(visit(&scene, "AAAAAAAAAA", VisitKind::Qr, true)).await.unwrap().unwrap();
    assert_eq!(
        count(&scene, "select count(*) from events where event_data @> '{\"bot\": true}' and event_type = 'qr_scan'")
            .await,
        1
    );
    assert_eq!(count(&scene, "select sum(total_visits) from recipients").await, 0);
    assert_eq!(count(&scene, "select count(*) from jobs").await, 0);
}

#[tokio::test]
async fn before_the_mail_and_after_the_end_nothing_is_counted() {
    for status in ["in_production", "completed"] {
        let scene = scene(status).await;
        let writer = VisitWriter::start(&scene.test.database());
        let answer = writer.visit(visit(&scene, "AAAAAAAAAA", VisitKind::Purl, false)).await.unwrap().unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(count(&scene, "select count(*) from events").await, 0);
        assert_eq!(count(&scene, "select sum(total_visits) from recipients").await, 0);
    }
    let scene = scene("mailed").await;
    let writer = VisitWriter::start(&scene.test.database());
    writer.visit(visit(&scene, "AAAAAAAAAA", VisitKind::Purl, false)).await.unwrap().unwrap();
    assert_eq!(count(&scene, "select count(*) from events").await, 1);
}

#[tokio::test]
async fn the_first_engagement_wakes_a_mailed_campaign_with_one_job() {
    let scene = scene("mailed").await;
    let writer = VisitWriter::start(&scene.test.database());
    let visits = ["AAAAAAAAAA", "BBBBBBBBBB", "CCCCCCCCCC"]
        .map(|token| writer.visit(visit(&scene, token, VisitKind::Purl, false)));
    for answer in futures_util::future::join_all(visits).await {
        answer.unwrap().unwrap();
    }
    assert_eq!(count(&scene, "select count(*) from jobs where kind = 'campaigns.engaged'").await, 1);
}

#[tokio::test]
async fn a_person_seen_tells_the_campaign_once_for_a_condition_that_is_not_met_yet_and_a_visit_alone_never() {
    let scene = scene("active").await;
    let database = scene.test.database();
    let writer = VisitWriter::start(&database);
    let actor = kernel::Actor::system(kernel::System::PublicLink);
    let at = database.clock().now();
    let seen = |token: &'static str, kind| {
        let (database, actor) = (&database, &actor);
        async move { events::seen(&database.scope(actor), token, kind, at).await.unwrap() }
    };
    condition(&scene, "qr_scan").await;
    seen(TOKENS[1], VisitKind::Qr).await;
    assert_eq!(count(&scene, "select count(*) from jobs").await, 0, "who was never there was not seen");
    for token in TOKENS {
        let visited = writer.visit(visit(&scene, token, VisitKind::Qr, false)).await.unwrap().unwrap();
        assert!(visited.wants_sign);
    }
    assert_eq!(count(&scene, "select count(*) from jobs").await, 0, "a visit alone meets nothing");
    seen(TOKENS[0], VisitKind::Purl).await;
    assert_eq!(count(&scene, "select count(*) from jobs").await, 0, "a scan is not a visit by link");
    for token in TOKENS {
        seen(token, VisitKind::Qr).await;
        seen(token, VisitKind::Qr).await;
    }
    let told = "select count(distinct payload ->> 'recipient_id') from jobs where payload @> '{\"person\": true}'";
    assert_eq!((count(&scene, told).await, count(&scene, "select count(*) from jobs").await), (3, 3));
}

#[tokio::test]
async fn visits_of_one_recipient_in_one_statement_count_each_and_bots_beside_them_do_not() {
    let scene = scene("active").await;
    let lock = hold(&scene).await;
    let writer = VisitWriter::start(&scene.test.database());
    // The first one waits for the lock, so that the others gather behind it.
    let visits = (0..10).map(|n| writer.visit(visit(&scene, TOKENS[0], VisitKind::Purl, n % 5 == 4)));
    let (answers, ()) = tokio::join!(futures_util::future::join_all(visits), release(&scene, lock));
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Some(_)))));
    assert_eq!(count(&scene, "select max(total_visits)::int8 from recipients").await, 8);
    assert_eq!(count(&scene, "select count(*) from events").await, 10);
}

#[tokio::test]
async fn a_recipient_whom_somebody_holds_does_not_keep_others_waiting() {
    let scene = scene("active").await;
    let lock = scene.test.admin().await;
    lock.batch_execute("begin; select id from recipients where purl_token = 'AAAAAAAAAA' for update").await.unwrap();
    let writer = VisitWriter::start(&scene.test.database());
    let held = tokio::spawn({
        let (writer, held) = (writer.clone(), visit(&scene, TOKENS[0], VisitKind::Purl, false));
        async move { writer.visit(held).await }
    });
    tokio::task::yield_now().await;
    for _ in 0..3 {
        writer.visit(visit(&scene, TOKENS[1], VisitKind::Purl, false)).await.unwrap().unwrap();
    }
    assert!(!held.is_finished(), "nothing is answered that is not recorded");
    lock.batch_execute("commit").await.unwrap();
    held.await.unwrap().unwrap().unwrap();
    assert_eq!(count(&scene, "select sum(total_visits)::int8 from recipients").await, 4);
}

#[tokio::test]
async fn a_full_queue_turns_visits_away_and_keeps_every_one_it_took() {
    let scene = scene("active").await;
    let lock = hold(&scene).await;
    let writer = VisitWriter::start(&scene.test.database());
    let visits = (0..6_000).map(|_| writer.visit(visit(&scene, TOKENS[0], VisitKind::Purl, false)));
    let (answers, ()) = tokio::join!(futures_util::future::join_all(visits), release(&scene, lock));
    let taken = i64::try_from(answers.iter().filter(|answer| answer.is_ok()).count()).unwrap();
    let away = answers.iter().filter_map(|answer| answer.as_ref().err()).all(|error| error.code() == "unavailable");
    assert!(away && taken < 6_000, "{taken}");
    assert_eq!(count(&scene, "select max(total_visits)::int8 from recipients").await, taken);
}

#[tokio::test]
async fn stopping_records_what_was_taken_and_takes_no_more() {
    let scene = scene("active").await;
    let lock = hold(&scene).await;
    let writer = VisitWriter::start(&scene.test.database());
    let clone = writer.clone();
    let visits =
        futures_util::future::join_all((0..50).map(|_| clone.visit(visit(&scene, TOKENS[0], VisitKind::Purl, false))));
    // joined behind the visits, which were all taken by the time this begins
    let stop = async {
        writer.stop().await;
        assert_eq!(count(&scene, "select max(total_visits)::int8 from recipients").await, 50);
    };
    let (answers, (), ()) = tokio::join!(visits, stop, release(&scene, lock));
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let late = clone.visit(visit(&scene, TOKENS[0], VisitKind::Purl, false)).await;
    assert_eq!(late.unwrap_err().code(), "unavailable");
}

#[tokio::test]
async fn a_visit_that_cannot_be_recorded_does_not_take_others_with_it() {
    let scene = scene("active").await;
    let writer = VisitWriter::start(&scene.test.database());
    let wrong = Visit { user_agent: Some("a\0b".into()), ..visit(&scene, TOKENS[0], VisitKind::Purl, false) };
    let refused = Visit { token: "no\0token".into(), ..wrong.clone() };
    let visits = [wrong, refused, visit(&scene, TOKENS[1], VisitKind::Purl, false)].map(|visit| writer.visit(visit));
    let answers = futures_util::future::join_all(visits).await;
    assert!(matches!(answers[0], Ok(Some(_))));
    assert!(answers[1].is_err());
    assert!(matches!(answers[2], Ok(Some(_))));
    assert_eq!(count(&scene, "select count(*) from events where user_agent = 'ab'").await, 1);
}

#[tokio::test]
async fn lost_connections_lose_no_visit_that_was_answered() {
    let scene = scene("active").await;
    let writer = VisitWriter::start(&scene.test.database());
    let admin = scene.test.admin().await;
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid()";
    let (visiting, cutting) = (AtomicBool::new(true), AtomicUsize::new(0));
    let served = AtomicUsize::new(0);
    let visitors = (0..32).map(async |n| {
        let mut answered = 0;
        while visiting.load(Ordering::SeqCst) {
            match writer.visit(visit(&scene, TOKENS[n % 3], VisitKind::Purl, false)).await {
                Ok(Some(_)) => {
                    answered += 1;
                    served.fetch_add(1, Ordering::SeqCst);
                }
                Ok(None) => panic!("the token is known"),
                Err(error) => {
                    assert_eq!(error.code(), "unavailable", "{error}");
                    tokio::task::yield_now().await;
                }
            }
        }
        answered
    });
    let chaos = async {
        for _ in 0..10 {
            // in the middle of things: visits are answered again since the last cut
            let before = served.load(Ordering::SeqCst);
            while served.load(Ordering::SeqCst) < before + 40 {
                tokio::task::yield_now().await;
            }
            cutting.fetch_add(admin.query(cut, &[]).await.unwrap().len(), Ordering::SeqCst);
        }
        visiting.store(false, Ordering::SeqCst);
    };
    let (answered, ()) = tokio::join!(futures_util::future::join_all(visitors), chaos);
    let answered: i64 = answered.into_iter().sum();
    let stored = count(&scene, "select count(*) from events").await;
    assert!(cutting.load(Ordering::SeqCst) > 0 && answered > 0);
    assert!(stored >= answered, "{answered} were answered as recorded, {stored} are");
    assert_eq!(
        count(&scene, "select sum(total_visits)::int8 from recipients").await,
        stored,
        "counter and events agree"
    );
}

/// Locks every recipient, until [`release`].
async fn hold(scene: &Scene) -> tokio_postgres::Client {
    let admin = scene.test.admin().await;
    admin.batch_execute("begin; select id from recipients for update").await.unwrap();
    admin
}

/// Lets go of them once a visit waits for them.
async fn release(scene: &Scene, lock: tokio_postgres::Client) {
    // not asked by whoever holds them, who sees all through the eyes of one transaction
    let watcher = scene.test.admin().await;
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while watcher.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::task::yield_now().await;
    }
    lock.batch_execute("commit").await.unwrap();
}
