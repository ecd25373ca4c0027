//! The sandbox: what it keeps, who may see it, and that no callback is lost.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::page::PageParams;
use kernel::{Actor, Error};
use providers::sandbox::{self, Channel, Delivered, Reply, Which};
use providers::{DeliveryStatus, Drivers, IncomingSms, StatusUpdate};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::story::Story;

/// ACE's receivers, answering `status`; the story's public URL is theirs.
async fn receivers(story: &mut Story, status: u16) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(status)).mount(&server).await;
    story.settings.server.public_url = server.uri();
    server
}

fn form(request: &Request) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://x/?{}", String::from_utf8_lossy(&request.body))).unwrap();
    url.query_pairs().into_owned().collect()
}

/// What was received, each with its signature checked as the receiver does.
async fn received(server: &MockServer, drivers: &Drivers) -> Vec<StatusUpdate> {
    let requests = server.received_requests().await.unwrap();
    let read = requests.iter().map(|request| {
        let url = format!("{}{}", server.uri(), request.url.path());
        let signature = request.headers["x-twilio-signature"].to_str().unwrap();
        assert_eq!(drivers.webhooks.signer_of_form(&url, &form(request), signature), Some("sandbox"));
        assert_eq!(drivers.webhooks.signer_of_form(&url, &form(request), "AAAA"), None);
        StatusUpdate::from_form(&form(request)).unwrap().unwrap()
    });
    read.collect()
}

fn inbox(story: &Story, channel: Channel) -> Which {
    Which { client_id: Some(story.client_id), channel, person: None }
}

fn later(story: &Story, seconds: i64) -> DateTime<Utc> {
    story.test.clock().now() + TimeDelta::seconds(seconds)
}

#[tokio::test]
async fn a_message_is_reported_sent_then_delivered_and_then_there_is_silence() {
    let mut story = Story::begin().await;
    let server = receivers(&mut story, 204).await;
    let drivers = story.drivers();
    let sms = drivers.sms.send(&story.sms("+16145550123").await).await.unwrap();
    let mail = drivers.email.send(&story.email("ada@example.com").await).await.unwrap();
    for (seconds, acknowledged) in [(0, 2), (1, 0), (3, 2), (3600, 0)] {
        let done = drivers.sandbox.deliver_callbacks(later(&story, seconds)).await.unwrap();
        assert_eq!(done, Delivered { acknowledged, postponed: 0 }, "after {seconds} s");
    }
    let updates = received(&server, &drivers).await;
    for id in [&sms.provider_message_id, &mail.provider_message_id] {
        let own: Vec<_> = updates.iter().filter(|u| u.provider_message_id == *id).map(|u| u.status.clone()).collect();
        assert_eq!(own, [DeliveryStatus::Sent, DeliveryStatus::Delivered]);
    }
    let requests = server.received_requests().await.unwrap();
    assert!(requests.iter().all(|request| !String::from_utf8_lossy(&request.body).contains("WXYZ")));
}

