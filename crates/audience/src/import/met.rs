//! Whom the rows so far are about: the same person again, or somebody else with the same address.

use std::collections::HashMap;

use super::prepared::Prepared;
use crate::contacts::names::{HOUSEHOLD, Name};

/// How the remark on a row ends that has somebody else's address.
pub const KEPT_APART: &str = "under another name: kept as another person";

/// Somebody with the same address or code as a row, and another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// The line they are on; none for a contact that was there before.
    pub line: Option<u64>,
    /// Their name as it is shown.
    pub name: String,
}

impl Other {
    /// What is said of a row that has their e-mail or phone.
    pub fn kept_apart(&self, kind: &str) -> String {
        format!("the {kind} of {} {KEPT_APART}", self.shown())
    }

    /// What is said of a row that has their code.
    pub fn refused_code(&self) -> String {
        format!("the customer code of {} under another name: a code is one person's", self.shown())
    }

    fn shown(&self) -> String {
        match self.line {
            Some(line) => format!("line {line} ({})", self.name),
            None => self.name.clone(),
        }
    }
}

/// What a row is to those before it.
#[derive(Debug, PartialEq, Eq)]
pub enum Is {
    /// About somebody new.
    New,
    /// About the person of an earlier row.
    Same(usize),
    /// About somebody new who has the address of that person.
    Apart(String, usize),
    /// About somebody else under that person's code.
    Taken(usize),
}

/// The keys and codes of the rows so far, each with the rows they stand for.
#[derive(Debug, Default)]
pub struct Met {
    by_key: HashMap<String, Vec<usize>>,
    by_code: HashMap<String, usize>,
}

impl Met {
    /// What a row is to those before it. `name` tells the names of those, where names count.
    pub fn find(&self, row: &Prepared, name: Option<&dyn Fn(usize) -> Name>) -> Is {
        let known = row.keys().filter_map(|key| self.by_key.get(key).map(|rows| (key, rows)));
        let by_code = || self.by_code.get(&row.code).copied().filter(|_| row.check_code);
        let Some(name) = name else {
            let first = known.filter_map(|(_, rows)| rows.first().copied()).next();
            return first.or_else(by_code).map_or(Is::New, Is::Same);
        };
        let mut own = None;
        let mut is_anothers = |index: usize| own.get_or_insert_with(|| row.name()).is_anothers(&name(index));
        let mut apart = None;
        for (key, rows) in known {
            match rows.iter().find(|index| !is_anothers(**index)) {
                Some(index) => return Is::Same(*index),
                None => apart = apart.or(rows.first().map(|index| (key.clone(), *index))),
            }
        }
        match (by_code(), apart) {
            (Some(index), _) if is_anothers(index) => Is::Taken(index),
            (Some(index), _) => Is::Same(index),
            (None, Some((key, index))) => Is::Apart(key, index),
            (None, None) => Is::New,
        }
    }

    /// Whether a code stands for somebody already.
    pub fn has_code(&self, code: &str) -> Option<usize> {
        self.by_code.get(code).copied()
    }

    /// Later rows with one of its keys, or its code if that is kept, are about the row at `index`.
    pub fn know(&mut self, row: &Prepared, index: usize, code_kept: bool) {
        for key in row.keys() {
            let rows = self.by_key.entry(key.clone()).or_default();
            if rows.len() < HOUSEHOLD && !rows.contains(&index) {
                rows.push(index);
            }
        }
        if row.check_code && code_kept {
            self.by_code.entry(row.code.clone()).or_insert(index);
        }
    }
}
