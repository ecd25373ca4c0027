//! The `ace` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    ace::run(ace::cli::Cli::parse())
}