#[tokio::test]
async fn numbers_and_addresses_that_fail_are_reported_with_a_code() {
    let mut story = Story::begin().await;
    let server = receivers(&mut story, 200).await;
    let drivers = story.drivers();
    drivers.sms.send(&story.sms("+16145550000").await).await.unwrap();
    drivers.email.send(&story.email("bounce@example.com").await).await.unwrap();
    for seconds in [0, 5, 10] {
        drivers.sandbox.deliver_callbacks(later(&story, seconds)).await.unwrap();
    }
    let updates = received(&server, &drivers).await;
    let failed: Vec<&str> = updates
        .iter()
        .filter_map(|update| match &update.status {
            DeliveryStatus::Failed { code, .. } => Some(code.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!((updates.len(), failed.len()), (4, 2));
    assert!(failed.contains(&"30005") && failed.contains(&"5.1.1"), "{failed:?}");
}

#[tokio::test]
async fn a_callback_is_posted_until_it_is_acknowledged_with_growing_delays() {
    let mut story = Story::begin().await;
    let server = receivers(&mut story, 503).await;
    let drivers = story.drivers();
    drivers.sms.send(&story.sms("+16145550123").await).await.unwrap();
    for (seconds, postponed) in [(0, 1), (4, 0), (5, 1), (14, 0), (15, 1)] {
        let done = drivers.sandbox.deliver_callbacks(later(&story, seconds)).await.unwrap();
        assert_eq!(done, Delivered { acknowledged: 0, postponed }, "after {seconds} s");
    }
    server.reset().await;
    Mock::given(method("POST"))
        .and(path("/hooks/sms/status"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    drivers.sandbox.deliver_callbacks(later(&story, 100)).await.unwrap();
    assert_eq!(received(&server, &drivers).await[0].status, DeliveryStatus::Sent);
}

#[tokio::test]
async fn a_server_that_dies_with_callbacks_in_its_hands_loses_none_and_two_at_once_share_them() {
    let mut story = Story::begin().await;
    let server = receivers(&mut story, 200).await;
    let drivers = story.drivers();
    drivers.sms.send(&story.sms("+16145550123").await).await.unwrap();
    drivers.sms.send(&story.sms("+16145550124").await).await.unwrap();
    let now = story.test.clock().now();
    let (one, other) = tokio::join!(drivers.sandbox.due(now), drivers.sandbox.due(now));
    assert_eq!(one.unwrap().len() + other.unwrap().len(), 2);
    // both are dropped here, as if the process had been killed before it posted them
    assert_eq!(drivers.sandbox.deliver_callbacks(later(&story, 59)).await.unwrap(), Delivered::default());
    assert_eq!(drivers.sandbox.deliver_callbacks(later(&story, 60)).await.unwrap().acknowledged, 2);
    assert_eq!(received(&server, &drivers).await.len(), 2);
}

#[tokio::test]
async fn the_second_of_two_couriers_with_one_callback_does_not_move_it_twice() {
    let mut story = Story::begin().await;
    let server = receivers(&mut story, 200).await;
    let drivers = story.drivers();
    drivers.sms.send(&story.sms("+16145550123").await).await.unwrap();
    let slow = drivers.sandbox.due(later(&story, 0)).await.unwrap();
    drivers.sandbox.deliver_callbacks(later(&story, 60)).await.unwrap();
    drivers.sandbox.settle(&slow[0], true, later(&story, 61)).await.unwrap();
    drivers.sandbox.settle(&slow[0], false, later(&story, 61)).await.unwrap();
    drivers.sandbox.deliver_callbacks(later(&story, 63)).await.unwrap();
    drivers.sandbox.settle(&slow[0], true, later(&story, 64)).await.unwrap();
    assert_eq!(drivers.sandbox.deliver_callbacks(later(&story, 70)).await.unwrap(), Delivered::default());
    let statuses: Vec<_> = received(&server, &drivers).await.into_iter().map(|update| update.status).collect();
    assert_eq!(statuses, [DeliveryStatus::Sent, DeliveryStatus::Delivered]);
}

#[tokio::test]
async fn nothing_is_posted_to_an_address_that_is_not_ours() {
    let mut story = Story::begin().await;
    let server = receivers(&mut story, 200).await;
    story.settings.server.public_url = "http://ace.test".into();
    let drivers = story.drivers();
    for url in [format!("{}/hooks/sms/status", server.uri()), "http://ace.test.evil.example/x".into()] {
        let mut sms = story.sms("+16145550123").await;
        sms.status_callback_url = Some(url);
        drivers.sms.send(&sms).await.unwrap();
    }
    for seconds in [0, 3600] {
        assert_eq!(drivers.sandbox.deliver_callbacks(later(&story, seconds)).await.unwrap(), Delivered::default());
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_phone_shows_messages_newest_first_in_pages_and_another_client_sees_none() {
    let story = Story::begin().await;
    let (drivers, db) = (story.drivers(), story.test.database());
    for number in 0..3 {
        story.test.clock().advance(TimeDelta::minutes(1));
        let mut sms = story.sms("+16145550123").await;
        sms.body = format!("message {number}");
        drivers.sms.send(&sms).await.unwrap();
    }
    let actor = story.actor();
    let mut page = PageParams { limit: Some(2), after: None };
    let first = sandbox::list(&db.scope(&actor), &story.keyring, &inbox(&story, Channel::Sms), &page).await.unwrap();
    page.after = first.next.clone();
    let second = sandbox::list(&db.scope(&actor), &story.keyring, &inbox(&story, Channel::Sms), &page).await.unwrap();
    let texts: Vec<_> = first.data.iter().chain(&second.data).map(|message| message.text.as_str()).collect();
    assert_eq!((texts.as_slice(), second.next), (["message 2", "message 1", "message 0"].as_slice(), None));
    let found = sandbox::find(&db.scope(&actor), &story.keyring, first.data[0].id).await.unwrap();
    assert_eq!((found.text.as_str(), found.person.as_str()), ("message 2", "+16145550123"));

    let stranger = Actor::client(story.other_client_id);
    let scope = db.scope(&stranger);
    let none =
        sandbox::list(&scope, &story.keyring, &inbox(&story, Channel::Sms), &PageParams::default()).await.unwrap();
    assert!(none.data.is_empty());
    assert_eq!(sandbox::find(&scope, &story.keyring, found.id).await.unwrap_err(), Error::NotFound);
    assert!(sandbox::threads(&scope, Channel::Sms, None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_overview_counts_what_is_unread_until_somebody_looks_and_the_text_is_sealed_at_rest() {
    let story = Story::begin().await;
    let (drivers, db, actor) = (story.drivers(), story.test.database(), story.actor());
    for to in ["ada@example.com", "ada@example.com", "bob@example.com"] {
        story.test.clock().advance(TimeDelta::minutes(1));
        drivers.email.send(&story.email(to).await).await.unwrap();
    }
    let threads =
        || async { sandbox::threads(&db.scope(&actor), Channel::Email, Some(story.client_id), 10).await.unwrap() };
    let counts = |threads: &[sandbox::Thread]| -> Vec<(String, i64, i64)> {
        threads.iter().map(|thread| (thread.person.clone(), thread.messages, thread.unread)).collect()
    };
    assert_eq!(counts(&threads().await), [("bob@example.com".into(), 1, 1), ("ada@example.com".into(), 2, 2)]);
    let now = story.test.clock().now();
    let stranger = Actor::client(story.other_client_id);
    sandbox::mark_read(&db.scope(&stranger), Channel::Email, "ada@example.com", now).await.unwrap();
    assert_eq!(counts(&threads().await)[1].2, 2);
    sandbox::mark_read(&db.scope(&actor), Channel::Email, "ada@example.com", now).await.unwrap();
    assert_eq!(counts(&threads().await), [("bob@example.com".into(), 1, 1), ("ada@example.com".into(), 2, 0)]);

    let which = Which { person: Some("ada@example.com".into()), ..inbox(&story, Channel::Email) };
    let page = sandbox::list(&db.scope(&actor), &story.keyring, &which, &PageParams::default()).await.unwrap();
    assert_eq!((page.data.len(), page.data[0].subject.as_deref()), (2, Some("Your gift card")));
    assert!(page.data[0].html.as_deref().unwrap().contains("WXYZ-1234"));
    let rows = story.test.admin().await.query("select m::text as row from sandbox_messages m", &[]).await.unwrap();
    assert!(rows.iter().all(|row| !row.get::<_, String>("row").contains("WXYZ")));
}

#[tokio::test]
async fn the_person_at_the_phone_can_answer_and_the_answer_comes_in_signed() {
    let mut story = Story::begin().await;
    let server = receivers(&mut story, 200).await;
    let (drivers, now) = (story.drivers(), story.test.clock().now());
    let mut reply = Reply {
        client_id: story.client_id,
        person: "+16145550123".into(),
        ours: "+18005551212".into(),
        text: "STOP".into(),
        webhook_url: format!("{}/hooks/sms", server.uri()),
    };
    drivers.sandbox.reply(&reply, now).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let incoming = IncomingSms::from_form(&form(&requests[0])).unwrap();
    assert_eq!((incoming.from.as_str(), incoming.body.as_str()), ("+16145550123", "STOP"));
    let signature = requests[0].headers["x-twilio-signature"].to_str().unwrap();
    assert_eq!(drivers.webhooks.signer_of_form(&reply.webhook_url, &form(&requests[0]), signature), Some("sandbox"));
    let (db, actor) = (story.test.database(), story.actor());
    let which = inbox(&story, Channel::Sms);
    let shown = sandbox::list(&db.scope(&actor), &story.keyring, &which, &PageParams::default()).await.unwrap().data;
    assert!(shown[0].from_person && shown[0].status == "received");

    reply.webhook_url = "http://169.254.169.254/latest".into();
    assert_eq!(drivers.sandbox.reply(&reply, now).await.unwrap_err().fields()[0].field, "webhook_url");
}
