//! Cells of exported files. A spreadsheet runs a cell that starts with `=`, `+`, `-`, `@`, tab or carriage return as a
//! formula, in their full-width forms too. Every export writes its lines through [`line()`], so that nobody's data becomes
//! a program.

use std::borrow::Cow;

/// The characters a spreadsheet takes for the start of a formula; Asian input methods write the full-width ones.
const STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
/// What separates cells somewhere: a cell that holds one of these is quoted, wherever the file is opened.
const SEPARATORS: [char; 7] = [',', ';', '\t', '|', '"', '\r', '\n'];

/// The cell with an apostrophe in front when a spreadsheet could run it; any other as it is.
pub fn neutralise(cell: &str) -> Cow<'_, str> {
    // an apostrophe in front of one is doubled, so that `restore` can tell it from ours
    let bare = cell.trim_start_matches('\'');
    let is_marked = bare.len() < cell.len() && is_number(bare);
    if is_formula(bare) || is_marked { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// Undoes [`neutralise`], so that an export can be imported again without growing apostrophes; and takes off what other
/// programs put around a value to keep its digits: `="43215"`, `'02139`.
pub fn restore(cell: &str) -> &str {
    let inside = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    if let Some(inside) = inside.filter(|inside| !inside.contains('"')) {
        return inside;
    }
    let is_ours = |rest: &&str| {
        let bare = rest.trim_start_matches('\'');
        is_formula(bare) || is_number(bare)
    };
    cell.strip_prefix('\'').filter(is_ours).unwrap_or(cell)
}

/// What begins like a number and is no word: `02139`, `0012-AB`, but not the `90s`.
fn is_number(cell: &str) -> bool {
    cell.starts_with(|c: char| c.is_ascii_digit())
        && !cell.contains('\'')
        && !cell.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('s')
}

/// Whether a cell is what a report writes at the beginning of its last line: a sum, and nobody's name or code.
pub fn is_total(cell: &str) -> bool {
    const SUMS: [&str; 14] = [
        "total",
        "totals",
        "subtotal",
        "subtotals",
        "sum",
        "count",
        "average",
        "gesamt",
        "summe",
        "gesamtsumme",
        "totaux",
        "totale",
        "suma",
        "somme",
    ];
    const BESIDE: [&str; 25] = [
        "grand",
        "sub",
        "overall",
        "record",
        "records",
        "row",
        "rows",
        "card",
        "cards",
        "of",
        "number",
        "amount",
        "value",
        "general",
        "général",
        "customers",
        "contacts",
        "people",
        "members",
        "entries",
        "clients",
        "patients",
        "accounts",
        "items",
        "for",
    ];
    let lower = cell.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let mut sums = 0;
    let all = words.all(|word| {
        let sum = SUMS.contains(&word);
        sums += usize::from(sum);
        sum || BESIDE.contains(&word) || is_number(word)
    });
    all && sums > 0
}

/// One line of a CSV file: every cell neutralised, and quoted where any spreadsheet would split it.
pub fn line<C: AsRef<str>>(cells: impl IntoIterator<Item = C>) -> String {
    let mut line = String::new();
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        let cell = neutralise(cell.as_ref());
        if cell.contains(SEPARATORS) || cell.starts_with(' ') || cell.ends_with(' ') {
            line.push('"');
            line.push_str(&cell.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(&cell);
        }
    }
    line.push('\n');
    line
}

/// Whether a cell starts a formula, or would where it is split at the separators in front of it.
fn is_formula(cell: &str) -> bool {
    cell.starts_with(STARTS)
        || cell.trim_start_matches(|c: char| c.is_whitespace() || SEPARATORS.contains(&c)).starts_with(STARTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_become_text_and_text_stays_as_it_is() {
        for cell in
            ["=1+1", "+16145550123", "-5", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＠SUM(A1)", " =1", ";=1", "\n|-1"]
        {
            assert_eq!(neutralise(cell), format!("'{cell}"));
        }
        for cell in ["", "Ada", "a=b", "'quoted'", "5-3", "; note", "ﬁne"] {
            assert_eq!(neutralise(cell), cell);
        }
    }

    #[test]
    fn what_spreadsheets_put_around_a_value_is_taken_off_and_a_name_keeps_its_apostrophe() {
        for (cell, value) in [
            ("=\"43215\"", "43215"),
            ("=\"Cat\"", "Cat"),
            ("=\"\"", ""),
            ("'02139", "02139"),
            ("'+16145550123", "+16145550123"),
            ("'t Hart", "'t Hart"),
            ("'90s rock", "'90s rock"),
            ("'quoted'", "'quoted'"),
            ("=\"a\"&\"b\"", "=\"a\"&\"b\""),
        ] {
            assert_eq!(restore(cell), value, "{cell}");
        }
    }

    #[test]
    fn a_line_of_sums_is_told_from_somebody() {
        for cell in [
            "TOTAL",
            "Grand Total (12)",
            "total:",
            "Sub-Total",
            "Record count",
            "Gesamt",
            "Total général",
            "Total records: 42",
        ] {
            assert!(is_total(cell), "{cell}");
        }
        for cell in ["Total Care Dental", "Count Basie", "Sumner", "", "42", "of"] {
            assert!(!is_total(cell), "{cell}");
        }
    }

    #[test]
    fn a_cell_that_another_separator_would_split_is_quoted() {
        assert_eq!(
            line(["a", "b;=1", "c\td", "e|f", "say \"hi\""]),
            "a,\"b;=1\",\"c\td\",\"e|f\",\"say \"\"hi\"\"\"\n"
        );
        assert_eq!(line(Vec::<String>::new()), "\n");
    }

    proptest! {
        #[test]
        fn no_neutralised_cell_starts_a_formula_and_all_can_be_restored(cell in "[=+@＝\t\r';, a0s\"-]{0,6}") {
            let safe = neutralise(&cell).into_owned();
            prop_assert!(!is_formula(&safe));
            prop_assert_eq!(restore(&safe), cell);
        }
    }
}
