//! Uploading card codes: a CSV with one card a line, all or nothing, with a report that names line and reason.
//!
//! Codes are sealed while the file is read. Nothing of a code leaves here but its last four characters.

mod cell;
mod columns;
mod read;
mod records;
mod rules;
mod states;
#[cfg(test)]
mod tests;
mod whole;

use std::collections::HashMap;
use std::io::Read;

use chrono::NaiveDate;
use database::{Audited, Transaction};
use kernel::keyring::Keyring;
use kernel::money::Money;
use kernel::{Actor, Error, FieldError, Result, new_id};
use messaging::card_code::{CardRef, Case, Part, fingerprint, last4, of_brand};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use crate::actions::quarantine;
use crate::actions::stock::fulfil_job;
use crate::store::arrivals::{self, Arrival, Columns};
use crate::store::pools::{self, Target};
use read::Line;
use rules::Rules;
use whole::Whole;

/// The most cards of one upload.
pub const MOST_CARDS: usize = 200_000;
/// The largest file.
pub const MOST_BYTES: u64 = 50_000_000;
/// Refused lines that are told; the number of all of them is told as well.
const MOST_TOLD: usize = 200;
/// The word for a code that the client holds already.
const EXISTS: &str = "exists";
/// Cards of one statement.
const CHUNK: usize = 5_000;

/// What became of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UploadReport {
    /// The pool.
    pub pool_id: Uuid,
    /// Lines with a card.
    pub read: usize,
    /// Cards put into the pool: all of them, or none.
    pub added: usize,
    /// Lines that were refused.
    pub refused: usize,
    /// The first 200 of them.
    pub problems: Vec<LineProblem>,
    /// Columns of the file that nothing was read from.
    pub ignored: Vec<String>,
}

/// Why a line was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineProblem {
    /// The line in the file, from 1.
    pub line: u64,
    /// The column.
    pub column: &'static str,
    /// A stable word.
    pub code: &'static str,
    /// What is wrong, for people.
    pub reason: String,
    /// The end of the card's code, where there is one.
    pub last4: String,
}

impl UploadReport {
    /// What happened, for people.
    pub fn sentence(&self) -> String {
        let came = self.came_of_it();
        if self.ignored.is_empty() {
            came
        } else {
            format!("{came} Nothing was read from: {}.", self.ignored.join(", "))
        }
    }

    fn came_of_it(&self) -> String {
        match self.refused {
            0 if self.added == 1 => "1 card was added.".to_owned(),
            0 => format!("{} were added.", web::view::count(self.added, "card")),
            1 => {
                format!("1 of {} was refused. Mend it and upload the file again.", web::view::count(self.read, "line"))
            }
            refused => format!(
                "{refused} of {} were refused. Mend them and upload the file again.",
                web::view::count(self.read, "line")
            ),
        }
    }

    /// The report as an error when the upload was refused: for programs, and for forms.
    ///
    /// # Errors
    /// `Invalid`, one entry for each told line.
    pub fn into_result(self) -> Result<Self> {
        if self.refused == 0 {
            return Ok(self);
        }
        let told = self.problems.into_iter().map(|problem| FieldError {
            field: format!("lines/{}/{}", problem.line, problem.column),
            code: problem.code,
            message: problem.reason,
        });
        Err(Error::Invalid(told.collect()))
    }
}

/// A card ready to be written.
struct SealedCard {
    line: u64,
    id: Uuid,
    code: String,
    pin: Option<String>,
    fingerprint: [u8; 32],
    /// The fingerprint of the code in upper case.
    folded: [u8; 32],
    last4: String,
    number: Option<String>,
    cost: Option<Money>,
    expires_at: Option<NaiveDate>,
}

/// Everything read from a file.
#[derive(Default)]
struct FileRead {
    /// Lines with a card, refused ones included.
    read: usize,
    /// Those that nothing is wrong with.
    cards: Vec<SealedCard>,
    problems: Vec<LineProblem>,
    ignored: Vec<String>,
}

