use std::future::IntoFuture;

use accounts::actions::{self, NewInvite};
use chrono::Duration;
use kernel::role::Role;
use testkit::{Person, TestApp};
use web::Method;
use web::identity::SESSION_COOKIE;

use crate::support::{audited, count, link, mails, start};

const PASSWORD: &str = "an entirely new sentence";

async fn invite(test: &TestApp, by: &Person, email: &str, role: Role, client_id: uuid::Uuid) -> kernel::Result<String> {
    let new = NewInvite { email, role, org_id: None, client_id: Some(client_id) };
    actions::invite(&test.app, &by.actor(), &new).await?;
    // the link that was mailed, which is not the one its inviter gets
    Ok(link(&mails(test).await.pop().unwrap()))
}

fn joining() -> [(&'static str, &'static str); 2] {
    [("full_name", "Nia New"), ("password", PASSWORD)]
}

#[tokio::test]
async fn somebody_new_joins_by_the_link_once_and_reaches_just_that_client() {
    let test = start().await;
    let path =
        invite(&test, &test.story.acme_owner, "Nia@Example.com ", Role::CallCenter, test.story.acme.id).await.unwrap();
    let mail = mails(&test).await.remove(0);
    assert_eq!((mail.to.as_str(), link(&mail)), ("nia@example.com", path.clone()));
    assert_eq!(count(&test, "select count(*) from invitations where octet_length(token_hash) = 32").await, 1);

    let page = test.get(&path).await.expect_status(200).text();
    assert!(page.contains("Acme Roofing") && page.contains("Amir Acme"), "{page}");
    test.post_form(&path, &[("full_name", "Nia"), ("password", "password1234")]).await.expect_status(422);
    let joined = test.post_form(&path, &joining()).await.expect_status(303);
    let cookie = joined.cookie(SESSION_COOKIE).unwrap();
    test.get("/account").cookie(SESSION_COOKIE, &cookie).await.expect_status(200);
    assert_eq!(test.get("/acme-roofing/team").cookie(SESSION_COOKIE, &cookie).await.status, 403);
    assert_eq!(test.get("/corner-auto/team").cookie(SESSION_COOKIE, &cookie).await.status, 404);

    test.post_form(&path, &joining()).await.expect_status(410);
    assert!(test.get(&path).await.expect_status(410).text().contains("used already"));
    assert_eq!((audited(&test, "invitation.created").await, audited(&test, "invitation.accepted").await), (1, 1));
}

#[tokio::test]
async fn an_invitation_is_over_after_seven_days_and_when_it_is_revoked() {
    let test = start().await;
    let by = &test.story.acme_owner;
    let late = invite(&test, by, "late@example.com", Role::Developer, test.story.acme.id).await.unwrap();
    let revoked = invite(&test, by, "revoked@example.com", Role::Developer, test.story.acme.id).await.unwrap();
    let list = test.api(Method::GET, "/v1/invitations").as_user(by).await.json();
    let id = list["data"].as_array().unwrap().iter().find(|row| row["email"] == "revoked@example.com").unwrap()["id"]
        .clone();
    let path = format!("/acme-roofing/team/invitations/{}/revoke", id.as_str().unwrap());
    assert_eq!(
        test.post_form(&path.replace("acme-roofing", "corner-auto"), &())
            .as_user(&test.story.corner_owner)
            .await
            .status,
        404
    );
    test.post_form(&path, &()).as_user(by).await.expect_status(303);
    test.post_form(&revoked, &joining()).await.expect_status(410);

    test.clock().advance(Duration::days(7));
    test.post_form(&late, &joining()).await.expect_status(410);
    assert_eq!(
        count(&test, "select count(*) from auth.users where email in ('late@example.com', 'revoked@example.com')")
            .await,
        0
    );
    test.get("/invitations/no-such-token").await.expect_status(404);
}

#[tokio::test]
async fn inviting_again_makes_the_first_link_worthless() {
    let test = start().await;
    let by = &test.story.acme_owner;
    let first = invite(&test, by, "nia@example.com", Role::Developer, test.story.acme.id).await.unwrap();
    let second = invite(&test, by, "nia@example.com", Role::Developer, test.story.acme.id).await.unwrap();
    test.post_form(&first, &joining()).await.expect_status(410);
    test.post_form(&second, &joining()).await.expect_status(303);
}

