//! E-mail: the promises all drivers keep.

use kernel::settings::{EmailDriver as Choice, Secret};
use providers::SendError;

use crate::smtp_server::{Reply, SmtpServer};
use crate::story::Story;

#[tokio::test]
async fn every_driver_takes_a_mail_gives_it_an_id_of_its_own_and_tells_no_text_in_its_debug_form() {
    let server = SmtpServer::start(&[]).await;
    let mut story = Story::begin().await;
    let sandbox = story.drivers().email;
    story.settings.email.driver = Choice::Smtp;
    story.settings.email.smtp_url = Secret::new(server.url());
    for driver in [sandbox, story.drivers().email] {
        let (first, second) = (story.email("ada@example.com").await, story.email("ada@example.com").await);
        let accepted = driver.send(&first).await.unwrap();
        let other = driver.send(&second).await.unwrap();
        assert_eq!(accepted.provider, driver.name());
        assert_ne!(accepted.provider_message_id, other.provider_message_id);
        assert!(!accepted.provider_message_id.is_empty());
        assert!(!format!("{first:?}").contains("WXYZ") && !format!("{first:?}").contains("ada@"));
    }
}

#[tokio::test]
async fn mail_of_ace_itself_belongs_to_no_client_and_every_driver_takes_it() {
    let server = SmtpServer::start(&[("RCPT", Reply::Say("250 fine"))]).await;
    let mut story = Story::begin().await;
    let id = kernel::new_id();
    let insert = "
        insert into system_messages (id, purpose, to_address, subject, body_sealed, created_at)
        values ($1, 'recover', 'ada@example.com', 'Reset', '', now())";
    story.test.admin().await.execute(insert, &[&id]).await.unwrap();
    let mut mail = story.email("ada@example.com").await;
    (mail.message_id, mail.client_id) = (id, None);
    let sandbox = story.drivers().email;
    story.settings.email.driver = Choice::Smtp;
    story.settings.email.smtp_url = Secret::new(server.url());
    for driver in [sandbox, story.drivers().email] {
        driver.send(&mail).await.unwrap();
    }
    let unknown = providers::OutgoingEmail { message_id: kernel::new_id(), ..mail };
    story.settings.email.driver = Choice::Sandbox;
    let refused = story.drivers().email.send(&unknown).await.unwrap_err();
    assert!(matches!(refused, SendError::Permanent { .. }), "{refused:?}");
}

#[tokio::test]
async fn every_driver_refuses_what_is_no_address() {
    let server = SmtpServer::start(&[]).await;
    let mut story = Story::begin().await;
    let sandbox = story.drivers().email;
    story.settings.email.driver = Choice::Smtp;
    story.settings.email.smtp_url = Secret::new(server.url());
    for driver in [sandbox, story.drivers().email] {
        for to in ["not-an-email", "ada@", "a b@example.com", "ädä@example.com"] {
            let refused = driver.send(&story.email(to).await).await;
            assert!(matches!(refused, Err(SendError::Permanent { .. })), "{} {to}", driver.name());
        }
    }
}

#[tokio::test]
async fn a_sender_that_is_none_is_refused_at_the_start() {
    let mut story = Story::begin().await;
    story.settings.email.driver = Choice::Smtp;
    story.settings.email.smtp_url = Secret::new("smtp://localhost");
    let start = |story: &Story| {
        let (db, clock) = (story.test.database(), story.test.clock());
        providers::Drivers::from_settings(&story.settings, &db, &story.keyring, clock).map(|_| ())
    };
    story.settings.email.from = "Roof & Sons, Inc. <hello@acme.example>".into();
    start(&story).unwrap();
    for from in ["", "Roof & Sons", "Roof <hello@acme.example", "hello@"] {
        story.settings.email.from = from.into();
        assert_eq!(start(&story).unwrap_err().fields()[0].field, "email.from", "{from}");
    }
}
