//! The console's pages, as people walk through them.

use audience::actions::contacts as action;
use audience::contacts::ContactInput;
use testkit::TestApp;

use crate::{count, test_app};

const MESSY: &[u8] = include_bytes!("../../../../fixtures/contacts-messy.csv");

async fn page(test: &TestApp, path: &str) -> String {
    test.get(path).as_user(&test.story.acme_owner).await.expect_status(200).text()
}

#[tokio::test]
async fn an_import_is_uploaded_matched_checked_run_and_reported_page_by_page() {
    let test = test_app().await;
    let owner = &test.story.acme_owner;
    assert!(page(&test, "/acme-roofing/imports").await.contains("No imports yet"));
    page(&test, "/acme-roofing/imports/new").await;
    let reply = test.get("/acme-roofing/imports").as_user(owner).await;
    assert_eq!(reply.status, 200);
    let upload = upload(&test, MESSY).await;
    let columns = upload.location().to_owned();
    assert!(columns.ends_with("/columns"), "{columns}");
    let base = columns.trim_end_matches("/columns").to_owned();
    let html = page(&test, &columns).await;
    assert!(html.contains("E-mail Address") && html.contains("Roof age (years)") && html.contains("100 %"), "{html}");
    let wrong = [
        ("column/1", "email"),
        ("column/4", "email"),
        ("list_name", ""),
        ("dedupe", "email"),
        ("on_duplicate", "skip"),
    ];
    let html = test.post_form(&columns, &wrong).as_user(owner).await.expect_status(422).text();
    assert!(html.contains("List is required"), "{html}");
    let chosen = [
        ("column/3", "last_name"),
        ("column/11", "skip"),
        ("list_name", "Spring"),
        ("dedupe", "customer_code"),
        ("on_duplicate", "update"),
    ];
    let next = test.post_form(&columns, &chosen).as_user(owner).await.expect_status(303);
    assert_eq!(next.location(), format!("{base}/preview"));
    let html = page(&test, next.location()).await;
    assert!(
        html.contains("5 of 16 rows will be refused")
            && html.contains("Import into Spring")
            && !html.contains("Roof age"),
        "{html}"
    );
    assert_eq!(count(&test, "select count(*) from contacts").await, 0);
    test.post_form(&format!("{base}/start"), &[("", "")]).as_user(owner).await.expect_status(303);
    assert!(page(&test, &base).await.contains("hx-get"));
    jobs::drain(&test.app.db, &test.app.clock, &audience::jobs(jobs::Registry::new(), &test.app)).await.unwrap();
    let html = page(&test, &format!("{base}/progress")).await;
    assert!(html.contains("Finished; 5 rows were refused") && !html.contains("hx-get"), "{html}");
    let html = page(&test, &base).await;
    assert!(html.contains("a quote is opened and not closed") && html.contains("Download refused rows"), "{html}");
    assert!(page(&test, "/acme-roofing/imports").await.contains("file.csv"));
    assert!(page(&test, "/acme-roofing/lists").await.contains("Spring"));
    assert!(page(&test, "/acme-roofing/contacts?q=lopez").await.contains("Maria Lopez"));
    // once begun there is no way back into the wizard, nor in from elsewhere
    test.get(&columns).as_user(owner).await.expect_status(303);
    let foreign = base.replace("acme-roofing", "corner-auto");
    test.get(&foreign).as_user(&test.story.corner_owner).await.expect_status(404);
    test.get(&base).as_user(&test.story.corner_owner).await.expect_status(404);
    test.get(&base).as_user(&test.story.acme_developer).await.expect_status(403);
}

async fn upload(test: &TestApp, file: &[u8]) -> testkit::Reply {
    let owner = &test.story.acme_owner;
    let nothing = test.post_form("/acme-roofing/imports", &[("", "")]).as_user(owner).await.expect_status(422);
    assert!(nothing.text().contains("choose a file"), "{}", nothing.text());
    let ask = test.api(web::Method::POST, "/acme-roofing/imports").cookie(web::identity::SESSION_COOKIE, &owner.cookie);
    ask.upload(&[], ("file", "file.csv", file)).await.expect_status(303)
}

