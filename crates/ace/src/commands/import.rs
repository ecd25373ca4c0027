//! `ace import`.

use std::path::Path;

use anyhow::Context;
use audience::import::{self, Dedupe, ImportOptions, OnDuplicate, source};
use kernel::Clock;
use kernel::settings::Loaded;
use serde_json::json;
use tokio::fs::File;

use super::find::{self, operator};
use crate::assemble::{self, Ace};
use crate::cli::{self, ImportCardsArgs, ImportContactsArgs};
use crate::output::Output;

/// Imports contacts with progress on stderr; true when no row was refused.
///
/// # Errors
/// Names what was wrong with the file or the options.
pub async fn contacts(loaded: Loaded, args: &ImportContactsArgs, output: Output) -> anyhow::Result<bool> {
    let options = options(args)?;
    let file = open(&args.file).await?;
    let ace = assemble::open(loaded, Clock::system()).await?;
    let imported = async {
        let client_id = find::client(&ace, &args.client).await?;
        let progress = |import: &audience::store::imports::Import| {
            let percent =
                import.total_bytes.filter(|total| *total > 0).map_or(100, |total| import.bytes_read * 100 / total);
            output.progress(&format!("{} rows read, {percent} %", import.rows_read));
        };
        let work = (options, source::reader(file));
        anyhow::Ok(import::run_now(&ace.app, &operator(), client_id, work, progress).await?)
    }
    .await;
    ace.close().await;
    let import = imported?;
    let text = format!(
        "{} rows read: {} created, {} updated, {} unchanged, {} refused, {} kept with a value as given; list {:?}",
        import.rows_read,
        import.rows_created,
        import.rows_updated,
        import.rows_skipped,
        import.rows_refused,
        import.rows_flagged,
        import.list_name.as_deref().unwrap_or_default(),
    );
    output.result(&text, &serde_json::to_value(&import)?);
    if import.rows_refused > 0 {
        output.progress("some rows were refused: their lines and reasons are under Imports in the console");
    }
    Ok(import.status == "finished" && import.rows_refused == 0)
}

fn options(args: &ImportContactsArgs) -> anyhow::Result<ImportOptions> {
    let filename = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut options = ImportOptions {
        filename,
        list_name: args.list.clone(),
        dedupe: Some(match args.dedupe {
            cli::Dedupe::Email => Dedupe::Email,
            cli::Dedupe::CustomerCode => Dedupe::CustomerCode,
            cli::Dedupe::Phone => Dedupe::Phone,
            cli::Dedupe::NameAddress => Dedupe::NameAddress,
        }),
        on_duplicate: Some(match args.on_duplicate {
            cli::OnDuplicate::Skip => OnDuplicate::Skip,
            cli::OnDuplicate::Update => OnDuplicate::Update,
            cli::OnDuplicate::Create => OnDuplicate::Create,
        }),
        ..ImportOptions::default()
    };
    for mapping in &args.mapping {
        options.map(mapping).with_context(|| format!("--map {mapping}"))?;
    }
    Ok(options)
}

/// Uploads gift card codes: all of them, or none with a report.
///
/// # Errors
/// Names the lines that were refused.
pub async fn cards(loaded: Loaded, args: &ImportCardsArgs, output: Output) -> anyhow::Result<bool> {
    let file = open(&args.file).await?.into_std().await;
    let ace = assemble::open(loaded, Clock::system()).await?;
    let report = upload(&ace, args, file).await;
    ace.close().await;
    let report = report?;
    let mut lines = vec![report.sentence()];
    lines.extend(
        report.problems.iter().map(|problem| format!("line {}, {}: {}", problem.line, problem.column, problem.reason)),
    );
    output.result(&lines.join("\n"), &json!(report));
    Ok(report.refused == 0)
}

async fn upload(
    ace: &Ace,
    args: &ImportCardsArgs,
    file: std::fs::File,
) -> anyhow::Result<rewards::upload::UploadReport> {
    rewards::upload::run(&ace.app, &operator(), args.pool, file).await.map_err(|error| match error {
        kernel::Error::NotFound => anyhow::anyhow!("--pool: there is no pool {}", args.pool),
        other => other.into(),
    })
}

async fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).await.with_context(|| path.display().to_string())
}
