//! The choke point on a real database: consent, quiet hours, the outbox, mail of ACE itself.
#![cfg(test)]

mod doubt;

use accounts::mail::SystemMail;
use chrono::{Duration, TimeZone, Utc};
use jobs::Registry;
use kernel::{Actor, Error, new_id};
use messaging::actions::sweep;
use messaging::{Channel, INVARIANTS, NewMessage, Purpose, Queued, Refusal};
use providers::Drivers;
use serde_json::json;
use testkit::TestApp;
use uuid::Uuid;
use web::Method;

struct World {
    test: TestApp,
    drivers: Drivers,
}

fn drivers(app: &web::App) -> Drivers {
    Drivers::from_settings(&app.settings, &app.db, &app.keyring, &app.clock).unwrap()
}

impl World {
    async fn new() -> Self {
        let test = TestApp::new(|app| messaging::routes(app, &drivers(app))).await;
        Self { drivers: drivers(&test.app), test }
    }

    fn acme(&self) -> Uuid {
        self.test.story.acme.id
    }

    async fn contact(&self, flags: &str) -> Uuid {
        let id = new_id();
        let code = id.simple().to_string().to_uppercase();
        let sql = format!(
            "insert into contacts (id, client_id, customer_code, first_name, phone, email{}) values ($1, $2, $3, 'Ada', $4, $5{})",
            if flags.is_empty() { String::new() } else { format!(", {flags}") },
            if flags.is_empty() { "" } else { ", true" },
        );
        let (phone, email) = ("+16145550123", "ada@example.com");
        self.test.database.admin().await.execute(&sql, &[&id, &self.acme(), &code, &phone, &email]).await.unwrap();
        id
    }

    fn message(&self, contact_id: Option<Uuid>, purpose: Purpose) -> NewMessage {
        NewMessage {
            client_id: self.acme(),
            campaign_id: None,
            recipient_id: None,
            contact_id,
            gift_card_id: None,
            fallback_of_id: None,
            channel: Channel::Sms,
            purpose,
            to: "+16145550123".into(),
            subject: None,
            body_template: "Hi {{first_name|there}} from {{company}}".into(),
            merge: json!({}),
        }
    }

    async fn send(&self, new: &NewMessage) -> Result<Queued, Error> {
        let actor = Actor::client(self.acme());
        let tx = self.test.app.scope(&actor).transaction().await?;
        let queued = messaging::send(&tx, new).await?;
        tx.commit().await?;
        Ok(queued)
    }

    async fn work(&self) {
        let registry = messaging::jobs(Registry::new(), &self.test.app, &self.drivers);
        jobs::drain(&self.test.app.db, &self.test.app.clock, &registry).await.unwrap();
    }

    async fn word(&self, sql: &str) -> String {
        let row = self.test.database.admin().await.query_opt(sql, &[]).await.unwrap();
        row.and_then(|row| row.get::<_, Option<String>>(0)).unwrap_or_default()
    }

    async fn broken(&self) -> Vec<&'static str> {
        let operator = self.test.operator();
        let mut broken = Vec::new();
        for (rule, statement) in INVARIANTS {
            let rows: i64 = self.test.app.scope(&operator).query_scalar(statement, &[]).await.unwrap();
            if rows > 0 {
                broken.push(*rule);
            }
        }
        broken
    }
}

#[tokio::test]
async fn who_said_no_gets_a_row_that_says_so_and_no_message() {
    let world = World::new().await;
    let fine = world.contact("").await;
    assert_eq!(world.send(&world.message(Some(fine), Purpose::Reward)).await.unwrap().refused, None);
    world.work().await;
    assert_eq!(world.word("select status from messages").await, "sent");
    for (flag, channel, expected) in [
        ("email_opt_out", Channel::Sms, None),
        ("email_opt_out", Channel::Email, Some(Refusal::OptedOut)),
        ("sms_opt_out", Channel::Sms, Some(Refusal::OptedOut)),
        ("do_not_contact", Channel::Sms, Some(Refusal::DoNotContact)),
    ] {
        let world = World::new().await;
        world.contact(flag).await;
        let to = if channel == Channel::Sms { "+16145550123" } else { "ada@example.com" };
        // nobody said whose number it is: everybody who has it is asked
        let new = NewMessage { channel, to: to.into(), ..world.message(None, Purpose::Reward) };
        let queued = world.send(&new).await.unwrap();
        assert_eq!(queued.refused, expected, "{flag} {channel:?}");
        world.work().await;
        let status = if expected.is_some() { "failed opted_out" } else { "sent " };
        assert_eq!(world.word("select status || ' ' || coalesce(last_error_code, '') from messages").await, status);
        assert!(world.broken().await.is_empty());
    }
}

