//! Files of contacts: read, refused, merged, cancelled, gone on with.

use audience::import::{self, ImportOptions, OnDuplicate, Runs, source};
use audience::store::imports::{self as store, Import};
use kernel::{Actor, Error};
use testkit::TestApp;
use uuid::Uuid;
use web::Method;

use crate::{count, test_app};

const MESSY: &[u8] = include_bytes!("../../../../fixtures/contacts-messy.csv");
const STORY: &[u8] = include_bytes!("../../../../fixtures/contacts.csv");

pub fn options(filename: &str) -> ImportOptions {
    ImportOptions { filename: filename.into(), ..ImportOptions::default() }
}

pub async fn run(test: &TestApp, client_id: Uuid, options: ImportOptions, file: impl Into<bytes::Bytes>) -> Import {
    let actor = test.operator();
    import::run_now(&test.app, &actor, client_id, (options, source::bytes(file)), |_| {}).await.unwrap()
}

async fn upload(test: &TestApp, actor: &Actor, client_id: Uuid, file: &'static [u8]) -> Import {
    import::upload(&test.app, actor, client_id, "file.csv", source::bytes(file)).await.unwrap()
}

/// What came of it: created, updated, skipped, refused, flagged.
pub fn came_of(import: &Import) -> [i64; 5] {
    [import.rows_created, import.rows_updated, import.rows_skipped, import.rows_refused, import.rows_flagged]
}

fn big_file(rows: usize) -> Vec<u8> {
    let mut file = String::from("email,first_name,last_name,phone,address,city,state,zip\n");
    for n in 0..rows {
        file.push_str(&format!(
            "p{n}@example.com,Pat{n},Lee,(614) 555-{:04},{n} Oak St,Columbus,OH,43215\n",
            n % 10_000
        ));
    }
    file.into_bytes()
}

#[tokio::test]
async fn a_messy_file_becomes_clean_contacts_on_a_list_and_broken_rows_are_reported_with_line_column_and_reason() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    let import = run(&test, acme, options("contacts-messy.csv"), MESSY).await;
    assert_eq!((import.status.as_str(), came_of(&import)), ("finished", [10, 0, 1, 5, 1]));
    assert_eq!((import.list_name.as_deref(), import.percent()), (Some("contacts-messy"), 100));
    let admin = test.database.admin().await;
    let row = admin.query_one("select email, mobile_phone, notes, custom_fields->>'roof_age_years' from contacts where customer_code = 'AR-2001'", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "maria.lopez@example.com");
    assert_eq!(row.get::<_, &str>(1), "+16145550101");
    assert_eq!(row.get::<_, &str>(2), "Prefers mornings\r\nand only by phone");
    assert_eq!(row.get::<_, &str>(3), "12");
    let row = admin
        .query_one("select email, zip, country, state from contacts where customer_code = 'AR-2006'", &[])
        .await
        .unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1), row.get::<_, &str>(2)), ("not an address", "4321", "US"));
    assert_eq!(count(&test, "select count(*) from contacts where email_opt_out").await, 1);
    assert_eq!(
        count(
            &test,
            "select count(*) from contact_consents where channel = 'email' and not granted and source = 'import'"
        )
        .await,
        1
    );
    assert_eq!(count(&test, "select contact_count::bigint from contact_lists").await, 10);
    assert_eq!(count(&test, "select count(*) from import_files").await, 0);
    let refused =
        store::list_remarks(&test.app.scope(&test.operator()), (acme, import.id), true, (0, Uuid::nil()), 100)
            .await
            .unwrap();
    let refused: Vec<_> = refused
        .iter()
        .map(|remark| (remark.line_number, remark.column_name.as_deref().unwrap_or("-"), remark.reason.as_str()))
        .collect();
    assert_eq!(refused[0], (11, "Customer ID", "a customer code has 3 to 50 letters, digits, dashes and underscores"));
    assert_eq!(refused[1], (12, "-", "2 cells where the header has 12"));
    assert_eq!(refused[2], (13, "-", "14 cells where the header has 12"));
    assert_eq!((refused[3].0, refused[4].0), (14, 16));
    assert_eq!(refused[4].2, "a quote is opened and not closed");
}

