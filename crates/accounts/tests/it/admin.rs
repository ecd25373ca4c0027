use accounts::actions::{self, NewUser};
use kernel::role::Role;
use serde_json::json;
use web::Method;

use crate::support::{audited, count, start};

#[tokio::test]
async fn an_admin_creates_organizations_and_an_agency_owner_clients_of_their_own() {
    let test = start().await;
    let story = &test.story;
    let fields = [("name", "Lakeside Group"), ("type", "agency")];
    test.post_form("/admin/organizations", &fields).as_user(&story.agency_owner).await.expect_status(403);
    let made = test.post_form("/admin/organizations", &fields).as_user(&story.admin).await.expect_status(303);
    assert_eq!(made.location(), "/admin/organizations/lakeside-group");
    test.get(made.location()).as_user(&story.admin).await.expect_status(200);
    test.get(made.location()).as_user(&story.agency_owner).await.expect_status(404);
    test.post_form("/admin/organizations", &[("name", ""), ("type", "club")])
        .as_user(&story.admin)
        .await
        .expect_status(422);

    let client = [("name", "Acme Roofing"), ("industry", "roofing"), ("time_zone", "America/Chicago")];
    let own = "/admin/organizations/northside-marketing/clients";
    let made = test.post_form(own, &client).as_user(&story.agency_owner).await.expect_status(303);
    assert_eq!(made.location(), "/acme-roofing-2/settings");
    test.get(made.location()).as_user(&story.agency_owner).await.expect_status(200);
    test.get(made.location()).as_user(&story.acme_owner).await.expect_status(404);
    test.post_form(own, &client).as_user(&story.acme_owner).await.expect_status(403);
    let foreign = json!({ "org_id": story.corner_org, "name": "Mine now" });
    test.api_json(Method::POST, "/v1/clients", &foreign).as_user(&story.agency_owner).await.expect_status(404);
    let second = json!({ "org_id": story.corner_org, "name": "Second" });
    let refused =
        test.api_json(Method::POST, "/v1/clients", &second).as_user(&story.admin).await.expect_status(409).json();
    assert_eq!(refused["code"], "direct_has_one_client");
    test.get("/admin/organizations").as_user(&story.acme_owner).await.expect_status(403);
}

#[tokio::test]
async fn client_settings_are_changed_by_those_who_may_and_not_over_somebody_elses_change() {
    let test = start().await;
    let story = &test.story;
    let path = format!("/v1/clients/{}", story.acme.id);
    let before = test.api(Method::GET, &path).as_user(&story.acme_owner).await.expect_status(200);
    let tag = before.header("etag").to_owned();
    test.clock().advance(chrono::Duration::seconds(1));
    let patch = |body: serde_json::Value, by: &testkit::Person| test.api_json(Method::PATCH, &path, &body).as_user(by);
    let changed = patch(json!({ "support_phone": "(614) 555-0123", "primary_color": "#0F766E" }), &story.acme_owner);
    let changed = changed.header("if-match", &tag).await.expect_status(200).json();
    assert_eq!(
        (changed["support_phone"].as_str(), changed["brand_colors_json"]["primary"].as_str()),
        (Some("+16145550123"), Some("#0f766e"))
    );
    patch(json!({ "name": "Late" }), &story.acme_owner).header("if-match", &tag).await.expect_status(412);
    patch(json!({ "website_url": "https://acme.example" }), &story.acme_owner)
        .header("if-match", "*")
        .await
        .expect_status(200);
    patch(json!({ "logo_url": "javascript:alert(1)" }), &story.acme_owner).await.expect_status(422);
    patch(json!({ "time_zone": "Mars/Olympus" }), &story.acme_owner).await.expect_status(422);
    patch(json!({ "name": "Ours" }), &story.acme_developer).await.expect_status(403);
    patch(json!({ "name": "Ours" }), &story.support).await.expect_status(403);
    patch(json!({ "name": "Ours" }), &story.corner_owner).await.expect_status(404);
    assert_eq!(audited(&test, "client.updated").await, 2);
}

