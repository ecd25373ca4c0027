//! A chunk of an import on its way into the tables: copied into the transaction's own `import_rows`, which takes nobody's
//! turn, then merged by sets.
//!
//! Known contacts are looked up by sub-selects that yield one value: the planner can only answer them row by row from an
//! index. As joins, on tables that grew since they were last analysed, they became scans of all contacts for each row.

mod apart;
mod codes;
mod noes;
mod sql;

use std::collections::HashSet;

use database::{Statement, Transaction};
use kernel::{Result, new_id};
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::contacts::takes_unit_away;
use crate::import::Field;
use crate::import::options::{Dedupe, OnDuplicate};
use crate::import::prepared::{No, Prepared};
pub use apart::Apart;
use sql::{
    CONSENTS_OF_NEW, COPY_ROWS, COUNT_KNOWN, INSERT_KNOWN_MEMBERS, INSERT_NEW, INSERT_NEW_CAREFULLY,
    INSERT_NEW_MEMBERS, INSERT_TAGS, INSERT_TAGS_OF_STRANGERS, MADE_BY_STRANGERS, MATCH_BY_CODE, MATCH_BY_EMAIL,
    MATCH_BY_NAME_ADDRESS, MATCH_BY_PHONE, MATCH_LEFT_OUT, OTHER_STREETS, STAGE, TAKE_UNITS_AWAY, UPDATE_KNOWN,
    UPDATE_MATCH_KEYS,
};

/// The types of [`COPY_ROWS`].
const TYPES: [Type; 31] = [
    Type::UUID,
    Type::INT8,
    Type::UUID,
    Type::UUID,
    Type::TEXT,
    Type::TEXT,
    Type::BOOL,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::BOOL,
    Type::BOOL,
    Type::BOOL,
    Type::TEXT,
    Type::INT4,
    Type::JSONB,
    Type::TEXT,
    Type::TEXT_ARRAY,
];

/// Whose import it is and how it treats duplicates.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The client.
    pub client_id: Uuid,
    /// The list, if the contacts go to one.
    pub list_id: Option<Uuid>,
    /// Who started it.
    pub user_id: Option<Uuid>,
    /// What is kept as the source of a no.
    pub filename: &'a str,
    /// By what contacts are found.
    pub dedupe: Dedupe,
    /// What happens to those that are found.
    pub on_duplicate: OnDuplicate,
    /// Whether those with another name are somebody else.
    pub tells_apart: bool,
    /// Whether an earlier try met a code that somebody else took.
    pub carefully: bool,
}

/// What came of a chunk's rows.
#[derive(Debug, Default)]
pub struct Merged {
    /// Contacts created.
    pub created: i64,
    /// Contacts changed.
    pub updated: i64,
    /// Contacts left as they are.
    pub skipped: i64,
    /// Lines with the address of a contact of another name, kept as people of their own.
    pub apart: Vec<Apart>,
    /// People who were there before and whom the file's no's stopped.
    pub stopped: i64,
}

/// A known contact for whom the file has another first line of address.
#[derive(Debug, database::FromRow)]
struct OtherStreet {
    line_number: i64,
    old_street: String,
    new_street: String,
}

/// A contact whose name or address changed.
#[derive(Debug, database::FromRow)]
struct Changed {
    id: Uuid,
    first_name: Option<String>,
    last_name: Option<String>,
    address: Option<String>,
    address2: Option<String>,
    city: Option<String>,
    state: Option<String>,
    zip: Option<String>,
    country: Option<String>,
    match_key: Option<String>,
}

/// What is in the transaction's `import_rows`: what it takes to merge them.
#[derive(Debug, Clone, Copy)]
pub struct Staged {
    rows: usize,
    keys: bool,
    codes: bool,
    noes: bool,
    streets_alone: bool,
    tags: bool,
}

