//! A database remembers the keys it was written with, and a directory that is not there stays not there.
#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use kernel::keyring::Keyring;
use testkit::{Server, TestDatabase};
use tokio_postgres::config::Host;

/// Every command that opens the database, with arguments it gets as far as that with.
const COMMANDS: &[&[&str]] = &[
    &["doctor"],
    &["demo"],
    &["migrate"],
    &["serve", "--listen", "127.0.0.1:0"],
    &["serve", "--demo", "--listen", "127.0.0.1:0"],
    &["serve", "--role", "worker"],
    &["user", "create", "--email", "ada@example.com", "--role", "admin", "--password-stdin"],
    &["user", "reset-second-factor", "--email", "ada@example.com"],
    &["keys", "create", "--client", "acme-roofing", "--scope", "contacts.view"],
    &["keys", "list", "--client", "acme-roofing"],
    &["keys", "revoke", "--client", "acme-roofing", "00000000-0000-7000-8000-000000000000"],
    &["import", "contacts", "/dev/null", "--client", "acme-roofing"],
    &["import", "cards", "/dev/null", "--pool", "00000000-0000-7000-8000-000000000000"],
];

/// Those that may begin something.
const MAKERS: [&str; 3] = ["serve", "demo", "migrate"];

async fn url(db: &TestDatabase) -> String {
    let config = Server::find().await.unwrap().config(db.name());
    let Some(Host::Unix(socket)) = config.get_hosts().first() else { panic!("the test server has no socket") };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("postgresql:///{}?host={}&port={port}&user={}", db.name(), socket.display(), config.get_user().unwrap())
}

fn run(arguments: &[&str], data_dir: &Path, settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ace"));
    command.args(arguments).env_clear();
    command.envs(std::env::vars().filter(|(name, _)| !name.starts_with("ACE_") && name != "DATABASE_URL"));
    command.env("ACE_DATA_DIR", data_dir).envs(settings.iter().copied());
    // a password for the command that asks for one
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"walk the whole path\n").ok();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn nowhere() -> PathBuf {
    std::env::temp_dir().join(format!("ace-typo-{}", kernel::new_id()))
}

#[tokio::test]
async fn no_command_starts_without_the_keys_of_its_database_or_with_others() {
    let db = TestDatabase::new().await;
    let (url, admin) = (url(&db).await, db.admin().await);
    let everything = "select md5(string_agg(k::text, ',' order by k.number) || (select a::text from app.actor_key a)) from app.known_keys k";
    let before: String = admin.query_one(everything, &[]).await.unwrap().get(0);
    let other = Keyring::generate().written().replace('\n', " ");
    // the same root and another sealing key: what is sealed with it could be opened by nobody else
    let mixed =
        Keyring::for_tests().written().lines().next().unwrap().to_owned() + " " + other.split(' ').nth(1).unwrap();
    for arguments in COMMANDS {
        let directory = nowhere();
        let missing = run(arguments, &directory, &[("DATABASE_URL", &url)]);
        assert!(!missing.status.success(), "{arguments:?}");
        assert!(said(&missing).contains("the keys of this database are missing"), "{arguments:?}: {}", said(&missing));
        assert!(!directory.exists(), "{arguments:?} made {}", directory.display());
        for keys in [&other, &mixed] {
            let foreign = run(arguments, &directory, &[("DATABASE_URL", &url), ("ACE_KEYS", keys)]);
            assert!(!foreign.status.success(), "{arguments:?}");
            assert!(said(&foreign).contains("was written with other keys"), "{arguments:?}: {}", said(&foreign));
        }
    }
    let after: String = admin.query_one(everything, &[]).await.unwrap().get(0);
    assert_eq!(before, after, "what was refused left nothing behind");
    let ours = Keyring::for_tests().written().replace('\n', " ");
    let right = run(&["doctor"], &nowhere(), &[("DATABASE_URL", &url), ("ACE_KEYS", &ours)]);
    assert!(right.status.success(), "{}", said(&right));
    // while another server takes over
    let read_only = format!("alter database {} set default_transaction_read_only = on", db.name());
    admin.batch_execute(&read_only).await.unwrap();
    let looked = run(&["doctor"], &nowhere(), &[("DATABASE_URL", &url), ("ACE_KEYS", &ours)]);
    let told = String::from_utf8_lossy(&looked.stdout).into_owned() + &said(&looked);
    assert!(!looked.status.success() && told.contains("the database is read-only"), "{told}");
    assert!(!told.contains("not recounted"), "{told}");
    let foreign = run(&["doctor"], &nowhere(), &[("DATABASE_URL", &url), ("ACE_KEYS", &other)]);
    assert!(said(&foreign).contains("was written with other keys"), "{}", said(&foreign));
}

#[test]
fn a_mistyped_directory_is_refused_and_not_made() {
    for arguments in COMMANDS.iter().filter(|arguments| !MAKERS.contains(&arguments[0])) {
        let directory = nowhere();
        let output = run(arguments, &directory, &[]);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(said(&output).contains("there is no ACE in"), "{arguments:?}: {}", said(&output));
        assert!(!directory.exists(), "{arguments:?} made {}", directory.display());
    }
}
