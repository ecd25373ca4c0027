use accounts::actions::{self, NewFactor};
use chrono::Duration;
use kernel::Origin;
use testkit::TestApp;
use testkit::story::PASSWORD;
use web::identity::SESSION_COOKIE;

use crate::support::{audited, start, unbase32};

async fn try_password(test: &TestApp, email: &str, password: &str) -> testkit::Reply {
    test.post_form("/sign-in", &[("email", email), ("password", password)]).await
}

#[tokio::test]
async fn the_right_password_opens_a_session_and_signing_out_ends_it_at_once() {
    let test = start().await;
    let reply = test
        .post_form(
            "/sign-in",
            &[("email", " Amir.Acme@Example.com "), ("password", PASSWORD), ("next", "/acme-roofing/team")],
        )
        .await
        .expect_status(303);
    assert_eq!(reply.location(), "/acme-roofing/team");
    let line = reply.header("set-cookie");
    assert!(line.contains("HttpOnly") && line.contains("SameSite=Lax") && line.contains("Path=/"), "{line}");
    let cookie = reply.cookie(SESSION_COOKIE).unwrap();
    test.get("/acme-roofing/team").cookie(SESSION_COOKIE, &cookie).await.expect_status(200);

    test.post_form("/sign-out", &()).cookie(SESSION_COOKIE, &cookie).await.expect_status(303);
    let after = test.get("/acme-roofing/team").cookie(SESSION_COOKIE, &cookie).await.expect_status(303);
    assert_eq!(after.location(), "/sign-in?next=%2Facme-roofing%2Fteam");
    assert_eq!(audited(&test, "session.began").await, 1);
    assert_eq!(audited(&test, "session.ended").await, 1);
}

#[tokio::test]
async fn a_wrong_password_an_unknown_address_and_a_deactivated_person_get_one_and_the_same_answer() {
    let test = start().await;
    let gone = &test.story.acme_agent;
    actions::deactivate(
        &test.app,
        &test.operator(),
        gone.id,
        actions::TheirKeys::End,
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    let mut bodies = Vec::new();
    for (email, password) in [
        (test.story.acme_owner.email.as_str(), "wrong wrong wrong"),
        ("nobody.here@example.com", "wrong wrong wrong"),
        (gone.email.as_str(), PASSWORD),
    ] {
        let reply = try_password(&test, email, password).await.expect_status(422);
        assert!(reply.cookie(SESSION_COOKIE).is_none());
        bodies.push(reply.text().replace(email, "EMAIL"));
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0], bodies[2]);
    assert!(bodies[0].contains("The e-mail address or the password is wrong."), "{}", bodies[0]);
    assert_eq!(audited(&test, "session.refused").await, 3);
}

#[tokio::test]
async fn five_wrong_tries_lock_for_a_delay_that_grows_whether_or_not_the_address_exists() {
    let test = start().await;
    for email in [test.story.acme_owner.email.clone(), "nobody.here@example.com".to_owned()] {
        for _ in 0..5 {
            assert!(try_password(&test, &email, "wrong wrong wrong").await.text().contains("is wrong"));
        }
        let locked = try_password(&test, &email, PASSWORD).await.expect_status(422);
        assert!(locked.text().contains("Wait a minute"), "{}", locked.text());
        test.clock().advance(Duration::seconds(61));
        assert!(try_password(&test, &email, "wrong wrong wrong").await.text().contains("is wrong"));
        test.clock().advance(Duration::seconds(61));
        assert!(
            try_password(&test, &email, PASSWORD).await.text().contains("Wait a minute"),
            "the second lock is two minutes"
        );
        test.clock().advance(Duration::seconds(61));
        assert!(try_password(&test, &email, "wrong wrong wrong").await.text().contains("is wrong"));
        assert!(try_password(&test, &email, PASSWORD).await.text().contains("Wait 4 minutes"));
        test.clock().advance(Duration::minutes(5));
    }
    // a right one forgets the wrong ones
    try_password(&test, &test.story.acme_owner.email, PASSWORD).await.expect_status(303);
    for _ in 0..4 {
        try_password(&test, &test.story.acme_owner.email, "wrong wrong wrong").await.expect_status(422);
    }
    try_password(&test, &test.story.acme_owner.email, PASSWORD).await.expect_status(303);
}

#[tokio::test]
async fn many_tries_at_once_count_as_many() {
    let test = start().await;
    let origin = Origin::here();
    let email = &test.story.acme_owner.email;
    let tries = (0..12).map(|_| actions::check_password(&test.app, &origin, email, "wrong wrong wrong"));
    let mut locked = 0;
    for result in futures_util::future::join_all(tries).await {
        locked += usize::from(matches!(result, Err(kernel::Error::TooMany { .. })));
    }
    assert_eq!(locked, 7, "five were checked, the others found the lock");
}

