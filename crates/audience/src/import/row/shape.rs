//! Whether a row is one of the table at all.

use kernel::{cells, email, phone};

use super::super::field::{Field, Target};
use super::super::prepared::Remark;
use super::super::rows::Row;
use super::super::{quotes, words};
use super::{Preparer, remark};

impl Preparer<'_> {
    /// Whether lines within a cell look like rows.
    pub(super) fn holds_rows(&self, row: &Row<'_>) -> bool {
        let delimiter = u8::try_from(self.plan.delimiter).unwrap_or(b',');
        quotes::row_lines(row.raw.as_bytes(), delimiter, self.plan.targets.len()).next().is_some()
    }

    /// Refuses rows that are no row of this table: with too many cells, or a note or a sum below it.
    pub(super) fn check_shape(&self, row: &Row<'_>) -> Result<(), Remark> {
        let columns = self.plan.targets.len();
        let refuse = |reason: String| Err(remark(row, None, reason, true));
        let sure = |(index, target): (usize, &Target)| match target {
            Target::Field(Field::Email) => email::normalise(&cells::restore(row.cell(index).trim())).is_some(),
            Target::Field(Field::Phone | Field::MobilePhone) => {
                let cell = cells::restore(row.cell(index).trim());
                phone::normalise(words::whole(&cell), phone::DEFAULT_REGION).is_some()
            }
            _ => false,
        };
        let names_somebody = || self.plan.targets.iter().enumerate().any(sure);
        let is_short = row.width() < columns;
        if !row.fits(columns) && (!is_short || !names_somebody()) {
            let cells = web::view::count(row.width(), "cell");
            return refuse(format!("{cells} where the header has {columns}"));
        }
        let first = row.cells().map(str::trim).find(|cell| !cell.is_empty()).unwrap_or_default();
        if columns > 1 && cells::is_total(first) && !names_somebody() {
            return refuse(format!("a line of totals ({}) and no person", words::shown(first)));
        }
        if self.is_note(row) {
            return refuse("a note beside the table and no person".to_owned());
        }
        Ok(())
    }

    /// Whether a row is nothing but a sentence or a moment in a column of names: what reports write below a table.
    fn is_note(&self, row: &Row<'_>) -> bool {
        let mut filled = row.cells().enumerate().filter(|(_, cell)| !cell.trim().is_empty());
        let (Some((index, cell)), None) = (filled.next(), filled.next()) else { return false };
        let is_name = matches!(
            self.plan.targets.get(index),
            Some(Target::Field(Field::FirstName | Field::LastName | Field::FullName | Field::Company))
        );
        let (cell, words) = (cell.trim(), cell.split_whitespace().count());
        let is_numbered = words > 2 && cell.contains(|c: char| c.is_ascii_digit());
        let is_marked = cell.starts_with(['*', '#', '•', '-', '–', '(', '>']) && words > 1;
        self.plan.targets.len() > 2 && is_name && (is_numbered || is_marked || words > 5)
    }
}
