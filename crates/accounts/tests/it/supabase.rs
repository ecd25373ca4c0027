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
async fn refresh_tokens_rotate_and_a_late_reuse_of_a_spent_one_ends_the_session() {
    let test = start().await;
    let first = sign_in(&test, &test.story.acme_owner).await;
    let second = refresh(&test, &first["refresh_token"]).await.expect_status(200).json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    user(&test, &second).await.expect_status(200);

    test.clock().advance(Duration::seconds(10));
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
    actions::deactivate(&test.app, &by, person.id, actions::TheirKeys::End, &kernel::version::Expected::any())
        .await
        .unwrap();
    user(&test, &session).await.expect_status(401);
    refresh(&test, &session["refresh_token"]).await.expect_status(400);
    assert_eq!(test.get("/account").as_user(person).await.status, 303);
    actions::reactivate(&test.app, &by, person.id, &kernel::version::Expected::any()).await.unwrap();
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
async fn three_tabs_that_refresh_at_once_are_one_person() {
    use std::future::IntoFuture as _;
    let test = start().await;
    let first = sign_in(&test, &test.story.acme_owner).await;
    let body = json!({ "refresh_token": first["refresh_token"] });
    let ask = || test.api_json(Method::POST, "/auth/v1/token?grant_type=refresh_token", &body).into_future();
    let replies = futures_util::future::join_all([ask(), ask(), ask()]).await;
    let next: Vec<Value> = replies.into_iter().map(|reply| reply.expect_status(200).json()).collect();
    assert!(next.iter().all(|tab| tab["refresh_token"] == next[0]["refresh_token"]));
    for tab in &next {
        user(&test, tab).await.expect_status(200);
    }
    test.clock().advance(Duration::seconds(9));
    let lost = refresh(&test, &first["refresh_token"]).await.expect_status(200).json();
    assert_eq!(lost["refresh_token"], next[0]["refresh_token"]);
    let third = refresh(&test, &lost["refresh_token"]).await.expect_status(200).json();
    test.clock().advance(Duration::seconds(1));
    refresh(&test, &first["refresh_token"]).await.expect_status(400);
    refresh(&test, &third["refresh_token"]).await.expect_status(400);
}

async fn put(test: &TestApp, session: &Value, body: Value) -> Reply {
    test.api_json(Method::PUT, "/auth/v1/user", &body).bearer(session["access_token"].as_str().unwrap()).await
}

#[tokio::test]
async fn a_stolen_access_token_changes_neither_password_nor_address_nor_gets_into_the_console() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let session = sign_in(&test, person).await;
    for change in [json!({ "password": "an entirely new sentence" }), json!({ "email": "thief@evil.example" })] {
        let refused = put(&test, &session, change.clone()).await.expect_status(401).json();
        assert_eq!(refused["error_code"], "reauthentication_needed");
        for (proof, status) in [("current_password", 400), ("nonce", 422), ("totp_code", 401)] {
            let mut wrong = change.clone();
            wrong[proof] = json!("12345678");
            put(&test, &session, wrong).await.expect_status(status);
        }
    }
    assert!(mails(&test).await.is_empty());
    // a link that was asked for by its person is not taken with the token
    let asked = json!({ "email": "amir@new.example", "current_password": PASSWORD });
    put(&test, &session, asked).await.expect_status(200);
    let path = link(&mails(&test).await.pop().unwrap());
    let token = session["access_token"].as_str().unwrap();
    for path in [path.as_str(), "/account", "/account/password", "/account/second-factor"] {
        let reply = test.post_form(path, &()).bearer(token).await.expect_status(303);
        assert!(reply.location().starts_with("/sign-in"), "{path}");
    }
    assert_eq!(sign_in(&test, person).await["user"]["email"], person.email);
}

#[tokio::test]
async fn update_user_changes_the_password_with_the_present_one_or_a_mailed_code() {
    let test = start().await;
    let session = sign_in(&test, &test.story.acme_owner).await;
    let weak = json!({ "password": "password1234", "current_password": PASSWORD });
    assert_eq!(put(&test, &session, weak).await.expect_status(422).json()["error_code"], "weak_password");
    let change = json!({ "password": "an entirely new sentence", "current_password": PASSWORD });
    put(&test, &session, change).await.expect_status(200);
    assert_eq!(test.get("/account").as_user(&test.story.acme_owner).await.status, 303, "other sessions have ended");

    let token = session["access_token"].as_str().unwrap();
    test.api(Method::GET, "/auth/v1/reauthenticate").bearer(token).await.expect_status(200);
    let mail = mails(&test).await.pop().unwrap();
    assert_eq!(mail.to, test.story.acme_owner.email);
    let nonce = mail.text.split_whitespace().find(|word| word.len() == 8 && word.parse::<u32>().is_ok()).unwrap();
    let change = json!({ "password": "yet another new sentence", "nonce": nonce });
    put(&test, &session, change.clone()).await.expect_status(200);
    let again = put(&test, &session, change).await.expect_status(422).json();
    assert_eq!(again["error_code"], "reauthentication_not_valid", "a code is good once");
    for _ in 0..4 {
        test.api(Method::GET, "/auth/v1/reauthenticate").bearer(token).await.expect_status(200);
    }
    test.api(Method::GET, "/auth/v1/reauthenticate").bearer(token).await.expect_status(429);
}