#[tokio::test]
async fn permissions_are_edited_by_admins_and_take_effect_at_once() {
    let test = start().await;
    let story = &test.story;
    test.get("/admin/permissions").as_user(&story.support).await.expect_status(403);
    test.get("/acme-roofing/team").as_user(&story.acme_developer).await.expect_status(403);
    let page = test.get("/admin/permissions").as_user(&story.admin).await.expect_status(200).text();
    let ticked: Vec<(&str, String)> = page
        .split("name=\"grant\" value=\"")
        .skip(1)
        .filter(|box_| box_.split('>').next().is_some_and(|tag| tag.contains(" checked")))
        .map(|box_| ("grant", box_.split('"').next().unwrap_or_default().to_owned()))
        .collect();
    assert!(ticked.len() > 100);
    let unchanged = test.post_form("/admin/permissions", &ticked).as_user(&story.admin).await.expect_status(303);
    drop(unchanged);
    assert_eq!(audited(&test, "permissions.changed").await, 0);
    let more: Vec<_> = ticked.iter().cloned().chain([("grant", "developer:users.view".to_owned())]).collect();
    test.post_form("/admin/permissions", &more).as_user(&story.admin).await.expect_status(303);
    test.get("/acme-roofing/team").as_user(&story.acme_developer).await.expect_status(200);
    test.post_form("/admin/permissions", &ticked).as_user(&story.admin).await.expect_status(303);
    test.get("/acme-roofing/team").as_user(&story.acme_developer).await.expect_status(403);
    assert_eq!(audited(&test, "permissions.changed").await, 2);
    test.post_form("/admin/permissions", &[("grant", "developer:no.such")])
        .as_user(&story.admin)
        .await
        .expect_status(422);
    test.post_form("/admin/permissions", &()).as_user(&story.admin).await.expect_status(422);
    assert!(
        count(&test, "select count(*) from role_permissions where role = 'admin'").await > 70,
        "an admin holds every key"
    );
}

#[tokio::test]
async fn the_audit_trail_shows_each_what_is_theirs_and_refusals_too() {
    let test = start().await;
    let story = &test.story;
    test.get("/admin/permissions").as_user(&story.acme_owner).await.expect_status(403);
    test.post_form("/acme-roofing/team/invitations", &[("email", "a@example.com"), ("role", "developer")])
        .as_user(&story.acme_owner)
        .await;
    test.post_form("/corner-auto/team/invitations", &[("email", "c@example.com"), ("role", "developer")])
        .as_user(&story.corner_owner)
        .await;
    let all = test.get("/admin/audit").as_user(&story.admin).await.expect_status(200).text();
    assert!(
        all.contains("authorization.refused") && all.contains("a@example.com") && all.contains("c@example.com"),
        "{all}"
    );
    let agency = test.get("/admin/audit").as_user(&story.agency_owner).await.expect_status(200).text();
    assert!(agency.contains("a@example.com") && !agency.contains("c@example.com"));
    test.get("/admin/audit").as_user(&story.acme_owner).await.expect_status(403);

    let first = test.api(Method::GET, "/v1/audit?limit=1").as_user(&story.admin).await.expect_status(200).json();
    let next = first["next"].as_str().unwrap();
    let second = test.api(Method::GET, &format!("/v1/audit?limit=1&after={next}")).as_user(&story.admin).await.json();
    assert_ne!(first["data"][0]["id"], second["data"][0]["id"]);
    let one = test.api(Method::GET, "/v1/audit?q=invitation.").as_user(&story.admin).await.json();
    assert_eq!(one["data"].as_array().unwrap().len(), 2);
    let admin = test.database.admin().await;
    assert!(admin.execute("delete from audit_log", &[]).await.is_err(), "append-only, whoever asks");
}

#[tokio::test]
async fn accounts_are_made_outright_by_the_operator_only_where_the_role_belongs() {
    let test = start().await;
    let story = &test.story;
    let new = NewUser {
        email: "Zoe@Example.com",
        full_name: "Zoe",
        role: Role::Developer,
        org_id: None,
        client_id: Some(story.acme.id),
        password: Some("an entirely new sentence"),
    };
    let id = actions::create_user(&test.app, &test.operator(), &new).await.unwrap();
    let taken = actions::create_user(&test.app, &test.operator(), &new).await.unwrap_err();
    assert_eq!(taken.fields()[0].field, "email");
    let by_owner = NewUser { email: "y@example.com", ..new.clone() };
    assert!(actions::create_user(&test.app, &story.acme_owner.actor(), &by_owner).await.is_err());
    let nowhere = NewUser { email: "x@example.com", client_id: None, ..new.clone() };
    assert_eq!(
        actions::create_user(&test.app, &test.operator(), &nowhere).await.unwrap_err().fields()[0].field,
        "client"
    );
    let weak = NewUser { email: "w@example.com", password: Some("password1234"), ..new.clone() };
    assert_eq!(
        actions::create_user(&test.app, &test.operator(), &weak).await.unwrap_err().fields()[0].field,
        "password"
    );
    actions::set_password(&test.app, "zoe@example.com", "another whole sentence").await.unwrap();
    test.post_form("/sign-in", &[("email", "zoe@example.com"), ("password", "another whole sentence")])
        .await
        .expect_status(303);
    let users = test.api(Method::GET, "/v1/users?q=zoe").as_user(&story.acme_owner).await.json();
    assert_eq!(users["data"][0]["id"], id.to_string());
    let foreign = test.api(Method::GET, &format!("/v1/users/{id}")).as_user(&story.corner_owner).await;
    assert_eq!(foreign.status, 404);
}