#[tokio::test]
async fn a_contact_is_made_edited_suppressed_and_deleted_by_form() {
    let test = test_app().await;
    let owner = &test.story.acme_owner;
    assert!(page(&test, "/acme-roofing/contacts").await.contains("No contacts yet"));
    let wrong = test
        .post_form("/acme-roofing/contacts", &[("last_name", "<b>Lee"), ("email", "at home")])
        .as_user(owner)
        .await
        .expect_status(422)
        .text();
    assert!(wrong.contains("enter an address such as") && wrong.contains("&#60;b&#62;Lee"), "{wrong}");
    let good =
        [("first_name", "Ada"), ("last_name", "<b>Lee"), ("phone", "614 555 0123"), ("custom_fields", "roof: slate")];
    let path =
        test.post_form("/acme-roofing/contacts", &good).as_user(owner).await.expect_status(303).location().to_owned();
    let html = page(&test, &path).await;
    assert!(html.contains("(614) 555-0123") && html.contains("slate") && !html.contains("<b>Lee"), "{html}");
    let form = page(&test, &format!("{path}/edit")).await;
    assert!(form.contains("roof: slate"), "{form}");
    let own = (format!("{path}/edit"), path.clone());
    let king = [("last_name", "King"), ("sms_opt_out", "true")];
    let version = test.get(&own.0).as_user(owner).await.version();
    test.edit(owner, (&own.0, &own.1), &king).await.expect_status(303);
    let other = [("last_name", "Queen"), ("sms_opt_out", "true"), ("custom_fields", "roof is red\nsize: 10")];
    let late = test.post_form(&path, &other).and("version", &version).as_user(owner).await.expect_status(422);
    let text = late.text();
    assert!(text.contains("value=\"Queen\"") && text.contains(">King</pre>") && text.contains("roof is red"), "{text}");
    let seen = test.post_form(&path, &other).and("version", &late.version()).as_user(owner).await.expect_status(422);
    assert!(seen.text().contains("Line 1 has no colon") && seen.text().contains("roof is red"), "{}", seen.text());
    test.post_form(&format!("{path}/suppress"), &[("do_not_contact", "true")]).as_user(owner).await.expect_status(303);
    let html = page(&test, &path).await;
    assert!(html.contains("Nothing is sent to this person") && html.contains("King"), "{html}");
    assert_eq!(count(&test, "select count(*) from contact_consents where source = 'console' and not granted").await, 2);
    assert!(page(&test, "/acme-roofing/contacts?suppressed=no").await.contains("Nothing matches"));
    test.post_form(&format!("{path}/suppress"), &[("do_not_contact", "false")])
        .as_user(&test.story.acme_developer)
        .await
        .expect_status(403);
    test.get(&path).as_user(&test.story.corner_owner).await.expect_status(404);
    test.post_form(&format!("{path}/delete"), &[("", "")]).as_user(owner).await.expect_status(303);
    test.get(&path).as_user(owner).await.expect_status(404);
}

#[tokio::test]
async fn ticked_contacts_are_suppressed_and_exported_and_nobody_elses_are() {
    let test = test_app().await;
    let (owner, acme) = (&test.story.acme_owner, test.story.acme.id);
    let mut ids = Vec::new();
    for (name, client) in [("Ada", acme), ("Bo", acme), ("Cy", acme), ("Foreign", test.story.corner.id)] {
        let input = ContactInput { last_name: Some(name.into()), ..ContactInput::default() };
        ids.push(action::create(&test.app, &test.operator(), client, input).await.unwrap().id.to_string());
    }
    let back = "/acme-roofing/contacts?stage=lead";
    let ticked = [("ids", ids[0].as_str()), ("ids", ids[1].as_str()), ("ids", ids[3].as_str()), ("back", back)];
    let post = |act: &str| test.post_form(&format!("/acme-roofing/contacts/bulk/{act}"), &ticked);
    for act in ["suppress", "export"] {
        post(act).as_user(&test.story.acme_developer).await.expect_status(403);
        post(act).as_user(&test.story.corner_owner).await.expect_status(404);
    }
    let file = post("export").as_user(owner).await.expect_status(200).text();
    assert!(file.contains("Ada") && file.contains("Bo") && !file.contains("Cy") && !file.contains("Foreign"), "{file}");

    assert_eq!(post("suppress").as_user(owner).await.expect_status(303).location(), back);
    let no = "select count(*) from contact_consents where channel = 'all' and not granted";
    let suppressed = "select count(*) from contacts where do_not_contact";
    let audited = "select count(*) from audit_log where action = 'contacts.suppressed'";
    for sql in [suppressed, no] {
        assert_eq!(count(&test, sql).await, 2, "{sql}");
    }
    post("suppress").as_user(owner).await.expect_status(303);
    assert_eq!((count(&test, no).await, count(&test, audited).await), (2, 1), "a second time changes nothing");

    let elsewhere = [("ids", ids[2].as_str()), ("back", "//evil.example/acme-roofing/contacts")];
    let reply = test.post_form("/acme-roofing/contacts/bulk/suppress", &elsewhere).as_user(owner).await;
    assert_eq!(reply.expect_status(303).location(), "/acme-roofing/contacts");
    let nobody = test.post_form("/acme-roofing/contacts/bulk/export", &[("back", back)]).as_user(owner).await;
    assert_eq!(nobody.expect_status(303).location(), back);
}

