use testkit::story::PASSWORD;
use testkit::{Ask, TestApp};

use crate::support::{audited, count, link, mails, run_jobs, start, unbase32};

#[tokio::test]
async fn people_change_their_profile_and_what_is_wrong_is_said_at_the_field() {
    let test = start().await;
    let person = &test.story.acme_agent;
    let fields = [("full_name", "Cal A. Acme"), ("phone", "614-555-0123"), ("timezone", "America/Denver")];
    test.edit(person, ("/account", "/account"), &fields).await.expect_status(303);
    let page = test.get("/account").as_user(person).await.expect_status(200).text();
    assert!(page.contains("Cal A. Acme") && page.contains("(614) 555-0123"), "{page}");
    let wrong = [("full_name", ""), ("phone", "abc"), ("timezone", "Mars/Olympus")];
    let page = test.edit(person, ("/account", "/account"), &wrong).await.expect_status(422).text();
    assert!(page.contains(" is required") && page.contains("enter 10 digits") && page.contains("choose a time zone"));
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
    ask_for(&test, "amir@new.example", PASSWORD).await.expect_status(303);
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

fn ask_for<'a>(test: &'a TestApp, address: &str, password: &str) -> Ask<'a> {
    let fields = [("email", address), ("email_password", password)];
    test.post_form("/account/email", &fields).as_user(&test.story.acme_owner)
}

#[tokio::test]
async fn an_open_session_alone_does_not_change_the_address() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let refused = ask_for(&test, "thief@new.example", "wrong wrong wrong").await.expect_status(422);
    assert!(refused.text().contains("not your present password"), "{}", refused.text());
    test.post_form("/account/email", &[("email", "thief@new.example")]).as_user(person).await.expect_status(422);
    assert!(mails(&test).await.is_empty());
    assert_eq!(audited(&test, "session.refused").await, 2);
}

#[tokio::test]
async fn a_changed_address_ends_old_links_and_other_sessions_and_is_told_to_the_old_one() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let other = test.post_form("/sign-in", &[("email", person.email.as_str()), ("password", PASSWORD)]).await;
    let other = other.cookie(web::identity::SESSION_COOKIE).unwrap();
    test.post_form("/forgot", &[("email", person.email.as_str())]).await.expect_status(200);
    run_jobs(&test).await;
    let reset = link(&mails(&test).await.remove(0));
    ask_for(&test, "amir@first.example", PASSWORD).await.expect_status(303);
    ask_for(&test, "amir@new.example", PASSWORD).await.expect_status(303);
    let [_, first, second]: [_; 3] = mails(&test).await.try_into().unwrap();
    test.post_form(&link(&second), &()).as_user(person).await.expect_status(303);

    let notice = mails(&test).await.pop().unwrap();
    assert_eq!(notice.to, person.email);
    assert!(notice.text.contains("amir@new.example"), "{}", notice.text);
    test.get(&reset).await.expect_status(404);
    test.post_form(&link(&first), &()).as_user(person).await.expect_status(404);
    assert_eq!(test.get("/account").cookie(web::identity::SESSION_COOKIE, &other).await.status, 303);
    test.get("/account").as_user(person).await.expect_status(200);
}

#[tokio::test]
async fn guessing_ones_password_from_an_open_session_locks_and_is_audited() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let change = |old: &str| {
        let fields = [("current_password", old), ("password", "an entirely new sentence")];
        test.post_form("/account/password", &fields).as_user(person)
    };
    for _ in 0..5 {
        change("wrong wrong wrong").await.expect_status(422);
    }
    assert_eq!(change(PASSWORD).await.status, 429);
    assert_eq!(audited(&test, "session.refused").await, 5);
    test.clock().advance(chrono::Duration::seconds(61));
    change(PASSWORD).await.expect_status(303);
}

#[tokio::test]
async fn guessing_codes_from_an_open_session_locks_and_is_audited() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let secret = unbase32(&key_of(&test.get("/account/second-factor").as_user(person).await.text()));
    let show = |path: &str, code: String| {
        test.post_form(path, &[("code", code), ("current_password", PASSWORD.to_owned())]).as_user(person)
    };
    let right = || accounts::totp::code_of(&secret, test.clock().now().timestamp() / 30);
    let locked_after_five = async |path: &'static str| {
        for _ in 0..5 {
            show(path, "000000".into()).await.expect_status(422);
        }
        assert_eq!(show(path, right()).await.status, 429, "{path}");
        // long enough for the lock, and for the tries to be forgotten
        test.clock().advance(chrono::Duration::hours(25));
    };
    locked_after_five("/account/second-factor").await;
    show("/account/second-factor", right()).await.expect_status(200);
    locked_after_five("/account/second-factor/codes").await;
    locked_after_five("/account/second-factor/remove").await;
    assert_eq!(count(&test, "select count(*) from auth.users where totp_confirmed_at is not null").await, 1);
    assert_eq!(audited(&test, "session.refused").await, 15);
}

#[tokio::test]
async fn a_recovery_code_stands_in_for_a_lost_phone_once() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let secret = unbase32(&key_of(&test.get("/account/second-factor").as_user(person).await.text()));
    let right = accounts::totp::code_of(&secret, test.clock().now().timestamp() / 30);
    let show = |path: &str, code: &str| {
        test.post_form(path, &[("code", code), ("current_password", PASSWORD)]).as_user(person)
    };
    let codes = codes_of(&show("/account/second-factor", &right).await.expect_status(200).text());
    let renewed = codes_of(&show("/account/second-factor/codes", &codes[0]).await.expect_status(200).text());
    show("/account/second-factor/remove", &codes[1]).await.expect_status(422);
    show("/account/second-factor/remove", &renewed[0]).await.expect_status(303);
    assert_eq!(count(&test, "select count(*) from auth.users where totp_secret_sealed is not null").await, 0);
    show("/account/second-factor/remove", &renewed[1]).await.expect_status(422);
}

fn codes_of(page: &str) -> Vec<String> {
    let list = page.split("font-mono\">").nth(1).unwrap().split("</ul>").next().unwrap();
    list.split("<li>").skip(1).map(|item| item.split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_secret_that_stays_unconfirmed_is_replaced() {
    let test = start().await;
    let person = &test.story.acme_owner;
    let shown = async || key_of(&test.get("/account/second-factor").as_user(person).await.text());
    let seen = shown().await;
    test.clock().advance(chrono::Duration::minutes(14));
    assert_eq!(shown().await, seen);
    test.clock().advance(chrono::Duration::minutes(1));
    assert_ne!(shown().await, seen, "whoever saw it then does not know the one that is set up now");
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
    let turn_on = |password: &str, code: &str| {
        test.post_form("/account/second-factor", &[("code", code), ("current_password", password)]).as_user(person)
    };
    turn_on(PASSWORD, "000000").await.expect_status(422);

    let secret = unbase32(&key_of(&text));
    let code = |at: i64| accounts::totp::code_of(&secret, at / 30);
    let now = || test.clock().now().timestamp();
    let other = test.post_form("/sign-in", &[("email", person.email.as_str()), ("password", PASSWORD)]).await;
    let other = other.cookie(web::identity::SESSION_COOKIE).unwrap();
    let refused = turn_on("wrong wrong wrong", &code(now())).await.expect_status(422);
    assert!(refused.text().contains("not your present password"), "an open session alone sets none up");
    let codes = turn_on(PASSWORD, &code(now())).await.expect_status(200);
    assert_eq!(test.get("/account").cookie(web::identity::SESSION_COOKIE, &other).await.status, 303);
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