#[tokio::test]
async fn what_a_program_keeps_of_its_person_comes_back_as_it_is() {
    let test = start().await;
    let session = sign_in(&test, &test.story.acme_owner).await;
    let data = json!({ "seat": "7A", "theme": { "dark": true }, "full_name": "Amira Acme" });
    let told = put(&test, &session, json!({ "data": data })).await.expect_status(200).json();
    assert_eq!(
        (&told["user_metadata"]["seat"], &told["user_metadata"]["full_name"]),
        (&json!("7A"), &json!("Amira Acme"))
    );
    put(&test, &session, json!({ "data": { "seat": null, "row": 7 } })).await.expect_status(200);
    let kept = user(&test, &session).await.json()["user_metadata"].clone();
    assert_eq!((&kept["seat"], &kept["row"], &kept["theme"]["dark"]), (&Value::Null, &json!(7), &json!(true)));
    assert_eq!(sign_in(&test, &test.story.acme_owner).await["user"]["user_metadata"]["row"], 7);
    let large = put(&test, &session, json!({ "data": { "x": "y".repeat(20_000) } })).await.expect_status(400).json();
    assert_eq!(large["error_code"], "validation_failed");
    put(&test, &session, json!({ "data": { "full_name": 7 } })).await.expect_status(400);
}

#[tokio::test]
async fn what_is_not_offered_is_refused_in_words_the_clients_know() {
    let test = start().await;
    for (path, code) in [("/auth/v1/signup", "signup_disabled"), ("/auth/v1/otp", "otp_disabled")] {
        let refused = test.api_json(Method::POST, path, &json!({ "email": "a@example.com" })).await;
        assert_eq!(refused.expect_status(422).json()["error_code"], code);
    }
    let none = json!({});
    for (method, path, code) in [
        (Method::POST, "/auth/v1/resend", "otp_disabled"),
        (Method::POST, "/auth/v1/sso", "saml_provider_disabled"),
        (Method::GET, "/auth/v1/callback", "provider_disabled"),
        (Method::GET, "/auth/v1/user/identities/authorize", "manual_linking_disabled"),
        (Method::GET, "/auth/v1/admin/users", "not_admin"),
        (Method::POST, "/auth/v1/admin/users", "not_admin"),
        (Method::GET, "/auth/v1/admin/users/1", "not_admin"),
        (Method::DELETE, "/auth/v1/admin/users/1", "not_admin"),
        (Method::POST, "/auth/v1/admin/generate_link", "not_admin"),
        (Method::DELETE, "/auth/v1/factors/1", "mfa_totp_verify_not_enabled"),
        (Method::POST, "/auth/v1/factors/1/challenge", "mfa_totp_verify_not_enabled"),
        (Method::POST, "/auth/v1/factors/1/verify", "mfa_totp_verify_not_enabled"),
        (Method::POST, "/auth/v1/invite", "not_admin"),
        (Method::POST, "/auth/v1/token?grant_type=pkce", "unsupported_grant_type"),
        // what nobody foresaw has their shape as well
        (Method::GET, "/auth/v1", "not_found"),
        (Method::GET, "/auth/v1/", "not_found"),
        (Method::DELETE, "/auth/v1/factors/1/2/3", "not_found"),
        (Method::DELETE, "/auth/v1/token", "method_not_allowed"),
    ] {
        let refused = match method {
            Method::POST => test.api_json(method.clone(), path, &none).await,
            _ => test.api(method.clone(), path).await,
        };
        let told = refused.json();
        assert_eq!(told["error_code"], code, "{method} {path}: {told}");
        assert_eq!(told["code"], refused.status.as_u16(), "{method} {path}");
        assert!(told["msg"].as_str().is_some_and(|msg| !msg.is_empty()), "{method} {path}");
    }
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
    // whoever followed the link sets a new password without the old one, once and soon
    put(&test, &session, json!({ "email": "b@example.com" })).await.expect_status(401);
    put(&test, &session, json!({ "password": "an entirely new sentence" })).await.expect_status(200);
    put(&test, &session, json!({ "password": "yet another new sentence" })).await.expect_status(401);
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
    actions::deactivate(
        &elsewhere.test.app,
        &elsewhere.test.operator(),
        gone.id,
        actions::TheirKeys::End,
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
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

#[tokio::test]
async fn a_sign_in_service_that_hangs_is_asked_once_and_holds_up_nobody_else() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let asked = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&asked);
    let hangs = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            open.push(stream);
        }
    });
    let test = TestApp::with(
        |settings| {
            settings.security.supabase_jwks_url = url;
            settings.security.supabase_issuer = "https://elsewhere.example/auth/v1".into();
        },
        accounts::routes,
    )
    .await;
    let garbage = |n: usize| {
        let text = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = text(json!({ "alg": "ES256", "kid": format!("k{n}") }));
        format!("{head}.{}.{}", text(json!({ "exp": 9_999_999_999_i64 })), URL_SAFE_NO_PAD.encode([1_u8; 64]))
    };
    let tokens: Vec<String> = (0..6).map(garbage).collect();
    let strangers =
        tokens.iter().map(|token| async { test.api(Method::GET, "/v1/me").bearer(token).await.status.as_u16() });
    // somebody of ours is answered while the others wait
    let (statuses, ours) = futures_util::future::join(futures_util::future::join_all(strangers), async {
        while asked.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        test.api(Method::GET, "/v1/me").as_user(&test.story.acme_owner).await.status.as_u16()
    })
    .await;
    assert_eq!((statuses, ours), (vec![503; 6], 200));
    test.api(Method::GET, "/v1/me").bearer(&garbage(7)).await.expect_status(503);
    assert_eq!(asked.load(Ordering::SeqCst), 1, "one asked for all");
    hangs.abort();
}
