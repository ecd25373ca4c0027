//! Some rows that are written together: all of them or none.

use super::met::{Is, Met, Other};
use super::options::OnDuplicate;
use super::prepared::{No, Prepared, Refused, Remark};
use super::preview::mostly_repeat;
use super::row::Preparer;

/// Bytes of a chunk's text at which it is full, however few rows it has.
const FULL: usize = 8 * 1024 * 1024;

/// A chunk on its way to the database.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Rows to write, each contact once.
    pub rows: Vec<Prepared>,
    /// The no's in its refused rows.
    pub noes: Vec<No>,
    /// What there is to say of it beside its rows.
    pub tally: Tally,
    met: Met,
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
    /// Rows that have an earlier one's address under another name.
    pub apart: i64,
    /// Refused rows that have an earlier one's code under another name.
    pub taken: i64,
    /// Rows whose no was taken over by an earlier row.
    pub stopped: i64,
    /// The last line it covers.
    pub last_line: i64,
    /// Bytes of the file read so far.
    pub bytes_read: i64,
}

impl Tally {
    /// Whether so many of its rows repeat an earlier one that the file cannot be meant so. A few rows tell nothing.
    pub fn mostly_repeats(&self) -> bool {
        let rows = self.read - self.refused + self.taken;
        rows >= 20 && mostly_repeat(rows, self.skipped + self.merged + self.apart + self.taken, self.apart)
    }
}

impl Chunk {
    /// Whether the next row belongs to the next chunk.
    pub fn is_full(&self, batch_rows: usize) -> bool {
        self.tally.read as usize >= batch_rows || self.bytes >= FULL
    }

    /// Adds a row, or a refusal in its place.
    pub fn add(&mut self, row: Result<Prepared, Refused>, preparer: &Preparer<'_>) {
        self.tally.read += 1;
        match row {
            Ok(row) => {
                self.tally.last_line = row.line as i64;
                self.add_row(row, preparer);
            }
            Err(refused) => self.refuse(refused),
        }
    }

    fn refuse(&mut self, Refused { remark, no }: Refused) {
        self.noes.extend(no.map(|no| *no));
        self.tally.last_line = remark.line as i64;
        self.tally.refused += 1;
        self.bytes += remark.weight();
        self.tally.remarks.push(remark);
    }

    fn add_row(&mut self, mut row: Prepared, preparer: &Preparer<'_>) {
        let name = |index: usize| self.rows[index].name();
        let earlier = match self.met.find(&row, preparer.plan().tells_apart().then_some(&name)) {
            Is::New => None,
            Is::Same(earlier) => Some(earlier),
            Is::Apart(key, other) => {
                self.tally.apart += 1;
                preparer.keep_apart(&mut row, &key, &self.other(other));
                self.met.has_code(&row.code)
            }
            Is::Taken(other) => {
                self.tally.taken += 1;
                return self.refuse(preparer.refuse_code(row, &self.other(other)));
            }
        };
        self.tally.flagged += i64::from(!row.remarks.is_empty());
        self.bytes += row.remarks.iter().map(Remark::weight).sum::<usize>();
        row.flagged = !row.remarks.is_empty();
        self.tally.remarks.append(&mut row.remarks);
        match (earlier, preparer.plan().on_duplicate) {
            (None, _) => {
                self.bytes += row.weight();
                self.met.know(&row, self.rows.len(), true);
                self.rows.push(row);
            }
            (Some(earlier), OnDuplicate::Update) => {
                self.bytes += row.weight();
                self.met.know(&row, earlier, !self.rows[earlier].check_code);
                self.rows[earlier].overlay(row);
                self.tally.merged += 1;
            }
            // values are left alone, a no is not
            (Some(earlier), OnDuplicate::Skip | OnDuplicate::Create) => {
                self.tally.stopped += i64::from(self.rows[earlier].take_noes(row.flags));
                self.tally.skipped += 1;
            }
        }
    }

    fn other(&self, index: usize) -> Other {
        let row = &self.rows[index];
        Other { line: Some(row.line), name: row.shown_name() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::field::Field;
    use crate::import::plan::Plan;
    use crate::import::row::tests::plan;

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
            let plan = Plan { on_duplicate, ..plan(&["email"]) };
            let preparer = Preparer::new(&plan, uuid::Uuid::nil());
            for (which, fill) in fill.iter().enumerate() {
                let mut chunk = Chunk::default();
                for line in 0..1000 {
                    let mut row = Prepared::empty(line);
                    row.key = Some(if on_duplicate == OnDuplicate::Update { "same".into() } else { line.to_string() });
                    fill(&mut row, text.clone());
                    chunk.add_row(row, &preparer);
                }
                assert!(chunk.is_full(usize::MAX), "{which} {on_duplicate:?}");
            }
        }
        let mut chunk = Chunk::default();
        let plan = plan(&["email"]);
        let preparer = Preparer::new(&plan, uuid::Uuid::nil());
        (0..1000).for_each(|line| chunk.add_row(Prepared::empty(line), &preparer));
        assert!(!chunk.is_full(usize::MAX));
    }
}