/// A right password is no guess while it is being checked, however many of them come at once and whatever came before.
#[tokio::test]
async fn right_passwords_at_once_all_pass_and_take_no_guess_away() {
    let test = start().await;
    let email = &test.story.acme_owner.email;
    for ip in [None, Some("192.0.2.7".parse().unwrap())] {
        let origin = Origin { ip, ..Origin::here() };
        let try_one = async |password| {
            let tried = actions::check_password(&test.app, &origin, email, password).await;
            tried.map(|_| ()).map_err(|error| error.code())
        };
        for _ in 0..4 {
            assert_eq!(try_one("wrong wrong wrong").await, Err("invalid_credentials"));
        }
        for right in futures_util::future::join_all((0..20).map(|_| try_one(PASSWORD))).await {
            assert_eq!(right, Ok(()));
        }
        assert_eq!(try_one("wrong wrong wrong").await, Err("invalid_credentials"), "the fifth");
        assert_eq!(try_one(PASSWORD).await, Err("too_many_requests"));
        test.clock().advance(Duration::days(2));
    }
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_each_code_works_once() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let codes = enrol(&test, person).await;

    let first = try_password(&test, &person.email, PASSWORD).await.expect_status(303);
    assert_eq!(first.location(), "/sign-in/code");
    assert!(first.cookie(SESSION_COOKIE).is_none(), "the password alone opens nothing");
    let step = first.cookie("ace_sign_in").unwrap();
    let enter = |code: String| test.post_form("/sign-in/code", &[("code", code)]).cookie("ace_sign_in", &step);
    enter("000000".into()).await.expect_status(422);
    let done = enter(codes[0].clone()).await.expect_status(303);
    let cookie = done.cookie(SESSION_COOKIE).unwrap();
    test.get("/account").cookie(SESSION_COOKIE, &cookie).await.expect_status(200);

    // the step is spent, and so is the recovery code
    assert_eq!(enter(codes[1].clone()).await.location(), "/sign-in");
    let again = try_password(&test, &person.email, PASSWORD).await.cookie("ace_sign_in").unwrap();
    let reused = test.post_form("/sign-in/code", &[("code", &codes[0])]).cookie("ace_sign_in", &again).await;
    assert_eq!(reused.status, 422);
    assert!(
        test.post_form("/sign-in/code", &[("code", &codes[2])]).await.location() == "/sign-in",
        "without the first step"
    );
}

#[tokio::test]
async fn guessing_codes_locks_like_guessing_passwords() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let codes = enrol(&test, person).await;
    // setting it up, a wrong code was one of the five
    let step = try_password(&test, &person.email, PASSWORD).await.cookie("ace_sign_in").unwrap();
    for _ in 0..4 {
        test.post_form("/sign-in/code", &[("code", "000000")]).cookie("ace_sign_in", &step).await.expect_status(422);
    }
    let locked = test.post_form("/sign-in/code", &[("code", &codes[0])]).cookie("ace_sign_in", &step).await;
    assert_eq!(locked.status, 429);
}

#[tokio::test]
async fn a_right_password_is_no_try_towards_the_lock_nor_does_it_forget_wrong_codes() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let codes = enrol(&test, person).await;
    for _ in 0..3 {
        try_password(&test, &person.email, "wrong wrong wrong").await.expect_status(422);
    }
    // four wrong ones by now: were the right password counted, it would be the fifth
    let step = try_password(&test, &person.email, PASSWORD).await.cookie("ace_sign_in").unwrap();
    let enter = |code: &str| test.post_form("/sign-in/code", &[("code", code)]).cookie("ace_sign_in", &step);
    enter("000000").await.expect_status(422);
    assert_eq!(enter(&codes[0]).await.status, 429, "the wrong code was the fifth");
    test.clock().advance(Duration::seconds(61));
    try_password(&test, &person.email, PASSWORD).await.expect_status(303);
    enter(&codes[0]).await.expect_status(303);
}

/// Turns the second factor on and returns the recovery codes.
async fn enrol(test: &TestApp, person: &testkit::Person) -> Vec<String> {
    let origin = Origin::here();
    let enrolment = actions::begin_enrolment(&test.app, &origin, person.id).await.unwrap();
    let secret = unbase32(&enrolment.readable.replace(' ', ""));
    let step = test.clock().now().timestamp() / 30;
    let code = accounts::totp::code_of(&secret, step);
    let who = (person.id, person.session_id);
    let confirm = |code| actions::confirm_enrolment(&test.app, &origin, who, NewFactor { password: PASSWORD, code });
    assert!(confirm("123456").await.is_err());
    confirm(&code).await.unwrap()
}

