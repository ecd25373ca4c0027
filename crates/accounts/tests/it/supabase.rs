use accounts::actions;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use serde_json::{Value, json};
use testkit::story::PASSWORD;
use testkit::{Person, Reply, TestApp};
use web::Method;

use crate::support::{audited, link, mails, run_jobs, start};

async fn sign_in(test: &TestApp, person: &Person) -> Value {
    let body = json!({ "email": person.email, "password": PASSWORD, "gotrue_meta_security": {} });
    let reply = test.api_json(Method::POST, "/auth/v1/token?grant_type=password", &body).header("apikey", "anything");
    reply.await.expect_status(200).json()
}

async fn refresh(test: &TestApp, token: &Value) -> Reply {
    let body = json!({ "refresh_token": token });
    test.api_json(Method::POST, "/auth/v1/token?grant_type=refresh_token", &body).await
}

async fn user(test: &TestApp, session: &Value) -> Reply {
    test.api(Method::GET, "/auth/v1/user").bearer(session["access_token"].as_str().unwrap()).await
}

#[tokio::test]
async fn signing_in_gives_tokens_that_are_good_until_signing_out() {
    let test = start().await;
    let session = sign_in(&test, &test.story.acme_owner).await;
    assert_eq!((session["token_type"].as_str(), session["expires_in"].as_i64()), (Some("bearer"), Some(3600)));
    assert_eq!(session["user"]["email"], test.story.acme_owner.email);
    let claims = test.app.tokens.claims(session["access_token"].as_str().unwrap(), test.clock().now()).unwrap();
    assert_eq!((claims.role.as_str(), claims.app_role.as_str()), ("authenticated", "company_owner"));
    user(&test, &session).await.expect_status(200);
    let me = test
        .api(Method::GET, "/v1/me")
        .bearer(session["access_token"].as_str().unwrap())
        .await
        .expect_status(200)
        .json();
    assert_eq!(me["roles"], json!(["company_owner"]));

    let out =
        test.api(Method::POST, "/auth/v1/logout?scope=global").bearer(session["access_token"].as_str().unwrap()).await;
    assert_eq!(out.status, 204);
    let refused = user(&test, &session).await.expect_status(401).json();
    assert_eq!((refused["code"].as_i64(), refused["error_code"].as_str()), (Some(401), Some("bad_jwt")));
    test.api(Method::GET, "/v1/me").bearer(session["access_token"].as_str().unwrap()).await.expect_status(401);
    refresh(&test, &session["refresh_token"]).await.expect_status(400);
}

#[tokio::test]
async fn refresh_tokens_rotate_and_reuse_of_a_spent_one_ends_the_session() {
    let test = start().await;
    let first = sign_in(&test, &test.story.acme_owner).await;
    let second = refresh(&test, &first["refresh_token"]).await.expect_status(200).json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    user(&test, &second).await.expect_status(200);

    let reused = refresh(&test, &first["refresh_token"]).await.expect_status(400).json();
    assert_eq!(reused["error_code"], "refresh_token_not_found");
    refresh(&test, &second["refresh_token"]).await.expect_status(400);
    user(&test, &second).await.expect_status(401);
    assert_eq!(audited(&test, "session.token_reused").await, 1);
    refresh(&test, &json!("made up")).await.expect_status(400);
}

#[tokio::test]
async fn an_access_token_ends_after_an_hour_and_a_refresh_token_after_thirty_days() {
    let test = start().await;
    let first = sign_in(&test, &test.story.acme_owner).await;
    test.clock().advance(Duration::minutes(61));
    user(&test, &first).await.expect_status(401);
    let second = refresh(&test, &first["refresh_token"]).await.expect_status(200).json();
    test.clock().advance(Duration::days(29));
    let third = refresh(&test, &second["refresh_token"]).await.expect_status(200).json();
    test.clock().advance(Duration::days(31));
    refresh(&test, &third["refresh_token"]).await.expect_status(400);
}

#[tokio::test]
async fn deactivating_closes_the_api_and_the_console_at_once_and_coming_back_takes_a_new_sign_in() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let session = sign_in(&test, person).await;
    let by = test.story.agency_owner.actor();
    actions::deactivate(&test.app, &by, person.id).await.unwrap();
    user(&test, &session).await.expect_status(401);
    refresh(&test, &session["refresh_token"]).await.expect_status(400);
    assert_eq!(test.get("/account").as_user(person).await.status, 303);
    actions::reactivate(&test.app, &by, person.id).await.unwrap();
    user(&test, &session).await.expect_status(401);
    sign_in(&test, person).await;
}

