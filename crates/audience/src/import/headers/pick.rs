//! Which of the columns that could be a field is taken for it, which stand in for it, and which are asked about.

use std::collections::{BTreeMap, HashSet};

use kernel::phone::DEFAULT_REGION;

use super::super::field::{Field, Target};
use super::super::words;
use super::consent::{self, Says};
use super::knowledge::{self, role};
use super::name::{self, Meant};
use super::{Ask, Channel, refusal};
use crate::contacts::code_from;

/// Below this a guess is not offered.
const ENOUGH: u8 = 50;

/// What was picked, column by column.
pub struct Picked {
    /// The field a column is taken for, with the confidence.
    pub chosen: Vec<Option<(Field, u8)>>,
    /// What is asked about it.
    pub asks: Vec<Option<Ask>>,
    /// Columns that stand in where a row leaves the chosen ones empty.
    pub spares: Vec<Vec<(usize, Target)>>,
}

/// A column that could be a field.
struct Candidate {
    column: usize,
    meant: Meant,
}

/// Picks among the columns.
pub fn pick(headers: &[String], samples: &[Vec<String>]) -> Picked {
    let none = Vec::new();
    let mut picked = Picked { chosen: vec![None; headers.len()], asks: vec![None; headers.len()], spares: Vec::new() };
    let mut candidates = Vec::new();
    let vorname = headers.iter().any(|header| matches!(knowledge::title(header).as_str(), "vorname" | "prenom"));
    let by_post = headers.iter().any(|header| matches!(knowledge::title(header).as_str(), "mail city" | "mail zip"));
    for (column, header) in headers.iter().enumerate() {
        if super::is_own_key(header) || super::is_middle(header) {
            continue;
        }
        let cells = samples.get(column).unwrap_or(&none);
        let restored: Vec<_> = cells.iter().map(|cell| kernel::cells::restore(cell.trim())).collect();
        let filled: Vec<&str> = restored.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
        if let Some(found) = about_consent(header, (&filled, cells.len())) {
            (picked.chosen[column], picked.asks[column]) = found;
            continue;
        }
        let Some(mut meant) = name::meant(header).or_else(|| by_cells(header, &filled)) else { continue };
        if vorname && knowledge::title(header) == "name" {
            meant.field = Field::LastName;
        }
        if by_post && knowledge::title(header) == "mail address" {
            meant = Meant { field: Field::Address, block: "mail".into(), ..meant };
        }
        match check(&meant, header, &filled) {
            Check::Sure(sure) if sure >= ENOUGH => {
                candidates.push(Candidate { column, meant: Meant { sure, ..meant } })
            }
            Check::Ask => picked.asks[column] = Some(Ask::Code),
            Check::Sure(_) => {}
        }
    }
    addresses(&mut picked, &candidates, samples);
    others(&mut picked, &candidates);
    if picked.chosen.iter().flatten().any(|(field, _)| *field == Field::CustomerCode) {
        picked.asks.iter_mut().filter(|ask| **ask == Some(Ask::Code)).for_each(|ask| *ask = None);
    }
    picked
}

/// Whether a column of that name may say who may not be written to, if its cells do. A clear name says it by itself.
pub fn may_refuse(header: &str) -> bool {
    let name = knowledge::title(header);
    match consent::named(&name) {
        Some(named) => !named.clear,
        None => consent::detailed(&name).is_some() || consent::may_answer(&name, is_channel(header)),
    }
}

type Found = (Option<(Field, u8)>, Option<Ask>);

/// A column about consent: taken where name and cells are clear, asked about where they are not.
fn about_consent(header: &str, (filled, rows): (&[&str], usize)) -> Option<Found> {
    let name = knowledge::title(header);
    let refusals = filled.iter().any(|cell| refusal::of(cell).is_some());
    // nothing but refusals: who has none has not refused, and each stops what it says
    let only_refusals = refusals && filled.iter().all(|cell| !refusal::within(cell).is_empty());
    let named = match consent::named(&name) {
        Some(named) if only_refusals && !named.clear => {
            let stops = named.field.stops().filter(|stops| *stops != Field::DoNotContact)?;
            return Some((Some((stops, 90)), None));
        }
        Some(named) => named,
        None if only_refusals || is_tags(header) || (refusals && filled.len() * 2 < rows) => return None,
        // no name of consent, yet somebody in it has refused
        None if refusals && !holds_text(header) => consent::Named { field: Field::EmailOptIn, clear: false },
        None if consent::is_answered(filled) && consent::detailed(&name).is_some() => {
            consent::detailed(&name).unwrap_or(consent::Named { field: Field::MayContact, clear: false })
        }
        None => {
            let field = consent::answered(&name, is_channel(header), filled)?;
            return Some((None, Some(Ask::Consent(channel(field)))));
        }
    };
    let share =
        |clear: &dyn Fn(&str) -> bool| filled.iter().filter(|cell| clear(cell)).count() * 100 / filled.len().max(1);
    let read = share(&|cell| consent::says(named.field, cell) != Says::Unclear);
    if !named.clear && !refusals && read < 20 && consent::describes(&name) {
        return None;
    }
    let readable = read >= 80;
    let speaks = !filled.is_empty() && share(&consent::speaks) >= 80;
    if (named.clear && (readable || filled.is_empty())) || speaks {
        let field = if speaks && !named.clear { allowing(named.field) } else { named.field };
        return Some((Some((field, if named.clear { 100 } else { 90 })), None));
    }
    if filled.is_empty() {
        return None;
    }
    Some((None, Some(Ask::Consent(channel(named.field)))))
}

