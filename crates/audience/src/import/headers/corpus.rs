//! The headers of programs people export from, as those programs write them, and what each must be taken for.

use super::*;

/// Header → target, a program a paragraph. `custom` is a column that stays a custom field, `ask` one that is asked about.
const CORPUS: &str = include_str!("../../../../../fixtures/headers.txt");

#[test]
fn the_headers_of_every_program_are_taken_for_what_they_are() {
    let mut wrong = Vec::new();
    for program in CORPUS.split("\n\n") {
        let lines: Vec<&str> = program.lines().filter(|line| !line.starts_with('#')).collect();
        let pairs: Vec<(&str, &str)> = lines.iter().filter_map(|line| line.split_once(" => ")).collect();
        let headers: Vec<String> = pairs.iter().map(|(header, _)| (*header).to_owned()).collect();
        let found = suggest(&headers, &[], Unmapped::CustomFields);
        for ((header, wanted), found) in pairs.iter().zip(&found.columns) {
            let target = match &found.target {
                Target::Custom(_) if found.ask.is_some() => "ask".to_owned(),
                Target::Custom(_) => "custom".to_owned(),
                other => other.to_string(),
            };
            if target != *wanted {
                wrong.push(format!(
                    "{}: {header} => {target}, not {wanted}",
                    program.lines().next().unwrap_or_default()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