#[tokio::test]
async fn an_opt_out_holds_for_the_mobile_phone_of_whoever_said_it() {
    let world = World::new().await;
    let admin = world.test.database.admin().await;
    let sql = "insert into contacts (id, client_id, customer_code, mobile_phone, sms_opt_out)
               values (gen_random_uuid(), $1, 'MOBILE', '+16145550123', true)";
    admin.execute(sql, &[&world.test.story.corner.id]).await.unwrap();
    assert_eq!(world.send(&world.message(None, Purpose::Notice)).await.unwrap().refused, None, "another client's");
    admin.execute(sql, &[&world.acme()]).await.unwrap();
    assert_eq!(world.send(&world.message(None, Purpose::Notice)).await.unwrap().refused, Some(Refusal::OptedOut));
    let mail =
        NewMessage { channel: Channel::Email, to: "ada@example.com".into(), ..world.message(None, Purpose::Notice) };
    assert_eq!(world.send(&mail).await.unwrap().refused, None, "texts only");
}

#[tokio::test]
async fn a_number_that_answered_stop_is_silent_and_another_clients_is_not() {
    let world = World::new().await;
    let stop = "insert into suppressed_addresses (id, client_id, channel, address, reason, created_at)
                values (gen_random_uuid(), $1, 'sms', '+16145550123', 'stop', now())";
    let admin = world.test.database.admin().await;
    admin.execute(stop, &[&world.test.story.corner.id]).await.unwrap();
    assert_eq!(world.send(&world.message(None, Purpose::Notice)).await.unwrap().refused, None);
    admin.execute(stop, &[&world.acme()]).await.unwrap();
    assert_eq!(world.send(&world.message(None, Purpose::Notice)).await.unwrap().refused, Some(Refusal::Suppressed));
}

/// The person asked for texts again: somebody who may change contacts says so, and why; it is on record.
#[tokio::test]
async fn a_suppression_is_lifted_by_those_who_may_edit_contacts_with_a_reason_on_record() {
    let world = World::new().await;
    let story = &world.test.story;
    let contact = world.contact("").await;
    let stop = "insert into suppressed_addresses (id, client_id, channel, address, reason, created_at)
                values (gen_random_uuid(), $1, 'sms', '+16145550123', 'stop', now())";
    let admin = world.test.database.admin().await;
    for client in [world.acme(), story.corner.id] {
        admin.execute(stop, &[&client]).await.unwrap();
    }
    let path = format!("/v1/contacts/{contact}/lift-suppression");
    let body = json!({ "channel": "sms", "reason": "asked on the phone" });
    let lift = |body: &serde_json::Value| world.test.api_json(Method::POST, &path, body).bearer(&story.acme.key);
    let refused = lift(&json!({ "channel": "sms", "reason": " " })).await.expect_status(422).json();
    assert_eq!(refused["errors"][0]["pointer"], "#/reason");
    let agent = world.test.api_json(Method::POST, &path, &body).as_user(&story.acme_agent).for_client(world.acme());
    agent.await.expect_status(403);
    world.test.api_json(Method::POST, &path, &body).bearer(&story.corner.key).await.expect_status(404);
    assert_eq!(
        world.send(&world.message(Some(contact), Purpose::Notice)).await.unwrap().refused,
        Some(Refusal::Suppressed)
    );
    lift(&body).await.expect_status(204);
    assert_eq!(world.send(&world.message(Some(contact), Purpose::Notice)).await.unwrap().refused, None);
    assert_eq!(lift(&body).await.expect_status(409).json()["code"], "not_suppressed");
    let left = "select string_agg(client_id::text, ' ') from suppressed_addresses";
    assert_eq!(world.word(left).await, story.corner.id.to_string(), "another client's stays");
    let kept = "select (before->>'suppressed') || ' ' || (after->>'reason') from audit_log where action = 'contact.suppression_lifted'";
    assert_eq!(world.word(kept).await, "stop asked on the phone");
    admin.execute(stop, &[&world.acme()]).await.unwrap();
    let page = format!("/acme-roofing/contacts/{contact}/lift");
    let form = [("channel", "sms"), ("reason", "wrote to us")];
    let done = world.test.post_form(&page, &form).as_user(&story.acme_owner).await.expect_status(303);
    assert_eq!(done.location(), format!("/acme-roofing/contacts/{contact}"));
    assert_eq!(world.word(left).await, story.corner.id.to_string());
}

#[tokio::test]
async fn who_opts_out_while_a_message_waits_does_not_get_it() {
    let world = World::new().await;
    let contact = world.contact("").await;
    world.send(&world.message(Some(contact), Purpose::Reward)).await.unwrap();
    let admin = world.test.database.admin().await;
    admin.execute("update contacts set sms_opt_out = true", &[]).await.unwrap();
    world.work().await;
    assert_eq!(world.word("select status || ' ' || last_error_code from messages").await, "failed opted_out");
    assert_eq!(world.word("select count(*)::text from sandbox_messages").await, "0");
}

