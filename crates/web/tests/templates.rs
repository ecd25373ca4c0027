//! Rules for every template of every room: nothing that the Content-Security-Policy forbids, no icon that the
//! sprite does not have.
#![cfg(test)]

use std::path::{Path, PathBuf};

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn templates(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            templates(&path, found);
        } else if path.extension().is_some_and(|end| end == "html") {
            found.push(path);
        }
    }
}

fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for room in std::fs::read_dir(crates()).unwrap().flatten() {
        templates(&room.path().join("templates"), &mut found);
    }
    assert!(found.len() > 20, "the walk found too few templates to mean anything");
    found.into_iter().map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap())).collect()
}

/// The words that stand in quotes right after `before`.
fn quoted<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(before).filter_map(move |(at, _)| text[at + before.len()..].split('"').next())
}

#[test]
fn no_template_has_an_inline_style_or_script() {
    let inline_script = |text: &str| {
        let opened = text.match_indices("<script").map(|(at, _)| text[at..].split('>').next().unwrap_or_default());
        opened.into_iter().any(|tag| !tag.contains("src=") && !tag.contains("application/json"))
    };
    for (path, text) in all() {
        for forbidden in [" style=\"", "<style", " onclick=", " onchange=", " onsubmit=", "hx-on", "javascript:"] {
            assert!(!text.contains(forbidden), "{path} has {forbidden}");
        }
        assert!(!inline_script(&text), "{path} has an inline script");
    }
}

#[test]
fn every_icon_of_a_template_is_in_the_sprite() {
    let list = std::fs::read_to_string(crates().join("../web/icons.txt")).unwrap();
    let known: Vec<&str> = list.lines().collect();
    let before = ["ui::icon(\"", "Icon(\"", "icon = \"", "icon=\"", "ui::empty(\"", "ui::event(\""];
    for (path, text) in all() {
        for name in before.iter().flat_map(|before| quoted(&text, before)).filter(|name| !name.is_empty()) {
            assert!(known.contains(&name), "{path}: add {name} to web/icons.txt");
        }
    }
}

#[test]
fn every_question_says_whether_it_can_be_undone_and_every_dialog_can_be_left() {
    let mut questions = 0;
    for (path, text) in all() {
        let asked = ["data-confirm=\"", "confirm = \"", "confirm=\""].iter().flat_map(|before| quoted(&text, before));
        for question in asked.filter(|question| !question.is_empty() && *question != "{{ confirm }}") {
            assert!(question.contains("und"), "{path}: say whether this can be undone: {question}");
            questions += 1;
        }
        let dialogs = text.matches("call ui::modal(").count();
        assert!(text.matches("ui::dialog_actions(").count() >= dialogs, "{path}: a dialog without Cancel");
    }
    assert!(questions > 20, "{questions} are too few to mean anything");
}
