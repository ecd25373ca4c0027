//! Some rows that are written together: all of them or none.

use std::collections::HashMap;

use super::options::{OnDuplicate, Plan};
use super::prepared::{Prepared, Remark};

/// Bytes of a chunk's text at which it is full, however few rows it has.
const FULL: usize = 8 * 1024 * 1024;

/// A chunk on its way to the database.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Rows to write, each contact once.
    pub rows: Vec<Prepared>,
    /// Refusals and remarks.
    pub remarks: Vec<Remark>,
    /// Rows seen.
    pub read: i64,
    /// Rows refused.
    pub refused: i64,
    /// Rows kept with a remark.
    pub flagged: i64,
    /// Rows that said the same as an earlier one.
    pub skipped: i64,
    /// Rows that were added to an earlier one.
    pub merged: i64,
    /// The last line it covers.
    pub last_line: i64,
    /// Bytes of the file read so far.
    pub bytes_read: i64,
    by_key: HashMap<String, usize>,
    by_code: HashMap<String, usize>,
    bytes: usize,
}

impl Chunk {
    /// Whether the next row belongs to the next chunk.
    pub fn is_full(&self, batch_rows: usize) -> bool {
        self.read as usize >= batch_rows || self.bytes >= FULL
    }

    /// Adds a row, or a refusal in its place.
    pub fn add(&mut self, row: Result<Prepared, Remark>, plan: &Plan) {
        self.read += 1;
        match row {
            Ok(row) => {
                self.last_line = row.line as i64;
                self.flagged += i64::from(!row.remarks.is_empty());
                self.add_row(row, plan.on_duplicate);
            }
            Err(remark) => {
                self.last_line = remark.line as i64;
                self.refused += 1;
                self.bytes += remark.raw.len();
                self.remarks.push(remark);
            }
        }
    }

    fn add_row(&mut self, mut row: Prepared, on_duplicate: OnDuplicate) {
        self.bytes += row.remarks.iter().map(|remark| remark.raw.len()).sum::<usize>() + 200;
        self.remarks.append(&mut row.remarks);
        let by_key = row.key.as_ref().and_then(|key| self.by_key.get(key));
        let by_code = || self.by_code.get(&row.code).filter(|_| row.check_code);
        match (by_key.or_else(by_code).copied(), on_duplicate) {
            (None, _) => self.push(row),
            (Some(earlier), OnDuplicate::Update) => {
                self.rows[earlier].overlay(row);
                self.merged += 1;
            }
            (Some(_), OnDuplicate::Skip | OnDuplicate::Create) => self.skipped += 1,
        }
    }

    fn push(&mut self, row: Prepared) {
        self.bytes += row.texts.iter().flatten().map(String::len).sum::<usize>();
        if let Some(key) = &row.key {
            self.by_key.insert(key.clone(), self.rows.len());
        }
        if row.check_code {
            self.by_code.insert(row.code.clone(), self.rows.len());
        }
        self.rows.push(row);
    }
}