#[tokio::test]
async fn marketing_waits_for_the_morning_and_what_was_asked_for_does_not() {
    let world = World::new().await;
    // ten in the evening in New York
    world.test.clock().set(Utc.with_ymd_and_hms(2026, 3, 3, 3, 0, 0).single().unwrap());
    let marketing = world.send(&world.message(None, Purpose::Marketing)).await.unwrap().message_id;
    let reward = world.send(&world.message(None, Purpose::Reward)).await.unwrap().message_id;
    world.work().await;
    let sql = |id: Uuid| format!("select status from messages where id = '{id}'");
    assert_ne!(world.word(&sql(reward)).await, "pending");
    assert_eq!(world.word(&sql(marketing)).await, "pending");
    assert!(world.broken().await.is_empty(), "a message that waits for the morning is not stuck");
    world.test.clock().set(Utc.with_ymd_and_hms(2026, 3, 3, 13, 0, 0).single().unwrap());
    world.work().await;
    assert_ne!(world.word(&sql(marketing)).await, "pending");
}

#[tokio::test]
async fn a_message_whose_job_was_lost_is_found_and_sent() {
    let world = World::new().await;
    world.send(&world.message(None, Purpose::Notice)).await.unwrap();
    world.test.database.admin().await.execute("delete from jobs", &[]).await.unwrap();
    assert_eq!(world.broken().await, ["no message is stuck"]);
    assert_eq!(sweep::requeue_stranded(&world.test.app).await.unwrap(), 1);
    assert_eq!(sweep::requeue_stranded(&world.test.app).await.unwrap(), 0);
    world.work().await;
    assert_ne!(world.word("select status from messages").await, "pending");
    assert!(world.broken().await.is_empty());
}

#[tokio::test]
async fn an_invitation_arrives_in_the_inbox_of_the_operator_and_nowhere_else() {
    let world = World::new().await;
    let actor = Actor::system(kernel::System::Auth);
    let link = "https://ace.test/invitations/SECRET";
    let mail =
        SystemMail { to: "new@example.com".into(), subject: "Join Acme".into(), text: format!("Come in: {link}") };
    let tx = world.test.app.scope(&actor).transaction().await.unwrap();
    mail.send(&tx, &world.test.app.keyring).await.unwrap();
    tx.commit().await.unwrap();
    world.work().await;
    assert_eq!(world.word("select status from system_messages").await, "sent");
    let readable = world.word("select string_agg(s::text, ' ') from (select s::text from system_messages s union all select s::text from sandbox_messages s union all select j::text from jobs j) s").await;
    assert!(!readable.contains("SECRET"), "the link is sealed wherever it rests");
    let inbox = world.test.get("/sandbox?channel=email").as_user(&world.test.story.admin).await.expect_status(200);
    assert!(inbox.text().contains("Join Acme") && inbox.text().contains(&format!("<a href=\"{link}\">")));
    for other in [&world.test.story.acme_owner, &world.test.story.support] {
        for path in ["/sandbox?channel=email", "/sandbox?channel=email&person=new@example.com"] {
            let page = world.test.get(path).as_user(other).await.expect_status(200).text();
            assert!(!page.contains("Join Acme") && !page.contains("SECRET"), "{} sees it", other.role);
        }
    }
}

#[tokio::test]
async fn the_api_lists_messages_and_counts_segments_and_another_tenant_gets_nothing() {
    let world = World::new().await;
    let (acme, corner) = (&world.test.story.acme, &world.test.story.corner);
    let id = world.send(&world.message(None, Purpose::Notice)).await.unwrap().message_id;
    world.work().await;
    let list = world.test.api(Method::GET, "/v1/messages").bearer(&acme.key).await.expect_status(200).json();
    assert_eq!(
        (list["data"][0]["id"].as_str().unwrap(), list["data"].as_array().unwrap().len()),
        (id.to_string().as_str(), 1)
    );
    assert!(!list.to_string().contains("Hi there"), "the text is not kept");
    let none = world.test.api(Method::GET, "/v1/messages").bearer(&corner.key).await.expect_status(200).json();
    assert_eq!(none["data"], json!([]));
    let path = format!("/v1/messages/{id}/resend");
    world.test.api_json(Method::POST, &path, &json!({})).bearer(&corner.key).await.expect_status(404);
    let wrong =
        world.test.api_json(Method::POST, &path, &json!({ "to": "x" })).bearer(&acme.key).await.expect_status(422);
    assert_eq!(wrong.json()["errors"][0]["pointer"], "#/to");
    world.test.clock().advance(Duration::seconds(60));
    world.work().await;
    world.test.api_json(Method::POST, &path, &json!({})).bearer(&acme.key).await.expect_status(201);
    let text = json!({ "text": "ł".repeat(71) });
    let counted =
        world.test.api_json(Method::POST, "/v1/messages/segments", &text).bearer(&acme.key).await.expect_status(200);
    assert_eq!(counted.json(), json!({ "alphabet": "UCS-2", "units": 71, "segments": 2 }));
}
