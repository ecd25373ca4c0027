use accounts::actions;
use kernel::Error;
use kernel::role::Role;
use uuid::Uuid;

use crate::support::{audited, count, start};

#[tokio::test]
async fn the_team_page_shows_the_clients_people_and_another_clients_is_not_found() {
    let test = start().await;
    let page = test.get("/acme-roofing/team").as_user(&test.story.acme_owner).await.expect_status(200).text();
    for name in ["Amir Acme", "Dev Acme", "Cal Acme", "Nora North"] {
        assert!(page.contains(name), "{name}");
    }
    assert!(!page.contains("Bea Bright") && !page.contains("Cora Corner"));
    let foreign = test.get("/corner-auto/team").as_user(&test.story.acme_owner).await.expect_status(404).text();
    let missing = test.get("/no-such-client/team").as_user(&test.story.acme_owner).await.expect_status(404).text();
    let plain = |text: &str| {
        text.split("request").next().unwrap_or_default().replace("corner-auto", "X").replace("no-such-client", "X")
    };
    assert_eq!(plain(&foreign), plain(&missing));
}

#[tokio::test]
async fn roles_are_changed_by_those_who_hold_the_level_and_by_nobody_else() {
    let test = start().await;
    let story = &test.story;
    let change = |by: &testkit::Person, client, who: &testkit::Person, role| {
        let (actor, id) = (by.actor(), who.id);
        let app = test.app.clone();
        async move { actions::change_role(&app, &actor, (client, id), role, &kernel::version::Expected::any()).await }
    };
    let acme = story.acme.id;
    change(&story.acme_owner, acme, &story.acme_agent, Role::Developer).await.unwrap();
    assert_eq!(audited(&test, "user.role_changed").await, 1);
    for (by, who, role) in [
        (&story.acme_owner, &story.acme_agent, Role::CompanyOwner),
        (&story.acme_owner, &story.acme_owner, Role::Developer),
        (&story.acme_developer, &story.acme_agent, Role::CallCenter),
        (&story.support, &story.acme_agent, Role::CallCenter),
        (&story.agency_owner, &story.acme_agent, Role::AgencyOwner),
        (&story.acme_owner, &story.agency_owner, Role::Developer),
    ] {
        assert!(change(by, acme, who, role).await.is_err(), "{} makes {} a {role}", by.role, who.role);
    }
    assert_eq!(
        change(&story.corner_owner, story.corner.id, &story.acme_agent, Role::Developer).await,
        Err(Error::NotFound)
    );
    assert_eq!(change(&story.corner_owner, acme, &story.acme_agent, Role::Developer).await, Err(Error::NotFound));
    change(&story.agency_owner, acme, &story.acme_owner, Role::Developer).await.unwrap();
}

