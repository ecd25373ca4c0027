//! The binary: command line and assembly. No rules live here.

pub mod assemble;
pub mod cli;
pub mod commands;
mod connections;
pub mod demo;
mod ending;
mod leftovers;
pub mod logging;
mod output;
mod serve;

use std::process::ExitCode;

use cli::{Cli, Command, ImportCommand, KeysCommand, UserCommand};
use kernel::settings::{Loaded, LogFormat};
use output::Output;

/// Runs what was typed; the exit status is 0 only when all of it was done.
pub fn run(cli: Cli) -> ExitCode {
    // wrong settings are told in the form that was asked for, as far as that can be known without them
    let json = std::env::var_os("ACE_LOG__FORMAT").is_some_and(|format| format == "json");
    let output = Output { json: cli.json, log: if json { LogFormat::Json } else { LogFormat::Text } };
    let loaded = match assemble::settings(&cli) {
        Ok(loaded) => loaded,
        Err(error) => return fail(output, &error),
    };
    let output = Output { log: loaded.settings.log.format, ..output };
    if let Err(error) = logging::start(&loaded.settings) {
        return fail(output, &error);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(output, &error.into()),
    };
    let done = runtime.block_on(dispatch(cli, loaded, output));
    ending::let_go(runtime);
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => fail(output, &error),
    }
}

fn fail(output: Output, error: &anyhow::Error) -> ExitCode {
    output.complaint(&format!("ace: {error:#}"));
    ExitCode::FAILURE
}

async fn dispatch(cli: Cli, loaded: Loaded, output: Output) -> anyhow::Result<bool> {
    match cli.command {
        Command::Config => commands::config::run(&loaded, output),
        Command::Openapi => commands::openapi::run(loaded, output),
        Command::Serve(args) => serve::run(loaded, &args, output).await.map(|()| true),
        Command::Migrate => commands::migrate::run(loaded, output).await.map(|()| true),
        Command::Demo => commands::demo::run(loaded, output).await.map(|()| true),
        Command::Doctor => {
            let ace = assemble::open(loaded, kernel::Clock::system()).await?;
            let holds = commands::doctor::run(&ace, output).await;
            ace.close().await;
            holds
        }
        Command::Import(ImportCommand::Contacts(args)) => commands::import::contacts(loaded, &args, output).await,
        Command::Import(ImportCommand::Cards(args)) => commands::import::cards(loaded, &args, output).await,
        Command::User(UserCommand::Create(args)) => commands::user::create(loaded, &args, output).await.map(|()| true),
        Command::User(UserCommand::ResetSecondFactor(args)) => {
            commands::user::reset_second_factor(loaded, &args, output).await.map(|()| true)
        }
        Command::Keys(KeysCommand::Create(args)) => commands::keys::create(loaded, &args, output).await.map(|()| true),
        Command::Keys(KeysCommand::List(args)) => commands::keys::list(loaded, &args, output).await.map(|()| true),
        Command::Keys(KeysCommand::Revoke(args)) => commands::keys::revoke(loaded, &args, output).await.map(|()| true),
    }
}
