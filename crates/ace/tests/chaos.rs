//! The same reward asked for by many while the real server is killed with -9 and started again, and PostgreSQL once
//! too. Small here; `make bench` does it in full.
#![cfg(test)]

use std::path::{Path, PathBuf};

use bench::chaos::{Size, run};

/// A directory that PostgreSQL's user reaches; kept for a look when the test fails.
fn directory() -> PathBuf {
    std::env::temp_dir().join(format!("ace-chaos-{}", std::process::id()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_there_once_after_every_crash_and_nothing_is_stuck() {
    let directory = directory();
    let survived = run(Path::new(env!("CARGO_BIN_EXE_ace")), &directory, Size::SMALL).await.unwrap();
    assert_eq!(survived.answered, 2 * Size::SMALL.triggers);
    assert!(survived.broken > 0, "something must have broken off for this test to mean anything");
    assert!(survived.cards > 4 && survived.cards <= Size::SMALL.recipients);
    std::fs::remove_dir_all(&directory).unwrap();
}
