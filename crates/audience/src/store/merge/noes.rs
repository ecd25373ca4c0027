//! A no is a person's and not a row's. Whatever happens to the values of contacts that are there already, each no of the
//! file stops whoever it reaches: the contact of its row, and the same person under another code. A no that reaches nobody,
//! because its row is refused, is kept by address.

use std::collections::{BTreeMap, HashSet};

use database::{FromRow, Transaction};
use kernel::Result;
use uuid::Uuid;

use super::sql::{CONSENTS_OF_KNOWN, REACHED, STOP, SUPPRESS};
use crate::contacts::names::Name;
use crate::import::prepared::No;

/// Whom the no's of a chunk stopped.
#[derive(Debug, Default)]
pub(super) struct Stopped {
    /// Contacts and addresses that could be written to before.
    pub people: i64,
    /// Those of the contacts that rows of the chunk are about.
    pub known: HashSet<Uuid>,
}

#[derive(Debug, FromRow)]
struct Reached {
    line_number: i64,
    refused: bool,
    first_name: Option<String>,
    last_name: Option<String>,
    do_not_contact: bool,
    email_opt_out: bool,
    sms_opt_out: bool,
    id: Uuid,
    is_known: bool,
    is_same: bool,
    known_first: Option<String>,
    known_last: Option<String>,
    known_do_not_contact: bool,
    known_email_opt_out: bool,
    known_sms_opt_out: bool,
}

impl Reached {
    /// Whether the contact is the person who says no. One who only shares the address must have the whole name; for a row
    /// that is refused it is enough that the name is not clearly another.
    fn is_meant(&self) -> bool {
        let name = |first: &Option<String>, last: &Option<String>| {
            Name::of(first.as_deref().unwrap_or_default(), last.as_deref().unwrap_or_default())
        };
        let (own, known) = (name(&self.first_name, &self.last_name), name(&self.known_first, &self.known_last));
        let both_whole = own.is_whole() && known.is_whole();
        self.is_same || ((self.refused || both_whole) && !own.is_anothers(&known))
    }

    /// What is new for the contact, as in `FLAGS`.
    fn stops(&self) -> [bool; 3] {
        [
            self.do_not_contact && !self.known_do_not_contact,
            self.email_opt_out && !self.known_email_opt_out,
            self.sms_opt_out && !self.known_sms_opt_out,
        ]
    }
}

/// Takes the no's of the rows in `import_rows` and of refused ones.
pub(super) async fn take(
    tx: &Transaction,
    client_id: Uuid,
    (wording, user_id): (&str, Option<Uuid>),
    refused: &[No],
) -> Result<Stopped> {
    let reached = reached(tx, client_id, refused).await?;
    let (mut stops, mut stopped, mut kept): (BTreeMap<Uuid, [bool; 3]>, _, HashSet<u64>) =
        (BTreeMap::new(), Stopped::default(), HashSet::new());
    for one in reached.iter().filter(|one| one.is_meant()) {
        if one.refused {
            kept.insert(one.line_number as u64);
        }
        let new = one.stops();
        if new.contains(&true) {
            let all = stops.entry(one.id).or_default();
            *all = std::array::from_fn(|flag| all[flag] || new[flag]);
            stopped.known.extend(one.is_known.then_some(one.id));
        }
    }
    stop(tx, client_id, (wording, user_id), &stops).await?;
    let homeless: Vec<&No> = refused.iter().filter(|no| !kept.contains(&no.line)).collect();
    stopped.people = stops.len() as i64 + suppress(tx, client_id, &homeless).await?;
    Ok(stopped)
}

async fn reached(tx: &Transaction, client_id: Uuid, refused: &[No]) -> Result<Vec<Reached>> {
    let texts = |of: fn(&No) -> Option<&str>| refused.iter().map(of).collect::<Vec<Option<&str>>>();
    let stops = |flag: usize| refused.iter().map(|no| no.stops[flag]).collect::<Vec<bool>>();
    let lines: Vec<i64> = refused.iter().map(|no| no.line as i64).collect();
    let (first, last) = (texts(|no| Some(&no.names[0])), texts(|no| Some(&no.names[1])));
    let (email, match_key) = (texts(|no| no.email.as_deref()), texts(|no| no.match_key.as_deref()));
    let phone = texts(|no| no.numbers.first().map(String::as_str));
    let mobile = texts(|no| no.numbers.get(1).map(String::as_str));
    let [all, no_email, no_sms] = [0, 1, 2].map(stops);
    tx.query(
        &REACHED,
        &[&client_id, &lines, &first, &last, &email, &phone, &mobile, &match_key, &all, &no_email, &no_sms],
    )
    .await
}

async fn stop(
    tx: &Transaction,
    client_id: Uuid,
    (wording, user_id): (&str, Option<Uuid>),
    stops: &BTreeMap<Uuid, [bool; 3]>,
) -> Result<()> {
    if stops.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let ids: Vec<Uuid> = stops.keys().copied().collect();
    let [all, email, sms] = [0, 1, 2].map(|flag| stops.values().map(|stops| stops[flag]).collect::<Vec<bool>>());
    tx.execute(&STOP, &[&client_id, &ids, &all, &email, &sms, &now]).await?;
    let (mut people, mut channels) = (Vec::new(), Vec::new());
    for (id, stops) in stops {
        for (channel, _) in ["all", "email", "sms"].into_iter().zip(stops).filter(|(_, stops)| **stops) {
            people.push(*id);
            channels.push(channel);
        }
    }
    tx.execute(&CONSENTS_OF_KNOWN, &[&client_id, &wording, &user_id, &now, &people, &channels]).await.map(|_| ())
}

/// Keeps no's by address; how many addresses could be written to before.
async fn suppress(tx: &Transaction, client_id: Uuid, noes: &[&No]) -> Result<i64> {
    let (mut channels, mut addresses) = (Vec::new(), Vec::new());
    for no in noes {
        let [all, no_email, no_sms] = no.stops;
        let emails = no.email.iter().filter(|_| all || no_email).map(|email| ("email", email.as_str()));
        let numbers = no.numbers.iter().filter(|_| all || no_sms).map(|number| ("sms", number.as_str()));
        for (channel, address) in emails.chain(numbers) {
            channels.push(channel);
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Ok(0);
    }
    Ok(tx.execute(&SUPPRESS, &[&client_id, &tx.now(), &channels, &addresses]).await? as i64)
}
