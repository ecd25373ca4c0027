use accounts::actions;
use chrono::Duration;
use testkit::Person;
use testkit::story::PASSWORD;

use crate::support::{audited, count, link, mails, run_jobs, start};

const NEW: &str = "an entirely new sentence";

#[tokio::test]
async fn asking_for_a_link_answers_alike_and_does_alike_whether_or_not_anybody_has_the_address() {
    let test = start().await;
    let known = test.post_form("/forgot", &[("email", &test.story.acme_owner.email)]).await.expect_status(200);
    let unknown = test.post_form("/forgot", &[("email", "nobody.here@example.com")]).await.expect_status(200);
    assert_eq!(known.body, unknown.body);
    assert_eq!(count(&test, "select count(*) from jobs where kind = 'accounts.send_reset'").await, 2);
    run_jobs(&test).await;
    let mails = mails(&test).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, test.story.acme_owner.email);
    assert_eq!(
        count(&test, "select count(*) from jobs where payload::text like '%/reset/%'").await,
        0,
        "no link in the queue"
    );
}

#[tokio::test]
async fn the_link_sets_a_new_password_once_and_ends_every_session() {
    let test = start().await;
    let person = &test.story.acme_owner;
    actions::ask_for_reset(&test.app, &kernel::Origin::here(), &person.email).await.unwrap();
    run_jobs(&test).await;
    let path = link(&mails(&test).await[0]);

    test.get(&path).await.expect_status(200);
    let weak = test.post_form(&path, &[("password", "short")]).await.expect_status(422);
    assert!(weak.text().contains("at least 12 characters"), "{}", weak.text());
    test.post_form(&path, &[("password", NEW)]).await.expect_status(303);
    test.post_form(&path, &[("password", "yet another sentence")]).await.expect_status(404);
    test.get(&path).await.expect_status(404);

    assert_eq!(test.get("/account").as_user(person).await.status, 303, "the open session has ended");
    test.post_form("/sign-in", &[("email", person.email.as_str()), ("password", PASSWORD)]).await.expect_status(422);
    test.post_form("/sign-in", &[("email", person.email.as_str()), ("password", NEW)]).await.expect_status(303);
    assert_eq!(audited(&test, "user.password_changed").await, 1);
}

#[tokio::test]
async fn a_link_older_than_an_hour_and_one_of_a_deactivated_person_are_over() {
    let test = start().await;
    let origin = kernel::Origin::here();
    for person in [&test.story.acme_owner, &test.story.acme_agent] {
        actions::ask_for_reset(&test.app, &origin, &person.email).await.unwrap();
    }
    run_jobs(&test).await;
    let mails = mails(&test).await;
    let to = |person: &Person| link(mails.iter().find(|mail| mail.to == person.email).unwrap());
    actions::deactivate(
        &test.app,
        &test.operator(),
        test.story.acme_agent.id,
        actions::TheirKeys::End,
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    test.post_form(&to(&test.story.acme_agent), &[("password", NEW)]).await.expect_status(404);
    test.clock().advance(Duration::minutes(61));
    test.post_form(&to(&test.story.acme_owner), &[("password", NEW)]).await.expect_status(404);
    test.get("/reset/no-such-token").await.expect_status(404);
}

#[tokio::test]
async fn nobody_is_sent_more_than_five_links_an_hour() {
    let test = start().await;
    for _ in 0..8 {
        actions::send_reset(&test.app, &test.story.acme_owner.email).await.unwrap();
    }
    assert_eq!(mails(&test).await.len(), 5);
}

#[tokio::test]
async fn of_two_who_use_the_same_link_at_once_one_sets_the_password() {
    let test = start().await;
    actions::send_reset(&test.app, &test.story.acme_owner.email).await.unwrap();
    let path = link(&mails(&test).await[0]);
    let token = path.rsplit('/').next().unwrap();
    let origin = kernel::Origin::here();
    let (one, other) = tokio::join!(
        actions::reset_password(&test.app, &origin, token, "the first whole sentence"),
        actions::reset_password(&test.app, &origin, token, "the other whole sentence"),
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1, "{one:?} {other:?}");
    assert_eq!(audited(&test, "user.password_changed").await, 1);
}
