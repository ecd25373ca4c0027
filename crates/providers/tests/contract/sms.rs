//! SMS: the promises all drivers keep, then Twilio's own manners.

use std::time::Duration;

use kernel::settings::{Secret, SmsDriver as Choice};
use providers::sms::twilio::{Twilio, TwilioConfig};
use providers::{SendError, SmsDriver};
use serde_json::json;
use wiremock::matchers::{basic_auth, body_string_contains, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::story::Story;

const SID: &str = "AC0123456789abcdef0123456789abcdef";
const PATH: &str = "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json";

fn twilio(base_url: String, timeout: Duration) -> Twilio {
    let config = TwilioConfig { base_url, account_sid: SID.into(), auth_token: Secret::new("secret"), timeout };
    Twilio::new(config).unwrap()
}

/// Twilio as documented: takes what is addressed well and refuses one number.
async fn twilio_server() -> MockServer {
    let server = MockServer::start().await;
    let refusal = json!({"code": 21211, "message": "Invalid 'To' Phone Number: +1614555XXXX", "status": 400});
    Mock::given(method("POST"))
        .and(path(PATH))
        .and(body_string_contains("0001"))
        .respond_with(ResponseTemplate::new(400).set_body_json(refusal))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path(PATH))
        .and(basic_auth(SID, "secret"))
        .respond_with(|_: &wiremock::Request| {
            let sid = format!("SM{}", kernel::new_id().simple());
            ResponseTemplate::new(201).set_body_json(json!({"sid": sid, "status": "queued", "error_code": null}))
        })
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn every_driver_takes_a_message_gives_it_an_id_of_its_own_and_refuses_an_invalid_number_for_good() {
    let server = twilio_server().await;
    let mut story = Story::begin().await;
    let sandbox = story.drivers().sms;
    story.settings.sms.driver = Choice::Twilio;
    story.settings.sms.twilio_account_sid = SID.into();
    story.settings.sms.twilio_auth_token = Secret::new("secret");
    story.settings.sms.twilio_base_url = server.uri();
    for driver in [sandbox, story.drivers().sms] {
        let (first, second) = (story.sms("+16145550123").await, story.sms("+16145550123").await);
        let accepted = driver.send(&first).await.unwrap();
        let other = driver.send(&second).await.unwrap();
        assert_eq!(accepted.provider, driver.name());
        assert!(accepted.provider_message_id.starts_with("SM"), "{accepted:?}");
        assert_ne!(accepted.provider_message_id, other.provider_message_id);
        let refused = driver.send(&story.sms("+16145550001").await).await.unwrap_err();
        assert!(
            matches!(&refused, SendError::Permanent { code, .. } if code == "21211"),
            "{}: {refused:?}",
            driver.name()
        );
        assert!(!format!("{first:?}").contains("WXYZ") && !format!("{first:?}").contains("614"));
    }
}

#[tokio::test]
async fn twilio_is_told_number_sender_text_and_where_to_report() {
    let server = twilio_server().await;
    let story = Story::begin().await;
    let driver = twilio(server.uri(), Duration::from_secs(5));
    let mut sms = story.sms("+16145550123").await;
    sms.body = "50% off & more: ä €".into();
    driver.send(&sms).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let form = reqwest::Url::parse(&format!("http://x/?{}", String::from_utf8_lossy(&requests[0].body))).unwrap();
    let form: Vec<(String, String)> = form.query_pairs().into_owned().collect();
    let expected = [
        ("To", "+16145550123"),
        ("From", "+18005551212"),
        ("Body", "50% off & more: ä €"),
        ("StatusCallback", sms.status_callback_url.as_deref().unwrap()),
    ];
    assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

/// What the driver makes of one answer of Twilio's.
async fn answered(template: ResponseTemplate) -> SendError {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(template).expect(1).mount(&server).await;
    let sms = sms_without_row();
    twilio(server.uri(), Duration::from_millis(300)).send(&sms).await.unwrap_err()
}

fn sms_without_row() -> providers::OutgoingSms {
    providers::OutgoingSms {
        message_id: kernel::new_id(),
        client_id: kernel::new_id(),
        to: "+16145550123".into(),
        from: "+18005551212".into(),
        body: "Hi".into(),
        status_callback_url: None,
    }
}

#[tokio::test]
async fn twilios_refusals_are_told_apart_by_what_to_do_next() {
    let coded = |status: u16, code: u32| {
        ResponseTemplate::new(status).set_body_json(json!({"code": code, "message": "because", "status": status}))
    };
    for code in [21211, 21614, 21610, 21408] {
        let error = answered(coded(400, code)).await;
        assert_eq!(error, SendError::permanent(code.to_string(), "because"));
    }
    for (status, code) in
        [(401, 20003), (429, 20429), (400, 21611), (400, 21606), (500, 20500), (503, 20503), (404, 20404)]
    {
        let error = answered(coded(status, code)).await;
        assert_eq!(error, SendError::temporary(code.to_string(), "because"), "{status}");
    }
    let slow_down = answered(ResponseTemplate::new(429).insert_header("retry-after", "17")).await;
    assert!(matches!(slow_down, SendError::Temporary { retry_after_seconds: Some(17), .. }), "{slow_down:?}");
    let bare = answered(ResponseTemplate::new(400).set_body_string("<html>gateway</html>")).await;
    assert!(matches!(&bare, SendError::Temporary { code, .. } if code == "400"), "{bare:?}");
    let elsewhere = answered(ResponseTemplate::new(307).insert_header("location", "http://127.0.0.1:1/")).await;
    assert!(matches!(&elsewhere, SendError::Temporary { code, .. } if code == "307"), "{elsewhere:?}");
}

#[tokio::test]
async fn a_lost_answer_may_mean_a_sent_message_and_a_lost_connection_does_not() {
    let late = answered(ResponseTemplate::new(201).set_delay(Duration::from_secs(3))).await;
    assert!(matches!(late, SendError::Ambiguous { .. }), "{late:?}");
    for body in ["{\"sid\": \"SM1", "{}", ""] {
        let broken = answered(ResponseTemplate::new(201).set_body_string(body)).await;
        assert!(matches!(broken, SendError::Ambiguous { .. }), "{broken:?}");
    }
    let nobody = twilio("http://127.0.0.1:1".into(), Duration::from_secs(2));
    let refused = nobody.send(&sms_without_row()).await.unwrap_err();
    assert!(matches!(&refused, SendError::Temporary { code, .. } if code == "unreachable"), "{refused:?}");
    assert!(!refused.message().contains(SID));
    let hangs_up = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", hangs_up.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = hangs_up.accept().await.unwrap();
        let mut bytes = [0; 1024];
        let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut bytes).await;
    });
    let cut = twilio(url, Duration::from_secs(2)).send(&sms_without_row()).await.unwrap_err();
    assert!(matches!(cut, SendError::Ambiguous { .. }), "{cut:?}");
}

#[tokio::test]
async fn wrong_settings_are_refused_by_name() {
    let mut story = Story::begin().await;
    let refused = |story: &Story| {
        let drivers = providers::Drivers::from_settings(
            &story.settings,
            &story.test.database(),
            &story.keyring,
            story.test.clock(),
        );
        drivers.err().unwrap().fields()[0].field.clone()
    };
    story.settings.sms.driver = Choice::Twilio;
    assert_eq!(refused(&story), "sms.twilio_account_sid");
    story.settings.sms.twilio_account_sid = SID.into();
    assert_eq!(refused(&story), "sms.twilio_auth_token");
    story.settings.sms.driver = Choice::Sandbox;
    story.settings.email.driver = kernel::settings::EmailDriver::Smtp;
    assert_eq!(refused(&story), "email.smtp_url");
}
