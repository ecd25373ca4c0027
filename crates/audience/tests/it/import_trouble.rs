//! Imports that cannot go on: hostile files, lost workers, and what is left of them.

use audience::import::{self, ImportOptions, Runs, source};
use audience::store::imports as store;
use testkit::TestApp;
use uuid::Uuid;
use web::Method;

use crate::imports::{came_of, options, run};
use crate::{count, test_app};

async fn drain(test: &TestApp) {
    jobs::drain(&test.app.db, &test.app.clock, &audience::jobs(jobs::Registry::new(), &test.app)).await.unwrap();
}

#[tokio::test]
async fn an_import_whose_workers_were_lost_fails_with_a_reason_and_goes_on_when_it_is_told_to() {
    let test = test_app().await;
    let (acme, actor, key) = (test.story.acme.id, test.operator(), &test.story.acme.key);
    let file = "email\nada@example.com\n";
    let lost = import::start(&test.app, &actor, acme, options("lost.csv"), source::bytes(file)).await.unwrap();
    let admin = test.database.admin().await;
    let give_up = "update jobs set state = 'dead', finished_at = now() where kind = 'audience.import'";
    admin.batch_execute(give_up).await.unwrap();
    // one that a worker will look at later is left alone
    let waiting = import::upload(&test.app, &actor, acme, "waiting.csv", source::bytes(file)).await.unwrap();
    import::begin(
        &test.app,
        &actor,
        (acme, waiting.id),
        (&ImportOptions::default(), Runs::Queued),
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    let later = "update jobs set run_at = run_at + interval '1 day' where kind = 'audience.import' and state = 'ready'";
    admin.batch_execute(later).await.unwrap();
    test.clock().advance(chrono::Duration::minutes(6));
    drain(&test).await;
    let path = format!("/v1/imports/{}", lost.id);
    let failed = test.api(Method::GET, &path).bearer(key).await.json();
    assert_eq!(failed["status"], "failed");
    assert!(failed["error"].as_str().unwrap().contains("was stopped"), "{failed}");
    assert_eq!(count(&test, "select count(*) from imports where status = 'running'").await, 1);
    test.api(Method::POST, &format!("{path}/retry")).bearer(&test.story.corner.key).await.expect_status(404);
    test.api(Method::POST, &format!("{path}/retry")).bearer(key).await.expect_status(202);
    drain(&test).await;
    assert_eq!(test.api(Method::GET, &path).bearer(key).await.json()["status"], "finished");
}

#[tokio::test]
async fn a_failed_import_can_be_given_up_and_its_file_with_it() {
    let test = test_app().await;
    let (acme, key) = (test.story.acme.id, &test.story.acme.key);
    let file = "email\nada@example.com\n";
    let import = import::start(&test.app, &test.operator(), acme, options("x.csv"), source::bytes(file)).await.unwrap();
    import::fail(&test.app, &test.operator(), (acme, import.id), &kernel::Error::internal("broken")).await.unwrap();
    assert_eq!(count(&test, "select count(*) from import_files").await, 1);
    let path = format!("/v1/imports/{}/cancel", import.id);
    test.api(Method::POST, &path).bearer(&test.story.corner.key).await.expect_status(404);
    let given_up = test.api(Method::POST, &path).bearer(key).await.expect_status(200).json();
    assert_eq!(given_up["status"], "cancelled");
    assert_eq!(count(&test, "select count(*) from import_files").await, 0);
    test.api(Method::POST, &path).bearer(key).await.expect_status(409);
}

#[tokio::test]
async fn a_file_whose_rest_cannot_be_read_is_imported_up_to_there_and_fails_with_a_reason_at_once() {
    let test = test_app().await;
    let (acme, actor) = (test.story.acme.id, test.operator());
    let file = format!("email,note\nada@example.com,hello\n{}", "a\",\"b\n".repeat(200_000));
    let id = import::upload(&test.app, &actor, acme, "quotes.csv", source::bytes(file)).await.unwrap().id;
    let (_, preview) = import::preview(&test.app, &actor, (acme, id)).await.unwrap();
    assert!(!preview.complete && preview.refused == preview.checked - 1, "{preview:?}");
    import::begin(
        &test.app,
        &actor,
        (acme, id),
        (&ImportOptions::default(), Runs::Queued),
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    assert_eq!(import::preview(&test.app, &actor, (acme, id)).await.unwrap_err().code(), "import_begun");
    drain(&test).await;
    let failed = store::find(&test.app.scope(&actor), acme, id).await.unwrap();
    assert_eq!((failed.status.as_str(), failed.rows_created), ("failed", 1));
    let error = failed.error.unwrap();
    assert!(error.contains("from line ") && error.contains("quotes are opened and not closed"), "{error}");
    assert_eq!(count(&test, "select count(*) from jobs where kind = 'audience.import' and state <> 'done'").await, 0);
}

#[tokio::test]
async fn refused_rows_are_reported_whole_and_the_mended_report_brings_no_columns_of_its_own() {
    let test = test_app().await;
    let (acme, key) = (test.story.acme.id, &test.story.acme.key);
    let long = "roof ".repeat(1200);
    let file = format!("code,name,notes,reason\nA 1,Ada Lee,{long}end,storm\nAB-2,Bo Lee,,\nA 3,Cy Lee,{long}end,\n");
    let import = run(&test, acme, options("long.csv"), file).await;
    assert_eq!(came_of(&import), [1, 0, 0, 2, 0]);
    let path = format!("/v1/imports/{}/refused", import.id);
    let report = test.api(Method::GET, &path).bearer(key).await.expect_status(200).text();
    assert_eq!((report.lines().count(), report.matches("roof end").count()), (3, 2), "{report}");
    let mended = report.replace("A 1", "AB-1").replace("A 3", "AB-3");
    let import = run(&test, acme, options("mended.csv"), mended).await;
    assert_eq!(came_of(&import), [2, 0, 0, 0, 0]);
    assert_eq!(count(&test, "select count(*) from contacts where custom_fields = '{\"reason\": \"storm\"}'").await, 1);
    assert_eq!(count(&test, "select count(*) from contacts where custom_fields = '{}'").await, 2);
}

#[tokio::test]
async fn a_report_of_very_long_rows_comes_page_by_page_and_complete() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    let cell = "x".repeat(200_000);
    let rows: String = (0..50).map(|n| format!("AB-{n},{cell}\n")).collect();
    let file = format!("code,name\n{rows}");
    let import = run(&test, acme, options("long.csv"), file).await;
    assert_eq!(import.rows_refused, 50);
    let actor = test.operator();
    let scope = test.app.scope(&actor);
    let page = store::list_remarks(&scope, (acme, import.id), true, (0, Uuid::nil()), 1000).await.unwrap();
    assert!((10..40).contains(&page.len()), "{}", page.len());
    let path = format!("/v1/imports/{}/refused", import.id);
    let report = test.api(Method::GET, &path).bearer(&test.story.acme.key).await.expect_status(200).text();
    assert_eq!(report.lines().count(), 51);
    // compression asks once more after the end; reading to the end is part of asking
    for coding in ["gzip", "br"] {
        for kept in ["true", "false"] {
            let path = format!("{path}?kept={kept}");
            let ask = test.api(Method::GET, &path).bearer(&test.story.acme.key).header("accept-encoding", coding);
            assert_eq!(ask.await.expect_status(200).header("content-encoding"), coding, "{kept}");
        }
    }
}

#[tokio::test]
async fn a_file_of_more_columns_than_anybody_can_match_is_refused() {
    let test = test_app().await;
    let file = format!("email{}\nada@example.com\n", ",x".repeat(500));
    let refused =
        import::upload(&test.app, &test.operator(), test.story.acme.id, "wide.csv", source::bytes(file)).await;
    assert!(refused.unwrap_err().to_string().contains("501 columns"));
    assert_eq!(count(&test, "select count(*) from imports").await, 0);
}