#[tokio::test]
async fn nobody_grants_what_they_do_not_hold_nor_where_they_do_not_reach() {
    let test = start().await;
    let story = &test.story;
    let granted = [
        (&story.admin, vec![Role::CompanyOwner, Role::Developer, Role::CallCenter]),
        (&story.agency_owner, vec![Role::CompanyOwner, Role::Developer, Role::CallCenter]),
        (&story.acme_owner, vec![Role::Developer, Role::CallCenter]),
        (&story.acme_developer, vec![]),
        (&story.acme_agent, vec![]),
        // holds a level, but writes nothing
        (&story.support, vec![]),
    ];
    for (by, may) in granted {
        for role in [Role::CompanyOwner, Role::Developer, Role::CallCenter] {
            let done = invite(&test, by, &format!("nia-{}@example.com", by.role), role, story.acme.id).await;
            assert_eq!(done.is_ok(), may.contains(&role), "{} invites a {role}: {done:?}", by.role);
            if let (Err(error), true) = (done, by.role != Role::TechSupport) {
                assert_eq!(error.fields().first().map(|field| field.field.as_str()), Some("role"), "{}", by.role);
            }
        }
    }
    for by in [&story.agency_owner, &story.acme_owner, &story.bright_owner] {
        let done = invite(&test, by, "nia@example.com", Role::Developer, story.corner.id).await;
        assert_eq!(done, Err(kernel::Error::NotFound), "{}", by.role);
    }
    let to_org = |role, org_id| NewInvite { email: "nia@example.com", role, org_id: Some(org_id), client_id: None };
    let owner =
        actions::invite(&test.app, &story.agency_owner.actor(), &to_org(Role::AgencyOwner, story.northside)).await;
    assert!(owner.is_err(), "an agency owner makes no other one");
    actions::invite(&test.app, &story.admin.actor(), &to_org(Role::AgencyOwner, story.northside)).await.unwrap();
    actions::invite(&test.app, &story.admin.actor(), &to_org(Role::Admin, story.internal)).await.unwrap();
    for (role, org) in
        [(Role::Admin, story.northside), (Role::AgencyOwner, story.corner_org), (Role::AgencyOwner, story.internal)]
    {
        let done = actions::invite(&test.app, &story.admin.actor(), &to_org(role, org)).await;
        assert!(done.is_err(), "{role} does not belong there");
    }
}

