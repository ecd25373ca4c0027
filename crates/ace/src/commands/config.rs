//! `ace config`: every setting, its value and where it came from.

use kernel::settings::Loaded;
use serde_json::json;

use crate::output::Output;

/// Prints the settings; secrets are masked already when they are loaded.
///
/// # Errors
/// None; the signature is that of every command.
pub fn run(loaded: &Loaded, output: Output) -> anyhow::Result<bool> {
    let entries = &loaded.entries;
    let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let line = |entry: &kernel::settings::Entry| format!("{:width$} = {}  ({})", entry.name, entry.value, entry.source);
    let text: Vec<String> = entries.iter().map(line).collect();
    let value: serde_json::Map<_, _> = entries
        .iter()
        .map(|entry| (entry.name.clone(), json!({ "value": entry.value, "source": entry.source.to_string() })))
        .collect();
    output.result(&text.join("\n"), &serde_json::Value::Object(value));
    Ok(true)
}