fn channel(field: Field) -> Channel {
    match field.stops() {
        Some(Field::DoNotContact) => Channel::All,
        Some(Field::SmsOptOut) => Channel::Sms,
        _ => Channel::Email,
    }
}

/// A column of tags stays one: each of its cells may hold a refusal among others.
fn is_tags(header: &str) -> bool {
    name::meant(header).is_some_and(|meant| meant.field == Field::Tags)
}

/// Columns called like an address or a number to write to. Yes and no in them are neither.
fn is_channel(header: &str) -> bool {
    name::meant(header).is_some_and(|meant| matches!(meant.field, Field::Email | Field::Phone | Field::MobilePhone))
}

fn allowing(field: Field) -> Field {
    Field::STOPS.iter().zip(Field::ALLOWS).find(|(stops, _)| **stops == field).map_or(field, |(_, allows)| allows)
}

/// Columns that hold what people write: a word in them is no answer.
fn holds_text(header: &str) -> bool {
    name::meant(header).is_some_and(|meant| !matches!(meant.field, Field::LifecycleStage | Field::Tags))
}

/// A strange header over cells that can be only one thing.
fn by_cells(header: &str, filled: &[&str]) -> Option<Meant> {
    let name = knowledge::title(header);
    if name.is_empty()
        || filled.is_empty()
        || name
            .split(' ')
            .any(|word| role("others").iter().any(|known| known == word || word.strip_suffix('s') == Some(known)))
    {
        return None;
    }
    let share = |looks: fn(&str) -> bool| filled.iter().filter(|cell| looks(cell)).count() * 100 / filled.len();
    let meant = |field, sure| Some(Meant { field, block: name.clone(), sure });
    if share(|cell| kernel::email::normalise(cell).is_some()) >= 80 {
        return meant(Field::Email, 80);
    }
    // bare digits are as often an account
    let punctuated = |cell: &str| {
        cell.contains(['(', ')', '-', '.', '+', ' ', '/']) && kernel::phone::normalise(cell, DEFAULT_REGION).is_some()
    };
    if share(punctuated) >= 80 {
        return meant(Field::Phone, 60);
    }
    None
}

enum Check {
    Sure(u8),
    Ask,
}

/// Whether the cells of a column can be what its name says.
fn check(meant: &Meant, header: &str, filled: &[&str]) -> Check {
    let sure = Check::Sure(meant.sure);
    if filled.is_empty() {
        return sure;
    }
    let share = |looks: &dyn Fn(&str) -> bool| filled.iter().filter(|cell| looks(cell)).count() * 100 / filled.len();
    let phone =
        |cell: &str| kernel::phone::normalise(cell, DEFAULT_REGION).is_some() || cell.starts_with(['+', '\'', '0']);
    let looks = match meant.field {
        Field::CustomerCode => return code(header, filled),
        Field::Email => share(&|cell| cell.contains('@') || kernel::email::is_placeholder(cell)),
        Field::Phone | Field::MobilePhone => {
            share(&|cell| phone(cell) || cell.bytes().filter(u8::is_ascii_digit).count() >= 7)
        }
        Field::Zip => share(&|cell| cell.contains(|c: char| c.is_ascii_digit())),
        Field::FirstName | Field::LastName | Field::FullName | Field::City if meant.sure < 100 => {
            share(&|cell| !looks_like_day(cell))
        }
        Field::LifecycleStage if meant.sure < 100 => share(&|cell| words::stage(cell).is_some()),
        Field::JobTitle => 100 - share(&|cell| is_honorific(cell)),
        Field::LeadScore => share(&|cell| cell.parse::<i32>().is_ok_and(|score| (0..=100).contains(&score))),
        _ => 100,
    };
    match looks {
        // A header that promises e-mails over cells that hold none is a question, not an answer.
        0..30 => Check::Sure(
            if meant.sure >= 95 && matches!(meant.field, Field::Email | Field::Phone | Field::MobilePhone | Field::Zip)
            {
                60
            } else {
                0
            },
        ),
        80.. if meant.sure > 80 && matches!(meant.field, Field::Email | Field::Phone | Field::MobilePhone) => {
            Check::Sure(meant.sure.max(90))
        }
        _ => sure,
    }
}