/// Puts the cards of a CSV into a pool: all of them, or none. A refusal is audited: a file of guesses leaves a trace.
///
/// # Errors
/// `NotFound` for a pool out of reach, a conflict for one that is archived, `file` when it is no CSV with a column `code`. Refused lines are no error: see
/// the report.
pub async fn run<R: Read + Send + 'static>(app: &App, actor: &Actor, pool_id: Uuid, reader: R) -> Result<UploadReport> {
    let target = pools::target(&app.scope(actor), pool_id, app.clock.now()).await?;
    if target.is_archived {
        return Err(archived());
    }
    let rules = Rules::new(&target)?;
    let (shared, of) = (app.clone(), Of::new(&target));
    let reading = app.work.read_file(move || read_all(reader, &rules, &shared.keyring, of));
    let FileRead { read, cards, problems, ignored } = reading.await??;
    let report = match problems.is_empty() {
        true => write(app, actor, (pool_id, &target), cards).await?,
        false => report(pool_id, read, problems),
    };
    let report = UploadReport { ignored, ..report };
    if report.refused > 0 {
        record_refusal(app, actor, (pool_id, target.client_id), &report).await?;
    }
    Ok(report)
}

fn archived() -> Error {
    Error::conflict("pool_archived", "this pool is archived: bring it back, and upload again")
}

fn report(pool_id: Uuid, read: usize, mut problems: Vec<LineProblem>) -> UploadReport {
    problems.sort_by_key(|problem| problem.line);
    let refused = problems.len();
    problems.truncate(MOST_TOLD);
    UploadReport { pool_id, read, added: 0, refused, problems, ignored: Vec::new() }
}

async fn record_refusal(
    app: &App,
    actor: &Actor,
    (pool_id, client_id): (Uuid, Option<Uuid>),
    report: &UploadReport,
) -> Result<()> {
    let known = report.problems.iter().filter(|problem| problem.code == EXISTS).count();
    let tx = app.scope(actor).transaction().await?;
    let after = json!({ "read": report.read, "refused": report.refused, "known": known });
    let what = Audited { client_id, after: Some(after), ..Audited::default() };
    tx.audit("cards.upload_refused", "gift_card_pools", Some(pool_id), what).await?;
    tx.commit().await
}

/// Whose cards a file brings.
#[derive(Debug, Clone, Copy)]
struct Of {
    client_id: Option<Uuid>,
    brand_id: Uuid,
    case: Case,
}

impl Of {
    fn new(target: &Target) -> Self {
        let case = Case::of_pattern(target.code_pattern.as_deref());
        Self { client_id: target.client_id, brand_id: target.brand_id, case }
    }
}

fn read_all(reader: impl Read, rules: &Rules, keyring: &Keyring, of: Of) -> Result<FileRead> {
    let (header, lines) = read::lines(reader)?;
    let mut whole = Whole::new(header);
    let mut read = FileRead { ignored: whole.ignored(), ..FileRead::default() };
    let mut seen: HashMap<[u8; 32], u64> = HashMap::new();
    for line in lines {
        let line = line?;
        if read.read == MOST_CARDS {
            return Err(Error::invalid("file", format!("use at most {MOST_CARDS} cards at once")));
        }
        read.read += 1;
        whole.look_at(&line, rules);
        let found = rules.check(&line);
        if !found.is_empty() {
            // what is refused is not worth the sealing
            read.problems.extend(found);
            continue;
        }
        let card = seal(&line, keyring, of)?;
        if let Some(first) = seen.insert(card.fingerprint, line.number) {
            read.problems.push(line.problem("code", "duplicate", format!("the same code as in line {first}")));
        }
        read.cards.push(card);
    }
    if read.read == 0 {
        return Err(Error::invalid("file", "there is no card in this file"));
    }
    read.problems.extend(whole.problems(rules)?);
    Ok(read)
}

fn seal(line: &Line, keyring: &Keyring, of: Of) -> Result<SealedCard> {
    let id = new_id();
    let card = CardRef { client_id: of.client_id, card_id: id };
    let pin = if line.pin.is_empty() { None } else { Some(card.seal(keyring, Part::Pin, &line.pin)?) };
    let print = |case| of_brand(of.brand_id, fingerprint(keyring, &line.code, case));
    Ok(SealedCard {
        line: line.number,
        id,
        code: card.seal(keyring, Part::Code, &line.code)?,
        pin,
        fingerprint: print(of.case),
        folded: print(Case::Ignored),
        last4: last4(&line.code),
        number: Some(line.card_number.clone()).filter(|number| !number.is_empty()),
        cost: line.cost(),
        expires_at: line.expiry(),
    })
}

