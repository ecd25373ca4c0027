//! What several tests here need.

use accounts::mail::{SYSTEM_MAIL, SystemMail};
use jobs::Registry;
use serde_json::Value;
use testkit::TestApp;

/// The application with the routes of this room.
pub async fn start() -> TestApp {
    TestApp::new(accounts::routes).await
}

/// Runs the jobs of this room.
pub async fn run_jobs(test: &TestApp) {
    let registry = accounts::jobs(Registry::new(), &test.app);
    jobs::drain(&test.app.db, &test.app.clock, &registry).await.unwrap();
}

/// The mails that wait to be sent, the latest last.
pub async fn mails(test: &TestApp) -> Vec<SystemMail> {
    let sql = "select payload from jobs where kind = $1 order by id";
    let rows = test.database.admin().await.query(sql, &[&SYSTEM_MAIL]).await.unwrap();
    let read = |payload: Value| SystemMail::from_payload(&test.app.keyring, &payload).unwrap();
    rows.into_iter().map(|row| read(row.get(0))).collect()
}

/// The path of the only link in a mail.
pub fn link(mail: &SystemMail) -> String {
    let url = mail.text.split_whitespace().find(|word| word.starts_with("http")).unwrap();
    let path = url.splitn(4, '/').nth(3).unwrap();
    format!("/{path}")
}

/// One value of the database, past every policy.
pub async fn count(test: &TestApp, sql: &str) -> i64 {
    test.database.admin().await.query_one(sql, &[]).await.unwrap().get(0)
}

/// How often an action is in the audit trail.
pub async fn audited(test: &TestApp, action: &str) -> i64 {
    let sql = "select count(*) from audit_log where action = $1";
    test.database.admin().await.query_one(sql, &[&action]).await.unwrap().get(0)
}

/// What a shared secret shown in base32 is.
pub fn unbase32(text: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = text.chars().map(|c| format!("{:05b}", alphabet.find(c).unwrap())).collect();
    bits.as_bytes()
        .chunks_exact(8)
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect()
}
