//! Which crate may know which: the floors of the house. A lower room tells a higher one something by an event or a
//! job, never by a call.
#![cfg(test)]

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// The floors, the lowest first. A crate may use crates of lower floors only: none of its own, none above.
const FLOORS: &[&[&str]] = &[
    &["kernel", "imb", "mailpiece"],
    &["database"],
    &["jobs", "events", "web", "providers"],
    &["accounts"],
    &["audience"],
    &["content"],
    &["messaging"],
    &["rewards"],
    &["campaigns"],
    &["engage", "calls", "mail"],
    &["insights", "integrations", "portal"],
    &["ace"],
];

/// Used by tests and by what measures, never by what serves.
const BESIDE: &[&str] = &["testkit", "bench"];

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&name))
}

/// Our crates, and which of ours each of them uses when it runs.
fn edges() -> BTreeMap<String, Vec<String>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path", manifest])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let uses = package["dependencies"].as_array().unwrap().iter();
            // those of tests have the kind "dev"; ours have a path
            let ours = uses.filter(|used| used["kind"] != "dev" && used["path"].is_string());
            (text(package, "name"), ours.map(|used| text(used, "name")).collect())
        })
        .collect()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap().to_owned()
}

/// What is wrong with one edge, if anything.
fn fault(from: &str, to: &str) -> Option<String> {
    if BESIDE.contains(&from) {
        return (to == "ace").then(|| format!("{from} uses the binary"));
    }
    match (floor(from), floor(to)) {
        (Some(from_floor), Some(to_floor)) if to_floor < from_floor => None,
        _ => Some(format!("{from} may not use {to}")),
    }
}

#[test]
fn every_crate_uses_lower_floors_only() {
    let edges = edges();
    assert!(edges.len() >= 17, "there must be crates for this test to mean anything");
    let faults: Vec<String> =
        edges.iter().flat_map(|(from, uses)| uses.iter().filter_map(|to| fault(from, to))).collect();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn every_crate_has_a_floor() {
    let unknown: Vec<String> =
        edges().into_keys().filter(|name| floor(name).is_none() && !BESIDE.contains(&name.as_str())).collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn upward_sideways_and_test_edges_would_be_told() {
    assert_eq!(fault("rewards", "campaigns"), Some("rewards may not use campaigns".to_owned()));
    assert_eq!(fault("engage", "calls"), Some("engage may not use calls".to_owned()));
    assert_eq!(fault("web", "jobs"), Some("web may not use jobs".to_owned()));
    assert_eq!(fault("campaigns", "testkit"), Some("campaigns may not use testkit".to_owned()));
    assert_eq!(fault("bench", "ace"), Some("bench uses the binary".to_owned()));
    assert_eq!(fault("campaigns", "rewards"), None);
}
