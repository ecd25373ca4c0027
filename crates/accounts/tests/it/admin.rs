use accounts::actions::{self, NewUser};
use kernel::role::Role;
use serde_json::json;
use web::Method;

use crate::support::{audited, count, mails, start};

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
    let own = ("/admin/permissions", "/admin/permissions");
    test.edit(&story.admin, own, &ticked).await.expect_status(303);
    assert_eq!(audited(&test, "permissions.changed").await, 0);
    let more: Vec<_> = ticked.iter().cloned().chain([("grant", "developer:users.view".to_owned())]).collect();
    test.edit(&story.admin, own, &more).await.expect_status(303);
    test.get("/acme-roofing/team").as_user(&story.acme_developer).await.expect_status(200);
    test.edit(&story.admin, own, &ticked).await.expect_status(303);
    test.get("/acme-roofing/team").as_user(&story.acme_developer).await.expect_status(403);
    assert_eq!(audited(&test, "permissions.changed").await, 2);
    let stale = test.post_form("/admin/permissions", &more).and("version", "old").as_user(&story.admin).await;
    let stale = stale.expect_status(422).text();
    assert!(stale.contains("Somebody else changed this meanwhile") && stale.contains("not ticked"), "{stale}");
    test.edit(&story.admin, own, &[("grant", "developer:no.such")]).await.expect_status(422);
    test.edit(&story.admin, own, &()).await.expect_status(422);
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
        all.contains("Authorization refused") && all.contains("a@example.com") && all.contains("c@example.com"),
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

#[tokio::test]
async fn a_lost_second_factor_is_reset_by_administrators_and_the_command_line_only() {
    let test = start().await;
    let story = &test.story;
    let owner = &story.acme_owner;
    let set_up = async |id: uuid::Uuid| {
        let sql = "update auth.users set totp_secret_sealed = 'x', totp_confirmed_at = now() where id = $1";
        test.database.admin().await.execute(sql, &[&id]).await.unwrap();
    };
    let path = format!("/admin/users/{}/reset-second-factor", owner.id);
    test.post_form(&path, &()).as_user(&story.admin).await.expect_status(409);
    set_up(owner.id).await;
    let list = async |by| test.get("/admin/users").as_user(by).await.expect_status(200).text().contains(&path);
    assert_eq!((list(&story.admin).await, list(&story.agency_owner).await), (true, false));
    test.post_form(&path, &()).as_user(&story.support).await.expect_status(403);
    test.post_form(&path, &()).as_user(&story.agency_owner).await.expect_status(409);
    assert_eq!(audited(&test, "user.second_factor_reset").await, 0);

    test.post_form(&path, &()).as_user(&story.admin).await.expect_status(303);
    assert_eq!(count(&test, "select count(*) from auth.users where totp_secret_sealed is not null").await, 0);
    assert_eq!(test.get("/account").as_user(owner).await.status, 303, "their sessions have ended");
    assert_eq!(mails(&test).await.pop().unwrap().to, owner.email);
    set_up(owner.id).await;
    let operator = test.operator();
    actions::reset_second_factor_of(&test.app, &operator, &owner.email.to_uppercase()).await.unwrap();
    assert_eq!(audited(&test, "user.second_factor_reset").await, 2);
    let nobody = actions::reset_second_factor_of(&test.app, &operator, "nobody@example.com").await;
    assert_eq!(nobody, Err(kernel::Error::NotFound));

    set_up(story.admin.id).await;
    let own = format!("/admin/users/{}/reset-second-factor", story.admin.id);
    test.post_form(&own, &()).as_user(&story.admin).await.expect_status(409);
}

#[tokio::test]
async fn the_audit_trail_of_a_client_is_found_beyond_the_first_twenty_and_of_none_not_at_all() {
    let test = start().await;
    let story = &test.story;
    let made = "insert into clients (id, org_id, name, slug)
                select gen_random_uuid(), $1, 'Aa ' || n, 'aa-' || n from generate_series(1, 30) as n";
    test.database.admin().await.execute(made, &[&story.northside]).await.unwrap();
    for (slug, by) in [("acme-roofing", &story.acme_owner), ("corner-auto", &story.corner_owner)] {
        let fields = [("email", format!("{slug}@example.com")), ("role", "developer".into())];
        test.post_form(&format!("/{slug}/team/invitations"), &fields).as_user(by).await.expect_status(200);
    }
    let acts = async |slug: &str| test.get(&format!("/admin/audit?client={slug}")).as_user(&story.admin).await;
    let corners = acts("corner-auto").await.expect_status(200).text();
    assert!(corners.contains("corner-auto@example.com") && !corners.contains("acme-roofing@example.com"));
    acts("no-such-client").await.expect_status(404);
    let foreign = test.get("/admin/audit?client=corner-auto").as_user(&story.agency_owner).await;
    assert_eq!(foreign.status, 404);
}