#[tokio::test]
async fn running_the_same_file_again_changes_nothing_whatever_happens_to_duplicates() {
    let test = test_app().await;
    for (client_id, mode) in [
        (test.story.acme.id, OnDuplicate::Skip),
        (test.story.bright.id, OnDuplicate::Update),
        (test.story.corner.id, OnDuplicate::Create),
    ] {
        for file in [STORY, MESSY, b"name,city\nAda Lee,Peoria\nBo Lee,Pekin\n"] {
            let wanted =
                ImportOptions { on_duplicate: Some(mode), list_name: Some("All".into()), ..options("again.csv") };
            let first = run(&test, client_id, wanted.clone(), file).await;
            assert!(first.rows_created > 0, "{mode:?}");
            let before = everything(&test).await;
            test.clock().advance(chrono::Duration::seconds(7));
            let again = run(&test, client_id, wanted, file).await;
            assert_eq!((again.rows_created, again.rows_read), (0, first.rows_read), "{mode:?}");
            assert_eq!(before, everything(&test).await, "{mode:?}");
        }
    }
}

/// Contacts, their versions and their memberships in one text.
pub async fn everything(test: &TestApp) -> String {
    let sql = "select md5(string_agg(to_jsonb(c)::text, ',' order by c.id)) || (select count(*) from contact_list_members) || ' ' ||
        (select sum(contact_count) from contact_lists) from contacts c";
    test.database.admin().await.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn update_overwrites_with_what_the_file_says_and_keeps_what_it_does_not_and_never_takes_back_a_no() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    let first = "email,first_name,city,notes,do_not_contact,roof\nada@example.com,Ada,Peoria,hello,yes,slate\n";
    run(&test, acme, options("one.csv"), first).await;
    let second = "email,first_name,city,do_not_contact,age\nADA@example.com,Adele,,no,9\nbo@example.com,Bo,,,\n";
    let wanted = ImportOptions { on_duplicate: Some(OnDuplicate::Update), ..options("two.csv") };
    let import = run(&test, acme, wanted, second).await;
    assert_eq!(came_of(&import), [1, 1, 0, 0, 0]);
    let admin = test.database.admin().await;
    let row = admin.query_one("select first_name, city, notes, do_not_contact, custom_fields::text from contacts where email = 'ada@example.com'", &[]).await.unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1), row.get::<_, &str>(2)), ("Adele", "Peoria", "hello"));
    assert!(row.get::<_, bool>(3));
    assert_eq!(row.get::<_, &str>(4), r#"{"age": "9", "roof": "slate"}"#);
}

#[tokio::test]
async fn contacts_are_recognised_by_name_and_address_however_both_are_written() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    run(
        &test,
        acme,
        options("a.csv"),
        "first name,last name,address,city,state,zip\nAda,Lee,12 Oak Street,Columbus,OH,43215\n",
    )
    .await;
    let again = run(
        &test,
        acme,
        options("b.csv"),
        "name;street;town;st;postcode\n\"LEE, Ada\";12 OAK ST.;Columbus;Ohio;43215-1234\n",
    )
    .await;
    assert_eq!(came_of(&again), [0, 0, 1, 0, 0]);
}

#[tokio::test]
async fn a_file_in_utf_16_with_semicolons_and_one_in_windows_1252_read_like_any_other() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    let text = "\u{feff}E-Mail;Vorname;Nachname\r\nzoe@example.com;Zoë;\"Müller; Dr\"\r\n";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    run(&test, acme, options("utf16.csv"), utf16).await;
    run(&test, acme, options("latin.txt"), b"email\tfirst name\njose@example.com\tJos\xE9\n".to_vec()).await;
    assert_eq!(
        count(&test, "select count(*) from contacts where first_name = 'Zoë' and last_name = 'Müller; Dr'").await,
        1
    );
    assert_eq!(count(&test, "select count(*) from contacts where first_name = 'José'").await, 1);
}