#[tokio::test]
async fn where_an_organization_requires_a_second_factor_nothing_else_is_open_without_one() {
    let test = start().await;
    let required = serde_json::json!({ "require_second_factor": true });
    let path = format!("/v1/organizations/{}", test.story.northside);
    test.api_json(web::Method::PATCH, &path, &required).as_user(&test.story.admin).await.expect_status(200);

    for person in [&test.story.acme_owner, &test.story.agency_owner] {
        assert_eq!(test.get("/acme-roofing/team").as_user(person).await.location(), "/account/second-factor");
        test.get("/account/second-factor").as_user(person).await.expect_status(200);
        test.api(web::Method::GET, "/v1/me").as_user(person).await.expect_status(409);
    }
    enrol(&test, &test.story.acme_owner).await;
    test.get("/acme-roofing/team").as_user(&test.story.acme_owner).await.expect_status(200);
    test.get("/corner-auto/team").as_user(&test.story.corner_owner).await.expect_status(200);
}

#[tokio::test]
async fn a_form_of_another_site_cannot_sign_anybody_in_or_act_in_their_name() {
    let test = start().await;
    let person = &test.story.acme_owner;
    for path in ["/sign-in", "/sign-out", "/acme-roofing/team/invitations"] {
        let fields = [("email", person.email.as_str()), ("password", PASSWORD), ("role", "developer")];
        let reply = test.forged_post(path, &fields).as_user(person).await;
        assert_eq!(reply.status, 403, "{path}");
        assert!(reply.cookie(SESSION_COOKIE).is_none());
    }
    test.get("/acme-roofing/team").as_user(person).await.expect_status(200);
}

#[tokio::test]
async fn an_office_behind_one_address_signs_in_and_its_typing_mistakes_lock_nobody_else() {
    let test = start().await;
    let story = &test.story;
    let from = |ip: &str, email: &str, password: &str| {
        test.post_form("/sign-in", &[("email", email), ("password", password)]).from_ip(ip)
    };
    for _ in 0..40 {
        from("203.0.113.5", &story.acme_owner.email, PASSWORD).await.expect_status(303);
    }
    for n in 0..120 {
        from("203.0.113.5", &format!("nobody{n}@example.com"), "wrong wrong wrong").await.expect_status(422);
    }
    // the place is locked for strangers to it, not for whoever signed in from there before
    let stranger = from("203.0.113.5", &story.corner_owner.email, PASSWORD).await.expect_status(422);
    assert!(stranger.text().contains("Too many wrong tries"), "{}", stranger.text());
    from("203.0.113.5", &story.acme_owner.email, PASSWORD).await.expect_status(303);
    from("198.51.100.7", &story.corner_owner.email, PASSWORD).await.expect_status(303);
}

#[tokio::test]
async fn a_stranger_who_guesses_locks_an_account_for_their_own_address_and_not_for_its_person() {
    let test = start().await;
    let email = &test.story.acme_owner.email;
    let from = |ip: &str, password: &str| {
        test.post_form("/sign-in", &[("email", email.as_str()), ("password", password)]).from_ip(ip)
    };
    from("198.51.100.7", PASSWORD).await.expect_status(303);
    for _ in 0..5 {
        from("203.0.113.66", "wrong wrong wrong").await.expect_status(422);
    }
    assert!(from("203.0.113.66", PASSWORD).await.expect_status(422).text().contains("Wait a minute"));
    from("198.51.100.8", PASSWORD).await.expect_status(303);

    // many strangers at once lock it for places that it does not know
    for n in 0..100 {
        from(&format!("203.0.113.{}", n / 4 + 1), "wrong wrong wrong").await.expect_status(422);
    }
    assert!(from("192.0.2.1", PASSWORD).await.expect_status(422).text().contains("Too many wrong tries"));
    from("198.51.100.7", PASSWORD).await.expect_status(303);
}

#[tokio::test]
async fn where_to_go_next_is_ours_or_the_beginning_and_no_session_is_lost_on_the_way() {
    let test = start().await;
    let email = test.story.acme_owner.email.as_str();
    let next = |next: &str| test.post_form("/sign-in", &[("email", email), ("password", PASSWORD), ("next", next)]);
    for (asked, led) in [
        ("/\u{1}", "/"),
        ("/\u{b}", "/"),
        ("/\r\nset-cookie: a=b", "/"),
        ("/a\u{85}b", "/"),
        ("//evil.example", "/"),
        ("/acme-roofing/contacts?q=Núñez", "/acme-roofing/contacts?q=N%C3%BA%C3%B1ez"),
        ("/acme-roofing/contacts?q=a%20b", "/acme-roofing/contacts?q=a%20b"),
    ] {
        let reply = next(asked).await.expect_status(303);
        assert_eq!(reply.location(), led, "{asked:?}");
        assert!(reply.cookie(SESSION_COOKIE).is_some());
    }
}
