//! `ace migrate`: brings the database to this program's version.

use kernel::settings::Loaded;
use serde_json::json;

use crate::assemble::{self, Make};
use crate::output::Output;

/// Migrates and says what was done.
///
/// # Errors
/// When the database is out of reach, newer than this program, or written with other keys.
pub async fn run(loaded: Loaded, output: Output) -> anyhow::Result<()> {
    let prepared = assemble::prepare(&loaded.settings, Make::Everything).await?;
    let migrated = prepared.migrated.clone();
    prepared.close().await?;
    let text = match migrated.applied.len() {
        0 => format!("already at version {}", migrated.version),
        steps => format!("{steps} steps applied, now at version {}", migrated.version),
    };
    output.result(&text, &json!({ "version": migrated.version, "applied": migrated.applied }));
    Ok(())
}