/// One transaction. The pool is locked last, so that claims go on while the cards are written.
async fn write(
    app: &App,
    actor: &Actor,
    (pool_id, target): (Uuid, &Target),
    mut cards: Vec<SealedCard>,
) -> Result<UploadReport> {
    let read = cards.len();
    // in one order everywhere: two uploads of the same codes wait for each other instead of deadlocking
    cards.sort_by_key(|card| card.fingerprint);
    let tx = app.scope(actor).transaction().await?;
    let (mut problems, mut quarantined) = (Vec::new(), 0);
    for chunk in cards.chunks(CHUNK) {
        let written = write_chunk(&tx, (pool_id, target), chunk).await?;
        problems.extend(written.known);
        quarantined += written.quarantined;
    }
    if !problems.is_empty() {
        // dropped without a commit: nothing was written
        return Ok(report(pool_id, read, problems));
    }
    pools::lock(&tx, pool_id).await?;
    if !pools::add(&tx, pool_id, i32::try_from(read).map_err(Error::internal)?).await? {
        return Err(archived());
    }
    pools::mend_promises(&tx, pool_id).await?;
    quarantine::tell(&tx, (pool_id, target.client_id), quarantined).await?;
    let what = Audited { client_id: target.client_id, after: Some(json!({ "cards": read })), ..Audited::default() };
    tx.audit("cards.uploaded", "gift_card_pools", Some(pool_id), what).await?;
    if let Some(client_id) = target.client_id {
        jobs::enqueue(&tx, &fulfil_job(client_id, pool_id)).await?;
    }
    tx.commit().await?;
    Ok(UploadReport { pool_id, read, added: read, refused: 0, problems: Vec::new(), ignored: Vec::new() })
}

/// What became of a chunk.
struct Written {
    /// Lines whose code the client holds already.
    known: Vec<LineProblem>,
    /// Cards that another client holds.
    quarantined: usize,
}

/// Writes cards. What cannot be live because another client holds it is set aside, and the uploader is told nothing.
async fn write_chunk(tx: &Transaction, (pool_id, target): (Uuid, &Target), chunk: &[SealedCard]) -> Result<Written> {
    let case_folded = Case::of_pattern(target.code_pattern.as_deref()) == Case::Ignored;
    let (to, value) = ((target.client_id, pool_id), target.value_amount);
    let live = Arrival { value, case_folded, quarantined: false };
    let taken = arrivals::insert_many(tx, to, live, &columns(chunk.iter())).await?;
    let missing: Vec<&SealedCard> = chunk.iter().filter(|card| !taken.contains(&card.id)).collect();
    if missing.is_empty() {
        return Ok(Written { known: Vec::new(), quarantined: 0 });
    }
    let aside = Arrival { quarantined: true, ..live };
    let set_aside = arrivals::insert_many(tx, to, aside, &columns(missing.iter().copied())).await?;
    let known = missing.iter().filter(|card| !set_aside.contains(&card.id));
    let known = known.map(|card| LineProblem {
        line: card.line,
        column: "code",
        code: EXISTS,
        reason: "you uploaded this code before".into(),
        last4: card.last4.clone(),
    });
    Ok(Written { known: known.collect(), quarantined: set_aside.len() })
}

fn columns<'a>(cards: impl Iterator<Item = &'a SealedCard>) -> Columns {
    let mut columns = Columns::default();
    for card in cards {
        columns.ids.push(card.id);
        columns.codes.push(card.code.clone());
        columns.pins.push(card.pin.clone());
        columns.fingerprints.push(card.fingerprint.to_vec());
        columns.last4.push(card.last4.clone());
        columns.numbers.push(card.number.clone());
        columns.costs.push(card.cost);
        columns.expiries.push(card.expires_at);
        columns.folded.push(card.folded.to_vec());
    }
    columns
}
