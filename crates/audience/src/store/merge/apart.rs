//! Rows that were found by an e-mail or a phone, and whose names say that they are about somebody else: whoever of those
//! who share the address has the name, or somebody new.

use std::collections::HashMap;

use database::{FromRow, Transaction};
use kernel::{Result, new_id};
use uuid::Uuid;

use super::sql::{GIVE_TO, OTHER_NAMES, SHARING};
use crate::contacts::names::Name;
use crate::contacts::shown_name;
use crate::import::met::Other;

/// A row that has the address of a contact with another name.
#[derive(Debug)]
pub struct Apart {
    /// Its line.
    pub line: u64,
    /// The e-mail or the phone.
    pub address: String,
    /// The contact.
    pub other: Other,
}

#[derive(Debug, FromRow)]
struct Found {
    line_number: i64,
    dedupe_key: String,
    second_key: Option<String>,
    check_code: bool,
    first_name: Option<String>,
    last_name: Option<String>,
    known_first: Option<String>,
    known_last: Option<String>,
}

#[derive(Debug, FromRow)]
struct Sharing {
    address: String,
    id: Uuid,
    first_name: Option<String>,
    last_name: Option<String>,
}

fn name_of(first: Option<&str>, last: Option<&str>) -> Name {
    Name::of(first.unwrap_or_default(), last.unwrap_or_default())
}

/// Gives rows of another name to those they are about; answers those that are about nobody yet.
pub(super) async fn keep(tx: &Transaction, client_id: Uuid) -> Result<Vec<Apart>> {
    let found: Vec<Found> = tx.query(&OTHER_NAMES, &[&client_id]).await?;
    let others: Vec<(Found, Name)> = found
        .into_iter()
        .map(|row| {
            let own = name_of(row.first_name.as_deref(), row.last_name.as_deref());
            (row, own)
        })
        .filter(|(row, own)| own.is_anothers(&name_of(row.known_first.as_deref(), row.known_last.as_deref())))
        .collect();
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let sharing = sharing(tx, client_id, &others).await?;
    let (mut lines, mut known, mut ids, mut codes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut apart = Vec::new();
    for (row, own) in others {
        let addresses = [Some(&row.dedupe_key), row.second_key.as_ref()];
        let of = addresses.into_iter().flatten().filter_map(|address| sharing.get(address)).flatten();
        let id = of.filter(|(_, name)| !own.is_anothers(name)).map(|(id, _)| *id).next();
        let known_name = name_of(row.known_first.as_deref(), row.known_last.as_deref());
        // half a name against another is a correction, unless the file has both
        if id.is_none() && !row.check_code && !(own.is_whole() && known_name.is_whole()) {
            continue;
        }
        lines.push(row.line_number);
        known.push(id.is_some());
        ids.push(id.unwrap_or_else(new_id));
        codes.push(own.code(client_id, &row.dedupe_key));
        if id.is_none() {
            let shown = shown_name(
                row.known_first.as_deref().unwrap_or_default(),
                row.known_last.as_deref().unwrap_or_default(),
            );
            let other = Other { line: None, name: shown };
            apart.push(Apart { line: row.line_number as u64, address: row.dedupe_key, other });
        }
    }
    if lines.is_empty() {
        return Ok(apart);
    }
    tx.execute(&GIVE_TO, &[&client_id, &lines, &known, &ids, &codes]).await?;
    Ok(apart)
}

/// Those who share the addresses of some rows, the oldest first.
async fn sharing(
    tx: &Transaction,
    client_id: Uuid,
    rows: &[(Found, Name)],
) -> Result<HashMap<String, Vec<(Uuid, Name)>>> {
    let mut addresses: Vec<&String> =
        rows.iter().flat_map(|(row, _)| [Some(&row.dedupe_key), row.second_key.as_ref()]).flatten().collect();
    addresses.sort();
    addresses.dedup();
    let found: Vec<Sharing> = tx.query(&SHARING, &[&client_id, &addresses]).await?;
    let mut sharing: HashMap<String, Vec<(Uuid, Name)>> = HashMap::new();
    for one in found {
        let name = name_of(one.first_name.as_deref(), one.last_name.as_deref());
        sharing.entry(one.address).or_default().push((one.id, name));
    }
    Ok(sharing)
}
