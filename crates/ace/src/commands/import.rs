//! `ace import`.

use std::path::Path;

use anyhow::Context;
use audience::import::{self, Dedupe, ImportOptions, OnDuplicate, Unmapped, source};
use audience::store::imports::{self, Import};
use kernel::Clock;
use kernel::settings::Loaded;
use serde_json::json;
use tokio::fs::File;

use super::find::{self, operator};
use crate::assemble::{self, Ace};
use crate::cli::{self, ImportCardsArgs, ImportContactsArgs};
use crate::output::Output;

/// Refused rows that are printed; the report in the console has all of them.
const PRINTED: i64 = 10;

/// Imports contacts with progress on stderr; true when the whole file was read and no row was refused.
///
/// # Errors
/// Names what was wrong with the file or the options.
pub async fn contacts(loaded: Loaded, args: &ImportContactsArgs, output: Output) -> anyhow::Result<bool> {
    let options = options(args)?;
    let file = open(&args.file).await?;
    let ace = assemble::open(loaded, Clock::system()).await?;
    let imported = async {
        let client_id = find::client(&ace, &args.client).await?;
        let progress = |import: &Import| {
            output.progress(&format!("{} read, {} %", web::view::count(import.rows_read, "row"), import.percent()));
        };
        let work = (options, source::reader(file));
        let import = import::run_now(&ace.app, &operator(), client_id, work, progress).await.map_err(named)?;
        for note in import::plan_of(&import)?.notes() {
            output.progress(&note);
        }
        let (actor, first) = (operator(), (0, uuid::Uuid::nil()));
        let scope = ace.app.scope(&actor);
        let refused = imports::list_remarks(&scope, (client_id, import.id), true, first, PRINTED).await?;
        let apart = imports::list_apart(&scope, (client_id, import.id), PRINTED).await?;
        anyhow::Ok((import, refused, apart))
    }
    .await;
    ace.close().await;
    let (import, refused, apart) = imported?;
    output.result(&sentence(&import), &serde_json::to_value(&import)?);
    for row in &refused {
        let column = row.column_name.as_deref().map_or_else(String::new, |column| format!(", {column}"));
        output.progress(&format!("line {}{column}: {}", row.line_number, row.reason));
    }
    if import.rows_refused > PRINTED {
        output.progress("The console has the other refused rows, under Imports, as a file to mend and import again.");
    }
    if let Some(first) = apart.first() {
        let rows = web::view::count(first.of_all, "row");
        output.progress(&format!(
            "{rows} with somebody else's e-mail or phone, kept as people of their own; --allow-repeats makes one person of each address:"
        ));
        for row in &apart {
            output.progress(&format!("line {}: {}", row.line_number, row.reason));
        }
    }
    Ok(import.status == "finished" && import.rows_refused == 0)
}

/// What stopped an import, each with the flag that answers it.
fn named(error: kernel::Error) -> anyhow::Error {
    let flags = ["map", "header", "first_line", "allow_repeats", "dedupe"];
    if !error.fields().iter().any(|field| flags.contains(&field.field.as_str())) {
        return error.into();
    }
    let line = |field: &kernel::FieldError| format!("--{}: {}", field.field.replace('_', "-"), field.message);
    anyhow::anyhow!(error.fields().iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// What came of an import.
fn sentence(import: &Import) -> String {
    let ended = match (import.status.as_str(), import.error.as_deref()) {
        ("finished", _) => String::new(),
        ("failed", Some(error)) => format!("the import stopped: {error}\n"),
        (status, _) => format!("the import is {status}\n"),
    };
    let opt_outs = match import.opt_outs {
        0 => String::new(),
        opt_outs => format!("{} taken over; ", web::view::count(opt_outs, "opt-out")),
    };
    format!(
        "{ended}{} read: {} created, {} updated, {} unchanged, {} refused, {} kept with a value as given; {opt_outs}list {:?}",
        web::view::count(import.rows_read, "row"),
        import.rows_created,
        import.rows_updated,
        import.rows_skipped,
        import.rows_refused,
        import.rows_flagged,
        import.list_name.as_deref().unwrap_or_default(),
    )
}

fn options(args: &ImportContactsArgs) -> anyhow::Result<ImportOptions> {
    let filename = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut options = ImportOptions {
        filename,
        list_name: args.list.clone(),
        dedupe: args.dedupe.map(|dedupe| match dedupe {
            cli::Dedupe::Email => Dedupe::Email,
            cli::Dedupe::CustomerCode => Dedupe::CustomerCode,
            cli::Dedupe::Phone => Dedupe::Phone,
            cli::Dedupe::NameAddress => Dedupe::NameAddress,
        }),
        unmapped: Some(match args.unmapped {
            cli::Unmapped::CustomFields => Unmapped::CustomFields,
            cli::Unmapped::Skip => Unmapped::Skip,
        }),
        on_duplicate: Some(match args.on_duplicate {
            cli::OnDuplicate::Skip => OnDuplicate::Skip,
            cli::OnDuplicate::Update => OnDuplicate::Update,
            cli::OnDuplicate::Create => OnDuplicate::Create,
        }),
        header: args.header.map(|header| header == cli::YesNo::Yes),
        first_line: args.first_line,
        allow_repeats: args.allow_repeats.then_some(true),
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
