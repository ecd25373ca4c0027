//! Rows with a code that nobody has yet: whoever is here under a code of ACE's own making, with the row's e-mail and name, is the
//! same person, and takes over the code that the client gives them. Two codes of the client's are two people.

use std::collections::HashSet;

use database::{FromRow, Transaction};
use kernel::{Result, email};
use uuid::Uuid;

use super::sql::{GIVE, TAKE_CODES, WITH_EMAIL};
use crate::contacts::is_made_code;
use crate::contacts::names::Name;

#[derive(Debug, FromRow)]
struct Found {
    line_number: i64,
    customer_code: String,
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
    id: Uuid,
    known_code: String,
    known_first: Option<String>,
    known_last: Option<String>,
}

impl Found {
    /// Whether both are one person: with the whole of one name, and one code of the client's.
    fn is_one(&self) -> bool {
        let name = |first: &Option<String>, last: &Option<String>| {
            Name::of(first.as_deref().unwrap_or_default(), last.as_deref().unwrap_or_default())
        };
        let (own, known) = (name(&self.first_name, &self.last_name), name(&self.known_first, &self.known_last));
        let one_code = is_made_code(&self.known_code) != is_made_code(&self.customer_code);
        one_code
            && own.is_whole()
            && known.is_whole()
            && !own.is_anothers(&known)
            && !email::is_placeholder(&self.email)
    }
}

/// Gives such rows to those they are about; who has another code now.
pub(super) async fn adopt(tx: &Transaction, client_id: Uuid) -> Result<HashSet<Uuid>> {
    let found: Vec<Found> = tx.query(&WITH_EMAIL, &[&client_id]).await?;
    let (mut lines, mut ids, mut people, mut codes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut given, mut taken) = (HashSet::new(), HashSet::new());
    for one in found.into_iter().filter(Found::is_one) {
        if given.contains(&one.line_number) {
            continue;
        }
        if !is_made_code(&one.customer_code) {
            // another row of the chunk has given them its code
            if !taken.insert(one.id) {
                continue;
            }
            people.push(one.id);
            codes.push(one.customer_code);
        }
        given.insert(one.line_number);
        lines.push(one.line_number);
        ids.push(one.id);
    }
    if !lines.is_empty() {
        tx.execute(&GIVE, &[&client_id, &lines, &ids]).await?;
    }
    if !people.is_empty() {
        tx.execute(&TAKE_CODES, &[&client_id, &people, &codes, &tx.now()]).await?;
    }
    Ok(people.into_iter().collect())
}
