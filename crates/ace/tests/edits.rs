//! No page overwrites what its form has not seen: a handler that changes what somebody typed takes `web::Edit`, and only
//! acts, which carry nothing that was typed before, are meant for whichever version there is.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

/// Functions of pages that act on whichever version there is, by file: they open, end, archive, cancel or send, or there is
/// nothing that they could overwrite.
const ACTS: &[(&str, &[&str])] = &[
    ("accounts/admin_organizations", &["revoke"]),
    ("accounts/admin_users", &["deactivate", "reactivate"]),
    ("accounts/api_keys", &["revoke"]),
    // a role is chosen, not typed, and the choice is all there is
    ("accounts/team", &["revoke_invitation", "change_role", "remove", "deactivate", "reactivate"]),
    ("audience/contacts", &["delete"]),
    ("audience/imports", &["start", "cancel", "retry"]),
    ("audience/lists", &["delete"]),
    // a call that nobody has saved yet
    ("calls/desk", &["save"]),
    ("calls/numbers", &["release"]),
    ("campaigns/edit/review", &["begin"]),
    ("campaigns/recipient", &["give_address", "open_codes", "release"]),
    ("campaigns/show", &["step", "duplicate", "archive"]),
    // after `Edit` was asked and what was typed is saved
    ("content/forms", &["save_and_set"]),
    ("content/landing_pages", &["publish"]),
    ("messaging/deliveries", &["resend"]),
    ("messaging/lift", &["lift"]),
    // a further line of the ledger
    ("rewards/credits", &["grant"]),
    ("rewards/cards", &["reveal", "redeem", "revoke", "replace"]),
    // the name was compared by `Edit`: the rest of a pool's row moves with every card
    ("rewards/pools", &["rename", "archive", "restore"]),
];

/// Forms that change what was typed before: each of these handlers takes an `Edit`.
const EDITS: &[(&str, &str)] = &[
    ("accounts/account", "update"),
    ("accounts/admin_organizations", "update"),
    ("accounts/admin_permissions", "update"),
    ("accounts/settings", "update"),
    ("audience/contacts", "update"),
    ("audience/lists", "update"),
    ("calls/desk", "act"),
    ("campaigns/edit/mod", "save"),
    ("content/forms", "close"),
    ("content/forms", "publish"),
    ("content/forms", "update"),
    ("content/landing_pages", "publish"),
    ("content/landing_pages", "update"),
    ("content/templates", "update"),
    ("engage/preview", "typed"),
    ("rewards/brands", "update"),
    ("rewards/pools", "rename"),
];

/// Every file of pages: its name in the lists above, and its text.
fn pages() -> Vec<(String, String)> {
    let crates = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut found = Vec::new();
    for entry in fs::read_dir(&crates).unwrap() {
        let room = entry.unwrap().path();
        let name = room.file_name().unwrap().to_string_lossy().into_owned();
        collect(&room.join("src/pages"), &name, &mut found);
    }
    found.sort();
    found
}

fn collect(folder: &Path, name: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let own = format!("{name}/{}", path.file_stem().unwrap().to_string_lossy());
        if path.is_dir() {
            collect(&path, &own, found);
        } else {
            found.push((own, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The functions of a file with their text.
fn functions(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("\nasync fn ").flat_map(|part| part.split("\npub async fn ")).skip(1).map(|function| {
        let end = function.find(['(', '<']).unwrap_or_default();
        (&function[..end], function)
    })
}

#[test]
fn only_acts_are_meant_for_whichever_version_there_is() {
    let mut faults = Vec::new();
    let pages = pages();
    assert!(pages.len() > 40, "{} files of pages", pages.len());
    for (file, text) in &pages {
        let acts = ACTS.iter().find(|(known, _)| known == file).map_or(&[][..], |(_, acts)| *acts);
        let any = functions(text).filter(|(_, function)| function.contains("Expected::any"));
        faults.extend(any.filter(|(name, _)| !acts.contains(name)).map(|(name, _)| format!("{file}: {name}")));
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn every_form_that_changes_something_knows_what_it_was_made_from() {
    let mut taking = Vec::new();
    for (file, text) in &pages() {
        let edits = functions(text).filter(|(_, function)| function.contains("edit: Edit<"));
        taking.extend(edits.map(|(name, _)| format!("{file} {name}")));
        // what is called so changes something that is there
        let blind = functions(text).filter(|(name, function)| *name == "update" && !function.contains("Edit<"));
        assert_eq!(blind.map(|(name, _)| format!("{file} {name}")).collect::<Vec<_>>(), Vec::<String>::new());
    }
    let wanted: Vec<String> = EDITS.iter().map(|(file, name)| format!("{file} {name}")).collect();
    for wanted in &wanted {
        assert!(taking.contains(wanted), "{wanted} takes no Edit: {taking:?}");
    }
}
