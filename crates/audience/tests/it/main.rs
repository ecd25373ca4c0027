//! Contacts, lists and imports against a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

mod contacts;
mod import_cases;
mod import_duplicates;
mod import_exports;
mod import_noes;
mod import_trouble;
mod imports;
mod lists;
mod pages;
mod planner;

use testkit::TestApp;

/// The application with this room's routes.
async fn test_app() -> TestApp {
    TestApp::new(audience::routes).await
}

/// One number from the database, past every policy.
async fn count(test: &TestApp, sql: &str) -> i64 {
    test.database.admin().await.query_one(sql, &[]).await.unwrap().get(0)
}