#[tokio::test]
async fn an_import_killed_between_chunks_goes_on_after_the_last_committed_one_and_writes_nothing_twice() {
    let test = TestApp::with(|settings| settings.import.batch_rows = 100, audience::routes).await;
    let (acme, actor) = (test.story.acme.id, test.operator());
    let import = import::upload(&test.app, &actor, acme, "big.csv", source::bytes(big_file(1000))).await.unwrap();
    import::begin(
        &test.app,
        &actor,
        (acme, import.id),
        (&ImportOptions::default(), Runs::Here),
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    let (app, killed) = (test.app.clone(), actor.clone());
    let (told, mut chunks) = tokio::sync::mpsc::unbounded_channel();
    let running = tokio::spawn(async move {
        import::run(&app, &killed, (acme, import.id), |import| told.send(import.rows_read).unwrap_or_default()).await
    });
    while chunks.recv().await.is_some_and(|read| read < 300) {}
    running.abort();
    drop(running.await);
    let halfway = store::find(&test.app.scope(&actor), acme, import.id).await.unwrap();
    let contacts = count(&test, "select count(*) from contacts").await;
    assert_eq!((halfway.status.as_str(), halfway.rows_created), ("running", contacts));
    assert!((300..1000).contains(&contacts), "{contacts}");
    // nobody touches it while it may still move, and a worker takes it over once it stands still
    let registry = || audience::jobs(jobs::Registry::new(), &test.app);
    jobs::drain(&test.app.db, &test.app.clock, &registry()).await.unwrap();
    assert_eq!(count(&test, "select count(*) from contacts").await, contacts);
    test.clock().advance(chrono::Duration::minutes(3));
    jobs::drain(&test.app.db, &test.app.clock, &registry()).await.unwrap();
    let done = store::find(&test.app.scope(&actor), acme, import.id).await.unwrap();
    assert_eq!((done.status.as_str(), came_of(&done), done.rows_read), ("finished", [1000, 0, 0, 0, 0], 1000));
    assert_eq!(count(&test, "select count(*) from contacts").await, 1000);
    assert_eq!(count(&test, "select contact_count::bigint from contact_lists").await, 1000);
}

#[tokio::test]
async fn two_workers_on_the_same_import_write_every_row_once() {
    let test = TestApp::with(|settings| settings.import.batch_rows = 50, audience::routes).await;
    let (acme, actor) = (test.story.acme.id, test.operator());
    let import = import::upload(&test.app, &actor, acme, "big.csv", source::bytes(big_file(500))).await.unwrap();
    import::begin(
        &test.app,
        &actor,
        (acme, import.id),
        (&ImportOptions::default(), Runs::Queued),
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    let one = || import::run(&test.app, &actor, (acme, import.id), |_| {});
    let (first, second) = tokio::join!(one(), one());
    let gave_up =
        |result: &kernel::Result<Import>| matches!(result, Err(Error::Conflict { code: "import_running", .. }));
    assert!(first.is_ok() || second.is_ok() || (gave_up(&first) && gave_up(&second)), "{first:?} {second:?}");
    let done = one().await.unwrap();
    assert_eq!((done.status.as_str(), done.rows_created, done.rows_read), ("finished", 500, 500));
    assert_eq!(count(&test, "select count(*) from contacts").await, 500);
}

#[tokio::test]
async fn a_cancelled_import_stops_keeps_what_it_wrote_and_cannot_be_cancelled_twice() {
    let test = TestApp::with(|settings| settings.import.batch_rows = 50, audience::routes).await;
    let (acme, actor) = (test.story.acme.id, test.operator());
    let import = import::upload(&test.app, &actor, acme, "big.csv", source::bytes(big_file(2000))).await.unwrap();
    import::begin(
        &test.app,
        &actor,
        (acme, import.id),
        (&ImportOptions::default(), Runs::Here),
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    let (told, mut chunks) = tokio::sync::mpsc::unbounded_channel();
    let running = import::run(&test.app, &actor, (acme, import.id), move |import| {
        told.send(import.rows_read).unwrap_or_default()
    });
    let cancelling = async {
        chunks.recv().await;
        import::cancel(&test.app, &actor, (acme, import.id), &kernel::version::Expected::any()).await
    };
    let (run, cancelled) = tokio::join!(running, cancelling);
    assert_eq!((run.unwrap().status.as_str(), cancelled.unwrap().status.as_str()), ("cancelled", "cancelled"));
    let contacts = count(&test, "select count(*) from contacts").await;
    assert!((50..2000).contains(&contacts), "{contacts}");
    assert_eq!(contacts, count(&test, "select rows_created from imports").await);
    assert_eq!(count(&test, "select count(*) from import_files").await, 0);
    let again =
        import::cancel(&test.app, &actor, (acme, import.id), &kernel::version::Expected::any()).await.unwrap_err();
    assert_eq!(again.code(), "import_ended");
}

#[tokio::test]
async fn a_file_is_previewed_with_its_problems_before_anything_is_written() {
    let test = test_app().await;
    let (acme, actor) = (test.story.acme.id, test.operator());
    let import = upload(&test, &actor, acme, MESSY).await;
    let (plan, preview) = import::preview(&test.app, &actor, (acme, import.id)).await.unwrap();
    assert_eq!((preview.checked, preview.refused, preview.flagged, preview.repeated), (16, 5, 1, 1));
    assert!(preview.complete && preview.rows[0][1] == "Maria");
    let targets: Vec<String> = plan.targets.iter().map(ToString::to_string).collect();
    assert_eq!(
        targets,
        [
            "customer_code",
            "first_name",
            "last_name",
            "email",
            "mobile_phone",
            "address",
            "city",
            "state",
            "zip",
            "email_opt_out",
            "custom_fields.roof_age_years",
            "notes",
        ]
    );
    assert_eq!(count(&test, "select count(*) from contacts").await, 0);
}

#[tokio::test]
async fn wrong_choices_and_files_without_a_table_are_refused_by_name_and_nothing_is_kept() {
    let test = test_app().await;
    let (acme, actor) = (test.story.acme.id, test.operator());
    let mut wrong = options("x.csv");
    wrong.map("Nope=email").unwrap();
    let refused = import::start(&test.app, &actor, acme, wrong, source::bytes(STORY)).await.unwrap_err();
    assert!(refused.to_string().contains("no column Nope"), "{refused}");
    assert!(options("x").map("Email=e-mail").is_err());
    let empty =
        import::start(&test.app, &actor, acme, options("empty.csv"), source::bytes(&b"\n\n"[..])).await.unwrap_err();
    assert_eq!(empty.fields()[0].field, "file");
    assert_eq!(count(&test, "select count(*) from imports").await, 0);
    assert_eq!(count(&test, "select count(*) from contact_lists").await, 0);
}

#[tokio::test]
async fn a_file_larger_than_allowed_is_refused() {
    let test = TestApp::with(|settings| settings.import.max_bytes = 100, audience::routes).await;
    let refused =
        import::start(&test.app, &test.operator(), test.story.acme.id, options("big.csv"), source::bytes(STORY))
            .await
            .unwrap_err();
    assert_eq!(refused.fields()[0].field, "file");
    assert_eq!(count(&test, "select count(*) from import_files").await, 0);
}

#[tokio::test]
async fn a_column_the_user_maps_wins_over_the_guess_and_the_rest_can_be_left_out() {
    let test = test_app().await;
    let mut wanted = ImportOptions { unmapped: Some(import::Unmapped::Skip), ..options("x.csv") };
    wanted.map("Other=email").unwrap();
    wanted.map("Ref=customer_code").unwrap();
    wanted.map("Mine=custom_fields.mine").unwrap();
    run(&test, test.story.acme.id, wanted, "Email,Other,Ref,Junk,Mine\nold@example.com,new@example.com,ab-1,x,y\n")
        .await;
    assert_eq!(count(&test, "select count(*) from contacts where email = 'new@example.com' and customer_code = 'AB-1' and custom_fields = '{\"email\": \"old@example.com\", \"mine\": \"y\"}'").await, 1);
}

#[tokio::test]
async fn tags_stages_and_scores_arrive_with_the_contacts() {
    let test = test_app().await;
    run(
        &test,
        test.story.acme.id,
        options("x.csv"),
        "email,tags,stage,score\na@example.com,vip; roof,Customer,80\nb@example.com,vip,hot,900\n",
    )
    .await;
    assert_eq!(count(&test, "select count(*) from contact_tags").await, 3);
    assert_eq!(
        count(&test, "select count(*) from contacts where lifecycle_stage = 'customer' and lead_score = 80").await,
        1
    );
    assert_eq!(count(&test, "select rows_flagged from imports").await, 1);
}

#[tokio::test]
async fn another_tenant_neither_sees_nor_stops_nor_matches_an_import() {
    let test = test_app().await;
    let (acme, corner) = (&test.story.acme, &test.story.corner);
    let import = run(&test, acme.id, options("story.csv"), STORY).await;
    assert_eq!(import.rows_created, 200);
    let stranger = test.story.corner_owner.actor();
    let scope = test.app.scope(&stranger);
    assert_eq!(store::find(&scope, acme.id, import.id).await, Err(Error::NotFound));
    assert_eq!(
        import::cancel(&test.app, &stranger, (acme.id, import.id), &kernel::version::Expected::any())
            .await
            .unwrap_err(),
        Error::NotFound
    );
    let theirs = import::upload(&test.app, &stranger, acme.id, "x.csv", source::bytes(STORY)).await;
    assert!(theirs.is_err());
    // the same people are other people elsewhere
    let own = import::run_now(&test.app, &stranger, corner.id, (options("story.csv"), source::bytes(STORY)), |_| {})
        .await
        .unwrap();
    assert_eq!(own.rows_created, 200);
    for path in [format!("/v1/imports/{}", import.id), format!("/v1/imports/{}/refused", import.id)] {
        test.api(Method::GET, &path).bearer(&corner.key).await.expect_status(404);
        test.api(Method::GET, &path).bearer(&acme.key).await.expect_status(200);
    }
}

#[tokio::test]
async fn the_api_takes_a_raw_file_runs_it_by_job_and_hands_out_the_refused_rows_to_be_mended() {
    let test = test_app().await;
    let key = &test.story.acme.key;
    let path = "/v1/imports?filename=messy.csv&list=Spring&on_duplicate=update&map=Comments%3Dnotes";
    let reply = test.api(Method::POST, path).bearer(key).body("text/csv", MESSY).await.expect_status(202);
    let id = reply.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(reply.json()["status"], "running");
    jobs::drain(&test.app.db, &test.app.clock, &audience::jobs(jobs::Registry::new(), &test.app)).await.unwrap();
    let import = test.api(Method::GET, &format!("/v1/imports/{id}")).bearer(key).await.json();
    assert_eq!(
        (&import["status"], &import["rows_created"], &import["list_name"]),
        (&"finished".into(), &10.into(), &"Spring".into())
    );
    let refused = test.api(Method::GET, &format!("/v1/imports/{id}/refused")).bearer(key).await.expect_status(200);
    assert_eq!(refused.header("content-disposition"), "attachment; filename=\"refused-rows.csv\"");
    let text = refused.text();
    assert!(text.starts_with("line,column,reason,Customer ID,First,"), "{text}");
    assert!(text.contains("11,Customer ID,"), "{text}");
    // mended by hand, the report is a file that can be imported
    let mended = text.replace("AR 2008", "AR-2008");
    let again = run(&test, test.story.acme.id, options("mended.csv"), mended).await;
    assert!(again.rows_created >= 1, "{again:?}");
    assert_eq!(count(&test, "select count(*) from contacts where custom_fields ? 'reason'").await, 0);
    test.api(Method::POST, &format!("/v1/imports/{id}/cancel")).bearer(key).await.expect_status(409);
    test.api(Method::POST, "/v1/imports?dedupe=shoe_size").bearer(key).body("text/csv", MESSY).await.expect_status(422);
}

#[tokio::test]
async fn through_the_api_a_file_can_wait_for_a_look_at_its_preview_and_keeps_what_was_chosen() {
    let test = test_app().await;
    let key = &test.story.acme.key;
    let path = "/v1/imports?filename=m.csv&start=false&dedupe=phone&on_duplicate=update&map=%232%3Dskip";
    let import = test.api(Method::POST, path).bearer(key).body("text/csv", MESSY).await.expect_status(201).json();
    assert_eq!(import["status"], "mapping");
    let path = format!("/v1/imports/{}", import["id"].as_str().unwrap());
    let preview = test.api(Method::GET, &format!("{path}/preview")).bearer(key).await.expect_status(200).json();
    assert_eq!((&preview["checked"], &preview["refused"]), (&16.into(), &5.into()));
    let started = test.api(Method::POST, &format!("{path}/start")).bearer(key).await.expect_status(202).json();
    assert_eq!(
        (&started["options"]["dedupe"], &started["options"]["on_duplicate"]),
        (&"phone".into(), &"update".into())
    );
    assert_eq!(started["options"]["targets"][1], "skip");
    test.api(Method::POST, &format!("{path}/start")).bearer(key).await.expect_status(409);
    test.api(Method::POST, &format!("{path}/retry")).bearer(key).await.expect_status(409);
}

#[tokio::test]
async fn an_upload_nobody_goes_on_with_is_swept_after_a_week_and_a_finished_import_is_not() {
    let test = test_app().await;
    let (acme, actor) = (test.story.acme.id, test.operator());
    upload(&test, &actor, acme, STORY).await;
    run(&test, acme, options("done.csv"), STORY).await;
    let registry = audience::jobs(jobs::Registry::new(), &test.app);
    jobs::drain(&test.app.db, &test.app.clock, &registry).await.unwrap();
    assert_eq!(count(&test, "select count(*) from imports").await, 2);
    test.clock().advance(chrono::Duration::days(8));
    jobs::drain(&test.app.db, &test.app.clock, &registry).await.unwrap();
    assert_eq!(count(&test, "select count(*) from imports where status = 'finished'").await, 1);
    assert_eq!(count(&test, "select count(*) from imports").await, 1);
}

#[tokio::test]
async fn an_import_that_keeps_failing_says_so_keeps_its_file_and_goes_on_when_it_is_told_to() {
    let test = test_app().await;
    let (acme, key) = (test.story.acme.id, &test.story.acme.key);
    let import =
        import::start(&test.app, &test.operator(), acme, options("x.csv"), source::bytes(STORY)).await.unwrap();
    let admin = test.database.admin().await;
    admin.batch_execute("alter table contacts add constraint broken check (customer_code <> 'AR-1100')").await.unwrap();
    let registry = audience::jobs(jobs::Registry::new(), &test.app);
    for _ in 0..5 {
        jobs::drain(&test.app.db, &test.app.clock, &registry).await.unwrap();
        test.clock().advance(chrono::Duration::minutes(10));
    }
    let path = format!("/v1/imports/{}", import.id);
    let failed = test.api(Method::GET, &path).bearer(key).await.json();
    assert_eq!((&failed["status"], &failed["rows_created"]), (&"failed".into(), &0.into()));
    admin.batch_execute("alter table contacts drop constraint broken").await.unwrap();
    test.api(Method::POST, &format!("{path}/retry")).bearer(key).await.expect_status(202);
    jobs::drain(&test.app.db, &test.app.clock, &registry).await.unwrap();
    let done = test.api(Method::GET, &path).bearer(key).await.json();
    assert_eq!(
        (&done["status"], &done["rows_created"], &done["error"]),
        (&"finished".into(), &200.into(), &serde_json::Value::Null)
    );
}
