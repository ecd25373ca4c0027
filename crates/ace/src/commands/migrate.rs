//! `ace migrate`: brings the database to this program's version.

use kernel::settings::Loaded;
use serde_json::json;

use crate::assemble;
use crate::output::Output;

/// Migrates and says what was done.
///
/// # Errors
/// When the database is out of reach or newer than this program.
pub async fn run(loaded: Loaded, output: Output) -> anyhow::Result<()> {
    let (options, managed) = assemble::connect_options(&loaded.settings).await?;
    let migrated = database::migrate::run(&options.owner).await;
    if let Some(managed) = managed {
        tokio::task::spawn_blocking(move || managed.stop()).await?;
    }
    let migrated = migrated?;
    let text = match migrated.applied.len() {
        0 => format!("already at version {}", migrated.version),
        steps => format!("{steps} steps applied, now at version {}", migrated.version),
    };
    output.result(&text, &json!({ "version": migrated.version, "applied": migrated.applied }));
    Ok(())
}