/// A code is taken by itself only where its cells look like keys: distinct, and able to be codes.
fn code(header: &str, filled: &[&str]) -> Check {
    let name = knowledge::title(header);
    let own = name == "customer code" || name == "code";
    let codes: Vec<String> = filled.iter().map(|cell| code_from(words::whole(cell))).collect();
    let distinct = codes.iter().collect::<HashSet<_>>().len();
    let fits = codes.iter().filter(|code| crate::contacts::is_customer_code(code)).count();
    let too_short = filled.iter().any(|cell| cell.len() < 3 && cell.bytes().all(|b| b.is_ascii_alphanumeric()));
    let repeats = filled.len() > 1 && (distinct * 5 < filled.len() * 4 || (distinct <= 2 && filled.len() > 3));
    match () {
        () if repeats => Check::Ask,
        () if own => Check::Sure(100),
        // 1 to 12: a row's number or a code too short to be kept as one
        () if too_short || fits * 5 < filled.len() * 4 => Check::Sure(0),
        () => Check::Sure(95),
    }
}

fn looks_like_day(cell: &str) -> bool {
    cell.chars().filter(char::is_ascii_digit).count() * 2 > cell.chars().count()
}

fn is_honorific(cell: &str) -> bool {
    matches!(
        cell.trim_end_matches('.').to_lowercase().as_str(),
        "mr" | "mrs" | "ms" | "miss" | "dr" | "herr" | "frau" | "mme" | "m" | "mlle" | "prof" | "rev" | "sr" | "sra"
    )
}

/// Takes one block of address columns: of those with a street in them the one where people get their mail. Where a row
/// leaves it empty, the next one that it fills stands in.
fn addresses(picked: &mut Picked, candidates: &[Candidate], samples: &[Vec<String>]) {
    let mut blocks: BTreeMap<&str, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates.iter().filter(|candidate| candidate.meant.field.is_address()) {
        blocks.entry(candidate.meant.block.as_str()).or_default().push(candidate);
    }
    let filled = |candidate: &&Candidate| {
        samples.get(candidate.column).map_or(0, |cells| cells.iter().filter(|cell| !cell.trim().is_empty()).count())
    };
    let streets = |block: &[&Candidate]| block.iter().filter(|one| one.meant.field == Field::Address).map(filled).max();
    let rank = |name: &str| role("blocks").iter().position(|known| known == name).unwrap_or(usize::MAX);
    let mut order: Vec<(&str, Vec<&Candidate>)> = blocks.into_iter().collect();
    // a block without a street is none; it still lends what the others lack
    let emptiness = |block: &[&Candidate]| match streets(block) {
        Some(1..) => 0,
        Some(0) => 1,
        None => 2,
    };
    order.sort_by_key(|(name, block)| (emptiness(block), rank(name)));
    for (index, (_, block)) in order.iter().enumerate() {
        let is_spare = index > 0 && streets(block).is_some();
        if is_spare {
            picked.spares.push(block.iter().map(|one| (one.column, Target::Field(one.meant.field))).collect());
            continue;
        }
        for candidate in block {
            take(picked, candidate);
        }
    }
}

fn others(picked: &mut Picked, candidates: &[Candidate]) {
    let mut rest: Vec<&Candidate> = candidates.iter().filter(|candidate| !candidate.meant.field.is_address()).collect();
    let has = |field| candidates.iter().any(|candidate| candidate.meant.field == field);
    if has(Field::FirstName) && has(Field::LastName) {
        rest.retain(|candidate| candidate.meant.field != Field::FullName);
    }
    rest.sort_by_key(|candidate| (u8::MAX - candidate.meant.sure, candidate.column));
    for candidate in rest {
        let (column, field) = (candidate.column, candidate.meant.field);
        if !take(picked, candidate) && matches!(field, Field::Email | Field::Phone | Field::MobilePhone) {
            picked.spares.push(vec![(column, Target::Field(field))]);
        }
    }
}

/// Whether the column could be taken for its field: each field is suggested once.
fn take(picked: &mut Picked, candidate: &Candidate) -> bool {
    let field = candidate.meant.field;
    let taken = picked.chosen.iter().flatten().any(|(other, _)| clash(*other, field));
    if !taken && picked.chosen[candidate.column].is_none() {
        picked.chosen[candidate.column] = Some((field, candidate.meant.sure));
        return true;
    }
    false
}

/// A full name beside a first or last name says the same twice.
fn clash(one: Field, other: Field) -> bool {
    let part = |field| matches!(field, Field::FirstName | Field::LastName);
    one == other || (one == Field::FullName && part(other)) || (other == Field::FullName && part(one))
}