#[tokio::test]
async fn wrong_credentials_and_nonsense_are_answered_in_supabases_shape() {
    let test = start().await;
    let body = json!({ "email": "nobody@example.com", "password": "x" });
    let wrong =
        test.api_json(Method::POST, "/auth/v1/token?grant_type=password", &body).await.expect_status(400).json();
    assert_eq!((wrong["error_code"].as_str(), wrong["code"].as_i64()), (Some("invalid_credentials"), Some(400)));
    assert!(wrong["msg"].as_str().is_some_and(|text| !text.is_empty()));
    test.api_json(Method::POST, "/auth/v1/token?grant_type=magic", &body).await.expect_status(400);
    test.api(Method::POST, "/auth/v1/token?grant_type=password").body("application/json", "{").await.expect_status(400);
    test.api(Method::GET, "/auth/v1/user").await.expect_status(401);
    test.api(Method::GET, "/auth/v1/user").bearer("ace_live_x").await.expect_status(401);
    test.api(Method::GET, "/auth/v1/user").bearer(&test.story.acme.key).await.expect_status(401);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_here_too() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let origin = kernel::Origin::here();
    actions::begin_enrolment(&test.app, &origin, person.id).await.unwrap();
    let sql = "update auth.users set totp_confirmed_at = now() where id = $1";
    test.database.admin().await.execute(sql, &[&person.id]).await.unwrap();
    let body = json!({ "email": person.email, "password": PASSWORD });
    let refused =
        test.api_json(Method::POST, "/auth/v1/token?grant_type=password", &body).await.expect_status(403).json();
    assert_eq!(refused["error_code"], "insufficient_aal");
    let body = json!({ "email": person.email, "password": PASSWORD, "totp_code": "000000" });
    test.api_json(Method::POST, "/auth/v1/token?grant_type=password", &body).await.expect_status(422);
}

#[tokio::test]
async fn update_user_changes_name_and_password_but_not_long_after_signing_in() {
    let test = start().await;
    let session = sign_in(&test, &test.story.acme_owner).await;
    let token = session["access_token"].as_str().unwrap();
    let put = |body: Value| test.api_json(Method::PUT, "/auth/v1/user", &body).bearer(token);
    let changed = put(json!({ "data": { "full_name": "Amira Acme" } })).await.expect_status(200).json();
    assert_eq!(changed["user_metadata"]["full_name"], "Amira Acme");
    let weak = put(json!({ "password": "password1234" })).await.expect_status(422).json();
    assert_eq!(weak["error_code"], "weak_password");
    put(json!({ "password": "an entirely new sentence" })).await.expect_status(200);
    assert_eq!(test.get("/account").as_user(&test.story.acme_owner).await.status, 303, "other sessions have ended");

    test.clock().advance(Duration::minutes(59));
    let later = refresh(&test, &session["refresh_token"]).await.expect_status(200).json();
    test.clock().advance(Duration::hours(24));
    let later = refresh(&test, &later["refresh_token"]).await.expect_status(200).json();
    let body = json!({ "password": "yet another new sentence" });
    let late = test.api_json(Method::PUT, "/auth/v1/user", &body).bearer(later["access_token"].as_str().unwrap()).await;
    assert_eq!(late.json()["error_code"], "reauthentication_needed");
}

#[tokio::test]
async fn update_user_takes_a_new_address_but_not_long_after_signing_in() {
    let test = start().await;
    let session = sign_in(&test, &test.story.acme_owner).await;
    let put = |session: &Value| {
        let body = json!({ "email": "amir@new.example" });
        test.api_json(Method::PUT, "/auth/v1/user", &body).bearer(session["access_token"].as_str().unwrap())
    };
    put(&session).await.expect_status(200);
    assert_eq!(mails(&test).await.len(), 1);
    test.clock().advance(Duration::hours(24) + Duration::seconds(1));
    let later = refresh(&test, &session["refresh_token"]).await.expect_status(200).json();
    assert_eq!(put(&later).await.json()["error_code"], "reauthentication_needed");
    assert_eq!(mails(&test).await.len(), 1);
}

#[tokio::test]
async fn a_reset_link_can_be_exchanged_for_a_session_once() {
    let test = start().await;
    let person = &test.story.acme_owner;
    for email in [person.email.as_str(), "nobody.here@example.com"] {
        let reply =
            test.api_json(Method::POST, "/auth/v1/recover", &json!({ "email": email })).await.expect_status(200);
        assert_eq!(reply.json(), json!({}));
    }
    run_jobs(&test).await;
    let mails = mails(&test).await;
    assert_eq!(mails.len(), 1);
    let token = link(&mails[0]).rsplit('/').next().unwrap().to_owned();
    let body = json!({ "type": "recovery", "token_hash": token });
    let session = test.api_json(Method::POST, "/auth/v1/verify", &body).await.expect_status(200).json();
    user(&test, &session).await.expect_status(200);
    let again = test.api_json(Method::POST, "/auth/v1/verify", &body).await.expect_status(403).json();
    assert_eq!(again["error_code"], "otp_expired");
}

#[tokio::test]
async fn the_public_key_is_published_and_other_origins_may_ask() {
    let test = start().await;
    let jwks = test
        .api(Method::GET, "/auth/v1/.well-known/jwks.json")
        .header("origin", "https://app.example")
        .await
        .expect_status(200);
    assert_eq!(jwks.json()["keys"][0]["alg"], "ES256");
    assert_eq!(jwks.header("access-control-allow-origin"), "https://app.example");
    let page = test.get("/sign-in").header("origin", "https://app.example").await;
    assert_eq!(page.header("access-control-allow-origin"), "");
    assert_eq!(page.header("access-control-allow-credentials"), "");
}

