//! Some rows that are written together: all of them or none.

use std::collections::HashMap;

use super::options::OnDuplicate;
use super::plan::Plan;
use super::prepared::{Prepared, Remark};
use super::preview::mostly_repeat;

/// Bytes of a chunk's text at which it is full, however few rows it has.
const FULL: usize = 8 * 1024 * 1024;

/// A chunk on its way to the database.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Rows to write, each contact once.
    pub rows: Vec<Prepared>,
    /// What there is to say of it beside its rows.
    pub tally: Tally,
    by_key: HashMap<String, usize>,
    by_code: HashMap<String, usize>,
    bytes: usize,
}

/// What a chunk of the file was made of.
#[derive(Debug, Default)]
pub struct Tally {
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
}

impl Tally {
    /// Whether so many of its rows repeat an earlier one that the file cannot be meant so. A few rows tell nothing.
    pub fn mostly_repeats(&self) -> bool {
        let rows = self.read - self.refused;
        rows >= 20 && mostly_repeat(rows, self.skipped + self.merged)
    }
}

impl Chunk {
    /// Whether the next row belongs to the next chunk.
    pub fn is_full(&self, batch_rows: usize) -> bool {
        self.tally.read as usize >= batch_rows || self.bytes >= FULL
    }

    /// Adds a row, or a refusal in its place.
    pub fn add(&mut self, row: Result<Prepared, Remark>, plan: &Plan) {
        self.tally.read += 1;
        match row {
            Ok(row) => {
                self.tally.last_line = row.line as i64;
                self.tally.flagged += i64::from(!row.remarks.is_empty());
                self.add_row(row, plan.on_duplicate);
            }
            Err(remark) => {
                self.tally.last_line = remark.line as i64;
                self.tally.refused += 1;
                self.bytes += remark.weight();
                self.tally.remarks.push(remark);
            }
        }
    }

    fn add_row(&mut self, mut row: Prepared, on_duplicate: OnDuplicate) {
        self.bytes += row.remarks.iter().map(Remark::weight).sum::<usize>();
        self.tally.remarks.append(&mut row.remarks);
        let by_key = row.keys().find_map(|key| self.by_key.get(key));
        let by_code = || self.by_code.get(&row.code).filter(|_| row.check_code);
        match (by_key.or_else(by_code).copied(), on_duplicate) {
            (None, _) => self.push(row),
            (Some(earlier), OnDuplicate::Update) => {
                self.bytes += row.weight();
                self.know(&row, earlier, !self.rows[earlier].check_code);
                self.rows[earlier].overlay(row);
                self.tally.merged += 1;
            }
            (Some(_), OnDuplicate::Skip | OnDuplicate::Create) => self.tally.skipped += 1,
        }
    }

    fn push(&mut self, row: Prepared) {
        self.bytes += row.weight();
        self.know(&row, self.rows.len(), true);
        self.rows.push(row);
    }

    /// Later rows with one of its keys, or its code if that is kept, are about the row at `index`.
    fn know(&mut self, row: &Prepared, index: usize, code_kept: bool) {
        for key in row.keys() {
            self.by_key.entry(key.clone()).or_insert(index);
        }
        if row.check_code && code_kept {
            self.by_code.entry(row.code.clone()).or_insert(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::field::Field;

    #[test]
    fn a_chunk_is_full_by_whatever_its_rows_are_made_of() {
        let text = "x".repeat(10_000);
        let fill: [fn(&mut Prepared, String); 4] = [
            |row, text| row.set(Field::Notes, text),
            |row, text| row.custom.insert("note".into(), text),
            |row, text| row.tags.push(text),
            |row, text| {
                row.remarks.push(Remark { line: 1, column: None, reason: "odd".into(), raw: text, refused: false });
            },
        ];
        for on_duplicate in [OnDuplicate::Skip, OnDuplicate::Update] {
            for (which, fill) in fill.iter().enumerate() {
                let mut chunk = Chunk::default();
                for line in 0..1000 {
                    let mut row = Prepared::empty(line);
                    row.key = Some(if on_duplicate == OnDuplicate::Update { "same".into() } else { line.to_string() });
                    fill(&mut row, text.clone());
                    chunk.add_row(row, on_duplicate);
                }
                assert!(chunk.is_full(usize::MAX), "{which} {on_duplicate:?}");
            }
        }
        let mut chunk = Chunk::default();
        (0..1000).for_each(|line| chunk.add_row(Prepared::empty(line), OnDuplicate::Skip));
        assert!(!chunk.is_full(usize::MAX));
    }
}
