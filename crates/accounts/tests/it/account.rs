use testkit::story::PASSWORD;

use crate::support::{count, link, mails, start, unbase32};

#[tokio::test]
async fn people_change_their_profile_and_what_is_wrong_is_said_at_the_field() {
    let test = start().await;
    let person = &test.story.acme_agent;
    let fields = [("full_name", "Cal A. Acme"), ("phone", "614-555-0123"), ("timezone", "America/Denver")];
    test.post_form("/account", &fields).as_user(person).await.expect_status(303);
    let page = test.get("/account").as_user(person).await.expect_status(200).text();
    assert!(page.contains("Cal A. Acme") && page.contains("(614) 555-0123"), "{page}");
    let wrong = [("full_name", ""), ("phone", "abc"), ("timezone", "Mars/Olympus")];
    let page = test.post_form("/account", &wrong).as_user(person).await.expect_status(422).text();
    assert!(
        page.contains("full name is required")
            && page.contains("not a phone number")
            && page.contains("not a time zone")
    );
    assert_eq!(test.get("/account").await.location(), "/sign-in?next=%2Faccount");
}

#[tokio::test]
async fn a_new_password_takes_the_old_one_and_ends_other_sessions() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let other = test.post_form("/sign-in", &[("email", person.email.as_str()), ("password", PASSWORD)]).await;
    let other = other.cookie(web::identity::SESSION_COOKIE).unwrap();
    let change = |old: &str, new: &str| {
        test.post_form("/account/password", &[("current_password", old), ("password", new)]).as_user(person)
    };
    change("wrong wrong wrong", "an entirely new sentence").await.expect_status(422);
    change(PASSWORD, "password1234").await.expect_status(422);
    change(PASSWORD, "an entirely new sentence").await.expect_status(303);
    test.get("/account").as_user(person).await.expect_status(200);
    assert_eq!(test.get("/account").cookie(web::identity::SESSION_COOKIE, &other).await.status, 303);
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_own_person_only() {
    let test = start().await;
    let person = &test.story.acme_owner;
    test.post_form("/sign-in", &[("email", person.email.as_str()), ("password", PASSWORD)])
        .header("user-agent", "Mozilla/5.0 Firefox/140.0")
        .from_ip("203.0.113.9")
        .await
        .expect_status(303);
    let page = test.get("/account").as_user(person).await.text();
    assert!(page.contains("Firefox") && page.contains("203.0.113.9") && page.contains("(this one)"), "{page}");
    let path = format!("/account/sessions/{}/revoke", person.session_id);
    test.post_form(&path, &()).as_user(&test.story.corner_owner).await.expect_status(404);
    test.post_form("/account/sessions/revoke-others", &()).as_user(person).await.expect_status(303);
    test.get("/account").as_user(person).await.expect_status(200);
    test.post_form(&path, &()).as_user(person).await.expect_status(303);
    assert_eq!(test.get("/account").as_user(person).await.status, 303);
}

#[tokio::test]
async fn a_new_address_counts_once_its_link_was_opened_by_the_same_person() {
    let test = start().await;
    let person = &test.story.acme_owner;
    test.post_form("/account/email", &[("email", "amir@new.example")]).as_user(person).await.expect_status(303);
    let mail = mails(&test).await.remove(0);
    assert_eq!(mail.to, "amir@new.example");
    let path = link(&mail);
    test.get(&path).as_user(person).await.expect_status(200);
    assert_eq!(count(&test, "select count(*) from auth.users where email = 'amir@new.example'").await, 0);
    test.post_form(&path, &()).as_user(&test.story.corner_owner).await.expect_status(404);
    test.post_form(&path, &()).as_user(person).await.expect_status(303);
    assert_eq!(count(&test, "select count(*) from profiles where email = 'amir@new.example'").await, 1);
    test.post_form(&path, &()).as_user(person).await.expect_status(404);
}

#[tokio::test]
async fn the_second_factor_is_set_up_with_a_qr_code_and_removed_with_a_code() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let page = test.get("/account/second-factor").as_user(person).await.expect_status(200);
    assert_eq!(page.header("cache-control"), "no-store");
    let text = page.text();
    assert!(text.contains("<svg"), "{text}");
    let again = test.get("/account/second-factor").as_user(person).await.text();
    assert_eq!(key_of(&text), key_of(&again), "the code scanned first stays good");
    test.post_form("/account/second-factor", &[("code", "000000")]).as_user(person).await.expect_status(422);

    let secret = unbase32(&key_of(&text));
    let code = |at: i64| accounts::totp::code_of(&secret, at / 30);
    let now = || test.clock().now().timestamp();
    let codes =
        test.post_form("/account/second-factor", &[("code", code(now()))]).as_user(person).await.expect_status(200);
    assert!(codes.text().contains("Keep these codes now"));
    assert_eq!(count(&test, "select count(*) from auth.recovery_codes").await, 10);
    test.post_form("/account/second-factor/remove", &[("code", code(now()))]).as_user(person).await.expect_status(422);
    test.clock().advance(chrono::Duration::seconds(30));
    test.post_form("/account/second-factor/remove", &[("code", code(now()))]).as_user(person).await.expect_status(303);
    assert_eq!(count(&test, "select count(*) from auth.recovery_codes").await, 0);
}

fn key_of(page: &str) -> String {
    let at = page.find("font-mono text-sm\">").unwrap() + "font-mono text-sm\">".len();
    page[at..].split('<').next().unwrap().replace(' ', "")
}
