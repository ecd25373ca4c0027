//! Rules for every sentence of every room: a message says what to do, and one is one.
#![cfg(test)]

use std::path::{Path, PathBuf};

fn walk(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            walk(&path, end, found);
        } else if path.extension().is_some_and(|extension| extension == end) {
            found.push(path);
        }
    }
}

/// Every source file or template, with its tests cut off.
fn all(part: &str, end: &str) -> Vec<(String, String)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for room in std::fs::read_dir(crates).unwrap().flatten() {
        walk(&room.path().join(part), end, &mut found);
    }
    assert!(found.len() > 20, "the walk found too few files to mean anything");
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.display().to_string(), text.split("#[cfg(test)]").next().unwrap_or_default().to_owned())
    };
    found.into_iter().map(read).collect()
}

/// The texts in quotes within the call that begins at `at`.
fn texts(source: &str, at: usize) -> Vec<&str> {
    let call: &str = source[at..].split(';').next().unwrap_or_default();
    call.split('"').skip(1).step_by(2).take(3).collect()
}

#[test]
fn a_message_about_a_field_says_what_to_do_and_not_what_it_is_not() {
    let mut seen = 0;
    for (path, source) in all("src", "rs") {
        let calls = ["problems.invalid(", "Error::invalid(", "problems.add("];
        for (at, _) in calls.iter().flat_map(|call| source.match_indices(call)) {
            for text in texts(&source, at).into_iter().filter(|text| text.contains(' ')) {
                seen += 1;
                for begin in ["not a ", "not an ", "at most ", "at least ", "one of ", "invalid "] {
                    assert!(!text.starts_with(begin), "{path}: say what to do: {text}");
                }
            }
        }
    }
    assert!(seen > 80, "{seen} messages are too few to mean anything");
}

/// Whether a text counts something that is filled in without minding that it may be one.
fn counts_blindly(text: &str) -> Option<String> {
    const MANY: [&str; 14] = [
        "contacts",
        "cards",
        "credits",
        "recipients",
        "rows",
        "people",
        "lines",
        "columns",
        "hours",
        "fields",
        "cells",
        "campaigns",
        "rewards",
        "members",
    ];
    for (at, _) in text.match_indices("} ") {
        let (before, after) = (&text[..at], &text[at + 2..]);
        let word: String = after.chars().take_while(char::is_ascii_alphabetic).collect();
        // a limit is a number of ours
        let limit = ["at most", "up to", " to", "more than"].iter().any(|word| {
            before
                .rsplit_once('{')
                .is_some_and(|(before, _)| before.trim_end().trim_end_matches('{').trim_end().ends_with(word))
        });
        if MANY.contains(&word.as_str()) && !limit {
            return Some(word);
        }
    }
    None
}

#[test]
fn whatever_is_counted_reads_right_when_it_is_one() {
    assert!(counts_blindly("Made {n} cards").is_some() && counts_blindly("at most {MOST} cards").is_none());
    for (path, source) in all("src", "rs") {
        for call in ["format!(\"", "concat!(\""] {
            for (at, _) in source.match_indices(call) {
                let text = source[at + call.len()..].split('"').next().unwrap_or_default();
                assert_eq!(counts_blindly(text), None, "{path}: use web::view::count: {text}");
            }
        }
    }
    for (path, template) in all("templates", "html") {
        for line in template.lines() {
            for (at, _) in line.match_indices("}} ") {
                assert_eq!(
                    counts_blindly(&line[at + 1..].chars().take(40).collect::<String>()),
                    None,
                    "{path}: use ui::count: {line}"
                );
            }
        }
    }
}