/// Copies the rows of a chunk into the transaction's own `import_rows`. Touches nothing that others see.
///
/// # Errors
/// What the database answered; the transaction must then not be committed.
pub async fn stage(tx: &Transaction, client_id: Uuid, (rows, noes): (&[Prepared], &[No])) -> Result<Staged> {
    if !rows.is_empty() || !noes.is_empty() {
        tx.execute(&STAGE, &[]).await?;
        copy(tx, client_id, rows).await?;
    }
    let street_alone = |row: &Prepared| !row.text(Field::Address).is_empty() && row.text(Field::Address2).is_empty();
    Ok(Staged {
        rows: rows.len(),
        keys: rows.iter().any(|row| row.key.is_some()),
        codes: rows.iter().any(|row| row.check_code),
        noes: !noes.is_empty() || rows.iter().any(|row| row.flags.contains(&Some(true))),
        streets_alone: rows.iter().any(street_alone),
        tags: rows.iter().any(|row| !row.tags.is_empty()),
    })
}

/// Writes what [`stage`] copied within `tx`, and takes the no's of refused rows.
///
/// # Errors
/// `Constraint` when somebody else took a code meanwhile, or what the database answered; the transaction must then not
/// be committed.
pub async fn merge(tx: &Transaction, target: Target<'_>, staged: Staged, noes: &[No]) -> Result<Merged> {
    if staged.rows == 0 && noes.is_empty() {
        return Ok(Merged::default());
    }
    let by_key: Option<&Statement> = match target.dedupe {
        Dedupe::Email => Some(&MATCH_BY_EMAIL),
        Dedupe::Phone => Some(&MATCH_BY_PHONE),
        Dedupe::NameAddress => Some(&MATCH_BY_NAME_ADDRESS),
        Dedupe::CustomerCode => None,
    };
    let mut apart = Vec::new();
    if let Some(statement) = by_key.filter(|_| staged.keys) {
        let found = tx.execute(statement, &[&target.client_id]).await?;
        if found > 0 && target.tells_apart {
            apart = apart::keep(tx, target.client_id).await?;
        }
    }
    if staged.codes || !apart.is_empty() {
        tx.execute(&MATCH_BY_CODE, &[&target.client_id]).await?;
    }
    let mut adopted = HashSet::new();
    if target.dedupe == Dedupe::CustomerCode && target.on_duplicate != OnDuplicate::Create {
        adopted = codes::adopt(tx, target.client_id).await?;
    }
    let merged = Merged { apart, ..write(tx, target, staged, (noes, adopted)).await? };
    let now = tx.now();
    if let Some(list_id) = target.list_id {
        let members: database::Params<'_> = &[&target.client_id, &list_id, &target.user_id, &now];
        // Known contacts first: the statement holds them before its trigger takes the list's row, as whoever deletes one
        // does. The new ones nobody else can have.
        if merged.created < staged.rows as i64 {
            tx.execute(&INSERT_KNOWN_MEMBERS, members).await?;
        }
        if merged.created > 0 {
            tx.execute(&INSERT_NEW_MEMBERS, members).await?;
        }
    }
    if staged.tags {
        let known_too = target.on_duplicate == OnDuplicate::Update;
        tx.execute(&INSERT_TAGS, &[&target.client_id, &target.user_id, &now, &known_too]).await?;
    }
    Ok(merged)
}

