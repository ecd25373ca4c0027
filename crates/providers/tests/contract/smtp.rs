//! SMTP's own manners: what each answer at each step means.

use std::time::Duration;

use chrono::{TimeZone, Utc};
use kernel::Clock;
use providers::email::smtp::{Patience, Smtp, SmtpConfig};
use providers::{EmailDriver, OutgoingEmail, SendError};

use crate::smtp_server::{Reply, SmtpServer};

const SHORT: Patience = Patience { step: Duration::from_millis(400), answer: Duration::from_millis(800) };

fn driver(server: &SmtpServer) -> Smtp {
    let clock = Clock::manual(Utc.with_ymd_and_hms(2026, 3, 2, 15, 0, 0).unwrap());
    Smtp::new(SmtpConfig::parse(&server.url()).unwrap(), SHORT, clock).unwrap()
}

fn mail(to: &str) -> OutgoingEmail {
    OutgoingEmail {
        message_id: kernel::new_id(),
        client_id: None,
        to: to.into(),
        from: "Acme Roofing <hello@acme.example>".into(),
        reply_to: None,
        subject: "Your gift card".into(),
        text: "first line\n.\nlast line".into(),
        html: None,
        unsubscribe_url: None,
        status_callback_url: None,
    }
}

async fn outcome(script: &[(&'static str, Reply)]) -> SendError {
    let server = SmtpServer::start(script).await;
    driver(&server).send(&mail("ada@example.com")).await.unwrap_err()
}

#[tokio::test]
async fn a_mail_arrives_whole_and_the_next_one_uses_the_same_connection() {
    let server = SmtpServer::start(&[]).await;
    let smtp = driver(&server);
    let first = mail("ada@example.com");
    let accepted = smtp.send(&first).await.unwrap();
    smtp.send(&mail("bob@example.com")).await.unwrap();
    let texts = server.texts();
    assert_eq!((texts.len(), server.connections()), (2, 1));
    assert_eq!(accepted.provider_message_id, format!("<{}@acme.example>", first.message_id));
    assert!(texts[0].contains(&format!("Message-ID: {}\r\n", accepted.provider_message_id)), "{}", texts[0]);
    assert!(texts[0].contains("Date: Mon, 02 Mar 2026 15:00:00 +0000"), "{}", texts[0]);
    assert!(texts[0].contains("\r\nfirst line\r\n..\r\nlast line\r\n"), "{}", texts[0]);
    assert!(!texts[0].contains("bob@example.com"));
}

#[tokio::test]
async fn an_answer_about_the_person_is_for_good_by_its_class() {
    let unknown = outcome(&[("RCPT", Reply::Say("550 5.1.1 no such user"))]).await;
    assert_eq!(unknown, SendError::permanent("550", "5.1.1 no such user"));
    let spam = outcome(&[(".", Reply::Say("554 5.7.1 looks like spam"))]).await;
    assert_eq!(spam, SendError::permanent("554", "5.7.1 looks like spam"));
    let greylisted = outcome(&[("RCPT", Reply::Say("451 4.7.1 come back later"))]).await;
    assert_eq!(greylisted, SendError::temporary("451", "4.7.1 come back later"));
    let full = outcome(&[(".", Reply::Say("452 4.3.1 no room"))]).await;
    assert_eq!(full, SendError::temporary("452", "4.3.1 no room"));
}

#[tokio::test]
async fn an_answer_about_us_is_never_the_persons_fault() {
    let login = outcome(&[("AUTH", Reply::Say("535 5.7.8 wrong password"))]).await;
    assert_eq!(login, SendError::temporary("535", "5.7.8 wrong password"));
    let sender = outcome(&[("MAIL", Reply::Say("550 5.7.1 sender not allowed"))]).await;
    assert_eq!(sender, SendError::temporary("550", "5.7.1 sender not allowed"));
}

#[tokio::test]
async fn before_the_text_nothing_was_sent_and_after_it_nobody_knows() {
    for (verb, reply) in
        [("EHLO", Reply::HangUp), ("MAIL", Reply::StaySilent), ("RCPT", Reply::HangUp), ("DATA", Reply::HangUp)]
    {
        let error = outcome(&[(verb, reply)]).await;
        assert!(matches!(error, SendError::Temporary { .. }), "{verb}: {error:?}");
    }
    for reply in [Reply::HangUp, Reply::StaySilent, Reply::Say("what?")] {
        let error = outcome(&[(".", reply)]).await;
        assert!(matches!(error, SendError::Ambiguous { .. }), "{error:?}");
    }
    let config = SmtpConfig::parse("smtp://127.0.0.1:1").unwrap();
    let nobody = Smtp::new(config, SHORT, Clock::system()).unwrap();
    let error = nobody.send(&mail("ada@example.com")).await.unwrap_err();
    assert!(matches!(&error, SendError::Temporary { code, .. } if code == "unreachable"), "{error:?}");
}

#[tokio::test]
async fn a_connection_is_not_used_again_after_a_bad_dialogue_or_when_it_died_meanwhile() {
    let server = SmtpServer::start(&[("RCPT", Reply::Say("550 no"))]).await;
    let smtp = driver(&server);
    for _ in 0..2 {
        smtp.send(&mail("ada@example.com")).await.unwrap_err();
    }
    assert_eq!(server.connections(), 2);
    let dying = SmtpServer::start(&[("NOOP", Reply::HangUp)]).await;
    let smtp = driver(&dying);
    for _ in 0..2 {
        smtp.send(&mail("ada@example.com")).await.unwrap();
    }
    assert_eq!((dying.connections(), dying.texts().len()), (2, 2));
}

#[tokio::test]
async fn nothing_leaves_without_the_encryption_that_was_asked_for() {
    let server = SmtpServer::start(&[]).await;
    let config = SmtpConfig::parse(&format!("{}?tls=required", server.url())).unwrap();
    let smtp = Smtp::new(config, SHORT, Clock::system()).unwrap();
    let error = smtp.send(&mail("ada@example.com")).await.unwrap_err();
    assert!(matches!(error, SendError::Temporary { .. }), "{error:?}");
    assert!(error.message().contains("STARTTLS"), "{error:?}");
    assert!(server.texts().is_empty());
}

#[tokio::test]
async fn a_refusal_with_any_code_of_its_class_is_a_refusal() {
    for verb in ["RCPT", "DATA", "."] {
        for said in ["571 blocked", "590", "550 \u{fffd} no"] {
            let blocked = outcome(&[(verb, Reply::Say(said))]).await;
            assert!(matches!(blocked, SendError::Permanent { .. }), "{verb}: {blocked:?}");
        }
    }
    let latin = outcome(&[("RCPT", Reply::Bytes(b"550 \xff\xfe\x00 no\r\n"))]).await;
    assert!(matches!(latin, SendError::Permanent { .. }), "{latin:?}");
    let later = outcome(&[("RCPT", Reply::Say("471 4.7.1 come back later"))]).await;
    assert!(matches!(later, SendError::Temporary { .. }), "{later:?}");
    let sender = outcome(&[("MAIL", Reply::Say("571 blocked"))]).await;
    assert_eq!(sender, SendError::temporary("571", "blocked"));
}

#[tokio::test]
async fn a_server_may_answer_with_bare_codes() {
    let bare = ["MAIL", "RCPT", ".", "NOOP"].map(|verb| (verb, Reply::Say("250")));
    let server = SmtpServer::start(&[&bare[..], &[("DATA", Reply::Say("354"))]].concat()).await;
    let smtp = driver(&server);
    for _ in 0..2 {
        smtp.send(&mail("ada@example.com")).await.unwrap();
    }
    assert_eq!((server.texts().len(), server.connections()), (2, 1));
}

#[tokio::test]
async fn the_answer_to_the_text_is_waited_for_longer_than_any_other() {
    let server = SmtpServer::start(&[(".", Reply::Late("250 scanned", SHORT.step + Duration::from_millis(200)))]).await;
    driver(&server).send(&mail("ada@example.com")).await.unwrap();
    let late = outcome(&[("RCPT", Reply::Late("250 fine", SHORT.step + Duration::from_millis(200)))]).await;
    assert_eq!(late.code(), "timeout");
    // RFC 5321, 4.5.3.2
    assert_eq!((Patience::USUAL.step, Patience::USUAL.answer), (Duration::from_mins(5), Duration::from_mins(10)));
}

#[tokio::test]
async fn whoever_offers_only_auth_login_is_told_the_name_and_then_the_password() {
    // the test server knows a line by its first word in capitals: these are "user" and "password" in Base64
    let server = SmtpServer::start(&[
        ("EHLO", Reply::Say("250-mail.test\r\n250 AUTH LOGIN")),
        ("AUTH", Reply::Say("334 VXNlcm5hbWU6")),
        ("DXNLCG==", Reply::Say("334 UGFzc3dvcmQ6")),
        ("CGFZC3DVCMQ=", Reply::Say("235 in")),
    ])
    .await;
    driver(&server).send(&mail("ada@example.com")).await.unwrap();
    assert_eq!(server.texts().len(), 1);
}

#[tokio::test]
async fn addresses_go_out_in_ascii_and_a_senders_name_may_hold_a_comma() {
    let server = SmtpServer::start(&[]).await;
    let smtp = driver(&server);
    let mail = OutgoingEmail { from: "Roof & Sons, Inc. <hello@acme.example>".into(), ..mail("ada@bücher.example") };
    smtp.send(&mail).await.unwrap();
    let text = &server.texts()[0];
    assert!(text.contains("To: ada@xn--bcher-kva.example\r\n"), "{text}");
    // an encoded word (RFC 2047): the name in Base64
    assert!(text.contains("From: =?utf-8?b?Um9vZiAmIFNvbnMsIEluYy4=?= <hello@acme.example>\r\n"), "{text}");
    let odd = OutgoingEmail { to: "ädä@example.com".into(), ..mail };
    assert!(matches!(smtp.send(&odd).await, Err(SendError::Permanent { .. })));
}