#[tokio::test]
async fn contacts_are_ticked_onto_a_list_and_off_it() {
    let test = test_app().await;
    let (owner, acme) = (&test.story.acme_owner, test.story.acme.id);
    let mut ids = Vec::new();
    for name in ["Ada", "Bo"] {
        let input = ContactInput { last_name: Some(name.into()), ..ContactInput::default() };
        ids.push(action::create(&test.app, &test.operator(), acme, input).await.unwrap().id.to_string());
    }
    let ticked = [("ids", ids[0].as_str()), ("ids", ids[1].as_str()), ("new_list", "Picked")];
    test.post_form("/acme-roofing/contacts/bulk", &ticked).as_user(owner).await.expect_status(303);
    assert_eq!(count(&test, "select contact_count::bigint from contact_lists").await, 2);
    let list: uuid::Uuid =
        test.database.admin().await.query_one("select id from contact_lists", &[]).await.unwrap().get(0);
    let path = format!("/acme-roofing/lists/{list}");
    let html = page(&test, &path).await;
    assert!(html.contains("Picked") && html.contains("Undeliverable") && html.contains("Ada"), "{html}");
    assert!(page(&test, &format!("/acme-roofing/contacts?list={list}&sort=name")).await.contains("Bo"));
    test.post_form(&format!("{path}/remove"), &[("ids", &ids[0])]).as_user(owner).await.expect_status(303);
    assert_eq!(count(&test, "select contact_count::bigint from contact_lists").await, 1);
    page(&test, &format!("{path}/edit")).await;
    page(&test, "/acme-roofing/lists/new").await;
    let taken =
        test.post_form("/acme-roofing/lists", &[("name", "Picked")]).as_user(owner).await.expect_status(422).text();
    assert!(taken.contains("there is a list of this name already"), "{taken}");
    let (edit, renamed) = (format!("{path}/edit"), [("name", "Renamed"), ("description", "by hand")]);
    test.post_form(&path, &renamed).as_user(owner).await.expect_status(422);
    test.edit(owner, (&edit, &path), &renamed).await.expect_status(303);
    assert!(page(&test, "/acme-roofing/lists").await.contains("Renamed"));
    test.post_form(&format!("{path}/delete"), &[("", "")]).as_user(owner).await.expect_status(303);
    assert!(page(&test, "/acme-roofing/lists").await.contains("No lists yet"));
}

#[tokio::test]
async fn a_developer_sees_contacts_but_no_button_to_change_them() {
    let test = test_app().await;
    let input = ContactInput { last_name: Some("Lee".into()), ..ContactInput::default() };
    let id = action::create(&test.app, &test.operator(), test.story.acme.id, input).await.unwrap().id;
    for path in ["/acme-roofing/contacts".to_owned(), format!("/acme-roofing/contacts/{id}")] {
        let html = test.get(&path).as_user(&test.story.acme_developer).await.expect_status(200).text();
        assert!(
            html.contains("Lee")
                && !html.contains("New contact")
                && !html.contains("/delete")
                && !html.contains("Import contacts"),
            "{html}"
        );
        test.get(&path).as_user(&test.story.acme_agent).await.expect_status(403);
        test.get(&path).await.expect_status(303);
    }
}
