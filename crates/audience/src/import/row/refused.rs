//! The no in a row that is refused: who refuses has refused, whatever else is wrong with the line.

use kernel::cells;

use super::super::prepared::{No, Prepared};
use super::super::rows::Row;
use super::{Loose, Preparer, address};

impl Preparer<'_> {
    /// The no in a row that cannot be taken, if it has one and tells whose it is. Only what stands in its cells counts: an
    /// empty one may be missing.
    pub(super) fn no_of(&self, row: &Row<'_>) -> Option<No> {
        let (mut prepared, mut loose) = (Prepared::empty(row.line), Loose::default());
        if let Some(stops) = self.plan.everybody_stops() {
            prepared.stop(stops, true);
        }
        for index in 0..self.plan.targets.len() {
            let cell = cells::restore(row.cell(index).trim());
            let cell = cell.trim();
            // a cell that cannot be read is why the row is refused; the others still say whose the no is
            if !cell.is_empty() && self.take((&mut prepared, &mut loose), row, index, cell).is_err() {
                continue;
            }
        }
        if !prepared.flags.contains(&Some(true)) || self.take_spares(&mut prepared, &mut loose, row).is_err() {
            return None;
        }
        loose.settle(&mut prepared);
        address::join(&mut prepared, self.plan, row);
        address::split(&mut prepared);
        self.normalise(&mut prepared, row);
        No::of(&prepared)
    }
}