async fn write(
    tx: &Transaction,
    target: Target<'_>,
    staged: Staged,
    (noes, adopted): (&[No], HashSet<Uuid>),
) -> Result<Merged> {
    let (client_id, now) = (target.client_id, tx.now());
    let known: i64 = tx.query_scalar(&COUNT_KNOWN, &[&client_id]).await?;
    let wording = format!("Column of the imported file {}", target.filename);
    let (mut merged, mut changed) = (Merged::default(), HashSet::new());
    let all = target.on_duplicate == OnDuplicate::Update;
    // Whom only a stranger told of is not known yet: the file's word is the first.
    if known > 0 && (all || tx.query_scalar(&MADE_BY_STRANGERS, &[&client_id]).await?) {
        if staged.streets_alone {
            take_units_away(tx, client_id).await?;
        }
        if staged.tags && !all {
            tx.execute(&INSERT_TAGS_OF_STRANGERS, &[&client_id, &target.user_id, &now]).await?;
        }
        changed = update(tx, client_id, all).await?;
    }
    let new = staged.rows as i64 - known;
    if new > 0 {
        let insert = if target.carefully { &INSERT_NEW_CAREFULLY } else { &INSERT_NEW };
        merged.created = tx.execute(insert, &[&client_id, &target.user_id, &now]).await? as i64;
        if merged.created < new {
            tx.execute(&MATCH_LEFT_OUT, &[&client_id]).await?;
        }
        if staged.noes {
            tx.execute(&CONSENTS_OF_NEW, &[&client_id, &wording, &target.user_id, &now]).await?;
        }
    }
    if staged.noes {
        let stopped = noes::take(tx, client_id, (&wording, target.user_id), noes).await?;
        merged.stopped = stopped.people;
        changed.extend(stopped.known);
    }
    changed.extend(adopted);
    merged.updated = changed.len() as i64;
    merged.skipped = staged.rows as i64 - merged.created - merged.updated;
    Ok(merged)
}

/// Where the file has another street for a known contact, nothing of the old address stays below it.
async fn take_units_away(tx: &Transaction, client_id: Uuid) -> Result<()> {
    let others: Vec<OtherStreet> = tx.query(&OTHER_STREETS, &[&client_id]).await?;
    let moved = others.iter().filter(|other| takes_unit_away(&other.old_street, &other.new_street));
    let lines: Vec<i64> = moved.map(|other| other.line_number).collect();
    if !lines.is_empty() {
        tx.execute(&TAKE_UNITS_AWAY, &[&client_id, &lines]).await?;
    }
    Ok(())
}

/// Updates known contacts; which of them changed.
async fn update(tx: &Transaction, client_id: Uuid, all: bool) -> Result<HashSet<Uuid>> {
    let changed: Vec<Changed> = tx.query(&UPDATE_KNOWN, &[&client_id, &tx.now(), &all]).await?;
    let (mut ids, mut keys) = (Vec::new(), Vec::new());
    for contact in &changed {
        let text = |value: &'_ Option<String>| value.clone().unwrap_or_default();
        let (street, street2, city) = (text(&contact.address), text(&contact.address2), text(&contact.city));
        let (state, zip, country) = (text(&contact.state), text(&contact.zip), text(&contact.country));
        let address = kernel::postal::Address {
            street: &street,
            street2: &street2,
            city: &city,
            state: &state,
            zip: &zip,
            country: &country,
        };
        let key = crate::contacts::match_key(&text(&contact.first_name), &text(&contact.last_name), &address);
        if key != contact.match_key {
            ids.push(contact.id);
            keys.push(key);
        }
    }
    if !ids.is_empty() {
        tx.execute(&UPDATE_MATCH_KEYS, &[&client_id, &ids, &keys]).await?;
    }
    Ok(changed.into_iter().map(|contact| contact.id).collect())
}

async fn copy(tx: &Transaction, client_id: Uuid, rows: &[Prepared]) -> Result<()> {
    let writer = tx.copy_in(&COPY_ROWS, &TYPES).await?;
    let mut writer = std::pin::pin!(writer);
    for row in rows {
        let (line, member_id, custom) = (row.line as i64, new_id(), tokio_postgres::types::Json(&row.custom));
        let tags = (!row.tags.is_empty()).then_some(&row.tags);
        let mut values: Vec<&(dyn ToSql + Sync)> =
            vec![&client_id, &line, &row.id, &member_id, &row.key, &row.second_key, &row.check_code, &row.code];
        values.extend(row.texts.iter().map(|text| text as &(dyn ToSql + Sync)));
        values.extend(row.flags.iter().map(|flag| flag as &(dyn ToSql + Sync)));
        values.extend([&row.stage as &(dyn ToSql + Sync), &row.score, &custom, &row.match_key, &tags]);
        writer.as_mut().write(&values).await.map_err(|error| Transaction::copy_error(&error))?;
    }
    writer.finish().await.map_err(|error| Transaction::copy_error(&error))?;
    Ok(())
}
