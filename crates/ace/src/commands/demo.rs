//! `ace demo`: a living example, and who can sign in to it.

use database::ConnectOptions;
use kernel::Clock;
use kernel::settings::{EmailDriver, Loaded, SmsDriver};
use serde_json::json;

use crate::assemble::{self, Ace, Make};
use crate::demo::{self, Login};
use crate::output::Output;

/// Loads the demo, or what is missing of it, and prints address and logins.
///
/// # Errors
/// Says what stands in the way.
pub async fn run(loaded: Loaded, output: Output) -> anyhow::Result<()> {
    let settings = &loaded.settings;
    let (address, password) = (settings.server.public_url.clone(), settings.demo.password.clone());
    let loaded_now = load(loaded, output, Where::Anywhere).await? == Done::Loaded;
    let logins = demo::logins()?;
    let value = json!({ "loaded": loaded_now, "address": address, "password": password, "logins": logins });
    output.result(&text(&address, &password, &logins), &value);
    Ok(())
}

/// Loads the demo before serving, unless it is there already or somebody works here; prints how to sign in.
///
/// # Errors
/// Says what stands in the way.
pub async fn load_if_empty(loaded: Loaded, output: Output) -> anyhow::Result<()> {
    let settings = &loaded.settings;
    let (address, password) = (settings.server.public_url.clone(), settings.demo.password.clone());
    if load(loaded, output, Where::Unused).await? != Done::NotHere {
        output.progress(&text(&address, &password, &demo::logins()?));
    }
    Ok(())
}

/// Into which database the demo may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    /// One in which nobody works.
    Unused,
    /// Any: it was asked for by name.
    Anywhere,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Loaded,
    WasThere,
    NotHere,
}

async fn load(mut loaded: Loaded, output: Output, to: Where) -> anyhow::Result<Done> {
    // Nobody in the story exists: nothing may leave, whatever is set up.
    loaded.settings.sms.driver = SmsDriver::Sandbox;
    loaded.settings.email.driver = EmailDriver::Sandbox;
    let contacts = usize::try_from(loaded.settings.demo.contacts)?;
    let ace = assemble::open_with(loaded, Clock::manual(Clock::system().now()), Make::Everything, in_a_hurry).await?;
    let done = load_into(&ace, output, (contacts, to)).await;
    ace.close().await;
    done
}

async fn load_into(ace: &Ace, output: Output, (contacts, to): (usize, Where)) -> anyhow::Result<Done> {
    if to == Where::Unused && !demo::is_unused(&ace.app).await? {
        return Ok(Done::NotHere);
    }
    let mut progress = |line: &str| output.progress(&format!("demo: {line}"));
    let loaded = demo::load(&ace.app, &ace.drivers, contacts, &mut progress).await?;
    Ok(if loaded { Done::Loaded } else { Done::WasThere })
}

/// Thousands of commits of nobody's data need not wait for the disk one by one. A crash loses the last moments only,
/// in their order, and the next load goes on from there.
fn in_a_hurry(options: &mut ConnectOptions) {
    for config in [&mut options.app, &mut options.public, &mut options.signin, &mut options.worker] {
        let given = config.get_options().unwrap_or_default().to_owned();
        config.options(format!("{given} -c synchronous_commit=off").trim());
    }
}

fn text(address: &str, password: &str, logins: &[Login]) -> String {
    let width = logins.iter().map(|login| login.email.len()).max().unwrap_or(0);
    let line = |login: &Login| format!("  {:width$}  {} of {}", login.email, login.role, login.of);
    let lines: Vec<String> = logins.iter().map(line).collect();
    format!("The demo is at {address}\nPassword of every login: {password}\n{}", lines.join("\n"))
}