#[tokio::test]
async fn lists_by_name_skip_and_repeat_nothing_whatever_the_letters() {
    let test = start().await;
    let story = &test.story;
    for name in ["Ärzte", "ÉCLAIR", "İstanbul", "ŒUVRE", "Zebra"] {
        let new = actions::NewOrganization { name, kind: "agency" };
        actions::create_organization(&test.app, &story.admin.actor(), &new).await.unwrap();
        let body = json!({ "org_id": story.northside, "name": name });
        test.api_json(Method::POST, "/v1/clients", &body).as_user(&story.admin).await.expect_status(201);
    }
    for list in ["/v1/organizations", "/v1/clients"] {
        let all = test.api(Method::GET, list).as_user(&story.admin).await.json();
        let names = |page: &serde_json::Value| -> Vec<String> {
            page["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
        };
        let (mut walked, mut next) = (Vec::new(), String::new());
        for _ in 0..20 {
            let page = test.api(Method::GET, &format!("{list}?limit=1{next}")).as_user(&story.admin).await.json();
            walked.extend(names(&page));
            let Some(after) = page["next"].as_str() else { break };
            next = format!("&after={after}");
        }
        assert_eq!(walked, names(&all), "{list}");
    }
}

#[tokio::test]
async fn two_changes_of_an_organization_at_once_keep_both() {
    let test = start().await;
    let story = &test.story;
    let admin = test.database.admin().await;
    admin.batch_execute("begin; select from organizations for update").await.unwrap();
    let change = actions::OrganizationChange { require_second_factor: Some(true), ..Default::default() };
    let (app, actor, id) = (test.app.clone(), story.admin.actor(), story.northside);
    let waiting = tokio::spawn(async move { actions::update_organization(&app, &actor, id, &change).await });
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while count(&test, waits).await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let other = r#"update organizations set settings_json = '{"approval": true}' where type = 'agency'; commit"#;
    admin.batch_execute(other).await.unwrap();
    let settings = waiting.await.unwrap().unwrap().settings_json;
    assert_eq!(settings, json!({ "approval": true, "require_second_factor": true }));
}

#[tokio::test]
async fn a_new_client_is_made_where_the_button_leads_and_a_wrong_answer_keeps_what_was_typed() {
    let test = start().await;
    let story = &test.story;
    let page = test.get("/clients/new").as_user(&story.agency_owner).await.expect_status(200).text();
    assert!(page.contains("Client name") && page.contains("Choose an industry") && page.contains("America/New_York"));
    let org = story.northside.to_string();
    let send = |org_id: &str, industry: &str, by: &testkit::Person| {
        let typed = [("org_id", org_id), ("name", "Kestrel"), ("industry", industry), ("time_zone", "America/Chicago")];
        test.post_form("/clients/new", &typed).as_user(by)
    };
    for (org_id, industry) in [("", "roofing"), (&*story.corner_org.to_string(), "roofing"), (&*org, "")] {
        let refused = send(org_id, industry, &story.agency_owner).await.expect_status(422).text();
        assert!(refused.contains("value=\"Kestrel\""), "{org_id} {industry}");
    }
    // everything at once, in words of people, and the only organization is chosen already
    assert!(page.contains(&format!("value=\"{org}\" selected")), "{page}");
    let empty = [("org_id", ""), ("name", ""), ("industry", ""), ("time_zone", "")];
    let all = test.post_form("/clients/new", &empty).as_user(&story.agency_owner).await.expect_status(422).text();
    for field in ["name", "org_id", "industry", "time_zone"] {
        assert!(all.contains(&format!("href=\"#f-{field}\"")), "{field} is not told in {all}");
    }
    assert!(!all.contains("auto_service,"), "keys are for programs: {all}");
    send(&org, "roofing", &story.acme_owner).await.expect_status(403);
    assert_eq!(send(&org, "roofing", &story.agency_owner).await.expect_status(303).location(), "/kestrel/settings");
}

#[tokio::test]
async fn a_logo_is_a_picture_by_its_bytes_and_of_bounded_size() {
    let test = start().await;
    let owner = &test.story.acme_owner;
    let upload = |name: &str, bytes: &[u8]| {
        test.api(Method::POST, "/acme-roofing/settings/logo")
            .cookie(web::identity::SESSION_COOKIE, &owner.cookie)
            .upload(&[], ("file", name, bytes))
    };
    let png = b"\x89PNG\r\n\x1a\n and more";
    for _ in 0..2 {
        assert_eq!(upload("logo.png", png).await.expect_status(303).location(), "/acme-roofing/settings");
    }
    assert_eq!(count(&test, "select count(*) from client_logos").await, 1, "the one before is gone");
    let led = "select count(*) from clients c join client_logos l on c.logo_url like '%/p/logo-' || l.id";
    assert_eq!(count(&test, led).await, 1);
    let large = [png.as_slice(), &vec![0; 201 * 1024]].concat();
    for (name, bytes) in
        [("logo.png", &b"<svg onload='alert(1)'/>"[..]), ("logo.svg", b"<svg/>"), ("big.png", &large), ("none", b"")]
    {
        let refused = upload(name, bytes).await.expect_status(422).text();
        assert!(refused.contains("Choose a picture") || refused.contains("Choose a PNG or JPEG picture"), "{name}");
    }
    let foreign = test
        .api(Method::POST, "/acme-roofing/settings/logo")
        .cookie(web::identity::SESSION_COOKIE, &test.story.acme_agent.cookie)
        .upload(&[], ("file", "x", png));
    foreign.await.expect_status(403);
}
