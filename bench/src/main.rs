//! `make bench`: every hot path beside its limit, and the chaos in full.

use std::path::PathBuf;

use anyhow::Result;
use bench::chaos::{self, Size};
use bench::measure::{self, Plan, binary_beside};
use bench::table;
use clap::{Parser, ValueEnum};

/// Measures ACE on this machine.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  bench                        everything\n  bench figures --rows 20000   only the figures, quickly\n  bench chaos                  only the chaos"
)]
struct Options {
    /// What to run.
    #[arg(value_enum, default_value = "all")]
    what: What,
    /// Contacts and recipients.
    #[arg(long, default_value_t = 100_000)]
    rows: usize,
    /// Seconds of each load.
    #[arg(long, default_value_t = 10)]
    seconds: usize,
    /// Where databases are made and taken away again; must be reachable for PostgreSQL's user.
    #[arg(long)]
    directory: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Figures and chaos.
    All,
    /// Only the figures.
    Figures,
    /// Only the chaos.
    Chaos,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let binary = binary_beside(&std::env::current_exe()?)?;
    let directory =
        options.directory.unwrap_or_else(std::env::temp_dir).join(format!("ace-bench-{}", std::process::id()));
    let done = run(&binary, &directory, (options.what, options.rows, options.seconds)).await;
    if done.is_ok() {
        std::fs::remove_dir_all(&directory)?;
    } else {
        eprintln!("left for a look: {}", directory.display());
    }
    done
}

async fn run(binary: &std::path::Path, directory: &std::path::Path, wanted: (What, usize, usize)) -> Result<()> {
    let (what, rows, seconds) = wanted;
    if what != What::Chaos {
        println!("{}", table::heading());
        let plan = Plan { binary: binary.to_owned(), directory: directory.join("figures"), rows, seconds };
        measure::run(&plan, |figure| println!("{figure}")).await?;
    }
    if what != What::Figures {
        let size = Size::FULL;
        let survived = chaos::run(binary, &directory.join("chaos"), size).await?;
        println!(
            "\nchaos: {} clients asked {} times for rewards while the server was killed {} times and PostgreSQL once.\n\
             {} requests answered and all of them stored, {} tries broken off, {} cards for {} people, counters right,\n\
             nothing stuck {:.1} s after a storm of {:.1} s",
            size.clients,
            size.triggers,
            size.kills,
            survived.answered,
            survived.broken,
            survived.cards,
            survived.cards,
            survived.settled.as_secs_f64(),
            survived.storm.as_secs_f64(),
        );
    }
    Ok(())
}
