//! The group-commit writer on a real database.
#![cfg(test)]

use events::{Visit, VisitKind, VisitWriter};
use kernel::new_id;
use testkit::{Story, TestDatabase};
use uuid::Uuid;

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
    for (token, code) in [("AAAAAAAAAA", "AAAAAAAAAAAA"), ("BBBBBBBBBB", "BBBBBBBBBBBB"), ("CCCCCCCCCC", "CCCCCCCCCCCC")] {
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
    assert_eq!(count(&scene, "select count(*) from events where event_data @> '{\"bot\": true}' and event_type = 'qr_scan'").await, 1);
    assert_eq!(count(&scene, "select sum(total_visits) from recipients").await, 0);
    assert_eq!(count(&scene, "select count(*) from jobs").await, 0);
}

#[tokio::test]
async fn before_the_mail_nothing_is_counted_and_afterwards_it_is() {
    let before = scene("in_production").await;
    let writer = VisitWriter::start(&before.test.database());
    let answer = writer.visit(visit(&before, "AAAAAAAAAA", VisitKind::Purl, false)).await.unwrap().unwrap();
    assert_eq!(answer.status, "in_production");
    assert_eq!(count(&before, "select count(*) from events").await, 0);
    let after = scene("completed").await;
    let writer = VisitWriter::start(&after.test.database());
    writer.visit(visit(&after, "AAAAAAAAAA", VisitKind::Purl, false)).await.unwrap().unwrap();
    assert_eq!(count(&after, "select count(*) from events").await, 1);
}

#[tokio::test]
async fn the_first_engagement_wakes_a_mailed_campaign_with_one_job() {
    let scene = scene("mailed").await;
    let writer = VisitWriter::start(&scene.test.database());
    let visits = ["AAAAAAAAAA", "BBBBBBBBBB", "CCCCCCCCCC"].map(|token| writer.visit(visit(&scene, token, VisitKind::Purl, false)));
    for answer in futures_util::future::join_all(visits).await {
        answer.unwrap().unwrap();
    }
    assert_eq!(count(&scene, "select count(*) from jobs where kind = 'campaigns.engaged'").await, 1);
}

#[tokio::test]
async fn an_active_campaign_is_only_woken_for_a_condition_that_is_not_met_yet() {
    let scene = scene("active").await;
    let writer = VisitWriter::start(&scene.test.database());
    writer.visit(visit(&scene, "AAAAAAAAAA", VisitKind::Purl, false)).await.unwrap();
    assert_eq!(count(&scene, "select count(*) from jobs").await, 0);
    let admin = scene.test.admin().await;
    admin
        .execute(
            "insert into campaign_conditions (id, client_id, campaign_id, condition_number, condition_name, trigger_type)
             values ($1, $2, $3, 1, 'Visited', 'purl_visit')",
            &[&new_id(), &scene.story.acme.id, &scene.campaign_id],
        )
        .await
        .unwrap();
    writer.visit(visit(&scene, "AAAAAAAAAA", VisitKind::Qr, false)).await.unwrap();
    assert_eq!(count(&scene, "select count(*) from jobs").await, 0, "a scan is not a visit by link");
    writer.visit(visit(&scene, "AAAAAAAAAA", VisitKind::Purl, false)).await.unwrap();
    assert_eq!(count(&scene, "select count(*) from jobs").await, 1);
}
