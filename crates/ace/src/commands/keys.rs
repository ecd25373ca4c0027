//! `ace keys`.

use accounts::actions::{NewApiKey, create_key, list_keys, revoke_key};
use accounts::api_key::{Mode, masked};
use kernel::Clock;
use kernel::page::{MAX_LIMIT, PageParams};
use kernel::settings::Loaded;
use serde_json::json;

use super::find::{self, operator};
use crate::assemble::{self, Ace};
use crate::cli::{KeysCreateArgs, KeysListArgs, KeysRevokeArgs};
use crate::output::Output;

/// Creates a key and shows it, this once.
///
/// # Errors
/// Names what was wrong.
pub async fn create(loaded: Loaded, args: &KeysCreateArgs, output: Output) -> anyhow::Result<()> {
    let ace = assemble::open(loaded, Clock::system()).await?;
    let mode = if args.test { Mode::Test } else { Mode::Live };
    let created = async {
        let client_id = find::client(&ace, &args.client).await?;
        let new = NewApiKey { name: &args.name, mode, scopes: &args.scopes, expires_at: None };
        anyhow::Ok(create_key(&ace.app, &operator(), client_id, &new).await?)
    }
    .await;
    ace.close().await;
    let created = created?;
    output.progress("Keep this key: it is shown this once.");
    output.result(&created.key, &json!({ "id": created.id, "key": created.key, "scopes": created.scopes }));
    Ok(())
}

/// Lists a client's keys, masked.
///
/// # Errors
/// When there is no such client.
pub async fn list(loaded: Loaded, args: &KeysListArgs, output: Output) -> anyhow::Result<()> {
    let ace = assemble::open(loaded, Clock::system()).await?;
    let listed = async {
        let client_id = find::client(&ace, &args.client).await?;
        let (mut keys, mut page) = (Vec::new(), PageParams { limit: Some(MAX_LIMIT), after: None });
        loop {
            let more = list_keys(&ace.app, &operator(), client_id, &page).await?;
            keys.extend(more.data);
            page.after = more.next;
            if page.after.is_none() {
                break anyhow::Ok(keys);
            }
        }
    }
    .await;
    ace.close().await;
    let keys = listed?;
    let state = |revoked: bool| if revoked { "revoked" } else { "live" };
    let lines: Vec<String> = keys
        .iter()
        .map(|key| {
            let shown = masked(&key.mode, &key.last_four);
            format!("{}  {shown}  {}  {}", key.id, state(key.revoked_at.is_some()), key.name)
        })
        .collect();
    let text = if lines.is_empty() { "no keys".to_owned() } else { lines.join("\n") };
    let data: Vec<_> = keys
        .iter()
        .map(|key| {
            json!({
                "id": key.id, "name": key.name, "key": masked(&key.mode, &key.last_four), "scopes": key.scopes,
                "created_at": key.created_at, "last_used_at": key.last_used_at, "expires_at": key.expires_at,
                "revoked_at": key.revoked_at,
            })
        })
        .collect();
    output.result(&text, &json!({ "data": data }));
    Ok(())
}

/// Revokes a key at once.
///
/// # Errors
/// When there is no such key.
pub async fn revoke(loaded: Loaded, args: &KeysRevokeArgs, output: Output) -> anyhow::Result<()> {
    let ace = assemble::open(loaded, Clock::system()).await?;
    let revoked = revoke_in(&ace, args).await;
    ace.close().await;
    revoked?;
    output.result(&format!("{} is revoked", args.key), &json!({ "id": args.key, "revoked": true }));
    Ok(())
}

async fn revoke_in(ace: &Ace, args: &KeysRevokeArgs) -> anyhow::Result<()> {
    let client_id = find::client(ace, &args.client).await?;
    revoke_key(&ace.app, &operator(), (client_id, args.key), &kernel::version::Expected::any()).await.map_err(|error| {
        match error {
            kernel::Error::NotFound => anyhow::anyhow!("there is no live key {} of this client", args.key),
            other => other.into(),
        }
    })
}
