//! Events in the caller's transaction, and the partitions they fall into.
#![cfg(test)]

use chrono::{Months, TimeZone, Utc};
use events::{EventType, NewEvent, partitions, record, record_many};
use serde_json::json;
use testkit::{Story, TestDatabase};
use uuid::Uuid;

fn event(client_id: Uuid, event_type: EventType) -> NewEvent {
    NewEvent {
        client_id,
        campaign_id: None,
        recipient_id: None,
        event_type,
        event_data: json!({ "name": "lead" }),
        ip: "203.0.113.5".parse().ok(),
        user_agent: None,
        referrer: None,
        at: None,
    }
}

#[tokio::test]
async fn an_event_is_recorded_with_its_transaction_and_never_for_another_client() {
    let test = TestDatabase::new().await;
    let story = Story::tell(&test).await;
    let db = test.database();
    let owner = story.acme_owner.actor();
    let tx = db.scope(&owner).transaction().await.unwrap();
    record(&tx, &event(story.acme.id, EventType::CrmEvent)).await.unwrap();
    record_many(&tx, &[event(story.acme.id, EventType::Call), event(story.acme.id, EventType::SmsReply)])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let tx = db.scope(&owner).transaction().await.unwrap();
    record(&tx, &event(story.acme.id, EventType::CrmEvent)).await.unwrap();
    drop(tx);
    let tx = db.scope(&owner).transaction().await.unwrap();
    assert!(record(&tx, &event(story.corner.id, EventType::CrmEvent)).await.is_err());
    drop(tx);
    let rows = test
        .admin()
        .await
        .query("select event_type, ip_address, created_at from events order by id", &[])
        .await
        .unwrap();
    let types: Vec<String> = rows.iter().map(|row| row.get("event_type")).collect();
    assert_eq!(types, ["crm_event", "call", "sms_reply"]);
    assert_eq!(rows[0].get::<_, chrono::DateTime<Utc>>("created_at"), db.clock().now());
}

#[tokio::test]
async fn months_are_made_ahead_and_dropped_after_the_retention_and_not_before() {
    let test = TestDatabase::new().await;
    let story = Story::tell(&test).await;
    let db = test.database();
    let far = Utc.with_ymd_and_hms(2031, 6, 15, 12, 0, 0).unwrap();
    db.clock().set(far);
    let owner = story.acme_owner.actor();
    let tx = db.scope(&owner).transaction().await.unwrap();
    for months_ago in [0, 23, 25] {
        let at = far.checked_sub_months(Months::new(months_ago));
        record(&tx, &NewEvent { at, ..event(story.acme.id, EventType::Call) }).await.unwrap();
    }
    tx.commit().await.unwrap();
    partitions::keep(&db, 24).await.unwrap();
    let admin = test.admin().await;
    let named = |name: &'static str| {
        let admin = &admin;
        async move {
            let sql = "select to_regclass('public.' || $1) is not null";
            admin.query_one(sql, &[&name]).await.unwrap().get::<_, bool>(0)
        }
    };
    assert!(named("events_2031_06").await && named("events_2031_09").await);
    assert!(!named("events_2026_03").await, "five years ago is beyond the retention");
    let place = "select tableoid::regclass::text from events where created_at = $1";
    assert_eq!(admin.query_one(place, &[&far]).await.unwrap().get::<_, String>(0), "events_2031_06");
    assert_eq!(admin.query_one("select count(*) from events", &[]).await.unwrap().get::<_, i64>(0), 2);
}