/// A Supabase Auth that runs elsewhere: its key, and an ACE that trusts it.
struct Elsewhere {
    key: jsonwebtoken::EncodingKey,
    test: TestApp,
}

impl Elsewhere {
    async fn start() -> Self {
        use p256::elliptic_curve::sec1::ToEncodedPoint as _;
        use p256::pkcs8::EncodePrivateKey as _;
        let secret = p256::SecretKey::from_slice(&kernel::keyring::Keyring::generate().secret("elsewhere")).unwrap();
        let point = secret.public_key().to_encoded_point(false);
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "k",
                          "x": number(point.x().unwrap()), "y": number(point.y().unwrap()) });
        let path = std::env::temp_dir().join(format!("ace-jwks-{}.json", kernel::new_id()));
        std::fs::write(&path, json!({ "keys": [jwk] }).to_string()).unwrap();
        let key = jsonwebtoken::EncodingKey::from_ec_der(secret.to_pkcs8_der().unwrap().as_bytes());
        let test = TestApp::with(|settings| settings.security.supabase_jwks_file = Some(path), accounts::routes).await;
        Self { key, test }
    }

    /// A token as GoTrue writes it, with these claims over the usual ones.
    fn token(&self, claims: &Value) -> String {
        let mut all = json!({
            "sub": kernel::new_id(), "aud": "authenticated", "role": "authenticated", "aal": "aal1",
            "exp": (self.test.clock().now() + Duration::hours(1)).timestamp(),
            "app_metadata": { "provider": "email", "providers": ["email"] },
            "user_metadata": { "email_verified": true },
        });
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let header =
            jsonwebtoken::Header { kid: Some("k".into()), ..jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256) };
        jsonwebtoken::encode(&header, &all, &self.key).unwrap()
    }

    async fn ask(&self, claims: Value) -> Reply {
        self.test.api(Method::GET, "/v1/me").bearer(&self.token(&claims)).await
    }
}

#[tokio::test]
async fn tokens_of_an_outside_supabase_are_good_for_people_we_know() {
    let elsewhere = Elsewhere::start().await;
    let story = &elsewhere.test.story;
    let (owner, other) = (&story.acme_owner, &story.corner_owner);
    let me = elsewhere.ask(json!({ "email": owner.email })).await.expect_status(200).json();
    assert_eq!(me["email"], owner.email, "found by the address");
    let me = elsewhere.ask(json!({ "sub": other.id, "email": owner.email })).await.expect_status(200).json();
    assert_eq!(me["email"], other.email, "the id goes first");
    elsewhere.ask(json!({ "email": "stranger@example.com" })).await.expect_status(401);
    let token = elsewhere.token(&json!({ "email": owner.email }));
    let forged = jsonwebtoken::encode(
        &jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256),
        &json!({ "email": owner.email, "exp": 9_999_999_999_i64 }),
        &jsonwebtoken::EncodingKey::from_secret(b"x"),
    );
    elsewhere.test.api(Method::GET, "/v1/me").bearer(&forged.unwrap()).await.expect_status(401);
    elsewhere.test.clock().advance(Duration::minutes(61));
    elsewhere.test.api(Method::GET, "/v1/me").bearer(&token).await.expect_status(401);
}

#[tokio::test]
async fn an_outside_address_nobody_verified_is_nobodys_and_a_deactivated_person_has_no_second_way_in() {
    let elsewhere = Elsewhere::start().await;
    let story = &elsewhere.test.story;
    let (owner, gone) = (&story.acme_owner, &story.acme_agent);
    for metadata in [json!({}), json!({ "email_verified": false })] {
        elsewhere.ask(json!({ "email": owner.email, "user_metadata": metadata })).await.expect_status(401);
    }
    elsewhere.ask(json!({ "sub": owner.id, "user_metadata": {} })).await.expect_status(200);
    actions::deactivate(&elsewhere.test.app, &elsewhere.test.operator(), gone.id).await.unwrap();
    elsewhere.ask(json!({ "sub": gone.id, "email": owner.email })).await.expect_status(401);
}

#[tokio::test]
async fn whoever_has_a_second_factor_here_needs_one_elsewhere_too() {
    let elsewhere = Elsewhere::start().await;
    let person = &elsewhere.test.story.acme_owner;
    let sql = "update auth.users set totp_secret_sealed = 'x', totp_confirmed_at = now() where id = $1";
    elsewhere.test.database.admin().await.execute(sql, &[&person.id]).await.unwrap();
    for (aal, status) in [(json!("aal1"), 401), (Value::Null, 401), (json!("aal2"), 200)] {
        elsewhere.ask(json!({ "email": person.email, "aal": aal })).await.expect_status(status);
    }
}