#[tokio::test]
async fn somebody_with_an_account_joins_signed_in_to_it_and_only_then() {
    let test = start().await;
    let story = &test.story;
    let path =
        invite(&test, &story.bright_owner, &story.acme_agent.email, Role::CallCenter, story.bright.id).await.unwrap();
    let stranger = test.post_form(&path, &joining()).await.expect_status(303);
    assert!(stranger.location().starts_with("/sign-in"), "the link alone opens no account");
    test.post_form(&path, &joining()).as_user(&story.corner_agent).await.expect_status(422);
    test.post_form(&path, &()).as_user(&story.acme_agent).await.expect_status(303);
    let me = test.api(Method::GET, "/v1/me").as_user(&story.acme_agent).await.json();
    assert_eq!(me["clients"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_role_is_not_added_behind_the_back_of_others_the_person_works_for() {
    let test = start().await;
    let story = &test.story;
    // a developer of Acme would become a company owner of Acme, too
    let path = invite(&test, &story.agency_owner, &story.corner_developer.email, Role::CompanyOwner, story.acme.id)
        .await
        .unwrap();
    let refused = test.post_form(&path, &()).as_user(&story.corner_developer).await.expect_status(422);
    assert!(refused.text().contains("belongs to others as well"), "{}", refused.text());
    // an owner elsewhere would be an owner here, which a company owner cannot give
    let path =
        invite(&test, &story.corner_owner, &story.acme_owner.email, Role::Developer, story.corner.id).await.unwrap();
    let refused = test.post_form(&path, &()).as_user(&story.acme_owner).await.expect_status(422);
    assert!(refused.text().contains("could not give you"), "{}", refused.text());
    assert_eq!(count(&test, "select count(*) from invitations where status = 'accepted'").await, 0);
}

#[tokio::test]
async fn an_invitation_carries_no_other_role_along_into_a_new_place() {
    let test = start().await;
    let story = &test.story;
    let give = async |person: &Person, role: &str| {
        let sql = "insert into user_roles (id, user_id, role) values (gen_random_uuid(), $1, $2::text::app_role)";
        test.database.admin().await.execute(sql, &[&person.id, &role]).await.unwrap();
    };
    // an owner of Corner Auto who also answers calls there would be an owner of Acme, which the agency may give but did not
    give(&story.corner_owner, "call_center").await;
    let owner = &story.corner_owner;
    let as_agent = invite(&test, &story.agency_owner, &owner.email, Role::CallCenter, story.acme.id).await.unwrap();
    let refused = test.post_form(&as_agent, &()).as_user(owner).await.expect_status(422);
    assert!(refused.text().contains("other roles than the one offered"), "{}", refused.text());
    // offered what they are, lower roles add nothing to it
    let as_owner = invite(&test, &story.agency_owner, &owner.email, Role::CompanyOwner, story.acme.id).await.unwrap();
    test.post_form(&as_owner, &()).as_user(owner).await.expect_status(303);
    // of two that stand beside each other neither covers the other
    give(&story.corner_agent, "developer").await;
    let agent = &story.corner_agent;
    let path = invite(&test, &story.acme_owner, &agent.email, Role::CallCenter, story.acme.id).await.unwrap();
    test.post_form(&path, &()).as_user(agent).await.expect_status(422);
}

#[tokio::test]
async fn whoever_reaches_a_client_already_may_take_a_lower_role_there() {
    let test = start().await;
    let story = &test.story;
    let path = invite(&test, &story.admin, &story.agency_owner.email, Role::CallCenter, story.acme.id).await.unwrap();
    test.post_form(&path, &()).as_user(&story.agency_owner).await.expect_status(303);
}

#[tokio::test]
async fn of_two_invitations_accepted_at_once_the_second_sees_the_first() {
    let test = start().await;
    let story = &test.story;
    // belongs to nobody, so that each invitation alone may give a new role
    let admin = test.database.admin().await;
    for sql in ["delete from client_users where user_id = $1", "delete from user_roles where user_id = $1"] {
        admin.execute(sql, &[&story.corner_agent.id]).await.unwrap();
    }
    let address = &story.corner_agent.email;
    let developer = invite(&test, &story.acme_owner, address, Role::Developer, story.acme.id).await.unwrap();
    let agent = invite(&test, &story.corner_owner, address, Role::CallCenter, story.corner.id).await.unwrap();
    let both = [&developer, &agent].map(|path| test.post_form(path, &()).as_user(&story.corner_agent).into_future());
    let person = story.corner_agent.id;
    admin.batch_execute(&format!("begin; select from auth.users where id = '{person}' for update")).await.unwrap();
    let meet = async {
        let waits = "select count(*) from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock'";
        while count(&test, waits).await < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        admin.batch_execute("commit").await.unwrap();
    };
    let (replies, ()) = futures_util::future::join(futures_util::future::join_all(both), meet).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 303).count(), 1, "{replies:?}");
    assert_eq!(count(&test, "select count(*) from invitations where status = 'accepted'").await, 1);
}

#[tokio::test]
async fn an_invitation_is_worth_nothing_once_its_inviter_does_not_reach_the_place() {
    let test = start().await;
    let story = &test.story;
    let path = invite(&test, &story.acme_owner, "nia@example.com", Role::Developer, story.acme.id).await.unwrap();
    let by_agency =
        invite(&test, &story.agency_owner, "kim@example.com", Role::CompanyOwner, story.acme.id).await.unwrap();
    actions::remove_from_client(
        &test.app,
        &story.agency_owner.actor(),
        (story.acme.id, story.acme_owner.id),
        actions::TheirKeys::End,
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    let refused = test.post_form(&path, &joining()).await.expect_status(422);
    assert!(refused.text().contains("could not give you"), "{}", refused.text());
    let sql = "delete from org_members where user_id = $1";
    test.database.admin().await.execute(sql, &[&story.agency_owner.id]).await.unwrap();
    test.post_form(&by_agency, &joining()).await.expect_status(422);
    assert_eq!(count(&test, "select count(*) from invitations where status = 'accepted'").await, 0);
}

#[tokio::test]
async fn an_invitation_is_worth_what_its_inviter_may_give_when_it_is_used() {
    let test = start().await;
    let story = &test.story;
    let path = invite(&test, &story.acme_owner, "nia@example.com", Role::Developer, story.acme.id).await.unwrap();
    actions::deactivate(
        &test.app,
        &story.agency_owner.actor(),
        story.acme_owner.id,
        actions::TheirKeys::End,
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    test.post_form(&path, &joining()).await.expect_status(422);
    assert_eq!(count(&test, "select count(*) from auth.users where email = 'nia@example.com'").await, 0);
}

#[tokio::test]
async fn of_two_who_use_the_same_link_at_once_one_joins() {
    let test = start().await;
    let path =
        invite(&test, &test.story.acme_owner, "nia@example.com", Role::Developer, test.story.acme.id).await.unwrap();
    let form = joining();
    let both = (0..2).map(|_| test.post_form(&path, &form).into_future());
    let replies = futures_util::future::join_all(both).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 303 && reply.location() == "/").count(), 1, "{replies:?}");
    assert_eq!(count(&test, "select count(*) from auth.users where email = 'nia@example.com'").await, 1);
}

/// The path of the link that the inviter gets.
async fn handed_over(test: &TestApp, email: &str) -> String {
    let new = NewInvite { email, role: Role::Developer, org_id: None, client_id: Some(test.story.acme.id) };
    let invited = actions::invite(&test.app, &test.story.acme_owner.actor(), &new).await.unwrap();
    format!("/invitations/{}", invited.link.rsplit('/').next().unwrap())
}

#[tokio::test]
async fn the_link_an_inviter_hands_over_makes_no_account_and_mails_the_one_that_does() {
    let test = start().await;
    let path = handed_over(&test, "cfo@corner-auto.example").await;
    let first = link(&mails(&test).await.pop().unwrap());
    assert_ne!(path, first);
    assert!(test.get(&path).await.expect_status(200).text().contains("Send me the link"));
    let sent = test.post_form(&path, &joining()).await.expect_status(200);
    assert!(sent.cookie(SESSION_COOKIE).is_none() && sent.text().contains("We sent a link"), "{}", sent.text());
    assert_eq!(count(&test, "select count(*) from auth.users where email like 'cfo@%'").await, 0);

    // whoever reads the mail joins with the latest link
    let mail = mails(&test).await.pop().unwrap();
    assert_eq!(mail.to, "cfo@corner-auto.example");
    test.get(&first).await.expect_status(404);
    test.post_form(&link(&mail), &joining()).await.expect_status(303);
    assert_eq!(count(&test, "select count(*) from auth.users where email like 'cfo@%'").await, 1);
    test.post_form(&path, &joining()).await.expect_status(410);
}

#[tokio::test]
async fn one_mailbox_gets_five_invitations_an_hour_from_whomever() {
    let test = start().await;
    let ask = |email: &str| {
        let body = serde_json::json!({ "email": email, "role": "developer" });
        test.api_json(Method::POST, "/v1/invitations", &body).as_user(&test.story.acme_owner)
    };
    let path = handed_over(&test, "nia@example.com").await;
    for n in 0..4 {
        ask(&format!("nia+{n}@example.com")).await.expect_status(201);
    }
    let refused = ask("nia@example.com").await.expect_status(429);
    assert!(!refused.header("retry-after").is_empty());
    test.post_form(&path, &()).await.expect_status(422);
    let fields = [("email", "nia@example.com"), ("role", "developer")];
    let page = test.post_form("/acme-roofing/team/invitations", &fields).as_user(&test.story.acme_owner).await;
    assert!(page.expect_status(422).text().contains("many mails lately"));
    assert_eq!(mails(&test).await.len(), 5);
    ask("nora@example.com").await.expect_status(201);
    test.clock().advance(Duration::hours(1));
    ask("nia@example.com").await.expect_status(201);
}

#[tokio::test]
async fn no_name_brings_lines_of_its_own_into_a_mail() {
    let test = start().await;
    let owner = &test.story.acme_owner;
    let line = "Amir\r\nYour account is locked";
    let fields = [("full_name", line), ("phone", ""), ("timezone", "")];
    test.post_form("/account", &fields).as_user(owner).await.expect_status(422);
    let body = serde_json::json!({ "data": { "full_name": line } });
    test.api_json(Method::PUT, "/auth/v1/user", &body).as_user(owner).await.expect_status(400);
    let admin = &test.story.admin;
    for (path, body) in [
        ("/v1/organizations", serde_json::json!({ "name": line, "type": "agency" })),
        (
            "/v1/clients",
            serde_json::json!({ "name": line, "org_id": test.story.northside, "industry": "other",
                                            "time_zone": "America/New_York" }),
        ),
    ] {
        let refused = test.api_json(Method::POST, path, &body).as_user(admin).await.expect_status(422).json();
        assert_eq!(refused["errors"][0]["pointer"], "#/name", "{path}");
    }
    let key = serde_json::json!({ "name": line, "scopes": ["contacts.view"] });
    test.api_json(Method::POST, "/v1/api-keys", &key).as_user(owner).await.expect_status(422);

    // what was written before is one line in the mail
    test.database
        .admin()
        .await
        .execute("update profiles set full_name = $2 where id = $1", &[&owner.id, &line])
        .await
        .unwrap();
    handed_over(&test, "nia@example.com").await;
    let mail = mails(&test).await.pop().unwrap();
    assert!(mail.text.starts_with("Amir Your account is locked invites you"), "{}", mail.text);
}
