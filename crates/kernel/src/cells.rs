//! Cells of exported files. A spreadsheet runs a cell that starts with `=`, `+`, `-`, `@`, tab or carriage
//! return as a formula; every export writes its cells through here so that nobody's data becomes a program.

use std::borrow::Cow;

/// The characters a spreadsheet takes for the start of a formula.
const STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The cell with an apostrophe in front when a spreadsheet would run it; any other as it is.
pub fn neutralise(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(STARTS) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// Undoes [`neutralise`], so that an export can be imported again without growing apostrophes.
pub fn restore(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(STARTS)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_become_text_and_text_stays_as_it_is() {
        for cell in ["=1+1", "+16145550123", "-5", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(neutralise(cell), format!("'{cell}"));
        }
        for cell in ["", "Ada", "a=b", "'quoted'", "5-3"] {
            assert_eq!(neutralise(cell), cell);
        }
    }

    proptest! {
        #[test]
        fn no_neutralised_cell_starts_a_formula_and_all_can_be_restored(cell in "[=+@\t\r'a-]{0,6}") {
            let safe = neutralise(&cell).into_owned();
            prop_assert!(!safe.starts_with(STARTS));
            if !(cell.starts_with('\'') && cell[1..].starts_with(STARTS)) {
                prop_assert_eq!(restore(&safe), cell);
            }
        }
    }
}
