//! `ace user`.

use std::io::{BufRead, IsTerminal};

use accounts::actions::{NewUser, create_user, reset_second_factor_of};
use anyhow::Context;
use kernel::Clock;
use kernel::role::Role;
use kernel::settings::Loaded;
use serde_json::json;

use super::find::{self, operator};
use crate::assemble::{self, Ace};
use crate::cli::{UserCreateArgs, UserResetArgs};
use crate::output::Output;

/// Creates a user who can sign in.
///
/// # Errors
/// Names what was wrong.
pub async fn create(loaded: Loaded, args: &UserCreateArgs, output: Output) -> anyhow::Result<()> {
    let role: Role = args.role.parse().map_err(|_| {
        let words: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        anyhow::anyhow!("--role: {:?} is none of {}", args.role, words.join(", "))
    })?;
    let password = password(args, output)?;
    let ace = assemble::open(loaded, Clock::system()).await?;
    let created = create_in(&ace, args, role, &password).await;
    let public_url = ace.app.settings.server.public_url.clone();
    ace.close().await;
    let id = created?;
    let text = format!("{} can sign in at {public_url}/sign-in as {role} (id {id})", args.email);
    output.result(&text, &json!({ "id": id, "email": args.email, "role": role }));
    Ok(())
}

/// Takes somebody's second factor away.
///
/// # Errors
/// When nobody has the address, or they have none.
pub async fn reset_second_factor(loaded: Loaded, args: &UserResetArgs, output: Output) -> anyhow::Result<()> {
    let ace = assemble::open(loaded, Clock::system()).await?;
    let done = reset_second_factor_of(&ace.app, &operator(), &args.email).await;
    ace.close().await;
    match done {
        Err(kernel::Error::NotFound) => anyhow::bail!("--email: there is nobody with the address {:?}", args.email),
        other => other?,
    }
    let text = format!("{} signs in with the password alone, until they set up a second factor again", args.email);
    output.result(&text, &json!({ "email": args.email }));
    Ok(())
}

async fn create_in(ace: &Ace, args: &UserCreateArgs, role: Role, password: &str) -> anyhow::Result<uuid::Uuid> {
    let org_id = match &args.org {
        Some(typed) => Some(find::organization(ace, typed).await?),
        // The operator's own people belong to the operator.
        None if matches!(role, Role::Admin | Role::TechSupport) => Some(find::internal_organization(ace).await?),
        None => None,
    };
    let client_id = match &args.client {
        Some(typed) => Some(find::client(ace, typed).await?),
        None => None,
    };
    let new = NewUser {
        email: &args.email,
        full_name: args.name.as_deref().unwrap_or_default(),
        role,
        org_id,
        client_id,
        password: Some(password),
    };
    Ok(create_user(&ace.app, &operator(), &new).await?)
}

/// The first line of standard input: a password on the command line would stand in the shell's history.
fn password(args: &UserCreateArgs, output: Output) -> anyhow::Result<String> {
    if !args.password_stdin {
        anyhow::ensure!(std::io::stdin().is_terminal(), "give the password on standard input with --password-stdin");
        output.progress("Password (shown while you type):");
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("standard input")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    anyhow::ensure!(!password.is_empty(), "standard input has no password");
    Ok(password)
}