#[tokio::test]
async fn somebody_who_also_works_for_others_is_changed_by_an_administrator_only() {
    let test = start().await;
    let story = &test.story;
    let sql = "insert into client_users (id, client_id, user_id) values (gen_random_uuid(), $1, $2)";
    test.database.admin().await.execute(sql, &[&story.corner.id, &story.acme_agent.id]).await.unwrap();
    let owner = story.acme_owner.actor();
    let refused = actions::change_role(
        &test.app,
        &owner,
        (story.acme.id, story.acme_agent.id),
        Role::Developer,
        &kernel::version::Expected::any(),
    )
    .await;
    assert!(matches!(refused, Err(Error::Conflict { code: "belongs_elsewhere", .. })), "{refused:?}");
    let refused = actions::deactivate(
        &test.app,
        &story.agency_owner.actor(),
        story.acme_agent.id,
        actions::TheirKeys::End,
        &kernel::version::Expected::any(),
    )
    .await;
    assert!(matches!(refused, Err(Error::Conflict { code: "belongs_elsewhere", .. })), "{refused:?}");
    actions::change_role(
        &test.app,
        &story.admin.actor(),
        (story.acme.id, story.acme_agent.id),
        Role::Developer,
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn somebody_removed_from_a_client_reaches_it_no_more_and_keeps_the_account() {
    let test = start().await;
    let story = &test.story;
    let path = format!("/acme-roofing/team/{}/remove", story.acme_developer.id);
    test.post_form(&path, &()).as_user(&story.acme_developer).await.expect_status(403);
    test.post_form(&path, &()).as_user(&story.acme_owner).await.expect_status(303);
    assert_eq!(test.get("/acme-roofing/api-keys").as_user(&story.acme_developer).await.status, 404);
    test.get("/account").as_user(&story.acme_developer).await.expect_status(200);
    let peer = format!("/acme-roofing/team/{}/remove", story.acme_owner.id);
    test.post_form(&peer, &()).as_user(&story.acme_owner).await.expect_status(422);
}

#[tokio::test]
async fn the_last_administrator_cannot_be_deactivated_nor_anybody_deactivate_themselves() {
    let test = start().await;
    let admin = &test.story.admin;
    let oneself = actions::deactivate(
        &test.app,
        &admin.actor(),
        admin.id,
        actions::TheirKeys::End,
        &kernel::version::Expected::any(),
    )
    .await;
    assert!(matches!(oneself, Err(Error::Conflict { code: "oneself", .. })));
    let last = actions::deactivate(
        &test.app,
        &test.operator(),
        admin.id,
        actions::TheirKeys::End,
        &kernel::version::Expected::any(),
    )
    .await;
    assert!(matches!(last, Err(Error::Conflict { code: "last_admin", .. })));
    assert_eq!(count(&test, "select count(*) from auth.users where deactivated_at is not null").await, 0);
    let foreign = actions::deactivate(
        &test.app,
        &test.story.agency_owner.actor(),
        test.story.corner_agent.id,
        actions::TheirKeys::End,
        &kernel::version::Expected::any(),
    )
    .await;
    assert_eq!(foreign, Err(Error::NotFound));
    let above = actions::deactivate(
        &test.app,
        &test.story.agency_owner.actor(),
        admin.id,
        actions::TheirKeys::End,
        &kernel::version::Expected::any(),
    )
    .await;
    assert_eq!(above, Err(Error::NotFound));
}

/// Both see two administrators, unless one waits for the other.
#[tokio::test]
async fn two_administrators_who_deactivate_each_other_leave_one() {
    let test = start().await;
    let (one, other) = (&test.story.admin, &test.story.support);
    let promote = "insert into user_roles (id, user_id, role) values (gen_random_uuid(), $1, 'admin')";
    test.database.admin().await.execute(promote, &[&other.id]).await.unwrap();
    let (by_one, by_other) = (one.actor(), other.actor());
    let any = kernel::version::Expected::any();
    for _ in 0..10 {
        let (first, second) = tokio::join!(
            actions::deactivate(&test.app, &by_one, other.id, actions::TheirKeys::End, &any),
            actions::deactivate(&test.app, &by_other, one.id, actions::TheirKeys::End, &any)
        );
        assert!(first.is_ok() != second.is_ok(), "{first:?}, {second:?}");
        let back = "update auth.users set deactivated_at = null";
        test.database.admin().await.execute(back, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn a_deactivation_stands_in_the_record_of_the_place_where_the_person_belongs() {
    let test = start().await;
    let story = &test.story;
    actions::deactivate(
        &test.app,
        &story.admin.actor(),
        story.acme_agent.id,
        actions::TheirKeys::End,
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    actions::deactivate(
        &test.app,
        &story.admin.actor(),
        story.agency_owner.id,
        actions::TheirKeys::End,
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    let sql = "select client_id, org_id from audit_log where action = 'user.deactivated' order by id";
    let rows = test.database.admin().await.query(sql, &[]).await.unwrap();
    let places: Vec<(Option<Uuid>, Option<Uuid>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(places, [(Some(story.acme.id), None), (None, Some(story.northside))]);
}
